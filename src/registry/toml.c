/* SPDX-License-Identifier: Apache-2.0 */
/* A recursive descent over the grammar of toml.io/en/v1.0.0. What a table may still become (a header
 * may not open it twice, an inline table is closed, an array of tables is no array) is kept beside
 * the values, by their address. */
#include "registry/toml.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "base/num.h"
#include "base/utf8.h"

enum { KEY_PARTS_MAX = 32, DEPTH_MAX = 64, TOKEN_MAX = 256 };

enum made { /* how a table or an array came to be; 1.. because NULL is "not known" */
	    MADE_ABOVE = 1, /* named only by a longer header: may still get its own */
	    MADE_HEADER,
	    MADE_DOTTED, /* by a.b = …: grows by such lines in the same table only */
	    MADE_CLOSED, /* inline table, array value */
	    MADE_TABLES, /* [[array of tables]] */
};

struct toml {
	struct slice all;
	size_t at;
	const char *file;
	json_t *root, *table; /* borrowed: table is where lines go to */
	struct map made; /* address of a value -> enum made */
	struct map home; /* MADE_DOTTED: the table whose lines made it */
	struct err *e;
};

/* ---- where, and what is wrong ---- */

static int bad_at(struct toml *t, size_t at, const char *fmt, ...) _printf_(3, 4);
static int bad_at(struct toml *t, size_t at, const char *fmt, ...)
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
#define bad(t, ...) bad_at(t, (t)->at, __VA_ARGS__)

static bool at_end(const struct toml *t)
{
	return t->at >= t->all.n;
}

/* 0 at the end; a NUL in the text is found as a control byte. */
static char peek(const struct toml *t)
{
	return at_end(t) ? '\0' : t->all.p[t->at];
}

static bool starts(const struct toml *t, const char *word)
{
	return slice_starts(slice_from(t->all, t->at), slice_of(word));
}

static bool accept(struct toml *t, char c)
{
	if (at_end(t) || t->all.p[t->at] != c)
		return false;
	t->at++;
	return true;
}

static void skip_blanks(struct toml *t)
{
	while (peek(t) == ' ' || peek(t) == '\t')
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
	if (starts(t, "\r\n"))
		t->at++;
	return accept(t, '\n');
}

static int skip_comment(struct toml *t)
{
	if (!accept(t, '#'))
		return 0;
	while (!at_end(t) && peek(t) != '\n' && !starts(t, "\r\n")) {
		size_t n = text_char(t);
		if (!n)
			return bad(t, "a comment holds a byte that is no text");
		t->at += n;
	}
	return 0;
}

/* Blanks, comments and newlines. */
static int skip_lines(struct toml *t)
{
	do {
		skip_blanks(t);
		if (skip_comment(t) < 0)
			return -1;
	} while (accept_newline(t));
	return 0;
}

static int end_line(struct toml *t)
{
	skip_blanks(t);
	if (skip_comment(t) < 0)
		return -1;
	if (at_end(t) || accept_newline(t))
		return 0;
	return bad(t, "nothing more may stand on this line");
}

/* ---- strings and keys ---- */

static void put_rune(struct buf *b, uint32_t r)
{
	if (r < 0x80) {
		buf_char(b, (char)r);
		return;
	}
	unsigned more = r < 0x800 ? 1 : r < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	buf_char(b, (char)(lead[more] | r >> 6 * more));
	while (more--)
		buf_char(b, (char)(0x80 | (r >> 6 * more & 0x3f)));
}

static int take_unicode(struct toml *t, unsigned digits, struct buf *out)
{
	uint32_t v = 0;
	for (unsigned i = 0; i < digits; i++) {
		char c = peek(t);
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
						    : 16;
		if (d == 16)
			return bad(t, "\\%c wants %u hexadecimal digits", digits == 4 ? 'u' : 'U',
				   digits);
		v = v << 4 | d;
		t->at++;
	}
	if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return bad(t, "U+%04" PRIX32 " is no character", v);
	put_rune(out, v);
	return 0;
}

