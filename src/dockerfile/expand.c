/* SPDX-License-Identifier: Apache-2.0 */
/* A descent over the word. Everything is appended to one buffer with a limit; what ${v:-word}
 * evaluates and does not use goes to a buffer of its own. For splitting (EXPOSE) the places where
 * unquoted text has blanks are noted while it is written. */
#include "dockerfile/expand.h"

#include "base/buf.h"
#include "base/err.h"
#include "dockerfile/glob.h"
#include "dockerfile/words.h"

struct reader {
	struct slice in;
	size_t at;
	const struct expand_env *env;
	char escape;
	bool raw_escapes;  /* in patterns: the escape character stays */
	bool raw_quotes;   /* here-documents: quotes are ordinary */
	unsigned depth;
	uint64_t work, made; /* what is left of the pattern work; bytes of inner words made */
	struct buf *splits; /* one byte for each of the result: 1 where words may be split; or NULL */
	struct err *e;
};

/* A word's end inside of ${}: which character it is, or 0 for the end of the text. */
static int read_until(struct reader *r, char stop, struct buf *out);

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_special(char c)
{
	return c != '\0' && strchr("@*#?-$!0", c);
}

/* Name at the start of s: letters, digits and '_'; or digits only; or one special character. */
static struct slice name_at(struct slice s)
{
	size_t n = 0;
	if (s.n && is_digit(s.p[0])) {
		while (n < s.n && is_digit(s.p[n]))
			n++;
	} else if (s.n && is_special(s.p[0])) {
		n = 1;
	} else {
		while (n < s.n && is_name_char(s.p[n]))
			n++;
	}
	return slice_head(s, n);
}

static struct slice ahead(const struct reader *r)
{
	return slice_from(r->in, r->at);
}

static void put(struct reader *r, struct buf *out, struct slice s, bool may_split)
{
	buf_slice(out, s);
	if (r->splits && out->p && r->depth == 0)
		for (size_t i = 0; i < s.n; i++)
			buf_char(r->splits, may_split && is_blank(s.p[i]));
}

static const char *lookup(struct reader *r, struct slice name)
{
	bool is_name = !is_digit(name.p[0]) && !is_special(name.p[0]);
	const char *v = is_name ? r->env->get(r->env->ctx, name) : NULL;
	if (v && r->env->used)
		r->env->used(r->env->ctx, name);
	return v;
}

/* For uses that have no answer of their own to "unset". */
static struct slice lookup_plain(struct reader *r, struct slice name)
{
	const char *v = lookup(r, name);
	if (!v && r->env->unset)
		r->env->unset(r->env->ctx, name);
	return slice_of(v);
}

static int missing_brace(struct reader *r)
{
	err_set(r->e, ERR_DATA, "syntax error: missing '}'");
	return err_hint(r->e, "a literal '$' is written '%c$'", r->escape);
}

/* The word after a modifier, up to `stop`. Inner words count against one limit together, since
 * each may repeat long values that are then dropped. */
static int inner_word(struct reader *r, char stop, bool raw, struct buf *out)
{
	bool was_raw = r->raw_escapes;
	struct buf *splits = r->splits;
	r->raw_escapes = raw;
	r->splits = NULL;
	r->depth++;
	out->max = EXPAND_MAX;
	int end = r->depth > EXPAND_DEPTH ? -2 : read_until(r, stop, out);
	r->depth--;
	r->raw_escapes = was_raw;
	r->splits = splits;
	if (end == -2)
		return err_set(r->e, ERR_DATA, "substitutions are nested deeper than %d levels",
			       EXPAND_DEPTH);
	r->made += out->len;
	if (end >= 0 && (out->over || r->made > 16 * (uint64_t)EXPAND_MAX))
		return err_set(r->e, ERR_DATA, "the text expands to more than %u bytes", EXPAND_MAX);
	return end;
}

static int trim_value(struct reader *r, struct slice name, char op, struct buf *out)
{
	bool longest = ahead(r).n && ahead(r).p[0] == op;
	r->at += longest;
	_cleanup_(buf_done) struct buf pattern = { 0 };
	int end = inner_word(r, '}', true, &pattern);
	if (end < 0)
		return -1;
	if (end == 0)
		return missing_brace(r);
	struct slice v = lookup_plain(r, name);
	ptrdiff_t n;
	int ok = op == '#' ? glob_prefix(buf_view(&pattern), v, longest, &r->work, &n, r->e)
			   : glob_suffix(buf_view(&pattern), v, longest, &r->work, &n, r->e);
	if (ok < 0)
		return -1;
	if (n > 0)
		v = op == '#' ? slice_from(v, (size_t)n) : slice_head(v, v.n - (size_t)n);
	put(r, out, v, true);
	return 0;
}

