/* SPDX-License-Identifier: Apache-2.0 */
/* build/tar_follow.h: the digest of a layer's tar stream, found by a second thread behind the one
 * that writes the tree: what has been written is still in memory, and the two take turns waiting
 * for different things. Only in children of a build (a planner has one thread). */
#pragma once
#include "layer/tree.h"

struct tar_follow;
/* NULL where it is not worth it (little to read) or cannot be: then sum it when all is written. */
struct tar_follow *tar_follow_start(int treefd, const struct index *x);
/* Entries of the index before this one are whole, their bytes at least. Fine on NULL. */
void tar_follow_until(struct tar_follow *f, size_t entry);
/* Waits for the end; frees. `whole`: the tree is finished, else the sum is given up (-1). */
int tar_follow_end(struct tar_follow *f, bool whole, struct tree_stream *out, struct err *e)
	_must_check_;
