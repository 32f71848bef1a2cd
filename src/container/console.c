/* SPDX-License-Identifier: Apache-2.0 */
#include "container/console.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"

int console_signals(struct console *c, struct err *e)
{
	static const int forwarded[] = { SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
					 SIGUSR1, SIGUSR2, SIGWINCH };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < COUNT_OF(forwarded); i++)
		(void)sigaddset(&set, forwarded[i]);
	if (sigprocmask(SIG_BLOCK, &set, &c->mask) < 0 || sigaction(SIGPIPE, &ignore, &c->pipe) < 0)
		return err_sys(e, "block signals");
	c->masked = true;
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signals < 0 ? err_sys(e, "open a signalfd") : 0;
}

int console_next(struct console *c)
{
	struct signalfd_siginfo si;
	return read(c->signals, &si, sizeof si) == (ssize_t)sizeof si ? (int)si.ssi_signo : 0;
}

int console_raw(struct console *c, int fd, struct err *e)
{
	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &c->modes) < 0)
		return err_sys(e, "read the modes of the terminal");
	struct termios raw = c->modes;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return err_sys(e, "set the terminal to raw");
	c->raw = fd;
	return 0;
}

void console_size(const int stdio[3], int pty)
{
	struct winsize size;
	for (int i = 0; i < 3; i++)
		if (stdio[i] >= 0 && ioctl(stdio[i], TIOCGWINSZ, &size) == 0) {
			(void)ioctl(pty, TIOCSWINSZ, &size);
			return;
		}
}

void console_restore(struct console *c)
{
	if (c->raw >= 0) {
		/* from the background this would stop us (SIGTTOU) */
		struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
		(void)sigaction(SIGTTOU, &ignore, &old);
		(void)tcsetattr(c->raw, TCSANOW, &c->modes);
		(void)sigaction(SIGTTOU, &old, NULL);
	}
	if (c->signals >= 0)
		(void)close(c->signals);
	if (c->masked) {
		(void)sigaction(SIGPIPE, &c->pipe, NULL);
		(void)sigprocmask(SIG_SETMASK, &c->mask, NULL);
	}
	*c = (struct console)CONSOLE_INIT;
}
