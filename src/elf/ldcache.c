/* SPDX-License-Identifier: Apache-2.0 */
#include "elf/ldcache.h"
#include "base/err.h"
#include "base/num.h"

#define OLD_MAGIC       "ld.so-1.7.0"
#define NEW_MAGIC       "glibc-ld.so.cache1.1"
#define OLD_HEADER      16u /* magic, padding, u32 count */
#define OLD_ENTRY       12u
#define HEADER          48u
#define ENTRY           24u
#define EXTENSION_MAGIC 0xeaa42174u
#define TAG_HWCAPS      1u
#define HWCAP_EXTENSION (UINT64_C(1) << 62)

static uint32_t word(const struct ldcache *c, uint64_t at)
{
	return c->big_endian ? be32_at(c->bytes.p + at) : le32_at(c->bytes.p + at);
}

static bool holds(const struct ldcache *c, uint64_t at, uint64_t n)
{
	return at <= c->bytes.n && n <= c->bytes.n - at;
}

/* The string at an offset from the header, or an empty slice. */
static struct slice string_at(const struct ldcache *c, uint64_t at)
{
	if (at >= c->bytes.n)
		return (struct slice){ "", 0 };
	struct slice rest = slice_from(c->bytes, (size_t)at);
	const char *end = memchr(rest.p, 0, rest.n);
	return end ? slice_head(rest, (size_t)(end - rest.p)) : (struct slice){ "", 0 };
}

/* Steps over an old-format part: its entries, then up to the next multiple of 8. The order of
 * bytes in it is told by which reading leads to the new magic. */
static int skip_old(struct slice *bytes, struct err *e)
{
	if (bytes->n < OLD_HEADER)
		return err_set(e, ERR_DATA, "ld.so.cache ends in its header");
	for (int big = 0; big < 2; big++) {
		uint64_t n = big ? be32_at(bytes->p + 12) : le32_at(bytes->p + 12);
		uint64_t at = (OLD_HEADER + n * OLD_ENTRY + 7) & ~UINT64_C(7);
		if (at > bytes->n || !slice_starts(slice_from(*bytes, (size_t)at), SL(NEW_MAGIC)))
			continue;
		*bytes = slice_from(*bytes, (size_t)at);
		return 1;
	}
	return 0;
}

/* dl-cache.h, struct cache_extension: sections with a tag each. A damaged one is as none, as in
 * glibc: entries for processors then simply have no name. */
static void find_hwcaps(struct ldcache *c)
{
	uint64_t at = word(c, 32), n;

	if (at == 0 || !holds(c, at, 8) || word(c, at) != EXTENSION_MAGIC)
		return;
	n = word(c, at + 4);
	if (n > 64 || !holds(c, at + 8, n * 16))
		return;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t s = at + 8 + i * 16;
		uint32_t offset = word(c, s + 8), size = word(c, s + 12);
		if (word(c, s) == TAG_HWCAPS && holds(c, offset, size)) {
			c->hwcaps = offset;
			c->hwcaps_n = size / 4;
		}
	}
}

int ldcache_open(struct slice bytes, struct ldcache *out, struct err *e)
{
	struct ldcache c = { 0 };

	if (slice_starts(bytes, SL(OLD_MAGIC))) {
		int r = skip_old(&bytes, e);
		if (r < 0)
			return -1;
		if (r == 0) {
			*out = c;
			return 0;
		}
	}
	if (!slice_starts(bytes, SL(NEW_MAGIC)))
		return err_set(e, ERR_DATA, "ld.so.cache: not a cache that we know");
	if (bytes.n < HEADER)
		return err_set(e, ERR_DATA, "ld.so.cache ends in its header");
	c.bytes = bytes;
	c.big_endian = bytes.p[28] == 3; /* 2: little; 0: written before glibc 2.33 */
	c.count = word(&c, 20);
	if (c.count > LDCACHE_ENTRIES_MAX || !holds(&c, HEADER, (uint64_t)c.count * ENTRY)) {
		c.big_endian = !c.big_endian;
		c.count = word(&c, 20);
		if (bytes.p[28] != 0 || c.count > LDCACHE_ENTRIES_MAX ||
		    !holds(&c, HEADER, (uint64_t)c.count * ENTRY))
			return err_set(e, ERR_DATA,
				       "ld.so.cache says it has more entries than fit in it");
	}
	find_hwcaps(&c);
	*out = c;
	return 0;
}

int ldcache_entry(const struct ldcache *c, uint32_t i, struct ldcache_entry *out)
{
	uint64_t at = HEADER + (uint64_t)i * ENTRY;
	struct ldcache_entry x = { 0 };
	uint64_t low, high;

	x.flags = word(c, at);
	x.soname = string_at(c, word(c, at + 4));
	x.path = string_at(c, word(c, at + 8));
	low = word(c, at + (c->big_endian ? 20 : 16));
	high = word(c, at + (c->big_endian ? 16 : 20));
	x.hwcap = high << 32 | low;
	x.variant = (struct slice){ "", 0 };
	if (x.hwcap & HWCAP_EXTENSION && (uint32_t)x.hwcap < c->hwcaps_n)
		x.variant = string_at(c, word(c, c->hwcaps + 4 * (uint64_t)(uint32_t)x.hwcap));
	if (x.soname.n == 0 || x.path.n == 0)
		return 0;
	*out = x;
	return 1;
}

int ldcache_find(const struct ldcache *c, struct slice soname, uint32_t *i,
		 struct ldcache_entry *out)
{
	while (*i < c->count) {
		struct ldcache_entry x;
		if (ldcache_entry(c, (*i)++, &x) && slice_eq(x.soname, soname)) {
			*out = x;
			return 1;
		}
	}
	return 0;
}
