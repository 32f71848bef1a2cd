/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "base/buf.h"

size_t utf8_decode(struct slice s, uint32_t *rune)
{
	const unsigned char *p = (const unsigned char *)s.p;
	*rune = UTF8_BAD;
	if (p[0] < 0x80) {
		*rune = p[0];
		return 1;
	}

	size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
	if (p[0] < 0xC2 || p[0] > 0xF4 || s.n < len)
		return 1;
	uint32_t v = p[0] & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 1;
		v = v << 6 | (p[i] & 0x3Fu);
	}
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (v < smallest[len] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
		return 1;
	*rune = v;
	return len;
}

void utf8_put(struct buf *out, uint32_t rune)
{
	static const unsigned char lead[] = { 0, 0xC0, 0xE0, 0xF0 };
	if (rune < 0x80) {
		buf_char(out, (char)rune);
		return;
	}
	unsigned more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
	buf_char(out, (char)(lead[more] | rune >> 6 * more));
	while (more--)
		buf_char(out, (char)(0x80 | (rune >> 6 * more & 0x3F)));
}
