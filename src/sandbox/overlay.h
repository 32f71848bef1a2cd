/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/overlay.h: one overlay mount, by whichever interface the kernel has.
 * Directories are named by (dirfd, path); dirfd must be of a mount of this process's own mount
 * namespace, else overlay refuses it (EINVAL). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/array.h"
#include "base/attr.h"

struct err;

struct overlay_dir {
	int dirfd;
	const char *path; /* relative; NULL: dirfd itself */
};
struct overlay {
	ARRAY_OF(struct overlay_dir) lowers; /* lowest first, at most OVERLAY_LOWERS */
	struct overlay_dir upper;
	struct overlay_dir work;  /* empty, on upper's file system */
	bool is_user;             /* user.overlay.* */
};
#define OVERLAY_LOWERS 500

/* Returns a detached mount (fsmount(2)), nodev, volatile, with redirect_dir, index and metacopy off. */
int overlay_mount(const struct overlay *o, struct err *e) _must_check_;

/* A file system of its own as a detached mount: "tmpfs", "proc", "sysfs" …; attrs as fsmount(2) has
 * them; options are pairs of key and value (value NULL: a flag), ended by a NULL key. -1: errno. */
int mount_new(const char *type, unsigned attrs, const char *const options[][2]);
