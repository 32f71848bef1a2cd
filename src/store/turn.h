/* SPDX-License-Identifier: Apache-2.0 */
/* store/turn.h: work that several processes may be about to do at the same moment, such as one step
 * of a Dockerfile in eight builds: the first does it, the others wait for what it makes.
 *
 *	struct turn t = TURN_INIT;
 *	if (turn_take(s, &key, told, ctx, &t, e) < 0) return -1;
 *	r = look_whether_it_is_done(key);       // again: it may have been done meanwhile
 *	if (r == 0) r = do_it(key);
 *	turn_end(&t, r >= 0);
 *
 * At most one turn a process. Who holds one takes no other, so turns cannot wait for each other. */
#pragma once
#include "store/store.h"

struct turn {
	int fd;
	uint64_t slot;
};
#define TURN_INIT { -1, 0 }

/* Waits while another process does the work of this key; `waits` (or NULL) is called once if that
 * takes more than a second. Returns without a turn (fd -1), for the work to be done side by side,
 * when the one before has failed, so that eight builds do not fail one after the other, and when it
 * is stopped (^Z). A process that dies loses its turn. */
int turn_take(struct store *s, const struct digest *key, void (*waits)(void *ctx), void *ctx,
	      struct turn *t, struct err *e) _must_check_;
void turn_end(struct turn *t, bool done); /* fine on TURN_INIT */
