/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/lex.h"

#include <limits.h>

#include "base/buf.h"
#include "dockerfile/directive.h"
#include "dockerfile/words.h"

static int check_text(struct slice text, const char *file, struct err *e)
{
	if (text.n > DOCKERFILE_MAX) {
		err_set(e, ERR_DATA, "%s is larger than %u bytes", file, DOCKERFILE_MAX);
		return err_hint(e, "is it the right file? what is large belongs into the context: "
				   "COPY it from there");
	}
	if (text.n == 0) {
		err_set(e, ERR_DATA, "the Dockerfile cannot be empty (%s)", file);
		return err_hint(e, "the least one is 'FROM scratch'");
	}
	if (slice_find(text, '\0') == text.n)
		return 0;
	bool utf16 = slice_starts(text, SL("\xff\xfe")) || slice_starts(text, SL("\xfe\xff"));
	err_set(e, ERR_DATA, "%s %s", file, utf16 ? "is UTF-16 text" : "holds a zero byte, so it is no text");
	return err_hint(e, utf16 ? "save it as UTF-8" : "see what it is with 'file %s'", file);
}

static int open_text(struct lex *l, struct slice text, const char *file, struct arena *arena,
		     struct err *e)
{
	if (check_text(text, file, e) < 0)
		return -1;
	if (slice_starts(text, SL("\xef\xbb\xbf")))
		text = slice_from(text, 3);
	*l = (struct lex){ .arena = arena, .line = 1, .escape = '\\' };
	l->file = arena_str(arena, slice_of(file));
	l->text = arena_slice(arena, text);
	l->directives.escape = '\\';
	return 0;
}

int lex_open(struct lex *l, struct slice text, const char *file, struct arena *arena, struct err *e)
{
	if (open_text(l, text, file, arena, e) < 0 ||
	    directives_read(l->text, l->file, arena, &l->directives, &l->frontend, e) < 0)
		return -1;
	l->escape = l->directives.escape;
	return 0;
}

int lex_open_fragment(struct lex *l, struct slice text, const char *file, char escape,
		      struct arena *arena, struct err *e)
{
	if (open_text(l, text, file, arena, e) < 0)
		return -1;
	l->escape = escape;
	return 0;
}

/* The lines in text[from..to) as a span. Carriage returns before newlines are dropped: an excerpt
 * is to be read. */
static struct err_span make_span(struct lex *l, unsigned first, unsigned last, size_t from, size_t to)
{
	char *lines = arena_str(l->arena, (struct slice){ l->text.p + from, to - from });
	size_t n = 0;
	for (size_t i = 0; i < to - from; i++)
		if (lines[i] != '\r' || (i + 1 < to - from && lines[i + 1] != '\n'))
			lines[n++] = lines[i];
	while (n && lines[n - 1] == '\n')
		n--;
	lines[n] = '\0';
	return (struct err_span){ .file = (char *)l->file, .first = first, .last = last, .lines = lines };
}

struct err_span lex_span(struct lex *l, unsigned first, unsigned last)
{
	size_t from = 0, at = 0;
	for (unsigned no = 1; no <= last && at < l->text.n; no++) {
		if (no == first)
			from = at;
		size_t n = slice_find(slice_from(l->text, at), '\n');
		at += n + (at + n < l->text.n);
	}
	return make_span(l, first, last, from, at);
}

/* The next physical line with its newline: 1, 0 at the end, -1. */
static int next_line(struct lex *l, struct slice *raw, struct err *e)
{
	struct slice rest = slice_from(l->text, l->at);
	if (rest.n == 0)
		return 0;
	size_t n = slice_find(rest, '\n');
	if (n > DOCKERFILE_LINE_MAX) {
		err_set(e, ERR_DATA, "dockerfile line greater than max allowed size of %d bytes",
			DOCKERFILE_LINE_MAX);
		err_at(e, &(struct err_span){ .file = (char *)l->file, .first = l->line, .last = l->line,
					      .lines = (char *)"" });
		return err_hint(e, "break the line with '%c', or put the text in a file", l->escape);
	}
	n += n < rest.n;
	*raw = slice_head(rest, n);
	l->at += n;
	l->line++;
	return 1;
}

