/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of templates, and how values are printed (Go's %v). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "report/gotemplate_impl.h"

#define WIDTH_MAX 4096
#define CALL                                                                           \
	struct gt_run *r, const struct gt_func *f, const struct gt_value *a, size_t n, \
		struct gt_value *out, struct err *e

/* ---- printing ---- */

/* As strconv.FormatFloat(v, 'g', -1, 64): the shortest digits that read back the same, an exponent
 * below -4 and from 6 digits on. e: 'e' or 'E'. */
static void print_real(double v, char e, struct buf *out)
{
	char text[64];
	if (isnan(v) || isinf(v)) {
		buf_str(out, isnan(v) ? "NaN" : v < 0 ? "-Inf" : "+Inf");
		return;
	}
	int digits = 1;
	do
		(void)snprintf(text, sizeof text, "%.*e", digits - 1, v);
	while (strtod(text, NULL) != v && digits++ < 17);
	int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent < -4 || exponent >= 6) {
		*strchr(text, 'e') = e;
		buf_str(out, text);
		return;
	}
	buf_printf(out, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0, v);
}

static void print_json(const struct gt_run *r, const json_t *v, unsigned depth, struct buf *out);

static void print_null(const struct gt_run *r, const char *key, struct buf *out)
{
	for (const struct gotemplate_field *f = r->opts->fields; key && f && f->name; f++)
		if (strcmp(f->name, key) == 0 && f->zero != GOTEMPLATE_NIL) {
			buf_str(out, f->zero == GOTEMPLATE_LIST  ? "[]"
				     : f->zero == GOTEMPLATE_MAP ? "map[]"
								 : "");
			return;
		}
	buf_str(out, "<nil>");
}

static void print_object(const struct gt_run *r, const json_t *v, unsigned depth, struct buf *out)
{
	if (gt_is_map(r, v)) {
		size_t n;
		_free_ const char **keys = gt_keys(v, &n);
		buf_str(out, "map[");
		for (size_t i = 0; i < n; i++) {
			buf_printf(out, "%s%s:", i ? " " : "", keys[i]);
			print_json(r, json_object_get(v, keys[i]), depth + 1, out);
		}
		buf_char(out, ']');
		return;
	}
	const char *key;
	json_t *member;
	bool first = true;
	buf_char(out, '{');
	json_object_foreach((json_t *)v, key, member)
	{
		if (!first)
			buf_char(out, ' ');
		first = false;
		if (json_is_null(member))
			print_null(r, key, out);
		else
			print_json(r, member, depth + 1, out);
	}
	buf_char(out, '}');
}

static void print_json(const struct gt_run *r, const json_t *v, unsigned depth, struct buf *out)
{
	if (!v || depth > 2 * GT_DEPTH_MAX) {
		buf_str(out, "<nil>");
		return;
	}
	switch (json_typeof(v)) {
	case JSON_STRING: buf_add(out, json_string_value(v), json_string_length(v)); break;
	case JSON_INTEGER: buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v)); break;
	case JSON_REAL: print_real(json_real_value(v), 'e', out); break;
	case JSON_TRUE: buf_str(out, "true"); break;
	case JSON_FALSE: buf_str(out, "false"); break;
	case JSON_NULL: buf_str(out, "<nil>"); break;
	case JSON_OBJECT: print_object(r, v, depth, out); break;
	case JSON_ARRAY:
		buf_char(out, '[');
		for (size_t i = 0; i < json_array_size(v); i++) {
			if (i)
				buf_char(out, ' ');
			print_json(r, json_array_get(v, i), depth + 1, out);
		}
		buf_char(out, ']');
		break;
	}
}

void gt_print(const struct gt_run *r, struct gt_value v, struct buf *out)
{
	static const char *const zeros[] = { [GOTEMPLATE_NIL] = "<nil>",
					     [GOTEMPLATE_LIST] = "[]",
					     [GOTEMPLATE_MAP] = "map[]",
					     [GOTEMPLATE_TEXT] = "" };
	if (v.kind == GT_V_JSON)
		print_json(r, v.json, 0, out);
	else
		buf_str(out, v.kind == GT_V_NULL ? zeros[v.zero] : "<nil>");
}

