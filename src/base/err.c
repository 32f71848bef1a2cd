/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/num.h"
#include "base/term.h"

static char *format(const char *fmt, va_list ap)
{
	struct buf b = { 0 };
	buf_vprintf(&b, fmt, ap);
	return buf_take(&b);
}

/* Takes s. */
static void append(char ***list, size_t *n, char *s)
{
	*list = mem_resize(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = s;
}

static void list_done(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void err_done(struct err *e)
{
	if (!e)
		return;
	list_done(e->chain, e->n);
	list_done(e->hints, e->hints_n);
	free(e->span.file);
	free(e->span.lines);
	free(e->output);
	*e = (struct err){ 0 };
}

void err_move(struct err *dst, struct err *src)
{
	if (dst == src)
		return;
	if (!dst) {
		err_done(src);
		return;
	}
	err_done(dst);
	*dst = *src;
	*src = (struct err){ 0 };
}

/* The new text is made before the old one ends: arguments may point into it. */
static void replace(struct err *e, enum err_kind kind, int no, char *text)
{
	err_done(e);
	e->kind = kind;
	e->sys_errno = no;
	append(&e->chain, &e->n, text);
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	if (!e)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	char *text = format(fmt, ap);
	va_end(ap);
	replace(e, kind, 0, text);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int no = errno;
	if (!e)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	_free_ char *what = format(fmt, ap);
	va_end(ap);

	char words[128];
	replace(e, ERR_SYS, no, str_printf("%s: %s", what, strerror_r(no, words, sizeof words)));
	if (no == ENOSPC || no == EDQUOT)
		err_hint(e, "free some space on that disk, or use another one; for the store --root names it");
	errno = no;
	return -1;
}

int err_add(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	append(&e->chain, &e->n, format(fmt, ap));
	va_end(ap);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	if (!e)
		return -1;
	va_list ap;
	va_start(ap, fmt);
	append(&e->hints, &e->hints_n, format(fmt, ap));
	va_end(ap);
	return -1;
}

int err_at(struct err *e, const struct err_span *span)
{
	if (!e)
		return -1;
	char *file = str_dup(span->file), *lines = str_dup(span->lines);
	free(e->span.file);
	free(e->span.lines);
	e->span = *span;
	e->span.file = file;
	e->span.lines = lines;
	return -1;
}

int err_output(struct err *e, struct slice text)
{
	if (e)
		str_set(&e->output, slice_dup(text));
	return -1;
}

bool err_is_errno(const struct err *e, int no)
{
	return e->kind == ERR_SYS && e->sys_errno == no;
}

#define SGR_BAD  "\033[1;31m"
#define SGR_DIM  "\033[2m"
#define SGR_HINT "\033[32m"
#define SGR_OFF  "\033[0m"

static void put_coloured(struct buf *out, bool color, const char *sgr, const char *text)
{
	if (color)
		buf_str(out, sgr);
	buf_str(out, text);
	if (color)
		buf_str(out, SGR_OFF);
}

/* Text of several lines (a hint may show the lines to write): all but the first indented by
 * `indent`. */
static void put_lines(struct buf *out, const char *text, const char *indent)
{
	struct slice rest = slice_of(text), line;
	for (bool first = true; slice_split(&rest, '\n', &line); first = false) {
		if (!first)
			buf_str(out, indent);
		term_escape(line, true, out); /* tabs of a program's output stay */
		buf_char(out, '\n');
	}
}

/* A line of the user's file: tabs become one space, so that the caret stands right. */
static void put_source(struct buf *out, struct slice line)
{
	struct slice word;
	for (bool first = true; slice_split(&line, '\t', &word); first = false) {
		if (!first)
			buf_char(out, ' ');
		term_escape(word, false, out);
	}
}

static void put_caret(struct buf *out, bool color, struct slice line, unsigned col, unsigned width,
		      int number_width)
{
	_cleanup_(buf_done) struct buf before = { 0 }, under = { 0 };
	size_t from = col - 1 < line.n ? col - 1 : line.n;
	size_t n = width < line.n - from ? width : line.n - from;
	put_source(&before, slice_head(line, from));
	put_source(&under, slice_head(slice_from(line, from), n));
	size_t pad = term_width(buf_view(&before)), carets = term_width(buf_view(&under));

	buf_printf(out, "    %*s | %*s", number_width, "", (int)pad, "");
	if (color)
		buf_str(out, SGR_BAD);
	for (size_t i = 0; i < (carets ? carets : 1); i++)
		buf_char(out, '^');
	if (color)
		buf_str(out, SGR_OFF);
	buf_char(out, '\n');
}

static void put_span(const struct err_span *span, bool color, struct buf *out)
{
	enum { LINES_SHOWN = 10 };
	buf_str(out, "  ");
	term_escape(slice_of(span->file), false, out);
	if (span->first)
		buf_printf(out, ":%u", span->first);
	if (span->first && span->col)
		buf_printf(out, ":%u", span->col);
	buf_char(out, '\n');
	if (!span->lines || !span->first)
		return;

	char digits[16];
	unsigned last = span->last > span->first ? span->last : span->first;
	int width = snprintf(digits, sizeof digits, "%u", last);
	struct slice rest = slice_of(span->lines), line;
	for (unsigned no = span->first; no <= last && slice_split(&rest, '\n', &line); no++) {
		if (no - span->first == LINES_SHOWN) {
			buf_printf(out, "    %*s | ...\n", width, "");
			return;
		}
		buf_printf(out, "    %*u | ", width, no);
		put_source(out, line);
		buf_char(out, '\n');
		if (no == span->first && span->col)
			put_caret(out, color, line, span->col, span->width, width);
		if (no == UINT32_MAX)
			return;
	}
}

void err_format(const struct err *e, bool color, struct buf *out)
{
	put_coloured(out, color, SGR_BAD, "thimble:");
	buf_char(out, ' ');
	if (e->n == 0)
		buf_str(out, "it failed, and no reason was given: this is a defect of thimble\n");
	for (size_t i = e->n; i-- > 0;) {
		if (i + 1 < e->n) {
			put_coloured(out, color, SGR_DIM, "  because");
			buf_str(out, "  ");
		}
		term_escape(slice_of(e->chain[i]), false, out);
		buf_char(out, '\n');
	}
	if (e->span.file)
		put_span(&e->span, color, out);
	if (e->output && e->output[0]) {
		put_coloured(out, color, SGR_DIM, "  output");
		buf_str(out, "   ");
		put_lines(out, e->output, "           ");
	}
	for (size_t i = 0; i < e->hints_n; i++) {
		put_coloured(out, color, SGR_HINT, "  try");
		buf_str(out, "      ");
		put_lines(out, e->hints[i], "           ");
	}
}

void err_line(const struct err *e, struct buf *out)
{
	for (size_t i = e->n; i-- > 0;) {
		term_escape(slice_of(e->chain[i]), false, out);
		if (i)
			buf_str(out, ": ");
	}
}

/* The saved form: numbers as le32; a string as its length + 1 and its bytes, NULL as 0. */
enum { SAVED_MAGIC = 0x31525245, SAVED_LIST_MAX = 256, SAVED_STR_MAX = 1 << 20 };

static void save_str(struct buf *out, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	if (n > SAVED_STR_MAX)
		n = SAVED_STR_MAX;
	buf_le32(out, s ? (uint32_t)n + 1 : 0);
	buf_add(out, s, n);
}

static void save_list(struct buf *out, char *const *list, size_t n)
{
	/* the outermost ones are the ones to lose: the cause comes first */
	if (n > SAVED_LIST_MAX)
		n = SAVED_LIST_MAX;
	buf_le32(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		save_str(out, list[i]);
}

void err_save(const struct err *e, struct buf *out)
{
	buf_le32(out, SAVED_MAGIC);
	buf_le32(out, (uint32_t)e->kind);
	buf_le32(out, (uint32_t)e->sys_errno);
	save_list(out, e->chain, e->n);
	save_list(out, e->hints, e->hints_n);
	save_str(out, e->output);
	save_str(out, e->span.file);
	save_str(out, e->span.lines);
	buf_le32(out, e->span.first);
	buf_le32(out, e->span.last);
	buf_le32(out, e->span.col);
	buf_le32(out, e->span.width);
}

static bool load_u32(struct slice *in, uint32_t *v)
{
	if (in->n < 4)
		return false;
	*v = le32_at(in->p);
	*in = slice_from(*in, 4);
	return true;
}

static bool load_str(struct slice *in, char **s)
{
	uint32_t n;
	if (!load_u32(in, &n))
		return false;
	if (n == 0)
		return true;
	n--;
	if (n > SAVED_STR_MAX || n > in->n || (n && memchr(in->p, 0, n)))
		return false;
	str_set(s, str_ndup(in->p, n));
	*in = slice_from(*in, n);
	return true;
}

static bool load_list(struct slice *in, char ***list, size_t *n)
{
	uint32_t count;
	if (!load_u32(in, &count) || count > SAVED_LIST_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		char *s = NULL;
		if (!load_str(in, &s) || !s)
			return false;
		append(list, n, s);
	}
	return true;
}

static bool load_all(struct slice *in, struct err *e)
{
	uint32_t magic, kind, no;
	if (!load_u32(in, &magic) || magic != SAVED_MAGIC || !load_u32(in, &kind) ||
	    kind > ERR_PROG || !load_u32(in, &no))
		return false;
	e->kind = (enum err_kind)kind;
	e->sys_errno = (int)no;
	return load_list(in, &e->chain, &e->n) && load_list(in, &e->hints, &e->hints_n) &&
	       load_str(in, &e->output) && load_str(in, &e->span.file) &&
	       load_str(in, &e->span.lines) && load_u32(in, &e->span.first) &&
	       load_u32(in, &e->span.last) && load_u32(in, &e->span.col) &&
	       load_u32(in, &e->span.width) && in->n == 0;
}

int err_load(struct slice bytes, struct err *e)
{
	_cleanup_(err_done) struct err loaded = { 0 };
	if (!load_all(&bytes, &loaded))
		return err_set(e, ERR_DATA, "a helper process ended without saying why");
	err_move(e, &loaded);
	return 0;
}
