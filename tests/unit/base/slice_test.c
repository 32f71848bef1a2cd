/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/slice.h"

static void slice_split__gives_every_part(void **state)
{
	(void)state;
	static const struct {
		const char *text, *joined;
	} cases[] = {
		{ "a,b", "a|b|" }, { "", "|" }, { "a", "a|" }, { ",", "||" }, { "a,,b,", "a||b||" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice rest = slice_of(cases[i].text), part;
		_cleanup_(buf_done) struct buf got = { 0 };
		while (slice_split(&rest, ',', &part)) {
			buf_slice(&got, part);
			buf_char(&got, '|');
		}
		assert_string_equal(got.p, cases[i].joined);
	}
}

static void slice_cmp__is_byte_order(void **state)
{
	(void)state;
	assert_true(slice_cmp(SL("a"), SL("b")) < 0);
	assert_true(slice_cmp(SL("a"), SL("aa")) < 0);
	assert_true(slice_cmp(SL("\xff"), SL("a")) > 0);
	assert_true(slice_cmp(SL("a\0b"), SL("a\0a")) > 0);
	assert_int_equal(slice_cmp(SL(""), (struct slice){ NULL, 0 }), 0);
}

static void slice_find__tells_the_length_when_absent(void **state)
{
	(void)state;
	assert_int_equal(slice_find(SL("abc"), 'c'), 2);
	assert_int_equal(slice_find(SL("abc"), 'x'), 3);
	assert_int_equal(slice_find((struct slice){ NULL, 0 }, 'x'), 0);
	assert_int_equal(slice_rfind(SL("abca"), 'a'), 3);
	assert_int_equal(slice_rfind(SL("abc"), 'x'), 3);
	assert_int_equal(slice_search(SL("abcabd"), SL("abd")), 3);
	assert_int_equal(slice_search(SL("abc"), SL("x")), 3);
	assert_int_equal(slice_search(SL("abc"), SL("")), 0);
}

static void slice_trim__takes_blanks_off(void **state)
{
	(void)state;
	assert_true(slice_is(slice_trim(SL(" \t\r\n\v\fa b ")), "a b"));
	assert_true(slice_is(slice_trim_left(SL(" a ")), "a "));
	assert_true(slice_is(slice_trim_right(SL(" a ")), " a"));
	assert_int_equal(slice_trim(SL("  ")).n, 0);
}

static void slice_starts__and_ends__compare_whole(void **state)
{
	(void)state;
	assert_true(slice_starts(SL("abc"), SL("ab")));
	assert_false(slice_starts(SL("a"), SL("ab")));
	assert_true(slice_ends(SL("abc"), SL("bc")));
	assert_false(slice_ends(SL("abc"), SL("ab")));
	assert_true(slice_eq_nocase(SL("aBc"), SL("AbC")));
	assert_false(slice_eq_nocase(SL("a["), SL("a{"))); /* differ by 32 but are no letters */
}

static void slice_distance__counts_edits(void **state)
{
	(void)state;
	assert_int_equal(slice_distance(SL("kitten"), SL("sitting"), 10), 3);
	assert_int_equal(slice_distance(SL("COPPY"), SL("COPY"), 2), 1);
	assert_int_equal(slice_distance(SL(""), SL("abc"), 5), 3);
	assert_int_equal(slice_distance(SL("abc"), SL("xyz"), 2), 3); /* max + 1 */
	char many[300];
	memset(many, 'a', sizeof many);
	assert_int_equal(slice_distance((struct slice){ many, sizeof many }, SL("a"), 2), 3);
	assert_int_equal(slice_distance((struct slice){ many, 255 }, SL("a"), 255), 254);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_split__gives_every_part),
		cmocka_unit_test(slice_cmp__is_byte_order),
		cmocka_unit_test(slice_find__tells_the_length_when_absent),
		cmocka_unit_test(slice_trim__takes_blanks_off),
		cmocka_unit_test(slice_starts__and_ends__compare_whole),
		cmocka_unit_test(slice_distance__counts_edits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
