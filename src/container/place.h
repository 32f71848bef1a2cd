/* SPDX-License-Identifier: Apache-2.0 */
/* container/place.h: the directory of a run below containers/, locked while the run lives:
 *	containers/NAME/tree   what the program changes (overlay's upper directory)
 *	containers/NAME/work
 *	containers/NAME/vN     fresh volumes
 * To make and to remove directories takes as long as to mount everything, so the place of a run that
 * changed nothing is kept for the next one, one in a store:
 *	spare/tree             empty
 *	spare/work             as overlay has left it; called "old" when the next run has its own, and
 *	                       removed while that one's program runs */
#pragma once
#include "base/attr.h"
#include "store/store.h"

struct place {
	char *id;     /* 12 hex digits */
	char *path;   /* "containers/NAME" */
	char *upper, *work;
	int dirfd;    /* locked */
	bool has_old; /* place_tidy has something to do */
};
#define PLACE_INIT { .dirfd = -1 }

/* name: of --name, or NULL: the id. ERR_USER if a living run has it. */
int place_open(struct store *s, const char *name, struct place *out, struct err *e) _must_check_;
/* Removes what an earlier run left in it: at leisure, when the program runs. */
void place_tidy(const struct place *p);
/* Removes it, or keeps it for the next run. */
int place_close(struct store *s, struct place *p, struct err *e);
