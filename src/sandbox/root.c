/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the work directory of a run:
 *	w, h0, h1 …   work directories of the overlays (one overlay, one work directory)
 *	stubs         lowest layer: mount points, and links to this machine's directories
 * If nothing but w is needed, the work directory itself is overlay's.
 * Without an upper directory all this, and the upper directory, is on a tmpfs. */
#include "sandbox/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "sandbox/overlay.h"

int fd_here(int fd, struct err *e)
{
	char link[FS_PROC_LEN], path[4096]; /* d_path has one page */
	ssize_t n = readlink(fs_proc_path(fd, link), path, sizeof path - 1);
	if (n < 0)
		return err_sys(e, "find the path of descriptor %d", fd);
	path[n] = 0;
	struct stat old, new;
	int here = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (here >= 0 && fstat(fd, &old) == 0 && fstat(here, &new) == 0 &&
	    old.st_dev == new.st_dev && old.st_ino == new.st_ino)
		return here;
	if (here >= 0)
		(void)close(here);
	/* moved or deleted meanwhile: then only the descriptor itself is right */
	here = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return here >= 0 ? here : err_sys(e, "duplicate descriptor %d", fd);
}

/* ---- stubs ---- */

static int stub_parents(int dirfd, char *path, struct err *e)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		int r = mkdirat(dirfd, path, 0755);
		*p = '/';
		if (r < 0 && errno != EEXIST)
			return err_sys(e, "make the mount point '%s'", path);
	}
	return 0;
}

static int stub_make(int dirfd, const char *path, bool dir, struct err *e)
{
	_free_ char *key = path_key(slice_of(path));
	if (!key[0])
		return 0;
	if (stub_parents(dirfd, key, e) < 0)
		return -1;
	int fd = dir ? mkdirat(dirfd, key, 0755)
		     : openat(dirfd, key, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 && errno != EEXIST)
		return err_sys(e, "make the mount point '%s'", path);
	if (!dir && fd >= 0)
		(void)close(fd);
	return 0;
}

void stubs_done(struct stubs *s)
{
	strs_done(&s->dirs);
	strs_done(&s->files);
}

static int stubs_fill(int dirfd, const struct stubs *s, struct err *e)
{
	for (size_t i = 0; i < s->dirs.n; i++)
		if (stub_make(dirfd, s->dirs.p[i], true, e) < 0)
			return -1;
	for (size_t i = 0; i < s->files.n; i++)
		if (stub_make(dirfd, s->files.p[i], false, e) < 0)
			return -1;
	return 0;
}

