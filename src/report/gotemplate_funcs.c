/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of templates: those that look at values, and the table of all. */
#include <string.h>

#include "base/err.h"
#include "report/gotemplate_func.h"

/* ---- arguments and results ---- */

bool gt_is_text(struct gt_value v)
{
	return (v.kind == GT_V_JSON && json_is_string(v.json)) ||
	       (v.kind == GT_V_NULL && v.zero == GOTEMPLATE_TEXT);
}

int gt_arg_text(const struct gt_func *f, struct gt_value v, struct slice *s, struct err *e)
{
	if (!gt_is_text(v))
		return err_set(e, ERR_USER, "'%s' wants a string, not %s", f->name,
			       gt_kind_name(v));
	*s = v.kind == GT_V_JSON
		     ? (struct slice){ json_string_value(v.json), json_string_length(v.json) }
		     : SL("");
	return 0;
}

int gt_arg_int(const struct gt_func *f, struct gt_value v, int64_t *i, struct err *e)
{
	if (v.kind != GT_V_JSON || !json_is_integer(v.json))
		return err_set(e, ERR_USER, "'%s' wants a whole number, not %s", f->name,
			       gt_kind_name(v));
	*i = json_integer_value(v.json);
	return 0;
}

size_t gt_list_len(struct gt_value v)
{
	return v.kind == GT_V_JSON ? json_array_size(v.json) : 0;
}

bool gt_is_list(struct gt_value v)
{
	return (v.kind == GT_V_JSON && json_is_array(v.json)) ||
	       (v.kind == GT_V_NULL && v.zero == GOTEMPLATE_LIST);
}

int gt_give(struct gt_run *r, struct buf *b, struct gt_value *out, struct err *e)
{
	if (buf_check(b, "a value in the --format template", e) < 0 ||
	    gt_steps(r, 1 + b->len / 16, e) < 0)
		return -1;
	*out = gt_text(r, buf_view(b));
	return 0;
}

/* ---- parts of a value ---- */

static int call_len(CALL)
{
	struct slice s;
	if (gt_is_text(a[0])) {
		if (gt_arg_text(f, a[0], &s, e) < 0)
			return -1;
		*out = gt_own(r, json_integer((json_int_t)s.n));
		return 0;
	}
	if (gt_is_list(a[0]) || (a[0].kind == GT_V_NULL && a[0].zero == GOTEMPLATE_MAP)) {
		*out = gt_own(r, json_integer((json_int_t)gt_list_len(a[0])));
		return 0;
	}
	if (a[0].kind != GT_V_JSON || !json_is_object(a[0].json))
		return err_set(e, ERR_USER, "'len' of %s", gt_kind_name(a[0]));
	*out = gt_own(r, json_integer((json_int_t)json_object_size(a[0].json)));
	return 0;
}

static int position(const struct gt_func *f, struct gt_value v, size_t max, size_t *at,
		    struct err *e)
{
	int64_t i;
	if (gt_arg_int(f, v, &i, e) < 0)
		return -1;
	if (i < 0 || (uint64_t)i > max)
		return err_set(e, ERR_USER, "'%s' %lld is out of range: there %s %zu", f->name,
			       (long long)i, max == 1 ? "is" : "are", max);
	*at = (size_t)i;
	return 0;
}

/* A map's missing key gives its elements' zero: "" if all are strings. */
static struct gt_value missing(struct gt_run *r, const json_t *map)
{
	const char *key;
	json_t *v;
	bool texts = json_object_size(map) > 0;
	json_object_foreach((json_t *)map, key, v) texts &= json_is_string(v);
	return texts ? gt_text(r, SL("")) : (struct gt_value){ .kind = GT_V_NONE };
}

