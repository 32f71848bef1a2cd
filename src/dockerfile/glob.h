/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/glob.h: the patterns of ${v#p}, ${v%p} and ${v/p/r}: '*' any text and '?' one
 * character (neither a newline), a backslash before '*', '?' and itself; '[' is itself.
 * A pattern is walked once over all positions of the value at the same time, so the time is
 * pattern x value, whatever the pattern. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"

struct err;

/* *work is counted down by what was done; at 0 the calls fail with ERR_DATA. */
#define GLOB_WORK (1u << 27)

/* Length of the prefix (suffix) of value that matches: the shortest, or the longest. -1 in *len if
 * none does. */
int glob_prefix(struct slice pattern, struct slice value, bool longest, uint64_t *work,
		ptrdiff_t *len, struct err *e) _must_check_;
int glob_suffix(struct slice pattern, struct slice value, bool longest, uint64_t *work,
		ptrdiff_t *len, struct err *e) _must_check_;
/* value with the first (all) longest matches from the left replaced, appended to out. */
int glob_replace(struct slice pattern, struct slice value, struct slice with, bool all,
		 uint64_t *work, struct buf *out, struct err *e) _must_check_;
