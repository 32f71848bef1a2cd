/* SPDX-License-Identifier: Apache-2.0 */
/* Setting up is done by two processes at once: the parent makes the root (overlay's work on the disk)
 * while the new one makes all that does not depend on it, and gets the root through a socket.
 *
 * The order matters in three places. Device files, texts and the upper directories of scratch mounts
 * are born on a tmpfs (the stage), which must be attached while pieces of it are cloned: it stands on
 * /dev/mqueue, and mqueue is mounted over it (to unmount it would cost a wait for RCU, more than any
 * mount here). /dev is put together where "/" is, out of the way of paths, and moved as a whole; the
 * root is attached to this machine's /sys, so that nothing lies over "/" when it is exchanged.
 * And proc and sysfs can be made in a user namespace only while the machine's own are still visible,
 * so they come first, and the old root goes at the very end.
 *
 * Every mount is nodev, but for the six device files, each a mount of its own, and devpts
 * (design.md §6.1). */
#include "sandbox/mounts_in.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/path.h"
#include "sandbox/overlay.h"

static int bind_prepare(const struct sandbox_mount *m, struct err *e)
{
	_close_ int source = fd_here(m->source_fd, e);
	if (source < 0)
		return -1;
	_close_ int fd = open_tree(
		source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (fd < 0)
		return err_sys(e, "bind to '%s'", m->target);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       (m->noexec ? MOUNT_ATTR_NOEXEC : 0) |
					       (m->read_only || m->scratch ? MOUNT_ATTR_RDONLY : 0),
				   .propagation = MS_PRIVATE };
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
		return err_sys(e, "set the options of the mount at '%s'", m->target);
	return take_fd(&fd);
}

