/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/dockerfile.h: a whole Dockerfile: instructions, stages, directives, warnings.
 *
 *	_cleanup_(dockerfile_done) struct dockerfile df = { 0 };
 *	if (dockerfile_parse(text, "Dockerfile", &df, e) < 0) …
 *	for (size_t i = 0; i < df.globals; i++) … df.instrs.p[i] is an ARG before the first FROM
 *	arr_each(st, &df.stages)
 *		for (size_t i = st->first; i < st->end; i++)
 *			if (instr_expand(&df.instrs.p[i], &env, &arena, &in, e) < 0) …
 */
#pragma once
#include "dockerfile/checks.h"
#include "dockerfile/expand.h"
#include "dockerfile/instr.h"

struct dockerfile_stage {
	const char *name;     /* lower case; NULL: none */
	unsigned index;       /* from 0 */
	size_t from;          /* its FROM in instrs */
	size_t first, end;    /* its instructions: instrs.p[first] up to, not including, end */
};

struct dockerfile {
	struct arena arena;
	const char *file;     /* name for messages */
	struct lex_directives directives;
	ARRAY_OF(struct instr) instrs;
	size_t globals;       /* instrs.p[0 .. globals) are the ARGs before the first FROM */
	ARRAY_OF(struct dockerfile_stage) stages;
	struct check_opts checks;
	ARRAY_OF(struct check_warning) warnings;
};

/* The text may end after the call. Refused besides errors in the language: a frontend (syntax)
 * that is not docker/dockerfile; `syntax` (build argument BUILDKIT_SYNTAX, or NULL) wins over the
 * file's own. `check` (BUILDKIT_DOCKERFILE_CHECK, or NULL) replaces the check directive. */
int dockerfile_parse_with(struct slice text, const char *file, const char *syntax, const char *check,
			  struct dockerfile *out, struct err *e) _must_check_;
int dockerfile_parse(struct slice text, const char *file, struct dockerfile *out, struct err *e)
	_must_check_;
void dockerfile_done(struct dockerfile *df);

/* One instruction that stands alone: an ONBUILD trigger of a base image, or --change. FROM,
 * MAINTAINER and ONBUILD are refused for a trigger. `at`: the place errors point at (the FROM
 * line), or NULL; the instruction's span is it. */
int dockerfile_parse_trigger(struct slice text, const struct err_span *at, struct arena *arena,
			     struct instr *out, struct err *e) _must_check_;
int dockerfile_parse_change(struct slice text, struct arena *arena, struct instr *out, struct err *e)
	_must_check_;

/* Stage by name (case ignored), NULL if there is none. Of several with the same name the last one
 * (COPY, mounts, --target), or, with `before` < SIZE_MAX, the last of those with a smaller index
 * (FROM: there the name is compared as it is, so pass it unchanged and exact = true). */
const struct dockerfile_stage *dockerfile_stage_find(const struct dockerfile *df, const char *name,
						     size_t before, bool exact);
/* The stage whose name is nearest to `name`, for hints; NULL if none is near. */
const char *dockerfile_stage_near(const struct dockerfile *df, const char *name);

/* Adds a warning unless its rule is skipped for the file or the instruction (in may be NULL). */
void dockerfile_warn(struct dockerfile *df, enum check_rule rule, const struct instr *in, int stage,
		     const char *word, const char *fmt, ...) _printf_(6, 7);
/* UndefinedVar: "Usage of undefined variable '$x' (did you mean $y?)". */
void dockerfile_warn_unset(struct dockerfile *df, const struct instr *in, int stage, const char *name,
			   const char *const *known, size_t known_n);
