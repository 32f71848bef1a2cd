/* SPDX-License-Identifier: Apache-2.0 */
/* Two interfaces. The new one (fsopen, fsconfig "lowerdir+") takes a directory at a time and has no
 * limit but 500 layers; overlay has it since 6.7. Before that all options share one page of mount(2):
 * the layers are then named relative to the directory that they have in common. It is tried in this
 * order; THIMBLE_TEST_MOUNT=legacy takes the second at once. */
#include "sandbox/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

#define OPTIONS_MAX 4095 /* mount(2): one page, with its NUL */
#define VALUE_MAX   255 /* fsconfig(2): strings of at most 256 bytes */

int mount_new(const char *type, unsigned attrs, const char *const options[][2])
{
	_close_ int fs = fsopen(type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	/* the source is only what mountinfo shows */
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", type, 0) < 0)
		return -1;
	for (size_t i = 0; options && options[i][0]; i++)
		if (fsconfig(fs, options[i][1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     options[i][0], options[i][1], 0) < 0)
			return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, attrs);
}

static char *by_descriptor(const struct overlay_dir *d)
{
	return d->path ? str_printf("/proc/self/fd/%d/%s", d->dirfd, d->path)
		       : str_printf("/proc/self/fd/%d", d->dirfd);
}

/* What overlay wrote about the failure into the file system context, if anything. */
static void add_reason(int fs, struct err *e)
{
	char line[256];
	int no = errno;
	ssize_t n = read(fs, line, sizeof line);
	if (n > 2)
		err_add(e, "the kernel says: %.*s", (int)n - 2, line + 2);
	errno = no;
}

static int set_dir(int fs, const char *key, const struct overlay_dir *d, struct err *e)
{
	_free_ char *path = by_descriptor(d);
	if (strlen(path) > VALUE_MAX) {
		err_set(e, ERR_SYS, "the path of a layer is too long to be mounted: %s", path);
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0) < 0) {
		int no = errno;
		err_sys(e, "set overlay's %s to '%s'", key, d->path ? d->path : path);
		add_reason(fs, e);
		errno = no;
		return -1;
	}
	return 0;
}

/* -1 with errno EINVAL or ENOSYS may mean that the kernel is too old for this interface. */
static int mount_modern(const struct overlay *o, struct err *e)
{
	static const char *const fixed[][2] = {
		{ "source", "overlay" },
		{ "redirect_dir", "nofollow" },
		{ "index", "off" },
		{ "metacopy", "off" },
	};
	_close_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(e, "open the overlay file system");
	for (size_t i = o->lowers.n; i-- > 0;)
		if (set_dir(fs, "lowerdir+", &o->lowers.p[i], e) < 0)
			return -1;
	if (set_dir(fs, "upperdir", &o->upper, e) < 0 || set_dir(fs, "workdir", &o->work, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(fixed); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, fixed[i][0], fixed[i][1], 0) < 0)
			return err_sys(e, "set overlay's %s", fixed[i][0]);
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0 ||
	    (o->is_user && fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0))
		return err_sys(e, "set overlay's flags");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		int no = errno;
		err_sys(e, "mount an overlay of %zu layers", o->lowers.n);
		add_reason(fs, e);
		errno = no;
		return -1;
	}
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
	return fd >= 0 ? fd : err_sys(e, "mount an overlay");
}

/* The directory ("" or ending in '/') that all lowers of the first one's dirfd have in common. */
static char *common_dir(const struct overlay *o, int *dirfd)
{
	const char *first = NULL;
	size_t n = 0;
	*dirfd = -1;
	arr_each(d, &o->lowers) {
		if (!d->path || (first && d->dirfd != *dirfd))
			continue;
		if (!first) {
			first = d->path;
			*dirfd = d->dirfd;
			n = strlen(first);
		}
		size_t same = 0;
		while (same < n && d->path[same] == first[same])
			same++;
		n = same;
	}
	while (n > 0 && first[n - 1] != '/')
		n--;
	return str_ndup(first ? first : "", n);
}

/* Overlay's own escapes in lowerdir=: ':' parts layers, ',' parts options. */
static void add_escaped(struct buf *b, const char *path)
{
	for (; *path; path++) {
		if (*path == ':' || *path == ',' || *path == '\\')
			buf_char(b, '\\');
		buf_char(b, *path);
	}
}

static void add_option(struct buf *b, const char *key, const struct overlay_dir *d)
{
	_free_ char *path = by_descriptor(d);
	buf_printf(b, ",%s=", key);
	add_escaped(b, path);
}

