/* SPDX-License-Identifier: Apache-2.0 */
/* The text as it is read: places, blanks and lines, strings and keys. */
#include "registry/toml_in.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

enum { KEY_PARTS_MAX = 32 };

int toml_bad_at(struct toml *t, size_t at, const char *fmt, ...)
{
	unsigned line = 1;
	size_t start = 0;
	for (size_t i = 0; i < at && i < t->all.n; i++)
		if (t->all.p[i] == '\n') {
			line++;
			start = i + 1;
		}
	struct slice rest = slice_from(t->all, start);
	struct slice text = slice_trim_right(slice_head(rest, slice_find(rest, '\n')));
	if (text.n > 400)
		text.n = 400;
	_cleanup_(buf_done) struct buf words = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&words, fmt, ap);
	va_end(ap);
	_free_ char *lines = slice_dup(text);
	struct err_span span = { .file = (char *)t->file,
				 .first = line,
				 .last = line,
				 .col = (unsigned)(at - start) + 1,
				 .width = 1,
				 .lines = lines };
	err_set(t->e, ERR_DATA, "%s", words.p);
	return err_at(t->e, &span);
}

bool toml_at_end(const struct toml *t)
{
	return t->at >= t->all.n;
}

char toml_peek(const struct toml *t)
{
	return toml_at_end(t) ? '\0' : t->all.p[t->at];
}

bool toml_starts(const struct toml *t, const char *word)
{
	return slice_starts(slice_from(t->all, t->at), slice_of(word));
}

bool toml_accept(struct toml *t, char c)
{
	if (toml_at_end(t) || t->all.p[t->at] != c)
		return false;
	t->at++;
	return true;
}

void toml_skip_blanks(struct toml *t)
{
	while (toml_peek(t) == ' ' || toml_peek(t) == '\t')
		t->at++;
}

/* One character of a comment or a string: its length, 0 if it may not stand there. */
static size_t text_char(const struct toml *t)
{
	uint32_t rune;
	unsigned char c = (unsigned char)t->all.p[t->at];
	if (c < 0x80)
		return c == '\t' || (c >= 0x20 && c != 0x7f) ? 1 : 0;
	size_t n = utf8_decode(slice_from(t->all, t->at), &rune);
	return rune == UTF8_BAD && n == 1 ? 0 : n;
}

/* "\n" or "\r\n" */
static bool accept_newline(struct toml *t)
{
	if (toml_starts(t, "\r\n"))
		t->at++;
	return toml_accept(t, '\n');
}

static int skip_comment(struct toml *t)
{
	if (!toml_accept(t, '#'))
		return 0;
	while (!toml_at_end(t) && toml_peek(t) != '\n' && !toml_starts(t, "\r\n")) {
		size_t n = text_char(t);
		if (!n)
			return toml_bad(t, "a comment holds a byte that is no text");
		t->at += n;
	}
	return 0;
}

int toml_skip_lines(struct toml *t)
{
	do {
		toml_skip_blanks(t);
		if (skip_comment(t) < 0)
			return -1;
	} while (accept_newline(t));
	return 0;
}

int toml_end_line(struct toml *t)
{
	toml_skip_blanks(t);
	if (skip_comment(t) < 0)
		return -1;
	if (toml_at_end(t) || accept_newline(t))
		return 0;
	return toml_bad(t, "nothing more may stand on this line");
}

static int take_unicode(struct toml *t, unsigned digits, struct buf *out)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < digits; i++) {
		char c = toml_peek(t);
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
						    : 16;
		if (d == 16)
			return toml_bad(t, "\\%c wants %u hexadecimal digits",
					digits == 4 ? 'u' : 'U', digits);
		v = v << 4 | d;
		t->at++;
	}
	if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return toml_bad(t, "U+%04" PRIX32 " is no character", v);
	utf8_put(out, v);
	return 0;
}

/* After a backslash in a basic string. */
static int take_escape(struct toml *t, bool lines, struct buf *out)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char c = toml_peek(t);
	const char *known = c ? strchr(from, c) : NULL;
	if (known) {
		buf_char(out, to[known - from]);
		t->at++;
		return 0;
	}
	if (toml_accept(t, 'u'))
		return take_unicode(t, 4, out);
	if (toml_accept(t, 'U'))
		return take_unicode(t, 8, out);
	size_t start = t->at;
	toml_skip_blanks(t);
	if (!lines || !accept_newline(t))
		return toml_bad_at(t, start, "there is no such escape after '\\'");
	do
		toml_skip_blanks(t);
	while (accept_newline(t));
	return 0;
}

/* The rest of a string after its opening quote(s). */
static int take_rest(struct toml *t, char quote, bool lines, struct buf *out)
{
	const char three[] = { quote, quote, quote, '\0' };
	size_t start = t->at;
	while (!toml_at_end(t)) {
		if (!lines && toml_accept(t, quote))
			return 0;
		if (lines && toml_starts(t, three)) {
			/* up to two quotes may stand before the three */
			unsigned more = 0;
			for (t->at += 3; more < 2 && toml_accept(t, quote); more++)
				buf_char(out, quote);
			return 0;
		}
		size_t from = t->at;
		if (quote == '"' && toml_accept(t, '\\')) {
			if (take_escape(t, lines, out) < 0)
				return -1;
		} else if (lines && accept_newline(t)) {
			buf_char(out, '\n');
		} else if (toml_peek(t) == '\n') {
			return toml_bad_at(t, start, "the string does not end on its line");
		} else {
			size_t n = text_char(t);
			if (!n)
				return toml_bad(t, "a string holds a byte that is no text");
			buf_add(out, t->all.p + from, n);
			t->at += n;
		}
	}
	return toml_bad_at(t, start, "the string does not end");
}

int toml_take_string(struct toml *t, bool may_be_lines, struct buf *out)
{
	char quote = toml_peek(t);
	if (quote != '"' && quote != '\'')
		return 0;
	const char three[] = { quote, quote, quote, '\0' };
	bool lines = toml_starts(t, three);
	if (lines && !may_be_lines)
		return toml_bad(t, "a string of several lines cannot be a key");
	t->at += lines ? 3 : 1;
	if (lines)
		(void)accept_newline(t);
	return take_rest(t, quote, lines, out) < 0 ? -1 : 1;
}

int toml_take_key(struct toml *t, struct strs *parts)
{
	do {
		_cleanup_(buf_done) struct buf b = { 0 };
		toml_skip_blanks(t);
		size_t start = t->at;
		int r = toml_take_string(t, false, &b);
		if (r < 0)
			return -1;
		if (r == 0) {
			while (toml_is_bare(toml_peek(t)))
				t->at++;
			if (t->at == start)
				return toml_bad(t, "a key is expected here");
			buf_add(&b, t->all.p + start, t->at - start);
		}
		if (b.len && memchr(b.p, '\0', b.len))
			return toml_bad_at(t, start, "a key holds U+0000");
		if (parts->n == KEY_PARTS_MAX)
			return toml_bad_at(t, start, "a key of more than %d parts", KEY_PARTS_MAX);
		strs_take(parts, buf_take(&b));
		toml_skip_blanks(t);
	} while (toml_accept(t, '.'));
	return 0;
}