static int replace_value(struct reader *r, struct slice name, struct buf *out)
{
	bool all = ahead(r).n && ahead(r).p[0] == '/';
	r->at += all;
	_cleanup_(buf_done) struct buf pattern = { 0 }, with = { 0 }, result = { .max = EXPAND_MAX };
	int end = inner_word(r, '/', true, &pattern);
	if (end == 0)
		return err_set(r->e, ERR_DATA, "syntax error: missing '/' in ${}");
	if (end > 0 && (end = inner_word(r, '}', true, &with)) == 0)
		return missing_brace(r);
	if (end < 0 || glob_replace(buf_view(&pattern), lookup_plain(r, name), buf_view(&with), all,
				    &r->work, &result, r->e) < 0)
		return -1;
	if (result.over)
		return err_set(r->e, ERR_DATA, "the text expands to more than %u bytes", EXPAND_MAX);
	put(r, out, buf_view(&result), true);
	return 0;
}

static int unsupported(struct reader *r, struct slice modifier)
{
	err_set(r->e, ERR_DATA, "unsupported modifier (%.*s) in substitution", SLF(modifier));
	return err_hint(r->e, "supported are :- - :+ + :? ? # ## %% %%%% / and //");
}

/* ${v-w} ${v+w} ${v?w} and with ':' */
static int choose(struct reader *r, struct slice name, char op, bool colon, struct buf *out)
{
	_cleanup_(buf_done) struct buf word = { 0 };
	int end = inner_word(r, '}', r->raw_escapes, &word);
	if (end < 0)
		return -1;
	if (end == 0)
		return missing_brace(r);
	const char *v = lookup(r, name);
	bool have = v && (!colon || *v);
	if (op == '?' && !have) {
		const char *why = v ? "is not allowed to be empty" : "is not allowed to be unset";
		err_set(r->e, ERR_USER, "%.*s: %s", SLF(name), word.len ? word.p : why);
		return err_hint(r->e, "give it a value: --build-arg %.*s=…", SLF(name));
	}
	if (op == '+' ? have : !have)
		put(r, out, buf_view(&word), true);
	else if (op != '+')
		put(r, out, slice_of(v), true);
	return 0;
}

static int read_braces(struct reader *r, struct buf *out)
{
	struct slice s = ahead(r);
	if (s.n == 0)
		return missing_brace(r);
	struct slice name = name_at(s);
	if (name.n == 0) {
		err_set(r->e, ERR_DATA, "syntax error: bad substitution");
		return err_hint(r->e, "after '${' comes the name of a variable; a literal '$' is written '%c$'",
				r->escape);
	}
	r->at += name.n;
	s = ahead(r);
	if (s.n == 0)
		return missing_brace(r);
	char op = s.p[0];
	bool colon = op == ':' && s.n > 1;
	if (colon)
		op = s.p[1];
	r->at += 1 + (size_t)colon;
	if (op == '-' || op == '+' || op == '?')
		return choose(r, name, op, colon, out);
	if (colon || (op != '}' && op != '#' && op != '%' && op != '/'))
		return unsupported(r, slice_head(s, 1 + (size_t)colon));
	if (op == '/')
		return replace_value(r, name, out);
	if (op != '}')
		return trim_value(r, name, op, out);
	put(r, out, lookup_plain(r, name), true);
	return 0;
}

static int read_dollar(struct reader *r, struct buf *out)
{
	r->at++;
	if (ahead(r).n && ahead(r).p[0] == '{') {
		r->at++;
		return read_braces(r, out);
	}
	struct slice name = name_at(ahead(r));
	r->at += name.n;
	put(r, out, name.n ? lookup_plain(r, name) : SL("$"), true);
	return 0;
}

static int unmatched(struct reader *r, char quote)
{
	err_set(r->e, ERR_DATA, "unexpected end of statement while looking for matching %s-quote",
		quote == '"' ? "double" : "single");
	return err_hint(r->e, "a literal quote is written '%c%c'", r->escape, quote);
}

static int read_single(struct reader *r, struct buf *out)
{
	struct slice s = slice_from(ahead(r), 1);
	size_t n = slice_find(s, '\'');
	if (n == s.n)
		return unmatched(r, '\'');
	put(r, out, slice_head(s, n), false);
	r->at += n + 2;
	return 0;
}

