/* SPDX-License-Identifier: Apache-2.0 */
/* store/internal.h: what the files of this room share. */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "store/store.h"

#define BOOT_ID_LEN     64
#define CACHE_VALUE_MAX (1u << 20)

struct store {
	char *path;
	int fd, tmp;
	bool user;
	struct tree_opts tree;
	int (*enter)(struct err *e); /* store_opts */
	char boot[BOOT_ID_LEN]; /* of this boot */
	char *lease_name; /* NULL until something is used */
	int lease_fd;
	bool within; /* the lease is that of our parent */
	unsigned nr; /* then: our number among its children, from 1 */
	unsigned children; /* numbers given out by store_child */
	unsigned tmp_n; /* how many names in tmp/ this process has used */
	struct map used; /* "k name" -> non-NULL */
	struct map records; /* id of a snapshot that is in use -> struct snap_record */
	int gate_fd;
	unsigned gate_depth;
};

/* ---- lease.c ---- */
/* What else lies in leases/, besides leases. */
#define LEASES_GATE  "gate"
#define LEASES_TURNS "turns" /* turn.c */
void lease_end(struct store *s);
/* This process's lease, taken if there is none; NULL on failure. Names in tmp/ start with it. */
const char *lease_name(struct store *s, struct err *e);
/* The lock that makes "say that I use it, then look whether it is there" one act against prune.
 * Shared for users, exclusive for prune; shared ones nest. */
int gate_enter(struct store *s, bool exclusive, struct err *e) _must_check_;
void gate_leave(struct store *s);
/* store_use for one who is inside the gate. */
int lease_use(struct store *s, enum store_kind kind, const char *name, struct err *e) _must_check_;
/* All words of living leases, this one's too ("s ID", "b HEX" …): keys of the map. */
int leases_read(struct store *s, struct map *words, struct err *e) _must_check_;
bool lease_is_alive(struct store *s, const char *name);
/* store_sweep when this process is done: what is left under its own lease goes too. */
int sweep_closing(struct store *s, struct err *e) _must_check_;

/* ---- files.c ---- */
/* Writes a file of the store (path relative to its root, parents made) atomically. */
int store_write(struct store *s, const char *path, struct slice data, bool sync, struct err *e)
	_must_check_;
/* Writes a new file where nobody looks yet: in tmp/. */
int store_write_new(struct store *s, const char *path, struct slice data, bool sync, struct err *e)
	_must_check_;
#define STORE_DISCARDED ".gone" /* end of names in tmp/ */
/* 1, 0 if there is none, -1. */
int store_read(struct store *s, const char *path, size_t max, struct buf *out, struct err *e)
	_must_check_;
/* r and *why: what reading a record gave. What is damaged counts as not there (0). What cannot be read for
 * another reason may lead to something that is used, and must not be collected or replaced: -1. */
int store_passable(int r, struct err *why, struct err *e) _must_check_;
/* Entries of a directory of the store, sorted; a missing one has none. */
int store_list(struct store *s, const char *path, struct strs *names, struct err *e) _must_check_;

/* ---- blob.c ---- */
#define BLOB_PATH 96
const char *blob_path(const struct digest *d, char out[static BLOB_PATH]); /* "blobs/sha256/HEX" */
/* As blob_read, without taking it into the lease: 1, 0 if there is none, -1. */
int blob_peek(struct store *s, const struct digest *d, struct buf *out, struct err *e) _must_check_;

/* ---- snap.c ---- */
bool snap_id_ok(const char *id);
/* A snapshot with this diff id by looking at all records: the mapping may be lost in a crash. */
int snap_scan_diff_id(struct store *s, const struct digest *diff_id, char id[static SNAP_ID]);

/* Is there when some snapshot was found damaged: lists of images then look closer. */
#define STORE_DAMAGED "snapshots/damaged"

/* ---- cache.c ---- */
char *cache_path(const char *kind, const struct digest *key);
int cache_drop(struct store *s, const char *kind, const struct digest *key, struct err *e)
	_must_check_;

/* ---- image_origin.c ---- */
#define ORIGIN_KIND "origin" /* cache records: manifest -> names at registries */
#define PLACE_KIND  "place" /* blob -> repositories that have it */

/* ---- image.c ---- */
#define IMAGE_KIND "image" /* cache records: manifest -> what `images` shows of it */
struct image_facts {
	struct digest id;
	struct timespec created;
	bool has_created;
	uint64_t size;
	unsigned layers;
};
/* 1, 0 if nothing is written down, -1. */
int image_facts_read(struct store *s, const struct digest *manifest, struct image_facts *out,
		     struct err *e) _must_check_;
/* Manifests of all images that are whole as far as is written down, named or not. */
struct digests {
	struct digest *p;
	size_t n, cap;
};
int images_known(struct store *s, struct digests *out, struct err *e) _must_check_;
/* One line of the error that a name's record keeps. The caller frees. */
char *image_failed_line(const char *hex);

/* ---- usage.c ---- */
/* Apparent size of a tree or a file; what cannot be read is not counted. */
uint64_t store_measure(struct store *s, const char *path);
