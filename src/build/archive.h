/* SPDX-License-Identifier: Apache-2.0 */
/* build/archive.h: ADD of a local archive: told by its first bytes, not by its name. */
#pragma once
#include "build/source.h"

/* 1: *out is a tree of the unpacked archive (the caller ends and frees it); 0: the file is not a
 * tar archive, plain or compressed with gzip, bzip2, xz or zstd. Unpacked once for each content:
 * kept as a snapshot. */
int archive_open(struct layer_set *l, struct source_tree *from, const struct view_hit *file,
		 struct source_tree **out, struct err *e) _must_check_;
