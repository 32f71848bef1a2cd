/* SPDX-License-Identifier: Apache-2.0 */
#include "base/js.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

enum { DEPTH_MAX = 512 };

/* jansson's own limit of 2048 is a constant of its build, and recursion of that depth is more
 * than a small thread's stack holds. So the depth is seen before parsing; strings are all that
 * may hide a bracket. */
static bool is_too_deep(struct slice text)
{
	unsigned depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > DEPTH_MAX)
				return true;
		} else if ((c == ']' || c == '}') && depth) {
			depth--;
		}
	}
	return false;
}

json_t *js_parse(struct slice text, const char *what, struct err *e)
{
	if (text.n > JS_MAX) {
		err_set(e, ERR_DATA, "%s is larger than %u bytes", what, JS_MAX);
		return NULL;
	}
	if (is_too_deep(text)) {
		err_set(e, ERR_DATA, "%s is nested deeper than %d levels", what, DEPTH_MAX);
		return NULL;
	}
	json_error_t why;
	json_t *v = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &why);
	if (!v)
		err_set(e, ERR_DATA, "%s is not valid JSON: %s (line %d, column %d)", what,
			why.text, why.line, why.column);
	return v;
}

/* *v is the member, or NULL if it is absent or null. */
static int member(const json_t *obj, const char *key, json_type type, const char *words, json_t **v,
		  struct err *e)
{
	json_t *found = json_object_get(obj, key);
	if (!found || json_is_null(found)) {
		*v = NULL;
		return 0;
	}
	/* json_typeof tells true and false apart */
	if (type == JSON_TRUE ? !json_is_boolean(found) : json_typeof(found) != type)
		return err_set(e, ERR_DATA, "'%s' must be %s", key, words);
	*v = found;
	return 0;
}

int js_str(const json_t *obj, const char *key, const char **out, struct err *e)
{
	json_t *v = NULL;
	if (member(obj, key, JSON_STRING, "a string", &v, e) < 0)
		return -1;
	*out = v ? json_string_value(v) : NULL;
	return 0;
}

int js_int(const json_t *obj, const char *key, int64_t *out, struct err *e)
{
	json_t *v = NULL;
	if (member(obj, key, JSON_INTEGER, "a whole number", &v, e) < 0)
		return -1;
	*out = v ? (int64_t)json_integer_value(v) : 0;
	return 0;
}

int js_bool(const json_t *obj, const char *key, bool *out, struct err *e)
{
	json_t *v = NULL;
	if (member(obj, key, JSON_TRUE, "true or false", &v, e) < 0)
		return -1;
	*out = json_is_true(v);
	return 0;
}

int js_array(const json_t *obj, const char *key, json_t **out, struct err *e)
{
	return member(obj, key, JSON_ARRAY, "an array", out, e);
}

int js_object(const json_t *obj, const char *key, json_t **out, struct err *e)
{
	return member(obj, key, JSON_OBJECT, "an object", out, e);
}

int js_strs(const json_t *obj, const char *key, struct strs *out, struct err *e)
{
	json_t *list = NULL, *v;
	size_t i;
	if (js_array(obj, key, &list, e) < 0)
		return -1;
	json_array_foreach(list, i, v) if (!json_is_string(v)) return err_set(
		e, ERR_DATA, "'%s' must hold strings only", key);
	json_array_foreach(list, i, v) strs_add(out, json_string_value(v));
	return 0;
}

static int to_buf(const char *p, size_t n, void *out)
{
	buf_add(out, p, n);
	return 0;
}

void js_dump(const json_t *v, struct buf *out)
{
	(void)json_dump_callback(v, to_buf, out, JSON_COMPACT | JSON_ENCODE_ANY);
}

void js_dump_pretty(const json_t *v, unsigned indent, struct buf *out)
{
	(void)json_dump_callback(v, to_buf, out, JSON_INDENT(indent) | JSON_ENCODE_ANY);
}

json_t *js_from_strs(const struct strs *l)
{
	json_t *list = json_array();
	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(list, js_text(slice_of(l->p[i])));
	return list;
}

json_t *js_text(struct slice s)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	while (s.n) {
		uint32_t rune;
		size_t n = utf8_decode(s, &rune);
		if (rune == UTF8_BAD)
			buf_str(&b, "\xEF\xBF\xBD");
		else
			buf_add(&b, s.p, n);
		s = slice_from(s, n);
	}
	return json_stringn_nocheck(buf_view(&b).p, b.len);
}
