/* SPDX-License-Identifier: Apache-2.0 */
#include "base/walk.h"

#include <errno.h>
#include <fcntl.h>

#include "base/buf.h"
#include "base/dirlist.h"
#include "base/err.h"

struct walk {
	struct descent descent;
	struct buf path;
	bool enter; /* the entry told last is a directory to go into */
	struct stat told; /* its lstat */
	const char *name; /* its name, in the last directory's list */
};

struct walk *walk_open(int dirfd, const char *path, struct err *e)
{
	_close_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(e, "open directory '%s'", path);
		return NULL;
	}
	_cleanup_(walk_closep) struct walk *w = NEW(struct walk);
	if (descent_push(&w->descent, take_fd(&fd), st.st_dev, st.st_ino, true) < 0) {
		err_sys(e, "read directory '%s'", path);
		return NULL;
	}
	return take_ptr(&w);
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	descent_done(&w->descent);
	buf_done(&w->path);
	free(w);
}

void walk_skip(struct walk *w)
{
	w->enter = false;
}

/* Goes into the directory told last. One that a mount hides stays told but not entered. */
static int enter(struct walk *w, struct err *e)
{
	struct descent_dir *dir = arr_last(&w->descent.dirs);
	w->enter = false;
	if (w->told.st_dev != dir->dev)
		return 0;
	int fd = dirlist_open(dir->fd, w->name);
	if (fd < 0 && errno == EXDEV) /* a bind mount of the same file system */
		return 0;
	if (fd < 0)
		return err_sys(e, "open directory '%s'", w->path.p);
	if (descent_push(&w->descent, fd, w->told.st_dev, w->told.st_ino, true) < 0)
		return err_sys(e, "read directory '%s'", w->path.p);
	arr_last(&w->descent.dirs)->path_len = w->path.len;
	return 0;
}

static void set_path(struct walk *w, const struct descent_dir *dir, const char *name)
{
	w->path.len = dir->path_len;
	if (w->path.len)
		buf_char(&w->path, '/');
	buf_str(&w->path, name);
}

int walk_next(struct walk *w, struct walk_entry *out, struct err *e)
{
	if (!w)
		return -1;
	if (w->enter && enter(w, e) < 0)
		return -1;
	while (w->descent.dirs.n) {
		struct descent_dir *dir = arr_last(&w->descent.dirs);
		if (dir->next == dir->list.names.n) {
			if (descent_pop(&w->descent) < 0)
				return err_sys(e, "go back up from '%s'", buf_view(&w->path).p);
			continue;
		}
		const char *name = dir->list.names.p[dir->next++].name;
		set_path(w, dir, name);
		if (fstatat(dir->fd, name, &w->told, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT) /* removed since its directory was read: never there */
				continue;
			return err_sys(e, "look at '%s'", w->path.p);
		}
		w->name = name;
		w->enter = S_ISDIR(w->told.st_mode);
		*out = (struct walk_entry){ dir->fd, name, w->path.p, w->told,
					    (unsigned)w->descent.dirs.n };
		return 1;
	}
	return 0;
}
