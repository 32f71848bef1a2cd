/* SPDX-License-Identifier: Apache-2.0 */
/* build/miss.h: a source of COPY or ADD that is not there: why, and what to write instead. */
#pragma once
#include "build/plan.h"

/* Replaces *e. */
void miss_explain(struct plan *p, struct source_tree *t, const struct node *n, const char *path,
		  const struct plan_source *from, struct err *e);
