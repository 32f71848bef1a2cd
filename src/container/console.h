/* SPDX-License-Identifier: Apache-2.0 */
/* container/console.h: the caller's terminal and signals while a program runs. */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <termios.h>
#include "base/attr.h"

struct err;

struct console {
	int signals;          /* signalfd, or -1 */
	bool masked;
	sigset_t mask;        /* as it was */
	struct sigaction pipe;
	int raw;              /* terminal that was made raw, or -1 */
	struct termios modes; /* as they were */
};
#define CONSOLE_INIT { .signals = -1, .raw = -1 }

/* Blocks TERM INT HUP QUIT USR1 USR2 WINCH, to be read from c->signals, and ignores PIPE. */
int console_signals(struct console *c, struct err *e) _must_check_;
/* The next one, or 0. */
int console_next(struct console *c);
/* If fd is a terminal it goes raw, as docker makes it. */
int console_raw(struct console *c, int fd, struct err *e) _must_check_;
/* Gives a pty the size that one of the caller's terminals has. */
void console_size(const int stdio[3], int pty);
/* Puts everything back; fine on CONSOLE_INIT. */
void console_restore(struct console *c);
