/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/path.h"

#define COPY_MOST (64u << 20) /* in one go, between looks at whether to go on */

int root_open_mode(int rootfd, const char *path, int flags, mode_t mode, struct err *e)
{
	bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = makes ? mode & 07777 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;
	do
		fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof how);
	while (fd < 0 &&
	       (errno == EINTR || errno == EAGAIN)); /* EAGAIN: a rename raced, openat2(2) */
	return fd >= 0 ? fd : err_sys(e, "open '%s' inside the image", path);
}

int root_open(int rootfd, const char *path, int flags, struct err *e)
{
	return root_open_mode(rootfd, path, flags, 0666, e);
}

int root_open_parent(int rootfd, const char *path, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	if (last[0] == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return err_set(e, ERR_DATA, "'%s' does not end in the name of a file", path);
	_free_ char *dir = slash ? str_ndup(path, (size_t)(slash - path) + 1) : str_dup(".");
	int fd = root_open(rootfd, dir, O_PATH | O_DIRECTORY, e);
	if (fd >= 0)
		*name = last;
	return fd;
}

/* True, with errno, when the command is to end: see base/interrupt.h. */
static bool is_interrupted(void)
{
	if (!interrupt_pending())
		return false;
	errno = EINTR;
	return true;
}

int fd_write_all(int fd, const void *p, size_t n, struct err *e)
{
	for (const char *at = p; n;) {
		ssize_t put = is_interrupted() ? -1 : write(fd, at, n);
		if (put < 0 && errno == EINTR && !interrupt_pending())
			continue;
		if (put < 0)
			return err_sys(e, "write");
		at += put;
		n -= (size_t)put;
	}
	return 0;
}

ssize_t fd_read_some(int fd, void *p, size_t n)
{
	ssize_t got;
	do
		got = is_interrupted() ? -1 : read(fd, p, n);
	while (got < 0 && errno == EINTR && !interrupt_pending());
	return got;
}

ssize_t fd_read(int fd, void *p, size_t n)
{
	size_t done = 0;
	while (done < n) {
		ssize_t got = fd_read_some(fd, (char *)p + done, n - done);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

ssize_t fd_pread(int fd, void *p, size_t n, uint64_t at)
{
	size_t done = 0;
	while (done < n) {
		ssize_t got = is_interrupted()
				      ? -1
				      : pread(fd, (char *)p + done, n - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR && !interrupt_pending())
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int fd_slurp(int fd, struct buf *out, const char *what, struct err *e)
{
	enum { BLOCK = 16 * 1024 };
	char block[BLOCK];
	ssize_t n;
	while (!out->over && (n = fd_read_some(fd, block, sizeof block)) != 0) {
		if (n < 0)
			return err_sys(e, "read %s", what);
		buf_add(out, block, (size_t)n);
	}
	return buf_check(out, what, e);
}

int fs_read(int dirfd, const char *name, size_t max, struct buf *out, struct err *e)
{
	_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		bool absent = errno == ENOENT || errno == ENOTDIR;
		err_sys(e, "open '%s'", name);
		if (e && absent)
			e->kind = ERR_ABSENT;
		return -1;
	}
	_free_ char *what = str_printf("'%s'", name);
	out->max = max;
	return fd_slurp(fd, out, what, e);
}

int fs_read_optional(int dirfd, const char *name, size_t max, struct buf *out, struct err *e)
{
	struct err why = { 0 };
	if (fs_read(dirfd, name, max, out, &why) == 0)
		return 1;
	if (why.kind != ERR_ABSENT) {
		err_move(e, &why);
		return -1;
	}
	err_done(&why);
	return 0;
}

static int fill_file(int fd, struct slice data, mode_t mode, bool sync, struct err *e)
{
	if (fd_write_all(fd, data.p, data.n, e) < 0)
		return -1;
	if (fchmod(fd, mode) < 0)
		return err_sys(e, "set its mode");
	if (sync && fsync(fd) < 0)
		return err_sys(e, "write it to the disk");
	return 0;
}

int fs_write(int tmpfd, int dirfd, const char *name, struct slice data, mode_t mode, bool sync,
	     struct err *e)
{
	/* a link from O_TMPFILE could not replace an older file, so it has a name in tmp */
	_free_ char *temp = fs_temp_name("new-");
	_close_ int fd = openat(tmpfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create a temporary file for '%s'", name);
	int r = fill_file(fd, data, mode, sync, e);
	if (r == 0 && renameat(tmpfd, temp, dirfd, name) < 0)
		r = err_sys(e, "rename");
	if (r < 0) {
		(void)unlinkat(tmpfd, temp, 0);
		return err_add(e, "write '%s'", name);
	}
	if (!sync)
		return 0;
	_close_ int dir = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fsync(dir) < 0)
		return err_sys(e, "write the directory of '%s' to the disk", name);
	return 0;
}

static bool is_no_kernel_copy(int no)
{
	return no == EXDEV || no == EINVAL || no == EOPNOTSUPP || no == ENOSYS || no == EPERM ||
	       no == EBADF; /* of O_APPEND; a descriptor that is bad fails again in read or write */
}

static int copy_by_hand(int in, int out, uint64_t n, uint64_t *copied, struct err *e)
{
	enum { BLOCK = 128 * 1024 };
	_free_ char *block = mem_resize(NULL, BLOCK, 1);
	while (n) {
		ssize_t got = fd_read_some(in, block, n < BLOCK ? (size_t)n : BLOCK);
		if (got < 0)
			return err_sys(e, "read");
		if (got == 0)
			return 0;
		if (fd_write_all(out, block, (size_t)got, e) < 0)
			return -1;
		*copied += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

/* Up to n bytes, fewer only at the end of `in`. *by_hand: the kernel does not do it for these
 * two; remembered from one extent to the next. */
static int copy_range(int in, int out, uint64_t n, bool *by_hand, uint64_t *copied, struct err *e)
{
	while (n && !*by_hand) {
		size_t most = n < COPY_MOST ? (size_t)n : COPY_MOST;
		ssize_t got = is_interrupted() ? -1
					       : copy_file_range(in, NULL, out, NULL, most, 0);
		if (got < 0 && errno == EINTR && !interrupt_pending())
			continue;
		if (got < 0 && !is_no_kernel_copy(errno))
			return err_sys(e, "copy");
		if (got <= 0) { /* 0 is the end, or a file of /proc that only read(2) can see */
			*by_hand = got < 0;
			break;
		}
		*copied += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return copy_by_hand(in, out, n, copied, e);
}

/* Only what is not a hole; `out` is extended to the same length at the end. */
static int copy_sparse(int in, int out, off_t at, off_t size, off_t to, uint64_t *copied,
		       struct err *e)
{
	bool by_hand = false;
	off_t delta = to - at;
	while (at < size) {
		off_t data = lseek(in, at, SEEK_DATA);
		if (data < 0 && errno == ENXIO) /* a hole up to the end */
			break;
		off_t hole = data < 0 ? -1 : lseek(in, data, SEEK_HOLE);
		if (hole < 0)
			return err_sys(e, "look for holes");
		if (lseek(in, data, SEEK_SET) < 0 || lseek(out, data + delta, SEEK_SET) < 0)
			return err_sys(e, "seek");
		if (copy_range(in, out, (uint64_t)(hole - data), &by_hand, copied, e) < 0)
			return -1;
		at = hole;
	}
	if (lseek(in, size, SEEK_SET) < 0 || lseek(out, size + delta, SEEK_SET) < 0 ||
	    ftruncate(out, size + delta) < 0)
		return err_sys(e, "set the length");
	return 0;
}

int fd_copy(int in, int out, uint64_t *copied, struct err *e)
{
	uint64_t unused;
	if (!copied)
		copied = &unused;
	*copied = 0;

	struct stat from, to;
	if (fstat(in, &from) < 0 || fstat(out, &to) < 0)
		return err_sys(e, "look at a file to copy");
	if (S_ISREG(from.st_mode) && S_ISREG(to.st_mode) && from.st_blocks < from.st_size / 512) {
		off_t at = lseek(in, 0, SEEK_CUR), end = lseek(out, 0, SEEK_CUR);
		int flags = fcntl(out, F_GETFL);
		/* holes over older content would let it show through */
		if (at >= 0 && end >= to.st_size && flags >= 0 && !(flags & O_APPEND)) {
			if (at < from.st_size &&
			    copy_sparse(in, out, at, from.st_size, end, copied, e) < 0)
				return -1;
			if (at < from.st_size)
				*copied = (uint64_t)(from.st_size - at);
		}
	}
	bool by_hand = !S_ISREG(from.st_mode) || !S_ISREG(to.st_mode);
	return copy_range(in, out, UINT64_MAX, &by_hand, copied, e);
}

int fs_mkdirs(int dirfd, const char *path, mode_t mode, struct err *e)
{
	struct slice rest = slice_of(path), name;
	_close_ int at = openat(dirfd, path[0] == '/' ? "/" : ".",
				O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return err_sys(e, "open the directory to make '%s' in", path);
	while (path_next(&rest, &name)) {
		_free_ char *one = slice_dup(name);
		if (mkdirat(at, one, mode) < 0 && errno != EEXIST) {
			/* a read-only file system says EROFS, one without permission EACCES, even
			 * for what is there already; whether it is, openat tells */
			int no = errno;
			if (faccessat(at, one, F_OK, 0) < 0) {
				errno = no;
				return err_sys(e, "create directory '%s'", path);
			}
		}
		int next = openat(at, one, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			return err_sys(e, "create directory '%s'", path);
		(void)close(at);
		at = next;
	}
	return 0;
}

int fs_open_dir(int dirfd, const char *path, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open directory '%s'", path);
}

bool fs_exists(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

char *fs_readlink(int dirfd, const char *name, struct err *e)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target);
	if (n < 0) {
		err_sys(e, "read the link '%s'", name);
		return NULL;
	}
	if ((size_t)n == sizeof target) {
		err_set(e, ERR_DATA, "the target of the link '%s' is too long", name);
		return NULL;
	}
	return str_ndup(target, (size_t)n);
}

char *fs_temp_name(const char *prefix)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char random[16];
	char name[sizeof random + 1];
	/* up to 256 bytes come whole, or the kernel's pool is not ready: then getrandom waits */
	while (getrandom(random, sizeof random, 0) != sizeof random)
		;
	for (size_t i = 0; i < sizeof random; i++)
		name[i] = digits[random[i] & 31];
	name[sizeof random] = '\0';
	return str_printf("%s%s", prefix, name);
}

const char *fs_proc_path(int fd, char out[static FS_PROC_LEN])
{
	(void)snprintf(out, FS_PROC_LEN, "/proc/self/fd/%d", fd);
	return out;
}