static struct slice without_newline(struct slice s)
{
	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* True if the line goes on; *s is what it gives then. Two escape characters at the end are not a
 * continuation, nor are three. */
static bool trim_continuation(struct slice *s, char escape)
{
	struct slice t = *s;
	while (t.n && (t.p[t.n - 1] == ' ' || t.p[t.n - 1] == '\t'))
		t.n--;
	if (t.n == 0 || t.p[t.n - 1] != escape || (t.n > 1 && t.p[t.n - 2] == escape))
		return false;
	*s = slice_head(t, t.n - 1);
	return true;
}

/* The comment block above an instruction. */
struct comments {
	struct buf text;
	const char *skip;
};

static void comments_add(struct lex *l, struct comments *c, struct slice line, unsigned no)
{
	struct slice name, value;
	if (directive_line(line, "#", &name, &value) && slice_eq_nocase(name, SL("check")) &&
	    no != l->directives.check_line && slice_starts(value, SL("skip="))) {
		value = slice_from(value, 5);
		c->skip = arena_str(l->arena, words_first(&value));
		return;
	}
	const struct lex_directives *d = &l->directives;
	if (no == d->syntax_line || no == d->check_line || no == d->escape_line)
		return;
	line = slice_trim(slice_from(line, 1));
	if (line.n == 0) {
		buf_clear(&c->text);
		return;
	}
	if (c->text.len)
		buf_char(&c->text, '\n');
	buf_slice(&c->text, line);
}

/* What a continued line consists of; l stands behind its first physical line. */
static int glue(struct lex *l, struct slice line, struct buf *out, struct lex_line *info, struct err *e)
{
	bool more = trim_continuation(&line, l->escape);
	buf_slice(out, line);
	struct slice raw;
	int r;
	while (more && (r = next_line(l, &raw, e)) != 0) {
		if (r < 0)
			return -1;
		line = without_newline(raw);
		struct slice seen = slice_trim(line);
		if (seen.n && seen.p[0] == '#')
			continue;
		if (seen.n == 0) {
			if (!info->empty_line)
				info->empty_line = l->line - 1;
			continue;
		}
		more = trim_continuation(&line, l->escape);
		buf_slice(out, line);
	}
	return 0;
}

/* The next line that starts an instruction: 1 with *line trimmed on the left, 0, -1. */
static int find_start(struct lex *l, struct comments *c, struct slice *line, size_t *from, struct err *e)
{
	struct slice raw;
	int r;
	while (*from = l->at, (r = next_line(l, &raw, e)) > 0) {
		*line = slice_trim_left(without_newline(raw));
		if (line->n == 0)
			continue;
		if (line->p[0] != '#')
			return 1;
		comments_add(l, c, *line, l->line - 1);
	}
	return r;
}

/* ---- here-documents ---- */

/* End of the shell word at the start of s, or -1 if a quote in it is not closed. */
static ptrdiff_t word_end(struct slice s)
{
	bool open;
	size_t n = words_quoted_len(s, '\\', &open);
	return open ? -1 : (ptrdiff_t)n;
}

/* "3<<-" at the start of s: its length, 0 if there is none. */
static size_t operator_len(struct slice s, struct heredoc *h)
{
	size_t i = 0;
	int fd = 0;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		fd = fd > INT_MAX / 10 - 10 ? fd : fd * 10 + (s.p[i] - '0');
	if (!slice_starts(slice_from(s, i), SL("<<")))
		return 0;
	*h = (struct heredoc){ .fd = i ? fd : -1 };
	i += 2;
	if (i < s.n && s.p[i] == '-') {
		h->strip = true;
		i++;
	}
	return i;
}

/* Quotes and backslashes removed; sets expand to whether there were none. */
static const char *cook_name(struct slice s, struct arena *arena, bool *expand)
{
	char *out = arena_alloc(arena, s.n + 1), quote = 0;
	size_t n = 0;
	*expand = true;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool special = c == '"' || c == '\'' || c == '\\';
		if (special)
			*expand = false;
		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? 0 : c;
			continue;
		}
		if (c == '\\' && quote != '\'' && i + 1 < s.n) {
			char next = s.p[i + 1];
			if (!quote || next == '"' || next == '$' || next == '\\')
				c = s.p[++i];
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

int lex_heredoc_word(struct slice *rest, struct arena *arena, struct heredoc *out, struct err *e)
{
	while (rest->n) {
		*rest = slice_trim_left(*rest);
		struct heredoc h = { 0 };
		size_t op = operator_len(*rest, &h);
		ptrdiff_t end = word_end(*rest);
		if (end < 0 && op > 0) {
			err_set(e, ERR_DATA, "unmatched quote in the name of a here-document");
			return err_hint(e, "write <<'EOF' or <<EOF");
		}
		if (end < 0) { /* as a shell would see it: nothing behind this quote is an operator */
			*rest = slice_from(*rest, rest->n);
			return 0;
		}
		struct slice name = op ? slice_head(slice_from(*rest, op), (size_t)end - op) : SL("");
		*rest = slice_from(*rest, (size_t)end);
		if (op && name.n == 0) { /* "<< EOF": the name is the next word */
			struct slice next = slice_trim_left(*rest);
			end = word_end(next);
			if (end > 0) {
				name = slice_head(next, (size_t)end);
				*rest = slice_from(next, (size_t)end);
			}
		}
		if (name.n == 0 || slice_find(name, '<') < name.n)
			continue;
		h.name = cook_name(name, arena, &h.expand);
		if (!*h.name)
			continue;
		*out = h;
		return 1;
	}
	return 0;
}

bool lex_is_heredoc(struct slice word)
{
	_cleanup_(arena_done) struct arena a = { 0 };
	struct heredoc h;
	struct slice rest = slice_trim(word);
	return operator_len(rest, &h) > 0 && lex_heredoc_word(&rest, &a, &h, NULL) > 0 && rest.n == 0;
}

static struct slice strip_tabs(struct slice s)
{
	while (s.n && s.p[0] == '\t')
		s = slice_from(s, 1);
	return s;
}

static int unterminated(struct lex *l, const struct heredoc *h, unsigned first, size_t from,
			size_t body_at, unsigned body_line, struct err *e)
{
	size_t end = from + slice_find(slice_from(l->text, from), '\n');
	struct err_span span = make_span(l, first, first, from, end);
	err_set(e, ERR_DATA, "unterminated heredoc: no line is '%s'", h->name);
	err_at(e, &span);
	struct slice rest = slice_from(l->text, body_at), line;
	for (unsigned no = body_line; slice_split(&rest, '\n', &line); no++)
		if (slice_is(slice_trim(line), h->name))
			return err_hint(e, "line %u has blanks around '%s'; the terminator must stand alone%s",
					no, h->name, h->strip ? " (only tabs before it)" : "");
	return err_hint(e, "end the text with a line that holds only '%s'", h->name);
}

static int take_body(struct lex *l, struct heredoc *h, unsigned first, size_t from, struct err *e)
{
	size_t start = l->at;
	unsigned start_line = l->line;
	_cleanup_(buf_done) struct buf body = { 0 };
	struct slice raw;
	int r;
	while (true) {
		size_t at = l->at;
		r = next_line(l, &raw, e);
		if (r <= 0)
			return r < 0 ? -1 : unterminated(l, h, first, from, start, start_line, e);
		struct slice line = h->strip ? strip_tabs(raw) : raw;
		if (slice_is(without_newline(line), h->name)) {
			h->raw = (struct slice){ l->text.p + start, at - start };
			h->body = h->strip ? arena_slice(l->arena, buf_view(&body)) : h->raw;
			return 0;
		}
		if (h->strip)
			buf_slice(&body, line);
	}
}

/* The part of an instruction that may hold here-documents; false if it may not. */
static bool heredoc_part(struct slice text, char escape, struct slice *part)
{
	struct slice word = words_first(&text);
	if (slice_eq_nocase(word, SL("ONBUILD")))
		word = words_first(&text);
	if (!slice_eq_nocase(word, SL("RUN")) && !slice_eq_nocase(word, SL("COPY")) &&
	    !slice_eq_nocase(word, SL("ADD")))
		return false;
	_cleanup_(strs_done) struct strs flags = { 0 }, json = { 0 };
	words_flags(&text, escape, &flags);
	*part = text;
	return words_json(text, &json) == 0;
}

static int take_heredocs(struct lex *l, struct lex_line *out, size_t from, struct err *e)
{
	struct slice rest;
	if (slice_search(out->text, SL("<<")) == out->text.n ||
	    !heredoc_part(out->text, l->escape, &rest))
		return 0;
	struct heredoc all[HEREDOCS_MAX];
	size_t n = 0;
	int r;
	while ((r = lex_heredoc_word(&rest, l->arena, &all[n], e)) > 0) {
		if (++n == HEREDOCS_MAX) {
			err_set(e, ERR_DATA, "more than %d here-documents in one instruction", HEREDOCS_MAX - 1);
			r = -1;
			break;
		}
	}
	if (r < 0) {
		struct err_span span = make_span(l, out->span.first, l->line - 1, from, l->at);
		return err_at(e, &span);
	}
	for (size_t i = 0; i < n; i++)
		if (take_body(l, &all[i], out->span.first, from, e) < 0)
			return -1;
	if (n) {
		out->heredocs.p = arena_alloc(l->arena, n * sizeof all[0]);
		memcpy(out->heredocs.p, all, n * sizeof all[0]);
		out->heredocs.n = n;
	}
	return 0;
}

static int next_instr(struct lex *l, struct comments *c, struct lex_line *out, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	struct slice line;
	size_t from;
	do {
		int r = find_start(l, c, &line, &from, e);
		if (r <= 0)
			return r;
		*out = (struct lex_line){ .span.first = l->line - 1 };
		buf_clear(&text);
		if (glue(l, line, &text, out, e) < 0)
			return -1;
	} while (slice_trim(buf_view(&text)).n == 0); /* only a lone escape character */

	out->text = arena_slice(l->arena, slice_trim(buf_view(&text)));
	out->text_last = l->line - 1;
	if (take_heredocs(l, out, from, e) < 0)
		return -1;
	out->span = make_span(l, out->span.first, l->line - 1, from, l->at);
	if (c->text.len)
		out->doc = arena_str(l->arena, buf_view(&c->text));
	out->skip = c->skip;
	return 1;
}

int lex_next(struct lex *l, struct lex_line *out, struct err *e)
{
	struct comments c = { 0 };
	int r = next_instr(l, &c, out, e);
	buf_done(&c.text);
	return r;
}
