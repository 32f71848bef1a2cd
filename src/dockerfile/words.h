/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/words.h: how the rest of an instruction's line is cut into words. No variables are
 * looked at here: that is expand.h. */
#pragma once
#include <stdbool.h>
#include "base/arena.h"
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct words;

static inline bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Cuts off the first run of non-blanks; *rest is what follows it, trimmed on the left. */
struct slice words_first(struct slice *rest);
/* Leading words that start with "--", quotes and escapes removed, are appended to out; *rest moves
 * behind them. "--" alone ends them and is not told. */
void words_flags(struct slice *rest, char escape, struct strs *out);
/* Split at blanks, quotes are ordinary. Views into text. */
struct slices {
	ARRAY_OF(struct slice) list;
};
void words_plain(struct slice text, struct slices *out);
/* Split at blanks outside of quotes, the escape character honoured; quotes and escapes stay. */
void words_quoted(struct slice text, char escape, struct strs *out);
/* Length of the word at the start of s, up to a blank outside of quotes. *open: a quote in it is not
 * closed, and all of s is the word. */
size_t words_quoted_len(struct slice s, char escape, bool *open);
/* A JSON array of strings: 1 and its strings appended; 0 if the text is no JSON array; -1 if it is
 * one but holds something else than strings; -2 if one of them holds a NUL. What counts as JSON is what Go's
 * encoding/json takes (dockerfile.md §1). */
int words_json(struct slice text, struct strs *out) _must_check_;

struct words words_keep(struct arena *arena, const struct strs *l);
