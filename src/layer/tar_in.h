/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tar_in.h: parts of the tar reader that stand in files of their own. */
#pragma once
#include "base/arena.h"
#include "base/array.h"
#include "base/buf.h"
#include "layer/tar_read.h"

struct extent {
	uint64_t at, len;
};

struct sparse {
	ARRAY_OF(struct extent) map;
	uint64_t size; /* of the whole file */
	bool on;
	bool map_in_data; /* format 1.0: the map stands before the data */
	bool have_size;
	uint64_t pending_at; /* format 0.0: an offset waits for its length */
	bool pending;
};
#define SPARSE_EXTENTS_MAX (1u << 16)
/* A hole costs nothing to write in an archive but all its length to hash. */
#define SPARSE_SIZE_MAX (256ull << 30)

/* What pax records say about a member (or, global ones, about all that follow). */
struct pax {
	struct arena arena;
	const char *path, *link; /* NULL: not told */
	const char *sparse_name;
	bool have_size, have_uid, have_gid, have_mtime;
	uint64_t size;
	uint32_t uid, gid;
	int64_t mtime;
	uint32_t mtime_ns;
	ARRAY_OF(struct xattr) xattrs; /* in the arena */
	size_t xattr_bytes;
	unsigned sparse_major, sparse_minor;
	bool have_sparse_major;
	struct sparse sparse;
};
void pax_done(struct pax *p);
/* Reads the records of one extended header. `global`: those that only make sense for one member
 * are refused. */
int pax_parse(struct pax *p, struct slice records, bool global, struct err *e) _must_check_;
/* Copies what a global header told, xattrs too, into the empty `to`. */
void pax_copy(struct pax *to, const struct pax *global);
void pax_sort_xattrs(struct pax *p); /* and of several with one name the last stays */

int sparse_add(struct sparse *s, uint64_t at, uint64_t len, struct err *e) _must_check_;
/* Ordered, apart, within the size; and the lengths add up to the stored bytes. */
int sparse_check(const struct sparse *s, uint64_t stored, struct err *e) _must_check_;

/* 512 bytes that are a header with the right checksum. */
bool tar_is_header(const uint8_t *h);

/* A numeric header field: octal, or base-256 if its first bit is set. -1 ERR_DATA naming `what`. */
int tar_number(const uint8_t *p, size_t n, const char *what, uint64_t max, uint64_t *out,
	       struct err *e) _must_check_;
int tar_time(const uint8_t *p, size_t n, int64_t *out, struct err *e)
	_must_check_; /* may be negative */
