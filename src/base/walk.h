/* SPDX-License-Identifier: Apache-2.0 */
/* base/walk.h: goes through a tree: parents before children, names in byte order *of whole paths'
 * components* (so the same on every machine), links never followed, mounts not crossed.
 *
 *	_cleanup_(walk_closep) struct walk *w = walk_open(rootfd, ".", &e);
 *	struct walk_entry ent;
 *	while ((r = walk_next(w, &ent, &e)) > 0)   // -1 too if w is NULL
 *		…
 */
#pragma once
#include <sys/stat.h>
#include "base/attr.h"

struct err;
struct walk;

struct walk_entry {
	int dirfd;         /* of the directory that holds it; valid until the next call */
	const char *name;  /* in dirfd */
	const char *path;  /* from the start of the walk, no leading "/"; "" never comes up (the start itself is not told) */
	struct stat st;    /* lstat */
	unsigned depth;    /* 1 for entries of the start */
};

struct walk *walk_open(int dirfd, const char *path, struct err *e);
int walk_next(struct walk *w, struct walk_entry *out, struct err *e) _must_check_;
void walk_skip(struct walk *w); /* do not enter the directory told last */
void walk_close(struct walk *w);
DEFINE_CLEANUP(struct walk, walk_close)
