/* SPDX-License-Identifier: Apache-2.0 */
/* layer/apply.c: tar streams into trees.
 *
 * What the stream says about a path is resolved in memory, against what this layer has made so far
 * (apply_name.c; its own symbolic links included), so every key in the index is a real place. The
 * tree is then only touched (apply_make.c) through (directory opened inside the root, one name), with
 * O_EXCL, so that even a mistake here cannot leave it. Owners, modes and times of directories wait
 * until all their content is there. */
#include "layer/apply_in.h"

#include <limits.h>
#include <string.h>

#include "base/err.h"
#include "base/stream.h"
#include "layer/entry.h"
#include "layer/readahead.h"
#include "layer/whiteout.h"

#define ABOUT_MAX (512ull << 20)
enum { ENTRIES_MAX = 4000000 };

static void apply_done(struct apply *a)
{
	tar_close(a->tar);
	index_done(&a->x);
	map_done(&a->keys);
	place_done(&a->at);
}

/* ---- deletions ---- */

/* 1: the name was a deletion and is dealt with; 0: it is a file; -1. */
static int apply_deletion(struct apply *a, const char *name, struct err *e)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	struct slice hidden = { 0 };
	int kind = whiteout_parse(slice_of(last), &hidden, e);
	if (kind <= WHITEOUT_NONE)
		return kind;
	if (kind == WHITEOUT_AUFS)
		return 1; /* as Docker skips them */
	_free_ char *dir = slash ? str_ndup(name, (size_t)(slash - name)) : str_dup("");
	_free_ char *real = apply_resolve_dir(a, dir, e);
	if (!real)
		return -1;
	if (kind == WHITEOUT_OPAQUE)
		return apply_opaque(a, real, e) < 0 ? -1 : 1;
	_free_ char *key = str_printf("%s%s%.*s", real, *real ? "/" : "", SLF(hidden));
	if (strlen(key) > KEY_MAX || hidden.n > NAME_MAX)
		return err_set(e, ERR_DATA, "the name is too long");
	return apply_whiteout(a, key, e) < 0 ? -1 : 1;
}

/* A component above the last that begins with ".wh.": 1 AUFS bookkeeping, -1 anything else. */
static int check_parents(const char *name, struct err *e)
{
	for (const char *p = name, *slash; (slash = strchr(p, '/')); p = slash + 1) {
		struct slice one = { p, (size_t)(slash - p) };
		if (slice_starts(one, SL(".wh..wh.")))
			return 1;
		if (slice_starts(one, SL(WHITEOUT_PREFIX)))
			return err_set(e, ERR_DATA, "it lies below a deletion ('%.*s')", SLF(one));
	}
	return 0;
}

/* ---- all of it ---- */

static int apply_entry(struct apply *a, const struct tar_entry *from, struct err *e)
{
	size_t longest = NAME_MAX + (a->layer ? strlen(WHITEOUT_PREFIX) : 0);
	_free_ char *name = apply_clean_name(from->path, longest, e);
	if (!name)
		return -1;
	if (a->layer) {
		int r = check_parents(name, e);
		if (r == 0)
			r = apply_deletion(a, name, e);
		if (r != 0)
			return r < 0 ? -1 : 0;
	}
	_free_ char *key = apply_resolve(a, name, e);
	if (!key)
		return -1;
	if (!*key && from->type != TAR_DIR)
		return err_set(e, ERR_DATA, "the root of the archive is not a directory");
	const char *slash = strrchr(key, '/');
	if (strlen(slash ? slash + 1 : key) > NAME_MAX)
		return err_set(e, ERR_DATA, "a part of the name is longer than 255 bytes");
	uint64_t about = from->type == TAR_SYMLINK ? strlen(from->link) : 0;
	for (size_t i = 0; i < from->xattrs_n; i++)
		about += strlen(from->xattrs[i].name) + from->xattrs[i].len;
	if (apply_count_about(a, about, e) < 0)
		return -1;
	switch (from->type) {
	case TAR_FILE: return apply_file(a, key, from, e);
	case TAR_DIR: return apply_dir(a, key, from, e);
	case TAR_HARDLINK: return apply_link(a, key, from, e);
	default: return apply_node(a, key, from, e);
	}
}

/* Entries that were replaced are in the array still, but not in the map. */
static void drop_replaced(struct apply *a)
{
	size_t n = 0;
	for (size_t i = 0; i < a->x.entries.n; i++) {
		struct entry ent = a->x.entries.p[i];
		if ((uintptr_t)map_get(&a->keys, slice_of(ent.path)) == i + 1)
			a->x.entries.p[n++] = ent; /* positions in the map are stale from here on */
	}
	a->x.entries.n = n;
}

static int set_dirs(struct apply *a, struct err *e)
{
	for (size_t i = a->x.entries.n; i-- > 0;) {
		const struct entry *ent = &a->x.entries.p[i];
		const char *name;
		if (ent->type != ENTRY_DIR)
			continue;
		int dirfd = place_at(&a->at, ent->path, &name, e);
		if (dirfd < 0 || tree_set_meta(dirfd, name, ent, a->o, e) < 0)
			return err_add(e, "'/%s'", ent->path);
	}
	return 0;
}

static int apply_all(struct apply *a, struct err *e)
{
	struct tar_entry ent;
	int r;
	while ((r = tar_next(a->tar, &ent, e)) > 0)
		if (apply_entry(a, &ent, e) < 0)
			return err_add(e, "'%s'", ent.path);
	if (r < 0)
		return -1;
	drop_replaced(a);
	index_sort(&a->x);
	index_settle_groups(&a->x);
	return set_dirs(a, e);
}

/* sum: NULL if the stream's own digest is not wanted. */
static int unpack(int treefd, struct source *tar, const struct tree_opts *o, bool layer,
		  struct tree_stream *sum, struct index *out, struct err *e)
{
	_cleanup_(source_closep) struct source *ahead = source_readahead(tar);
	_cleanup_(apply_done) struct apply a = {
		.treefd = treefd,
		.o = o,
		.layer = layer,
		.at = PLACE_INIT(treefd),
		.max_bytes = o->max_bytes ? o->max_bytes : INT64_MAX,
		.max_entries = o->max_entries ? o->max_entries : ENTRIES_MAX,
		.max_about = o->max_about ? o->max_about : ABOUT_MAX,
	};
	struct sha256 sha;
	sha256_begin(&sha);
	a.tar = tar_open(ahead);
	if (sum) {
		sum->size = 0;
		tar_hash(a.tar, &sha, &sum->size);
	}
	if (apply_all(&a, e) < 0)
		return -1;
	if (sum)
		sha256_end(&sha, sum->digest.b);
	*out = a.x;
	index_init(&a.x);
	return 0;
}

int tree_apply(int treefd, struct source *tar, const struct tree_opts *o, struct tree_stream *sum,
	       struct index *out, struct err *e)
{
	return unpack(treefd, tar, o, true, sum, out, e);
}

int tree_unpack(int treefd, struct source *tar, const struct tree_opts *o, struct index *out,
		struct err *e)
{
	return unpack(treefd, tar, o, false, NULL, out, e);
}
