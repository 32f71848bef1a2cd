/* SPDX-License-Identifier: Apache-2.0 */
/* fs_remove. Without recursion: a tree may be deeper than our stack and our descriptors. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "base/dirlist.h"
#include "base/err.h"
#include "base/fs.h"

/* Lets us into a directory that its mode keeps closed. By descriptor, since fchmodat follows a
 * link that might have taken its place. */
static int make_open(int dirfd, const char *name)
{
	_close_ int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char proc[FS_PROC_LEN];
	return fd < 0 ? -1 : chmod(fs_proc_path(fd, proc), 0700);
}

/* Goes into directory `name` of dirfd. -1: errno. */
static int go_in(struct descent *d, int dirfd, const char *name, dev_t dev)
{
	int fd = dirlist_open(dirfd, name);
	if (fd < 0 && errno == EACCES && make_open(dirfd, name) == 0)
		fd = dirlist_open(dirfd, name);
	struct stat st;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || st.st_dev != dev) {
		(void)close(fd);
		errno = EXDEV;
		return -1;
	}
	if ((st.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700); /* where it mattered, the removals will say so */
	return descent_push(d, fd, st.st_dev, st.st_ino, false);
}

/* 0 gone; 1 it is a directory, to be emptied first; -1 errno. */
static int remove_file(int dirfd, const char *name, unsigned char type)
{
	if (type == DT_DIR)
		return 1;
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	return errno == EISDIR ? 1 : -1;
}

static int complain(const char *name, const char *below, struct err *e)
{
	int no = errno;
	if (no == EXDEV) {
		err_set(e, ERR_DENIED, "'%s' in '%s' is a mount; what is mounted is not removed",
			below, name);
		return err_hint(e, "unmount it first");
	}
	err_sys(e, "remove '%s' in '%s'", below, name);
	return -1;
}

/* Removes the next name of the directory on top, or goes into it: then it is counted as done only
 * when the way back up leads past it. */
static int remove_next(struct descent *d, const char *top, dev_t dev, struct err *e)
{
	struct descent_dir *dir = arr_last(&d->dirs);
	const struct dirlist_name *ent = &dir->list.names.p[dir->next];
	int r = remove_file(dir->fd, ent->name, ent->type);
	if (r < 0)
		return complain(top, ent->name, e);
	if (r > 0) {
		if (go_in(d, dir->fd, ent->name, dev) == 0) /* dir may have moved in memory */
			return 0;
		if (errno != ENOENT)
			return complain(top, ent->name, e);
	}
	dir->next++;
	return 0;
}

/* Empties the directory `top`, the first of the descent. */
static int remove_below(struct descent *d, const char *top, dev_t dev, struct err *e)
{
	for (;;) {
		const struct descent_dir *now = arr_last(&d->dirs);
		if (now->next < now->list.names.n) {
			if (remove_next(d, top, dev, e) < 0)
				return -1;
			continue;
		}
		if (descent_pop(d) < 0)
			return err_sys(e, "go back up in '%s'", top);
		if (d->dirs.n == 0)
			return 0;
		struct descent_dir *dir = arr_last(&d->dirs);
		const char *name = dir->list.names.p[dir->next++].name;
		if (unlinkat(dir->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
			return complain(top, name, e);
	}
}

int fs_remove(int dirfd, const char *name, struct err *e)
{
	int r = remove_file(dirfd, name, DT_UNKNOWN);
	if (r == 0)
		return 0;
	struct stat st;
	if (r < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "remove '%s'", name);

	_cleanup_(descent_done) struct descent d = { 0 };
	if (go_in(&d, dirfd, name, st.st_dev) < 0)
		return errno == ENOENT ? 0 : complain(name, ".", e);
	if (remove_below(&d, name, st.st_dev, e) < 0)
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove '%s'", name);
	return 0;
}
