/* SPDX-License-Identifier: Apache-2.0 */
/* image/transfer.h: work on several layers side by side, a child process each, so that each has its
 * own connection, threads and user namespace rights, and dies with us. What they make is held by the
 * parent's lease. Progress is in memory that all share. */
#pragma once
#include "base/buf.h"
#include "store/store.h"

struct err;

enum transfer_state {
	TRANSFER_WAITING,
	TRANSFER_RUNNING,
	TRANSFER_PACKING, /* compressing, before anything is sent */
	TRANSFER_THERE, /* nothing had to be moved */
	TRANSFER_MOUNTED, /* from another repository */
	TRANSFER_DONE,
};
struct transfer_row {
	char name[16]; /* first digits of the digest */
	_Atomic int state;
	_Atomic int64_t done, total; /* bytes; total -1: not known yet */
};

struct transfer_events {
	void *ctx;
	/* Now and then (ten times a second) while it goes on, and once at the end of a row. */
	void (*moved)(void *ctx, const struct transfer_row *rows, size_t n);
	void (*note)(void *ctx, const char *text); /* "the registry asks for patience …" */
};

struct transfer;
struct transfer_work {
	size_t n;
	unsigned at_once; /* 0: as many as are good, see TRANSFERS */
	const struct transfer_events *events; /* or NULL */
	void *ctx;
	/* The name that a row is shown under, and its size if that is known (-1). */
	void (*describe)(void *ctx, size_t i, char name[static 16], int64_t *total);
	/* In the child. What it adds to `out` comes back to `result` in the parent. */
	int (*work)(void *ctx, size_t i, struct transfer *t, struct buf *out, struct err *e);
	int (*result)(void *ctx, size_t i, struct slice bytes, struct err *e);
};
#define TRANSFERS 4

/* Runs all of them. The first failure ends the others. The process must have no threads (fork); the
 * caller has entered the user namespace if the work touches trees. A signal (base/interrupt.h) ends it
 * with EINTR. */
int transfers_run(struct store *s, const struct transfer_work *w, struct err *e) _must_check_;

/* In the child. */
void transfer_moved(struct transfer *t, int64_t bytes);
void transfer_total(struct transfer *t, int64_t bytes);
void transfer_is(struct transfer *t, enum transfer_state state);
void transfer_note(struct transfer *t, const char *text);
