/* SPDX-License-Identifier: Apache-2.0 */
/* build/exec.h: carries a plan out. Each step that is not cached runs in a child process of its
 * own (a fork, nothing is executed anew): steps that do not need each other run at once, one that
 * dies takes nothing with it, and the planner stays single-threaded. */
#pragma once
#include "build/plan.h"

int exec_plan(struct plan *p, struct err *e) _must_check_;

/* ---- step.c: what a child does; each makes the snapshot of its node and tells its id ---- */
int step_run(struct plan *p, struct node *n, int out_fd, int err_fd, char id[static SNAP_ID],
	     struct err *e) _must_check_;
int step_workdir(struct plan *p, struct node *n, char id[static SNAP_ID], struct err *e) _must_check_;
int step_copy(struct plan *p, struct node *n, char id[static SNAP_ID], struct err *e) _must_check_;

/* ---- keys.c: the key of a node whose inputs are done. ---- */
int node_key(struct plan *p, struct node *n, struct err *e) _must_check_;

/* ---- chain.c: the layers up to a node ---- */
void chain_snaps(const struct node *n, struct strs *out);   /* lowest first */
struct base *chain_base(const struct node *n);
/* The files of a node's state. The node owns them; they are there until another step that stands on
 * it alone has been made and looked into. */
int chain_tree(struct plan *p, struct node *n, struct source_tree **out, struct err *e) _must_check_;
/* A small file of the state without loading any index if it can be helped (passwd, group): 1, 0, -1. */
int chain_read(struct plan *p, struct node *n, const char *path, size_t max, struct buf *out,
	       struct err *e) _must_check_;
/* Files of new layers are to be no younger than the epoch. */
bool chain_rewrites(const struct plan *p);
/* Digests (for an exported node also the tar stream's), then commit. `known`: all are there, and this
 * is the stream's, whose size is in the draft; else NULL. */
int chain_commit(struct plan *p, struct node *n, struct snap_draft *d, struct index *x,
		 const struct tree_stream *known, char id[static SNAP_ID], struct err *e) _must_check_;
