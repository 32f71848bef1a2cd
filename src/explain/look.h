/* SPDX-License-Identifier: Apache-2.0 */
/* explain/look.h: looking into an image: paths that are not there are an answer, not an error. */
#pragma once
#include "elf/linker.h"
#include "explain/explain.h"

struct buf;

/* As view_resolve with all links followed, but 0 also where a parent is no directory or links go
 * round in a circle. *key (the caller frees): the real place, no '/' in front; on 0 where it would be. */
int look_up(const struct explain_fs *fs, const char *path, char **key, struct view_hit *hit, struct err *e) _must_check_;
/* The first `max` bytes of a file (all of them if it is shorter). 1, 0 no regular file there, -1. */
int look_head(const struct explain_fs *fs, const char *path, size_t max, struct buf *out, struct err *e) _must_check_;
int look_object(const struct explain_fs *fs, const struct view_hit *hit, struct obj *out, struct err *e) _must_check_; /* as obj_read */

/* The linker's view of an image; and of an image that has one file of another one in it: a program
 * that is looked at where it was built. */
struct look_linker {
	const struct explain_fs *fs;
	const struct explain_fs *program_fs; /* or NULL: all from fs */
	const char *program;                 /* real path in program_fs */
};
struct linker_fs look_linker_fs(struct look_linker *l);

/* Which C library an image has, and the files that show it. */
struct look_libc {
	bool glibc, musl;
	char *glibc_file, *musl_file; /* a loader: "/lib64/ld-linux-x86-64.so.2" */
};
int look_libc(const struct explain_fs *fs, struct look_libc *out, struct err *e) _must_check_;
void look_libc_done(struct look_libc *l);

/* PRETTY_NAME of /etc/os-release, or NULL. The caller frees. */
char *look_os_name(const struct explain_fs *fs);

/* Files with this base name anywhere in the layers (not in the bottom), executable ones if
 * `programs`; higher layers first; at most max. Appends "/path". */
void look_same_name(const struct view *v, struct slice base, bool programs, size_t max, struct strs *out);
/* Names in the directory (real key) that are near to `base`: other case, or up to two edits.
 * Nearest first, at most max. Appends "/path". */
int look_near_names(struct view *v, const char *dir, struct slice base, size_t max, struct strs *out, struct err *e) _must_check_;