/* ---- arguments ---- */
static bool is_text(struct gt_value v)
{
	return (v.kind == GT_V_JSON && json_is_string(v.json)) ||
	       (v.kind == GT_V_NULL && v.zero == GOTEMPLATE_TEXT);
}

static int text_arg(const struct gt_func *f, struct gt_value v, struct slice *s, struct err *e)
{
	if (!is_text(v))
		return err_set(e, ERR_USER, "'%s' wants a string, not %s", f->name,
			       gt_kind_name(v));
	*s = v.kind == GT_V_JSON
		     ? (struct slice){ json_string_value(v.json), json_string_length(v.json) }
		     : SL("");
	return 0;
}

static int int_arg(const struct gt_func *f, struct gt_value v, int64_t *i, struct err *e)
{
	if (v.kind != GT_V_JSON || !json_is_integer(v.json))
		return err_set(e, ERR_USER, "'%s' wants a whole number, not %s", f->name,
			       gt_kind_name(v));
	*i = json_integer_value(v.json);
	return 0;
}

static size_t list_len(struct gt_value v)
{
	return v.kind == GT_V_JSON ? json_array_size(v.json) : 0;
}

static bool is_list(struct gt_value v)
{
	return (v.kind == GT_V_JSON && json_is_array(v.json)) ||
	       (v.kind == GT_V_NULL && v.zero == GOTEMPLATE_LIST);
}

static int give(struct gt_run *r, struct buf *b, struct gt_value *out, struct err *e)
{
	if (buf_check(b, "a value in the --format template", e) < 0 ||
	    gt_steps(r, 1 + b->len / 16, e) < 0)
		return -1;
	*out = gt_text(r, buf_view(b));
	return 0;
}
#define VALUE_BUF                     \
	{                             \
		.max = GT_OUT_MAX / 4 \
	}

/* ---- docker's ---- */
static int call_json(CALL)
{
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (r->opts->heading && is_text(a[0])) {
		*out = a[0];
		return 0;
	}
	if (a[0].kind == GT_V_JSON)
		js_dump(a[0].json, &b);
	else
		buf_str(&b,
			a[0].kind == GT_V_NULL && a[0].zero == GOTEMPLATE_TEXT ? "\"\"" : "null");
	return give(r, &b, out, e);
}

/* lower, upper, title: ASCII letters; others stay. */
static int call_case(CALL)
{
	struct slice s;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (text_arg(f, a[0], &s, e) < 0)
		return -1;
	bool start = true;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool lower = c >= 'a' && c <= 'z', upper = c >= 'A' && c <= 'Z';
		if (f->what == 'l' && upper)
			buf_char(&b, (char)(c + 32));
		else if (lower && (f->what == 'u' || (f->what == 't' && start)))
			buf_char(&b, (char)(c - 32));
		else
			buf_char(&b, c);
		start = !(lower || upper || (c >= '0' && c <= '9') || c == '_' || (c & 0x80));
	}
	if (r->opts->heading) {
		*out = a[0];
		return 0;
	}
	return give(r, &b, out, e);
}

static int call_split(CALL)
{
	struct slice s, sep;
	if (text_arg(f, a[0], &s, e) < 0 || text_arg(f, a[1], &sep, e) < 0 ||
	    gt_steps(r, s.n / 16, e) < 0)
		return -1;
	json_t *list = json_array();
	*out = gt_own(r, list);
	while (sep.n) {
		size_t at = slice_search(s, sep);
		(void)json_array_append_new(list, js_text(slice_head(s, at)));
		if (at == s.n)
			return gt_steps(r, json_array_size(list), e);
		s = slice_from(s, at + sep.n);
	}
	for (size_t i = 0, w; i < s.n; i += w) { /* between characters */
		for (w = 1; i + w < s.n && (s.p[i + w] & 0xc0) == 0x80; w++)
			;
		(void)json_array_append_new(list, js_text((struct slice){ s.p + i, w }));
	}
	return gt_steps(r, json_array_size(list), e);
}

