/* SPDX-License-Identifier: Apache-2.0 */
/* base/dirlist.h: the names in one directory, and a way down and up a tree that needs few
 * descriptors; what walk.c and fs_remove stand on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/array.h"
#include "base/attr.h"

struct err;

struct dirlist_name {
	const char *name;   /* in `text` */
	unsigned char type; /* DT_*, DT_UNKNOWN where the file system does not say */
};

struct dirlist {
	ARRAY_OF(struct dirlist_name) names;
	char *text;
};

/* All names but "." and "..", in byte order if `sorted`. fd is opened for reading, its offset
 * moves. -1: errno. */
int dirlist_read(int fd, bool sorted, struct dirlist *out) _must_check_;
void dirlist_done(struct dirlist *l);

/* The directories from the start of a descent to where it is now. Only the last DESCENT_OPEN
 * have their descriptor open; the others come back through "..", and are checked to be what they
 * were. So depth costs memory, but neither descriptors nor stack. */
enum { DESCENT_OPEN = 16 };

struct descent_dir {
	int fd; /* -1: closed, opened again on the way up */
	dev_t dev;
	ino_t ino;
	struct dirlist list;
	size_t next;     /* in list: the one to look at next */
	size_t path_len; /* for the user: of the path to this directory */
};

struct descent {
	ARRAY_OF(struct descent_dir) dirs;
};

/* Goes into a directory: takes fd (also on failure) and reads its names. -1: errno. */
int descent_push(struct descent *d, int fd, dev_t dev, ino_t ino, bool sorted) _must_check_;
/* Leaves the last one; its parent, if there is one, is open afterwards. -1: errno, ESTALE if the
 * parent is not the directory that it was. */
int descent_pop(struct descent *d) _must_check_;
void descent_done(struct descent *d);

/* Opens a directory for reading, not through a link, not on another mount. -1: errno (EXDEV for
 * a mount, ELOOP or ENOTDIR for what is no directory). */
int dirlist_open(int dirfd, const char *name) _must_check_;
