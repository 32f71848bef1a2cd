/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/copy_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/path.h"
#include "base/stream.h"
#include "cli/opt.h"
#include "layer/tar_write.h"
#include "layer/tree.h"
#include "store/image.h"

/* What is copied: a hit, and for a directory all below it. */
struct source_at {
	char *key;
	struct view_hit hit;
	bool contents; /* SRC ended with "/." */
};

static void source_at_done(struct source_at *s)
{
	free(s->key);
}

/* key: where it would be. */
static int absent(struct copy_out *c, const char *key, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	struct slice at = slice_of(key);
	size_t slash = slice_rfind(at, '/');
	_free_ char *dir = slash < at.n ? slice_dup(slice_head(at, slash)) : str_dup("");
	err_set(e, ERR_ABSENT, "there is no '%s' in the image", c->src);
	if (view_list(&c->fs->view, dir, &names, NULL) < 0 || !names.n)
		return -1;
	_free_ char *name = slice_dup(path_base(at));
	const char *near = opt_nearest(name, (const char *const *)names.p, names.n);
	if (near)
		return err_hint(e, "did you mean '%s%s/%s'?", *dir ? "/" : "", dir, near);
	while (names.n > 12)
		free(names.p[--names.n]);
	_free_ char *list = strs_join(&names, " ");
	return err_hint(e, "/%s holds %s", dir, list);
}

static int find(struct copy_out *c, struct source_at *s, struct err *e)
{
	struct slice src = slice_of(c->src);
	bool slash = slice_ends(src, SL("/"));
	s->contents = slice_is(src, ".") || slice_ends(src, SL("/."));
	int r = view_resolve(&c->fs->view, c->src, c->follow || slash || s->contents, &s->key,
			     &s->hit, e);
	if (r < 0)
		return err_add(e, "'%s'", c->src);
	if (r == 0)
		return absent(c, s->key, e);
	if ((slash || s->contents) && s->hit.entry->type != ENTRY_DIR)
		return err_set(e, ERR_USER, "'%s' is not a directory", c->src);
	return 0;
}

/* Calls fn for the source and all below it. rel: from SRC, "" for itself. */
typedef int each_fn(void *ctx, const struct view_hit *hit, const char *rel, struct err *e);

static int each(struct copy_out *c, const struct source_at *s, each_fn *fn, void *ctx,
		struct err *e)
{
	if (fn(ctx, &s->hit, "", e) < 0)
		return err_add(e, "'/%s'", s->key);
	if (s->hit.entry->type != ENTRY_DIR)
		return 0;
	size_t skip = *s->key ? strlen(s->key) + 1 : 0;
	_cleanup_(view_walk_closep) struct view_walk *w = view_walk_open(&c->fs->view, s->key, e);
	struct view_hit hit;
	int r;
	while ((r = w ? view_walk_next(w, &hit, e) : -1) > 0)
		if (fn(ctx, &hit, hit.entry->path + skip, e) < 0)
			return err_add(e, "'/%s'", hit.entry->path);
	return r;
}

/* Hard links are links inside one layer: the name that its first member got. NULL: it is the first. */
static const char *first_of_group(struct map *groups, const struct view_hit *hit, const char *name)
{
	uint32_t id[2] = { (uint32_t)hit->layer, hit->entry->group };
	struct slice key = { (const char *)id, sizeof id };
	if (!hit->entry->group)
		return NULL;
	const char *first = map_get(groups, key);
	if (!first)
		map_put(groups, key, str_dup(name));
	return first;
}

static void groups_done(struct map *m)
{
	map_each(it, m) free(it->value);
	map_done(m);
}

/* ---- as a tar ---- */
struct tar_out {
	struct copy_out *c;
	struct sink *out;
	const char *prefix; /* "" or SRC's last component */
	struct map groups;
};

