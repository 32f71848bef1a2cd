/* SPDX-License-Identifier: Apache-2.0 */
/* Text to tree. One pass by hand: outside of {{ }} everything is text, inside blanks separate
 * operands, so that no list of tokens is needed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/js.h"
#include "base/utf8.h"
#include "report/gotemplate_impl.h"

enum list_end { ENDS_TEXT, ENDS_END, ENDS_ELSE };

struct parse {
	struct gotemplate *t;
	struct slice s;
	size_t at;
	size_t depth;
	size_t loops;
	bool trim; /* the last action ended with -}} */
	ARRAY_OF(const char *) vars; /* that are known here */
};

int gt_at(const struct gotemplate *t, size_t at, size_t len, struct err *e)
{
	struct slice head = slice_head(t->text, at < t->text.n ? at : t->text.n);
	unsigned line = 1;
	for (size_t i = 0; i < head.n; i++)
		line += head.p[i] == '\n';
	size_t start = slice_rfind(head, '\n');
	start = start == head.n ? 0 : start + 1;
	struct slice rest = slice_from(t->text, start);
	struct slice text = slice_head(rest, slice_find(rest, '\n'));
	_free_ char *copy = slice_dup(text);
	size_t left = text.n > at - start ? text.n - (at - start) : 1;
	struct err_span span = { .file = (char *)"--format",
				 .first = line,
				 .last = line,
				 .col = (unsigned)(at - start + 1),
				 .width = (unsigned)(len < left ? len : left),
				 .lines = copy };
	return err_at(e, &span);
}

static int fail(struct parse *p, size_t at, struct err *e, const char *fmt, ...) _printf_(4, 5);
static int fail(struct parse *p, size_t at, struct err *e, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	err_set(e, ERR_USER, "%s", b.p);
	return gt_at(p->t, at, p->at > at ? p->at - at : 1, e);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char peek(const struct parse *p, size_t ahead)
{
	return p->at + ahead < p->s.n ? p->s.p[p->at + ahead] : '\0';
}

static bool looking_at(const struct parse *p, const char *s)
{
	return slice_starts(slice_from(p->s, p->at), slice_of(s));
}

static void skip_blanks(struct parse *p)
{
	while (p->at < p->s.n && is_blank(p->s.p[p->at]))
		p->at++;
}

/* At "}}" or at "-}}" after a blank. */
static bool at_close(const struct parse *p)
{
	if (looking_at(p, "-}}"))
		return p->at > 0 && is_blank(p->s.p[p->at - 1]);
	return looking_at(p, "}}");
}

static int expect_close(struct parse *p, struct err *e)
{
	skip_blanks(p);
	if (p->at >= p->s.n)
		return fail(p, p->at, e, "the template ends inside {{");
	if (!at_close(p))
		return fail(p, p->at, e, "}} is missing here");
	p->trim = peek(p, 0) == '-';
	p->at += p->trim ? 3 : 2;
	return 0;
}

static struct slice word(struct parse *p)
{
	size_t from = p->at;
	while (p->at < p->s.n && is_word(p->s.p[p->at]))
		p->at++;
	return (struct slice){ p->s.p + from, p->at - from };
}

static json_t *keep(struct parse *p, json_t *v)
{
	arr_push(&p->t->pool, v);
	return v;
}

/* ---- literals ---- */
static int hex_digits(struct parse *p, size_t n, uint32_t *out)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n; i++) {
		char c = peek(p, 0);
		int d = is_digit(c)            ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		v = v << 4 | (uint32_t)d;
		p->at++;
	}
	*out = v;
	return 0;
}

/* After a backslash; Go's escapes. */
static int escape(struct parse *p, struct buf *out, struct err *e)
{
	static const char letters[] = "abfnrtv\\'\"", bytes[] = "\a\b\f\n\r\t\v\\'\"";
	char c = peek(p, 0);
	const char *found = c ? strchr(letters, c) : NULL;
	uint32_t v = 0;
	if (found) {
		p->at++;
		buf_char(out, bytes[found - letters]);
		return 0;
	}
	p->at++;
	if (c == 'x' && hex_digits(p, 2, &v) == 0) {
		buf_char(out, (char)v);
		return 0;
	}
	if ((c == 'u' && hex_digits(p, 4, &v) == 0) || (c == 'U' && hex_digits(p, 8, &v) == 0)) {
		if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
			return fail(p, p->at, e, "there is no such character");
		utf8_put(out, v);
		return 0;
	}
	return fail(p, p->at - 1, e, "unknown escape '\\%c' in a string", c ? c : ' ');
}

