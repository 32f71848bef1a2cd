/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include "base/alloc.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/utf8.h"

bool path_next(struct slice *p, struct slice *name)
{
	while (p->n && p->p[0] == '/')
		*p = slice_from(*p, 1);
	if (p->n == 0)
		return false;
	*name = slice_head(*p, slice_find(*p, '/'));
	*p = slice_from(*p, name->n);
	return true;
}

/* Takes the last component off what was written so far, or says that there is none to take. */
static bool drop_last(struct buf *b, size_t root)
{
	struct slice done = slice_from(buf_view(b), root);
	if (done.n == 0 || slice_is(path_base(done), ".."))
		return false;
	size_t slash = slice_rfind(done, '/');
	b->len = root + (slash < done.n ? slash : 0);
	b->p[b->len] = '\0';
	return true;
}

char *path_clean(struct slice p)
{
	struct buf b = { 0 };
	size_t root = p.n && p.p[0] == '/';
	if (root)
		buf_char(&b, '/');
	struct slice name;
	while (path_next(&p, &name)) {
		if (slice_is(name, "."))
			continue;
		if (slice_is(name, "..") && (drop_last(&b, root) || root))
			continue;
		if (b.len > root)
			buf_char(&b, '/');
		buf_slice(&b, name);
	}
	if (b.len == 0)
		buf_char(&b, '.');
	return buf_take(&b);
}

char *path_join(struct slice a, struct slice b)
{
	if (a.n == 0 || (b.n && b.p[0] == '/'))
		return path_clean(b);
	_cleanup_(buf_done) struct buf both = { 0 };
	buf_slice(&both, a);
	buf_char(&both, '/');
	buf_slice(&both, b);
	return path_clean(buf_view(&both));
}

static struct slice trim_slashes(struct slice p)
{
	while (p.n > 1 && p.p[p.n - 1] == '/')
		p.n--;
	return p;
}

struct slice path_base(struct slice p)
{
	p = trim_slashes(p);
	size_t slash = slice_rfind(p, '/');
	return slash == p.n || p.n == 1 ? p : slice_from(p, slash + 1);
}

struct slice path_dir(struct slice p)
{
	p = trim_slashes(p);
	size_t slash = slice_rfind(p, '/');
	if (slash == p.n)
		return SL(".");
	return slash == 0 ? SL("/") : trim_slashes(slice_head(p, slash));
}

bool path_is_below(struct slice p, struct slice dir)
{
	if (slice_is(dir, "/"))
		return p.n && p.p[0] == '/';
	if (slice_is(dir, ".") || dir.n == 0)
		return !(p.n && p.p[0] == '/') && !slice_is(p, "..") && !slice_starts(p, SL("../"));
	return slice_starts(p, dir) && (p.n == dir.n || p.p[dir.n] == '/');
}

char *path_key(struct slice p)
{
	_cleanup_(buf_done) struct buf rooted = { 0 };
	buf_char(&rooted, '/');
	buf_slice(&rooted, p);
	_free_ char *clean = path_clean(buf_view(&rooted));
	return str_dup(clean + 1);
}

/* path_match: as in Go's path/filepath/match.go. A pattern is cut into chunks, each a run of
 * stars and what follows up to the next star; a chunk matches a fixed number of characters. */

static bool scan_chunk(struct slice *pattern, struct slice *chunk)
{
	bool star = false, in_class = false;
	struct slice s = *pattern;
	while (s.n && s.p[0] == '*') {
		s = slice_from(s, 1);
		star = true;
	}
	size_t i;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		else if (s.p[i] == '[')
			in_class = true;
		else if (s.p[i] == ']')
			in_class = false;
		else if (s.p[i] == '*' && !in_class)
			break;
	}
	*chunk = slice_head(s, i);
	*pattern = slice_from(s, i);
	return star;
}

