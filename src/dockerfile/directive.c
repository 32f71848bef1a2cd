/* SPDX-License-Identifier: Apache-2.0 */
/* Two readers look at the same lines with rules that differ in details, as in BuildKit: one for
 * syntax and check (a "#!" line is skipped, indented lines end it), one for escape (a "#!" line
 * ends it, indented lines are fine). */
#include "dockerfile/directive.h"

#include "base/js.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool directive_line(struct slice line, const char *mark, struct slice *name, struct slice *value)
{
	if (!slice_starts(line, slice_of(mark)))
		return false;
	line = slice_trim(slice_from(line, strlen(mark)));
	size_t n = 0;
	while (n < line.n && (is_letter(line.p[n]) || (n && line.p[n] >= '0' && line.p[n] <= '9')))
		n++;
	*name = slice_head(line, n);
	line = slice_trim_left(slice_from(line, n));
	if (n == 0 || line.n == 0 || line.p[0] != '=')
		return false;
	*value = slice_trim(slice_from(line, 1));
	return value->n > 0;
}

enum { D_SYNTAX, D_ESCAPE, D_CHECK, D_COUNT };
static const char *const names[D_COUNT] = { "syntax", "escape", "check" };

struct found {
	unsigned line[D_COUNT]; /* 0: no */
	struct slice value[D_COUNT];
};

static int refuse(struct slice text, const char *file, unsigned line, struct err *e)
{
	struct slice l = { 0 };
	for (unsigned i = 0; i < line && slice_split(&text, '\n', &l); i++)
		;
	_free_ char *lines = slice_dup(slice_trim_right(l));
	_free_ char *name = str_dup(file);
	return err_at(e, &(struct err_span){ .file = name, .first = line, .last = line, .lines = lines });
}

static int read_marked(struct slice text, const char *mark, bool skip_shebang, bool indented,
		       const char *file, struct found *out, struct err *e)
{
	struct slice rest = text, line, name, value;
	for (unsigned no = 1; slice_split(&rest, '\n', &line); no++) {
		if (no == 1 && skip_shebang && slice_starts(line, SL("#!")))
			continue;
		if (indented)
			line = slice_trim_left(line);
		if (!directive_line(line, mark, &name, &value))
			return 0;
		int d = 0;
		while (d < D_COUNT && !slice_eq_nocase(name, slice_of(names[d])))
			d++;
		if (d == D_COUNT)
			return 0;
		if (out->line[d]) {
			err_set(e, ERR_DATA, "only one %s parser directive can be used", names[d]);
			err_hint(e, "line %u has one already; remove one of them", out->line[d]);
			return refuse(text, file, no, e);
		}
		out->line[d] = no;
		out->value[d] = value;
	}
	return 0;
}

/* {"syntax": "…"}: a file of another frontend. */
static const char *json_syntax(struct slice text, struct arena *arena)
{
	struct slice body = slice_trim(text);
	if (body.n == 0 || body.p[0] != '{')
		return NULL;
	_json_ json_t *v = js_parse(body, "Dockerfile", NULL); /* no JSON: then it is no such file */
	const char *s = v ? json_string_value(json_object_get(v, "syntax")) : NULL;
	return s ? arena_str(arena, slice_of(s)) : NULL;
}

int directives_read(struct slice text, const char *file, struct arena *arena,
		    struct lex_directives *out, const char **frontend, struct err *e)
{
	struct found f = { 0 }, g = { 0 }, other = { 0 };
	*out = (struct lex_directives){ .escape = '\\' };
	if (read_marked(text, "#", true, false, file, &f, e) < 0 ||
	    read_marked(text, "#", false, true, file, &g, e) < 0 ||
	    read_marked(text, "//", true, false, file, &other, e) < 0)
		return -1;
	if (f.line[D_SYNTAX]) {
		out->syntax = arena_str(arena, f.value[D_SYNTAX]);
		out->syntax_line = f.line[D_SYNTAX];
	} else if (other.line[D_SYNTAX]) {
		*frontend = out->syntax = arena_str(arena, other.value[D_SYNTAX]);
		out->syntax_line = other.line[D_SYNTAX];
	} else {
		const char *s = json_syntax(text, arena);
		if (s) {
			*frontend = out->syntax = s;
			out->syntax_line = 1;
		}
	}
	if (f.line[D_CHECK]) {
		out->check = arena_str(arena, f.value[D_CHECK]);
		out->check_line = f.line[D_CHECK];
	}
	if (g.line[D_ESCAPE]) {
		struct slice v = g.value[D_ESCAPE];
		if (!slice_is(v, "\\") && !slice_is(v, "`")) {
			err_set(e, ERR_DATA, "invalid escape token '%.*s' does not match ` or \\", SLF(v));
			err_hint(e, "write '# escape=`' or leave the line out");
			return refuse(text, file, g.line[D_ESCAPE], e);
		}
		out->escape = v.p[0];
		out->escape_line = g.line[D_ESCAPE];
	}
	return 0;
}