static int index_one(struct gt_run *r, const struct gt_func *f, struct gt_value v,
		     struct gt_value key, struct gt_value *out, struct err *e)
{
	struct slice s;
	size_t at;
	if (v.kind == GT_V_NULL && v.zero == GOTEMPLATE_MAP)
		return gt_arg_text(f, key, &s, e) < 0
			       ? -1
			       : (*out = (struct gt_value){ .kind = GT_V_NONE }, 0);
	if (v.kind == GT_V_JSON && json_is_object(v.json)) {
		if (gt_arg_text(f, key, &s, e) < 0)
			return -1;
		json_t *item = memchr(s.p, 0, s.n) ? NULL : json_object_getn(v.json, s.p, s.n);
		if (!item && gt_is_map(r, v.json)) {
			*out = missing(r, v.json);
			return 0;
		}
		_free_ char *name = slice_dup(s);
		return gt_field(r, v, name, out, e);
	}
	size_t n = gt_is_list(v) ? gt_list_len(v) : 0;
	if (gt_is_text(v)) {
		if (gt_arg_text(f, v, &s, e) < 0)
			return -1;
		n = s.n;
	} else if (!gt_is_list(v)) {
		return err_set(e, ERR_USER, "'index' of %s", gt_kind_name(v));
	}
	if (position(f, key, n, &at, e) < 0)
		return -1;
	if (at == n)
		return err_set(e, ERR_USER, "'index' %zu is out of range: there %s %zu", at,
			       n == 1 ? "is" : "are", n);
	if (gt_is_text(v)) { /* a byte */
		*out = gt_own(r, json_integer((uint8_t)s.p[at]));
		return 0;
	}
	json_t *item = json_array_get(v.json, at);
	*out = json_is_null(item) ? (struct gt_value){ .kind = GT_V_NONE }
				  : (struct gt_value){ .kind = GT_V_JSON, .json = item };
	return 0;
}

static int call_index(CALL)
{
	struct gt_value v = a[0];
	for (size_t i = 1; i < n; i++) {
		struct gt_value from = v;
		if (index_one(r, f, from, a[i], &v, e) < 0)
			return -1;
	}
	*out = v;
	return 0;
}

static int call_slice(CALL)
{
	struct slice s = SL("");
	size_t from = 0, to, len = 0;
	if (gt_is_text(a[0])) {
		if (gt_arg_text(f, a[0], &s, e) < 0)
			return -1;
		len = s.n;
	} else if (gt_is_list(a[0])) {
		len = gt_list_len(a[0]);
	} else {
		return err_set(e, ERR_USER, "'slice' of %s", gt_kind_name(a[0]));
	}
	to = len;
	if ((n > 1 && position(f, a[1], len, &from, e) < 0) ||
	    (n > 2 && position(f, a[2], len, &to, e) < 0))
		return -1;
	if (from > to)
		return err_set(e, ERR_USER, "'slice' from %zu to %zu", from, to);
	if (gt_is_text(a[0])) {
		*out = gt_text(r, (struct slice){ s.p + from, to - from });
		return gt_steps(r, (to - from) / 16, e);
	}
	json_t *list = json_array();
	*out = gt_own(r, list);
	for (size_t i = from; i < to; i++)
		(void)json_array_append(list, json_array_get(a[0].json, i));
	return gt_steps(r, to - from, e);
}

/* ---- truth and order ---- */

static int call_not(CALL)
{
	*out = gt_own(r, json_boolean(!gt_truth(r, a[0])));
	return 0;
}

/* and, or are run by the walk itself, which stops at the first that decides. */
static int call_nothing(CALL)
{
	*out = (struct gt_value){ .kind = GT_V_NONE };
	return 0;
}

enum basic { BASIC_NONE, BASIC_NIL, BASIC_TEXT, BASIC_INT, BASIC_REAL, BASIC_BOOL };
static enum basic basic_kind(struct gt_value v)
{
	if (gt_is_text(v))
		return BASIC_TEXT;
	if (v.kind != GT_V_JSON)
		return v.kind == GT_V_NONE || v.zero == GOTEMPLATE_NIL ? BASIC_NIL : BASIC_NONE;
	switch (json_typeof(v.json)) {
	case JSON_INTEGER: return BASIC_INT;
	case JSON_REAL: return BASIC_REAL;
	case JSON_TRUE:
	case JSON_FALSE: return BASIC_BOOL;
	default: return BASIC_NONE;
	}
}

