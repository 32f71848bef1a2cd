/* SPDX-License-Identifier: Apache-2.0 */
/* /dev: put together where "/" is, out of the way of paths, and moved as a whole. */
#include "sandbox/mounts_in.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "sandbox/overlay.h"
#include "sandbox/pty.h"

#define SHM_SIZE (64u << 20)

/* This machine's own node, of which nothing but reading and writing goes through: without the
 * read-only a step's chmod of /dev/null would be everybody's. */
int clone_device(const char *name)
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

int dev_open(struct inside *in, struct err *e)
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

int dev_fill(struct inside *in, struct err *e)
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
