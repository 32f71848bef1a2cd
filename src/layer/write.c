/* SPDX-License-Identifier: Apache-2.0 */
/* layer/write.c: trees and views as tar streams. The bytes follow from index and content alone;
 * nothing of the tree's own metadata is looked at but the length. */
#include "base/err.h"
#include "base/map.h"
#include "base/stream.h"
#include "layer/entry.h"
#include "layer/place.h"
#include "layer/tar_write.h"
#include "layer/tree.h"
#include "layer/whiteout.h"
#include <fcntl.h>

enum { PIECE = 256 << 10 };

struct writer {
	struct sink *out;
	int64_t clamp;
	struct map groups; /* (layer, group) -> name of its first member */
	char *piece;
};

static void writer_done(struct writer *w)
{
	map_each(it, &w->groups) free(it->value);
	map_done(&w->groups);
	free(w->piece);
}

/* digest: NULL, or where the content's goes; w->out is a sink of sink_hash then. */
static int copy_bytes(struct writer *w, int fd, uint64_t size, struct digest *digest, struct err *e)
{
	uint64_t left = size;
	struct sha256 content;
	sha256_begin(&content);
	if (digest)
		sink_hash_also(w->out, &content);
	if (!w->piece)
		w->piece = mem_resize(NULL, PIECE, 1);
	while (left) {
		ssize_t n = fd_read(fd, w->piece, left < PIECE ? (size_t)left : PIECE);
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return err_set(e, ERR_DATA, "it is %llu bytes shorter than its layer says",
				       (unsigned long long)left);
		if (sink_write(w->out, w->piece, (size_t)n, e) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	if (digest) {
		sink_hash_also(w->out, NULL);
		sha256_end(&content, digest->b);
	}
	char more;
	ssize_t n = fd_read(fd, &more, 1);
	if (n < 0)
		return err_sys(e, "read"); /* says nothing of its length */
	if (n > 0)
		return err_set(e, ERR_DATA, "it is longer than its layer says (%llu bytes)",
			       (unsigned long long)size);
	return tar_write_padding(w->out, size, e);
}

/* The name under which this inode is in the archive already; else NULL, and it is noted. */
static const char *first_of_group(struct writer *w, int layer, const struct entry *ent,
				  const char *name)
{
	if (!ent->group)
		return NULL;
	uint32_t id[2] = { (uint32_t)layer, ent->group };
	struct slice key = { (const char *)id, sizeof id };
	const char *first = map_get(&w->groups, key);
	if (!first)
		map_put(&w->groups, key, str_dup(name));
	return first;
}

/* fd: the content of a file, else -1. digest: as of copy_bytes. */
static int write_one(struct writer *w, const struct entry *ent, const char *name,
		     const char *target, int fd, struct digest *digest, struct err *e)
{
	if (tar_write_entry(w->out, ent, name, target, w->clamp, e) < 0)
		return -1;
	return fd >= 0 ? copy_bytes(w, fd, ent->size, digest, e) : 0;
}

static int refuse_wh_name(const struct entry *ent, struct err *e)
{
	for (const char *p = ent->path; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) != 0)
			continue;
		(void)err_set(e, ERR_DATA, "'/%s' cannot be in a layer", ent->path);
		return err_hint(e, "names that begin with '.wh.' mean deletions there; rename it");
	}
	return 0;
}

static int write_deletion(struct writer *w, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash + 1 - path) : 0;
	_free_ char *name = str_printf("%.*s" WHITEOUT_PREFIX "%s", dir_len, path, path + dir_len);
	return tar_write_whiteout(w->out, name, e);
}

static int write_opaque(struct writer *w, const char *dir, struct err *e)
{
	_free_ char *name = str_printf("%s%s" WHITEOUT_OPAQUE_NAME, dir, *dir ? "/" : "");
	return tar_write_whiteout(w->out, name, e);
}

/* digest: as of copy_bytes; 1 if it was set. */
static int write_layer_entry(struct writer *w, struct place *at, const struct entry *ent,
			     struct digest *digest, struct err *e)
{
	const char *name = *ent->path ? ent->path : ".";
	if (refuse_wh_name(ent, e) < 0)
		return -1;
	if (ent->type == ENTRY_WHITEOUT)
		return write_deletion(w, ent->path, e); /* 0, -1 */

