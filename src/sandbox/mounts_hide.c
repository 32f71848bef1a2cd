/* SPDX-License-Identifier: Apache-2.0 */
/* What is hidden: Docker's lists, of libcontainer's default spec. */
#include "sandbox/mounts_in.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/dirlist.h"
#include "base/err.h"

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

int hide_all(struct inside *in, struct err *e)
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
		if (mount_set(fd, "", CLEAN | MOUNT_ATTR_RDONLY, true, e) < 0)
			return -1;
		if (move_mount(fd, "", in->root.fd, fixed[i], MOVE_MOUNT_F_EMPTY_PATH) < 0)
			return err_sys(e, "make '/%s' read-only", fixed[i]);
	}
	return 0;
}
