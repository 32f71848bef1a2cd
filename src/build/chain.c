/* SPDX-License-Identifier: Apache-2.0 */
/* The layers up to a node, seen as files. */
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "base/err.h"
#include "base/path.h"
#include "build/clamp.h"
#include "build/exec.h"

struct base *chain_base(const struct node *n)
{
	while (n->prev)
		n = n->prev;
	return n->base;
}

void chain_snaps(const struct node *n, struct strs *out)
{
	if (n->prev)
		chain_snaps(n->prev, out);
	if (n->kind == NODE_BASE) {
		for (size_t i = 0; i < n->base->snaps.n; i++)
			strs_add(out, n->base->snaps.p[i]);
	} else if (*n->snap) {
		strs_add(out, n->snap);
	}
}

/* Nobody but n asks for the files of what is below it. */
static bool is_only_user(const struct plan *p, const struct node *n)
{
	size_t users = 0;
	arr_each(it, &p->nodes) {
		users += (*it)->prev == n->prev;
		arr_each(in, &(*it)->inputs)
			users += *in == n->prev;
	}
	return users == 1;
}

static int make_tree(struct plan *p, struct node *n, struct source_tree *out, struct err *e)
{
	if (n->kind == NODE_BASE) {
		const struct base *b = n->base;
		return source_tree_layers(&p->layers, b->snaps.p, b->snaps.n, b->rootfs ? &b->rootfs->tree : NULL,
					  out, e);
	}
	struct source_tree *below;
	if (chain_tree(p, n->prev, &below, e) < 0)
		return -1;
	bool take = is_only_user(p, n);
	int r = source_tree_above(&p->layers, below, take, n->snap, out, e);
	if (take) {
		free(below);
		n->prev->files = NULL;
	}
	return r;
}

int chain_tree(struct plan *p, struct node *n, struct source_tree **out, struct err *e)
{
	if (!n->files) {
		struct source_tree *t = NEW(struct source_tree);
		*t = (struct source_tree)SOURCE_TREE_INIT;
		if (make_tree(p, n, t, e) < 0) {
			source_tree_done(t);
			free(t);
			return -1;
		}
		n->files = t;
	}
	*out = n->files;
	return 0;
}

/* Looks into the trees from the top. Anything but plain directories and a plain file on the way
 * (links, opaque directories, odd marks) is left to the full view: -2. */
static int read_plain(struct plan *p, const struct strs *snaps, const char *path, size_t max,
		      struct buf *out, struct err *e)
{
	for (size_t i = snaps->n; i-- > 0;) {
		char tree[SNAP_PATH];
		_free_ char *full = str_printf("%s/%s", snap_tree_path(snaps->p[i], tree), path);
		struct slice dir = path_dir(slice_of(path));
		_free_ char *parent = str_printf("%s/%.*s", tree, SLF(dir));
		struct stat st;
		if (fstatat(store_fd(p->store), parent, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT)
				return -2;
			continue;
		}
		if (!S_ISDIR(st.st_mode))
			return -2;
		if (fstatat(store_fd(p->store), full, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT)
				return -2;
			continue;
		}
		if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0))
			return 0;
		if (!S_ISREG(st.st_mode))
			return -2;
		out->max = max;
		return fs_read(store_fd(p->store), full, max, out, e) < 0 ? -1 : 1;
	}
	return 0;
}

int chain_read(struct plan *p, struct node *n, const char *path, size_t max, struct buf *out,
	       struct err *e)
{
	if (n->files)
		return source_tree_read(n->files, path, max, out, e);
	_cleanup_(strs_done) struct strs snaps = { 0 };
	chain_snaps(n, &snaps);
	/* An opaque directory would hide the layers below it; it is rare enough to ask the view when
	 * more than one layer has this directory. */
	size_t with_dir = 0;
	for (size_t i = 0; i < snaps.n; i++) {
		char tree[SNAP_PATH];
		_free_ char *parent = str_printf("%s/%.*s", snap_tree_path(snaps.p[i], tree),
						 SLF(path_dir(slice_of(path))));
		with_dir += faccessat(store_fd(p->store), parent, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	int r = with_dir <= 1 ? read_plain(p, &snaps, path, max, out, e) : -2;
	if (r != -2)
		return r;
	struct source_tree *t;
	return chain_tree(p, n, &t, e) < 0 ? -1 : source_tree_read(t, path, max, out, e);
}

bool chain_rewrites(const struct plan *p)
{
	return p->opts->rewrite_timestamp && p->epoch >= 0;
}

int chain_commit(struct plan *p, struct node *n, struct snap_draft *d, struct index *x,
		 const struct tree_stream *known, char id[static SNAP_ID], struct err *e)
{
	struct tree_stream sum = { 0 };
	if (!known && chain_rewrites(p) && clamp_times(d->treefd, x, p->epoch, e) < 0)
		return -1;
	if (!known && n->exported) {
		if (tree_sum(d->treefd, x, &sum, e) < 0)
			return -1;
		known = &sum;
	}
	if (known)
		d->tar_size = known->size;
	return snap_commit(p->store, d, x, known ? &known->digest : NULL, id, e);
}
