/* SPDX-License-Identifier: Apache-2.0 */
/* base/term.h: text that came from outside, made fit for a terminal. */
#pragma once
#include "base/slice.h"

struct buf;
/* Control bytes (but newline and tab if `lines`), DEL, C1, marks that turn the direction of text
 * (U+202E …), and invalid UTF-8 become \xNN. */
void term_escape(struct slice s, bool lines, struct buf *out);
/* Columns that a UTF-8 string takes (as wcwidth, in any locale; control bytes count 0). */
size_t term_width(struct slice s);
