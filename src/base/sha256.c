/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

void sha256_begin(struct sha256 *s)
{
	sha256_init(&s->ctx);
}

void sha256_add(struct sha256 *s, const void *p, size_t n)
{
	if (n)
		sha256_update(&s->ctx, n, p);
}

void sha256_field(struct sha256 *s, const void *p, size_t n)
{
	uint8_t len[8];
	for (int i = 0; i < 8; i++)
		len[i] = (uint8_t)((uint64_t)n >> (8 * i));
	sha256_add(s, len, sizeof len);
	sha256_add(s, p, n);
}

void sha256_end(struct sha256 *s, uint8_t out[static SHA256_LEN])
{
	sha256_digest(&s->ctx, SHA256_LEN, out);
}

void sha256_of(const void *p, size_t n, uint8_t out[static SHA256_LEN])
{
	struct sha256 s;
	sha256_begin(&s);
	sha256_add(&s, p, n);
	sha256_end(&s, out);
}

void sha256_hex(const uint8_t in[static SHA256_LEN], char out[static SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < SHA256_LEN; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[SHA256_HEX - 1] = '\0';
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int sha256_unhex(const char *hex, size_t n, uint8_t out[static SHA256_LEN])
{
	uint8_t bytes[SHA256_LEN];
	if (n != SHA256_HEX - 1)
		return -1;
	for (size_t i = 0; i < SHA256_LEN; i++) {
		int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	for (size_t i = 0; i < SHA256_LEN; i++)
		out[i] = bytes[i];
	return 0;
}
