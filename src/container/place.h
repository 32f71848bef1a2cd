/* SPDX-License-Identifier: Apache-2.0 */
/* container/place.h: the directory of a run below containers/, locked while the run lives:
 *	containers/NAME/tree   what the program changes (overlay's upper directory)
 *	containers/NAME/work
 *	containers/NAME/vN     fresh volumes */
#pragma once
#include "base/attr.h"
#include "store/store.h"

struct place {
	char *id;     /* 12 hex digits */
	char *path;   /* "containers/NAME" */
	char *upper, *work;
	int dirfd;    /* locked */
};
#define PLACE_INIT { .dirfd = -1 }

/* name: of --name, or NULL: the id. ERR_USER if a living run has it. */
int place_open(struct store *s, const char *name, struct place *out, struct err *e) _must_check_;
/* Removes it. */
int place_close(struct store *s, struct place *p, struct err *e);
