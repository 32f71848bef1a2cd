/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/term.h"
#include "base/utf8.h"

static void term_escape__leaves_nothing_that_acts(void **state)
{
	(void)state;
	static const struct {
		struct slice in;
		bool lines;
		const char *want;
	} cases[] = {
		{ { "plain \u00e9\u4e2d", 11 }, false, "plain \u00e9\u4e2d" },
		{ { "\033]0;x\007", 6 }, false, "\\x1b]0;x\\x07" },
		{ { "a\nb\tc\rd", 7 }, false, "a\\x0ab\\x09c\\x0dd" },
		{ { "a\nb\tc\rd", 7 }, true, "a\nb\tc\\x0dd" },
		{ { "\x7f\0", 2 }, false, "\\x7f\\x00" },
		{ { "\xc2\x9b", 2 }, false, "\\xc2\\x9b" }, /* CSI as C1 */
		{ { "\x9b", 1 }, false, "\\x9b" },
		{ { "a\u202eb", 5 }, false, "a\\xe2\\x80\\xaeb" },
		{ { "\xc0\x80\xf5", 3 }, false, "\\xc0\\x80\\xf5" },
		{ { "\uFFFD", 3 }, false, "\uFFFD" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf out = { 0 };
		term_escape(cases[i].in, cases[i].lines, &out);
		assert_string_equal(out.p, cases[i].want);
	}
}

static void term_width__counts_columns(void **state)
{
	(void)state;
	assert_int_equal(term_width(SL("abc")), 3);
	assert_int_equal(term_width(SL("\u00e9")), 1);
	assert_int_equal(term_width(SL("e\u0301")), 1);
	assert_int_equal(term_width(SL("\u4e2d\u6587")), 4);
	assert_int_equal(term_width(SL("\U0001F600")), 2);
	assert_int_equal(term_width(SL("a\nb")), 2);
	assert_int_equal(term_width(SL("\u2500\u2502")), 2);
}

static void utf8_decode__refuses_what_go_refuses(void **state)
{
	(void)state;
	static const struct {
		struct slice in;
		uint32_t rune;
		size_t len;
	} cases[] = {
		{ { "a", 1 }, 'a', 1 },
		{ { "\u00e9", 2 }, 0xe9, 2 },
		{ { "\u20ac", 3 }, 0x20ac, 3 },
		{ { "\U0010FFFF", 4 }, 0x10ffff, 4 },
		{ { "\xe2\x82", 2 }, UTF8_BAD, 1 },
		{ { "\xe0\x80\x80", 3 }, UTF8_BAD, 1 },
		{ { "\xf4\x90\x80\x80", 4 }, UTF8_BAD, 1 },
		{ { "\xed\xbf\xbf", 3 }, UTF8_BAD, 1 },
		{ { "\xc3\x28", 2 }, UTF8_BAD, 1 },
		{ { "\xef\xbf\xbd", 3 }, UTF8_BAD, 3 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint32_t rune;
		assert_int_equal(utf8_decode(cases[i].in, &rune), cases[i].len);
		assert_int_equal(rune, cases[i].rune);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(term_escape__leaves_nothing_that_acts),
		cmocka_unit_test(term_width__counts_columns),
		cmocka_unit_test(utf8_decode__refuses_what_go_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