/* After a backslash in a basic string. */
static int take_escape(struct toml *t, bool lines, struct buf *out)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char c = peek(t);
	const char *known = c ? strchr(from, c) : NULL;
	if (known) {
		buf_char(out, to[known - from]);
		t->at++;
		return 0;
	}
	if (accept(t, 'u'))
		return take_unicode(t, 4, out);
	if (accept(t, 'U'))
		return take_unicode(t, 8, out);
	size_t start = t->at;
	skip_blanks(t);
	if (!lines || !accept_newline(t))
		return bad_at(t, start, "there is no such escape after '\\'");
	do
		skip_blanks(t);
	while (accept_newline(t));
	return 0;
}

/* The rest of a string after its opening quote(s). */
static int take_rest(struct toml *t, char quote, bool lines, struct buf *out)
{
	const char three[] = { quote, quote, quote, '\0' };
	size_t start = t->at;
	while (!at_end(t)) {
		if (!lines && accept(t, quote))
			return 0;
		if (lines && starts(t, three)) {
			/* up to two quotes may stand before the three */
			unsigned more = 0;
			for (t->at += 3; more < 2 && accept(t, quote); more++)
				buf_char(out, quote);
			return 0;
		}
		size_t from = t->at;
		if (quote == '"' && accept(t, '\\')) {
			if (take_escape(t, lines, out) < 0)
				return -1;
		} else if (lines && accept_newline(t)) {
			buf_char(out, '\n');
		} else if (peek(t) == '\n') {
			return bad_at(t, start, "the string does not end on its line");
		} else {
			size_t n = text_char(t);
			if (!n)
				return bad(t, "a string holds a byte that is no text");
			buf_add(out, t->all.p + from, n);
			t->at += n;
		}
	}
	return bad_at(t, start, "the string does not end");
}

/* 1: there is a string, it is in out. */
static int take_string(struct toml *t, bool may_be_lines, struct buf *out)
{
	char quote = peek(t);
	if (quote != '"' && quote != '\'')
		return 0;
	const char three[] = { quote, quote, quote, '\0' };
	bool lines = starts(t, three);
	if (lines && !may_be_lines)
		return bad(t, "a string of several lines cannot be a key");
	t->at += lines ? 3 : 1;
	if (lines)
		(void)accept_newline(t);
	return take_rest(t, quote, lines, out) < 0 ? -1 : 1;
}

static bool is_bare(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-';
}

/* a."b c".d */
static int take_key(struct toml *t, struct strs *parts)
{
	do {
		_cleanup_(buf_done) struct buf b = { 0 };
		skip_blanks(t);
		size_t start = t->at;
		int r = take_string(t, false, &b);
		if (r < 0)
			return -1;
		if (r == 0) {
			while (is_bare(peek(t)))
				t->at++;
			if (t->at == start)
				return bad(t, "a key is expected here");
			buf_add(&b, t->all.p + start, t->at - start);
		}
		if (b.len && memchr(b.p, '\0', b.len))
			return bad_at(t, start, "a key holds U+0000");
		if (parts->n == KEY_PARTS_MAX)
			return bad_at(t, start, "a key of more than %d parts", KEY_PARTS_MAX);
		strs_take(parts, buf_take(&b));
		skip_blanks(t);
	} while (accept(t, '.'));
	return 0;
}

/* ---- tables ---- */

static struct slice address(json_t *const *v)
{
	return (struct slice){ (const char *)v, sizeof *v };
}

static enum made made_of(const struct toml *t, json_t *v)
{
	return (enum made)(uintptr_t)map_get(&t->made, address(&v));
}

static void mark(struct toml *t, json_t *v, enum made how)
{
	(void)map_put(&t->made, address(&v), (void *)(uintptr_t)how);
}

static json_t *add_new(struct toml *t, json_t *table, const char *key, json_t *v, enum made how)
{
	(void)json_object_set_new_nocheck(table, key, v);
	mark(t, v, how);
	return v;
}

/* The table that a header's part leads to; made if it is not there. */
static json_t *descend(struct toml *t, json_t *table, const char *key, size_t at)
{
	json_t *v = json_object_get(table, key);
	if (!v)
		return add_new(t, table, key, json_object(), MADE_ABOVE);
	if (made_of(t, v) == MADE_TABLES)
		return json_array_get(v, json_array_size(v) - 1);
	if (json_is_object(v) && made_of(t, v) != MADE_CLOSED)
		return v;
	(void)bad_at(t, at, "'%s' has a value already and is no table that could be extended", key);
	return NULL;
}

