/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/words.h"

#include "base/buf.h"
#include "base/js.h"
#include "base/utf8.h"
#include "dockerfile/instr.h"

struct slice words_first(struct slice *rest)
{
	size_t n = 0;
	while (n < rest->n && !is_blank(rest->p[n]))
		n++;
	struct slice word = slice_head(*rest, n);
	*rest = slice_trim_left(slice_from(*rest, n));
	return word;
}

/* One flag word, cooked. Inside of single quotes the escape character works too, as in BuildKit. */
static void take_flag(struct slice *rest, char escape, struct buf *word)
{
	char quote = 0;
	size_t i;
	for (i = 0; i < rest->n; i++) {
		char c = rest->p[i];
		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? 0 : c;
			continue;
		}
		if (!quote && is_blank(c))
			break;
		if (c == escape) {
			if (++i == rest->n)
				break;
			c = rest->p[i];
		}
		buf_char(word, c);
	}
	*rest = slice_trim_left(slice_from(*rest, i));
}

void words_flags(struct slice *rest, char escape, struct strs *out)
{
	*rest = slice_trim_left(*rest);
	while (slice_starts(*rest, SL("--"))) {
		_cleanup_(buf_done) struct buf word = { 0 };
		take_flag(rest, escape, &word);
		if (slice_is(buf_view(&word), "--"))
			return;
		strs_take(out, buf_take(&word));
	}
}

void words_plain(struct slice text, struct slices *out)
{
	for (struct slice rest = slice_trim(text); rest.n;)
		arr_push(&out->list, words_first(&rest));
}

size_t words_quoted_len(struct slice s, char escape, bool *open)
{
	char quote = 0;
	size_t i;
	for (i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == escape && quote != '\'')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (is_blank(c))
			break;
	}
	*open = quote != 0;
	return i < s.n ? i : s.n;
}

void words_quoted(struct slice text, char escape, struct strs *out)
{
	for (struct slice rest = slice_trim(text); rest.n;) {
		bool open;
		size_t n = words_quoted_len(rest, escape, &open);
		strs_take(out, slice_dup(slice_head(rest, n)));
		rest = slice_trim_left(slice_from(rest, n));
	}
}

/* \uXXXX at the start of s: what it stands for, or -1. */
static long escaped(struct slice s)
{
	if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
		return -1;
	long v = 0;
	for (size_t i = 2; i < 6; i++) {
		const char *at = s.p[i] ? strchr("0123456789abcdef", s.p[i] | 0x20) : NULL;
		if (!at)
			return -1;
		v = v << 4 | (at - "0123456789abcdef");
	}
	return v;
}

/* An escape within a string; its length. *nul: it was \u0000. */
static size_t take_escape(struct slice s, struct buf *out, bool *nul)
{
	long v = escaped(s), low = v >= 0 ? escaped(slice_from(s, 6)) : -1;
	bool pair = v >= 0xd800 && v < 0xdc00 && low >= 0xdc00 && low < 0xe000;
	size_t n = pair ? 12 : v >= 0 ? 6 : s.n < 2 ? s.n : 2;
	if (v == 0 || (v >= 0xd800 && v < 0xe000 && !pair))
		buf_str(out, "\\ufffd");
	else
		buf_slice(out, slice_head(s, n));
	*nul |= v == 0;
	return n;
}

/* The same text for a reader that is stricter than Go's, which reads half of a surrogate pair and bytes
 * that are no UTF-8 as U+FFFD, and takes NUL. */
static void as_go_reads(struct slice s, struct buf *out, bool *nul)
{
	bool in_string = false;
	for (size_t i = 0, n; i < s.n; i += n) {
		struct slice rest = slice_from(s, i);
		uint32_t rune;
		n = utf8_decode(rest, &rune);
		if (in_string && *rest.p == '\\')
			n = take_escape(rest, out, nul);
		else if (in_string && rune == UTF8_BAD)
			buf_str(out, "\\ufffd");
		else
			buf_slice(out, slice_head(rest, n));
		in_string ^= *rest.p == '"';
	}
}

int words_json(struct slice text, struct strs *out)
{
	_cleanup_(buf_done) struct buf plain = { 0 };
	bool nul = false;
	text = slice_trim(text);
	if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
		return 0;
	as_go_reads(text, &plain, &nul);
	_json_ json_t *v = js_parse(buf_view(&plain), "arguments", NULL); /* no JSON: another form */
	if (!v)
		return 0;
	size_t i;
	json_t *item;
	json_array_foreach(v, i, item)
		if (!json_is_string(item))
			return -1;
	if (nul)
		return -2;
	json_array_foreach(v, i, item)
		strs_add(out, json_string_value(item));
	return 1;
}

struct words words_keep(struct arena *arena, const struct strs *l)
{
	struct words w = { .n = l->n };
	if (l->n)
		w.p = arena_alloc(arena, l->n * sizeof *w.p);
	for (size_t i = 0; i < l->n; i++)
		w.p[i] = arena_str(arena, slice_of(l->p[i]));
	return w;
}