static int tar_bytes(struct tar_out *t, const struct view_hit *hit, struct err *e)
{
	_close_ int fd = image_fs_file(t->c->fs, hit, e);
	char block[65536];
	uint64_t left = hit->entry->size;
	while (fd >= 0 && left) {
		ssize_t n = fd_read(fd, block, left < sizeof block ? (size_t)left : sizeof block);
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return err_set(e, ERR_DATA, "the file is shorter than its layer says");
		if (sink_write(t->out, block, (size_t)n, e) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	return fd < 0 ? -1 : tar_write_padding(t->out, hit->entry->size, e);
}

static int tar_one(void *ctx, const struct view_hit *hit, const char *rel, struct err *e)
{
	struct tar_out *t = ctx;
	const char *slash = *rel && *t->prefix ? "/" : "";
	_free_ char *name = str_printf("%s%s%s", t->prefix, slash, rel);
	if (!*name) /* the root of the image, or DIR/. itself: taken for granted by who unpacks */
		return 0;
	const char *target = first_of_group(&t->groups, hit, name);
	if (tar_write_entry(t->out, hit->entry, name, target, -1, e) < 0)
		return -1;
	return hit->entry->type == ENTRY_FILE && !target ? tar_bytes(t, hit, e) : 0;
}

int copy_out_tar(struct copy_out *c, struct sink *out, struct err *e)
{
	_cleanup_(source_at_done) struct source_at s = { 0 };
	if (find(c, &s, e) < 0)
		return -1;
	_free_ char *base = *s.key && !s.contents ? slice_dup(path_base(slice_of(s.key)))
						  : str_dup("");
	struct tar_out t = { .c = c, .out = out, .prefix = base };
	int r = each(c, &s, tar_one, &t, e);
	groups_done(&t.groups);
	return r < 0 ? -1 : tar_write_end(out, e);
}

/* ---- into a directory ---- */
struct dir_mode {
	char *rel;
	struct entry entry; /* strings are the view's */
};
struct dir_out {
	struct copy_out *c;
	int dirfd; /* the directory that takes it */
	const char *name; /* SRC's new name in it; NULL: its content goes into dirfd itself */
	struct map groups;
	ARRAY_OF(struct dir_mode)
	dirs; /* made here; modes and times are set at the end, deepest first */
};

static int set_meta(struct dir_out *d, int dirfd, const char *name, const struct entry *ent,
		    struct err *e)
{
	if (d->c->meta)
		return tree_set_meta(dirfd, name, ent, d->c->meta, e);
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { ent->mtime, ent->mtime_ns } };
	if (ent->type != ENTRY_SYMLINK && fchmodat(dirfd, name, ent->mode & 01777, 0) < 0)
		return err_sys(e, "set the mode of '%s'", name);
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the time of '%s'", name);
	return 0;
}

/* What is in the way of a new `name`: nothing that is no directory may stop a directory, and no
 * directory is replaced. 1: the directory is there already. */
static int make_way(int dirfd, const char *name, bool dir, struct err *e)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at '%s'", name);
	if (S_ISDIR(st.st_mode))
		return dir ? 1
			   : err_set(e, ERR_USER,
				     "'%s' is a directory here and no directory in the image",
				     name);
	if (dir && unlinkat(dirfd, name, 0) < 0)
		return err_sys(e, "remove '%s'", name);
	return 0;
}

static int put_dir(struct dir_out *d, int dirfd, const char *name, const struct entry *ent,
		   const char *rel, struct err *e)
{
	int r = make_way(dirfd, name, true, e);
	if (r < 0)
		return -1;
	if (r == 0 && mkdirat(dirfd, name, 0700) < 0)
		return err_sys(e, "make the directory '%s'", name);
	arr_push(&d->dirs, (struct dir_mode){ str_dup(rel), *ent });
	return 0;
}

/* Everything but directories is born under a name of its own and renamed. */
static int put_file(struct dir_out *d, int dirfd, const char *temp, const struct view_hit *hit,
		    struct err *e)
{
	_close_ int from = image_fs_file(d->c->fs, hit, e);
	if (from < 0)
		return -1;
	_close_ int to = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				0600);
	if (to < 0)
		return err_sys(e, "make a file");
	return fd_copy(from, to, NULL, e);
}

static int put_special(struct dir_out *d, int dirfd, const char *temp, const struct entry *ent,
		       const char *rel, bool *skip, struct err *e)
{
	mode_t type = ent->type == ENTRY_CHAR    ? S_IFCHR
		      : ent->type == ENTRY_BLOCK ? S_IFBLK
						 : S_IFIFO;
	if (ent->type == ENTRY_SYMLINK)
		return symlinkat(ent->link, dirfd, temp) < 0 ? err_sys(e, "make a link") : 0;
	if (mknodat(dirfd, temp, type | 0600, makedev(ent->major, ent->minor)) == 0)
		return 0;
	if (errno != EPERM || type == S_IFIFO)
		return err_sys(e, "make a special file");
	strs_add(&d->c->skipped, *rel ? rel : d->c->src);
	*skip = true;
	return 0;
}

