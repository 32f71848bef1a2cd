/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/mounts.h: what a program finds mounted: its root, /proc, /dev, /sys, the caller's mounts,
 * and what is hidden from it. */
#pragma once
#include "sandbox/root.h"

/* What the parent has ready before the sandbox is born; but for the root, which comes after. */
struct mounts {
	const struct sandbox_spec *spec;
	struct root root;
	struct stubs extra;  /* mount points of the caller's mounts */
	ARRAY_OF(int) binds; /* for each of spec->mounts a detached mount, or -1 */
	int pts;             /* detached devpts, or -1: made inside */
	bool tty;            /* /dev/console is the terminal 0 of it */
};
#define MOUNTS_INIT { .root = ROOT_INIT, .pts = -1 }

int mounts_prepare(const struct sandbox_spec *spec, struct mounts *m, struct err *e) _must_check_;
void mounts_done(struct mounts *m); /* closes descriptors; root.made and root.dirfd stay */

/* In the parent, while the new process is in mounts_enter: makes the root and hands it over. */
int mounts_send_root(struct mounts *m, int sock, struct err *e) _must_check_;
/* In the new process, which is pid 1 of its namespaces: mounts everything and makes it the root;
 * nothing of the former one stays. The working directory is "/" then. sock: the other end of that
 * of mounts_send_root. `made` as in target.h. *null: /dev/null, whatever lies there by now.
 * *board: the springboard, to be executed. On failure the process is to end; it closes nothing. */
int mounts_enter(const struct mounts *m, int sock, struct strs *made, int *null, int *board,
		 struct err *e) _must_check_;
