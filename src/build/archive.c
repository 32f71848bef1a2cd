/* SPDX-License-Identifier: Apache-2.0 */
#include "build/archive.h"

#include "base/err.h"
#include "layer/compress.h"
#include "sandbox/userns.h"

enum { HEAD = 1024 };

/* Looks at the first bytes, uncompressed: 1, 0, -1. A file that only looks compressed is no archive. */
static int is_archive(int fd, struct err *e)
{
	char head[HEAD];
	_cleanup_(err_done) struct err why = { 0 };
	_cleanup_(source_closep) struct source *raw = source_fd(fd);
	_cleanup_(source_closep) struct source *plain = comp_source_auto(raw, NULL, &why);
	ssize_t n = plain ? source_full(plain, head, sizeof head, &why) : -1;
	if (n < 0 && why.kind == ERR_USER) { /* it is one, but for us */
		err_move(e, &why);
		return -1;
	}
	return n >= 512 && tar_sniff(head, (size_t)n) && lseek(fd, 0, SEEK_SET) == 0;
}

static int unpack(struct store *s, int fd, char id[static SNAP_ID], struct err *e)
{
	if (userns_enter(e) < 0)
		return -1;
	struct snap_draft d = SNAP_DRAFT_INIT;
	if (snap_begin(s, &d, e) < 0)
		return -1;
	_cleanup_(index_done) struct index x = { 0 };
	index_init(&x);
	_cleanup_(source_closep) struct source *raw = source_fd(fd);
	_cleanup_(source_closep) struct source *plain = comp_source_auto(raw, NULL, e);
	int r = plain ? tree_unpack(d.treefd, plain, store_tree_opts(s), &x, e) : -1;
	if (r == 0)
		r = snap_commit(s, &d, &x, NULL, id, e);
	snap_abort(s, &d);
	return r;
}

int archive_open(struct layer_set *l, struct source_tree *from, const struct view_hit *file,
		 struct source_tree **out, struct err *e)
{
	struct store *s = l->store;
	_close_ int fd = source_tree_open(from, file, e);
	if (fd < 0)
		return -1;
	int is = is_archive(fd, e);
	if (is <= 0)
		return is < 0 ? err_add(e, "unpack '%s'", file->entry->path) : 0;
	struct source_want want = { .tree = from, .hit = *file };
	if (source_digests(&want, 1, e) < 0)
		return -1;
	char id[SNAP_ID];
	_cleanup_(buf_done) struct buf known = { .max = SNAP_ID };
	int have = cache_get(s, "archive", &want.digest, &known, e);
	if (have < 0)
		return -1;
	if (have > 0 && known.len < SNAP_ID && snap_exists(s, known.p))
		memcpy(id, known.p, known.len + 1);
	else if (unpack(s, fd, id, e) < 0)
		return err_add(e, "unpack '%s'", file->entry->path);
	else if (cache_put(s, "archive", &want.digest, slice_of(id), e) < 0)
		return -1;

	struct source_tree *t = NEW(struct source_tree);
	char *snaps[] = { id };
	if (source_tree_layers(l, snaps, 1, NULL, t, e) < 0) {
		source_tree_done(t);
		free(t);
		return -1;
	}
	*out = t;
	return 1;
}
