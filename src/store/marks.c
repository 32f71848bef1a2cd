/* SPDX-License-Identifier: Apache-2.0 */
#include "store/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "store/image.h"

static void things_done(struct things *t)
{
	arr_each(it, &t->list) {
		free(it->name);
		snap_record_done(&it->rec);
	}
	arr_done(&t->list);
	map_done(&t->by_name);
}

void marks_done(struct marks *m)
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
		_cleanup_(err_done) struct err why = { 0 };
		int r = store_passable(snap_record_read(m->s, t->name, &t->rec, &why), &why, e);
		if (r < 0)
			return -1;
		if (r == 0)
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
		if (digest_is_zero(&it->rec.diff_id))
			continue;
		_cleanup_(err_done) struct err why = { 0 };
		int r = store_passable(cache_get(m->s, "diff", &it->rec.diff_id, &b, &why), &why,
				       e);
		if (r < 0)
			return -1;
		if (r == 0)
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
		else if (errno != ENOENT) /* what it leads to would be taken for unused */
			return err_sys(e, "look at '%s/%s'", m->s->path, path);
	}
	return 0;
}

int marks_list(struct marks *m, struct store *s, struct err *e)
{
	*m = (struct marks){ .s = s };
	return list_snapshots(m, e) < 0 || list_blobs(m, e) < 0 ? -1 : 0;
}

/* ---- what is used ---- */

struct thing *marks_blob(struct marks *m, const struct digest *d)
{
	char hex[SHA256_HEX];
	return things_get(&m->blobs, slice_of(digest_hex(d, hex)));
}

static void use_snapshot(struct marks *m, struct thing *t, bool image)
{
	struct thing *blob = digest_is_zero(&t->rec.blob.digest)
				     ? NULL
				     : marks_blob(m, &t->rec.blob.digest);
	*(image ? &t->image : &t->cache) = true;
	if (blob)
		*(image ? &blob->image : &blob->cache) = true;
}

static void use_layers(struct marks *m, const struct manifest *man, const struct image_config *cfg)
{
	arr_each(it, &man->layers) {
		struct thing *t = marks_blob(m, &it->digest);
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

/* A manifest or a config: 1, 0 if it leads to nothing, -1. */
static int peek(struct marks *m, const struct digest *d, struct buf *out, struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	return store_passable(blob_peek(m->s, d, out, &why), &why, e);
}

int marks_manifest(struct marks *m, const struct digest *d, struct err *e)
{
	struct thing *t = marks_blob(m, d);
	_cleanup_(buf_done) struct buf text = { 0 }, config = { 0 };
	_cleanup_(manifest_done) struct manifest man = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	if (!t)
		return 0;
	t->image = true;
	int r = peek(m, d, &text, e);
	if (r <= 0 || manifest_parse(buf_view(&text), NULL, &man, NULL) < 0)
		return r < 0 ? -1 : 0;
	t = marks_blob(m, &man.config.digest);
	if (t)
		t->image = true;
	r = t ? peek(m, &man.config.digest, &config, e) : 0;
	if (r < 0)
		return -1;
	if (r > 0 && image_config_parse(buf_view(&config), &cfg, NULL) < 0)
		log_debug("a config cannot be read: its layers are kept only by others");
	use_layers(m, &man, &cfg);
	return 0;
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

bool marks_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static void use_words(struct marks *m, struct slice text)
{
	for (size_t i = 0; i < text.n;) {
		size_t k = i;
		while (k < text.n && marks_is_word(text.p[k]))
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
	static const char *const notes[] = { "diff",      IMAGE_KIND, "context",
					     ORIGIN_KIND, PLACE_KIND, "outgoing",
					     "packed",    "file",     "selected" };
	for (size_t i = 0; i < COUNT_OF(notes); i++)
		if (strcmp(kind, notes[i]) == 0)
			return true;
	return false;
}

int marks_cache(struct marks *m, struct err *e)
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
			_cleanup_(err_done) struct err why = { 0 };
			if (sha256_unhex(keys.p[k], strlen(keys.p[k]), key.b) < 0)
				continue;
			int r = store_passable(cache_get(m->s, kinds.p[i], &key, &b, &why), &why,
					       e);
			if (r < 0)
				return -1;
			if (r > 0)
				use_words(m, buf_view(&b));
		}
	}
	return 0;
}

int marks_begin(struct marks *m, struct store *s, struct err *e)
{
	if (marks_list(m, s, e) < 0 || leases_read(s, &m->leased, e) < 0)
		return -1;
	use_leases(m);
	return 0;
}
