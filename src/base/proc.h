/* SPDX-License-Identifier: Apache-2.0 */
/* base/proc.h: other programs of the machine (newuidmap, git …) and child processes. */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include "base/array.h"
#include "base/attr.h"

struct err;
struct buf;

/* Runs argv[0] (looked up in PATH) with no stdin, its stdout in *out (may be NULL: dropped) and
 * its stderr in the error, and no other descriptor of ours. ERR_ABSENT if there is no such program,
 * ERR_PROG if it fails. */
int proc_run(char *const argv[], struct buf *out, struct err *e) _must_check_;
/* The same with a descriptor as its stdin. What it writes may be secret: only *out keeps it. If nothing
 * comes for patience_ms (-1: it may be silent for ever) it is killed: ERR_PROG. */
int proc_run_in(char *const argv[], int in, int patience_ms, struct buf *out, struct err *e)
	_must_check_;
/* Child that dies with its parent. Returns as fork does, -1 with *e. In the child everything but
 * 0, 1, 2 stays open. */
pid_t proc_fork(struct err *e);
/* Waits for one child; its status as a shell has it (exit status, or 128 + signal). */
int proc_wait(pid_t pid);
/* True if argv[0] is somewhere in PATH. */
bool proc_has(const char *name);
