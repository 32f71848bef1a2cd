/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "sandbox/overlay.h"

int pty_mount(struct err *e)
{
	static const char *const options[][2] = {
		{ "newinstance", NULL }, { "ptmxmode", "0666" }, { "mode", "0620" },
		{ "gid", "5" },          { NULL, NULL },
	};
	static const char *const no_tty[][2] = {
		{ "newinstance", NULL },
		{ "ptmxmode", "0666" },
		{ "mode", "0620" },
		{ NULL, NULL },
	};
	const unsigned attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	int fd = mount_new("devpts", attrs, options);
	if (fd < 0 && errno == EINVAL) /* the group 5 (tty) is not mapped in this user namespace */
		fd = mount_new("devpts", attrs, no_tty);
	return fd >= 0 ? fd : err_sys(e, "make a devpts");
}

int pty_open(int mount, int *master, int *slave, struct err *e)
{
	int unlock = 0;
	_close_ int m = openat(mount, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (m < 0)
		return err_sys(e, "open a terminal");
	if (ioctl(m, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "unlock a terminal");
	int s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s < 0)
		return err_sys(e, "open a terminal's other end");
	*master = take_fd(&m);
	*slave = s;
	return 0;
}