static int call_join(CALL)
{
	struct slice sep, s;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (!is_list(a[0]))
		return err_set(e, ERR_USER, "'join' wants a list of strings, not %s",
			       gt_kind_name(a[0]));
	if (text_arg(f, a[1], &sep, e) < 0)
		return -1;
	for (size_t i = 0; i < list_len(a[0]); i++) {
		struct gt_value item = { .kind = GT_V_JSON, .json = json_array_get(a[0].json, i) };
		if (i)
			buf_slice(&b, sep);
		if (text_arg(f, item, &s, e) < 0)
			return -1;
		buf_slice(&b, s);
	}
	return give(r, &b, out, e);
}

static int call_truncate(CALL)
{
	struct slice s;
	int64_t n_bytes;
	if (text_arg(f, a[0], &s, e) < 0 || int_arg(f, a[1], &n_bytes, e) < 0)
		return -1;
	if (n_bytes < 0)
		return err_set(e, ERR_USER, "'truncate' to a negative length");
	if (r->opts->heading || (uint64_t)n_bytes >= s.n) {
		*out = a[0];
		return 0;
	}
	*out = gt_text(r, slice_head(s, (size_t)n_bytes));
	return gt_steps(r, (size_t)n_bytes / 16, e);
}

static int call_pad(CALL)
{
	struct slice s;
	int64_t before, after;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (text_arg(f, a[0], &s, e) < 0 || int_arg(f, a[1], &before, e) < 0 ||
	    int_arg(f, a[2], &after, e) < 0)
		return -1;
	if (before < 0 || after < 0 || before > WIDTH_MAX || after > WIDTH_MAX)
		return err_set(e, ERR_USER, "'pad' takes 0 to %d blanks", WIDTH_MAX);
	if (s.n)
		buf_printf(&b, "%*s%.*s%*s", (int)before, "", SLF(s), (int)after, "");
	return give(r, &b, out, e);
}

/* ---- Go's ---- */
static int call_len(CALL)
{
	struct slice s;
	if (is_text(a[0])) {
		if (text_arg(f, a[0], &s, e) < 0)
			return -1;
		*out = gt_own(r, json_integer((json_int_t)s.n));
		return 0;
	}
	if (is_list(a[0]) || (a[0].kind == GT_V_NULL && a[0].zero == GOTEMPLATE_MAP)) {
		*out = gt_own(r, json_integer((json_int_t)list_len(a[0])));
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
	if (int_arg(f, v, &i, e) < 0)
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
		return text_arg(f, key, &s, e) < 0
			       ? -1
			       : (*out = (struct gt_value){ .kind = GT_V_NONE }, 0);
	if (v.kind == GT_V_JSON && json_is_object(v.json)) {
		if (text_arg(f, key, &s, e) < 0)
			return -1;
		json_t *item = memchr(s.p, 0, s.n) ? NULL : json_object_getn(v.json, s.p, s.n);
		if (!item && gt_is_map(r, v.json)) {
			*out = missing(r, v.json);
			return 0;
		}
		_free_ char *name = slice_dup(s);
		return gt_field(r, v, name, out, e);
	}
	size_t n = is_list(v) ? list_len(v) : 0;
	if (is_text(v)) {
		if (text_arg(f, v, &s, e) < 0)
			return -1;
		n = s.n;
	} else if (!is_list(v)) {
		return err_set(e, ERR_USER, "'index' of %s", gt_kind_name(v));
	}
	if (position(f, key, n, &at, e) < 0)
		return -1;
	if (at == n)
		return err_set(e, ERR_USER, "'index' %zu is out of range: there %s %zu", at,
			       n == 1 ? "is" : "are", n);
	if (is_text(v)) { /* a byte */
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
	if (is_text(a[0])) {
		if (text_arg(f, a[0], &s, e) < 0)
			return -1;
		len = s.n;
	} else if (is_list(a[0])) {
		len = list_len(a[0]);
	} else {
		return err_set(e, ERR_USER, "'slice' of %s", gt_kind_name(a[0]));
	}
	to = len;
	if ((n > 1 && position(f, a[1], len, &from, e) < 0) ||
	    (n > 2 && position(f, a[2], len, &to, e) < 0))
		return -1;
	if (from > to)
		return err_set(e, ERR_USER, "'slice' from %zu to %zu", from, to);
	if (is_text(a[0])) {
		*out = gt_text(r, (struct slice){ s.p + from, to - from });
		return gt_steps(r, (to - from) / 16, e);
	}
	json_t *list = json_array();
	*out = gt_own(r, list);
	for (size_t i = from; i < to; i++)
		(void)json_array_append(list, json_array_get(a[0].json, i));
	return gt_steps(r, to - from, e);
}

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
	if (is_text(v))
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
		if (text_arg(f, x, &s, e) < 0 || text_arg(f, y, &t, e) < 0)
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

/* Sprint puts a blank between two operands when neither is a string, Sprintln always. */
static int call_print(CALL)
{
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	for (size_t i = 0; i < n; i++) {
		if (i && (f->what || !(is_text(a[i - 1]) || is_text(a[i]))))
			buf_char(&b, ' ');
		gt_print(r, a[i], &b);
	}
	if (f->what)
		buf_char(&b, '\n');
	return give(r, &b, out, e);
}

/* ---- printf ---- */
struct verb {
	bool minus, plus, sharp, blank, zero;
	bool has_width, has_prec;
	int64_t width, prec;
	char letter;
};

static void quote(struct slice s, struct buf *out)
{
	static const char letters[] = "abfnrtv\\\"", bytes[] = "\a\b\f\n\r\t\v\\\"";
	buf_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		const char *found = s.p[i] ? strchr(bytes, s.p[i]) : NULL;
		if (found)
			buf_printf(out, "\\%c", letters[found - bytes]);
		else if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned char)s.p[i]);
		else
			buf_char(out, s.p[i]);
	}
	buf_char(out, '"');
}

