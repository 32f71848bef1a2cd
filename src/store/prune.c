/* SPDX-License-Identifier: Apache-2.0 */
/* Collection: mark from the roots (leases, names, images, cache records) what is used, under the
 * exclusive gate; rename the rest into tmp/; let the others go on; then count and delete. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/walk.h"
#include "store/image.h"
#include "store/lists.h"
#include "store/record.h"

struct thing {
	char *name;
	uint64_t bytes;
	bool image, cache; /* used by an image or by a process; only by a cache record */
	struct snap_record rec;
};
struct things {
	ARRAY_OF(struct thing) list;
	struct map by_name; /* -> index + 1 */
};

struct marks {
	struct store *s;
	struct things snaps, blobs; /* by id; by hex */
	struct map diffs; /* hex of a diff id -> index of a snapshot + 1 */
	struct map leased; /* words of leases */
};

static void things_done(struct things *t)
{
	arr_each(it, &t->list) {
		free(it->name);
		snap_record_done(&it->rec);
	}
	arr_done(&t->list);
	map_done(&t->by_name);
}

static void marks_done(struct marks *m)
{
	things_done(&m->snaps);
	things_done(&m->blobs);
	map_done(&m->diffs);
	map_done(&m->leased);
}

static struct thing *things_get(struct things *t, struct slice name)
{
	size_t i = (size_t)map_get(&t->by_name, name);
	return i ? &t->list.p[i - 1] : NULL;
}

static struct thing *things_add(struct things *t, const char *name)
{
	struct thing *it = arr_add(&t->list);
	it->name = str_dup(name);
	map_put(&t->by_name, slice_of(name), (void *)t->list.n);
	return it;
}

/* ---- what is there ---- */

static int list_snapshots(struct marks *m, struct err *e)
{
	_cleanup_(strs_done) struct strs ids = { 0 };
	if (store_list(m->s, "snapshots", &ids, e) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		if (!snap_id_ok(ids.p[i]))
			continue;
		struct thing *t = things_add(&m->snaps, ids.p[i]);
		char hex[SHA256_HEX];
		if (snap_record_read(m->s, t->name, &t->rec, NULL) != 1)
			continue;
		t->bytes = t->rec.size;
		if (digest_is_zero(&t->rec.diff_id))
			continue;
		struct slice diff = slice_of(digest_hex(&t->rec.diff_id, hex));
		if (!t->rec.damaged && !map_has(&m->diffs, diff))
			map_put(&m->diffs, diff, (void *)m->snaps.list.n);
	}
	/* Several may have one diff id: the one that the mapping names is the one in use. */
	arr_each(it, &m->snaps.list) {
		_cleanup_(buf_done) struct buf b = { 0 };
		char hex[SHA256_HEX];
		if (digest_is_zero(&it->rec.diff_id) ||
		    cache_get(m->s, "diff", &it->rec.diff_id, &b, NULL) != 1)
			continue;
		const struct thing *named = things_get(&m->snaps, buf_view(&b));
		if (named && !named->rec.damaged)
			map_put(&m->diffs, slice_of(digest_hex(&it->rec.diff_id, hex)),
				(void *)(named - m->snaps.list.p + 1));
	}
	return 0;
}

