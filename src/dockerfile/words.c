/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/words.h"

#include "base/buf.h"
#include "base/js.h"
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

int words_json(struct slice text, struct strs *out)
{
	text = slice_trim(text);
	if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
		return 0;
	_json_ json_t *v = js_parse(text, "arguments", NULL); /* no JSON: another form, no error */
	if (!v)
		return 0;
	size_t i;
	json_t *item;
	json_array_foreach(v, i, item)
		if (!json_is_string(item))
			return -1;
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