static int put(struct dir_out *d, int dirfd, const char *name, const struct view_hit *hit,
	       const char *rel, struct err *e)
{
	const struct entry *ent = hit->entry;
	if (make_way(dirfd, name, false, e) < 0)
		return -1;
	_free_ char *temp = fs_temp_name(".thimble-");
	const char *first = first_of_group(&d->groups, hit, rel);
	bool skip = false;
	int r;
	if (first) {
		const char *first_name;
		_close_ int parent = root_open_parent(d->dirfd, first, &first_name, e);
		if (parent < 0)
			return -1;
		r = linkat(parent, first_name, dirfd, temp, 0) < 0 ? err_sys(e, "make a hard link")
								   : 0;
	} else if (ent->type == ENTRY_FILE) {
		r = put_file(d, dirfd, temp, hit, e);
	} else {
		r = put_special(d, dirfd, temp, ent, rel, &skip, e);
	}
	if (r == 0 && !skip && !first)
		r = set_meta(d, dirfd, temp, ent, e);
	if (r == 0 && !skip && renameat(dirfd, temp, dirfd, name) < 0)
		r = err_sys(e, "name it '%s'", name);
	/* rename of two links to one inode does nothing and leaves both */
	if (r < 0 || first)
		(void)unlinkat(dirfd, temp, 0);
	return r;
}

static int put_one(void *ctx, const struct view_hit *hit, const char *rel, struct err *e)
{
	struct dir_out *d = ctx;
	_free_ char *path = !d->name ? str_dup(rel)
				     : str_printf("%s%s%s", d->name, *rel ? "/" : "", rel);
	if (!*path) /* the content of a directory: the directory itself is there */
		return 0;
	const char *name;
	_close_ int parent = root_open_parent(d->dirfd, path, &name, e);
	if (parent < 0)
		return -1;
	if (hit->entry->type == ENTRY_DIR)
		return put_dir(d, parent, name, hit->entry, path, e);
	return put(d, parent, name, hit, path, e);
}

static int finish_dirs(struct dir_out *d, struct err *e)
{
	int r = 0;
	for (size_t i = d->dirs.n; i-- > 0;) {
		const struct dir_mode *m = &d->dirs.p[i];
		const char *name;
		_close_ int parent = r < 0 ? -1 : root_open_parent(d->dirfd, m->rel, &name, e);
		if (r == 0 && (parent < 0 || set_meta(d, parent, name, &m->entry, e) < 0))
			r = -1;
		free(m->rel);
	}
	arr_done(&d->dirs);
	return r;
}

/* Where DEST leads: *dir is opened, *name the new name in it (NULL: what is in SRC goes into *dir). */
static int find_dest(const struct source_at *s, const char *dest, int *dir, char **name,
		     struct err *e)
{
	bool is_dir = s->hit.entry->type == ENTRY_DIR;
	struct slice text = slice_of(dest);
	struct stat st;
	_free_ char *real = realpath(dest, NULL);
	if (!*dest)
		return err_set(e, ERR_USER, "DEST is an empty word");
	if (real && stat(real, &st) == 0 && S_ISDIR(st.st_mode)) {
		*dir = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		*name = s->contents || !*s->key ? NULL : slice_dup(path_base(slice_of(s->key)));
		return *dir < 0 ? err_sys(e, "open '%s'", dest) : 0;
	}
	if (real && is_dir)
		return err_set(e, ERR_USER, "cannot copy a directory to '%s', which is none", dest);
	if (real && !S_ISREG(st.st_mode)) {
		err_set(e, ERR_USER, "'%s' is neither a file nor a directory", dest);
		return err_hint(e, "'-' as DEST writes a tar to standard output");
	}
	if (!real && (errno != ENOENT || lstat(dest, &st) == 0))
		return err_sys(e, "look at '%s'", dest);
	if (slice_ends(text, SL("/")) && !is_dir) {
		err_set(e, ERR_USER, "the directory '%s' does not exist", dest);
		return err_hint(
			e, "make it, or leave out the '/' at the end to make a file of this name");
	}
	_free_ char *clean = path_clean(real ? slice_of(real) : text);
	_free_ char *parent = slice_dup(path_dir(slice_of(clean)));
	*dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return err_sys(e, "open the directory '%s'", parent);
	*name = slice_dup(path_base(slice_of(clean)));
	return 0;
}

int copy_out_to(struct copy_out *c, const char *dest, struct err *e)
{
	_cleanup_(source_at_done) struct source_at s = { 0 };
	_close_ int dir = -1;
	_free_ char *name = NULL;
	if (find(c, &s, e) < 0 || find_dest(&s, dest, &dir, &name, e) < 0)
		return -1;
	struct dir_out d = { .c = c, .dirfd = dir, .name = name };
	int r = each(c, &s, put_one, &d, e);
	if (finish_dirs(&d, r == 0 ? e : NULL) < 0)
		r = -1;
	groups_done(&d.groups);
	return r;
}
