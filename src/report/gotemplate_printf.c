/* SPDX-License-Identifier: Apache-2.0 */
/* printf, with the verbs of Go's fmt. */
#include <string.h>

#include "base/err.h"
#include "report/gotemplate_func.h"

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
	case 'v': gt_print_real(d, 'e', out); return 0;
	case 'f':
	case 'F': buf_printf(out, v->plus ? "%+.*f" : "%.*f", prec, d); return 0;
	case 'e': buf_printf(out, v->plus ? "%+.*e" : "%.*e", prec, d); return 0;
	case 'E': buf_printf(out, v->plus ? "%+.*E" : "%.*E", prec, d); return 0;
	case 'g':
	case 'G':
		if (v->has_prec)
			buf_printf(out, v->letter == 'g' ? "%.*g" : "%.*G", prec, d);
		else
			gt_print_real(d, v->letter == 'g' ? 'e' : 'E', out);
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
	if (gt_is_text(a))
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
	if (gt_is_list(a) && (v->letter == 's' || v->letter == 'q'))
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
		if (gt_arg_int(f, a[(*next)++], out, e) < 0)
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

int gt_call_printf(CALL)
{
	struct slice s;
	size_t next = 1;
	_cleanup_(buf_done) struct buf b = VALUE_BUF;
	if (gt_arg_text(f, a[0], &s, e) < 0)
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
	return gt_give(r, &b, out, e);
}
