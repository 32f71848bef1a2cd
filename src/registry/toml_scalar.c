/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, dates and truth: one word, without a look at what stands around it. */
#include "registry/toml_in.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits with '_' between any two of them, of this base, appended to out without '_'. */
static bool take_digits(struct slice *s, int base, struct buf *out)
{
	size_t n = 0;
	bool digit = false;
	for (; n < s->n; n++) {
		char c = s->p[n];
		int d = is_digit(c)            ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : 99;
		if (d < base) {
			buf_char(out, c);
			digit = true;
		} else if (c == '_' && digit) {
			digit = false;
		} else {
			break;
		}
	}
	*s = slice_from(*s, n);
	return digit;
}

static bool as_based(struct slice w, json_t **out)
{
	int base = w.n < 3 || w.p[0] != '0' ? 0
		   : w.p[1] == 'x'          ? 16
		   : w.p[1] == 'o'          ? 8
		   : w.p[1] == 'b'          ? 2
					    : 0;
	_cleanup_(buf_done) struct buf b = { 0 };
	int64_t v = 0;
	if (!base)
		return false;
	w = slice_from(w, 2);
	if (!take_digits(&w, base, &b) || w.n)
		return false;
	for (size_t i = 0; i < b.len; i++) {
		char c = b.p[i];
		int d = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
		if (ckd_mul(&v, v, base) || ckd_add(&v, v, d))
			return false;
	}
	*out = json_integer(v);
	return true;
}

static bool as_integer(const struct buf *digits, bool minus, json_t **out)
{
	int64_t v = 0;
	for (size_t i = 0; i < digits->len; i++) {
		int d = digits->p[i] - '0';
		if (ckd_mul(&v, v, 10) || ckd_add(&v, v, minus ? -d : d))
			return false;
	}
	*out = json_integer(v);
	return true;
}

/* [+-]digits[.digits][e[+-]digits]; inf, nan */
static bool as_number(struct slice w, json_t **out)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct slice rest = w;
	bool sign = w.n && (*w.p == '+' || *w.p == '-'), minus = w.n && *w.p == '-', real = false;
	if (sign)
		rest = slice_from(rest, 1);
	if (slice_is(rest, "inf") || slice_is(rest, "nan")) {
		*out = json_stringn(w.p, w.n);
		return true;
	}
	if (!take_digits(&rest, 10, &b) || (b.len > 1 && b.p[0] == '0'))
		return false;
	if (!rest.n)
		return as_integer(&b, minus, out);
	if (*rest.p == '.') {
		real = true;
		rest = slice_from(rest, 1);
		buf_char(&b, '.');
		if (!take_digits(&rest, 10, &b))
			return false;
	}
	if (rest.n && (*rest.p == 'e' || *rest.p == 'E')) {
		real = true;
		rest = slice_from(rest, 1);
		buf_char(&b, 'e');
		if (rest.n && (*rest.p == '+' || *rest.p == '-')) {
			buf_char(&b, *rest.p);
			rest = slice_from(rest, 1);
		}
		if (!take_digits(&rest, 10, &b))
			return false;
	}
	if (rest.n || !real)
		return false;
	double v = strtod(b.p, NULL); /* digits, '.', 'e' and signs only; nobody sets a locale */
	if (!isfinite(v))
		return false;
	*out = json_real(minus ? -v : v);
	return true;
}

bool toml_matches(struct slice s, const char *pattern)
{
	size_t n = strlen(pattern);
	if (s.n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (pattern[i] == '0' ? !is_digit(s.p[i]) : s.p[i] != pattern[i])
			return false;
	return true;
}

/* 1979-05-27, 07:32:00.5, 1979-05-27T07:32:00Z: their form, not whether there is such a day. */
static bool as_date(struct slice w, json_t **out)
{
	struct slice rest = w;
	bool date = toml_matches(rest, "0000-00-00"), time = !date;
	if (date)
		rest = slice_from(rest, 10);
	if (date && rest.n && strchr("Tt ", *rest.p)) {
		rest = slice_from(rest, 1);
		time = true;
	}
	if (time) {
		if (!toml_matches(rest, "00:00:00"))
			return false;
		rest = slice_from(rest, 8);
		if (toml_matches(rest, ".0"))
			for (rest = slice_from(rest, 1); rest.n && is_digit(*rest.p);)
				rest = slice_from(rest, 1);
		if (date && rest.n == 1 && (*rest.p == 'Z' || *rest.p == 'z'))
			rest.n = 0;
		if (date && rest.n == 6 &&
		    (toml_matches(rest, "+00:00") || toml_matches(rest, "-00:00")))
			rest.n = 0;
	}
	if (rest.n)
		return false;
	*out = json_stringn(w.p, w.n);
	return true;
}

bool toml_scalar(struct slice word, json_t **out)
{
	if (slice_is(word, "true") || slice_is(word, "false")) {
		*out = json_boolean(word.n == 4);
		return true;
	}
	return as_date(word, out) || as_based(word, out) || as_number(word, out);
}
