/* SPDX-License-Identifier: Apache-2.0 */
/* explain/copy_miss.h: COPY --from with a path that is not there. Looks only at a view, so that
 * build/ (which lies lower and cannot include this) may be given it as a callback. */
#pragma once
#include "base/attr.h"
#include "base/slice.h"

struct err;
struct view;

struct copy_miss {
	const char *path;        /* source as written, after expansion: "hello", "/app/x" */
	const char *stage;       /* as it stands after --from= */
	const char *workdir;     /* WORKDIR of that stage at its end, NULL or "": "/" */
	const char *instruction; /* its text, one line, for the mend; NULL: one is made up */
	const char *dest;        /* for the made-up one; NULL: "." */
};

/* Fills *e (ERR_USER) with the file that was looked for, why (COPY --from starts at the stage's /,
 * its WORKDIR is not used), where the file really is, the line to write instead, and near matches:
 * the same base name elsewhere, higher layers first (what the stage itself made), then names like it in
 * the directory.
 * Always -1. */
int explain_copy_miss(struct view *v, const struct copy_miss *m, struct err *e);
