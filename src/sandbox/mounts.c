/* SPDX-License-Identifier: Apache-2.0 */
/* The order matters in two places. Texts and the upper directories of scratch mounts are born on a
 * tmpfs (the stage), which must be attached while pieces of it are cloned: it stands on the root's
 * /proc, and proc is mounted over it afterwards (to unmount it would cost a wait for RCU, more than
 * any mount here). And proc and sysfs can be made in a user namespace only
 * while the machine's own are still visible, so the old root goes at the very end.
 *
 * Every mount is nodev, but for the six device files, each a mount of its own, and devpts
 * (design.md §6.1). */
#include "sandbox/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "sandbox/overlay.h"
#include "sandbox/pty.h"
#include "sandbox/target.h"

#define CLEAN    (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define SHM_SIZE (64u << 20)
#define TEXT_MAX (1u << 20)

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
	_cleanup_(stubs_done) struct stubs usual = { 0 }, extra = { 0 };
	m->spec = spec;
	usual_stubs(spec, &usual);
	if (prepare_binds(spec, m, &extra, e) < 0)
		return -1;
	return root_make(&spec->root, &usual, &extra, &m->root, e);
}

void mounts_done(struct mounts *m)
{
	root_done(&m->root);
	arr_each(fd, &m->binds)
		if (*fd >= 0)
			(void)close(*fd);
	arr_done(&m->binds);
	if (m->pts >= 0)
		(void)close(m->pts);
	m->pts = -1;
}

/* ---- inside ---- */

struct inside {
	const struct mounts *m;
	struct target_root root;
	int stage; /* the tmpfs where texts are born */
	unsigned staged; /* names in it */
	int null; /* /dev/null, opened while nothing of the image or the caller lay over it */
};

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

static int set_attr(int fd, const char *path, unsigned set, bool all, struct err *e)
{
	struct mount_attr attr = { .attr_set = set };
	if (mount_setattr(fd, path, (path[0] ? 0 : AT_EMPTY_PATH) | (all ? AT_RECURSIVE : 0), &attr,
			  sizeof attr) < 0)
		return err_sys(e, "set the options of a mount");
	return 0;
}

