/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/dockerfile.h"

#include <stdarg.h>

#include "base/buf.h"
#include "dockerfile/words.h"

/* docker/dockerfile in any spelling is the language that is built in here. */
static bool is_our_frontend(struct slice ref)
{
	struct slice rest = ref, name = words_first(&rest);
	static const char *const hosts[] = { "docker.io/", "index.docker.io/", "registry-1.docker.io/" };
	if (slice_is(name, "dockerfile.v0"))
		return true;
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		if (slice_starts(name, slice_of(hosts[i])))
			name = slice_from(name, strlen(hosts[i]));
	return slice_starts(name, SL("docker/dockerfile"));
}

static int check_frontend(struct lex *l, const char *override, struct err *e)
{
	const char *ref = override ? override : l->directives.syntax;
	if (!ref || is_our_frontend(slice_of(ref)))
		return 0;
	err_set(e, ERR_USER, "the frontend '%s' is not supported", ref);
	if (override)
		return err_hint(e, "it comes from the build argument BUILDKIT_SYNTAX; thimble has the language of docker/dockerfile built in");
	struct err_span span = lex_span(l, l->directives.syntax_line, l->directives.syntax_line);
	err_at(e, &span);
	return err_hint(e, "thimble has the language of docker/dockerfile built in; remove the line if that is enough");
}

static int fail_order(const struct instr *in, struct err *e)
{
	err_set(e, ERR_USER, "no build stage in current context: %s stands before the first FROM",
		instr_name(in->kind));
	err_hint(e, "a stage begins with FROM; only ARG may stand before it");
	return instr_err_at(e, in, NULL);
}

static int add_instr(struct dockerfile *df, const struct instr *in, struct err *e)
{
	if (in->kind == INSTR_FROM) {
		if (df->stages.n == DOCKERFILE_STAGES_MAX)
			return err_set(e, ERR_DATA, "%s has more than %d stages", df->file,
				       DOCKERFILE_STAGES_MAX);
		if (!df->stages.n)
			df->globals = df->instrs.n;
		arr_push(&df->stages, (struct dockerfile_stage){ .name = in->stage_name,
								  .index = (unsigned)df->stages.n,
								  .from = df->instrs.n,
								  .first = df->instrs.n + 1,
								  .end = df->instrs.n + 1 });
	} else if (df->stages.n) {
		arr_last(&df->stages)->end = df->instrs.n + 1;
	} else if (in->kind != INSTR_ARG) {
		return fail_order(in, e);
	}
	arr_push(&df->instrs, *in);
	return 0;
}

static void warn_empty_line(struct dockerfile *df, struct lex *l, const struct lex_line *line,
			    const struct instr *in)
{
	if (!line->empty_line || df->checks.skip & 1u << CHECK_NO_EMPTY_CONTINUATION ||
	    df->warnings.n == CHECK_WARNINGS_MAX)
		return;
	struct check_warning w = {
		.rule = CHECK_NO_EMPTY_CONTINUATION,
		.detail = arena_printf(l->arena, "Empty continuation line in: %.200s%s", in->original,
				       strlen(in->original) > 200 ? "…" : ""),
		.span = in->span,
		.stage = df->stages.n ? (int)df->stages.n - 1 : -1,
	};
	arr_push(&df->warnings, w);
}

/* An instruction nobody knows is often the rest of the one above. */
static void hint_continuation(const struct dockerfile *df, const struct lex *l,
			      const struct lex_line *line, struct err *e)
{
	struct slice rest = line->text;
	if (instr_kind_of(words_first(&rest)) >= 0 || !df->instrs.n)
		return;
	const struct instr *above = arr_last(&df->instrs);
	if (above->span.last + 1 == line->span.first && !above->heredocs.n)
		err_hint(e, "if it belongs to the %s above, line %u must end in '%c'",
			 instr_name(above->kind), above->span.last, l->escape);
}

static int read_instrs(struct dockerfile *df, struct lex *l, struct err *e)
{
	struct lex_line line;
	int r;
	while ((r = lex_next(l, &line, e)) > 0) {
		struct instr in;
		if (df->instrs.n == DOCKERFILE_INSTRS_MAX)
			return err_set(e, ERR_DATA, "%s has more than %d instructions", df->file,
				       DOCKERFILE_INSTRS_MAX);
		if (instr_parse(&line, l->escape, l->arena, &in, e) < 0) {
			hint_continuation(df, l, &line, e);
			return -1;
		}
		if (add_instr(df, &in, e) < 0)
			return -1;
		warn_empty_line(df, l, &line, &in);
	}
	if (r < 0)
		return -1;
	if (!df->instrs.n) {
		err_set(e, ERR_DATA, "file with no instructions: %s", df->file);
		return err_hint(e, "the least one is 'FROM scratch'");
	}
	if (!df->stages.n) {
		err_set(e, ERR_USER, "dockerfile contains no stages to build");
		return err_hint(e, "a stage begins with FROM; %s has only ARG", df->file);
	}
	return 0;
}

static int read_checks(struct dockerfile *df, struct lex *l, const char *override, struct err *e)
{
	const char *text = override ? override : df->directives.check;
	if (!text || check_opts_parse(slice_of(text), &df->checks, e) == 0)
		return 0;
	if (override)
		return err_add(e, "build argument BUILDKIT_DOCKERFILE_CHECK");
	struct err_span span = lex_span(l, df->directives.check_line, df->directives.check_line);
	return err_at(e, &span);
}

