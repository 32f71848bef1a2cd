/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tar_read.h: a tar archive as a stream of members. Reads v7, ustar, pax, GNU (long names,
 * base-256 numbers), star's prefix, and sparse files of GNU (old, 0.0, 0.1, 1.0).
 * All of it is hostile: numbers, maps and sizes are checked before they are used; memory stays
 * below some 3 MiB whatever the archive says.
 *
 *	_cleanup_(tar_closep) struct tar *t = tar_open(in);
 *	struct tar_entry ent;
 *	while ((r = tar_next(t, &ent, e)) > 0)
 *		while ((r = tar_data(t, &p, &n, e)) > 0) …      // or not: the rest is skipped
 */
#pragma once
#include "layer/index.h"

struct source;
struct err;

#define TAR_PAX_MAX   (1u << 20) /* bytes of one extended header */
#define TAR_XATTR_MAX (1u << 20) /* bytes of names and values of one member's xattrs */
#define TAR_PATH_MAX  4096 /* bytes of a path or link target */

enum tar_type { TAR_FILE, TAR_HARDLINK, TAR_SYMLINK, TAR_CHAR, TAR_BLOCK, TAR_DIR, TAR_FIFO };

/* Valid until the next tar_next. Texts are as in the archive: no NUL in them, not empty. */
struct tar_entry {
	enum tar_type type;
	const char *path;
	const char *link; /* TAR_HARDLINK, TAR_SYMLINK; else NULL */
	uint32_t mode; /* 07777 bits */
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t size; /* TAR_FILE: bytes, holes counted; else 0 */
	uint32_t major, minor;
	const struct xattr *xattrs; /* sorted by name, each once */
	size_t xattrs_n;
};

struct tar;
struct sha256;
struct tar *tar_open(struct source *in); /* borrowed */
/* The archive's own digest and length are to be known: both are borrowed and complete when tar_next has
 * said that the archive is at its end. Before the first tar_next. */
void tar_hash(struct tar *t, struct sha256 *sum, uint64_t *size);
/* Adds what tar_data gave last (not a hole) to `content`, and to the archive's digest in the same go. */
void tar_hash_data(struct tar *t, const void *p, uint64_t n, struct sha256 *content);
/* 1: *out is the next member; 0: the archive is at its end, and `in` was read to its own end
 * (at most 64 MiB more); -1. */
int tar_next(struct tar *t, struct tar_entry *out, struct err *e) _must_check_;
/* The next bytes of the member: 1 and a piece (*p valid until the next call; *p NULL: *n zero
 * bytes, a hole), 0 at its end, -1. */
int tar_data(struct tar *t, const void **p, uint64_t *n, struct err *e) _must_check_;
void tar_close(struct tar *t);
DEFINE_CLEANUP(struct tar, tar_close)
