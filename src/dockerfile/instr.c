/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/instr_in.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/num.h"
#include "dockerfile/words.h"

static const char *const kind_names[] = {
	[INSTR_ADD] = "ADD",		     [INSTR_ARG] = "ARG",
	[INSTR_CMD] = "CMD",		     [INSTR_COPY] = "COPY",
	[INSTR_ENTRYPOINT] = "ENTRYPOINT",   [INSTR_ENV] = "ENV",
	[INSTR_EXPOSE] = "EXPOSE",	     [INSTR_FROM] = "FROM",
	[INSTR_HEALTHCHECK] = "HEALTHCHECK", [INSTR_LABEL] = "LABEL",
	[INSTR_MAINTAINER] = "MAINTAINER",   [INSTR_ONBUILD] = "ONBUILD",
	[INSTR_RUN] = "RUN",		     [INSTR_SHELL] = "SHELL",
	[INSTR_STOPSIGNAL] = "STOPSIGNAL",   [INSTR_USER] = "USER",
	[INSTR_VOLUME] = "VOLUME",	     [INSTR_WORKDIR] = "WORKDIR",
};

const char *instr_name(enum instr_kind k)
{
	return kind_names[k];
}

int instr_kind_of(struct slice word)
{
	for (size_t i = 0; i < COUNT_OF(kind_names); i++)
		if (slice_eq_nocase(word, slice_of(kind_names[i])))
			return (int)i;
	return -1;
}

/* ---- places ---- */

/* Where word stands in the lines, behind the keyword: best as a whole word, else where it begins as
 * a word does, else anywhere. */
static const char *find_word(const char *lines, size_t skip, const char *word)
{
	const char *best = NULL;
	size_t n = strlen(word);
	int best_fit = -1, tries = 1000; /* a place for people need not be looked for long */
	for (const char *at = lines + skip; tries-- && (at = strstr(at, word)); at++) {
		bool starts = at == lines || strchr(" \t\n=,\"'[", at[-1]);
		bool ends = strchr(" \t\n=,\"']", at[n]); /* the final zero counts */
		int fit = starts + (starts && ends);
		if (fit > best_fit) {
			best = at;
			best_fit = fit;
		}
		if (fit == 2)
			break;
	}
	return best;
}

struct err_span instr_span_of(const struct instr *in, const char *word, struct arena *arena)
{
	struct err_span s = in->span;
	if (!word || !*word || !s.lines)
		return s;
	/* a trigger's span is the FROM line, which does not begin with the instruction */
	struct slice start = slice_trim_left(slice_of(s.lines));
	size_t skip = (size_t)(start.p - s.lines);
	if (slice_starts(start, slice_of(in->keyword)))
		skip += strlen(in->keyword);
	else if (start.n == 0 || start.p[0] != in->escape)
		return s;
	const char *at = find_word(s.lines, skip, word);
	if (!at)
		return s;
	const char *line = s.lines;
	for (const char *nl; (nl = memchr(line, '\n', (size_t)(at - line))); line = nl + 1)
		s.first++;
	s.last = s.first;
	s.col = (unsigned)(at - line) + 1;
	s.width = (unsigned)strcspn(word, "\n");
	s.lines = arena_str(arena, (struct slice){ line, strcspn(line, "\n") });
	return s;
}

int instr_err_at(struct err *e, const struct instr *in, const char *word)
{
	_cleanup_(arena_done) struct arena a = { 0 };
	struct err_span s = instr_span_of(in->origin ? in->origin : in, word, &a);
	return err_at(e, &s);
}

/* ---- arguments ---- */

int parse_fail(struct parse *p, const char *word)
{
	return instr_err_at(p->e, p->in, word);
}

int parse_need_args(struct parse *p, const char *hint)
{
	if (p->rest.n)
		return 0;
	err_set(p->e, ERR_USER, "%s requires at least one argument", instr_name(p->in->kind));
	err_hint(p->e, "%s", hint);
	return parse_fail(p, NULL);
}

/* r: what words_json said. */
static int strings_only(struct parse *p, int r)
{
	if (r == -2) {
		err_set(p->e, ERR_DATA, "\\u0000 cannot be in an argument or a path: it would end there");
		err_hint(p->e, "take it out; a program can be told to write a NUL byte: printf '\\0'");
		return parse_fail(p, "\\u0000");
	}
	err_set(p->e, ERR_DATA, "when using JSON array syntax, arrays must be comprised of strings only");
	err_hint(p->e, "put numbers in quotes too: [\"sleep\", \"1\"]");
	return parse_fail(p, "[");
}

