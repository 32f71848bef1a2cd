/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the tree with the data. The meaning is that of Go's text/template/exec.go. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/js.h"
#include "report/gotemplate_impl.h"

enum flow { FLOW_ON = 0, FLOW_BREAK = 1, FLOW_CONTINUE = 2 }; /* -1: error */

static int run_list(struct gt_run *r, const struct gt_node *n, struct gt_value dot, struct err *e);
static int run_pipe(struct gt_run *r, const struct gt_pipe *p, struct gt_value dot,
		    struct gt_value *out, struct err *e);

int gt_steps(struct gt_run *r, size_t n, struct err *e)
{
	if (n > GT_STEPS_MAX - r->steps)
		return err_set(e, ERR_USER, "the --format template takes more than %d steps",
			       GT_STEPS_MAX);
	r->steps += n;
	return 0;
}

struct gt_value gt_own(struct gt_run *r, json_t *v)
{
	arr_push(&r->pool, v);
	return (struct gt_value){ .kind = GT_V_JSON, .json = v };
}

struct gt_value gt_text(struct gt_run *r, struct slice s)
{
	return gt_own(r, js_text(s));
}

bool gt_is_map(const struct gt_run *r, const json_t *v)
{
	for (size_t i = 0; i < r->opts->maps_n; i++)
		if (r->opts->maps[i] == v)
			return true;
	return false;
}

const char *gt_kind_name(struct gt_value v)
{
	if (v.kind != GT_V_JSON)
		return "nothing";
	switch (json_typeof(v.json)) {
	case JSON_OBJECT: return "an object";
	case JSON_ARRAY: return "a list";
	case JSON_STRING: return "a string";
	case JSON_INTEGER:
	case JSON_REAL: return "a number";
	case JSON_TRUE:
	case JSON_FALSE: return "true or false";
	case JSON_NULL: break;
	}
	return "nothing";
}

bool gt_truth(const struct gt_run *r, struct gt_value v)
{
	if (v.kind != GT_V_JSON)
		return false;
	switch (json_typeof(v.json)) {
	case JSON_OBJECT: return !gt_is_map(r, v.json) || json_object_size(v.json) > 0;
	case JSON_ARRAY: return json_array_size(v.json) > 0;
	case JSON_STRING: return json_string_length(v.json) > 0;
	case JSON_INTEGER: return json_integer_value(v.json) != 0;
	case JSON_REAL: return json_real_value(v.json) != 0;
	case JSON_TRUE: return true;
	default: return false;
	}
}