/* [[a.b]] */
static int open_in_array(struct toml *t, json_t *above, const char *key, size_t at)
{
	json_t *v = json_object_get(above, key);
	if (!v)
		v = add_new(t, above, key, json_array(), MADE_TABLES);
	if (made_of(t, v) != MADE_TABLES)
		return bad_at(t, at, "'%s' is there already, and is no array of tables", key);
	t->table = json_object();
	(void)json_array_append_new(v, t->table);
	mark(t, t->table, MADE_HEADER);
	return 0;
}

/* [a.b] */
static int open_table(struct toml *t, json_t *above, const char *key, size_t at)
{
	json_t *v = json_object_get(above, key);
	if (v && made_of(t, v) != MADE_ABOVE)
		return bad_at(t, at, "'%s' is there already", key);
	if (!v)
		v = add_new(t, above, key, json_object(), MADE_HEADER);
	mark(t, v, MADE_HEADER);
	t->table = v;
	return 0;
}

static int take_header(struct toml *t)
{
	_cleanup_(strs_done) struct strs parts = { 0 };
	size_t start = t->at++;
	bool many = accept(t, '[');
	if (take_key(t, &parts) < 0)
		return -1;
	if (!accept(t, ']') || (many && !accept(t, ']')))
		return bad(t, "a table's header ends with '%s'", many ? "]]" : "]");
	json_t *above = t->root;
	for (size_t i = 0; i + 1 < parts.n; i++)
		if (!(above = descend(t, above, parts.p[i], start)))
			return -1;
	const char *key = parts.p[parts.n - 1];
	if (many ? open_in_array(t, above, key, start) : open_table(t, above, key, start))
		return -1;
	return end_line(t);
}

/* ---- values ---- */

static int take_value(struct toml *t, unsigned depth, json_t **out);

/* "key = value" into table: a line of it, or of an inline table. */
static int take_pair(struct toml *t, json_t *table, unsigned depth)
{
	_cleanup_(strs_done) struct strs parts = { 0 };
	size_t start = t->at;
	json_t *v, *home = table;
	if (take_key(t, &parts) < 0)
		return -1;
	if (!accept(t, '='))
		return bad(t, "'=' is expected after a key");
	skip_blanks(t);
	for (size_t i = 0; i + 1 < parts.n; i++) {
		json_t *next = json_object_get(table, parts.p[i]);
		if (!next) {
			next = add_new(t, table, parts.p[i], json_object(), MADE_DOTTED);
			(void)map_put(&t->home, address(&next), home);
		} else if (made_of(t, next) != MADE_DOTTED ||
			   map_get(&t->home, address(&next)) != home) {
			return bad_at(t, start, "'%s' is there already", parts.p[i]);
		}
		table = next;
	}
	const char *key = parts.p[parts.n - 1];
	if (json_object_get(table, key))
		return bad_at(t, start, "'%s' is there already", key);
	if (take_value(t, depth, &v) < 0)
		return -1;
	(void)json_object_set_new_nocheck(table, key, v);
	return 0;
}

static int take_array(struct toml *t, unsigned depth, json_t **out)
{
	json_t *array = json_array(), *v;
	for (;;) {
		if (skip_lines(t) < 0)
			break;
		if (accept(t, ']')) {
			mark(t, array, MADE_CLOSED);
			*out = array;
			return 0;
		}
		if (take_value(t, depth, &v) < 0)
			break;
		(void)json_array_append_new(array, v);
		if (skip_lines(t) < 0)
			break;
		if (!accept(t, ',') && peek(t) != ']') {
			(void)bad(t, "',' or ']' is expected in an array");
			break;
		}
	}
	json_decref(array);
	return -1;
}

