/* SPDX-License-Identifier: Apache-2.0 */
#include "container/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/walk.h"
#include "container/run.h"

#define NAME_MAX_BYTES 128
#define DEAD           "dead." /* a directory that is being removed */

static int check_name(const char *name, struct err *e)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = strlen(name);
	bool ok = n > 1 && n <= NAME_MAX_BYTES && strchr(word, name[0]);
	for (size_t i = 0; ok && i < n; i++)
		ok = strchr(word, name[i]) || strchr("_.-", name[i]);
	if (ok)
		return 0;
	return err_set(e, ERR_USER,
		       "invalid container name '%s': only [a-zA-Z0-9][a-zA-Z0-9_.-]+ is allowed",
		       name);
}

static char *new_id(void)
{
	unsigned char b[6];
	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		abort(); /* never for so few bytes, getrandom(2) */
	return str_printf("%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

/* Opens and locks: 1; 0 if a living process holds it or it is gone. */
static int lock_dir(int parent, const char *name, int *fd)
{
	struct stat mine, now;
	_close_ int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0)
		return 0;
	/* between opening and locking another may have removed it */
	if (fstat(dir, &mine) < 0 || fstatat(parent, name, &now, AT_SYMLINK_NOFOLLOW) < 0 ||
	    mine.st_ino != now.st_ino)
		return 0;
	*fd = take_fd(&dir);
	return 1;
}

/* The new directory is born under a name that nobody takes for a run until it is locked. */
static int make_locked(int parent, const char *name, int *fd, struct err *e)
{
	_free_ char *temp = NULL;
	for (int tries = 0; *fd < 0; tries++) { /* a sweep may come between making and locking */
		str_set(&temp, fs_temp_name(DEAD));
		if (tries == 16)
			return err_set(e, ERR_SYS, "cannot lock a new directory below containers/");
		if (mkdirat(parent, temp, 0700) < 0)
			return err_sys(e, "make a directory below containers/");
		(void)lock_dir(parent, temp, fd);
	}
	if (renameat(parent, temp, parent, name) == 0)
		return 1;
	int no = errno;
	(void)unlinkat(parent, temp, AT_REMOVEDIR);
	(void)close(*fd);
	*fd = -1;
	if (no == EEXIST || no == ENOTEMPTY)
		return 0;
	errno = no;
	return err_sys(e, "make a directory below containers/");
}

static int remove_locked(int parent, const char *name, struct err *e)
{
	_free_ char *dead = fs_temp_name(DEAD);
	if (renameat(parent, name, parent, dead) < 0)
		return err_sys(e, "remove containers/%s", name);
	return fs_remove(parent, dead, e);
}

static int open_parent(struct store *s, struct err *e)
{
	int fd = openat(store_fd(s), "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open 'containers' in the store");
}

int place_open(struct store *s, const char *name, struct place *out, struct err *e)
{
	if (name && check_name(name, e) < 0)
		return -1;
	_close_ int parent = open_parent(s, e);
	if (parent < 0)
		return -1;
	struct place p = { .id = new_id(), .dirfd = -1 };
	const char *dir = name ? name : p.id;
	int r = make_locked(parent, dir, &p.dirfd, e);
	_close_ int old = -1;
	if (r == 0 && lock_dir(parent, dir, &old)) /* left by a run that died */
		r = remove_locked(parent, dir, e) < 0 ? -1 : make_locked(parent, dir, &p.dirfd, e);
	if (r == 0)
		r = err_set(e, ERR_USER,
			    "the container name '%s' is already in use by a running container",
			    dir);
	p.path = str_printf("containers/%s", dir);
	p.upper = str_printf("%s/tree", p.path);
	p.work = str_printf("%s/work", p.path);
	if (r > 0 && mkdirat(p.dirfd, "tree", 0755) < 0)
		r = err_sys(e, "make '%s'", p.upper);
	*out = p;
	if (r < 0)
		(void)place_close(s, out, NULL);
	return r < 0 ? -1 : 0;
}

int place_close(struct store *s, struct place *p, struct err *e)
{
	int r = 0;
	if (p->dirfd >= 0) {
		_close_ int parent = open_parent(s, e);
		r = parent < 0 ? -1 : remove_locked(parent, p->path + strlen("containers/"), e);
		(void)close(p->dirfd);
	}
	free(p->id);
	free(p->path);
	free(p->upper);
	free(p->work);
	*p = (struct place)PLACE_INIT;
	return r;
}

int container_sweep(struct store *s, struct err *e)
{
	_close_ int parent = open_parent(s, e);
	if (parent < 0)
		return -1;
	_cleanup_(walk_closep) struct walk *w = walk_open(parent, ".", e);
	struct walk_entry ent;
	int r;
	while ((r = walk_next(w, &ent, e)) > 0) {
		_close_ int fd = -1;
		walk_skip(w);
		if (lock_dir(parent, ent.name, &fd) && fs_remove(parent, ent.name, e) < 0)
			return -1;
	}
	return r;
}