/* Exec form: args and json are set. Else the text is the shell form. */
int parse_exec_or_shell(struct parse *p)
{
	int r = words_json(p->rest, &p->words);
	if (r < 0)
		return strings_only(p, r);
	p->in->json = r > 0;
	p->in->args = words_keep(p->arena, &p->words);
	if (r == 0)
		p->in->text = arena_str(p->arena, p->rest);
	return 0;
}

void parse_plain_words(struct parse *p)
{
	struct slices list = { 0 };
	words_plain(p->rest, &list);
	arr_each(w, &list.list)
		strs_take(&p->words, slice_dup(*w));
	arr_done(&list.list);
}

/* JSON or words; appended to p->words. */
int parse_list_form(struct parse *p)
{
	int r = words_json(p->rest, &p->words);
	if (r < 0)
		return strings_only(p, r);
	p->in->json = r > 0;
	if (r == 0)
		parse_plain_words(p);
	return 0;
}

static int parse_one(struct parse *p)
{
	if (p->rest.n == 0) {
		err_set(p->e, ERR_USER, "%s requires exactly one argument", instr_name(p->in->kind));
		return parse_fail(p, NULL);
	}
	strs_take(&p->words, slice_dup(p->rest));
	p->in->args = words_keep(p->arena, &p->words);
	return 0;
}

/* ---- the instructions ---- */

static bool is_stage_name(struct slice s)
{
	if (s.n == 0 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("-_.", c))
			return false;
	}
	return true;
}

