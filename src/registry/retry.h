/* SPDX-License-Identifier: Apache-2.0 */
/* registry/retry.h: how long to wait before a request is sent again. Back-off: 0.2 s, doubled each
 * time, with jitter, at most 10 s; or what the server asks for with Retry-After (RFC 9110 §10.2.3).
 * Tests set THIMBLE_TEST_RETRY_MS, which replaces every pause. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct err;

#define RETRY_PATIENCE 120 /* seconds; a server that asks for more is not waited for */

/* Statuses that a second try may mend: 408, 429, 500, 502, 503, 504. */
bool retry_status(int status);
/* A Retry-After header (NULL: none) in nanoseconds from now: seconds or an IMF-fixdate. -1 if there
 * is none that can be read; more than RETRY_PATIENCE is told as it is. */
int64_t retry_after(const char *header);
/* The pause after failure number `attempt` (from 0); after: retry_after's, or -1. */
int64_t retry_pause(unsigned attempt, int64_t after);
/* Waits so many nanoseconds. -1 (ERR_SYS, EINTR): a signal came (base/interrupt.h). */
int retry_wait(int64_t ns, struct err *e) _must_check_;
