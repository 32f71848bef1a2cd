/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines: commands, their operands, and the variables that they set. */
#include <string.h>

#include "base/err.h"
#include "report/gotemplate_scan.h"

static int parse_fields(struct gt_parse *p, struct gt_operand *o, struct err *e)
{
	ARRAY_OF(const char *) names = { 0 };
	while (gt_peek(p, 0) == '.' && gt_is_word(gt_peek(p, 1))) {
		p->at++;
		arr_push(&names, arena_str(&p->t->arena, gt_word(p)));
	}
	o->fields_n = names.n;
	if (names.n) {
		o->fields = arena_alloc(&p->t->arena, names.n * sizeof *names.p);
		memcpy(o->fields, names.p, names.n * sizeof *names.p);
	}
	arr_done(&names);
	if (gt_peek(p, 0) == '.')
		return gt_fail(p, p->at, e, "a field's name is missing after '.'");
	return 0;
}

static int parse_variable(struct gt_parse *p, struct gt_operand *o, struct err *e)
{
	size_t from = p->at++;
	o->kind = GT_VAR;
	o->name = arena_str(&p->t->arena, gt_word(p));
	bool known = !*o->name;
	arr_each(v, &p->vars)
		known |= strcmp(*v, o->name) == 0;
	if (!known)
		return gt_fail(p, from, e, "there is no variable '$%s'", o->name);
	return parse_fields(p, o, e);
}

static int parse_word(struct gt_parse *p, struct gt_operand *o, struct err *e)
{
	static const char *const refused[] = { "html", "js", "urlquote", "call" };
	size_t from = p->at;
	struct slice w = gt_word(p);
	o->kind = GT_CONST;
	if (slice_is(w, "nil")) {
		o->kind = GT_NIL;
		return 0;
	}
	if (slice_is(w, "true") || slice_is(w, "false")) {
		o->value = gt_keep(p, json_boolean(slice_is(w, "true")));
		return 0;
	}
	o->kind = GT_FUNC;
	o->name = arena_str(&p->t->arena, w);
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (slice_is(w, refused[i]))
			return gt_fail(p, from, e, "the function '%s' is not supported in --format",
				       refused[i]);
	if (gt_func_find(o->name))
		return 0;
	gt_fail(p, from, e, "there is no function '%s'", o->name);
	return err_hint(e,
			"functions: and eq ge gt index join json le len lower lt ne not or pad "
			"print printf println slice split title truncate upper; fields start "
			"with a dot: '.%s'",
			o->name);
}

static int parse_operand(struct gt_parse *p, struct gt_operand *o, struct err *e)
{
	char c = gt_peek(p, 0), d = gt_peek(p, 1);
	int r = 0;
	memset(o, 0, sizeof *o);
	o->at = p->at;
	if (c == '.' && gt_is_digit(d)) {
		o->kind = GT_CONST;
		r = gt_number(p, &o->value, e);
	} else if (c == '.' && gt_is_word(d)) {
		o->kind = GT_FIELD;
		r = parse_fields(p, o, e);
	} else if (c == '.') {
		o->kind = GT_DOT;
		p->at++;
	} else if (c == '$') {
		r = parse_variable(p, o, e);
	} else if (c == '"' || c == '`' || c == '\'') {
		o->kind = GT_CONST;
		r = gt_string(p, &o->value, e);
	} else if (gt_is_digit(c) || ((c == '+' || c == '-') && (gt_is_digit(d) || d == '.'))) {
		o->kind = GT_CONST;
		r = gt_number(p, &o->value, e);
	} else if (gt_is_word(c)) {
		r = parse_word(p, o, e);
	} else if (c == '(') {
		p->at++;
		o->kind = GT_PIPE;
		if (gt_parse_pipe(p, false, false, &o->pipe, e) < 0)
			return -1;
		if (gt_peek(p, 0) != ')')
			return gt_fail(p, o->at, e, "this parenthesis is not closed");
		p->at++;
		r = parse_fields(p, o, e);
	} else {
		return gt_fail(p, p->at, e, "'%c' cannot stand here", c ? c : ' ');
	}
	o->len = p->at - o->at;
	if (r == 0 && p->at < p->s.n && !gt_is_blank(gt_peek(p, 0)) && gt_peek(p, 0) != ')' &&
	    gt_peek(p, 0) != '|' && gt_peek(p, 0) != ',' && gt_peek(p, 0) != '=' &&
	    gt_peek(p, 0) != ':' && !gt_at_close(p))
		return gt_fail(p, p->at, e, "'%c' cannot stand here", gt_peek(p, 0));
	return r;
}