static int string_literal(struct parse *p, json_t **out, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	size_t from = p->at;
	char quote = peek(p, 0);
	for (p->at++; p->at < p->s.n && peek(p, 0) != quote;) {
		char c = peek(p, 0);
		if (quote != '`' && c == '\n')
			break;
		p->at++;
		if (quote != '`' && c == '\\') {
			if (escape(p, &b, e) < 0)
				return -1;
			continue;
		}
		buf_char(&b, c);
	}
	if (peek(p, 0) != quote)
		return fail(p, from, e, "this string has no end");
	p->at++;
	if (quote == '\'') { /* a character is its number */
		uint32_t v = 0;
		size_t n = b.len ? utf8_decode(buf_view(&b), &v) : 0;
		if (n == 0 || n != b.len)
			return fail(p, from, e, "one character stands between single quotes");
		*out = keep(p, json_integer(v));
		return 0;
	}
	*out = keep(p, js_text(buf_view(&b)));
	return 0;
}

static int number_literal(struct parse *p, json_t **out, struct err *e)
{
	size_t from = p->at;
	if (peek(p, 0) == '+' || peek(p, 0) == '-')
		p->at++;
	while (is_word(peek(p, 0)) || peek(p, 0) == '.' ||
	       ((peek(p, 0) == '+' || peek(p, 0) == '-') &&
		(p->s.p[p->at - 1] == 'e' || p->s.p[p->at - 1] == 'E')))
		p->at++;
	_free_ char *text = slice_dup((struct slice){ p->s.p + from, p->at - from });
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 0);
	if (!*end && errno == 0) {
		*out = keep(p, json_integer(v));
		return 0;
	}
	double d = strtod(text, &end);
	if (*end || !(d - d == 0)) /* neither infinite nor not a number */
		return fail(p, from, e, "'%s' is no number that fits", text);
	*out = keep(p, json_real(d));
	return 0;
}

/* ---- operands ---- */
static int parse_pipe(struct parse *p, bool range, bool decl, struct gt_pipe **out, struct err *e);

static int parse_fields(struct parse *p, struct gt_operand *o, struct err *e)
{
	ARRAY_OF(const char *) names = { 0 };
	while (peek(p, 0) == '.' && is_word(peek(p, 1))) {
		p->at++;
		arr_push(&names, arena_str(&p->t->arena, word(p)));
	}
	o->fields_n = names.n;
	if (names.n) {
		o->fields = arena_alloc(&p->t->arena, names.n * sizeof *names.p);
		memcpy(o->fields, names.p, names.n * sizeof *names.p);
	}
	arr_done(&names);
	if (peek(p, 0) == '.')
		return fail(p, p->at, e, "a field's name is missing after '.'");
	return 0;
}

static int parse_variable(struct parse *p, struct gt_operand *o, struct err *e)
{
	size_t from = p->at++;
	o->kind = GT_VAR;
	o->name = arena_str(&p->t->arena, word(p));
	bool known = !*o->name;
	arr_each(v, &p->vars)
		known |= strcmp(*v, o->name) == 0;
	if (!known)
		return fail(p, from, e, "there is no variable '$%s'", o->name);
	return parse_fields(p, o, e);
}

static int parse_word(struct parse *p, struct gt_operand *o, struct err *e)
{
	static const char *const refused[] = { "html", "js", "urlquote", "call" };
	size_t from = p->at;
	struct slice w = word(p);
	o->kind = GT_CONST;
	if (slice_is(w, "nil")) {
		o->kind = GT_NIL;
		return 0;
	}
	if (slice_is(w, "true") || slice_is(w, "false")) {
		o->value = keep(p, json_boolean(slice_is(w, "true")));
		return 0;
	}
	o->kind = GT_FUNC;
	o->name = arena_str(&p->t->arena, w);
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (slice_is(w, refused[i]))
			return fail(p, from, e, "the function '%s' is not supported in --format",
				    refused[i]);
	if (gt_func_find(o->name))
		return 0;
	fail(p, from, e, "there is no function '%s'", o->name);
	return err_hint(e,
			"functions: and eq ge gt index join json le len lower lt ne not or pad "
			"print printf println slice split title truncate upper; fields start "
			"with a dot: '.%s'",
			o->name);
}

