/* SPDX-License-Identifier: Apache-2.0 */
/* build/copy_job.h: one COPY or ADD of a plan (or a bind mount of RUN): its sources opened, its
 * files selected. Made when the node's key is wanted and not remembered, or when the step runs. */
#pragma once
#include "build/exec.h"

struct copy_job {
	struct copy_spec spec;
	ARRAY_OF(struct copy_arg) args;
	ARRAY_OF(struct source_tree *) trees;  /* opened for this job; others are the plan's */

	struct ignore exclude;
	bool has_exclude;
	struct copy_selection sel;
};
/* n->job is there afterwards. */
int copy_job_ready(struct plan *p, struct node *n, struct err *e) _must_check_;
/* What a RUN --mount=type=bind shows: `path` of a source, to be laid at "/". */
int copy_job_bind(struct plan *p, const struct node *n, const struct plan_source *from, const char *path, int64_t now,
		  struct copy_job **out, struct err *e) _must_check_;
/* The directory that a bind mount shows, whose owner and mode it has; NULL if it is a file, or the root
 * of a directory of this machine, whose own are nobody's business. */
const struct entry *copy_job_top(const struct copy_job *j);
void copy_job_free(struct copy_job *j);
