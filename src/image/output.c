/* SPDX-License-Identifier: Apache-2.0 */
#include "image/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "base/path.h"
#include "base/stream.h"

struct output {
	struct image_fs *fs;
	int dest;
	struct map links; /* "layer group" -> name of the first of a hard-link group */
	struct strs dirs; /* whose times are set at the end, parents first */
	ARRAY_OF(struct view_hit) dir_hits;
};

/* The parent of a name, through real directories only. */
static int open_parent(struct output *o, const char *name, struct err *e)
{
	struct slice rest = path_dir(slice_of(name)), part;
	_close_ int at = openat(o->dest, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (slice_is(rest, "."))
		rest = SL("");
	while (at >= 0 && path_next(&rest, &part)) {
		_free_ char *one = slice_dup(part);
		int next = openat(at, one, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	return at < 0 ? err_sys(e, "open the directory of '%s'", name) : take_fd(&at);
}

static int make_dir(int at, const char *name, struct err *e)
{
	struct stat st;
	if (mkdirat(at, name, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "make the directory '%s'", name);
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (fs_remove(at, name, e) < 0)
		return -1;
	return mkdirat(at, name, 0700) < 0 ? err_sys(e, "make the directory '%s'", name) : 0;
}

static void set_xattrs(int fd, const struct entry *ent)
{
	char proc[FS_PROC_LEN];
	(void)fs_proc_path(fd, proc);
	for (size_t i = 0; i < ent->xattrs_n; i++)
		if (setxattr(proc, ent->xattrs[i].name, ent->xattrs[i].value, ent->xattrs[i].len,
			     0) < 0)
			log_debug("xattr %s of %s is left out", ent->xattrs[i].name, ent->path);
}

static int set_file_meta(int fd, const struct entry *ent, struct err *e)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, { ent->mtime, ent->mtime_ns } };
	if (fchmod(fd, ent->mode) < 0)
		return err_sys(e, "set the mode");
	set_xattrs(fd, ent);
	return futimens(fd, times) < 0 ? err_sys(e, "set the time") : 0;
}

/* Written beside its place and renamed into it: a program that runs from there is not disturbed. */
static int write_file(struct output *o, int at, const char *name, const struct view_hit *hit,
		      struct err *e)
{
	_free_ char *tmp = fs_temp_name(".thimble-");
	_close_ int in = image_fs_file(o->fs, hit, e);
	if (in < 0)
		return -1;
	_close_ int out = openat(at, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(e, "make a file");
	struct stat st;
	bool dir = fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
	int r = fd_copy(in, out, NULL, e);
	if (r == 0)
		r = set_file_meta(out, hit->entry, e);
	if (r == 0 && dir)
		r = fs_remove(at, name, e);
	if (r == 0 && renameat(at, tmp, at, name) < 0)
		r = err_sys(e, "rename the file to its place");
	if (r < 0)
		(void)unlinkat(at, tmp, 0);
	return r;
}

static int link_first(struct output *o, int at, const char *name, const char *first, struct err *e)
{
	_close_ int dir = open_parent(o, first, e);
	_free_ char *base = slice_dup(path_base(slice_of(first)));
	if (dir < 0 || fs_remove(at, name, e) < 0)
		return -1;
	return linkat(dir, base, at, name, 0) < 0 ? err_sys(e, "link to '%s'", first) : 0;
}

static int put_file(struct output *o, int at, const char *base, const char *name,
		    const struct view_hit *hit, struct err *e)
{
	if (hit->entry->group == 0)
		return write_file(o, at, base, hit, e);
	_free_ char *key = str_printf("%d %u", hit->layer, hit->entry->group);
	const char *first = map_get(&o->links, slice_of(key));
	if (first)
		return link_first(o, at, base, first, e);
	if (write_file(o, at, base, hit, e) < 0)
		return -1;
	map_put(&o->links, slice_of(key), str_dup(name));
	return 0;
}

static int put_symlink(int at, const char *base, const struct entry *ent, struct err *e)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, { ent->mtime, ent->mtime_ns } };
	if (fs_remove(at, base, e) < 0)
		return -1;
	if (symlinkat(ent->link, at, base) < 0)
		return err_sys(e, "make a symbolic link");
	(void)utimensat(at, base, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int put(struct output *o, const struct view_hit *hit, const char *name, struct err *e)
{
	_free_ char *base = slice_dup(path_base(slice_of(name)));
	_close_ int at = open_parent(o, name, e);
	if (at < 0)
		return -1;
	switch (hit->entry->type) {
	case ENTRY_DIR:
		strs_add(&o->dirs, name);
		arr_push(&o->dir_hits, *hit);
		return make_dir(at, base, e);
	case ENTRY_FILE: return put_file(o, at, base, name, hit, e);
	case ENTRY_SYMLINK: return put_symlink(at, base, hit->entry, e);
	default: log_debug("'%s' is a device or a pipe: left out", name); return 0;
	}
}

/* Modes and times of directories last, deepest first: they may be closed to writing. */
static int finish_dirs(struct output *o, struct err *e)
{
	for (size_t i = o->dirs.n; i-- > 0;) {
		_free_ char *base = slice_dup(path_base(slice_of(o->dirs.p[i])));
		_close_ int at = open_parent(o, o->dirs.p[i], e);
		if (at < 0)
			return -1;
		_close_ int fd = openat(at, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open '%s'", o->dirs.p[i]);
		if (set_file_meta(fd, o->dir_hits.p[i].entry, e) < 0)
			return err_add(e, "write '%s'", o->dirs.p[i]);
	}
	return 0;
}

static int put_all(struct output *o, const char *strip, struct err *e)
{
	struct view_hit hit;
	int r;
	size_t skip = *strip ? strlen(strip) + 1 : 0;
	_cleanup_(view_walk_closep) struct view_walk *w = view_walk_open(&o->fs->view, strip, e);
	if (!w)
		return -1;
	while ((r = view_walk_next(w, &hit, e)) > 0)
		if (put(o, &hit, hit.entry->path + skip, e) < 0)
			return err_add(e, "write '%s'", hit.entry->path + skip);
	return r < 0 ? -1 : finish_dirs(o, e);
}

static void output_done(struct output *o)
{
	map_each(it, &o->links) free(it->value);
	map_done(&o->links);
	strs_done(&o->dirs);
	arr_done(&o->dir_hits);
	if (o->dest >= 0)
		(void)close(o->dest);
}

int image_output_dir(struct image_fs *fs, const char *strip, const char *dest, struct err *e)
{
	_cleanup_(output_done) struct output o = { .fs = fs, .dest = -1 };
	if (fs_mkdirs(AT_FDCWD, dest, 0755, e) < 0)
		return -1;
	o.dest = open(dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o.dest < 0)
		return err_sys(e, "open '%s'", dest);
	return put_all(&o, strip, e) < 0 ? err_add(e, "write the files to '%s'", dest) : 0;
}

int image_output_tar(struct image_fs *fs, const char *strip, int64_t clamp, struct sink *out,
		     struct err *e)
{
	return tree_write_view(&fs->view, strip, image_fs_file_cb, fs, clamp, out, e);
}
