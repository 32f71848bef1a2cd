/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the tree of a layer that COPY planned. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/path.h"
#include "build/copy.h"
#include "build/tar_follow.h"
#include "layer/meta.h"

enum { SMALL = 32 << 10 };

struct writer {
	const struct copy_spec *spec;
	const struct copy_plan *plan;
	const struct tree_opts *opts;
	int treefd;
	struct slice dir;   /* key of the directory that is open */
	int dirfd;
	struct map first;   /* hard-link group -> first path */
};

/* The entries come in tree order, so the directory that is open is mostly the right one. */
static int enter(struct writer *w, struct slice dir, struct err *e)
{
	if (w->dirfd >= 0 && slice_eq(dir, w->dir))
		return 0;
	if (w->dirfd >= 0)
		(void) close(w->dirfd);
	_free_ char *path = slice_dup(dir);
	w->dirfd = root_open(w->treefd, *path ? path : ".", O_RDONLY | O_DIRECTORY, e);
	w->dir = dir;
	return w->dirfd < 0 ? -1 : 0;
}

/* One read that could have told more than `size` bytes and did not need not be asked for the end. */
static int copy_small(int in, int out, uint64_t size, uint64_t *copied, struct err *e)
{
	char block[SMALL];
	size_t n = 0;
	ssize_t got;
	do {
		got = fd_read_some(in, block + n, sizeof block - n);
		if (got < 0)
			return err_sys(e, "read");
		n += (size_t)got;
	} while (got > 0 && n < size);
	*copied = n;
	return fd_write_all(out, block, n, e);
}

static int write_bytes(struct writer *w, int out, const struct copy_item *it, struct err *e)
{
	const struct copy_arg *a = &w->spec->args[it->arg];
	if (!a->tree)
		return fd_write_all(out, a->text.p, a->text.n, e);
	_close_ int in = source_tree_open(a->tree, &it->want.hit, e);
	if (in < 0)
		return -1;
	uint64_t copied = 0, size = it->entry.size; /* of nothing, nothing is read: it may be a socket */
	if (size && (size < SMALL ? copy_small(in, out, size, &copied, e) : fd_copy(in, out, &copied, e)) < 0)
		return -1;
	if (copied != it->entry.size || !source_unchanged(&it->want, in)) {
		err_set(e, ERR_USER, "'%s' changed while it was copied", it->want.hit.entry->path);
		return err_hint(e, "build again when nothing writes to the context");
	}
	return 0;
}

/* 1: it is a link to a file that was written before. */
static int link_to_first(struct writer *w, const struct entry *ent, const char *name, struct err *e)
{
	if (!ent->group)
		return 0;
	_free_ char *key = str_printf("%u", ent->group);
	const char *first = map_get(&w->first, slice_of(key));
	if (!first) {
		map_put(&w->first, slice_of(key), (void *)ent->path);
		return 0;
	}
	if (linkat(w->treefd, first, w->dirfd, name, 0) < 0)
		return err_sys(e, "link '%s' to '%s'", ent->path, first);
	return 1;
}

static int write_file(struct writer *w, const struct entry *ent, const char *name, struct err *e)
{
	const struct copy_item *it = map_get(&w->plan->items, slice_of(ent->path));
	assert(it);
	int r = link_to_first(w, ent, name, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	_close_ int fd = openat(w->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "write '%s'", ent->path);
	if (write_bytes(w, fd, it, e) < 0)
		return -1;
	return meta_set_fd(fd, ent, w->opts, e);
}

static int write_entry(struct writer *w, const struct entry *ent, struct err *e)
{
	if (*ent->path == 0)
		return 0; /* the root is there; its metadata is set at the end */
	struct slice path = slice_of(ent->path), dir = path_dir(path);
	if (enter(w, slice_is(dir, ".") ? SL("") : dir, e) < 0)
		return -1;
	_free_ char *name = slice_dup(path_base(path));
	if (ent->type == ENTRY_FILE)
		return write_file(w, ent, name, e);
	if (ent->type == ENTRY_DIR) {
		if (mkdirat(w->dirfd, name, 0700) < 0)
			return err_sys(e, "make the directory '%s'", ent->path);
		return 0;
	}
	if (tree_make(w->dirfd, name, ent, w->opts, e) < 0)
		return -1;
	return tree_set_meta(w->dirfd, name, ent, w->opts, e);
}

int copy_write(const struct copy_spec *spec, const struct copy_plan *p, int treefd,
	       const struct tree_opts *o, struct tar_follow *follower, struct err *e)
{
	struct writer w = { .spec = spec, .plan = p, .opts = o, .treefd = treefd, .dirfd = -1 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < p->index.entries.n; i++) {
		tar_follow_until(follower, i);
		const struct entry *ent = &p->index.entries.p[i];
		r = write_entry(&w, ent, e);
		if (r < 0)
			err_add(e, "copy '/%s'", ent->path);
	}
	/* Directories get their modes and times when nothing is written to them any more. */
	for (size_t i = p->index.entries.n; r == 0 && i-- > 0;) {
		const struct entry *ent = &p->index.entries.p[i];
		if (ent->type != ENTRY_DIR)
			continue;
		struct slice dir = path_dir(slice_of(ent->path));
		bool root = *ent->path == 0;
		if (enter(&w, root || slice_is(dir, ".") ? SL("") : dir, e) < 0) {
			r = -1;
			break;
		}
		_free_ char *name = root ? str_dup(".") : slice_dup(path_base(slice_of(ent->path)));
		r = tree_set_meta(w.dirfd, name, ent, o, e);
	}
	if (w.dirfd >= 0)
		(void) close(w.dirfd);
	map_done(&w.first);
	return r;
}
