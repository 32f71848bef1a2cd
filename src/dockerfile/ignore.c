/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern becomes tokens, and matching keeps the set of tokens that may come next while it reads
 * the path once (a nondeterministic automaton): no pattern can make it backtrack. A rule that
 * matches a directory covers what is below it, so the end of the pattern also counts at each '/'. */
#include "dockerfile/ignore.h"

#include "base/err.h"
#include "base/path.h"
#include "base/utf8.h"

enum token_kind {
	TOKEN_BYTE,
	TOKEN_ANY,   /* ?  : one character but '/' */
	TOKEN_STAR,  /* *  : any characters but '/' */
	TOKEN_DEEP,  /* **\/ : nothing, or anything that ends in '/' */
	TOKEN_REST,  /* ** at the end: anything */
	TOKEN_CLASS, /* [a-z] */
};
struct ignore_token {
	unsigned char kind;
	unsigned char byte;
	bool negated;
	unsigned short class_at, class_len; /* in the pattern: between the brackets, after '^' */
};

enum form {
	FORM_TOKENS,
	FORM_LITERAL, /* no special character at all */
	FORM_SUFFIX,  /* "**" and then nothing special: compared as text, as patternmatcher does */
};

static int bad_pattern(const char *text, const char *why, struct err *e)
{
	err_set(e, ERR_DATA, "bad pattern '%s': %s", text, why);
	return err_hint(e, "a literal *, ?, [ or \\ is written with a backslash before it");
}

static void add_token(struct ignore_rule *r, size_t *cap, struct ignore_token t)
{
	if (r->tokens_n == *cap)
		r->tokens = arr_grow_(r->tokens, cap, r->tokens_n + 1, sizeof t);
	r->tokens[r->tokens_n++] = t;
}

/* A class at p[i] == '['; the index behind it. The pattern is well-formed. */
static size_t add_class(struct ignore_rule *r, size_t *cap, size_t i)
{
	const char *p = r->pattern;
	struct ignore_token t = { .kind = TOKEN_CLASS };
	i++;
	if (p[i] == '^') {
		t.negated = true;
		i++;
	}
	size_t start = i;
	while (p[i] && p[i] != ']')
		i += p[i] == '\\' && p[i + 1] ? 2 : 1;
	t.class_at = (unsigned short)start;
	t.class_len = (unsigned short)(i - start);
	add_token(r, cap, t);
	return p[i] ? i + 1 : i;
}

static void compile(struct ignore_rule *r)
{
	const char *p = r->pattern;
	size_t cap = 0;
	bool special = false, starts_deep = p[0] == '*' && p[1] == '*';
	for (size_t i = 0; p[i];) {
		if (p[i] == '*' && p[i + 1] == '*') {
			r->deep = true;
			special = special || i > 0;
			i += 2;
			if (p[i] == '/')
				i++;
			add_token(r, &cap, (struct ignore_token){ .kind = p[i] ? TOKEN_DEEP : TOKEN_REST });
		} else if (p[i] == '*' || p[i] == '?') {
			special = true;
			add_token(r, &cap,
				  (struct ignore_token){ .kind = p[i] == '*' ? TOKEN_STAR : TOKEN_ANY });
			i++;
		} else if (p[i] == '[') {
			special = true;
			i = add_class(r, &cap, i);
		} else {
			if (p[i] == '\\' && p[i + 1]) {
				special = true;
				i++;
			}
			add_token(r, &cap, (struct ignore_token){ .kind = TOKEN_BYTE,
								  .byte = (unsigned char)p[i] });
			i++;
		}
	}
	if (!special)
		r->form = starts_deep ? FORM_SUFFIX : FORM_LITERAL;
	r->depth = 1;
	for (const char *c = p; *c; c++)
		r->depth += *c == '/';
}

static int add_rule(struct ignore *ign, struct slice line, unsigned no, struct err *e)
{
	struct slice text = slice_trim(line), body = text;
	bool negated = text.n && text.p[0] == '!';
	if (negated)
		body = slice_trim(slice_from(text, 1));
	if (text.n > IGNORE_PATTERN_MAX)
		return err_set(e, ERR_DATA, "a pattern is longer than %d bytes", IGNORE_PATTERN_MAX);
	if (body.n == 0) {
		err_set(e, ERR_DATA, "illegal exclusion pattern: \"!\"");
		return err_hint(e, "a path follows the '!'");
	}
	struct ignore_rule r = { .negated = negated, .line = no };
	r.pattern = path_clean(body);
	if (r.pattern[0] == '/' && r.pattern[1])
		memmove(r.pattern, r.pattern + 1, strlen(r.pattern));
	r.text = slice_dup(text);
	if (path_match(slice_of(r.pattern), SL(".")) < 0) {
		bad_pattern(r.text, "syntax error in pattern", e);
		free(r.pattern);
		free(r.text);
		return -1;
	}
	compile(&r);
	ign->has_negated = ign->has_negated || negated;
	arr_push(&ign->rules, r);
	return 0;
}

