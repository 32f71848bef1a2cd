/* SPDX-License-Identifier: Apache-2.0 */
/* base/slice.h: a borrowed view of bytes, no NUL promised. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t n;
};

#define SL(lit) ((struct slice){ "" lit, sizeof(lit) - 1 })
#define SLF(s) (int)(s).n, (s).p /* arguments for "%.*s" */

static inline struct slice slice_of(const char *s) /* s may be NULL: empty */
{
	return (struct slice){ s ? s : "", s ? strlen(s) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_of(s));
}

static inline struct slice slice_from(struct slice s, size_t at) /* at <= s.n */
{
	return (struct slice){ s.p + at, s.n - at };
}

static inline struct slice slice_head(struct slice s, size_t n) /* n <= s.n */
{
	return (struct slice){ s.p, n };
}

bool slice_eq_nocase(struct slice a, struct slice b); /* ASCII */
int slice_cmp(struct slice a, struct slice b);        /* byte order, as memcmp, shorter first */
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);
struct slice slice_trim(struct slice s);              /* blanks: space \t \r \n \v \f */
struct slice slice_trim_right(struct slice s);
struct slice slice_trim_left(struct slice s);

/* Position of the first/last c, or s.n if there is none. */
size_t slice_find(struct slice s, char c);
size_t slice_rfind(struct slice s, char c);
/* Position of the first occurrence of needle, or s.n. */
size_t slice_search(struct slice s, struct slice needle);

/* Splits at the first sep: *head is before it, and true is returned with the rest in *s;
 * at the end (s->p == NULL) false. An empty *s with p set gives one empty head:
 *	while (slice_split(&rest, ',', &word)) */
bool slice_split(struct slice *s, char sep, struct slice *head);

char *slice_dup(struct slice s); /* with a NUL; the caller frees */

/* Names near to `word`: Levenshtein distance, at most `max`+1 is told (both below 256 bytes). */
size_t slice_distance(struct slice a, struct slice b, size_t max);