static int parse_operand(struct parse *p, struct gt_operand *o, struct err *e)
{
	char c = peek(p, 0), d = peek(p, 1);
	int r = 0;
	memset(o, 0, sizeof *o);
	o->at = p->at;
	if (c == '.' && is_digit(d)) {
		o->kind = GT_CONST;
		r = number_literal(p, &o->value, e);
	} else if (c == '.' && is_word(d)) {
		o->kind = GT_FIELD;
		r = parse_fields(p, o, e);
	} else if (c == '.') {
		o->kind = GT_DOT;
		p->at++;
	} else if (c == '$') {
		r = parse_variable(p, o, e);
	} else if (c == '"' || c == '`' || c == '\'') {
		o->kind = GT_CONST;
		r = string_literal(p, &o->value, e);
	} else if (is_digit(c) || ((c == '+' || c == '-') && (is_digit(d) || d == '.'))) {
		o->kind = GT_CONST;
		r = number_literal(p, &o->value, e);
	} else if (is_word(c)) {
		r = parse_word(p, o, e);
	} else if (c == '(') {
		p->at++;
		o->kind = GT_PIPE;
		if (parse_pipe(p, false, false, &o->pipe, e) < 0)
			return -1;
		if (peek(p, 0) != ')')
			return fail(p, o->at, e, "this parenthesis is not closed");
		p->at++;
		r = parse_fields(p, o, e);
	} else {
		return fail(p, p->at, e, "'%c' cannot stand here", c ? c : ' ');
	}
	o->len = p->at - o->at;
	if (r == 0 && p->at < p->s.n && !is_blank(peek(p, 0)) && peek(p, 0) != ')' &&
	    peek(p, 0) != '|' && peek(p, 0) != ',' && peek(p, 0) != '=' && peek(p, 0) != ':' &&
	    !at_close(p))
		return fail(p, p->at, e, "'%c' cannot stand here", peek(p, 0));
	return r;
}

static int parse_cmd(struct parse *p, bool piped, struct gt_cmd *cmd, struct err *e)
{
	ARRAY_OF(struct gt_operand) args = { 0 };
	int r = 0;
	skip_blanks(p);
	cmd->at = p->at;
	while (r == 0 && p->at < p->s.n && !at_close(p) && peek(p, 0) != '|' && peek(p, 0) != ')') {
		struct gt_operand o;
		r = parse_operand(p, &o, e);
		if (r == 0 && args.n == GT_ARGS_MAX)
			r = fail(p, cmd->at, e, "more than %d arguments", GT_ARGS_MAX);
		arr_push(&args, o);
		skip_blanks(p);
	}
	cmd->n = args.n;
	if (args.n) {
		cmd->args = arena_alloc(&p->t->arena, args.n * sizeof *args.p);
		memcpy(cmd->args, args.p, args.n * sizeof *args.p);
	}
	arr_done(&args);
	if (r < 0)
		return -1;
	if (!cmd->n)
		return fail(p, cmd->at, e, "a value is missing here");
	const struct gt_operand *first = &cmd->args[0];
	if (first->kind == GT_NIL)
		return fail(p, first->at, e, "nil alone is no command");
	if (first->kind != GT_FUNC && piped)
		return fail(p, first->at, e, "a pipeline can only go on into a function");
	if (first->kind != GT_FUNC && cmd->n > 1)
		return fail(p, first->at, e, "only functions take arguments");
	return 0;
}

/* "$x :=", "$i, $x :=", "$x =". Leaves p alone when it is none. */
static int parse_decl(struct parse *p, bool range, struct gt_pipe *pipe, struct err *e)
{
	size_t from = p->at;
	for (;;) {
		skip_blanks(p);
		if (peek(p, 0) != '$')
			break;
		p->at++;
		struct slice name = word(p);
		skip_blanks(p);
		bool assign = peek(p, 0) == '=', set = looking_at(p, ":=");
		bool comma = peek(p, 0) == ',' && range && pipe->vars_n == 0;
		if (!assign && !set && !comma)
			break;
		if (!name.n)
			return fail(p, from, e, "$ is the data itself; it cannot be set");
		pipe->vars[pipe->vars_n++] = arena_str(&p->t->arena, name);
		p->at += set ? 2 : 1;
		pipe->assign = assign;
		if (!comma)
			return 0;
	}
	p->at = from;
	pipe->vars_n = 0;
	return 0;
}

static int declare(struct parse *p, const struct gt_pipe *pipe, struct err *e)
{
	for (size_t i = 0; i < pipe->vars_n; i++) {
		bool known = false;
		arr_each(v, &p->vars)
			known |= strcmp(*v, pipe->vars[i]) == 0;
		if (pipe->assign && !known)
			return fail(p, pipe->at, e,
				    "there is no variable '$%s' to set; := makes one",
				    pipe->vars[i]);
		if (!pipe->assign)
			arr_push(&p->vars, pipe->vars[i]);
	}
	return 0;
}

