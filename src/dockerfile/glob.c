/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/glob.h"

#include "base/array.h"
#include "base/err.h"
#include "base/utf8.h"

enum token { ANY = 256, STAR = 257 }; /* others: the byte itself */
struct tokens {
	ARRAY_OF(uint16_t) list;
};

static int compile(struct slice pattern, struct tokens *t, struct err *e)
{
	for (size_t i = 0; i < pattern.n; i++) {
		unsigned char c = (unsigned char)pattern.p[i];
		if (c == '*') {
			arr_push(&t->list, STAR);
		} else if (c == '?') {
			arr_push(&t->list, ANY);
		} else if (c == '\\') {
			char next = i + 1 < pattern.n ? pattern.p[i + 1] : '\0';
			if (next == '}' || next == '/') /* protects the end of ${}: not of the pattern */
				continue;
			if (next != '*' && next != '?' && next != '\\') {
				_free_ char *p = slice_dup(pattern);
				err_set(e, ERR_DATA, "invalid pattern (%s) in substitution: invalid escape '\\%.1s'",
					p, i + 1 < pattern.n ? pattern.p + i + 1 : "");
				return err_hint(e, "only \\*, \\?, \\\\, \\} and \\/ can be escaped in a pattern");
			}
			arr_push(&t->list, (uint16_t)(unsigned char)next);
			i++;
		} else {
			arr_push(&t->list, c);
		}
	}
	return 0;
}

static int spend(uint64_t *work, size_t n, struct err *e)
{
	if (*work <= n)
		return err_set(e, ERR_DATA, "a pattern in a substitution takes too much work on a long value");
	*work -= n;
	return 0;
}

/* Where a walk over the value is: on[i] for position i between bytes, all of them in lo..hi. */
struct walkers {
	bool *on, *next;
	size_t lo, hi;
};

static size_t rune_len(struct slice v, size_t at)
{
	uint32_t rune;
	return utf8_decode(slice_from(v, at), &rune);
}

/* Where the walkers have come to with one token. */
struct reach {
	bool any;
	size_t first, last;
};

static void reach_add(struct walkers *w, struct reach *r, size_t to)
{
	w->next[to] = true;
	if (!r->any || to < r->first)
		r->first = to;
	if (!r->any || to > r->last)
		r->last = to;
	r->any = true;
}

/* They are there now; false if nobody is left. */
static bool reach_go(struct walkers *w, const struct reach *r)
{
	bool *swap = w->on;
	w->on = w->next;
	w->next = swap;
	w->lo = r->first;
	w->hi = r->last;
	return r->any;
}

/* One token forward. Writes next[] from lo to the new hi; false if nobody is left. */
static bool step_forward(struct walkers *w, unsigned token, struct slice v)
{
	struct reach reach = { 0 };
	size_t hi = w->hi;
	size_t end = token == STAR ? v.n : hi + 4 < v.n ? hi + 4 : v.n;
	memset(w->next + w->lo, 0, end - w->lo + 1);
	bool star = false;
	for (size_t i = w->lo; i <= (token == STAR ? end : hi); i++) {
		bool on = i <= hi && w->on[i];
		size_t to = 0;
		if (token == STAR) {
			star = on || (star && v.p[i - 1] != '\n');
			if (i > hi && !star)
				break;
			if (!star)
				continue;
			to = i;
		} else {
			if (!on || i == v.n)
				continue;
			unsigned char c = (unsigned char)v.p[i];
			if (token == ANY ? c == '\n' : c != token)
				continue;
			to = i + (token == ANY ? rune_len(v, i) : 1);
		}
		reach_add(w, &reach, to);
	}
	return reach_go(w, &reach);
}

/* Start of the character that ends at `at` (> 0). */
static size_t rune_start(struct slice v, size_t at)
{
	for (size_t back = 4; back > 1; back--) /* longest first: a last byte alone is one too */
		if (back <= at && rune_len(slice_head(v, at), at - back) == back)
			return at - back;
	return at - 1;
}

static bool step_back(struct walkers *w, unsigned token, struct slice v)
{
	struct reach reach = { 0 };
	bool star = false;
	size_t start = token == STAR ? 0 : w->lo > 4 ? w->lo - 4 : 0;
	memset(w->next + start, 0, w->hi - start + 1);
	for (size_t i = w->hi + 1; i-- > (token == STAR ? 0 : w->lo);) {
		bool on = i >= w->lo && w->on[i];
		size_t to = 0;
		if (token == STAR) {
			star = on || (star && v.p[i] != '\n');
			if (i < w->lo && !star)
				break;
			if (!star)
				continue;
			to = i;
		} else {
			if (!on || i == 0)
				continue;
			unsigned char c = (unsigned char)v.p[i - 1];
			if (token == ANY ? c == '\n' : c != token)
				continue;
			to = token == ANY ? rune_start(v, i) : i - 1;
		}
		reach_add(w, &reach, to);
	}
	return reach_go(w, &reach);
}

