/* SPDX-License-Identifier: Apache-2.0 */
/* Text to tree. One pass by hand: outside of {{ }} everything is text, inside blanks separate
 * operands, so that no list of tokens is needed. */
#include <string.h>

#include "base/err.h"
#include "report/gotemplate_scan.h"

enum list_end { ENDS_TEXT, ENDS_END, ENDS_ELSE };

static int parse_list(struct gt_parse *p, struct gt_node **out, enum list_end *end, struct err *e);

static void add_node(struct gt_parse *p, struct gt_node ***tail, struct gt_node node)
{
	**tail = ARENA_NEW(&p->t->arena, struct gt_node);
	***tail = node;
	*tail = &(**tail)->next;
}

/* After the keyword: pipe }} body [else [if|with …] other] end. */
static int parse_control(struct gt_parse *p, struct gt_node *node, struct err *e)
{
	size_t from = p->at, vars = p->vars.n;
	enum list_end end;
	p->depth++; /* parse_pipe, which goes one deeper, refuses too many */
	p->loops += node->kind == GT_RANGE;
	if (gt_parse_pipe(p, node->kind == GT_RANGE, true, &node->pipe, e) < 0 ||
	    gt_expect_close(p, e) < 0 || parse_list(p, &node->body, &end, e) < 0)
		return -1;
	p->loops -= node->kind == GT_RANGE;
	if (end == ENDS_ELSE) {
		size_t at = p->at;
		gt_skip_blanks(p);
		struct slice w = gt_word(p);
		if ((slice_is(w, "if") && node->kind == GT_IF) ||
		    (slice_is(w, "with") && node->kind == GT_WITH)) {
			node->other = ARENA_NEW(&p->t->arena, struct gt_node);
			node->other->kind = node->kind;
			if (parse_control(p, node->other, e) < 0)
				return -1;
			end = ENDS_END;
		} else {
			p->at = at;
			if (gt_expect_close(p, e) < 0 || parse_list(p, &node->other, &end, e) < 0)
				return -1;
		}
	}
	if (end == ENDS_ELSE)
		return gt_fail(p, p->at, e, "a second {{else}}");
	if (end == ENDS_TEXT)
		return gt_fail(p, from, e, "{{end}} is missing");
	p->vars.n = vars;
	p->depth--;
	return 0;
}

/* One action, after "{{". 1: it ended the list, see *end. */
static int parse_action(struct gt_parse *p, struct gt_node ***tail, enum list_end *end,
			struct err *e)
{
	static const char *const controls[] = {
		[GT_IF] = "if", [GT_RANGE] = "range", [GT_WITH] = "with"
	};
	static const char *const refused[] = { "define", "template", "block" };
	gt_skip_blanks(p);
	size_t from = p->at;
	struct slice w = gt_word(p);
	struct gt_node node = { .kind = GT_ACTION };
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (slice_is(w, refused[i]))
			return gt_fail(p, from, e, "{{%s}} is not supported in --format",
				       refused[i]);
	if (slice_is(w, "end")) {
		*end = ENDS_END;
		return gt_expect_close(p, e) < 0 ? -1 : 1;
	}
	if (slice_is(w, "else")) {
		*end = ENDS_ELSE;
		return 1;
	}
	if (slice_is(w, "break") || slice_is(w, "continue")) {
		node.kind = slice_is(w, "break") ? GT_BREAK : GT_CONTINUE;
		if (!p->loops)
			return gt_fail(p, from, e, "{{%.*s}} outside of {{range}}", SLF(w));
		if (gt_expect_close(p, e) < 0)
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
	if (gt_parse_pipe(p, false, true, &node.pipe, e) < 0 || gt_expect_close(p, e) < 0)
		return -1;
	add_node(p, tail, node);
	return 0;
}

/* At the slash of a comment. */
static int skip_comment(struct gt_parse *p, struct err *e)
{
	size_t from = p->at;
	struct slice rest = slice_from(p->s, p->at + 2);
	size_t n = slice_search(rest, SL("*/"));
	if (n == rest.n)
		return gt_fail(p, from, e, "this comment has no end");
	p->at += 2 + n + 2;
	bool blank = gt_is_blank(gt_peek(p, 0));
	gt_skip_blanks(p);
	if (!gt_at_close(p) || (gt_peek(p, 0) == '-' && !blank))
		return gt_fail(p, p->at, e, "a comment stands alone between {{ and }}");
	return gt_expect_close(p, e);
}

static int parse_list(struct gt_parse *p, struct gt_node **out, enum list_end *end, struct err *e)
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
		if (action && gt_peek(p, 0) == '-' && gt_is_blank(gt_peek(p, 1))) {
			text = slice_trim_right(text);
			p->at += 1;
		}
		if (text.n)
			add_node(p, &tail, (struct gt_node){ .kind = GT_TEXT, .text = text });
		if (!action)
			return 0;
		size_t at = p->at;
		gt_skip_blanks(p);
		int r;
		if (gt_looking_at(p, "/*") && (p->at == at || p->s.p[at - 1] == '-'))
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
	struct gt_parse p = { .t = t, .s = t->text };
	enum list_end end;
	int r = parse_list(&p, &t->nodes, &end, e);
	if (r == 0 && end != ENDS_TEXT)
		r = gt_fail(&p, p.at, e,
			    "{{%s}} without an {{if}}, {{range}} or {{with}} before it",
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
