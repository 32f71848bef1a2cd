/* SPDX-License-Identifier: Apache-2.0 */
/* build/rootfs.h: `--build-context NAME=rootfs:/`: this machine's own files as a base image, without
 * copying them (design.md §6, point 4). Shown are usr, bin, sbin, lib*, and a named list of files
 * in etc, which are copied into a small layer; nothing else of the machine. */
#pragma once
#include "build/source.h"

struct rootfs {
	struct source_tree tree;    /* usr, bin, sbin, lib*: the bottom */
	struct strs dirs;           /* top names for sandbox_root.host_dirs */
	char snap[SNAP_ID];         /* the small layer: etc, tmp, root … */
	struct digest key;          /* package database, ctimes of top directories, walk over usr/local */
};
/* `out` must not move. */
int rootfs_open(struct store *s, struct rootfs *out, struct err *e) _must_check_;
void rootfs_done(struct rootfs *r);
/* Is this key (base/path.h) of the machine shown? */
bool rootfs_shows(const char *key);
