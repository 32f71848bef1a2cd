/* SPDX-License-Identifier: Apache-2.0 */
/* Places, blanks, words and literals. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/js.h"
#include "base/utf8.h"
#include "report/gotemplate_scan.h"

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

int gt_fail(struct gt_parse *p, size_t at, struct err *e, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	err_set(e, ERR_USER, "%s", b.p);
	return gt_at(p->t, at, p->at > at ? p->at - at : 1, e);
}

void gt_skip_blanks(struct gt_parse *p)
{
	while (p->at < p->s.n && gt_is_blank(p->s.p[p->at]))
		p->at++;
}

bool gt_at_close(const struct gt_parse *p)
{
	if (gt_looking_at(p, "-}}"))
		return p->at > 0 && gt_is_blank(p->s.p[p->at - 1]);
	return gt_looking_at(p, "}}");
}

int gt_expect_close(struct gt_parse *p, struct err *e)
{
	gt_skip_blanks(p);
	if (p->at >= p->s.n)
		return gt_fail(p, p->at, e, "the template ends inside {{");
	if (!gt_at_close(p))
		return gt_fail(p, p->at, e, "}} is missing here");
	p->trim = gt_peek(p, 0) == '-';
	p->at += p->trim ? 3 : 2;
	return 0;
}

struct slice gt_word(struct gt_parse *p)
{
	size_t from = p->at;
	while (p->at < p->s.n && gt_is_word(p->s.p[p->at]))
		p->at++;
	return (struct slice){ p->s.p + from, p->at - from };
}

json_t *gt_keep(struct gt_parse *p, json_t *v)
{
	arr_push(&p->t->pool, v);
	return v;
}

/* ---- literals ---- */

static int hex_digits(struct gt_parse *p, size_t n, uint32_t *out)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n; i++) {
		char c = gt_peek(p, 0);
		int d = gt_is_digit(c)         ? c - '0'
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
static int escape(struct gt_parse *p, struct buf *out, struct err *e)
{
	static const char letters[] = "abfnrtv\\'\"", bytes[] = "\a\b\f\n\r\t\v\\'\"";
	char c = gt_peek(p, 0);
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
			return gt_fail(p, p->at, e, "there is no such character");
		utf8_put(out, v);
		return 0;
	}
	return gt_fail(p, p->at - 1, e, "unknown escape '\\%c' in a string", c ? c : ' ');
}

int gt_string(struct gt_parse *p, json_t **out, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	size_t from = p->at;
	char quote = gt_peek(p, 0);
	for (p->at++; p->at < p->s.n && gt_peek(p, 0) != quote;) {
		char c = gt_peek(p, 0);
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
	if (gt_peek(p, 0) != quote)
		return gt_fail(p, from, e, "this string has no end");
	p->at++;
	if (quote == '\'') { /* a character is its number */
		uint32_t v = 0;
		size_t n = b.len ? utf8_decode(buf_view(&b), &v) : 0;
		if (n == 0 || n != b.len)
			return gt_fail(p, from, e, "one character stands between single quotes");
		*out = gt_keep(p, json_integer(v));
		return 0;
	}
	*out = gt_keep(p, js_text(buf_view(&b)));
	return 0;
}

int gt_number(struct gt_parse *p, json_t **out, struct err *e)
{
	size_t from = p->at;
	if (gt_peek(p, 0) == '+' || gt_peek(p, 0) == '-')
		p->at++;
	while (gt_is_word(gt_peek(p, 0)) || gt_peek(p, 0) == '.' ||
	       ((gt_peek(p, 0) == '+' || gt_peek(p, 0) == '-') &&
		(p->s.p[p->at - 1] == 'e' || p->s.p[p->at - 1] == 'E')))
		p->at++;
	_free_ char *text = slice_dup((struct slice){ p->s.p + from, p->at - from });
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 0);
	if (!*end && errno == 0) {
		*out = gt_keep(p, json_integer(v));
		return 0;
	}
	double d = strtod(text, &end);
	if (*end || !(d - d == 0)) /* neither infinite nor not a number */
		return gt_fail(p, from, e, "'%s' is no number that fits", text);
	*out = gt_keep(p, json_real(d));
	return 0;
}
