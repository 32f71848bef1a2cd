/* SPDX-License-Identifier: Apache-2.0 */
/* layer/view.h: what an image looks like: layers merged as overlayfs merges them, from their
 * indexes alone, without a mount. Whiteouts and opaque directories are honoured.
 *
 *	struct view v = { 0 };
 *	view_push(&v, &index0); view_push(&v, &index1);      // lowest first; indexes are borrowed
 *	struct view_hit hit;
 *	if (view_resolve(&v, "/etc/ssl/cert.pem", true, &path, &hit, e) == 1) …
 *	view_done(&v);
 */
#pragma once
#include "layer/index.h"

struct view_hit {
	const struct entry *entry; /* valid while the view and its indexes are */
	int layer; /* number of the view_push that gave it, from 0; -1: the bottom */
};

/* Something beneath all layers that has no index: this machine's own files. Keys as in entries;
 * answers are for the allow-listed part only. */
struct view_bottom {
	void *ctx;
	/* 1 and *out (with its strings, as long-lived as arena), 0 if there is none, -1. Symbolic links
	 * are not followed. */
	int (*lookup)(void *ctx, const char *key, struct arena *arena, const struct entry **out,
		      struct err *e);
	/* Names in a directory, unsorted. */
	int (*list)(void *ctx, const char *key, struct strs *names, struct err *e);
};

struct view {
	struct arena arena;
	ARRAY_OF(struct view_hit) hits; /* merged, tree order, whiteouts gone */
	int layers;
	struct view_bottom *bottom; /* borrowed, or NULL */
	struct map *found; /* entries of the bottom seen so far */
	struct index hidden; /* what layers hide of the bottom */
};

void view_done(struct view *v);
/* Before the first push. */
void view_set_bottom(struct view *v, struct view_bottom *bottom);
void view_push(struct view *v, const struct index *layer);
/* A view of the same layers (and bottom), to be pushed upon; the indexes are borrowed by both. */
void view_copy(const struct view *from, struct view *out);
/* Exactly this key, no link followed (a key whose parent is a link gives 0). 1 found, 0 not, -1.
 * The root "" is always found (a made-up 0755 0:0 entry if no layer has it). */
int view_lookup(struct view *v, const char *key, struct view_hit *out, struct err *e) _must_check_;
/* Resolves a path (absolute or relative to the root) as the kernel would inside the image; ".."
 * stops at the root; at most 40 links (ERR_DATA). `follow`: the last component too.
 * 1: found, *key (caller frees) is its real place. 0: not there; *key is the place where it would
 * be (its longest existing part resolved, the rest appended). -1: error (a component is not a
 * directory: ERR_USER naming it). */
int view_resolve(struct view *v, const char *path, bool follow, char **key, struct view_hit *out,
		 struct err *e) _must_check_;
/* Names directly in a directory (real key), byte order. */
int view_list(struct view *v, const char *key, struct strs *names, struct err *e) _must_check_;

/* All below a directory (real key), tree order, the directory itself not told; links not followed.
 * Not to be used while the view changes. */
struct view_walk;
struct view_walk *view_walk_open(struct view *v, const char *key, struct err *e);
int view_walk_next(struct view_walk *w, struct view_hit *out, struct err *e)
	_must_check_; /* 1, 0, -1 */
void view_walk_skip(struct view_walk *w); /* what is below the directory told last */
void view_walk_close(struct view_walk *w);
DEFINE_CLEANUP(struct view_walk, view_walk_close)
