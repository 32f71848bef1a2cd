/* SPDX-License-Identifier: Apache-2.0 */
/* explain/compare.h: the rows of `thimble compare`: how big each image is, whether it works, and
 * where it does not, why and what to do. The caller prints. */
#pragma once
#include <stdint.h>
#include "base/err.h"
#include "explain/explain.h"
#include "store/image.h"

enum compare_state {
	COMPARE_WORKS,     /* exit status 0 within the time, or still running then */
	COMPARE_FAILS,
	COMPARE_NOT_BUILT, /* the last build of this name failed */
};
const char *compare_state_name(enum compare_state s); /* "works", "fails", "not built" */

/* What became of one run. */
struct compare_run {
	bool running;      /* it still ran when the time was over */
	int status;        /* exit status as a shell has it; 126, 127: not executed, if exec_errno */
	int exec_errno;    /* not 0: it could not be executed */
	int64_t ns;
	char *output;      /* its last lines of stderr (or stdout), or NULL; the caller frees */
};

void compare_run_done(struct compare_run *r);

#define COMPARE_FOR_NS INT64_C(5000000000)

struct compare_opts {
	int64_t for_ns;          /* 0: COMPARE_FOR_NS */
	/* Runs the image's command without network for at most `ns`. 0; -1: it could not be tried.
	 * compare_by_container with the store as ctx, or a test's own; NULL: nothing is run, what
	 * explain finds decides. */
	int (*probe)(void *ctx, const struct image *im, int64_t ns, struct compare_run *out, struct err *e);
	void *ctx;
};

struct compare_row {
	char *name;              /* as people see it: "hello:gcc" */
	enum compare_state state;
	uint64_t size;           /* 0 if not built */
	double smaller;          /* the largest row's size divided by this one's; 0 if not known */
	unsigned layers;
	struct compare_run run;  /* of a row that was run */
	char *why;               /* for a table cell; NULL if it works */
	char *mend;              /* the first way out, or NULL; may have several lines */
	struct explanation x;    /* all of them; cause CAUSE_NONE if nothing is known but `why` */
	struct err error;        /* COMPARE_NOT_BUILT: of the build. COMPARE_FAILS: the image could not be tried */
};
struct compare_rows {
	struct compare_row *p;
	size_t n, cap;
};
void compare_rows_done(struct compare_rows *r);

/* A row for each name (as given: the caller expands a NAME into its tags), smallest first, those that
 * are not built last; in the order given where equal. A name whose last build failed counts as not
 * built though an older image may have it. -1: a name that does not exist at all (ERR_ABSENT), or
 * the store fails. An image that cannot be tried is a row that fails. */
int compare_images(struct store *s, const struct strs *names, const struct compare_opts *o,
		   struct compare_rows *out, struct err *e) _must_check_;
bool compare_all_work(const struct compare_rows *r);

/* A probe by container_probe (container/run.h): ctx is the struct store. */
int compare_by_container(void *store, const struct image *im, int64_t ns, struct compare_run *out, struct err *e) _must_check_;
