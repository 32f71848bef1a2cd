/* SPDX-License-Identifier: Apache-2.0 */
/* base/err.h: what happened, why, what to do next.
 *
 * A function that can fail takes `struct err *e` last and returns 0, or -1 with *e filled.
 * The place of the fault calls err_set or err_sys (cause), err_at (place in a text) and err_hint
 * (way out); each caller on the way up adds what it was doing with err_add. A NULL e is allowed
 * everywhere (the message is dropped). Start with { 0 } and end with err_done.
 *
 *	_cleanup_(err_done) struct err e = { 0 };
 *	if (store_open(…, &e) < 0) …
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"
#include "base/buf.h"

enum err_kind {
	ERR_NONE = 0,
	ERR_SYS,    /* the system refused; sys_errno tells */
	ERR_USER,   /* the user can mend what was asked */
	ERR_DATA,   /* input is malformed or damaged */
	ERR_NET,    /* a peer did not answer as it should */
	ERR_DENIED, /* not allowed */
	ERR_ABSENT, /* what was named is not there */
	ERR_PROG,   /* a program that was run failed; sys_errno holds its status as a shell has it */
};

/* A place in a text file, for the excerpt with a caret. Lines and columns count from 1; col 0:
 * the whole line. `lines` holds the lines first..last of the file, joined by newlines. */
struct err_span {
	char *file;
	unsigned first, last;
	unsigned col, width; /* on line `first` */
	char *lines;
};

struct err {
	enum err_kind kind;
	int sys_errno;
	char **chain;  /* chain[0] is the cause, the last one what the user asked for */
	size_t n;
	struct err_span span; /* file == NULL: none */
	char **hints;
	size_t hints_n;
	char *output; /* last output of a program that failed, or NULL */
};

/* All of these return -1, so that `return err_set(…)` reads well. err_set on an error that is
 * already filled replaces it. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) _printf_(3, 4);
/* Cause from errno: the text, ": " and strerror. Keeps errno in sys_errno. */
int err_sys(struct err *e, const char *fmt, ...) _printf_(2, 3);
int err_add(struct err *e, const char *fmt, ...) _printf_(2, 3);
int err_hint(struct err *e, const char *fmt, ...) _printf_(2, 3);
/* Copies the span (its strings too). */
int err_at(struct err *e, const struct err_span *span);
int err_output(struct err *e, struct slice text);

void err_done(struct err *e);
/* Moves src into dst (which is ended first); src is empty then. */
void err_move(struct err *dst, struct err *src);
bool err_is_errno(const struct err *e, int no); /* kind ERR_SYS with this errno */

/* The message as the terminal shows it (style.md has the form), "thimble: " first:
 *	thimble: OUTERMOST
 *	  because  …
 *	  FILE:LINE:COL
 *	    12 | text
 *	       | ^^^^
 *	  try      hint
 * Control bytes in it are escaped. `color` adds SGR sequences. */
void err_format(const struct err *e, bool color, struct buf *out);
/* One line: the chain joined by ": ", outermost first. */
void err_line(const struct err *e, struct buf *out);

/* To hand an error from a child process to its parent: bytes and back. err_load refuses
 * malformed bytes with -1 and a message of its own in *e. */
void err_save(const struct err *e, struct buf *out);
int err_load(struct slice bytes, struct err *e);
