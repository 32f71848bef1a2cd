/* SPDX-License-Identifier: Apache-2.0 */
/* build/copy.h: COPY and ADD of files, in four phases so that the key of a step is known before a
 * byte is written:
 *	copy_select   which files (wildcards, links, excludes), and their digests
 *	copy_key      adds what the result depends on to a key
 *	copy_map      where each goes in the image as it is below (links of the image resolved)
 *	copy_write    makes the tree of the new layer
 * Semantics: dockerfile.md §4. No mount is needed: all is computed from indexes. */
#pragma once
#include "build/source.h"
#include "base/map.h"
#include "dockerfile/values.h"

struct copy_arg {
	struct source_tree *tree;  /* NULL: text */
	const char *path;          /* as written, expanded; name of the file for a text */
	struct slice text;
	bool whole;                /* tree is an unpacked archive: its contents go into dest */
};

struct copy_spec {             /* all borrowed */
	const struct copy_arg *args;
	size_t args_n;
	const char *dest, *workdir;
	bool has_owner;
	uint32_t uid, gid;
	const struct chmod_spec *chmod; /* or NULL */
	const char *chmod_text;    /* as written, for the key; or NULL */
	const struct ignore *exclude;   /* or NULL */
	bool parents;
	int64_t now;               /* mtime of directories that had to be made, seconds */
};

struct copy_item {
	size_t arg;                /* number in spec.args */
	size_t group;              /* match of an argument it belongs to */
	char *rel;                 /* below the group's top; "" for the top itself */
	struct entry entry;        /* as it is at the source; strings owned by the source's view */
	struct source_want want;   /* files that are not texts */
};

struct copy_group {            /* one file or directory that was named */
	size_t arg;
	char *name;                /* base name it is copied under */
	bool is_dir;               /* its contents are merged into dest */
};

struct copy_selection {
	struct arena arena;
	ARRAY_OF(struct copy_item) items; /* groups in order, tree order inside */
	ARRAY_OF(struct copy_group) groups;
};
void copy_selection_done(struct copy_selection *s);

/* ERR_ABSENT with *missed = number of the argument when a plain source is not there. */
int copy_select(const struct copy_spec *spec, struct copy_selection *out, size_t *missed,
		struct err *e) _must_check_;
void copy_key(const struct copy_spec *spec, const struct copy_selection *sel, struct sha256 *key);

struct copy_plan {
	struct index index;        /* of the new layer; digests filled in */
	struct map items;          /* path -> struct copy_item *, for what has bytes to read */
};
void copy_plan_done(struct copy_plan *p);
/* `below`: the image as the step finds it. */
int copy_map(const struct copy_spec *spec, const struct copy_selection *sel, struct view *below,
	     struct copy_plan *out, struct err *e) _must_check_;
/* `follower` (or NULL) is told how far it is. */
struct tar_follow;
int copy_write(const struct copy_spec *spec, const struct copy_plan *p, int treefd,
	       const struct tree_opts *o, struct tar_follow *follower, struct err *e) _must_check_;
