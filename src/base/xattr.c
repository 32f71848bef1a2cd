/* SPDX-License-Identifier: Apache-2.0 */
/* The extended-attribute half of base/fs.h. All calls go by path, /proc/self/fd/N or below it:
 * only so do they work on O_PATH descriptors, links and devices. */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/err.h"
#include "base/fs.h"

/* The same number on all architectures; Debian 12's headers do not know it. */
#define SYS_listxattrat_ 465

enum { LIST_MOST = 64 * 1024, VALUE_MOST = 64 * 1024 }; /* XATTR_LIST_MAX, XATTR_SIZE_MAX */

void xattrs_done(struct xattrs *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->p[i].name);
		free(x->p[i].value);
	}
	arr_done(x);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

/* The value of one, appended to out. One that vanished meanwhile is none. */
static int read_value(const char *path, const char *name, struct xattrs *out)
{
	char few[256];
	char *value = few;
	_free_ char *many = NULL;
	ssize_t n = lgetxattr(path, name, few, sizeof few);
	if (n < 0 && errno == ERANGE) {
		value = many = mem_resize(NULL, VALUE_MOST, 1);
		n = lgetxattr(path, name, many, VALUE_MOST);
	}
	if (n < 0)
		return errno == ENODATA ? 0 : -1;
	struct xattr x = { str_dup(name), mem_dup(value, (size_t)n), (size_t)n };
	arr_push(out, x);
	return 0;
}

static int read_all(const char *path, struct xattrs *out)
{
	char few[1024];
	char *list = few;
	_free_ char *many = NULL;
	ssize_t n = llistxattr(path, few, sizeof few);
	if (n < 0 && errno == ERANGE) {
		list = many = mem_resize(NULL, LIST_MOST, 1);
		n = llistxattr(path, many, LIST_MOST);
	}
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -1;
	for (const char *name = list; name < list + n; name += strlen(name) + 1)
		if (read_value(path, name, out) < 0)
			return -1;
	return 0;
}

static int read_sorted(const char *path, const char *name, struct xattrs *out, struct err *e)
{
	_cleanup_(xattrs_done) struct xattrs found = { 0 };
	if (read_all(path, &found) < 0)
		return err_sys(e, "read the extended attributes of '%s'", name);
	if (found.n > 1)
		qsort(found.p, found.n, sizeof *found.p, by_name);
	xattrs_done(out);
	*out = found;
	found = (struct xattrs){ 0 };
	return 0;
}

/* True if it surely has none: most files, told by one call without a detour over /proc. */
static bool has_none(int dirfd, const char *name)
{
	static bool is_unknown; /* listxattrat(2): since Linux 6.13 */
	if (is_unknown)
		return false;
	long n = syscall(SYS_listxattrat_, dirfd, name, AT_SYMLINK_NOFOLLOW, NULL, (size_t)0);
	if (n < 0 && errno == ENOSYS)
		is_unknown = true;
	return n == 0;
}

int xattrs_read(int dirfd, const char *name, struct xattrs *out, struct err *e)
{
	if (dirfd >= 0 && has_none(dirfd, name)) {
		xattrs_done(out);
		return 0;
	}
	char dir[FS_PROC_LEN];
	_free_ char *path = name[0] == '/' || dirfd < 0
				    ? str_dup(name)
				    : str_printf("%s/%s", fs_proc_path(dirfd, dir), name);
	return read_sorted(path, name, out, e);
}
