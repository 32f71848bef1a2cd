/* SPDX-License-Identifier: Apache-2.0 */
/* store/owner.h: whose a store is: who we are, and what its stamp says. */
#pragma once
#include "store/internal.h"

#define STAMP_MAX 4096 /* bytes */

struct owner {
	bool user; /* not the machine's root */
	bool entered; /* in a namespace made for one user, where that user is 0 */
	bool ids_known;
	struct store_ids ids;
};

/* ERR_DENIED: /proc does not tell. */
int owner_find(const struct store_opts *o, struct owner *out, struct err *e) _must_check_;
/* The store's directory is ours, and nobody else could write there; else ERR_DENIED. */
int owner_check(const struct store *s, struct err *e) _must_check_;

int stamp_write(struct store *s, const struct owner *who, struct err *e) _must_check_;
/* text: the stamp's. Ids of *who that are not known are taken from it. 1: fine, 0: fine but without
 * the range that is known now, -1: the store is for somebody else, of another format, or damaged. */
int stamp_check(struct store *s, struct slice text, struct owner *who, struct err *e) _must_check_;