static int verb_int(const struct verb *v, json_int_t i, struct buf *out)
{
	uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;
	const char *sign = i < 0 ? "-" : v->plus ? "+" : v->blank ? " " : "";
	if (v->letter == 'b') {
		char bits[65];
		size_t n = sizeof bits;
		do
			bits[--n] = (char)('0' + (u & 1));
		while (u >>= 1);
		buf_printf(out, "%s%.*s", sign, (int)(sizeof bits - n), bits + n);
		return 0;
	}
	switch (v->letter) {
	case 'v':
	case 'd': buf_printf(out, "%s%llu", sign, (unsigned long long)u); return 0;
	case 'x':
		buf_printf(out, v->sharp ? "%s0x%llx" : "%s%llx", sign, (unsigned long long)u);
		return 0;
	case 'X':
		buf_printf(out, v->sharp ? "%s0X%llX" : "%s%llX", sign, (unsigned long long)u);
		return 0;
	case 'o':
		buf_printf(out, v->sharp ? "%s0%llo" : "%s%llo", sign, (unsigned long long)u);
		return 0;
	case 'c':
		if (u < 0x80 && i >= 0) {
			buf_char(out, (char)u);
			return 0;
		}
	}
	return -1;
}

static int verb_real(const struct verb *v, double d, struct buf *out)
{
	int prec = v->has_prec ? (int)v->prec : 6;
	switch (v->letter) {
	case 'v': print_real(d, 'e', out); return 0;
	case 'f':
	case 'F': buf_printf(out, v->plus ? "%+.*f" : "%.*f", prec, d); return 0;
	case 'e': buf_printf(out, v->plus ? "%+.*e" : "%.*e", prec, d); return 0;
	case 'E': buf_printf(out, v->plus ? "%+.*E" : "%.*E", prec, d); return 0;
	case 'g':
	case 'G':
		if (v->has_prec)
			buf_printf(out, v->letter == 'g' ? "%.*g" : "%.*G", prec, d);
		else
			print_real(d, v->letter == 'g' ? 'e' : 'E', out);
		return 0;
	}
	return -1;
}

