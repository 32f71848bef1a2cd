/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <stdint.h>

#include "base/alloc.h"

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;
	return r ? r : (a.n > b.n) - (a.n < b.n);
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq(slice_head(s, prefix.n), prefix);
}

bool slice_ends(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n && slice_eq(slice_from(s, s.n - suffix.n), suffix);
}

struct slice slice_trim_left(struct slice s)
{
	while (s.n && is_blank(s.p[0]))
		s = slice_from(s, 1);
	return s;
}

struct slice slice_trim_right(struct slice s)
{
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct slice slice_trim(struct slice s)
{
	return slice_trim_right(slice_trim_left(s));
}

size_t slice_find(struct slice s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

size_t slice_rfind(struct slice s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

size_t slice_search(struct slice s, struct slice needle)
{
	if (needle.n == 0)
		return 0;
	const char *at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

bool slice_split(struct slice *s, char sep, struct slice *head)
{
	if (!s->p)
		return false;
	size_t at = slice_find(*s, sep);
	*head = slice_head(*s, at);
	*s = at < s->n ? slice_from(*s, at + 1) : (struct slice){ NULL, 0 };
	return true;
}

char *slice_dup(struct slice s)
{
	return str_ndup(s.p, s.n);
}

size_t slice_distance(struct slice a, struct slice b, size_t max)
{
	enum { LONGEST = 255 };
	if (a.n > LONGEST || b.n > LONGEST)
		return max + 1;

	uint16_t row[LONGEST + 1];
	for (size_t j = 0; j <= b.n; j++)
		row[j] = (uint16_t)j;
	for (size_t i = 1; i <= a.n; i++) {
		uint16_t diagonal = row[0];
		row[0] = (uint16_t)i;
		for (size_t j = 1; j <= b.n; j++) {
			uint16_t best = (uint16_t)(diagonal + (a.p[i - 1] != b.p[j - 1]));
			if (row[j] + 1 < best)
				best = (uint16_t)(row[j] + 1);
			if (row[j - 1] + 1 < best)
				best = (uint16_t)(row[j - 1] + 1);
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b.n] <= max ? row[b.n] : max + 1;
}
