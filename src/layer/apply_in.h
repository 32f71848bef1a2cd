/* SPDX-License-Identifier: Apache-2.0 */
/* layer/apply_in.h: what the parts of unpacking share. */
#pragma once
#include <limits.h>

#include "base/map.h"
#include "layer/index.h"
#include "layer/place.h"
#include "layer/tar_read.h"
#include "layer/tree.h"

enum { KEY_MAX = PATH_MAX - 1 };

struct apply {
	int treefd;
	const struct tree_opts *o;
	bool layer; /* ".wh." names are deletions */
	struct tar *tar;
	struct index x;
	struct map keys; /* key -> position in x.entries + 1; what is gone is not in it */
	struct place at;
	uint32_t groups;
	uint64_t bytes, max_bytes, max_entries;
	uint64_t about, max_about; /* a short header can ask for much of it: a name of 4096 bytes
				      stands for 2000 directories, a global header's attributes for
				      those of every file */
	uint64_t holes; /* bytes of them: an archive holds them for nothing, hashing does not */
};

/* What this layer has made at a key, or NULL. Valid until the next entry is added. */
struct entry *apply_find(const struct apply *a, const char *key);
/* NULL: ERR_DATA, there are too many. */
struct entry *apply_add(struct apply *a, const char *key, enum entry_type type, struct err *e);
/* Says what is about to be kept in memory. */
int apply_count_about(struct apply *a, uint64_t n, struct err *e) _must_check_;

/* ---- apply_name.c; the caller frees what is returned, NULL: ERR_DATA ---- */
/* A name of the archive as a key: leading "/" and "." dropped, ".." refused. */
char *apply_clean_name(const char *name, size_t component_max, struct err *e);
/* The real directory that `dir` (a cleaned name) means in this layer: its own links are followed,
 * inside the root; what is missing is made. */
char *apply_resolve_dir(struct apply *a, const char *dir, struct err *e);
/* The real key for a cleaned name, whose last component is not followed. */
char *apply_resolve(struct apply *a, const char *name, struct err *e);

/* ---- apply_make.c; key: a real one ---- */
/* A directory that the archive does not list. */
int apply_implied(struct apply *a, const char *key, struct err *e) _must_check_;
int apply_dir(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
	_must_check_;
int apply_file(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
	_must_check_;
/* Links, devices, pipes. */
int apply_node(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
	_must_check_;
int apply_link(struct apply *a, const char *key, const struct tar_entry *from, struct err *e)
	_must_check_;
int apply_whiteout(struct apply *a, const char *key, struct err *e) _must_check_;
int apply_opaque(struct apply *a, const char *dir, struct err *e) _must_check_;
