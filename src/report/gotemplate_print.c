/* SPDX-License-Identifier: Apache-2.0 */
/* How values are printed (Go's %v). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/gotemplate_func.h"

void gt_print_real(double v, char e, struct buf *out)
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
	case JSON_REAL: gt_print_real(json_real_value(v), 'e', out); break;
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