static int verb_text(const struct verb *v, struct slice s, struct buf *out)
{
	if (v->has_prec && v->letter != 'x' && v->letter != 'X') { /* characters */
		size_t n = 0, runes = 0;
		for (; n < s.n; n++)
			if ((s.p[n] & 0xc0) != 0x80 && runes++ == (size_t)v->prec)
				break;
		s.n = n;
	}
	switch (v->letter) {
	case 'v':
	case 's': buf_slice(out, s); return 0;
	case 'q': quote(s, out); return 0;
	case 'x':
	case 'X':
		for (size_t i = 0; i < s.n; i++)
			buf_printf(out, v->letter == 'x' ? "%02x" : "%02X", (unsigned char)s.p[i]);
		return 0;
	}
	return -1;
}

static int verb_list(const struct gt_run *r, const struct verb *v, const json_t *list,
		     struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		if (i)
			buf_char(out, ' ');
		if (!json_is_string(item) ||
		    verb_text(v,
			      (struct slice){ json_string_value(item), json_string_length(item) },
			      out) < 0)
			return -1;
	}
	buf_char(out, ']');
	return 0;
}

static int verb_value(const struct gt_run *r, const struct verb *v, struct gt_value a,
		      struct buf *out)
{
	if (is_text(a))
		return verb_text(v,
				 a.kind == GT_V_JSON ? (struct slice){ json_string_value(a.json),
								       json_string_length(a.json) }
						     : SL(""),
				 out);
	if (a.kind == GT_V_JSON && json_is_integer(a.json))
		return verb_int(v, json_integer_value(a.json), out);
	if (a.kind == GT_V_JSON && json_is_real(a.json))
		return verb_real(v, json_real_value(a.json), out);
	if (v->letter == 'v' ||
	    (v->letter == 't' && a.kind == GT_V_JSON && json_is_boolean(a.json))) {
		gt_print(r, a, out);
		return 0;
	}
	if (is_list(a) && (v->letter == 's' || v->letter == 'q'))
		return verb_list(r, v, a.kind == GT_V_JSON ? a.json : NULL, out);
	return -1;
}

static void padded(const struct verb *v, struct slice s, bool number, struct buf *out)
{
	size_t runes = 0;
	for (size_t i = 0; i < s.n; i++)
		runes += (s.p[i] & 0xc0) != 0x80;
	int pad = v->has_width && (size_t)v->width > runes ? (int)((size_t)v->width - runes) : 0;
	if (!v->minus && v->zero && number) {
		size_t sign = s.n && (*s.p == '-' || *s.p == '+');
		buf_slice(out, slice_head(s, sign));
		while (pad--)
			buf_char(out, '0');
		buf_slice(out, slice_from(s, sign));
		return;
	}
	buf_printf(out, "%*s%.*s%*s", v->minus ? 0 : pad, "", SLF(s), v->minus ? pad : 0, "");
}

/* A number or a star; *has. */
static int verb_number(const struct gt_func *f, struct slice *s, const struct gt_value *a, size_t n,
		       size_t *next, bool *has, int64_t *out, struct err *e)
{
	if (s->n && *s->p == '*') {
		*s = slice_from(*s, 1);
		if (*next >= n)
			return err_set(e, ERR_USER, "'printf' has no argument for *");
		if (int_arg(f, a[(*next)++], out, e) < 0)
			return -1;
		*has = true;
	}
	while (s->n && *s->p >= '0' && *s->p <= '9' && *out <= WIDTH_MAX) {
		*out = *out * 10 + (*s->p - '0');
		*s = slice_from(*s, 1);
		*has = true;
	}
	if (*out > WIDTH_MAX || *out < -WIDTH_MAX)
		return err_set(e, ERR_USER, "'printf' pads to at most %d", WIDTH_MAX);
	return 0;
}

