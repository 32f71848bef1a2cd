/* SPDX-License-Identifier: Apache-2.0 */
/* base/fs.h: files and trees by descriptor. A file is a directory descriptor and a name, in that
 * order. Every descriptor returned is O_CLOEXEC and the caller's to close. */
#pragma once
#include <stdint.h>
#include <sys/stat.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

struct err;

/* openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: the one door into an image. `path` is
 * relative to or absolute in rootfd; symbolic links and ".." stay inside. flags as open(2)
 * (mode 0666 & ~umask if O_CREAT). */
int root_open(int rootfd, const char *path, int flags, struct err *e) _must_check_;
int root_open_mode(int rootfd, const char *path, int flags, mode_t mode, struct err *e) _must_check_;
/* The directory that holds path's last component, opened O_PATH|O_DIRECTORY; *name points into
 * path. Refuses paths that end in ".." or are the root. */
int root_open_parent(int rootfd, const char *path, const char **name, struct err *e) _must_check_;

int fd_write_all(int fd, const void *p, size_t n, struct err *e) _must_check_;
/* Reads up to n bytes, fewer only at the end of the file; EINTR handled. -1: errno. */
ssize_t fd_read(int fd, void *p, size_t n);
ssize_t fd_pread(int fd, void *p, size_t n, uint64_t at);
/* One read(2), EINTR handled: whatever is there now, 0 at the end. -1: errno. */
ssize_t fd_read_some(int fd, void *p, size_t n);
/* All of a file into buf (its max holds; ERR_DATA when over). */
int fd_slurp(int fd, struct buf *out, const char *what, struct err *e) _must_check_;
/* 0, or -1; ERR_ABSENT if there is no such file. */
int fs_read(int dirfd, const char *name, size_t max, struct buf *out, struct err *e) _must_check_;
/* Of a file that need not be there: 1 read, 0 there is none. What cannot be looked at is an error. */
int fs_read_optional(int dirfd, const char *name, size_t max, struct buf *out,
		     struct err *e) _must_check_;
/* Writes name atomically: temporary file in tmpfd (same file system), fsync if `sync`, rename. */
int fs_write(int tmpfd, int dirfd, const char *name, struct slice data, mode_t mode, bool sync,
	     struct err *e) _must_check_;
/* Copies all bytes left in `in` from its offset to `out`: copy_file_range, else read and write.
 * Holes are kept when both are regular. *copied may be NULL. */
int fd_copy(int in, int out, uint64_t *copied, struct err *e) _must_check_;

int fs_mkdirs(int dirfd, const char *path, mode_t mode, struct err *e) _must_check_; /* like mkdir -p */
int fs_open_dir(int dirfd, const char *path, struct err *e) _must_check_; /* O_RDONLY|O_DIRECTORY|O_NOFOLLOW */
/* Removes name and all below it; a missing name is fine. Never follows links, never crosses into
 * another file system. Directories without permission are made accessible first. */
int fs_remove(int dirfd, const char *name, struct err *e) _must_check_;
bool fs_exists(int dirfd, const char *name);
/* Target of a link, at most PATH_MAX; the caller frees. NULL and *e on failure. */
char *fs_readlink(int dirfd, const char *name, struct err *e) _must_check_;
/* A fresh name "PREFIX" + random base32, not yet used in dirfd. The caller frees. */
char *fs_temp_name(const char *prefix);
/* "/proc/self/fd/N" in a small buffer. */
#define FS_PROC_LEN 32
const char *fs_proc_path(int fd, char out[static FS_PROC_LEN]);

/* Extended attributes, by fd (opened O_RDONLY or O_PATH: /proc/self/fd is used) or name. Names
 * are sorted. A file system without them gives none. */
struct xattr {
	char *name;
	char *value;
	size_t len;
};
struct xattrs {
	struct xattr *p;
	size_t n, cap;
};
void xattrs_done(struct xattrs *x);
int xattrs_read(int dirfd, const char *name, struct xattrs *out, struct err *e) _must_check_; /* no follow */