/* The stubs that every run has, kept in the store: made once, then only opened. */
static int stubs_shared(int dirfd, const char *path, const struct stubs *usual, struct err *e)
{
	int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : err_sys(e, "open '%s'", path);
	_free_ char *suffix = fs_temp_name(".");
	_free_ char *temp = str_printf("%s%s", path, suffix);
	if (mkdirat(dirfd, temp, 0755) < 0)
		return err_sys(e, "make '%s'", temp);
	_close_ int made = openat(dirfd, temp, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (made < 0)
		return err_sys(e, "open '%s'", temp);
	if (stubs_fill(made, usual, e) < 0)
		return -1;
	if (renameat(dirfd, temp, dirfd, path) == 0)
		return take_fd(&made);
	if (errno != EEXIST && errno != ENOTEMPTY)
		return err_sys(e, "make '%s'", path);
	if (fs_remove(dirfd, temp, e) < 0) /* somebody else was faster */
		return -1;
	fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open '%s'", path);
}

/* ---- what is put together ---- */

struct maker {
	const struct sandbox_root *r;
	struct root *out;
	int work; /* descriptor of the work directory */
	int upper; /* of the upper directory */
	int stubs, shared; /* of the lowest layers; -1: none */
	unsigned hosts; /* number of h0, h1 … */
	ARRAY_OF(const char *) lowers; /* lowest first, none twice */
};

static void maker_done(struct maker *m)
{
	closep_(&m->work);
	closep_(&m->upper);
	closep_(&m->stubs);
	closep_(&m->shared);
	arr_done(&m->lowers);
}

/* A layer that occurs twice is mounted once, topmost: overlay refuses it twice (ELOOP), and what
 * the lower one shows is shown by the upper one. */
static void keep_topmost(struct maker *m)
{
	for (size_t i = 0; i < m->r->lowers_n; i++) {
		bool again = false;
		for (size_t j = i + 1; j < m->r->lowers_n && !again; j++)
			again = strcmp(m->r->lowers[i], m->r->lowers[j]) == 0;
		if (!again)
			arr_push(&m->lowers, m->r->lowers[i]);
	}
}

static int dir_make(int dirfd, const char *name, struct err *e)
{
	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory '%s'", name);
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open the directory '%s'", name);
}

static int open_places(struct maker *m, struct err *e)
{
	const struct sandbox_root *r = m->r;
	if (r->upper) {
		m->upper = openat(m->out->dirfd, r->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (m->upper < 0)
			return err_sys(e, "open the upper directory '%s'", r->upper);
		m->work = dir_make(m->out->dirfd, r->work, e);
		return m->work < 0 ? -1 : 0;
	}
	/* overlay takes directories of attached mounts only: cover the store for a moment */
	static const char *const options[][2] = { { "mode", "0755" }, { NULL, NULL } };
	_close_ int tmp = mount_new("tmpfs", MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, options);
	if (tmp < 0)
		return err_sys(e, "make a tmpfs for changes");
	if (move_mount(tmp, "", m->out->dirfd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "mount a tmpfs for changes");
	m->upper = dir_make(tmp, "upper", e);
	m->work = m->upper < 0 ? -1 : dir_make(tmp, "work", e);
	return m->work < 0 ? -1 : 0;
}

static void leave_places(struct maker *m)
{
	char path[FS_PROC_LEN];
	if (m->r->upper || m->work < 0)
		return;
	_close_ int top = openat(m->work, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top >= 0)
		(void)umount2(fs_proc_path(top, path), MNT_DETACH);
}

static int make_overlay(struct maker *m, struct overlay *o, struct err *e)
{
	_close_ int sub = -1;
	o->work = (struct overlay_dir){ m->work, NULL };
	if (m->stubs >= 0) {
		_free_ char *name = m->hosts ? str_printf("h%u", m->hosts - 1) : str_dup("w");
		sub = dir_make(m->work, name, e);
		if (sub < 0)
			return -1;
		o->work.dirfd = sub;
	}
	o->is_user = m->r->is_user;
	return overlay_mount(o, e);
}

static int make_top(struct maker *m, struct err *e)
{
	struct overlay o = { .upper = { m->upper, NULL } };
	if (m->stubs >= 0)
		arr_push(&o.lowers, (struct overlay_dir){ m->stubs, NULL });
	if (m->shared >= 0)
		arr_push(&o.lowers, (struct overlay_dir){ m->shared, NULL });
	arr_each(l, &m->lowers)
		arr_push(&o.lowers, (struct overlay_dir){ m->out->dirfd, *l });
	m->out->fd = make_overlay(m, &o, e);
	arr_done(&o.lowers);
	return m->out->fd < 0 ? -1 : 0;
}

/* ---- this machine's directories (rootfs:/) ---- */

static bool is_opaque(int dirfd, const char *path, bool is_user)
{
	char value[2], link[FS_PROC_LEN];
	_close_ int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = getxattr(fs_proc_path(fd, link),
			     is_user ? "user.overlay.opaque" : "trusted.overlay.opaque", value,
			     sizeof value);
	return n == 1 && value[0] == 'y';
}

/* The layers that show through at a top directory, lowest first, this machine's (hostfd) among them
 * unless an image layer hides it. 1: there is a directory to be mounted, 0: the top layer has
 * something else there, and the root's own overlay shows it. */
static int stack_host(struct maker *m, const char *name, int hostfd, struct overlay *o,
		      struct strs *paths, struct err *e)
{
	bool dir = true;
	arr_push(&o->lowers, (struct overlay_dir){ hostfd, NULL });
	arr_each(l, &m->lowers) {
		struct stat st;
		_free_ char *path = str_printf("%s/%s", *l, name);
		if (fstatat(m->out->dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT && errno != ENOTDIR)
				return err_sys(e, "look at '%s'", path);
			continue;
		}
		dir = S_ISDIR(st.st_mode);
		/* overlay does not look for an opaque mark on the top of a layer */
		if (!dir || is_opaque(m->out->dirfd, path, m->r->is_user))
			arr_clear(&o->lowers);
		if (!dir)
			continue;
		strs_take(paths, take_ptr(&path));
		arr_push(&o->lowers, (struct overlay_dir){ m->out->dirfd, paths->p[paths->n - 1] });
	}
	return dir && o->lowers.n > 0;
}

/* upper/NAME with the machine's mode and times, so that an untouched one tells nothing new. */
static int upper_dir(struct maker *m, const char *name, const struct stat *st, struct err *e)
{
	if (mkdirat(m->upper, name, 0755) == 0) {
		const struct timespec times[2] = { st->st_atim, st->st_mtim };
		strs_add(&m->out->made, name);
		if (fchmodat(m->upper, name, st->st_mode & 07777, 0) < 0 ||
		    utimensat(m->upper, name, times, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "prepare '%s'", name);
	} else if (errno != EEXIST) {
		return err_sys(e, "make '%s' in the upper directory", name);
	}
	int fd = openat(m->upper, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open '%s' in the upper directory", name);
}

static int host_overlay(struct maker *m, const char *name, int hostfd, const struct stat *st,
			struct err *e)
{
	struct overlay o = { .upper = { -1, NULL } };
	_cleanup_(strs_done) struct strs paths = { 0 };
	_close_ int upper = -1;
	int r = stack_host(m, name, hostfd, &o, &paths, e);
	if (r > 0 && (upper = upper_dir(m, name, st, e)) < 0)
		r = -1;
	if (r > 0) {
		o.upper.dirfd = upper;
		m->hosts++;
		int fd = make_overlay(m, &o, e);
		if (fd < 0 && m->r->is_user && err_is_errno(e, EINVAL)) {
			/* locked mounts lie below it (kernel.md §3): then read-only, as it is */
			err_done(e);
			struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV };
			fd = open_tree(hostfd, "",
				       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
					       AT_RECURSIVE);
			if (fd < 0 ||
			    mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &ro, sizeof ro) < 0)
				err_sys(e, "bind this machine's /%s", name);
		}
		if (fd < 0)
			r = -1;
		else
			arr_push(&m->out->parts, (struct root_part){ str_dup(name), fd });
	}
	arr_done(&o.lowers);
	return r < 0 ? err_add(e, "put this machine's /%s beneath the image", name) : 0;
}

/* Links (bin -> usr/bin) go into the lowest layer, directories get an overlay each. */
static int host_dir(struct maker *m, const char *name, struct err *e)
{
	struct stat st;
	_close_ int fd = -1;
	_free_ char *path = str_printf("/%s", name);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at '%s'", path);
	if (S_ISLNK(st.st_mode)) {
		_free_ char *target = fs_readlink(AT_FDCWD, path, e);
		if (!target)
			return -1;
		if (symlinkat(target, m->stubs, name) < 0 && errno != EEXIST)
			return err_sys(e, "make the link '%s'", name);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open '%s'", path);
	if (stub_make(m->stubs, name, true, e) < 0)
		return -1;
	return host_overlay(m, name, fd, &st, e);
}

/* The lowest layers: the shared one, and one of this run for what is not in it. */
static int make_stubs(struct maker *m, const struct stubs *usual, const struct stubs *extra,
		      struct err *e)
{
	const struct sandbox_root *r = m->r;
	if (r->stubs && r->upper &&
	    (m->shared = stubs_shared(m->out->dirfd, r->stubs, usual, e)) < 0)
		return -1;
	if (m->shared >= 0 && extra->dirs.n == 0 && extra->files.n == 0 && r->host_dirs_n == 0)
		return 0;
	m->stubs = dir_make(m->work, "stubs", e);
	if (m->stubs < 0 || (m->shared < 0 && stubs_fill(m->stubs, usual, e) < 0))
		return -1;
	return stubs_fill(m->stubs, extra, e);
}

int root_make(const struct sandbox_root *r, const struct stubs *usual, const struct stubs *extra,
	      struct root *out, struct err *e)
{
	struct maker m = { .r = r, .out = out, .work = -1, .upper = -1, .stubs = -1, .shared = -1 };
	int ok = -1;
	out->dirfd = fd_here(r->dirfd, e);
	keep_topmost(&m);
	if (out->dirfd < 0 || open_places(&m, e) < 0 || make_stubs(&m, usual, extra, e) < 0)
		goto end;
	for (size_t i = 0; i < r->host_dirs_n; i++)
		if (host_dir(&m, r->host_dirs[i], e) < 0)
			goto end;
	m.hosts = 0;
	ok = make_top(&m, e);
end:
	leave_places(&m);
	maker_done(&m);
	return ok;
}

void root_done(struct root *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		(void)close(r->fd);
	arr_each(p, &r->parts) {
		if (p->fd >= 0)
			(void)close(p->fd);
		free(p->target);
	}
	arr_done(&r->parts);
	r->fd = -1;
}

int root_clean(const struct sandbox_root *r, struct root *root, struct err *e)
{
	if (!r->upper || root->dirfd < 0)
		return 0;
	_close_ int upper = openat(root->dirfd, r->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; upper >= 0 && i < root->made.n; i++)
		(void)unlinkat(upper, root->made.p[i],
			       AT_REMOVEDIR); /* stays if the program used it */
	strs_done(&root->made);
	return r->keep_work ? 0 : fs_remove(root->dirfd, r->work, e);
}