static int parse_verb(const struct gt_func *f, struct slice *s, const struct gt_value *a, size_t n,
		      size_t *next, struct verb *v, struct err *e)
{
	for (; s->n; *s = slice_from(*s, 1)) {
		char c = *s->p;
		v->minus |= c == '-';
		v->plus |= c == '+';
		v->sharp |= c == '#';
		v->blank |= c == ' ';
		v->zero |= c == '0';
		if (!memchr("-+# 0", c, 5))
			break;
	}
	if (verb_number(f, s, a, n, next, &v->has_width, &v->width, e) < 0)
		return -1;
	if (v->width < 0) {
		v->minus = true;
		v->width = -v->width;
	}
	if (s->n && *s->p == '.') {
		*s = slice_from(*s, 1);
		v->has_prec = true;
		if (verb_number(f, s, a, n, next, &v->has_prec, &v->prec, e) < 0)
			return -1;
		if (v->prec < 0)
			v->has_prec = false;
	}
	if (!s->n)
		return err_set(e, ERR_USER, "'printf': the format ends inside a %% verb");
	v->letter = *s->p;
	*s = slice_from(*s, 1);
	return 0;
}

static int call_printf(CALL)
{
	struct slice s;
	size_t next = 1;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (text_arg(f, a[0], &s, e) < 0)
		return -1;
	while (s.n && !b.over) {
		size_t at = slice_find(s, '%');
		buf_slice(&b, slice_head(s, at));
		if (at == s.n)
			break;
		s = slice_from(s, at + 1);
		struct verb v = { 0 };
		if (parse_verb(f, &s, a, n, &next, &v, e) < 0 || gt_steps(r, 1, e) < 0)
			return -1;
		if (v.letter == '%') {
			buf_char(&b, '%');
			continue;
		}
		if (next >= n)
			return err_set(e, ERR_USER, "'printf' has no argument for %%%c", v.letter);
		_cleanup_(buf_done) struct buf one = VALUE_BUF;
		struct gt_value arg = a[next++];
		if (verb_value(r, &v, arg, &one) < 0)
			return err_set(e, ERR_USER, "'printf' cannot show %s as %%%c",
				       gt_kind_name(arg), v.letter);
		padded(&v, buf_view(&one), arg.kind == GT_V_JSON && json_is_number(arg.json), &b);
	}
	if (next < n)
		return err_set(e, ERR_USER, "'printf' has %zu argument%s too many", n - next,
			       n - next == 1 ? "" : "s");
	return give(r, &b, out, e);
}

const struct gt_func *gt_func_find(const char *name)
{
	static const struct gt_func funcs[] = {
		{ "and", 1, GT_ARGS_MAX, call_nothing, 0 },
		{ "eq", 2, GT_ARGS_MAX, call_compare, '=' },
		{ "ge", 2, 2, call_compare, 'g' },
		{ "gt", 2, 2, call_compare, '>' },
		{ "index", 1, GT_ARGS_MAX, call_index, 0 },
		{ "join", 2, 2, call_join, 0 },
		{ "json", 1, 1, call_json, 0 },
		{ "le", 2, 2, call_compare, 'l' },
		{ "len", 1, 1, call_len, 0 },
		{ "lower", 1, 1, call_case, 'l' },
		{ "lt", 2, 2, call_compare, '<' },
		{ "ne", 2, 2, call_compare, '!' },
		{ "not", 1, 1, call_not, 0 },
		{ "or", 1, GT_ARGS_MAX, call_nothing, 0 },
		{ "pad", 3, 3, call_pad, 0 },
		{ "print", 0, GT_ARGS_MAX, call_print, 0 },
		{ "printf", 1, GT_ARGS_MAX, call_printf, 0 },
		{ "println", 0, GT_ARGS_MAX, call_print, 1 },
		{ "slice", 1, 3, call_slice, 0 },
		{ "split", 2, 2, call_split, 0 },
		{ "title", 1, 1, call_case, 't' },
		{ "truncate", 2, 2, call_truncate, 0 },
		{ "upper", 1, 1, call_case, 'u' },
	};
	for (size_t i = 0; i < COUNT_OF(funcs); i++)
		if (strcmp(funcs[i].name, name) == 0)
			return &funcs[i];
	return NULL;
}