static int parse_from(struct parse *p)
{
	struct instr *in = p->in;
	parse_plain_words(p);
	struct strs *w = &p->words;
	if (w->n != 1 && (w->n != 3 || !slice_eq_nocase(slice_of(w->p[1]), SL("AS")))) {
		err_set(p->e, ERR_USER, "FROM requires either one or three arguments");
		err_hint(p->e, "write FROM IMAGE or FROM IMAGE AS NAME");
		return parse_fail(p, w->n > 1 ? w->p[1] : NULL);
	}
	in->image = arena_str(p->arena, slice_of(w->p[0]));
	in->platform = p->value[F_PLATFORM];
	if (w->n == 1)
		return 0;
	in->as_word = arena_str(p->arena, slice_of(w->p[1]));
	in->stage_name_raw = arena_str(p->arena, slice_of(w->p[2]));
	char *low = arena_str(p->arena, slice_of(w->p[2]));
	for (char *c = low; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	in->stage_name = low;
	if (is_stage_name(slice_of(low)))
		return 0;
	err_set(p->e, ERR_USER, "invalid name for build stage: \"%s\", name can't start with a number or contain symbols",
		in->stage_name_raw);
	err_hint(p->e, "a letter, then letters, digits, '-', '_' and '.'");
	return parse_fail(p, in->stage_name_raw);
}

static int parse_shell(struct parse *p)
{
	if (parse_exec_or_shell(p) < 0)
		return -1;
	if (p->rest.n == 0 || (p->in->json && p->in->args.n == 0))
		return p->rest = SL(""), parse_need_args(p, "write SHELL [\"/bin/bash\", \"-c\"]");
	if (p->in->json)
		return 0;
	err_set(p->e, ERR_USER, "SHELL requires the arguments to be in JSON form");
	err_hint(p->e, "write SHELL [\"/bin/bash\", \"-c\"]");
	return parse_fail(p, NULL);
}

/* ENV and LABEL: "k=v …", or "k rest" of old. */
static int parse_pairs(struct parse *p)
{
	const char *name = instr_name(p->in->kind);
	struct instr *in = p->in;
	if (parse_need_args(p, "write NAME=VALUE") < 0)
		return -1;
	words_quoted(p->rest, in->escape, &p->words);
	in->pairs.p = arena_alloc(p->arena, (p->words.n + 1) * sizeof *in->pairs.p);
	if (!strchr(p->words.p[0], '=')) {
		struct slice rest = p->rest, key = words_first(&rest);
		if (rest.n == 0) {
			err_set(p->e, ERR_USER, "%s must have two arguments", name);
			err_hint(p->e, "write %s %.*s=VALUE", name, SLF(key));
			return parse_fail(p, NULL);
		}
		in->legacy_pair = true;
		in->pairs.p[in->pairs.n++] = (struct pair){ arena_str(p->arena, key),
							    arena_str(p->arena, rest) };
		return 0;
	}
	for (size_t i = 0; i < p->words.n; i++) {
		struct slice value = slice_of(p->words.p[i]), key;
		(void)slice_split(&value, '=', &key);
		if (!value.p) {
			err_set(p->e, ERR_USER, "Syntax error - can't find = in \"%s\". Must be of the form: name=value",
				p->words.p[i]);
			err_hint(p->e, "a value with blanks is quoted: name=\"a b\"");
			return parse_fail(p, p->words.p[i]);
		}
		if (key.n == 0) {
			err_set(p->e, ERR_USER, "%s names can not be blank", name);
			return parse_fail(p, p->words.p[i]);
		}
		in->pairs.p[in->pairs.n++] = (struct pair){ arena_str(p->arena, key),
							    arena_str(p->arena, value) };
	}
	return 0;
}

static int parse_arg(struct parse *p)
{
	struct instr *in = p->in;
	if (parse_need_args(p, "write ARG NAME or ARG NAME=DEFAULT") < 0)
		return -1;
	words_quoted(p->rest, in->escape, &p->words);
	in->pairs.p = arena_alloc(p->arena, (p->words.n + 1) * sizeof *in->pairs.p);
	for (size_t i = 0; i < p->words.n; i++) {
		struct slice value = slice_of(p->words.p[i]), key;
		(void)slice_split(&value, '=', &key);
		if (key.n == 0) {
			err_set(p->e, ERR_USER, "ARG names can not be blank");
			return parse_fail(p, p->words.p[i]);
		}
		in->pairs.p[in->pairs.n++] = (struct pair){
			arena_str(p->arena, key), value.p ? arena_str(p->arena, value) : NULL
		};
	}
	return 0;
}

static int parse_expose(struct parse *p)
{
	if (parse_need_args(p, "write EXPOSE 80 or EXPOSE 53/udp") < 0)
		return -1;
	parse_plain_words(p);
	p->in->args = words_keep(p->arena, &p->words);
	return 0;
}

static int parse_volume(struct parse *p)
{
	const char *hint = "write VOLUME /path or VOLUME [\"/path\"]";
	if (parse_need_args(p, hint) < 0 || parse_list_form(p) < 0)
		return -1;
	if (p->words.n == 0)
		return p->rest = SL(""), parse_need_args(p, hint);
	for (size_t i = 0; i < p->words.n; i++) {
		if (slice_trim(slice_of(p->words.p[i])).n)
			continue;
		err_set(p->e, ERR_USER, "VOLUME specified can not be an empty string");
		return parse_fail(p, NULL);
	}
	p->in->args = words_keep(p->arena, &p->words);
	return 0;
}

static int health_options(struct parse *p)
{
	struct instr *in = p->in;
	const struct {
		int flag;
		int64_t *to;
	} times[] = {
		{ F_INTERVAL, &in->health_interval },
		{ F_TIMEOUT, &in->health_timeout },
		{ F_START_PERIOD, &in->health_start_period },
		{ F_START_INTERVAL, &in->health_start_interval },
	};
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		const char *v = p->value[times[i].flag], *name = parse_flag_name(times[i].flag);
		if (v && health_duration(slice_of(v), name, times[i].to, p->e) < 0) {
			_free_ char *word = str_printf("--%s", name);
			return parse_fail(p, word);
		}
	}
	const char *retries = p->value[F_RETRIES];
	uint64_t n = 0;
	if (retries && *retries && num_parse(slice_of(retries), INT32_MAX, &n) < 0) {
		err_set(p->e, ERR_USER, "--retries must be a number, 0 or more, not '%s'", retries);
		return parse_fail(p, "--retries");
	}
	in->health_retries = (int64_t)n;
	return 0;
}

static int parse_health(struct parse *p)
{
	struct instr *in = p->in;
	if (parse_need_args(p, "write HEALTHCHECK CMD COMMAND or HEALTHCHECK NONE") < 0)
		return -1;
	struct slice type = words_first(&p->rest);
	if (slice_eq_nocase(type, SL("NONE"))) {
		in->health_none = true;
		if (p->rest.n == 0)
			return 0;
		err_set(p->e, ERR_USER, "HEALTHCHECK NONE takes no arguments");
		return parse_fail(p, NULL);
	}
	if (!slice_eq_nocase(type, SL("CMD"))) {
		_free_ char *word = slice_dup(type);
		err_set(p->e, ERR_USER, "Unknown type \"%s\" in HEALTHCHECK (try CMD)", word);
		err_hint(p->e, "write HEALTHCHECK CMD %s", word);
		return parse_fail(p, word);
	}
	if (parse_exec_or_shell(p) < 0 || health_options(p) < 0)
		return -1;
	if (in->json ? in->args.n : p->rest.n)
		return 0;
	err_set(p->e, ERR_USER, "Missing command after HEALTHCHECK CMD");
	return parse_fail(p, NULL);
}

