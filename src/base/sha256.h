/* SPDX-License-Identifier: Apache-2.0 */
/* base/sha256.h: SHA-256 (FIPS 180-4), by nettle. */
#pragma once
#include <nettle/sha2.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define SHA256_HEX 65 /* with the NUL */

struct sha256 {
	struct sha256_ctx ctx;
};
void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *p, size_t n);
/* The same bytes to both. Where both have been given the same number of bytes, or numbers that differ by
 * a multiple of 64, and the CPU has SHA instructions, at little more than the cost of one. */
void sha256_add_both(struct sha256 *a, struct sha256 *b, const void *p, size_t n);
/* Adds the length as 8 bytes and then the bytes: unambiguous concatenation, for keys. */
void sha256_field(struct sha256 *s, const void *p, size_t n);
void sha256_end(struct sha256 *s, uint8_t out[static SHA256_LEN]);
void sha256_of(const void *p, size_t n, uint8_t out[static SHA256_LEN]);
void sha256_hex(const uint8_t in[static SHA256_LEN], char out[static SHA256_HEX]);
/* 64 lower-case hex digits; -1 else. */
int sha256_unhex(const char *hex, size_t n, uint8_t out[static SHA256_LEN]);
