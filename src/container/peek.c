/* SPDX-License-Identifier: Apache-2.0 */
#include "container/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/err.h"
#include "base/fs.h"

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool is_opaque(int dirfd, bool is_user)
{
	char value[2], path[FS_PROC_LEN];
	ssize_t n = getxattr(fs_proc_path(dirfd, path),
			     is_user ? "user.overlay.opaque" : "trusted.overlay.opaque", value,
			     sizeof value);
	return n == 1 && value[0] == 'y';
}

/* One layer: as peek_file, and 3: go on with the layer below. */
static int peek_layer(int tree, const char *dir, const char *name, bool is_user, size_t max,
		      struct buf *out, struct err *e)
{
	struct stat st;
	if (fstatat(tree, dir, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 3 : err_sys(e, "look at '%s' in the image", dir);
	if (is_whiteout(&st))
		return 0;
	if (!S_ISDIR(st.st_mode))
		return 2;
	_close_ int fd = openat(tree, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open '%s' in the image", dir);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return err_sys(e, "look at '%s/%s' in the image", dir, name);
		return is_opaque(fd, is_user) ? 0 : 3;
	}
	if (is_whiteout(&st))
		return 0;
	if (!S_ISREG(st.st_mode))
		return 2;
	_close_ int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return err_sys(e, "open '%s/%s' in the image", dir, name);
	out->max = max;
	return fd_slurp(file, out, name, e) < 0 ? err_add(e, "read '%s/%s' in the image", dir, name)
						: 1;
}

int peek_file(const int *trees, size_t n, const char *dir, const char *name, bool is_user,
	      size_t max, struct buf *out, struct err *e)
{
	for (size_t i = n; i-- > 0;) {
		int r = peek_layer(trees[i], dir, name, is_user, max, out, e);
		if (r != 3)
			return r;
	}
	return 0;
}
