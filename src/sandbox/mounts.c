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
#include "sandbox/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/dirlist.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "sandbox/overlay.h"
#include "sandbox/pty.h"
#include "sandbox/target.h"

#define CLEAN    (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)
#define SHM_SIZE (64u << 20)
#define TEXT_MAX (1u << 20)

/* springboard.c, as a program */
static const unsigned char springboard[] = {
#include "sandbox/springboard.inc"
};

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

/* ---- the root, from one process to the other: its mount, then those of its parts, whose names are
 * the text of the message ---- */

enum { PARTS_MAX = 16, NAMES_MAX = 512 };

union rights {
	struct cmsghdr head;
	char space[CMSG_SPACE((PARTS_MAX + 1) * sizeof(int))];
};

static int send_root(const struct root *r, int sock, struct err *e)
{
	_cleanup_(buf_done) struct buf names = { .max = NAMES_MAX };
	int fds[PARTS_MAX + 1] = { r->fd };
	size_t n = 1;
	if (r->parts.n > PARTS_MAX)
		return err_set(e, ERR_SYS, "the root has %zu parts", r->parts.n);
	buf_char(&names, '/');
	arr_each(p, &r->parts) {
		buf_add(&names, p->target, strlen(p->target) + 1);
		fds[n++] = p->fd;
	}
	if (buf_check(&names, "the names of the root's parts", e) < 0)
		return -1;
	union rights rights = { 0 };
	struct iovec text = { names.p, names.len };
	struct msghdr msg = { .msg_iov = &text,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = CMSG_SPACE(n * sizeof *fds) };
	rights.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(n * sizeof *fds),
					.cmsg_level = SOL_SOCKET,
					.cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&rights.head), fds, n * sizeof *fds);
	/* who cannot receive it has ended, and its report says why */
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		return err_sys(e, "hand the root over");
	return 0;
}

int mounts_send_root(struct mounts *m, int sock, struct err *e)
{
	_cleanup_(stubs_done) struct stubs usual = { 0 };
	usual_stubs(m->spec, &usual);
	if (root_make(&m->spec->root, &usual, &m->extra, &m->root, e) < 0)
		return -1;
	return send_root(&m->root, sock, e);
}

static int receive_root(int sock, struct root *out, struct err *e)
{
	char names[NAMES_MAX];
	union rights rights = { 0 };
	struct iovec text = { names, sizeof names };
	struct msghdr msg = { .msg_iov = &text,
			      .msg_iovlen = 1,
			      .msg_control = &rights,
			      .msg_controllen = sizeof rights };
	ssize_t got;
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "receive the root");
	if (got < 1 || msg.msg_controllen < sizeof rights.head ||
	    rights.head.cmsg_len < CMSG_LEN(sizeof(int)))
		return err_set(e, ERR_SYS, "the root did not come");
	size_t n = (rights.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fds[PARTS_MAX + 1];
	memcpy(fds, CMSG_DATA(&rights.head), n * sizeof *fds);
	*out = (struct root)ROOT_INIT;
	out->fd = fds[0];
	struct slice rest = { names + 1, (size_t)got - 1 };
	for (size_t i = 1; i < n; i++) {
		struct slice name = slice_head(rest, slice_find(rest, 0));
		arr_push(&out->parts, (struct root_part){ slice_dup(name), fds[i] });
		rest = slice_from(rest, name.n + 1);
	}
	return 0;
}

/* ---- inside ---- */

/* Made before the root was there. */
struct ready {
	const char *target;
	int fd;
};

