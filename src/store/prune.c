/* SPDX-License-Identifier: Apache-2.0 */
/* Collection: mark from the roots (leases, names, images, cache records) what is used, under the
 * exclusive gate; rename the rest into tmp/; let the others go on; then count and delete. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fs.h"
#include "oci/reference.h"
#include "store/lists.h"
#include "store/marks.h"

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
		_cleanup_(err_done) struct err why = { 0 };
		int r = name_get(s, names.p[i], &rec, &why);
		if (store_passable(r, &why, e) < 0)
			return -1;
		bool keep = !p->o->all || (r == 1 && manifest_is_leased(p, &rec.manifest));
		if (keep && r == 1 && marks_manifest(&p->m, &rec.manifest, e) < 0)
			return -1;
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
	for (size_t i = 0; r == 0 && i < known.n; i++)
		if ((!p->o->images && !p->o->all) || manifest_is_leased(p, &known.p[i]))
			r = marks_manifest(&p->m, &known.p[i], e);
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
			while (at + n < text.n && marks_is_word(text.p[at + n]))
				n++;
			if (n == 64 && sha256_unhex(text.p + at, n, d.b) == 0 &&
			    marks_manifest(&p->m, &d, e) < 0)
				return -1;
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
		const struct thing *t = marks_blob(&p->m, &known.p[i]);
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
	} else if (marks_cache(&p->m, e) < 0) {
		return -1;
	}
	if (p->o->volumes && drop_below(p, "volumes", STORE_VOLUME, &p->out->volumes, e) < 0)
		return -1;
	if (drop_image_notes(p, e) < 0 || drop_snapshots(p, e) < 0)
		return -1;
	return drop_blobs(p, e);
}

static int delete_all(struct prune *p, struct err *e)
{
	int r = 0;
	arr_each(it, &p->victims) {
		uint64_t bytes = it->measure ? store_measure(p->m.s, it->tmp) : it->bytes;
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
