/* SPDX-License-Identifier: Apache-2.0 */
#include "container/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/dirlist.h"
#include "base/err.h"
#include "base/walk.h"
#include "container/run.h"

#define NAME_MAX_BYTES 128
#define DEAD           "dead." /* a directory that is being removed */
#define SPARE          "spare" /* in the store: the next run's place */
#define OLD            "old"   /* in a place: the work directory of the run before */

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

/* Opens and locks: 1; 0 if a living process holds it or it is gone; -1: errno. */
static int lock_dir(int parent, const char *name, int *fd)
{
	struct stat mine, now;
	_close_ int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0)
		return errno == ENOENT || errno == EWOULDBLOCK ? 0 : -1;
	/* between opening and locking another may have removed it */
	if (fstat(dir, &mine) < 0 || fstatat(parent, name, &now, AT_SYMLINK_NOFOLLOW) < 0 ||
	    mine.st_ino != now.st_ino)
		return 0;
	*fd = take_fd(&dir);
	return 1;
}

/* ---- the spare ---- */

static bool in_list(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

/* Is there nothing in the directory but these? */
static bool has_only(int dirfd, const char *name, const char *const *list, size_t n)
{
	_cleanup_(dirlist_done) struct dirlist names = { 0 };
	_close_ int fd = dirlist_open(dirfd, name);
	if (fd < 0 || dirlist_read(fd, false, &names) < 0)
		return false;
	for (size_t i = 0; i < names.names.n; i++)
		if (!in_list(names.names.p[i].name, list, n))
			return false;
	return true;
}

/* As place_open makes it. What overlay writes down about the directory as such is no change. */
static bool is_like_new(int dirfd)
{
	struct stat st;
	char names[256];
	_close_ int tree = dirlist_open(dirfd, "tree");
	if (tree < 0 || fstat(tree, &st) < 0 || (st.st_mode & 07777) != 0755 || st.st_uid || st.st_gid)
		return false;
	ssize_t n = flistxattr(tree, names, sizeof names);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1)
		if (strcmp(names + at, "trusted.overlay.uuid") != 0 &&
		    strcmp(names + at, "user.overlay.uuid") != 0)
			return false;
	return n >= 0 && has_only(dirfd, "tree", NULL, 0);
}

/* A place in which nothing was done becomes the spare one, if there is none. False: remove it. */
static bool keep_spare(struct store *s, const struct place *p)
{
	static const char *const mine[] = { "tree", "work" }, *const overlays[] = { "work" };
	static const char *const closed[] = { "work/work", "work/work/incompat",
					      "work/work/incompat/volatile" };
	place_tidy(p);
	if (!has_only(p->dirfd, ".", mine, COUNT_OF(mine)) || !is_like_new(p->dirfd) ||
	    !has_only(p->dirfd, "work", overlays, COUNT_OF(overlays)))
		return false;
	for (size_t i = 0; i < COUNT_OF(closed); i++) /* a user shall be able to remove the store */
		(void)fchmodat(p->dirfd, closed[i], 0700, 0);
	return renameat2(store_fd(s), p->path, store_fd(s), SPARE, RENAME_NOREPLACE) == 0;
}

void place_tidy(const struct place *p)
{
	struct err ignored = { 0 }; /* what stays is removed with the place */
	if (p->has_old && fs_remove(p->dirfd, OLD, &ignored) < 0)
		err_done(&ignored);
}

/* It is looked at again: what had been removed in it may be back after a crash. */
static bool take_spare(struct place *p)
{
	if (!is_like_new(p->dirfd) || utimensat(p->dirfd, "tree", NULL, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	p->has_old = renameat(p->dirfd, "work", p->dirfd, OLD) == 0;
	return p->has_old || errno == ENOENT;
}

/* ---- making and removing ---- */

/* The new directory is born under a name that nobody takes for a run until it is locked. */
static int make_locked(struct store *s, int parent, const char *name, struct place *p, struct err *e)
{
	_free_ char *temp = NULL;
	for (int tries = 0; p->dirfd < 0; tries++) { /* a sweep may come between making and locking */
		str_set(&temp, fs_temp_name(DEAD));
		if (tries == 16)
			return err_set(e, ERR_SYS, "cannot lock a new directory below containers/");
		bool spare = tries == 0 && renameat(store_fd(s), SPARE, parent, temp) == 0;
		if (!spare && mkdirat(parent, temp, 0700) < 0)
			return err_sys(e, "make a directory below containers/");
		if (lock_dir(parent, temp, &p->dirfd) < 0)
			return err_sys(e, "lock a new directory below containers/");
		if (spare && p->dirfd >= 0 && !take_spare(p)) {
			(void)close(p->dirfd);
			p->dirfd = -1;
			if (fs_remove(parent, temp, e) < 0)
				return -1;
		}
	}
	if (renameat(parent, temp, parent, name) == 0)
		return 1;
	int no = errno;
	struct err ignored = { 0 }; /* the next sweep's */
	if (fs_remove(parent, temp, &ignored) < 0)
		err_done(&ignored);
	(void)close(p->dirfd);
	p->dirfd = -1;
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
	int r = make_locked(s, parent, dir, &p, e);
	_close_ int old = -1;
	int locked = r == 0 ? lock_dir(parent, dir, &old) : 0;
	if (locked < 0)
		r = err_sys(e, "lock containers/%s", dir);
	if (locked > 0) /* left by a run that died */
		r = remove_locked(parent, dir, e) < 0 ? -1 : make_locked(s, parent, dir, &p, e);
	if (r == 0)
		r = err_set(e, ERR_USER,
			    "the container name '%s' is already in use by a running container",
			    dir);
	p.path = str_printf("containers/%s", dir);
	p.upper = str_printf("%s/tree", p.path);
	p.work = str_printf("%s/work", p.path);
	if (r > 0 && mkdirat(p.dirfd, "tree", 0755) < 0 && errno != EEXIST)
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
		_close_ int parent = -1;
		if (!keep_spare(s, p) && (parent = open_parent(s, e)) < 0)
			r = -1;
		else if (parent >= 0)
			r = remove_locked(parent, p->path + strlen("containers/"), e);
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
		if (lock_dir(parent, ent.name, &fd) > 0 && fs_remove(parent, ent.name, e) < 0)
			return -1;
	}
	return r;
}