static int list_blobs(struct marks *m, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (store_list(m->s, "blobs/sha256", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_free_ char *path = str_printf("blobs/sha256/%s", names.p[i]);
		struct stat st;
		if (fstatat(m->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			things_add(&m->blobs, names.p[i])->bytes = (uint64_t)st.st_size;
	}
	return 0;
}

/* ---- what is used ---- */

static struct thing *blob_thing(struct marks *m, const struct digest *d)
{
	char hex[SHA256_HEX];
	return things_get(&m->blobs, slice_of(digest_hex(d, hex)));
}

static void use_snapshot(struct marks *m, struct thing *t, bool image)
{
	struct thing *blob = digest_is_zero(&t->rec.blob.digest)
				     ? NULL
				     : blob_thing(m, &t->rec.blob.digest);
	*(image ? &t->image : &t->cache) = true;
	if (blob)
		*(image ? &blob->image : &blob->cache) = true;
}

static void use_layers(struct marks *m, const struct manifest *man, const struct image_config *cfg)
{
	arr_each(it, &man->layers) {
		struct thing *t = blob_thing(m, &it->digest);
		if (t)
			t->image = true;
	}
	arr_each(it, &cfg->diff_ids) {
		char hex[SHA256_HEX];
		size_t i = (size_t)map_get(&m->diffs, slice_of(digest_hex(it, hex)));
		if (i)
			use_snapshot(m, &m->snaps.list.p[i - 1], true);
	}
}

/* What cannot be read is kept, but leads to nothing. */
static void use_manifest(struct marks *m, const struct digest *d)
{
	struct thing *t = blob_thing(m, d);
	_cleanup_(buf_done) struct buf text = { 0 }, config = { 0 };
	_cleanup_(manifest_done) struct manifest man = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	if (!t)
		return;
	t->image = true;
	if (blob_peek(m->s, d, &text, NULL) != 1 ||
	    manifest_parse(buf_view(&text), NULL, &man, NULL) < 0)
		return;
	t = blob_thing(m, &man.config.digest);
	if (t)
		t->image = true;
	if (t && blob_peek(m->s, &man.config.digest, &config, NULL) == 1 &&
	    image_config_parse(buf_view(&config), &cfg, NULL) < 0)
		log_debug("a config cannot be read: its layers are kept only by others");
	use_layers(m, &man, &cfg);
}

static void use_leases(struct marks *m)
{
	map_each(it, &m->leased)
	{
		struct slice word = slice_from((struct slice){ it->key, it->key_len }, 2);
		struct thing *t = NULL;
		if (it->key[0] == STORE_SNAPSHOT && (t = things_get(&m->snaps, word)))
			use_snapshot(m, t, true);
		else if (it->key[0] == STORE_BLOB && (t = things_get(&m->blobs, word)))
			t->image = true;
	}
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static void use_words(struct marks *m, struct slice text)
{
	for (size_t i = 0; i < text.n;) {
		size_t k = i;
		while (k < text.n && is_word(text.p[k]))
			k++;
		struct slice word = { text.p + i, k - i };
		struct thing *t = NULL;
		if (word.n == 8 && (t = things_get(&m->snaps, word)) && !t->rec.damaged)
			use_snapshot(m, t, false);
		else if (word.n == 64 && (t = things_get(&m->blobs, word)))
			t->cache = true;
		i = k + 1;
	}
}

/* Those that only say what is known about something else: they keep nothing. */
static bool is_note(const char *kind)
{
	static const char *const notes[] = { "diff",     IMAGE_KIND, "context", ORIGIN_KIND,
					     PLACE_KIND, "outgoing", "packed" };
	for (size_t i = 0; i < COUNT_OF(notes); i++)
		if (strcmp(kind, notes[i]) == 0)
			return true;
	return false;
}

static int use_cache(struct marks *m, struct err *e)
{
	_cleanup_(strs_done) struct strs kinds = { 0 };
	if (store_list(m->s, "cache", &kinds, e) < 0)
		return -1;
	for (size_t i = 0; i < kinds.n; i++) {
		_free_ char *dir = str_printf("cache/%s", kinds.p[i]);
		_cleanup_(strs_done) struct strs keys = { 0 };
		if (is_note(kinds.p[i]))
			continue;
		if (store_list(m->s, dir, &keys, e) < 0)
			return -1;
		for (size_t k = 0; k < keys.n; k++) {
			struct digest key;
			_cleanup_(buf_done) struct buf b = { 0 };
			if (sha256_unhex(keys.p[k], strlen(keys.p[k]), key.b) == 0 &&
			    cache_get(m->s, kinds.p[i], &key, &b, NULL) == 1)
				use_words(m, buf_view(&b));
		}
	}
	return 0;
}

/* With the gate held. */
static int marks_begin(struct marks *m, struct store *s, struct err *e)
{
	*m = (struct marks){ .s = s };
	if (list_snapshots(m, e) < 0 || list_blobs(m, e) < 0 || leases_read(s, &m->leased, e) < 0)
		return -1;
	use_leases(m);
	return 0;
}

/* ---- prune ---- */

struct victim {
	char *tmp; /* where it lies now */
	uint64_t bytes;
	bool measure; /* bytes is not known: walk */
};
struct prune {
	struct marks m;
	const struct prune_opts *o;
	struct prune_result *out;
	ARRAY_OF(struct victim) victims;
};

/* Moves a path of the store away. A thing that is not there any more is fine. */
static int take(struct prune *p, const char *path, uint64_t bytes, bool measure, struct err *e)
{
	struct store *s = p->m.s;
	_free_ char *tmp = store_tmp_name(s, e);
	if (!tmp)
		return -1;
	if (renameat(s->fd, path, s->fd, tmp) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "move '%s/%s' away", s->path, path);
	arr_push(&p->victims,
		 (struct victim){ .tmp = take_ptr(&tmp), .bytes = bytes, .measure = measure });
	return 1;
}

static bool is_leased(const struct prune *p, char kind, const char *name)
{
	_free_ char *word = str_printf("%c %s", kind, name);
	return map_has(&p->m.leased, slice_of(word));
}

static bool manifest_is_leased(const struct prune *p, const struct digest *d)
{
	char hex[SHA256_HEX];
	return is_leased(p, STORE_BLOB, digest_hex(d, hex));
}

static int prune_names(struct prune *p, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	struct store *s = p->m.s;
	if (names_list(s, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(name_record_done) struct name_record rec = { 0 };
		int r = name_get(s, names.p[i], &rec, NULL);
		bool keep = !p->o->all || (r == 1 && manifest_is_leased(p, &rec.manifest));
		if (keep && r == 1)
			use_manifest(&p->m, &rec.manifest);
		if (keep || r == 0)
			continue;
		if (name_del(s, names.p[i], e) < 0)
			return -1;
		_cleanup_(reference_done) struct reference ref = { 0 };
		_free_ char *familiar = reference_parse(slice_of(names.p[i]), &ref, NULL) == 0
						? reference_familiar(&ref)
						: NULL;
		strs_addf(&p->out->what, "untagged: %s", familiar ? familiar : names.p[i]);
		p->out->names++;
	}
	return 0;
}

/* Untagged images, and leased ones (their owner will need all of them). */
static int keep_images(struct prune *p, struct err *e)
{
	struct digests known = { 0 };
	int r = images_known(p->m.s, &known, e);
	for (size_t i = 0; i < known.n; i++)
		if ((!p->o->images && !p->o->all) || manifest_is_leased(p, &known.p[i]))
			use_manifest(&p->m, &known.p[i]);
	arr_done(&known);
	return r;
}

/* Images that a list in the making speaks of (lists.c): by the digits of their manifests. */
static int keep_lists(struct prune *p, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (store_list(p->m.s, "lists", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_free_ char *path = str_printf("lists/%s", names.p[i]);
		_cleanup_(buf_done) struct buf b = { 0 };
		struct slice text;
		if (store_read(p->m.s, path, LIST_MAX, &b, e) < 0)
			return -1;
		text = buf_view(&b);
		for (size_t at = 0; at < text.n; at++) {
			size_t n = 0;
			struct digest d;
			while (at + n < text.n && is_word(text.p[at + n]))
				n++;
			if (n == 64 && sha256_unhex(text.p + at, n, d.b) == 0)
				use_manifest(&p->m, &d);
			at += n;
		}
	}
	return 0;
}

/* Images whose manifest goes: told as docker does, by id; their notes go too. */
static int drop_image_notes(struct prune *p, struct err *e)
{
	struct digests known = { 0 };
	int r = images_known(p->m.s, &known, e);
	for (size_t i = 0; r == 0 && i < known.n; i++) {
		const struct thing *t = blob_thing(&p->m, &known.p[i]);
		struct image_facts f;
		char text[DIGEST_LEN];
		if (t && t->image)
			continue;
		if (t && image_facts_read(p->m.s, &known.p[i], &f, NULL) == 1)
			strs_addf(&p->out->what, "deleted: %s", digest_text(&f.id, text));
		r = cache_drop(p->m.s, IMAGE_KIND, &known.p[i], e);
		if (r == 0)
			r = cache_drop(p->m.s, ORIGIN_KIND, &known.p[i], e);
	}
	arr_done(&known);
	return r;
}

static int drop_cache(struct prune *p, struct err *e)
{
	_cleanup_(strs_done) struct strs kinds = { 0 };
	if (store_list(p->m.s, "cache", &kinds, e) < 0)
		return -1;
	for (size_t i = 0; i < kinds.n; i++) {
		_free_ char *dir = str_printf("cache/%s", kinds.p[i]);
		_cleanup_(strs_done) struct strs keys = { 0 };
		if (strcmp(kinds.p[i], "diff") == 0 || strcmp(kinds.p[i], IMAGE_KIND) == 0 ||
		    strcmp(kinds.p[i], ORIGIN_KIND) == 0)
			continue;
		if (store_list(p->m.s, dir, &keys, e) < 0)
			return -1;
		if (take(p, dir, 0, true, e) < 0)
			return -1;
		p->out->records += (unsigned)keys.n;
	}
	return 0;
}

static int drop_below(struct prune *p, const char *dir, enum store_kind kind, unsigned *count,
		      struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (store_list(p->m.s, dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_free_ char *path = str_printf("%s/%s", dir, names.p[i]);
		if (is_leased(p, (char)kind, names.p[i]))
			continue;
		int r = take(p, path, 0, true, e);
		if (r < 0)
			return -1;
		*count += (unsigned)r;
		if (kind == STORE_VOLUME)
			strs_addf(&p->out->what, "deleted volume: %s", names.p[i]);
	}
	return 0;
}

static int drop_snapshots(struct prune *p, struct err *e)
{
	bool damage_left = false;
	arr_each(it, &p->m.snaps.list) {
		if (it->image || it->cache) {
			damage_left = damage_left || it->rec.damaged;
			continue;
		}
		_free_ char *path = str_printf("snapshots/%s", it->name);
		int r = take(p, path, it->rec.size, !it->rec.boot, e);
		if (r < 0)
			return -1;
		p->out->snapshots += (unsigned)r;
		_cleanup_(buf_done) struct buf b = { 0 };
		if (!digest_is_zero(&it->rec.diff_id) &&
		    cache_get(p->m.s, "diff", &it->rec.diff_id, &b, NULL) == 1 &&
		    slice_is(buf_view(&b), it->name) &&
		    cache_drop(p->m.s, "diff", &it->rec.diff_id, e) < 0)
			return -1;
	}
	if (!damage_left)
		(void)unlinkat(p->m.s->fd, STORE_DAMAGED, 0);
	return 0;
}

static int drop_blobs(struct prune *p, struct err *e)
{
	arr_each(it, &p->m.blobs.list) {
		if (it->image || it->cache)
			continue;
		_free_ char *path = str_printf("blobs/sha256/%s", it->name);
		int r = take(p, path, it->bytes, false, e);
		if (r < 0)
			return -1;
		p->out->blobs += (unsigned)r;
	}
	return 0;
}

static int move_away(struct prune *p, struct store *s, struct err *e)
{
	if (marks_begin(&p->m, s, e) < 0 || prune_names(p, e) < 0 || keep_images(p, e) < 0 ||
	    keep_lists(p, e) < 0)
		return -1;
	if (p->o->cache) {
		unsigned mounts = 0;
		if (drop_cache(p, e) < 0 || drop_below(p, "mounts", STORE_MOUNT, &mounts, e) < 0)
			return -1;
	} else if (use_cache(&p->m, e) < 0) {
		return -1;
	}
	if (p->o->volumes && drop_below(p, "volumes", STORE_VOLUME, &p->out->volumes, e) < 0)
		return -1;
	if (drop_image_notes(p, e) < 0 || drop_snapshots(p, e) < 0)
		return -1;
	return drop_blobs(p, e);
}

/* Apparent size of a tree or a file; what cannot be read is not counted. */
static uint64_t measure(struct store *s, const char *path)
{
	struct stat st;
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return (uint64_t)st.st_size;
	uint64_t sum = 0;
	struct walk_entry ent;
	_cleanup_(walk_closep) struct walk *w = walk_open(s->fd, path, NULL);
	while (walk_next(w, &ent, NULL) > 0)
		if (S_ISREG(ent.st.st_mode))
			sum += (uint64_t)ent.st.st_size;
	return sum;
}

static int delete_all(struct prune *p, struct err *e)
{
	int r = 0;
	arr_each(it, &p->victims) {
		uint64_t bytes = it->measure ? measure(p->m.s, it->tmp) : it->bytes;
		if (fs_remove(p->m.s->fd, it->tmp, r == 0 ? e : NULL) < 0)
			r = -1;
		else
			p->out->bytes += bytes;
		free(it->tmp);
	}
	arr_done(&p->victims);
	return r;
}

int store_prune(struct store *s, const struct prune_opts *o, struct prune_result *out,
		struct err *e)
{
	if (s->user && geteuid() != 0)
		return err_set(e, ERR_DENIED,
			       "prune has to run inside the user namespace: files belong to "
			       "subordinate ids");
	*out = (struct prune_result){ 0 };
	struct prune p = { .o = o, .out = out };
	/* A lease of our own before the gate is shut: names in tmp/ need it. */
	if (!lease_name(s, e) || gate_enter(s, true, e) < 0)
		return -1;
	int r = move_away(&p, s, e);
	gate_leave(s);
	if (delete_all(&p, r == 0 ? e : NULL) < 0)
		r = -1;
	marks_done(&p.m);
	return r < 0 ? err_add(e, "prune the store '%s'", s->path) : 0;
}

/* ---- usage ---- */

static int mark_usage(struct marks *m, struct store *s, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	struct digests known = { 0 };
	*m = (struct marks){ .s = s };
	int r = list_snapshots(m, e) < 0 || list_blobs(m, e) < 0 || images_known(s, &known, e) < 0
			? -1
			: 0;
	for (size_t i = 0; r == 0 && i < known.n; i++)
		use_manifest(m, &known.p[i]);
	arr_done(&known);
	if (r < 0 || names_list(s, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(name_record_done) struct name_record rec = { 0 };
		if (name_get(s, names.p[i], &rec, NULL) == 1)
			use_manifest(m, &rec.manifest);
	}
	return 0;
}

static uint64_t usage_below(struct store *s, const char *dir, unsigned *count)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	uint64_t sum = 0;
	if (store_list(s, dir, &names, NULL) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		_free_ char *path = str_printf("%s/%s", dir, names.p[i]);
		sum += measure(s, path);
	}
	*count = (unsigned)names.n;
	return sum;
}

int store_usage(struct store *s, struct store_usage *out, struct err *e)
{
	struct marks m = { 0 };
	struct store_usage u = { 0 };
	int r = mark_usage(&m, s, e);
	if (r == 0) {
		struct digests known = { 0 };
		unsigned mounts_n = 0;
		arr_each(it, &m.snaps.list) {
			*(it->image ? &u.images : &u.cache) += it->bytes;
			u.cache_n += !it->image;
		}
		arr_each(it, &m.blobs.list)
			*(it->image ? &u.images : &u.cache) += it->bytes;
		r = images_known(s, &known, e);
		for (size_t i = 0; i < known.n; i++)
			u.images_n += blob_thing(&m, &known.p[i]) != NULL;
		arr_done(&known);
		u.volumes = usage_below(s, "volumes", &u.volumes_n);
		u.mounts = usage_below(s, "mounts", &mounts_n);
	}
	marks_done(&m);
	if (r == 0)
		*out = u;
	return r;
}
