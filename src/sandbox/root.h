/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/root.h: makes the root of a sandbox as detached mounts, in the calling process, before
 * the sandbox is born: the overlay of all layers, and for rootfs:/ one more for each of this
 * machine's top directories. */
#pragma once
#include "sandbox/sandbox.h"

struct root_part {
	char *target;  /* "usr" */
	int fd;        /* detached mount */
};
struct root {
	int dirfd;     /* spec's, opened anew in this mount namespace */
	int fd;        /* detached mount of / */
	ARRAY_OF(struct root_part) parts;
	struct strs made; /* directories that were made in upper; to be removed if they stay empty */
};
#define ROOT_INIT { .dirfd = -1, .fd = -1 }

/* Mount points (absolute) that shall exist. They lie in the lowest layers, so that nothing has to be
 * made in the upper directory. */
struct stubs {
	struct strs dirs, files;
};
void stubs_done(struct stubs *s);

/* `usual` is what sandbox_root.stubs keeps from run to run, `extra` is this run's own. */
int root_make(const struct sandbox_root *r, const struct stubs *usual, const struct stubs *extra,
	      struct root *out, struct err *e) _must_check_;
/* Closes the mounts. The work directory stays: it is in use while the sandbox lives. */
void root_done(struct root *r);
/* After the end: removes the work directory and the empty directories of `made`. */
int root_clean(const struct sandbox_root *r, struct root *root, struct err *e);

/* The same file as fd, opened (O_PATH) through the mounts of the present mount namespace, since fd
 * may be older than that. */
int fd_here(int fd, struct err *e) _must_check_;
