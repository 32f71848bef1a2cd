/* SPDX-License-Identifier: Apache-2.0 */
/* layer/place.h: from keys to (directory descriptor, name) in a tree. The last directory is kept
 * open, which in tree order is nearly always the one that is wanted next.
 *	_cleanup_(place_done) struct place at = PLACE_INIT(treefd);
 *	int dirfd = place_at(&at, "etc/passwd", &name, e);      // name: "passwd", in the key */
#pragma once
#include "base/attr.h"

struct err;

struct place {
	int rootfd; /* borrowed */
	int fd; /* of `dir`, O_PATH; -1: none */
	char *dir;
};
#define PLACE_INIT(treefd)                   \
	{                                    \
		.rootfd = (treefd), .fd = -1 \
	}

/* The directory that holds key's last component (borrowed until the next call), opened inside
 * the tree. The root "" is "." in itself. -1 on failure. */
int place_at(struct place *p, const char *key, const char **name, struct err *e) _must_check_;
/* After a directory was removed or replaced: what is kept open may be the old one. */
void place_forget(struct place *p);
void place_done(struct place *p);