static int attach_root(struct inside *in, struct err *e)
{
	const struct root *r = &in->m->root;
	if (move_mount(r->fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount the root");
	in->root.fd = r->fd;
	arr_each(p, &r->parts) {
		_free_ char *target = str_printf("/%s", p->target);
		if (attach(in, fcntl(p->fd, F_DUPFD_CLOEXEC, 3), target, true, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the stage and what is born on it ---- */

static int stage_open(struct inside *in, struct err *e)
{
	uint64_t size = TEXT_MAX;
	for (size_t i = 0; i < in->m->spec->mounts_n; i++)
		size += in->m->spec->mounts[i].text_n + 4096;
	_free_ char *bytes = str_printf("%llu", (unsigned long long)size);
	const char *const options[][2] = { { "mode", "0755" }, { "size", bytes }, { NULL, NULL } };
	in->stage = mount_new("tmpfs", CLEAN, options);
	return attach_fixed(in, in->stage < 0 ? -1 : fcntl(in->stage, F_DUPFD_CLOEXEC, 3), "/proc",
			    e);
}

static int attach_text(struct inside *in, const struct sandbox_mount *sm, struct err *e)
{
	_free_ char *name = str_printf("t%u", in->staged++);
	_close_ int file = openat(in->stage, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0)
		return err_sys(e, "make the file for '%s'", sm->target);
	if (fd_write_all(file, sm->text, sm->text_n, e) < 0)
		return err_add(e, "write the file for '%s'", sm->target);
	if (fchown(file, sm->uid, sm->gid) < 0 || fchmod(file, sm->mode & 07777) < 0)
		return err_sys(e, "set owner %u:%u and mode of '%s'", sm->uid, sm->gid, sm->target);
	_close_ int tree = open_tree(in->stage, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = sm->read_only ? MOUNT_ATTR_RDONLY : 0,
				   .attr_clr = sm->exec_ok ? MOUNT_ATTR_NOEXEC : 0 };
	if (tree >= 0 && (sm->read_only || sm->exec_ok) &&
	    mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return err_sys(e, "set the options of '%s'", sm->target);
	return attach(in, take_fd(&tree), sm->target, false, e);
}

/* A file of the machine for a file of the root: /etc/resolv.conf. */
static int attach_copy(struct inside *in, const char *path, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { .max = TEXT_MAX / 2 };
	struct err why = { 0 };
	if (fs_read(AT_FDCWD, path, TEXT_MAX / 2, &text, &why) < 0 && why.kind != ERR_ABSENT) {
		err_move(e, &why);
		return -1;
	}
	err_done(&why);
	struct sandbox_mount sm = { .kind = SANDBOX_TEXT,
				    .target = path,
				    .mode = 0644,
				    .text = text.p ? text.p : "",
				    .text_n = text.len };
	return attach_text(in, &sm, e);
}

static int attach_hosts(struct inside *in, struct err *e)
{
	const struct sandbox_spec *spec = in->m->spec;
	const char *name = spec->hostname ? spec->hostname : "";
	_free_ char *usual = str_printf("127.0.0.1\tlocalhost%s%s\n::1\tlocalhost ip6-localhost "
					"ip6-loopback\n",
					name[0] ? " " : "", name);
	const char *text = spec->hosts ? spec->hosts : usual;
	struct sandbox_mount sm = { .kind = SANDBOX_TEXT,
				    .target = "/etc/hosts",
				    .mode = 0644,
				    .text = text,
				    .text_n = strlen(text) };
	return attach_text(in, &sm, e);
}

static int attach_hostname(struct inside *in, struct err *e)
{
	_free_ char *text = str_printf("%s\n", in->m->spec->hostname);
	struct sandbox_mount sm = { .kind = SANDBOX_TEXT,
				    .target = "/etc/hostname",
				    .mode = 0644,
				    .text = text,
				    .text_n = strlen(text) };
	return attach_text(in, &sm, e);
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
		if (mount >= 0 && set_attr(mount, "", MOUNT_ATTR_NOSUID, false, e) < 0) {
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

static int attach_tmpfs(struct inside *in, const char *target, unsigned attrs, uint64_t size,
			uint32_t mode, uint32_t uid, uint32_t gid, struct err *e)
{
	_free_ char *bytes = str_printf("%llu", (unsigned long long)size);
	_free_ char *octal = str_printf("%o", mode & 07777);
	_free_ char *owner = str_printf("%u", uid), *group = str_printf("%u", gid);
	const char *const options[][2] = {
		{ "mode", octal }, { "uid", owner }, { "gid", group },
		{ "size", bytes }, { NULL, NULL },
	};
	return attach(in, mount_new("tmpfs", attrs, options), target, true, e);
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
			r = attach_tmpfs(in, sm->target,
					 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						 (sm->exec_ok ? 0 : MOUNT_ATTR_NOEXEC) |
						 (sm->read_only ? MOUNT_ATTR_RDONLY : 0),
					 sm->size, sm->mode, sm->uid, sm->gid, e);
			break;
		default: r = attach_text(in, sm, e);
		}
		if (r < 0)
			return -1;
	}
	return 0;
}

/* ---- /dev, /sys, /proc ---- */

/* This machine's own node, of which nothing but reading and writing goes through: without the
 * read-only a step's chmod of /dev/null would be everybody's. */
static int clone_device(const char *name)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NOEXEC };
	_free_ char *path = str_printf("/dev/%s", name);
	_close_ int node = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (node < 0 || mount_setattr(node, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return -1;
	return take_fd(&node);
}

struct device {
	const char *name;
	unsigned major, minor;
};

/* A node of the sandbox's own, as docker makes it, is what it may do to as it likes. It is born on
 * the stage, and only its own mount is not nodev. -1 with EPERM: not allowed here. */
static int make_device(struct inside *in, const struct device *d)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
				   .attr_clr = MOUNT_ATTR_NODEV };
	if (mknodat(in->stage, d->name, S_IFCHR | 0666, makedev(d->major, d->minor)) < 0 ||
	    fchmodat(in->stage, d->name, 0666, 0) < 0)
		return -1;
	_close_ int node = open_tree(in->stage, d->name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (node < 0 || mount_setattr(node, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return -1;
	return take_fd(&node);
}

static int attach_device(struct inside *in, int dev, const struct device *d, struct err *e)
{
	_close_ int node = in->m->spec->root.is_user ? -1 : make_device(in, d);
	if (node < 0 && (in->m->spec->root.is_user || errno == EPERM))
		node = clone_device(d->name);
	_close_ int file = openat(dev, d->name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	if (node < 0 || file < 0)
		return err_sys(e, "make /dev/%s", d->name);
	if (move_mount(node, "", file, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "mount /dev/%s", d->name);
	return 0;
}

static int attach_console(struct inside *in, int dev, struct err *e)
{
	_close_ int file = openat(dev, "console", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0)
		return err_sys(e, "make /dev/console");
	_close_ int tty = open_tree(dev, "pts/0", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return attach(in, take_fd(&tty), "/dev/console", false, e);
}

static int attach_dev(struct inside *in, struct err *e)
{
	static const struct device nodes[] = {
		{ "null", 1, 3 },   { "zero", 1, 5 },    { "full", 1, 7 },
		{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
	};
	static const char *const links[][2] = {
		{ "/proc/self/fd", "fd" },       { "/proc/self/fd/0", "stdin" },
		{ "/proc/self/fd/1", "stdout" }, { "/proc/self/fd/2", "stderr" },
		{ "/proc/kcore", "core" },       { "pts/ptmx", "ptmx" },
	};
	static const char *const dirs[] = { "pts", "shm", "mqueue" };
	static const char *const options[][2] = { { "mode", "0755" },
						  { "size", "65536k" },
						  { NULL, NULL } };
	const struct sandbox_spec *spec = in->m->spec;
	_close_ int dev = mount_new("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, options);
	if (attach_fixed(in, dev < 0 ? -1 : fcntl(dev, F_DUPFD_CLOEXEC, 3), "/dev", e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		if (attach_device(in, dev, &nodes[i], e) < 0)
			return -1;
	in->null = openat(dev, "null", O_RDWR | O_CLOEXEC);
	if (in->null < 0)
		return err_sys(e, "open /dev/null");
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (symlinkat(links[i][0], dev, links[i][1]) < 0)
			return err_sys(e, "make /dev/%s", links[i][1]);
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		if (mkdirat(dev, dirs[i], 0755) < 0)
			return err_sys(e, "make /dev/%s", dirs[i]);
	int pts = in->m->pts >= 0 ? fcntl(in->m->pts, F_DUPFD_CLOEXEC, 3) : pty_mount(e);
	if (pts < 0 || attach(in, pts, "/dev/pts", true, e) < 0)
		return -1;
	if (in->m->tty && attach_console(in, dev, e) < 0)
		return -1;
	if (attach_tmpfs(in, "/dev/shm", CLEAN, spec->shm_size ? spec->shm_size : SHM_SIZE, 01777,
			 0, 0, e) < 0)
		return -1;
	return attach(in, mount_new("mqueue", CLEAN, NULL), "/dev/mqueue", true, e);
}

/* A new sysfs shows the network devices of this network namespace, so it needs rights over that;
 * a user with the machine's network gets the machine's /sys, read-only. */
static int attach_sys(struct inside *in, struct err *e)
{
	struct statfs fs;
	int fd = mount_new("sysfs", CLEAN | MOUNT_ATTR_RDONLY, NULL);
	if (fd < 0 && (errno == EPERM || errno == EACCES)) {
		fd = open_tree(AT_FDCWD, "/sys",
			       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (fd >= 0 && set_attr(fd, "", CLEAN | MOUNT_ATTR_RDONLY, true, e) < 0) {
			(void)close(fd);
			return -1;
		}
		return attach_fixed(in, fd, "/sys", e);
	}
	if (attach_fixed(in, fd, "/sys", e) < 0)
		return -1;
	if (statfs("/sys/fs/cgroup", &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	fd = mount_new("cgroup2", CLEAN | MOUNT_ATTR_RDONLY, NULL);
	if (fd < 0) /* not allowed here: its directory in sysfs is empty then, as without cgroups */
		return 0;
	return attach(in, fd, "/sys/fs/cgroup", true, e);
}

/* ---- what is hidden (Docker's lists, of libcontainer's default spec) ---- */

static int hide(struct inside *in, const char *path, struct err *e)
{
	struct stat st;
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	_close_ int there = (int)syscall(SYS_openat2, in->root.fd, path, &how, sizeof how);
	if (there < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (there < 0 || fstat(there, &st) < 0)
		return err_sys(e, "look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return attach(in, mount_new("tmpfs", CLEAN | MOUNT_ATTR_RDONLY, NULL), path, true,
			      e);
	/* this machine's own: what lies at /dev/null in there may be the image's by now (a volume on
	 * /dev), and a link of it would be followed out of the root */
	return attach(in, clone_device("null"), path, false, e);
}

static int hide_all(struct inside *in, struct err *e)
{
	static const char *const hidden[] = {
		"/proc/acpi",
		"/proc/asound",
		"/proc/interrupts",
		"/proc/kcore",
		"/proc/keys",
		"/proc/latency_stats",
		"/proc/sched_debug",
		"/proc/scsi",
		"/proc/timer_list",
		"/proc/timer_stats",
		"/sys/devices/virtual/powercap",
		"/sys/firmware",
	};
	static const char *const fixed[] = {
		"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
	};
	for (size_t i = 0; i < COUNT_OF(hidden); i++)
		if (hide(in, hidden[i], e) < 0)
			return -1;
	for (size_t i = 0; i < COUNT_OF(fixed); i++) {
		_close_ int fd = open_tree(in->root.fd, fixed[i],
					   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_sys(e, "open '/%s'", fixed[i]);
		if (set_attr(fd, "", CLEAN | MOUNT_ATTR_RDONLY, true, e) < 0)
			return -1;
		if (move_mount(fd, "", in->root.fd, fixed[i], MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return err_sys(e, "make '/%s' read-only", fixed[i]);
	}
	return 0;
}

static int set_read_only(struct inside *in, struct err *e)
{
	if (set_attr(in->root.fd, "", MOUNT_ATTR_RDONLY, false, e) < 0)
		return -1;
	arr_each(p, &in->m->root.parts)
		if (set_attr(p->fd, "", MOUNT_ATTR_RDONLY, false, e) < 0)
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

int mounts_enter(const struct mounts *m, struct strs *made, int *null, struct err *e)
{
	const struct sandbox_spec *spec = m->spec;
	struct inside in = { .m = m, .root = { .fd = -1, .made = made }, .stage = -1, .null = -1 };
	if (attach_root(&in, e) < 0 || stage_open(&in, e) < 0 || attach_sys(&in, e) < 0 ||
	    attach_dev(&in, e) < 0 || attach_hosts(&in, e) < 0)
		return -1;
	if (spec->resolv && attach_copy(&in, "/etc/resolv.conf", e) < 0)
		return -1;
	if (spec->hostname_file && spec->hostname && attach_hostname(&in, e) < 0)
		return -1;
	if (attach_callers(&in, e) < 0)
		return -1;
	if (attach_fixed(&in, mount_new("proc", CLEAN, NULL), "/proc", e) < 0)
		return -1;
	if (spec->make_cwd && spec->cwd) {
		struct target_root plain = { .fd = in.root.fd };
		int fd = target_open(&plain, spec->cwd, true, NULL); /* chdir tells what is wrong */
		if (fd >= 0)
			(void)close(fd);
	}
	if (!spec->insecure && hide_all(&in, e) < 0)
		return -1;
	if (spec->root.read_only && set_read_only(&in, e) < 0)
		return -1;
	*null = in.null;
	return change_root(&in, e);
}
