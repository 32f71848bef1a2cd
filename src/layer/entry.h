/* SPDX-License-Identifier: Apache-2.0 */
/* layer/entry.h: single entries, for the files of this room. */
#pragma once
#include "layer/index.h"

/* A deep copy into `a`; `path` becomes its path. */
void entry_copy(struct arena *a, const struct entry *src, const char *path, struct entry *out);

/* Renumbers hard-link groups in the order of the (sorted) entries, from 1; a group with one member
 * is none. So the index depends on what is linked, not on how it was found. */
void index_settle_groups(struct index *x);

/* What overlayfs wrote about a file beside its own attributes. */
struct overlay_marks {
	bool opaque_trusted,
		opaque_user; /* "trusted.overlay.opaque", "user.overlay.opaque" are "y" */
	bool redirect, metacopy; /* the file is not whole without its lower layers */
};

/* As entry_from_file, and tells overlay's marks (may be NULL). Escaped names of a nested overlay
 * ("trusted.overlay.overlay.x") come back without the escape; tree_set_meta puts it on again. */
int entry_read(struct arena *a, int dirfd, const char *name, const struct stat *st,
	       struct entry *out, struct overlay_marks *marks, struct err *e) _must_check_;

/* True for labels that a machine puts on its files by its own policy; no part of an image. */
bool xattr_is_hosts(const char *name);

/* True for "trusted.overlay.…" and "user.overlay.…". */
bool xattr_is_overlay(const char *name);

/* A capability value in the form that the index keeps: v3 (24 bytes, with the root id of a user
 * namespace) becomes v2 (20 bytes), in place; linux/capability.h. Others stay. */
void xattr_cap_to_v2(struct xattr *x);

/* Digest and length of what is left in fd. */
int entry_digest_fd(int fd, uint64_t *size, struct digest *out, struct err *e) _must_check_;

/* Both have the same xattrs. */
bool entry_same_xattrs(const struct entry *a, const struct entry *b);

/* "file", "directory" … for messages. */
const char *entry_type_name(enum entry_type t);