static bool is_dir(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static int check_target(const char *target, struct err *e)
{
	_free_ char *key = path_key(slice_of(target));
	if (target[0] != '/' || !key[0])
		return err_set(e, ERR_USER,
			       "'%s' is no place to mount on; it must be an absolute path "
			       "below '/'",
			       target);
	if (path_is_below(slice_of(key), SL("proc")))
		return err_set(e, ERR_USER, "nothing may be mounted on or in /proc ('%s')", target);
	return 0;
}

/* What every run with these switches has. */
static void usual_stubs(const struct sandbox_spec *spec, struct stubs *s)
{
	static const char *const dirs[] = { "/proc", "/sys", "/dev", "/etc" };
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		strs_add(&s->dirs, dirs[i]);
	strs_add(&s->files, "/etc/hosts");
	if (spec->resolv)
		strs_add(&s->files, "/etc/resolv.conf");
	if (spec->hostname_file)
		strs_add(&s->files, "/etc/hostname");
}

static int prepare_binds(const struct sandbox_spec *spec, struct mounts *m, struct stubs *extra,
			 struct err *e)
{
	for (size_t i = 0; i < spec->mounts_n; i++) {
		const struct sandbox_mount *sm = &spec->mounts[i];
		int fd = -1;
		if (check_target(sm->target, e) < 0)
			return -1;
		if (sm->kind == SANDBOX_BIND && (fd = bind_prepare(sm, e)) < 0)
			return -1;
		arr_push(&m->binds, fd);
		bool dir = sm->kind == SANDBOX_TMPFS || (sm->kind == SANDBOX_BIND && is_dir(fd));
		strs_add(dir ? &extra->dirs : &extra->files, sm->target);
	}
	return 0;
}

int mounts_prepare(const struct sandbox_spec *spec, struct mounts *m, struct err *e)
{
	m->spec = spec;
	return prepare_binds(spec, m, &m->extra, e);
}

void mounts_done(struct mounts *m)
{
	root_done(&m->root);
	arr_each(fd, &m->binds)
		if (*fd >= 0)
			(void)close(*fd);
	arr_done(&m->binds);
	stubs_done(&m->extra);
	if (m->pts >= 0)
		(void)close(m->pts);
	m->pts = -1;
}

int mounts_send_root(struct mounts *m, int sock, struct err *e)
{
	_cleanup_(stubs_done) struct stubs usual = { 0 };
	usual_stubs(m->spec, &usual);
	if (root_make(&m->spec->root, &usual, &m->extra, &m->root, e) < 0)
		return -1;
	return root_send(&m->root, sock, e);
}

/* ---- inside ---- */

/* Attaches a detached mount; takes fd (which may be -1: errno says why it could not be made). */
static int attach(struct inside *in, int fd, const char *target, bool dir, struct err *e)
{
	_close_ int mount = fd;
	if (mount < 0)
		return err_sys(e, "make what is mounted at '%s'", target);
	_close_ int place = target_open(&in->root, target, dir, e);
	if (place < 0)
		return -1;
	if (move_mount(mount, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "mount on '%s'", target);
	return 0;
}

/* /proc, /sys and /dev must be where their names say: what is masked in them later is found by those
 * names, and a link of the image would lead the masks elsewhere, or out of the root. */
static int attach_fixed(struct inside *in, int fd, const char *target, struct err *e)
{
	_close_ int mount = fd;
	struct stat st;
	if (mount >= 0 && fstatat(in->root.fd, target + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(st.st_mode)) {
		err_set(e, ERR_USER, "'%s' of the image is %s, and must be a directory", target,
			S_ISLNK(st.st_mode) ? "a symbolic link" : "a file");
		return err_hint(e, "make it an empty directory in the image, or leave it out");
	}
	return attach(in, take_fd(&mount), target, true, e);
}

int mount_set(int fd, const char *path, unsigned set, bool all, struct err *e)
{
	struct mount_attr attr = { .attr_set = set };
	if (mount_setattr(fd, path, (path[0] ? 0 : AT_EMPTY_PATH) | (all ? AT_RECURSIVE : 0), &attr,
			  sizeof attr) < 0)
		return err_sys(e, "set the options of a mount");
	return 0;
}

/* Over this machine's /sys, which is not needed any more, and not over "/": what pivot_root exchanges must
 * be alone there. */
static int attach_root(struct inside *in, struct err *e)
{
	const struct root *r = &in->made;
	if (move_mount(r->fd, "", AT_FDCWD, "/sys", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount the root");
	in->root.fd = r->fd;
	arr_each(p, &r->parts) {
		_free_ char *target = str_printf("/%s", p->target);
		if (attach(in, fcntl(p->fd, F_DUPFD_CLOEXEC, 3), target, true, e) < 0)
			return -1;
	}
	return 0;
}

static int attach_text(struct inside *in, const struct sandbox_mount *sm, struct err *e)
{
	int fd = stage_text(in, sm, e);
	return fd < 0 ? -1 : attach(in, fd, sm->target, false, e);
}

static int attach_texts(struct inside *in, struct err *e)
{
	for (size_t i = 0; i < in->texts_n; i++)
		if (attach(in, in->texts[i].fd, in->texts[i].target, false, e) < 0)
			return -1;
	return 0;
}

/* Over a read-only bind an overlay whose changes stay on the stage. */
static int attach_scratch(struct inside *in, const char *target, bool is_user, struct err *e)
{
	static const char *const what[] = { "u", "w" };
	int fd[2] = { -1, -1 };
	unsigned nr = in->staged++;
	struct overlay o = { .is_user = is_user };
	_close_ int lower = target_open(&in->root, target, true, e);
	int r = lower < 0 ? -1 : 0;
	for (size_t i = 0; i < 2 && r == 0; i++) {
		_free_ char *name = str_printf("%s%u", what[i], nr);
		struct stat st;
		if (mkdirat(in->stage, name, 0755) < 0 ||
		    (fd[i] = openat(in->stage, name, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
			r = err_sys(e, "make a place for the changes of '%s'", target);
		/* the upper directory is what shows as the mount's own owner and mode */
		else if (i == 0 && fstat(lower, &st) == 0 &&
			 (fchownat(in->stage, name, st.st_uid, st.st_gid, 0) < 0 ||
			  fchmodat(in->stage, name, st.st_mode & 07777, 0) < 0))
			r = err_sys(e, "set the owner of '%s'", target);
	}
	if (r == 0) {
		arr_push(&o.lowers, (struct overlay_dir){ lower, NULL });
		o.upper = (struct overlay_dir){ fd[0], NULL };
		o.work = (struct overlay_dir){ fd[1], NULL };
		int mount = overlay_mount(&o, e);
		if (mount >= 0 && mount_set(mount, "", MOUNT_ATTR_NOSUID, false, e) < 0) {
			(void)close(mount);
			r = -1;
		} else {
			r = mount < 0 ? -1 : attach(in, mount, target, true, e);
		}
		arr_done(&o.lowers);
	}
	closep_(&fd[0]);
	closep_(&fd[1]);
	return r;
}

int tmpfs_new(unsigned attrs, uint64_t size, uint32_t mode, uint32_t uid, uint32_t gid)
{
	_free_ char *bytes = str_printf("%llu", (unsigned long long)size);
	_free_ char *octal = str_printf("%o", mode & 07777);
	_free_ char *owner = str_printf("%u", uid), *group = str_printf("%u", gid);
	const char *const options[][2] = {
		{ "mode", octal }, { "uid", owner }, { "gid", group },
		{ "size", bytes }, { NULL, NULL },
	};
	return mount_new("tmpfs", attrs, options);
}

static int attach_callers(struct inside *in, struct err *e)
{
	const struct sandbox_spec *spec = in->m->spec;
	for (size_t i = 0; i < spec->mounts_n; i++) {
		const struct sandbox_mount *sm = &spec->mounts[i];
		int r, fd = in->m->binds.p[i];
		switch (sm->kind) {
		case SANDBOX_BIND:
			r = attach(in, fcntl(fd, F_DUPFD_CLOEXEC, 3), sm->target, is_dir(fd), e);
			if (r == 0 && sm->scratch && !sm->read_only && is_dir(fd))
				r = attach_scratch(in, sm->target, spec->root.is_user, e);
			break;
		case SANDBOX_TMPFS:
			fd = tmpfs_new(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					       (sm->exec_ok ? 0 : MOUNT_ATTR_NOEXEC) |
					       (sm->read_only ? MOUNT_ATTR_RDONLY : 0),
				       sm->size, sm->mode, sm->uid, sm->gid);
			r = attach(in, fd, sm->target, true, e);
			break;
		default: r = attach_text(in, sm, e);
		}
		if (r < 0)
			return -1;
	}
	return 0;
}

/* A new sysfs shows the network devices of this network namespace, so it needs rights over that;
 * a user with the machine's network gets the machine's /sys, read-only. */
static int sys_open(struct inside *in, struct err *e)
{
	struct statfs fs;
	in->sys = mount_new("sysfs", CLEAN | MOUNT_ATTR_RDONLY, NULL);
	if (in->sys < 0 && (errno == EPERM || errno == EACCES)) {
		in->sys = open_tree(AT_FDCWD, "/sys",
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		return in->sys < 0 ? err_sys(e, "make what is mounted at '/sys'")
				   : mount_set(in->sys, "", CLEAN | MOUNT_ATTR_RDONLY, true, e);
	}
	if (in->sys < 0)
		return err_sys(e, "make what is mounted at '/sys'");
	if (statfs("/sys/fs/cgroup", &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	/* not allowed here: its directory in sysfs is empty then, as without cgroups */
	in->cgroup = mount_new("cgroup2", CLEAN | MOUNT_ATTR_RDONLY, NULL);
	return 0;
}

static int set_read_only(struct inside *in, struct err *e)
{
	if (mount_set(in->root.fd, "", MOUNT_ATTR_RDONLY, false, e) < 0)
		return -1;
	arr_each(p, &in->made.parts)
		if (mount_set(p->fd, "", MOUNT_ATTR_RDONLY, false, e) < 0)
			return -1;
	return 0;
}

static int change_root(struct inside *in, struct err *e)
{
	if (fchdir(in->root.fd) < 0)
		return err_sys(e, "enter the root");
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, "make it the root (pivot_root)");
	/* "." is now the old root, which lies over the new one */
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "unmount the former root");
	if (chdir("/") < 0)
		return err_sys(e, "enter the new root");
	return 0;
}

/* All that needs no root, while the parent makes it. */
static int make_ready(struct inside *in, struct err *e)
{
	if (dev_open(in, e) < 0 || sys_open(in, e) < 0 || dev_fill(in, e) < 0 ||
	    stage_springboard(in, e) < 0 || stage_usual_texts(in, e) < 0)
		return -1;
	in->proc = mount_new("proc", CLEAN, NULL);
	return in->proc < 0 ? err_sys(e, "make what is mounted at '/proc'") : 0;
}

static int attach_all(struct inside *in, struct err *e)
{
	if (attach_root(in, e) < 0 || attach_fixed(in, in->sys, "/sys", e) < 0)
		return -1;
	if (in->cgroup >= 0 && attach(in, in->cgroup, "/sys/fs/cgroup", true, e) < 0)
		return -1;
	if (attach_fixed(in, in->dev, "/dev", e) < 0 || attach_texts(in, e) < 0 ||
	    attach_callers(in, e) < 0)
		return -1;
	return attach_fixed(in, in->proc, "/proc", e);
}

int mounts_enter(const struct mounts *m, int sock, struct strs *made, int *null, int *board,
		 struct err *e)
{
	const struct sandbox_spec *spec = m->spec;
	struct inside in = { .m = m,
			     .root = { .fd = -1, .made = made },
			     .dev = -1,
			     .sys = -1,
			     .cgroup = -1,
			     .proc = -1,
			     .stage = -1,
			     .board = -1,
			     .null = -1 };
	if (make_ready(&in, e) < 0 || root_receive(sock, &in.made, e) < 0 || attach_all(&in, e) < 0)
		return -1;
	if (spec->make_cwd && spec->cwd) {
		struct target_root plain = { .fd = in.root.fd };
		if (spec->cwd_for_who) {
			plain.uid = spec->who.uid;
			plain.gid = spec->who.gid;
		}
		int fd = target_open(&plain, spec->cwd, true, NULL); /* chdir tells what is wrong */
		if (fd >= 0)
			(void)close(fd);
	}
	if (!spec->insecure && hide_all(&in, e) < 0)
		return -1;
	if (spec->root.read_only && set_read_only(&in, e) < 0)
		return -1;
	*null = in.null;
	*board = in.board;
	return change_root(&in, e);
}