static int read_double(struct reader *r, struct buf *out)
{
	/* What comes out of variables here is not split either. */
	struct buf *splits = r->splits;
	size_t before = out->len;
	r->splits = NULL;
	int ok = 0;
	for (r->at++; ok == 0; ) {
		struct slice s = ahead(r);
		if (s.n == 0) {
			ok = unmatched(r, '"');
		} else if (s.p[0] == '"') {
			r->at++;
			break;
		} else if (s.p[0] == '$') {
			ok = read_dollar(r, out);
		} else if (s.p[0] == r->escape) {
			char next = s.n > 1 ? s.p[1] : '\0';
			bool escapes = s.n > 1 && (next == '"' || next == '$' || next == r->escape);
			/* at the end of the word it vanishes; elsewhere it stays unless it escapes */
			if (r->raw_escapes || (s.n > 1 && !escapes))
				put(r, out, slice_head(s, 1), false);
			if (escapes)
				put(r, out, slice_head(slice_from(s, 1), 1), false);
			r->at += 1 + (size_t)escapes;
		} else {
			put(r, out, slice_head(s, 1), false);
			r->at++;
		}
	}
	r->splits = splits;
	if (splits && r->depth == 0)
		buf_zero(splits, out->len - before);
	return ok;
}

static void read_escape(struct reader *r, struct buf *out)
{
	struct slice s = ahead(r);
	if (r->raw_escapes)
		put(r, out, slice_head(s, 1), false);
	r->at++;
	if (s.n > 1) {
		put(r, out, slice_head(slice_from(s, 1), 1), false);
		r->at++;
	}
}

/* Up to an unquoted `stop` (0: the end of the text). Returns stop, 0 if the text ended, -1. */
static int read_until(struct reader *r, char stop, struct buf *out)
{
	while (r->at < r->in.n && !out->over) {
		struct slice s = ahead(r);
		char c = s.p[0];
		int ok = 0;
		if (stop && c == stop) {
			r->at++;
			return stop;
		}
		if (c == '$') {
			ok = read_dollar(r, out);
		} else if (c == '\'' && !r->raw_quotes) {
			ok = read_single(r, out);
		} else if (c == '"' && !r->raw_quotes) {
			ok = read_double(r, out);
		} else if (c == r->escape) {
			read_escape(r, out);
		} else {
			put(r, out, slice_head(s, 1), true);
			r->at++;
		}
		if (ok < 0)
			return -1;
	}
	return 0;
}

static int expand(struct reader *r, struct buf *out, struct buf *splits)
{
	const unsigned max = r->raw_quotes ? EXPAND_HEREDOC_MAX : EXPAND_MAX;
	if (!r->escape)
		r->escape = '\\';
	r->work = GLOB_WORK;
	r->splits = splits;
	out->max = max;
	if (read_until(r, 0, out) < 0)
		return -1;
	if (!out->over)
		return 0;
	err_set(r->e, ERR_DATA, "the text expands to more than %u bytes", max);
	return err_hint(r->e, "a variable may repeat itself in its own value");
}

static char *expand_as(struct slice text, const struct expand_env *env, bool heredoc,
		       struct arena *arena, struct err *e)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	struct reader r = { .in = text, .env = env, .escape = env->escape, .e = e };
	if (heredoc) {
		r.escape = '\\';
		r.raw_quotes = true;
	}
	if (expand(&r, &out, NULL) < 0)
		return NULL;
	return arena_str(arena, buf_view(&out));
}

char *expand_word(struct slice word, const struct expand_env *env, struct arena *arena, struct err *e)
{
	return expand_as(word, env, false, arena, e);
}

char *expand_heredoc(struct slice body, const struct expand_env *env, struct arena *arena,
		     struct err *e)
{
	return expand_as(body, env, true, arena, e);
}

int expand_words(struct slice text, const struct expand_env *env, struct strs *out, struct err *e)
{
	_cleanup_(buf_done) struct buf all = { 0 }, splits = { 0 };
	struct reader r = { .in = text, .env = env, .escape = env->escape, .e = e };
	if (expand(&r, &all, &splits) < 0)
		return -1;
	size_t start = 0;
	for (size_t i = 0; i <= all.len; i++) {
		if (i < all.len && !splits.p[i])
			continue;
		if (i > start)
			strs_take(out, slice_dup((struct slice){ all.p + start, i - start }));
		start = i + 1;
	}
	return 0;
}

bool expand_has_vars(struct slice text, char escape)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] == escape)
			i++;
		else if (text.p[i] == '$' &&
			 (text.p[i + 1] == '{' || name_at(slice_from(text, i + 1)).n > 0))
			return true;
	}
	return false;
}