/* One bound of a range in a class; -1 if it is malformed. */
static int class_char(struct slice *chunk, uint32_t *rune)
{
	if (chunk->n == 0 || chunk->p[0] == '-' || chunk->p[0] == ']')
		return -1;
	if (chunk->p[0] == '\\') {
		*chunk = slice_from(*chunk, 1);
		if (chunk->n == 0)
			return -1;
	}
	size_t n = utf8_decode(*chunk, rune);
	if (*rune == UTF8_BAD && n == 1)
		return -1;
	*chunk = slice_from(*chunk, n);
	return chunk->n ? 0 : -1;
}

/* A class, after its '['. *in tells whether the rune is in it. */
static int match_class(struct slice *chunk, uint32_t rune, bool *in)
{
	bool negated = chunk->n && chunk->p[0] == '^';
	if (negated)
		*chunk = slice_from(*chunk, 1);
	bool found = false;
	for (size_t ranges = 0;; ranges++) {
		if (chunk->n && chunk->p[0] == ']' && ranges > 0) {
			*chunk = slice_from(*chunk, 1);
			break;
		}
		uint32_t low, high;
		if (class_char(chunk, &low) < 0)
			return -1;
		high = low;
		if (chunk->p[0] == '-') {
			*chunk = slice_from(*chunk, 1);
			if (class_char(chunk, &high) < 0)
				return -1;
		}
		found = found || (low <= rune && rune <= high);
	}
	*in = found != negated;
	return 0;
}

/* Matches chunk at the start of s: 1 with what is left of s, 0, or -1. After a mismatch the rest
 * of the chunk is still read, to see whether it is well-formed. */
static int match_chunk(struct slice chunk, struct slice s, struct slice *left)
{
	bool failed = false;
	while (chunk.n) {
		failed = failed || s.n == 0;
		char c = chunk.p[0];
		uint32_t rune = 0;
		if (c == '[') {
			bool in;
			if (!failed)
				s = slice_from(s, utf8_decode(s, &rune));
			chunk = slice_from(chunk, 1);
			if (match_class(&chunk, rune, &in) < 0)
				return -1;
			failed = failed || !in;
			continue;
		}
		if (c == '\\' && chunk.n == 1)
			return -1;
		if (c == '\\')
			chunk = slice_from(chunk, 1);
		if (!failed && c == '?') {
			failed = s.p[0] == '/';
			s = slice_from(s, utf8_decode(s, &rune));
		} else if (!failed) {
			failed = chunk.p[0] != s.p[0];
			s = slice_from(s, 1);
		}
		chunk = slice_from(chunk, 1);
	}
	if (failed)
		return 0;
	*left = s;
	return 1;
}

/* The rest of a pattern that did not match: 0, or -1 if it is malformed. */
static int check_rest(struct slice pattern)
{
	while (pattern.n) {
		struct slice chunk, left;
		(void)scan_chunk(&pattern, &chunk);
		if (match_chunk(chunk, SL(""), &left) < 0)
			return -1;
	}
	return 0;
}

/* The chunk somewhere in *name, before the next '/'. */
static int match_after_star(struct slice chunk, bool last, struct slice *name)
{
	for (size_t skip = 0; skip < name->n && name->p[skip] != '/'; skip++) {
		struct slice left;
		int r = match_chunk(chunk, slice_from(*name, skip + 1), &left);
		if (r < 0)
			return -1;
		if (r > 0 && !(last && left.n)) {
			*name = left;
			return 1;
		}
	}
	return 0;
}

int path_match(struct slice pattern, struct slice name)
{
	while (pattern.n) {
		struct slice chunk, left;
		bool star = scan_chunk(&pattern, &chunk);
		if (star && chunk.n == 0)
			return slice_find(name, '/') == name.n;
		bool last = pattern.n == 0;
		int r = match_chunk(chunk, name, &left);
		if (r > 0 && !(last && left.n)) {
			name = left;
			continue;
		}
		if (r < 0)
			return -1;
		r = star ? match_after_star(chunk, last, &name) : 0;
		if (r < 0)
			return -1;
		if (r == 0)
			return check_rest(pattern);
	}
	return name.n == 0;
}

bool path_has_magic(struct slice pattern)
{
	for (size_t i = 0; i < pattern.n; i++)
		if (strchr("*?[\\", pattern.p[i]) && pattern.p[i])
			return true;
	return false;
}