int dockerfile_parse_with(struct slice text, const char *file, const char *syntax, const char *check,
			  struct dockerfile *out, struct err *e)
{
	struct dockerfile df = { 0 };
	struct lex l;
	int r = lex_open(&l, text, file, &df.arena, e);
	if (r == 0)
		r = check_frontend(&l, syntax, e);
	if (r == 0) {
		df.file = l.file;
		df.directives = l.directives;
		r = read_checks(&df, &l, check, e);
	}
	if (r == 0)
		r = read_instrs(&df, &l, e);
	if (r < 0) {
		dockerfile_done(&df);
		return -1;
	}
	checks_run(&df);
	*out = df;
	return 0;
}

int dockerfile_parse(struct slice text, const char *file, struct dockerfile *out, struct err *e)
{
	return dockerfile_parse_with(text, file, NULL, NULL, out, e);
}

void dockerfile_done(struct dockerfile *df)
{
	arr_done(&df->instrs);
	arr_done(&df->stages);
	arr_done(&df->warnings);
	arena_done(&df->arena);
	*df = (struct dockerfile){ 0 };
}

/* ---- single instructions ---- */

static int parse_single(struct slice text, const char *name, struct arena *arena, struct instr *out,
			struct err *e)
{
	struct lex l;
	struct lex_line line, more;
	if (slice_trim(text).n == 0)
		return err_set(e, ERR_USER, "%s is empty", name);
	if (lex_open_fragment(&l, text, name, '\\', arena, e) < 0)
		return -1;
	int r = lex_next(&l, &line, e);
	if (r == 0)
		return err_set(e, ERR_USER, "%s holds no instruction", name);
	if (r < 0 || instr_parse(&line, '\\', arena, out, e) < 0)
		return -1;
	r = lex_next(&l, &more, e);
	return r > 0 ? err_set(e, ERR_USER, "%s holds more than one instruction", name) : r;
}

int dockerfile_parse_trigger(struct slice text, const struct err_span *at, struct arena *arena,
			     struct instr *out, struct err *e)
{
	struct instr in;
	int r = parse_single(text, "the ONBUILD trigger", arena, &in, e);
	if (r == 0 && (in.kind == INSTR_FROM || in.kind == INSTR_MAINTAINER || in.kind == INSTR_ONBUILD))
		r = err_set(e, ERR_USER, "%s isn't allowed as an ONBUILD trigger", instr_name(in.kind));
	if (r < 0) {
		if (at)
			err_at(e, at);
		_free_ char *shown = slice_dup(slice_head(text, slice_find(text, '\n')));
		return err_add(e, "ONBUILD %s (of the base image)", shown);
	}
	if (at)
		in.span = *at;
	*out = in;
	return 0;
}

int dockerfile_parse_change(struct slice text, struct arena *arena, struct instr *out, struct err *e)
{
	return parse_single(text, "--change", arena, out, e);
}

/* ---- stages ---- */

const struct dockerfile_stage *dockerfile_stage_find(const struct dockerfile *df, const char *name,
						     size_t before, bool exact)
{
	for (size_t i = df->stages.n < before ? df->stages.n : before; i-- > 0;) {
		const struct dockerfile_stage *s = &df->stages.p[i];
		if (s->name && (exact ? !strcmp(s->name, name)
				      : slice_eq_nocase(slice_of(s->name), slice_of(name))))
			return s;
	}
	return NULL;
}

const char *dockerfile_stage_near(const struct dockerfile *df, const char *name)
{
	struct strs names = { 0 };
	arr_each(s, &df->stages)
		if (s->name)
			arr_push(&names, (char *)s->name); /* borrowed, so not strs_done below */
	const char *near = nearest_name(slice_of(name), (const char *const *)names.p, names.n);
	arr_done(&names);
	return near;
}

/* ---- warnings ---- */

static bool is_silent(const struct dockerfile *df, enum check_rule rule, const struct instr *in)
{
	uint32_t skip = df->checks.skip;
	if (in && in->check_skip)
		skip |= check_rules_parse(slice_of(in->check_skip));
	return skip & 1u << rule;
}

void dockerfile_warn(struct dockerfile *df, enum check_rule rule, const struct instr *in, int stage,
		     const char *word, const char *fmt, ...)
{
	if (in && in->origin)
		in = in->origin;
	if (df->warnings.n == CHECK_WARNINGS_MAX || is_silent(df, rule, in))
		return;
	_cleanup_(buf_done) struct buf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	struct check_warning w = { .rule = rule, .stage = stage };
	w.detail = arena_str(&df->arena, buf_view(&b));
	if (in)
		w.span = instr_span_of(in, word, &df->arena);
	arr_push(&df->warnings, w);
}

void dockerfile_warn_unset(struct dockerfile *df, const struct instr *in, int stage, const char *name,
			   const char *const *known, size_t known_n)
{
	_free_ char *word = str_printf("$%s", name), *braces = str_printf("${%s", name);
	const struct instr *o = in && in->origin ? in->origin : in;
	const char *near = nearest_name(slice_of(name), known, known_n);
	bool plain = o && o->span.lines && strstr(o->span.lines, word);
	dockerfile_warn(df, CHECK_UNDEFINED_VAR, in, stage, plain ? word : braces,
			near ? "Usage of undefined variable '$%s' (did you mean $%s?)"
			     : "Usage of undefined variable '$%s'",
			name, near);
}