static int check_counts(struct parse *p, const struct gt_pipe *pipe, struct err *e)
{
	for (size_t i = 0; i < pipe->n; i++)
		for (size_t j = 0; j < pipe->cmds[i].n; j++) {
			const struct gt_operand *o = &pipe->cmds[i].args[j];
			if (o->kind != GT_FUNC)
				continue;
			const struct gt_func *f = gt_func_find(o->name);
			size_t n = j ? 0 : pipe->cmds[i].n - 1 + (i > 0);
			if (n < f->min || n > f->max)
				return fail(p, o->at, e,
					    "the function '%s' takes %s%zu argument%s, not %zu",
					    f->name,
					    f->min == f->max ? ""
					    : n < f->min     ? "at least "
							     : "at most ",
					    n < f->min ? f->min : f->max,
					    (n < f->min ? f->min : f->max) == 1 ? "" : "s", n);
		}
	return 0;
}

static int parse_pipe(struct parse *p, bool range, bool decl, struct gt_pipe **out, struct err *e)
{
	struct gt_pipe *pipe = ARENA_NEW(&p->t->arena, struct gt_pipe);
	ARRAY_OF(struct gt_cmd) cmds = { 0 };
	int r = 0;
	if (++p->depth > GT_DEPTH_MAX)
		return fail(p, p->at, e, "more than %d levels of nesting", GT_DEPTH_MAX);
	skip_blanks(p);
	pipe->at = p->at;
	if (decl && parse_decl(p, range, pipe, e) < 0)
		return -1;
	for (;;) {
		struct gt_cmd cmd = { 0 };
		r = parse_cmd(p, cmds.n > 0, &cmd, e);
		if (r < 0)
			break;
		arr_push(&cmds, cmd);
		if (peek(p, 0) != '|')
			break;
		p->at++;
	}
	pipe->n = cmds.n;
	if (cmds.n) {
		pipe->cmds = arena_alloc(&p->t->arena, cmds.n * sizeof *cmds.p);
		memcpy(pipe->cmds, cmds.p, cmds.n * sizeof *cmds.p);
	}
	arr_done(&cmds);
	if (r < 0 || check_counts(p, pipe, e) < 0 || declare(p, pipe, e) < 0)
		return -1;
	p->depth--;
	*out = pipe;
	return 0;
}

/* ---- nodes ---- */
static int parse_list(struct parse *p, struct gt_node **out, enum list_end *end, struct err *e);

static void add_node(struct parse *p, struct gt_node ***tail, struct gt_node node)
{
	**tail = ARENA_NEW(&p->t->arena, struct gt_node);
	***tail = node;
	*tail = &(**tail)->next;
}

/* After the keyword: pipe }} body [else [if|with …] other] end. */
static int parse_control(struct parse *p, struct gt_node *node, struct err *e)
{
	size_t from = p->at, vars = p->vars.n;
	enum list_end end;
	p->depth++; /* parse_pipe, which goes one deeper, refuses too many */
	p->loops += node->kind == GT_RANGE;
	if (parse_pipe(p, node->kind == GT_RANGE, true, &node->pipe, e) < 0 ||
	    expect_close(p, e) < 0 || parse_list(p, &node->body, &end, e) < 0)
		return -1;
	p->loops -= node->kind == GT_RANGE;
	if (end == ENDS_ELSE) {
		size_t at = p->at;
		skip_blanks(p);
		struct slice w = word(p);
		if ((slice_is(w, "if") && node->kind == GT_IF) ||
		    (slice_is(w, "with") && node->kind == GT_WITH)) {
			node->other = ARENA_NEW(&p->t->arena, struct gt_node);
			node->other->kind = node->kind;
			if (parse_control(p, node->other, e) < 0)
				return -1;
			end = ENDS_END;
		} else {
			p->at = at;
			if (expect_close(p, e) < 0 || parse_list(p, &node->other, &end, e) < 0)
				return -1;
		}
	}
	if (end == ENDS_ELSE)
		return fail(p, p->at, e, "a second {{else}}");
	if (end == ENDS_TEXT)
		return fail(p, from, e, "{{end}} is missing");
	p->vars.n = vars;
	p->depth--;
	return 0;
}

