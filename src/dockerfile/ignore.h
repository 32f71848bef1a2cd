/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/ignore.h: .dockerignore and --exclude: which paths are left out.
 * Semantics of moby/patternmatcher: rules in order, the last that matches wins; a rule that
 * matches a directory covers all below it; "!" lets in again.
 *
 *	struct ignore ign = { 0 };
 *	if (ignore_parse(text, ".dockerignore", &ign, e) < 0) …
 *	if (ignore_match(&ign, SL("a/b"), &rule)) … left out, by rule->line
 *
 * Matching takes time linear in rules x (length of pattern x length of path), never more. */
#pragma once
#include <stdbool.h>
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct err;

#define IGNORE_MAX (1u << 20)     /* bytes of a .dockerignore */
#define IGNORE_PATTERN_MAX 4096   /* bytes of one pattern */

struct ignore_rule {
	char *text;        /* as written, trimmed */
	char *pattern;     /* cleaned, without '!' and leading '/' */
	bool negated;      /* "!": lets in */
	unsigned line;     /* in the file, from 1; 0: not from a file */
	/* ignore.c's own: */
	struct ignore_token *tokens;
	size_t tokens_n;
	unsigned char form;
	unsigned depth;    /* components of the pattern */
	bool deep;         /* holds "**" */
};
struct ignore {
	ARRAY_OF(struct ignore_rule) rules;
	bool has_negated;
	char *file;        /* name for messages, or NULL */
};

/* Adds the rules of a file. ERR_DATA with the line: lone "!", malformed pattern. */
int ignore_parse(struct slice text, const char *name, struct ignore *out, struct err *e) _must_check_;
/* Adds one pattern (--exclude). */
int ignore_add(struct ignore *ign, struct slice pattern, struct err *e) _must_check_;
void ignore_done(struct ignore *ign);

/* Is `path` (relative to the root, cleaned, no leading or trailing '/') left out? *by (may be
 * NULL): the rule that decided, NULL if none matched. "" and "." are never left out. */
bool ignore_match(const struct ignore *ign, struct slice path, const struct ignore_rule **by);
/* For a directory that is left out: can a later "!" rule let in something below it? If not, the
 * directory need not be entered. */
bool ignore_may_include_below(const struct ignore *ign, struct slice dir);
/* True if a rule such as "*", "**" or "**" "/" "*" leaves out everything (for the check of
 * COPY . with an ignored context). */
bool ignore_hides_all(const struct ignore *ign);
