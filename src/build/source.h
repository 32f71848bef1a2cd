/* SPDX-License-Identifier: Apache-2.0 */
/* build/source.h: where COPY and ADD take files from: the build context, a named directory, a
 * stage, an image, this machine's root (rootfs:/). All are seen as a merged view (layer/view.h);
 * bytes are opened through it.
 *
 * A directory of this machine is never walked further than a COPY asks: the view's bottom looks up
 * one name at a time, with the ignore rules applied. */
#pragma once
#include "base/map.h"
#include "dockerfile/ignore.h"
#include "layer/view.h"
#include "store/ctxcache.h"
#include "store/image.h"

/* Snapshots opened once a process, with their indexes: most stacks of a build share most layers, and
 * forked children find open what their parent opened. */
struct layer_set {
	struct store *store;
	struct map snaps;             /* id -> struct snap * */
};
void layer_set_done(struct layer_set *l);

struct source_tree {
	struct store *store;
	struct view *view;            /* its own, below */
	/* a directory of this machine */
	int dirfd;                    /* -1: none */
	char *path;                   /* absolute, for messages */
	struct ignore *ignore;        /* rules, or NULL */
	char *ignore_name;            /* ".dockerignore", for messages */
	bool (*allowed)(const char *key); /* NULL: everything; rootfs:/ has a list */
	char *list_key;               /* directory whose descriptor is kept */
	int list_fd;
	struct view own_view;
	struct view_bottom bottom;
	struct ctxcache *digests;
	dev_t told_dev;               /* the device that was last asked about, if any_told */
	bool any_told, told;          /* its ctime tells of changed attributes */
	ARRAY_OF(struct snap *) layers; /* borrowed from a layer_set; lowest first */
	struct source_tree *under;    /* beneath the layers; borrowed, or NULL */
};
#define SOURCE_TREE_INIT { .dirfd = -1, .list_fd = -1 }

/* A directory. ignore_text.p NULL: no rules. Owners are told as 0:0 (client ids are dropped),
 * sockets as empty regular files. `out` must not move afterwards. */
int source_tree_dir(struct store *s, const char *path, struct slice ignore_text,
		    const char *ignore_name, struct source_tree *out, struct err *e) _must_check_;
/* A stack of snapshots, lowest first; `under` lies beneath them (or NULL). */
int source_tree_layers(struct layer_set *l, char *const *snaps, size_t n, struct source_tree *under,
		       struct source_tree *out, struct err *e) _must_check_;
/* One layer more on top of another stack; `take`: that one is not needed any more and ends. */
int source_tree_above(struct layer_set *l, struct source_tree *below, bool take, const char *snap,
		      struct source_tree *out, struct err *e) _must_check_;
void source_tree_done(struct source_tree *t);

/* O_RDONLY descriptor of a regular file's bytes (O_PATH for a socket, told as empty); as callback for layer/tree.h. */
int source_tree_open(struct source_tree *t, const struct view_hit *hit, struct err *e) _must_check_;
int source_tree_open_cb(void *t, const struct view_hit *hit, struct err *e);
/* The whole text of a small file, links followed: 1, 0 if it is not there, -1. */
int source_tree_read(struct source_tree *t, const char *path, size_t max, struct buf *out,
		     struct err *e) _must_check_;

/* Digests of regular files, all at once on several threads. Those of a directory come from and go
 * to its ctxcache, those of layers to the store's cache. */
struct source_want {
	struct source_tree *tree;
	struct view_hit hit;
	struct digest digest;  /* out */
};
int source_digests(struct source_want *want, size_t n, struct err *e) _must_check_;
/* An entry that a directory (not a layer) gave: as it was when it was looked at; and the digest that
 * the directory's cache has of it, or NULL. */
void source_seen(const struct entry *ent, struct stat *out);
const struct digest *source_recalled(const struct entry *ent);
bool source_is_same(const struct entry *ent, const struct stat *st);
/* True if the file still is what source_digests read. */
bool source_unchanged(const struct source_want *w, int fd);