static void legacy_options(const struct overlay *o, int base, size_t skip, struct buf *b)
{
	buf_str(b, "lowerdir=");
	for (size_t i = o->lowers.n; i-- > 0;) {
		const struct overlay_dir *d = &o->lowers.p[i];
		_free_ char *full = by_descriptor(d);
		bool near = d->path && d->dirfd == base && d->path[skip];
		add_escaped(b, near ? d->path + skip : full);
		if (i > 0)
			buf_char(b, ':');
	}
	add_option(b, "upperdir", &o->upper);
	add_option(b, "workdir", &o->work);
	buf_str(b, ",volatile,redirect_dir=nofollow,index=off,metacopy=off");
	if (o->is_user)
		buf_str(b, ",userxattr");
}

/* Mounted on a directory in the work directory for a moment; the detached mount is taken from there. */
static int mount_here(const char *spare, const char *options, size_t layers, struct err *e)
{
	if (mkdir(spare, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make a directory to mount on");
	if (mount("overlay", spare, "overlay", MS_NODEV, options) < 0)
		return err_sys(e, "mount an overlay of %zu layers", layers);
	int fd = open_tree(AT_FDCWD, spare, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		err_sys(e, "take the overlay mount");
	(void)umount2(spare, MNT_DETACH);
	return fd;
}

static int mount_legacy(const struct overlay *o, struct err *e)
{
	int base;
	_free_ char *dir = common_dir(o, &base);
	_cleanup_(buf_done) struct buf b = { .max = OPTIONS_MAX };
	legacy_options(o, base, strlen(dir), &b);
	if (b.over) {
		err_set(e, ERR_SYS, "%zu layers are too many for mount(2) of this kernel",
			o->lowers.n);
		return err_hint(e, "kernel 6.7 and later take %d; or join some RUN and COPY steps",
				OVERLAY_LOWERS);
	}
	_free_ char *work = by_descriptor(&o->work), *spare = str_printf("%s/spare", work);
	_close_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (back < 0)
		return err_sys(e, "open the working directory");
	if (base >= 0 && (fchdir(base) < 0 || (dir[0] && chdir(dir) < 0))) {
		err_sys(e, "enter the directory of the layers");
		(void)fchdir(back);
		return -1;
	}
	_close_ int fd = mount_here(spare, b.p, o->lowers.n, e);
	if (fchdir(back) < 0)
		return err_sys(e, "go back to the working directory");
	return take_fd(&fd);
}

/* Where overlay cannot make its own directory below work it mounts for reading only, and says so to
 * the kernel's log alone. We ask it the same to hear why. */
static int check_writable(int fd, const struct overlay *o, struct err *e)
{
	struct statfs st;
	if (fstatfs(fd, &st) < 0 || !(st.f_flags & ST_RDONLY))
		return 0;
	_free_ char *work = by_descriptor(&o->work), *probe = str_printf("%s/probe", work);
	if (mkdir(probe, 0700) < 0)
		return err_sys(e, "make overlay's work directory");
	(void)rmdir(probe);
	err_set(e, ERR_SYS, "the kernel mounted the overlay for reading only");
	return err_hint(e, "its log (dmesg) says why; the file system of the store may be full");
}

static int mount_any(const struct overlay *o, struct err *e)
{
	if (o->lowers.n > OVERLAY_LOWERS) {
		err_set(e, ERR_USER,
			"an image of %zu layers cannot be mounted: the kernel takes %d",
			o->lowers.n, OVERLAY_LOWERS);
		return err_hint(e, "join some RUN and COPY steps, or start from a flattened image");
	}
	const char *test = getenv("THIMBLE_TEST_MOUNT");
	if (test && strcmp(test, "legacy") == 0)
		return mount_legacy(o, e);
	_cleanup_(err_done) struct err why = { 0 };
	int fd = mount_modern(o, &why);
	if (fd >= 0)
		return fd;
	if (errno == EINVAL || errno == ENOSYS) {
		log_debug("overlay by fsopen: refused, trying mount(2)");
		struct err ignored = { 0 }; /* the first refusal says more */
		fd = mount_legacy(o, &ignored);
		err_done(&ignored);
		if (fd >= 0)
			return fd;
	}
	if (e)
		err_move(e, &why);
	return -1;
}

int overlay_mount(const struct overlay *o, struct err *e)
{
	_close_ int fd = mount_any(o, e);
	if (fd < 0 || check_writable(fd, o, e) < 0)
		return -1;
	return take_fd(&fd);
}