/* One action, after "{{". 1: it ended the list, see *end. */
static int parse_action(struct parse *p, struct gt_node ***tail, enum list_end *end, struct err *e)
{
	static const char *const controls[] = {
		[GT_IF] = "if", [GT_RANGE] = "range", [GT_WITH] = "with"
	};
	static const char *const refused[] = { "define", "template", "block" };
	skip_blanks(p);
	size_t from = p->at;
	struct slice w = word(p);
	struct gt_node node = { .kind = GT_ACTION };
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (slice_is(w, refused[i]))
			return fail(p, from, e, "{{%s}} is not supported in --format", refused[i]);
	if (slice_is(w, "end")) {
		*end = ENDS_END;
		return expect_close(p, e) < 0 ? -1 : 1;
	}
	if (slice_is(w, "else")) {
		*end = ENDS_ELSE;
		return 1;
	}
	if (slice_is(w, "break") || slice_is(w, "continue")) {
		node.kind = slice_is(w, "break") ? GT_BREAK : GT_CONTINUE;
		if (!p->loops)
			return fail(p, from, e, "{{%.*s}} outside of {{range}}", SLF(w));
		if (expect_close(p, e) < 0)
			return -1;
		add_node(p, tail, node);
		return 0;
	}
	for (size_t i = GT_IF; i <= GT_WITH; i++)
		if (slice_is(w, controls[i])) {
			node.kind = (enum gt_node_kind)i;
			if (parse_control(p, &node, e) < 0)
				return -1;
			add_node(p, tail, node);
			return 0;
		}
	p->at = from;
	if (parse_pipe(p, false, true, &node.pipe, e) < 0 || expect_close(p, e) < 0)
		return -1;
	add_node(p, tail, node);
	return 0;
}

/* At the slash of a comment. */
static int skip_comment(struct parse *p, struct err *e)
{
	size_t from = p->at;
	struct slice rest = slice_from(p->s, p->at + 2);
	size_t n = slice_search(rest, SL("*/"));
	if (n == rest.n)
		return fail(p, from, e, "this comment has no end");
	p->at += 2 + n + 2;
	bool blank = is_blank(peek(p, 0));
	skip_blanks(p);
	if (!at_close(p) || (peek(p, 0) == '-' && !blank))
		return fail(p, p->at, e, "a comment stands alone between {{ and }}");
	return expect_close(p, e);
}

static int parse_list(struct parse *p, struct gt_node **out, enum list_end *end, struct err *e)
{
	struct gt_node **tail = out;
	*end = ENDS_TEXT;
	for (;;) {
		struct slice rest = slice_from(p->s, p->at);
		size_t n = slice_search(rest, SL("{{"));
		struct slice text = slice_head(rest, n);
		bool action = n < rest.n;
		if (p->trim)
			text = slice_trim_left(text);
		p->trim = false;
		p->at += n + (action ? 2 : 0);
		if (action && peek(p, 0) == '-' && is_blank(peek(p, 1))) {
			text = slice_trim_right(text);
			p->at += 1;
		}
		if (text.n)
			add_node(p, &tail, (struct gt_node){ .kind = GT_TEXT, .text = text });
		if (!action)
			return 0;
		size_t at = p->at;
		skip_blanks(p);
		int r;
		if (looking_at(p, "/*") && (p->at == at || p->s.p[at - 1] == '-'))
			r = skip_comment(p, e);
		else
			r = parse_action(p, &tail, end, e);
		if (r != 0)
			return r < 0 ? -1 : 0;
	}
}

struct gotemplate *gotemplate_parse(struct slice text, struct err *e)
{
	if (text.n > GT_TEXT_MAX) {
		err_set(e, ERR_USER, "a --format template of more than %u bytes", GT_TEXT_MAX);
		return NULL;
	}
	_cleanup_(gotemplate_freep) struct gotemplate *t = NEW(struct gotemplate);
	t->text = arena_slice(&t->arena, text);
	struct parse p = { .t = t, .s = t->text };
	enum list_end end;
	int r = parse_list(&p, &t->nodes, &end, e);
	if (r == 0 && end != ENDS_TEXT)
		r = fail(&p, p.at, e, "{{%s}} without an {{if}}, {{range}} or {{with}} before it",
			 end == ENDS_END ? "end" : "else");
	arr_done(&p.vars);
	if (r < 0) {
		err_add(e, "the --format template cannot be read");
		return NULL;
	}
	return take_ptr(&t);
}

void gotemplate_free(struct gotemplate *t)
{
	if (!t)
		return;
	arr_each(v, &t->pool)
		json_decref(*v);
	arr_done(&t->pool);
	arena_done(&t->arena);
	free(t);
}