/* <0, 0, >0 in *c. */
static int compare(const struct gt_func *f, struct gt_value x, struct gt_value y, bool order,
		   int *c, struct err *e)
{
	enum basic k = basic_kind(x), l = basic_kind(y);
	struct slice s, t;
	if (!order && (k == BASIC_NIL || l == BASIC_NIL)) {
		*c = k != l;
		return 0;
	}
	if (k == BASIC_NONE || l == BASIC_NONE || k == BASIC_NIL || (order && k == BASIC_BOOL))
		return err_set(e, ERR_USER, "'%s' cannot compare %s", f->name,
			       gt_kind_name(l == BASIC_NONE ? y : x));
	if (k != l)
		return err_set(e, ERR_USER, "'%s' cannot compare %s with %s", f->name,
			       gt_kind_name(x),
			       k == BASIC_REAL || l == BASIC_REAL ? "one of another kind"
								  : gt_kind_name(y));
	if (k == BASIC_TEXT) {
		if (gt_arg_text(f, x, &s, e) < 0 || gt_arg_text(f, y, &t, e) < 0)
			return -1;
		*c = slice_cmp(s, t);
	} else if (k == BASIC_INT) {
		json_int_t i = json_integer_value(x.json), j = json_integer_value(y.json);
		*c = (i > j) - (i < j);
	} else if (k == BASIC_REAL) {
		double i = json_real_value(x.json), j = json_real_value(y.json);
		*c = (i > j) - (i < j);
	} else {
		*c = json_is_true(x.json) != json_is_true(y.json);
	}
	return 0;
}

/* eq a b…: a is one of the others; ne; and the orders, by f->what. */
static int call_compare(CALL)
{
	int c = 1;
	bool yes = false;
	for (size_t i = 1; i < n && !yes; i++) {
		if (compare(f, a[0], a[i], f->what != '=' && f->what != '!', &c, e) < 0)
			return -1;
		yes = f->what == '=' && c == 0;
	}
	switch (f->what) {
	case '!': yes = c != 0; break;
	case '<': yes = c < 0; break;
	case '>': yes = c > 0; break;
	case 'l': yes = c <= 0; break;
	case 'g': yes = c >= 0; break;
	default: break;
	}
	*out = gt_own(r, json_boolean(yes));
	return 0;
}

/* ---- printing ---- */

/* Sprint puts a blank between two operands when neither is a string, Sprintln always. */
static int call_print(CALL)
{
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	for (size_t i = 0; i < n; i++) {
		if (i && (f->what || !(gt_is_text(a[i - 1]) || gt_is_text(a[i]))))
			buf_char(&b, ' ');
		gt_print(r, a[i], &b);
	}
	if (f->what)
		buf_char(&b, '\n');
	return gt_give(r, &b, out, e);
}

/* ---- all of them ---- */

const struct gt_func *gt_func_find(const char *name)
{
	static const struct gt_func funcs[] = {
		{ "and", 1, GT_ARGS_MAX, call_nothing, 0 },
		{ "eq", 2, GT_ARGS_MAX, call_compare, '=' },
		{ "ge", 2, 2, call_compare, 'g' },
		{ "gt", 2, 2, call_compare, '>' },
		{ "index", 1, GT_ARGS_MAX, call_index, 0 },
		{ "join", 2, 2, gt_call_join, 0 },
		{ "json", 1, 1, gt_call_json, 0 },
		{ "le", 2, 2, call_compare, 'l' },
		{ "len", 1, 1, call_len, 0 },
		{ "lower", 1, 1, gt_call_case, 'l' },
		{ "lt", 2, 2, call_compare, '<' },
		{ "ne", 2, 2, call_compare, '!' },
		{ "not", 1, 1, call_not, 0 },
		{ "or", 1, GT_ARGS_MAX, call_nothing, 0 },
		{ "pad", 3, 3, gt_call_pad, 0 },
		{ "print", 0, GT_ARGS_MAX, call_print, 0 },
		{ "printf", 1, GT_ARGS_MAX, gt_call_printf, 0 },
		{ "println", 0, GT_ARGS_MAX, call_print, 1 },
		{ "slice", 1, 3, call_slice, 0 },
		{ "split", 2, 2, gt_call_split, 0 },
		{ "title", 1, 1, gt_call_case, 't' },
		{ "truncate", 2, 2, gt_call_truncate, 0 },
		{ "upper", 1, 1, gt_call_case, 'u' },
	};
	for (size_t i = 0; i < COUNT_OF(funcs); i++)
		if (strcmp(funcs[i].name, name) == 0)
			return &funcs[i];
	return NULL;
}