/* "a = 1, b = 2 }" */
static int take_pairs(struct toml *t, json_t *table, unsigned depth)
{
	skip_blanks(t);
	if (accept(t, '}'))
		return 0;
	do {
		skip_blanks(t);
		if (take_pair(t, table, depth) < 0)
			return -1;
		skip_blanks(t);
	} while (accept(t, ','));
	return accept(t, '}') ? 0 : bad(t, "',' or '}' is expected in an inline table");
}

static int take_inline(struct toml *t, unsigned depth, json_t **out)
{
	json_t *table = json_object();
	if (take_pairs(t, table, depth) < 0) {
		json_decref(table);
		return -1;
	}
	mark(t, table, MADE_CLOSED);
	*out = table;
	return 0;
}

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

static bool matches(struct slice s, const char *pattern)
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
	bool date = matches(rest, "0000-00-00"), time = !date;
	if (date)
		rest = slice_from(rest, 10);
	if (date && rest.n && strchr("Tt ", *rest.p)) {
		rest = slice_from(rest, 1);
		time = true;
	}
	if (time) {
		if (!matches(rest, "00:00:00"))
			return false;
		rest = slice_from(rest, 8);
		if (matches(rest, ".0"))
			for (rest = slice_from(rest, 1); rest.n && is_digit(*rest.p);)
				rest = slice_from(rest, 1);
		if (date && rest.n == 1 && (*rest.p == 'Z' || *rest.p == 'z'))
			rest.n = 0;
		if (date && rest.n == 6 && (matches(rest, "+00:00") || matches(rest, "-00:00")))
			rest.n = 0;
	}
	if (rest.n)
		return false;
	*out = json_stringn(w.p, w.n);
	return true;
}

static int take_scalar(struct toml *t, json_t **out)
{
	size_t start = t->at, n = 0;
	struct slice rest = slice_from(t->all, start);
	while (n < rest.n && n < TOKEN_MAX && (is_bare(rest.p[n]) || strchr("+.:", rest.p[n])) &&
	       rest.p[n])
		n++;
	/* "1979-05-27 07:32:00" is one value, too */
	if (n == 10 && matches(rest, "0000-00-00 00:"))
		for (n++; n < rest.n && n < TOKEN_MAX && rest.p[n] &&
			  (is_bare(rest.p[n]) || strchr("+.:", rest.p[n]));)
			n++;
	struct slice word = slice_head(rest, n);
	if (!n)
		return bad(t, "a value is expected here");
	if (slice_is(word, "true") || slice_is(word, "false"))
		*out = json_boolean(word.n == 4);
	else if (!as_date(word, out) && !as_based(word, out) && !as_number(word, out))
		return bad(t, "'%.*s' is no value: strings stand in quotes", SLF(word));
	t->at += n;
	return 0;
}

static int take_value(struct toml *t, unsigned depth, json_t **out)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (depth >= DEPTH_MAX)
		return bad(t, "values are nested deeper than %d levels", DEPTH_MAX);
	int r = take_string(t, true, &b);
	if (r < 0)
		return -1;
	if (r > 0) {
		*out = json_stringn_nocheck(b.p ? b.p : "", b.len);
		return 0;
	}
	if (accept(t, '['))
		return take_array(t, depth + 1, out);
	if (accept(t, '{'))
		return take_inline(t, depth + 1, out);
	return take_scalar(t, out);
}

static int take_all(struct toml *t)
{
	if (starts(t, "\xef\xbb\xbf"))
		t->at += 3;
	for (;;) {
		if (skip_lines(t) < 0)
			return -1;
		if (at_end(t))
			return 0;
		if (peek(t) == '[') {
			if (take_header(t) < 0)
				return -1;
		} else if (take_pair(t, t->table, 0) < 0 || end_line(t) < 0) {
			return -1;
		}
	}
}

json_t *toml_parse(struct slice text, const char *file, struct err *e)
{
	if (text.n > TOML_MAX) {
		err_set(e, ERR_DATA, "%s is larger than %u bytes", file, TOML_MAX);
		return NULL;
	}
	struct toml t = { .all = text, .file = file, .e = e };
	t.root = t.table = json_object();
	int r = take_all(&t);
	map_done(&t.made);
	map_done(&t.home);
	if (r == 0)
		return t.root;
	json_decref(t.root);
	return NULL;
}