	const char *target = first_of_group(w, 0, ent, ent->path);
	_close_ int fd = -1;
	if (ent->type == ENTRY_FILE && !target) {
		const char *last;
		int dirfd = place_at(at, ent->path, &last, e);
		if (dirfd < 0)
			return -1;
		fd = openat(dirfd, last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open");
	}
	if (write_one(w, ent, name, target, fd, digest, e) < 0 ||
	    (ent->opaque && write_opaque(w, ent->path, e) < 0))
		return -1;
	return fd >= 0 && digest;
}

struct walk_opts {
	const struct tree_gate *gate; /* or NULL */
	struct index *fill; /* the same index, if missing digests are to be filled in; or NULL */
};

static int write_entries(struct writer *w, int treefd, const struct index *x,
			 const struct walk_opts *o, struct err *e)
{
	_cleanup_(place_done) struct place at = PLACE_INIT(treefd);
	for (size_t i = 0; i < x->entries.n; i++) {
		const struct entry *ent = &x->entries.p[i];
		struct entry *fill = o->fill && !ent->has_digest ? &o->fill->entries.p[i] : NULL;
		if (o->gate && o->gate->wait(o->gate->ctx, i) < 0)
			return -1;
		int r = write_layer_entry(w, &at, ent, fill ? &fill->digest : NULL, e);
		if (r < 0)
			return err_add(e, "'/%s'", ent->path);
		if (r > 0)
			fill->has_digest = true;
	}
	return tar_write_end(w->out, e);
}

static int sum_entries(int treefd, const struct index *x, const struct walk_opts *o,
		       struct tree_stream *out, struct err *e)
{
	struct sha256 sha;
	struct tree_stream got = { 0 };
	sha256_begin(&sha);
	_cleanup_(sink_closep) struct sink *sink = sink_hash(NULL, &sha, &got.size);
	_cleanup_(writer_done) struct writer w = { .out = sink, .clamp = -1 };
	if (write_entries(&w, treefd, x, o, e) < 0)
		return -1;
	sha256_end(&sha, got.digest.b);
	*out = got;
	return 0;
}

int tree_sum(int treefd, struct index *x, struct tree_stream *out, struct err *e)
{
	if (sum_entries(treefd, x, &(struct walk_opts){ .fill = x }, out, e) < 0)
		return -1;
	index_share_digests(x);
	return 0;
}

int tree_sum_behind(int treefd, const struct index *x, const struct tree_gate *gate,
		    struct tree_stream *out, struct err *e)
{
	return sum_entries(treefd, x, &(struct walk_opts){ .gate = gate }, out, e);
}

int tree_write_tar(int treefd, const struct index *x, int64_t clamp, struct sink *out,
		   struct err *e)
{
	_cleanup_(writer_done) struct writer w = { .out = out, .clamp = clamp };
	return write_entries(&w, treefd, x, &(struct walk_opts){ 0 }, e);
}

struct view_bytes {
	int (*open)(void *, const struct view_hit *, struct err *);
	void *ctx;
};

static int write_hit(struct writer *w, const struct view_hit *hit, const char *name,
		     const struct view_bytes *bytes, struct err *e)
{
	const char *target = first_of_group(w, hit->layer, hit->entry, name);
	_close_ int fd = -1;
	if (hit->entry->type == ENTRY_FILE && !target) {
		fd = bytes->open(bytes->ctx, hit, e);
		if (fd < 0)
			return -1;
	}
	return write_one(w, hit->entry, name, target, fd, NULL, e);
}

/* The root is told only if it is not what every reader takes for granted. */
static bool is_plain_root(const struct entry *ent)
{
	return ent->mode == 0755 && ent->uid == 0 && ent->gid == 0 && ent->xattrs_n == 0;
}

int tree_write_view(struct view *v, const char *strip,
		    int (*open)(void *, const struct view_hit *, struct err *), void *ctx,
		    int64_t clamp, struct sink *out, struct err *e)
{
	_cleanup_(writer_done) struct writer w = { .out = out, .clamp = clamp };
	const struct view_bytes bytes = { open, ctx };
	const char *top = strip ? strip : "";
	size_t skip = *top ? strlen(top) + 1 : 0;
	struct view_hit hit;

	int r = view_lookup(v, top, &hit, e);
	if (r == 0)
		return err_set(e, ERR_ABSENT, "there is no '/%s'", top);
	if (r < 0)
		return -1;
	if (hit.entry->type != ENTRY_DIR) {
		const char *slash = strrchr(top, '/');
		if (write_hit(&w, &hit, slash ? slash + 1 : top, &bytes, e) < 0)
			return err_add(e, "'/%s'", top);
		return tar_write_end(out, e);
	}
	if (!*top && !is_plain_root(hit.entry) && write_hit(&w, &hit, ".", &bytes, e) < 0)
		return -1;
	_cleanup_(view_walk_closep) struct view_walk *walk = view_walk_open(v, top, e);
	while ((r = view_walk_next(walk, &hit, e)) > 0)
		if (write_hit(&w, &hit, hit.entry->path + skip, &bytes, e) < 0)
			return err_add(e, "'/%s'", hit.entry->path);
	return r < 0 ? -1 : tar_write_end(out, e);
}
