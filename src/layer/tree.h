/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tree.h: between an index and a directory that overlayfs can use as a layer. */
#pragma once
#include "layer/index.h"
#include "layer/view.h"

struct sink;
struct source;

/* How overlay's marks are written and read: root uses trusted.overlay.*, a user namespace
 * user.overlay.*. Whiteouts are character devices 0:0 in both. */
enum tree_mode { TREE_TRUSTED, TREE_USER };

struct tree_opts {
	enum tree_mode mode;
	uint32_t uid_max, gid_max; /* ids above cannot be set here (user namespace): set as 0 in the
				      tree, kept in the index; UINT32_MAX: all can */
	bool devices;              /* device nodes can be made; else an empty file stands for them */
	uint64_t max_bytes;        /* 0: no limit; else ERR_DATA when a layer expands beyond it */
	uint64_t max_entries;      /* 0: 4 million */
	uint64_t max_about;        /* bytes of names, link targets and attributes of one archive; 0: 512 MiB */
};

/* Unpacks a layer's tar stream (decompressed) into the empty directory treefd and fills *out, with
 * digests. Nothing outside treefd is touched whatever the stream says; whiteouts (".wh.") become
 * overlay's; overlay's own xattrs in the stream are dropped; devices 0:0 refused. Format: OCI
 * layer.md; ustar, pax, GNU long names, GNU and pax sparse, base-256 numbers. `tar` is read to its
 * end, by a thread of its own until this returns. `sum` (may be NULL) gets the digest and length of
 * the stream, taken together with the files' digests, which is cheaper than hashing it on its way.
 * Directories that the stream does not list are made 0755 0:0, time 0, and are in the index. A
 * root entry that is opaque hides all lower layers, which overlayfs itself does not do: whoever
 * mounts must leave them out. */
struct tree_stream {
	struct digest digest;
	uint64_t size;
};
int tree_apply(int treefd, struct source *tar, const struct tree_opts *o, struct tree_stream *sum,
	       struct index *out, struct err *e) _must_check_;
/* The same for an ordinary archive (ADD, import): ".wh." names are plain files. Goes below `dest`
 * (key) through the links of view `under` (may be NULL): see build. Members of a root file system
 * tar (import) also may have device nodes. */
int tree_unpack(int treefd, struct source *tar, const struct tree_opts *o, struct index *out,
		struct err *e) _must_check_;

/* Reads what overlayfs left in an upper directory: whiteouts, opaque marks, copied-up files. What
 * was copied up but equals `lower` (type, mode, owner, mtime, xattrs, content by size and bytes)
 * is dropped from the index and from the tree; sockets are removed; directories above a change
 * are listed; the root "" only if its mode, owner or xattrs differ, since every mount point moves
 * its time. Digests are not filled in (but for what had to be compared).  `lower_open` opens the bytes of a hit for comparing. */
struct tree_lower {
	struct view *view;
	int (*open)(void *ctx, const struct view_hit *hit, struct err *e); /* O_RDONLY descriptor, -1 */
	void *ctx;
};
int tree_diff(int upperfd, const struct tree_opts *o, const struct tree_lower *lower,
	      struct index *out, struct err *e) _must_check_;

/* Makes (dirfd, name) of the tree have the entry's owner, mode, xattrs and times (in this order).
 * For the type FILE, DIR …; whiteouts and links are made by tree_make. */
int tree_set_meta(int dirfd, const char *name, const struct entry *ent, const struct tree_opts *o,
		  struct err *e) _must_check_;
/* Makes a directory, symlink, device, fifo or whiteout for the entry. Not files. */
int tree_make(int dirfd, const char *name, const struct entry *ent, const struct tree_opts *o,
	      struct err *e) _must_check_;
/* Writes overlay's opaque mark. */
int tree_set_opaque(int dirfd, const char *name, const struct tree_opts *o, struct err *e) _must_check_;

/* Fills in the missing content digests from the tree (several threads), and refuses (ERR_DATA,
 * naming the path) a tree whose types or sizes are not those of the index. */
int tree_digest(int treefd, struct index *x, struct err *e) _must_check_;
/* Compares the tree with its index (all digests present); ERR_DATA names the first difference. */
int tree_verify(int treefd, const struct index *x, struct err *e) _must_check_;

/* The layer as a canonical tar stream (design.md §4, "Canonical diff"): a function of the index
 * and of the bytes only. `clamp` >= 0: mtimes later than it become it (rewrite-timestamp). */
int tree_write_tar(int treefd, const struct index *x, int64_t clamp, struct sink *out, struct err *e) _must_check_;
/* The digest (diff id) and length of that stream, of which nothing is kept. Content digests that the
 * index lacks are filled in from the same reads. */
int tree_sum(int treefd, struct index *x, struct tree_stream *out, struct err *e) _must_check_;
/* The same behind somebody who still writes the tree: `wait` returns when this entry of the index is
 * there, or -1 when it never will be (then -1 without a word). Digests are not filled in. */
struct tree_gate {
	int (*wait)(void *ctx, size_t entry);
	void *ctx;
};
int tree_sum_behind(int treefd, const struct index *x, const struct tree_gate *gate,
		    struct tree_stream *out, struct err *e) _must_check_;

/* A merged view as one tar stream: flattened root file system (export, -o tar, cp DIR -).
 * `open` opens a hit's bytes. `strip`: only what is below this key, named relative to it. */
int tree_write_view(struct view *v, const char *strip, int (*open)(void *, const struct view_hit *, struct err *),
		    void *ctx, int64_t clamp, struct sink *out, struct err *e) _must_check_;
