/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/num.h"

static void num_parse__takes_digits_only(void **state)
{
	(void)state;
	uint64_t v = 7;
	assert_int_equal(num_parse(SL("18446744073709551615"), UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(num_parse(SL("0010"), 10, &v), 0);
	assert_int_equal(v, 10);
	assert_int_equal(num_parse_octal(SL("0755"), 07777, &v), 0);
	assert_int_equal(v, 0755);
}

static void num_parse__refuses_what_does_not_fit(void **state)
{
	(void)state;
	static const char *const bad[] = { "",   "-1", "+1", " 1", "1 ", "0x1", "1a",
					   "18446744073709551616", "99999999999999999999999" };
	uint64_t v = 7;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(num_parse(slice_of(bad[i]), UINT64_MAX, &v), -1);
	assert_int_equal(num_parse(SL("11"), 10, &v), -1);
	assert_int_equal(num_parse_octal(SL("8"), UINT64_MAX, &v), -1);
	assert_int_equal(num_parse(SL("1\0"), UINT64_MAX, &v), -1);
	assert_int_equal(v, 7);
}

static void num_parse_size__knows_suffixes(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = {
		{ "0", 0 },          { "12", 12 },       { "12b", 12 },     { "1k", 1024 },
		{ "1K", 1024 },      { "1kb", 1024 },    { "1KiB", 1024 },  { "64m", 64 << 20 },
		{ "2G", 2ull << 30 }, { "1t", 1ull << 40 }, { "3p", 3ull << 50 },
	};
	static const char *const bad[] = { "",    "k",   "1x",  "1kk", "1bb", "1ki", "-1k",
					   "1 k", "1i", "1ib", "18446744073709551615k" };
	uint64_t v;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(num_parse_size(slice_of(good[i].text), &v), 0);
		assert_true(v == good[i].want);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(num_parse_size(slice_of(bad[i]), &v), -1);
}

static void num_size__prints_as_docker_does(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
		{ 0, "0B" },
		{ 1, "1B" },
		{ 940, "940B" },
		{ 999, "999B" },
		{ 1000, "1kB" },
		{ 94000, "94kB" },
		{ 940000, "940kB" },
		{ 999400, "999kB" },
		{ 999900, "1MB" }, /* Docker: 1e+03kB */
		{ 5600000, "5.6MB" },
		{ 64200000, "64.2MB" },
		{ 1140000000, "1.14GB" },
		{ 1145000000000, "1.15TB" },
		{ UINT64_MAX, "18.4EB" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[NUM_SIZE_LEN];
		assert_string_equal(num_size(cases[i].bytes, out), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(num_parse__takes_digits_only),
		cmocka_unit_test(num_parse__refuses_what_does_not_fit),
		cmocka_unit_test(num_parse_size__knows_suffixes),
		cmocka_unit_test(num_size__prints_as_docker_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