struct inside {
	const struct mounts *m;
	struct root made; /* what the parent has made */
	struct target_root root;
	int dev, sys, cgroup, proc; /* mounts; -1: none */
	struct ready texts[3];
	size_t texts_n;
	int stage; /* the tmpfs where texts are born */
	unsigned staged; /* names in it */
	int board; /* the springboard, on a mount of its own */
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

/* ---- the stage and what is born on it ---- */

#define EMPTY "empty" /* on the stage: what hides directories */

static int stage_open(struct inside *in, struct err *e)
{
	uint64_t size = TEXT_MAX + sizeof springboard;
	for (size_t i = 0; i < in->m->spec->mounts_n; i++)
		size += in->m->spec->mounts[i].text_n + 4096;
	_free_ char *bytes = str_printf("%llu", (unsigned long long)size);
	const char *const options[][2] = { { "mode", "0755" }, { "size", bytes }, { NULL, NULL } };
	in->stage = mount_new("tmpfs", CLEAN, options);
	if (in->stage < 0 || move_mount(in->stage, "", in->dev, "mqueue", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    mkdirat(in->stage, EMPTY, 0755) < 0)
		return err_sys(e, "make a tmpfs for small files");
	return 0;
}

/* A detached mount of a file of this text. */
static int make_text(struct inside *in, const struct sandbox_mount *sm, struct err *e)
{
	_free_ char *name = str_printf("t%u", in->staged++);
	_close_ int file = openat(in->stage, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (file < 0)
		return err_sys(e, "make the file for '%s'", sm->target);
	if (fd_write_all(file, sm->text, sm->text_n, e) < 0)
		return err_add(e, "write the file for '%s'", sm->target);
	if (((sm->uid || sm->gid) && fchown(file, sm->uid, sm->gid) < 0) ||
	    fchmod(file, sm->mode & 07777) < 0)
		return err_sys(e, "set owner %u:%u and mode of '%s'", sm->uid, sm->gid, sm->target);
	_close_ int tree = open_tree(in->stage, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = sm->read_only ? MOUNT_ATTR_RDONLY : 0,
				   .attr_clr = sm->exec_ok ? MOUNT_ATTR_NOEXEC : 0 };
	if (tree < 0 || ((sm->read_only || sm->exec_ok) &&
			 mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0))
		return err_sys(e, "set the options of '%s'", sm->target);
	return take_fd(&tree);
}

static int attach_text(struct inside *in, const struct sandbox_mount *sm, struct err *e)
{
	int fd = make_text(in, sm, e);
	return fd < 0 ? -1 : attach(in, fd, sm->target, false, e);
}

static int ready_text(struct inside *in, const char *target, const char *text, size_t n, struct err *e)
{
	struct sandbox_mount sm = { .kind = SANDBOX_TEXT,
				    .target = target,
				    .mode = 0644,
				    .text = text,
				    .text_n = n };
	int fd = make_text(in, &sm, e);
	if (fd < 0)
		return -1;
	in->texts[in->texts_n++] = (struct ready){ target, fd };
	return 0;
}

static int ready_springboard(struct inside *in, struct err *e)
{
	struct sandbox_mount sm = { .kind = SANDBOX_TEXT,
				    .target = "the springboard",
				    .mode = 0555,
				    .text = springboard,
				    .text_n = sizeof springboard,
				    .read_only = true,
				    .exec_ok = true };
	in->board = make_text(in, &sm, e);
	return in->board < 0 ? -1 : 0;
}

static int ready_hosts(struct inside *in, struct err *e)
{
	const struct sandbox_spec *spec = in->m->spec;
	const char *name = spec->hostname ? spec->hostname : "";
	_free_ char *usual = str_printf("127.0.0.1\tlocalhost%s%s\n::1\tlocalhost ip6-localhost "
					"ip6-loopback\n",
					name[0] ? " " : "", name);
	const char *text = spec->hosts ? spec->hosts : usual;
	return ready_text(in, "/etc/hosts", text, strlen(text), e);
}

/* This machine's. */
static int ready_resolv(struct inside *in, struct err *e)
{
	static const char path[] = "/etc/resolv.conf";
	_cleanup_(buf_done) struct buf text = { .max = TEXT_MAX / 2 };
	struct err why = { 0 };
	if (fs_read(AT_FDCWD, path, TEXT_MAX / 2, &text, &why) < 0 && why.kind != ERR_ABSENT) {
		err_move(e, &why);
		return -1;
	}
	err_done(&why);
	return ready_text(in, path, text.p ? text.p : "", text.len, e);
}

static int ready_texts(struct inside *in, struct err *e)
{
	const struct sandbox_spec *spec = in->m->spec;
	if (ready_hosts(in, e) < 0 || (spec->resolv && ready_resolv(in, e) < 0))
		return -1;
	if (!spec->hostname_file || !spec->hostname)
		return 0;
	_free_ char *text = str_printf("%s\n", spec->hostname);
	return ready_text(in, "/etc/hostname", text, strlen(text), e);
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

static int tmpfs_new(unsigned attrs, uint64_t size, uint32_t mode, uint32_t uid, uint32_t gid)
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

/* What lies in /dev while it is put together: name is its own, there are no links yet. */
static int put_on(int dev, const char *name, int fd, struct err *e)
{
	_close_ int mount = fd;
	if (mount < 0)
		return err_sys(e, "make what is mounted at '/dev/%s'", name);
	if (move_mount(mount, "", dev, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount /dev/%s", name);
	return 0;
}

static int put_device(struct inside *in, const struct device *d, struct err *e)
{
	_close_ int node = in->m->spec->root.is_user ? -1 : make_device(in, d);
	if (node < 0 && (in->m->spec->root.is_user || errno == EPERM))
		node = clone_device(d->name);
	if (node < 0 || mknodat(in->dev, d->name, S_IFREG | 0666, 0) < 0)
		return err_sys(e, "make /dev/%s", d->name);
	return put_on(in->dev, d->name, take_fd(&node), e);
}

static int put_console(int dev, struct err *e)
{
	if (mknodat(dev, "console", S_IFREG | 0600, 0) < 0)
		return err_sys(e, "make /dev/console");
	return put_on(dev, "console", open_tree(dev, "pts/0", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), e);
}

/* An empty /dev over "/", with the stage in it. */
static int dev_open(struct inside *in, struct err *e)
{
	static const char *const dirs[] = { "pts", "shm", "mqueue" };
	static const char *const options[][2] = { { "mode", "0755" },
						  { "size", "65536k" },
						  { NULL, NULL } };
	in->dev = mount_new("tmpfs", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, options);
	if (in->dev < 0 || move_mount(in->dev, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "make /dev");
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		if (mkdirat(in->dev, dirs[i], 0755) < 0)
			return err_sys(e, "make /dev/%s", dirs[i]);
	return stage_open(in, e);
}

static int dev_fill(struct inside *in, struct err *e)
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
	const struct sandbox_spec *spec = in->m->spec;
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		if (put_device(in, &nodes[i], e) < 0)
			return -1;
	in->null = openat(in->dev, "null", O_RDWR | O_CLOEXEC);
	if (in->null < 0)
		return err_sys(e, "open /dev/null");
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (symlinkat(links[i][0], in->dev, links[i][1]) < 0)
			return err_sys(e, "make /dev/%s", links[i][1]);
	int pts = in->m->pts >= 0 ? fcntl(in->m->pts, F_DUPFD_CLOEXEC, 3) : pty_mount(e);
	if (pts < 0 || put_on(in->dev, "pts", pts, e) < 0)
		return -1;
	if (in->m->tty && put_console(in->dev, e) < 0)
		return -1;
	uint64_t shm = spec->shm_size ? spec->shm_size : SHM_SIZE;
	if (put_on(in->dev, "shm", tmpfs_new(CLEAN, shm, 01777, 0, 0), e) < 0)
		return -1;
	return put_on(in->dev, "mqueue", mount_new("mqueue", CLEAN, NULL), e);
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
				   : set_attr(in->sys, "", CLEAN | MOUNT_ATTR_RDONLY, true, e);
	}
	if (in->sys < 0)
		return err_sys(e, "make what is mounted at '/sys'");
	if (statfs("/sys/fs/cgroup", &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	/* not allowed here: its directory in sysfs is empty then, as without cgroups */
	in->cgroup = mount_new("cgroup2", CLEAN | MOUNT_ATTR_RDONLY, NULL);
	return 0;
}

/* ---- what is hidden (Docker's lists, of libcontainer's default spec) ---- */

static int clone_empty(const struct inside *in)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_close_ int fd = open_tree(in->stage, EMPTY, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
		return -1;
	return take_fd(&fd);
}

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
	/* this machine's own: what lies at /dev/null in there may be the image's by now (a volume on
	 * /dev), and a link of it would be followed out of the root */
	_close_ int cover = S_ISDIR(st.st_mode) ? clone_empty(in) : clone_device("null");
	if (cover < 0 ||
	    move_mount(cover, "", there, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "hide '%s'", path);
	return 0;
}

/* When each processor was throttled, and how often: tells what others compute. */
static int hide_throttling(struct inside *in, struct err *e)
{
	_cleanup_(dirlist_done) struct dirlist cpus = { 0 };
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	_close_ int dir = (int)syscall(SYS_openat2, in->root.fd, "/sys/devices/system/cpu", &how,
				       sizeof how);
	if (dir < 0 || dirlist_read(dir, false, &cpus) < 0)
		return 0;
	for (size_t i = 0; i < cpus.names.n; i++) {
		const char *name = cpus.names.p[i].name;
		_free_ char *path = str_printf("/sys/devices/system/cpu/%s/thermal_throttle", name);
		if (strncmp(name, "cpu", 3) == 0 && hide(in, path, e) < 0)
			return -1;
	}
	return 0;
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
	if (hide_throttling(in, e) < 0)
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
	arr_each(p, &in->made.parts)
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

/* All that needs no root, while the parent makes it. */
static int make_ready(struct inside *in, struct err *e)
{
	if (dev_open(in, e) < 0 || sys_open(in, e) < 0 || dev_fill(in, e) < 0 ||
	    ready_springboard(in, e) < 0 || ready_texts(in, e) < 0)
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
	if (make_ready(&in, e) < 0 || receive_root(sock, &in.made, e) < 0 || attach_all(&in, e) < 0)
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
	*board = in.board;
	return change_root(&in, e);
}