int ignore_add(struct ignore *ign, struct slice pattern, struct err *e)
{
	if (slice_trim(pattern).n == 0)
		return 0;
	if (slice_find(pattern, '\0') < pattern.n)
		return err_set(e, ERR_DATA, "a pattern holds a zero byte");
	return add_rule(ign, pattern, 0, e);
}

static int fail_at(const char *name, unsigned no, struct slice line, struct err *e)
{
	_free_ char *lines = slice_dup(slice_trim_right(line)), *file = str_dup(name);
	return err_at(e, &(struct err_span){ .file = file, .first = no, .last = no, .lines = lines });
}

int ignore_parse(struct slice text, const char *name, struct ignore *out, struct err *e)
{
	if (text.n > IGNORE_MAX) {
		err_set(e, ERR_DATA, "%s is larger than %u bytes", name, IGNORE_MAX);
		return err_hint(e, "leave out whole directories, or use wildcards, "
				   "instead of naming each file");
	}
	if (slice_find(text, '\0') < text.n) {
		err_set(e, ERR_DATA, "%s holds a zero byte, so it is no text", name);
		return err_hint(e, "save it as UTF-8");
	}
	if (slice_starts(text, SL("\xef\xbb\xbf")))
		text = slice_from(text, 3);
	str_set(&out->file, str_dup(name));
	struct slice line;
	for (unsigned no = 1; slice_split(&text, '\n', &line); no++) {
		if (line.n && line.p[0] == '#')
			continue;
		if (slice_trim(line).n && add_rule(out, line, no, e) < 0)
			return fail_at(name, no, line, e);
	}
	return 0;
}

void ignore_done(struct ignore *ign)
{
	if (!ign)
		return;
	arr_each(r, &ign->rules) {
		free(r->text);
		free(r->pattern);
		free(r->tokens);
	}
	arr_done(&ign->rules);
	str_set(&ign->file, NULL);
	ign->has_negated = false;
}

/* ---- matching ---- */

static bool in_class(const struct ignore_rule *r, const struct ignore_token *t, uint32_t c)
{
	struct slice s = { r->pattern + t->class_at, t->class_len };
	bool found = false;
	while (s.n) {
		uint32_t bound[2];
		for (int k = 0; k < 2; k++) {
			if (s.n > 1 && s.p[0] == '\\')
				s = slice_from(s, 1);
			s = slice_from(s, utf8_decode(s, &bound[k]));
			if (k == 0 && (s.n < 2 || s.p[0] != '-')) {
				bound[1] = bound[0];
				break;
			}
			if (k == 0)
				s = slice_from(s, 1);
		}
		found = found || (c >= bound[0] && c <= bound[1]);
	}
	return found != t->negated;
}

/* The tokens that may come next: set[i] for tokens[i], set[tokens_n]: all were read. What can
 * match nothing lets the next one in too. */
static void enter(const struct ignore_rule *r, unsigned char *set, size_t i)
{
	for (; !set[i]; i++) {
		set[i] = 1;
		unsigned kind = i < r->tokens_n ? r->tokens[i].kind : TOKEN_BYTE;
		if (kind != TOKEN_STAR && kind != TOKEN_DEEP && kind != TOKEN_REST)
			return;
	}
}

enum { SEEN = 1, INSIDE = 2 }; /* INSIDE: a DEEP that has begun and still waits for its '/' */

