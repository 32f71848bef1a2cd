/* SPDX-License-Identifier: Apache-2.0 */
/* layer/meta.h: metadata of a file just written, by its descriptor. */
#pragma once
#include "layer/tree.h"

/* As tree_set_meta, for a regular file open for writing. */
int meta_set_fd(int fd, const struct entry *ent, const struct tree_opts *o, struct err *e)
	_must_check_;
/* The id that the tree can hold for one of the index. */
uint32_t meta_uid(const struct entry *ent, const struct tree_opts *o);
uint32_t meta_gid(const struct entry *ent, const struct tree_opts *o);
/* False where the index alone holds this xattr: the kernel allows "user." only on files and
 * directories, and a user namespace may not set "trusted." and the like. */
bool meta_xattr_in_tree(const struct entry *ent, const char *name, const struct tree_opts *o);
/* Entry is a device that the tree holds as an empty file. */
bool meta_is_stand_in(const struct entry *ent, const struct tree_opts *o);
/* "trusted.overlay." or "user.overlay.", and `what`. */
const char *meta_overlay_name(const struct tree_opts *o, const char *what, struct buf *out);
