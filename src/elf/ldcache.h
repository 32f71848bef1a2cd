/* SPDX-License-Identifier: Apache-2.0 */
/* elf/ldcache.h: /etc/ld.so.cache, as glibc's ldconfig writes it: the new format
 * ("glibc-ld.so.cache1.1"), alone or behind an old one ("ld.so-1.7.0"). Written down in glibc's
 * sysdeps/generic/dl-cache.h. Both byte orders. A cache in the old format only is told as empty. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/slice.h"

struct err;

#define LDCACHE_MAX (64u << 20)    /* bytes; callers read no more than this */
#define LDCACHE_ENTRIES_MAX (1u << 20)

struct ldcache {
	struct slice bytes;   /* the new part; borrowed from the caller */
	bool big_endian;
	uint32_t count;
	uint32_t hwcaps;      /* offset of the table of glibc-hwcaps names (u32 each), 0: none */
	uint32_t hwcaps_n;
};

struct ldcache_entry {
	struct slice soname, path; /* views into the cache */
	uint32_t flags;            /* 0x0303: x86-64 glibc, 0x0a03: aarch64 … */
	uint64_t hwcap;            /* not 0: for some processors only */
	struct slice variant;      /* "x86-64-v3" for one of glibc-hwcaps, else empty */
};

/* Checks the header. `bytes` stay the caller's and must outlive *out. ERR_DATA: damaged. */
int ldcache_open(struct slice bytes, struct ldcache *out, struct err *e) _must_check_;
/* Entry i < count: 1, or 0 if it points outside of the cache (glibc skips such ones too). */
int ldcache_entry(const struct ldcache *c, uint32_t i, struct ldcache_entry *out) _must_check_;
/* Next entry with this soname from *i on; *i is moved past it: 1, or 0 at the end. In a sorted
 * cache they lie together, but nothing is taken on trust. */
int ldcache_find(const struct ldcache *c, struct slice soname, uint32_t *i, struct ldcache_entry *out) _must_check_;