static const struct gotemplate_field *known_field(const struct gt_run *r, const char *name)
{
	for (const struct gotemplate_field *f = r->opts->fields; f && f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static int cmp_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **gt_keys(const json_t *obj, size_t *n)
{
	const char **keys = mem_array(json_object_size(obj) + 1, sizeof *keys);
	const char *key;
	json_t *v;
	*n = 0;
	json_object_foreach((json_t *)obj, key, v) keys[(*n)++] = key;
	qsort(keys, *n, sizeof *keys, cmp_text);
	return keys;
}

static int no_field(const struct gt_run *r, const json_t *obj, const char *name, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	const char *key;
	json_t *v;
	err_set(e, ERR_USER, "there is no field '%s'", name);
	json_object_foreach((json_t *)obj, key, v) if (names.n < 64) strs_addf(&names, ".%s", key);
	if (!names.n)
		return -1;
	_free_ char *list = strs_join(&names, " ");
	return err_hint(e, "fields: %s", list);
}

int gt_field(struct gt_run *r, struct gt_value from, const char *name, struct gt_value *out,
	     struct err *e)
{
	*out = (struct gt_value){ .kind = GT_V_NONE };
	if (from.kind == GT_V_NONE || (from.kind == GT_V_NULL && from.zero == GOTEMPLATE_MAP))
		return 0;
	if (from.kind == GT_V_NULL && from.zero == GOTEMPLATE_NIL)
		return err_set(e, ERR_USER, "'.%s' of nothing: what is before it is not set here",
			       name);
	if (from.kind != GT_V_JSON || !json_is_object(from.json))
		return err_set(e, ERR_USER, "'.%s' of %s: only objects have fields", name,
			       from.kind == GT_V_NULL ? "a list" : gt_kind_name(from));
	json_t *v = json_object_get(from.json, name);
	const struct gotemplate_field *known = known_field(r, name);
	if (v && !json_is_null(v))
		*out = (struct gt_value){ .kind = GT_V_JSON, .json = v };
	else if (gt_is_map(r, from.json))
		return 0;
	else if (known)
		*out = (struct gt_value){ .kind = GT_V_NULL, .zero = known->zero };
	else if (!v)
		return no_field(r, from.json, name, e);
	return 0;
}

static struct gt_value *find_var(struct gt_run *r, const char *name)
{
	for (size_t i = r->vars.n; i-- > 0;)
		if (strcmp(r->vars.p[i].name, name) == 0)
			return &r->vars.p[i].v;
	return NULL; /* the parser has looked */
}

static int eval(struct gt_run *r, const struct gt_operand *o, struct gt_value dot,
		struct gt_value *out, struct err *e)
{
	*out = (struct gt_value){ .kind = GT_V_NONE };
	switch (o->kind) {
	case GT_DOT:
	case GT_FIELD: *out = dot; break;
	case GT_NIL: *out = (struct gt_value){ .kind = GT_V_NULL }; break;
	case GT_VAR: *out = *find_var(r, o->name); break;
	case GT_CONST: *out = (struct gt_value){ .kind = GT_V_JSON, .json = o->value }; break;
	case GT_PIPE:
		if (run_pipe(r, o->pipe, dot, out, e) < 0)
			return -1;
		break;
	case GT_FUNC: {
		const struct gt_func *f = gt_func_find(o->name);
		if (f->call(r, f, NULL, 0, out, e) < 0)
			return gt_at(r->t, o->at, o->len, e);
		break;
	}
	}
	for (size_t i = 0; i < o->fields_n; i++) {
		struct gt_value from = *out;
		if (gt_field(r, from, o->fields[i], out, e) < 0)
			return gt_at(r->t, o->at, o->len, e);
	}
	return 0;
}

/* "and" and "or" stop at the first argument that decides. */
static int run_short(struct gt_run *r, const struct gt_cmd *c, struct gt_value dot,
		     const struct gt_value *piped, struct gt_value *out, struct err *e)
{
	bool stop = c->args[0].name[0] == 'o'; /* or: true decides */
	for (size_t i = 1; i < c->n + (piped != NULL); i++) {
		if (i == c->n)
			*out = *piped;
		else if (eval(r, &c->args[i], dot, out, e) < 0)
			return -1;
		if (gt_truth(r, *out) == stop)
			return 0;
	}
	return 0;
}

static int run_cmd(struct gt_run *r, const struct gt_cmd *c, struct gt_value dot,
		   const struct gt_value *piped, struct gt_value *out, struct err *e)
{
	const struct gt_operand *first = &c->args[0];
	if (first->kind != GT_FUNC)
		return eval(r, first, dot, out, e);
	if (strcmp(first->name, "and") == 0 || strcmp(first->name, "or") == 0)
		return run_short(r, c, dot, piped, out, e);
	struct gt_value args[GT_ARGS_MAX + 1];
	size_t n = 0;
	for (size_t i = 1; i < c->n; i++)
		if (eval(r, &c->args[i], dot, &args[n++], e) < 0)
			return -1;
	if (piped)
		args[n++] = *piped;
	const struct gt_func *f = gt_func_find(first->name);
	if (f->call(r, f, args, n, out, e) < 0)
		return gt_at(r->t, first->at, first->len, e);
	return 0;
}

static int run_pipe_value(struct gt_run *r, const struct gt_pipe *p, struct gt_value dot,
			  struct gt_value *out, struct err *e)
{
	struct gt_value v = { .kind = GT_V_NONE }, piped;
	for (size_t i = 0; i < p->n; i++) {
		piped = v;
		if (gt_steps(r, 1, e) < 0 ||
		    run_cmd(r, &p->cmds[i], dot, i ? &piped : NULL, &v, e) < 0)
			return -1;
	}
	*out = v;
	return 0;
}

static void set_var(struct gt_run *r, const struct gt_pipe *p, size_t i, struct gt_value v)
{
	if (p->assign)
		*find_var(r, p->vars[i]) = v;
	else
		arr_push(&r->vars, (struct gt_var){ p->vars[i], v });
}

static int run_pipe(struct gt_run *r, const struct gt_pipe *p, struct gt_value dot,
		    struct gt_value *out, struct err *e)
{
	if (run_pipe_value(r, p, dot, out, e) < 0)
		return -1;
	for (size_t i = 0; i < p->vars_n; i++)
		set_var(r, p, i, *out);
	return 0;
}

static int run_if(struct gt_run *r, const struct gt_node *n, struct gt_value dot, struct err *e)
{
	size_t vars = r->vars.n;
	struct gt_value v;
	if (run_pipe(r, n->pipe, dot, &v, e) < 0)
		return -1;
	bool yes = gt_truth(r, v);
	int flow = run_list(r, yes ? n->body : n->other, yes && n->kind == GT_WITH ? v : dot, e);
	r->vars.n = vars;
	return flow;
}

static int run_once(struct gt_run *r, const struct gt_node *n, struct gt_value key,
		    struct gt_value v, struct err *e)
{
	size_t vars = r->vars.n;
	if (gt_steps(r, 1, e) < 0)
		return -1;
	if (n->pipe->vars_n == 1)
		set_var(r, n->pipe, 0, v);
	if (n->pipe->vars_n == 2) {
		set_var(r, n->pipe, 0, key);
		set_var(r, n->pipe, 1, v);
	}
	int flow = run_list(r, n->body, v, e);
	r->vars.n = vars;
	return flow;
}

static struct gt_value of_json(json_t *v)
{
	if (!v || json_is_null(v))
		return (struct gt_value){ .kind = GT_V_NONE };
	return (struct gt_value){ .kind = GT_V_JSON, .json = v };
}

/* Keys in order, as text/template does for maps. */
static int range_object(struct gt_run *r, const struct gt_node *n, json_t *obj, struct err *e)
{
	size_t count;
	_free_ const char **keys = gt_keys(obj, &count);
	int flow = FLOW_ON;
	for (size_t i = 0; i < count && flow >= 0 && flow != FLOW_BREAK; i++)
		flow = run_once(r, n, gt_text(r, slice_of(keys[i])),
				of_json(json_object_get(obj, keys[i])), e);
	return flow;
}

static int run_range(struct gt_run *r, const struct gt_node *n, struct gt_value dot, struct err *e)
{
	struct gt_value v;
	int flow = FLOW_ON;
	if (run_pipe_value(r, n->pipe, dot, &v, e) < 0)
		return -1;
	bool some = v.kind == GT_V_JSON;
	if (some && json_is_array(v.json)) {
		some = json_array_size(v.json) > 0;
		for (size_t i = 0; i < json_array_size(v.json) && flow >= 0 && flow != FLOW_BREAK;
		     i++)
			flow = run_once(r, n, gt_own(r, json_integer((json_int_t)i)),
					of_json(json_array_get(v.json, i)), e);
	} else if (some && json_is_object(v.json)) {
		some = json_object_size(v.json) > 0;
		flow = range_object(r, n, v.json, e);
	} else if (some && json_is_integer(v.json)) {
		json_int_t max = json_integer_value(v.json);
		some = max > 0;
		for (json_int_t i = 0; i < max && flow >= 0 && flow != FLOW_BREAK; i++) {
			struct gt_value at = gt_own(r, json_integer(i));
			flow = run_once(r, n, at, at, e);
		}
	} else if (some) {
		err_set(e, ERR_USER, "{{range}} cannot go through %s", gt_kind_name(v));
		return gt_at(r->t, n->pipe->at, 1, e);
	}
	if (!some)
		return run_list(r, n->other, dot, e);
	return flow == FLOW_BREAK || flow == FLOW_CONTINUE ? FLOW_ON : flow;
}

static int run_action(struct gt_run *r, const struct gt_node *n, struct gt_value dot, struct err *e)
{
	struct gt_value v;
	if (run_pipe(r, n->pipe, dot, &v, e) < 0)
		return -1;
	if (n->pipe->vars_n)
		return 0;
	if (v.kind == GT_V_NONE)
		buf_str(r->out, "<no value>");
	else
		gt_print(r, v, r->out);
	return 0;
}

static int run_node(struct gt_run *r, const struct gt_node *n, struct gt_value dot, struct err *e)
{
	switch (n->kind) {
	case GT_TEXT: buf_slice(r->out, n->text); return 0;
	case GT_ACTION: return run_action(r, n, dot, e);
	case GT_IF:
	case GT_WITH: return run_if(r, n, dot, e);
	case GT_RANGE: return run_range(r, n, dot, e);
	case GT_BREAK: return FLOW_BREAK;
	case GT_CONTINUE: return FLOW_CONTINUE;
	}
	return 0;
}

static int run_list(struct gt_run *r, const struct gt_node *n, struct gt_value dot, struct err *e)
{
	int flow = FLOW_ON;
	for (; n && flow == FLOW_ON; n = n->next)
		flow = gt_steps(r, 1, e) < 0 ? -1 : run_node(r, n, dot, e);
	return flow;
}

int gotemplate_run(const struct gotemplate *t, const json_t *data,
		   const struct gotemplate_opts *opts, struct buf *out, struct err *e)
{
	static const struct gotemplate_opts none;
	_cleanup_(buf_done) struct buf text = { .max = GT_OUT_MAX };
	struct gt_run r = { .t = t, .opts = opts ? opts : &none, .out = &text };
	struct gt_value root = of_json((json_t *)data);
	arr_push(&r.vars, (struct gt_var){ "", root });
	int flow = run_list(&r, t->nodes, root, e);
	arr_each(v, &r.pool)
		json_decref(*v);
	arr_done(&r.pool);
	arr_done(&r.vars);
	if (flow < 0)
		return err_add(e, "the --format template does not fit what is shown");
	if (buf_check(&text, "the output of the --format template", e) < 0)
		return -1;
	buf_slice(out, buf_view(&text));
	return 0;
}