static int parse_onbuild(struct parse *p)
{
	struct instr *in = p->in;
	if (parse_need_args(p, "an instruction follows ONBUILD") < 0)
		return -1;
	struct slice rest = p->rest, word = words_first(&rest);
	in->trigger_kind = instr_kind_of(word);
	if (in->trigger_kind == INSTR_ONBUILD) {
		err_set(p->e, ERR_USER, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
		return parse_fail(p, NULL);
	}
	if (in->trigger_kind == INSTR_FROM || in->trigger_kind == INSTR_MAINTAINER) {
		err_set(p->e, ERR_USER, "%s isn't allowed as an ONBUILD trigger",
			instr_name((enum instr_kind)in->trigger_kind));
		return parse_fail(p, NULL);
	}
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_slice(&b, p->rest);
	for (size_t i = 0; i < in->heredocs.n; i++) {
		buf_char(&b, '\n');
		buf_slice(&b, in->heredocs.p[i].raw);
		buf_str(&b, in->heredocs.p[i].name);
	}
	in->trigger = arena_str(p->arena, buf_view(&b));
	return 0;
}

static int (*const parsers[COUNT_OF(kind_names)])(struct parse *) = {
	[INSTR_ADD] = parse_copy,
	[INSTR_ARG] = parse_arg,
	[INSTR_CMD] = parse_exec_or_shell,
	[INSTR_COPY] = parse_copy,
	[INSTR_ENTRYPOINT] = parse_exec_or_shell,
	[INSTR_ENV] = parse_pairs,
	[INSTR_EXPOSE] = parse_expose,
	[INSTR_FROM] = parse_from,
	[INSTR_HEALTHCHECK] = parse_health,
	[INSTR_LABEL] = parse_pairs,
	[INSTR_MAINTAINER] = parse_one,
	[INSTR_ONBUILD] = parse_onbuild,
	[INSTR_RUN] = parse_run,
	[INSTR_SHELL] = parse_shell,
	[INSTR_STOPSIGNAL] = parse_one,
	[INSTR_USER] = parse_one,
	[INSTR_VOLUME] = parse_volume,
	[INSTR_WORKDIR] = parse_one,
};

static int unknown_instruction(struct parse *p, struct slice word)
{
	const char *near = nearest_name(word, kind_names, COUNT_OF(kind_names));
	if (!near) {
		err_set(p->e, ERR_USER, "unknown instruction: %.*s", SLF(word));
	} else {
		_free_ char *cased = str_dup(near);
		bool lower = word.n && islower((unsigned char)word.p[0]);
		for (char *c = cased; lower && *c; c++)
			*c = (char)tolower((unsigned char)*c);
		err_set(p->e, ERR_USER, "unknown instruction: %.*s (did you mean %s?)", SLF(word), cased);
	}
	struct err_span at = p->in->span;
	const char *col = at.lines ? strstr(at.lines, p->in->keyword) : NULL;
	const char *eol = col ? memchr(at.lines, '\n', (size_t)(col - at.lines)) : NULL;
	if (col && !eol) {
		at.col = (unsigned)(col - at.lines) + 1;
		at.width = (unsigned)word.n;
	}
	return err_at(p->e, &at);
}

static void parse_done(struct parse *p)
{
	for (int f = 0; f < F_COUNT; f++)
		strs_done(&p->lists[f]);
	strs_done(&p->words);
}

int instr_parse(const struct lex_line *line, char escape, struct arena *arena, struct instr *out,
		struct err *e)
{
	struct slice rest = line->text, word = words_first(&rest);
	int kind = instr_kind_of(word);
	*out = (struct instr){
		.kind = kind < 0 ? INSTR_RUN : (enum instr_kind)kind,
		.keyword = arena_str(arena, word),
		.original = arena_str(arena, line->text),
		.span = line->span,
		.doc = line->doc,
		.check_skip = line->skip,
		.escape = escape,
		.heredocs = line->heredocs,
		.keep_git_dir = -1,
		.unpack = -1,
		.trigger_kind = -1,
	};
	_cleanup_(parse_done) struct parse p = { .in = out, .arena = arena, .e = e, .rest = rest };
	if (kind < 0)
		return unknown_instruction(&p, word);
	if (parse_flags(&p) < 0)
		return -1;
	return parsers[kind](&p);
}