static void walkers_init(struct walkers *w, size_t n)
{
	w->on = mem_alloc(n + 1);
	w->next = mem_alloc(n + 1);
}

static void walkers_done(struct walkers *w)
{
	free(w->on);
	free(w->next);
}

/* All tokens from where the walkers stand: 1 some arrive, 0 none, -1. */
static int run_forward(struct walkers *w, const struct tokens *t, struct slice v, uint64_t *work,
		       struct err *e)
{
	for (size_t k = 0; k < t->list.n; k++) {
		unsigned token = t->list.p[k];
		if (spend(work, (token == STAR ? v.n : w->hi) - w->lo + 8, e) < 0)
			return -1;
		if (!step_forward(w, token, v))
			return 0;
	}
	return 1;
}

static int run_back(struct walkers *w, const struct tokens *t, struct slice v, uint64_t *work,
		    struct err *e)
{
	for (size_t k = t->list.n; k-- > 0;) {
		unsigned token = t->list.p[k];
		if (spend(work, w->hi - (token == STAR ? 0 : w->lo) + 8, e) < 0)
			return -1;
		if (!step_back(w, token, v))
			return 0;
	}
	return 1;
}

static void tokens_done(struct tokens *t)
{
	arr_done(&t->list);
}

int glob_prefix(struct slice pattern, struct slice v, bool longest, uint64_t *work, ptrdiff_t *len,
		struct err *e)
{
	_cleanup_(tokens_done) struct tokens t = { 0 };
	if (compile(pattern, &t, e) < 0)
		return -1;
	_cleanup_(walkers_done) struct walkers w = { 0 };
	walkers_init(&w, v.n);
	w.on[0] = true;
	int r = run_forward(&w, &t, v, work, e);
	if (r < 0)
		return -1;
	*len = r == 0 ? -1 : (ptrdiff_t)(longest ? w.hi : w.lo);
	return 0;
}

int glob_suffix(struct slice pattern, struct slice v, bool longest, uint64_t *work, ptrdiff_t *len,
		struct err *e)
{
	_cleanup_(tokens_done) struct tokens t = { 0 };
	if (compile(pattern, &t, e) < 0)
		return -1;
	_cleanup_(walkers_done) struct walkers w = { 0 };
	walkers_init(&w, v.n);
	w.on[v.n] = true;
	w.lo = w.hi = v.n;
	int r = run_back(&w, &t, v, work, e);
	if (r < 0)
		return -1;
	*len = r == 0 ? -1 : (ptrdiff_t)(v.n - (longest ? w.lo : w.hi));
	return 0;
}

/* Marks every position at which a match starts: a walk backwards from all ends at once. */
static int find_starts(const struct tokens *t, struct slice v, struct walkers *w, uint64_t *work,
		       struct err *e)
{
	walkers_init(w, v.n);
	memset(w->on, 1, v.n + 1);
	w->hi = v.n;
	return run_back(w, t, v, work, e);
}

int glob_replace(struct slice pattern, struct slice v, struct slice with, bool all, uint64_t *work,
		 struct buf *out, struct err *e)
{
	_cleanup_(tokens_done) struct tokens t = { 0 };
	_cleanup_(walkers_done) struct walkers starts = { 0 }, w = { 0 };
	if (compile(pattern, &t, e) < 0)
		return -1;
	int r = find_starts(&t, v, &starts, work, e);
	if (r < 0)
		return -1;
	walkers_init(&w, v.n);

	size_t at = 0, last = SIZE_MAX; /* last: end of the match before, if there was one */
	bool go = r > 0;
	while (go && at <= v.n && !out->over) {
		size_t end = at;
		bool hit = at >= starts.lo && at <= starts.hi && starts.on[at];
		if (hit) {
			w.on[at] = true;
			w.lo = w.hi = at;
			if (run_forward(&w, &t, v, work, e) < 0)
				return -1;
			end = w.hi;
		}
		/* as Go's regexp: no empty match right behind a match */
		if (hit && (end > at || at != last)) {
			buf_slice(out, with);
			last = end;
			go = all;
		}
		if (end > at) {
			at = end;
			continue;
		}
		if (!go || at == v.n)
			break;
		size_t n = rune_len(v, at);
		buf_slice(out, slice_head(slice_from(v, at), n));
		at += n;
	}
	buf_slice(out, slice_from(v, at < v.n ? at : v.n));
	return 0;
}
