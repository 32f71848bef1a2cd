/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/expand.h: variables and quotes in words, as the builder (not a shell) reads them:
 * $a ${a} ${a:-w} ${a-w} ${a:+w} ${a+w} ${a:?m} ${a?m} ${a#p} ${a##p} ${a%p} ${a%%p} ${a/p/r} ${a//p/r}.
 *
 * Bounds: a result is at most EXPAND_MAX bytes, nesting at most EXPAND_DEPTH, and pattern work is
 * counted, so hostile text ends in an error instead of in hours. */
#pragma once
#include <stdbool.h>
#include "base/arena.h"
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct err;

#define EXPAND_MAX (1u << 20)
#define EXPAND_HEREDOC_MAX (8u << 20) /* of a here-document's body */
enum { EXPAND_DEPTH = 64 };

struct expand_env {
	/* Value of a variable, or NULL if it is not set. */
	const char *(*get)(void *ctx, struct slice name);
	/* Told of each use of a variable that is not set and has no word of its own for that case
	 * (UndefinedVar). May be NULL. */
	void (*unset)(void *ctx, struct slice name);
	/* Told of each use of a variable that is set (for cache keys). May be NULL. */
	void (*used)(void *ctx, struct slice name);
	void *ctx;
	char escape; /* '\\' or '`'; 0 means '\\' */
};

/* One word or one-argument instruction: variables, quotes and escapes done; blanks are kept. The
 * string is in the arena; NULL and *e on error. */
char *expand_word(struct slice word, const struct expand_env *env, struct arena *arena, struct err *e)
	_must_check_;
/* Then split at blanks outside of quotes (EXPOSE): words are appended. */
int expand_words(struct slice text, const struct expand_env *env, struct strs *out, struct err *e)
	_must_check_;
/* Body of an unquoted here-document of COPY and ADD: variables, quotes untouched, the escape
 * character (always a backslash) takes itself away before any character. */
char *expand_heredoc(struct slice body, const struct expand_env *env, struct arena *arena,
		     struct err *e) _must_check_;
/* True if the text holds a variable ('$' before something that is a name, '{' or special). */
bool expand_has_vars(struct slice text, char escape);
