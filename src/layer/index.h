/* SPDX-License-Identifier: Apache-2.0 */
/* layer/index.h: the list of what one layer holds — the truth about a snapshot; its tree holds the
 * bytes. Sorted by path in tree order ('/' sorts before every other byte, so that a directory is
 * followed by all that is below it), each path once. Paths are keys (base/path.h, path_key): no
 * leading '/', "" is the root directory (its entry is optional). */
#pragma once
#include <stdint.h>
#include <sys/stat.h>
#include "base/arena.h"
#include "base/array.h"
#include "base/attr.h"
#include "base/fs.h"
#include "oci/digest.h"

enum entry_type {
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_SYMLINK,
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_WHITEOUT, /* hides the name in lower layers; no metadata */
};

struct entry {
	const char *path;   /* key, in the index's arena */
	enum entry_type type;
	bool opaque;        /* ENTRY_DIR: what lower layers hold below it is hidden */
	bool has_digest;    /* ENTRY_FILE: digest is that of the content */
	uint32_t mode;      /* 07777 bits */
	uint32_t uid, gid;
	int64_t mtime;      /* seconds, and nanoseconds */
	uint32_t mtime_ns;
	uint64_t size;      /* ENTRY_FILE: bytes */
	uint32_t group;     /* not 0: entries of this layer with the same number are one inode */
	uint32_t major, minor;
	const char *link;   /* ENTRY_SYMLINK: target; else NULL */
	struct digest digest;
	const struct xattr *xattrs; /* sorted by name, in the arena; overlay's own never */
	size_t xattrs_n;
};

struct index {
	struct arena arena;
	ARRAY_OF(struct entry) entries;
};

void index_init(struct index *x);
void index_done(struct index *x);
/* A zeroed entry at the end; path is copied. Call index_sort when all are in. */
struct entry *index_add(struct index *x, struct slice path, enum entry_type type);
/* A deep copy of src (its path replaced by `path` if that is not NULL). */
struct entry *index_add_copy(struct index *x, const struct entry *src, const char *path);
/* Sorts; of several with one path the one added last stays. Renumbers nothing. */
void index_sort(struct index *x);
const struct entry *index_find(const struct index *x, const char *key); /* NULL if absent */
/* Position of the first entry whose path is >= key in tree order. */
size_t index_lower(const struct index *x, const char *key);
int index_path_cmp(const char *a, const char *b); /* tree order */
/* Sum of sizes of regular files, each hard-link group once. */
uint64_t index_size(const struct index *x);
/* Of the files of a hard-link group one is hashed; the others get its digest. */
void index_share_digests(struct index *x);
bool index_is_complete(const struct index *x);    /* every file has its digest */

/* The format on disk: versioned, bounds-checked on reading, at most INDEX_MAX bytes; damage is
 * ERR_DATA. A checksum over the bytes is part of it. */
#define INDEX_MAX (1u << 30)
void index_write(const struct index *x, struct buf *out);
int index_read(struct slice bytes, struct index *out, struct err *e) _must_check_;

/* Type, mode, owner, times and size of a regular file that is known to have no xattrs; the path stays. */
void entry_from_stat(const struct stat *st, struct entry *out);
/* Fills type, mode, owner, times, size, link, device and xattrs of a file as it is on disk, by
 * (dirfd, name), never following; `lose` names what is dropped: overlay's own xattrs always.
 * Sockets give ERR_DATA. Opaque and whiteout marks of overlay are not interpreted here. */
int entry_from_file(struct arena *a, int dirfd, const char *name, const struct stat *st,
		    struct entry *out, struct err *e) _must_check_;
/* Digest of a regular file's bytes. */
int entry_digest(int dirfd, const char *name, struct digest *out, struct err *e) _must_check_;