static int parse_cmd(struct gt_parse *p, bool piped, struct gt_cmd *cmd, struct err *e)
{
	ARRAY_OF(struct gt_operand) args = { 0 };
	int r = 0;
	gt_skip_blanks(p);
	cmd->at = p->at;
	while (r == 0 && p->at < p->s.n && !gt_at_close(p) && gt_peek(p, 0) != '|' &&
	       gt_peek(p, 0) != ')') {
		struct gt_operand o;
		r = parse_operand(p, &o, e);
		if (r == 0 && args.n == GT_ARGS_MAX)
			r = gt_fail(p, cmd->at, e, "more than %d arguments", GT_ARGS_MAX);
		arr_push(&args, o);
		gt_skip_blanks(p);
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
		return gt_fail(p, cmd->at, e, "a value is missing here");
	const struct gt_operand *first = &cmd->args[0];
	if (first->kind == GT_NIL)
		return gt_fail(p, first->at, e, "nil alone is no command");
	if (first->kind != GT_FUNC && piped)
		return gt_fail(p, first->at, e, "a pipeline can only go on into a function");
	if (first->kind != GT_FUNC && cmd->n > 1)
		return gt_fail(p, first->at, e, "only functions take arguments");
	return 0;
}

/* "$x :=", "$i, $x :=", "$x =". Leaves p alone when it is none. */
static int parse_decl(struct gt_parse *p, bool range, struct gt_pipe *pipe, struct err *e)
{
	size_t from = p->at;
	for (;;) {
		gt_skip_blanks(p);
		if (gt_peek(p, 0) != '$')
			break;
		p->at++;
		struct slice name = gt_word(p);
		gt_skip_blanks(p);
		bool assign = gt_peek(p, 0) == '=', set = gt_looking_at(p, ":=");
		bool comma = gt_peek(p, 0) == ',' && range && pipe->vars_n == 0;
		if (!assign && !set && !comma)
			break;
		if (!name.n)
			return gt_fail(p, from, e, "$ is the data itself; it cannot be set");
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

static int declare(struct gt_parse *p, const struct gt_pipe *pipe, struct err *e)
{
	for (size_t i = 0; i < pipe->vars_n; i++) {
		bool known = false;
		arr_each(v, &p->vars)
			known |= strcmp(*v, pipe->vars[i]) == 0;
		if (pipe->assign && !known)
			return gt_fail(p, pipe->at, e,
				       "there is no variable '$%s' to set; := makes one",
				       pipe->vars[i]);
		if (!pipe->assign)
			arr_push(&p->vars, pipe->vars[i]);
	}
	return 0;
}

static int check_counts(struct gt_parse *p, const struct gt_pipe *pipe, struct err *e)
{
	for (size_t i = 0; i < pipe->n; i++)
		for (size_t j = 0; j < pipe->cmds[i].n; j++) {
			const struct gt_operand *o = &pipe->cmds[i].args[j];
			if (o->kind != GT_FUNC)
				continue;
			const struct gt_func *f = gt_func_find(o->name);
			size_t n = j ? 0 : pipe->cmds[i].n - 1 + (i > 0);
			if (n < f->min || n > f->max)
				return gt_fail(p, o->at, e,
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

int gt_parse_pipe(struct gt_parse *p, bool range, bool decl, struct gt_pipe **out, struct err *e)
{
	struct gt_pipe *pipe = ARENA_NEW(&p->t->arena, struct gt_pipe);
	ARRAY_OF(struct gt_cmd) cmds = { 0 };
	int r = 0;
	if (++p->depth > GT_DEPTH_MAX)
		return gt_fail(p, p->at, e, "more than %d levels of nesting", GT_DEPTH_MAX);
	gt_skip_blanks(p);
	pipe->at = p->at;
	if (decl && parse_decl(p, range, pipe, e) < 0)
		return -1;
	for (;;) {
		struct gt_cmd cmd = { 0 };
		r = parse_cmd(p, cmds.n > 0, &cmd, e);
		if (r < 0)
			break;
		arr_push(&cmds, cmd);
		if (gt_peek(p, 0) != '|')
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