static bool match_tokens(const struct ignore_rule *r, struct slice path, unsigned char *now,
			 unsigned char *next)
{
	size_t n = r->tokens_n;
	memset(now, 0, n + 1);
	enter(r, now, 0);
	for (size_t at = 0; at < path.n;) {
		uint32_t c;
		size_t len = utf8_decode(slice_from(path, at), &c);
		if (path.p[at] == '/' && now[n])
			return true;
		bool any = false;
		/* bytes are compared one at a time; other tokens take the whole character */
		memset(next, 0, n + 1);
		for (size_t i = 0; i < n; i++) {
			const struct ignore_token *t = &r->tokens[i];
			if (!now[i])
				continue;
			any = true;
			switch ((enum token_kind)t->kind) {
			case TOKEN_BYTE: {
				size_t k = 0;
				while (k < len && i + k < n && r->tokens[i + k].kind == TOKEN_BYTE &&
				       r->tokens[i + k].byte == (unsigned char)path.p[at + k])
					k++;
				if (k == len)
					enter(r, next, i + len);
				break;
			}
			case TOKEN_ANY:
				if (c != '/')
					enter(r, next, i + 1);
				break;
			case TOKEN_CLASS:
				if (in_class(r, t, c))
					enter(r, next, i + 1);
				break;
			case TOKEN_STAR:
				if (c != '/')
					enter(r, next, i);
				break;
			case TOKEN_DEEP:
				if (c == '/') /* the part that DEEP took ends here, or goes on */
					enter(r, next, i);
				else if (!next[i])
					next[i] = INSIDE;
				break;
			case TOKEN_REST:
				enter(r, next, i);
				break;
			}
		}
		if (!any)
			return false;
		unsigned char *swap = now;
		now = next;
		next = swap;
		at += len;
	}
	return now[n] != 0;
}

static bool match_literal(const struct ignore_rule *r, struct slice path)
{
	struct slice p = slice_of(r->pattern);
	return slice_starts(path, p) && (path.n == p.n || path.p[p.n] == '/');
}

/* "**" + text: the path or a directory above it ends in text; "**" "/" "x" is x itself too. */
static bool match_suffix(const struct ignore_rule *r, struct slice path)
{
	struct slice p = slice_of(r->pattern + 2);
	for (size_t end = 1; end <= path.n; end++) {
		if (end < path.n && path.p[end] != '/')
			continue;
		struct slice head = slice_head(path, end);
		if (slice_ends(head, p) || (p.n && p.p[0] == '/' && slice_eq(head, slice_from(p, 1))))
			return true;
	}
	return false;
}

static bool match_rule(const struct ignore_rule *r, struct slice path)
{
	enum { ON_STACK = 512 };
	if (r->form == FORM_LITERAL)
		return match_literal(r, path);
	if (r->form == FORM_SUFFIX)
		return match_suffix(r, path);
	unsigned char room[2 * ON_STACK];
	_free_ unsigned char *heap = NULL;
	unsigned char *sets = room;
	if (r->tokens_n >= ON_STACK)
		sets = heap = mem_alloc(2 * (r->tokens_n + 1));
	return match_tokens(r, path, sets, sets + r->tokens_n + 1);
}

/* Index of the rule that decides, or rules.n. */
static size_t decide(const struct ignore *ign, struct slice path)
{
	if (path.n == 0 || slice_is(path, "."))
		return ign->rules.n;
	for (size_t i = ign->rules.n; i-- > 0;) /* the last one wins */
		if (match_rule(&ign->rules.p[i], path))
			return i;
	return ign->rules.n;
}

bool ignore_match(const struct ignore *ign, struct slice path, const struct ignore_rule **by)
{
	size_t i = decide(ign, path);
	const struct ignore_rule *r = i < ign->rules.n ? &ign->rules.p[i] : NULL;
	if (by)
		*by = r;
	return r && !r->negated;
}

/* Could the rule match something below dir that is not dir itself? Compares component by
 * component; a pattern that is not longer than dir can only match dir or what is above it. */
static bool reaches_below(const struct ignore_rule *r, struct slice dir)
{
	if (r->deep)
		return true;
	struct slice pattern = slice_of(r->pattern), p, d;
	while (path_next(&dir, &d)) {
		if (!path_next(&pattern, &p))
			return false;
		/* a class may hold '/', which cuts it in two: then say yes */
		if (path_match(p, d) == 0)
			return slice_find(slice_of(r->pattern), '[') < strlen(r->pattern);
	}
	return pattern.n > 0;
}

bool ignore_may_include_below(const struct ignore *ign, struct slice dir)
{
	if (!ign->has_negated)
		return false;
	size_t i = decide(ign, dir);
	for (i = i < ign->rules.n ? i + 1 : 0; i < ign->rules.n; i++)
		if (ign->rules.p[i].negated && reaches_below(&ign->rules.p[i], dir))
			return true;
	return false;
}

bool ignore_hides_all(const struct ignore *ign)
{
	arr_each(r, &ign->rules)
		if (!r->negated && (!strcmp(r->pattern, "*") || !strcmp(r->pattern, "**") ||
				    !strcmp(r->pattern, "**/*")))
			return true;
	return false;
}
