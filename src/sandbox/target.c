/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/slice.h"

#define LINKS_MAX 40

static int open_in(int rootfd, const char *path, int flags, uint64_t more)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | more };
	int fd;
	do
		fd = (int)syscall(SYS_openat2, rootfd, path[0] ? path : ".", &how, sizeof how);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

/* Is the directory in the root's own mount, whose changes are the layer? */
static bool in_layers(int rootfd, int dirfd)
{
	struct statx root, dir;
	if (statx(rootfd, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) < 0 ||
	    statx(dirfd, "", AT_EMPTY_PATH, STATX_MNT_ID, &dir) < 0)
		return true;
	return root.stx_mnt_id == dir.stx_mnt_id;
}

static int make(const struct target_root *root, int dirfd, const char *name, bool dir,
		const char *real, struct err *e)
{
	int fd = dir ? mkdirat(dirfd, name, 0755)
		     : openat(dirfd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	/* A step beside this one may have made it in a cache that both use; what it is shows when it is
	 * opened, without following links. */
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0)
		return err_sys(e, "make the mount point '/%s'", real);
	if (!dir)
		(void)close(fd);
	if ((root->uid || root->gid) &&
	    fchownat(dirfd, name, root->uid, root->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "give '/%s' to user %u", real, root->uid);
	if (root->made && in_layers(root->fd, dirfd))
		strs_add(root->made, real);
	return 0;
}

/* Goes on from a link: what is left of the path is now its target and the former rest. */
static int follow(int dirfd, const char *name, struct buf *rest, size_t at, struct buf *real,
		  struct err *e)
{
	_free_ char *link = fs_readlink(dirfd, name, e);
	if (!link)
		return -1;
	_cleanup_(buf_done) struct buf next = { .max = 2 * PATH_MAX };
	buf_str(&next, link);
	buf_char(&next, '/');
	buf_str(&next, rest->p + at);
	if (buf_check(&next, "the path of a mount point", e) < 0)
		return -1;
	if (link[0] == '/')
		buf_clear(real);
	struct buf old = *rest;
	*rest = next;
	next = old;
	return 0;
}

static void up(struct buf *real)
{
	size_t slash = slice_rfind(buf_view(real), '/');
	real->len = slash < real->len ? slash : 0;
	if (real->p)
		real->p[real->len] = 0;
}

static int make_missing(const struct target_root *root, const char *path, bool dir, struct err *e)
{
	_cleanup_(buf_done) struct buf rest = { .max = 2 * PATH_MAX },
				       real = { .max = 2 * PATH_MAX };
	buf_str(&rest, path);
	buf_str(&real, "");
	unsigned links = 0;
	for (size_t at = 0; at < rest.len;) {
		size_t n = strcspn(rest.p + at, "/");
		_free_ char *name = str_ndup(rest.p + at, n);
		at += n + (rest.p[at + n] == '/');
		if (n == 0 || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			up(&real);
			continue;
		}
		bool last = strspn(rest.p + at, "/") == rest.len - at;
		struct stat st;
		_close_ int dirfd = open_in(root->fd, real.p ? real.p : "", O_PATH | O_DIRECTORY,
					    RESOLVE_NO_SYMLINKS);
		if (dirfd < 0)
			return err_sys(e, "open '/%s' in the root", real.p ? real.p : "");
		bool missing = fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0;
		if (missing && errno != ENOENT)
			return err_sys(e, "look at '%s' in the root", name);
		if (!missing && S_ISLNK(st.st_mode)) {
			if (++links > LINKS_MAX) {
				errno = ELOOP;
				return err_sys(e, "find the mount point '%s'", path);
			}
			if (follow(dirfd, name, &rest, at, &real, e) < 0)
				return -1;
			at = 0;
			continue;
		}
		if (real.len)
			buf_char(&real, '/');
		buf_str(&real, name);
		if (buf_check(&real, "the path of a mount point", e) < 0)
			return -1;
		if (missing && make(root, dirfd, name, dir || !last, real.p, e) < 0)
			return -1;
	}
	return 0;
}

int target_open(const struct target_root *root, const char *path, bool dir, struct err *e)
{
	_close_ int fd = open_in(root->fd, path, O_PATH, 0);
	if (fd < 0 && errno == ENOENT) {
		if (make_missing(root, path, dir, e) < 0)
			return -1;
		fd = open_in(root->fd, path, O_PATH, 0);
	}
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open the mount point '%s'", path);
	if (S_ISDIR(st.st_mode) != dir) {
		err_set(e, ERR_USER,
			"the mount point '%s' is %s in the root, and what is mounted is %s", path,
			dir ? "not a directory" : "a directory", dir ? "one" : "not");
		return -1;
	}
	return take_fd(&fd);
}
