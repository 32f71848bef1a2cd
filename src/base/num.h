/* SPDX-License-Identifier: Apache-2.0 */
/* base/num.h: numbers from outside, checked arithmetic, numbers for people. */
#pragma once
#include <stdint.h>
#include "base/attr.h"
#include "base/slice.h"

struct buf;

/* C23's names: true if the result does not fit. */
#define ckd_add(r, a, b) __builtin_add_overflow((a), (b), (r))
#define ckd_sub(r, a, b) __builtin_sub_overflow((a), (b), (r))
#define ckd_mul(r, a, b) __builtin_mul_overflow((a), (b), (r))

/* All of s, decimal digits only, at most max; -1 leaves *out alone. */
int num_parse(struct slice s, uint64_t max, uint64_t *out) _must_check_;
int num_parse_octal(struct slice s, uint64_t max, uint64_t *out) _must_check_;
/* A size with an optional suffix b k m g t (powers of 1024, any case, also kb, kib …). */
int num_parse_size(struct slice s, uint64_t *out) _must_check_;

/* Bytes for people, decimal units, four significant figures as Docker prints them:
 * 0B 940kB 64.2MB 1.14GB. (docker/go-units HumanSize, "%.4g") — Docker's `images` uses three. */
#define NUM_SIZE_LEN 32
const char *num_size(uint64_t bytes, char out[static NUM_SIZE_LEN]); /* three significant: 1.14GB */

static inline uint16_t le16_at(const void *p)
{
	const uint8_t *b = p;
	return (uint16_t)(b[0] | b[1] << 8);
}
static inline uint32_t le32_at(const void *p)
{
	const uint8_t *b = p;
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t le64_at(const void *p)
{
	return (uint64_t)le32_at(p) | (uint64_t)le32_at((const uint8_t *)p + 4) << 32;
}
static inline uint16_t be16_at(const void *p)
{
	return __builtin_bswap16(le16_at(p));
}
static inline uint32_t be32_at(const void *p)
{
	return __builtin_bswap32(le32_at(p));
}
static inline uint64_t be64_at(const void *p)
{
	return __builtin_bswap64(le64_at(p));
}
