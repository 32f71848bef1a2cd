/* SPDX-License-Identifier: Apache-2.0 */
#include "base/term.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/utf8.h"

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t rune, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rune >= r[i].first && rune <= r[i].last)
			return true;
	return false;
}

/* Controls, and the marks that turn the direction of what follows: a name could hide behind
 * them what it really is. */
static bool is_unsafe(uint32_t rune)
{
	static const struct range unsafe[] = {
		{ 0x00, 0x1F },     { 0x7F, 0x9F },     { 0x200E, 0x200F },
		{ 0x2028, 0x202E }, { 0x2066, 0x2069 },
	};
	return is_in(rune, unsafe, COUNT_OF(unsafe));
}

void term_escape(struct slice s, bool lines, struct buf *out)
{
	while (s.n) {
		uint32_t rune;
		size_t n = utf8_decode(s, &rune);
		bool bad = (rune == UTF8_BAD && n == 1) ||
			   (is_unsafe(rune) && !(lines && (rune == '\n' || rune == '\t')));
		if (!bad)
			buf_add(out, s.p, n);
		for (size_t i = 0; bad && i < n; i++)
			buf_printf(out, "\\x%02x", (unsigned char)s.p[i]);
		s = slice_from(s, n);
	}
}

/* Our own short table instead of wcwidth, which knows nothing before setlocale, and a locale
 * takes longer to load than most commands run. Unicode 14, ranges that touch joined. */
static size_t rune_width(uint32_t rune)
{
	static const struct range none[] = {
		{ 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x0610, 0x061A },
		{ 0x064B, 0x065F }, { 0x06D6, 0x06DC }, { 0x0900, 0x0902 }, { 0x0E31, 0x0E31 },
		{ 0x0E34, 0x0E3A }, { 0x0E47, 0x0E4E }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF },
		{ 0x200B, 0x200F }, { 0x202A, 0x202E }, { 0x2060, 0x2064 }, { 0x20D0, 0x20FF },
		{ 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xFEFF, 0xFEFF }, { 0xE0100, 0xE01EF },
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115F },   { 0x231A, 0x231B },   { 0x2329, 0x232A },
		{ 0x23E9, 0x23EC },   { 0x2614, 0x2615 },   { 0x26A1, 0x26A1 },
		{ 0x2705, 0x2705 },   { 0x274C, 0x274C },   { 0x2753, 0x2755 },
		{ 0x2E80, 0x303E },   { 0x3041, 0xA4CF },   { 0xA960, 0xA97C },
		{ 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },   { 0xFE10, 0xFE19 },
		{ 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },
		{ 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF },
		{ 0x20000, 0x3FFFD },
	};
	if (rune < 0x20 || (rune >= 0x7F && rune < 0xA0))
		return 0;
	if (rune < 0x300)
		return 1;
	if (is_in(rune, none, COUNT_OF(none)))
		return 0;
	return is_in(rune, wide, COUNT_OF(wide)) ? 2 : 1;
}

size_t term_width(struct slice s)
{
	size_t width = 0;
	while (s.n) {
		uint32_t rune;
		s = slice_from(s, utf8_decode(s, &rune));
		width += rune_width(rune);
	}
	return width;
}
