/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/clock.h"

static void clock_rfc3339__and_parse__agree(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t s;
		long ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "1969-12-31T23:59:59.5Z", -1, 500000000 },
		{ "2006-01-02T15:04:05.999999999Z", 1136214245, 999999999 },
		{ "2000-02-29T12:00:00.01Z", 951825600, 10000000 },
		{ "0001-01-01T00:00:00Z", -62135596800, 0 },
		{ "9999-12-31T23:59:59Z", 253402300799, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct timespec t;
		char out[CLOCK_LEN];
		assert_int_equal(clock_parse(slice_of(cases[i].text), &t), 0);
		assert_true(t.tv_sec == cases[i].s && t.tv_nsec == cases[i].ns);
		assert_string_equal(clock_rfc3339(t, out), cases[i].text);
	}
}

static void clock_rfc3339__agrees_with_gmtime(void **state)
{
	(void)state;
	for (int64_t s = -70000000000; s < 250000000000; s += 86400ll * 37 + 12345) {
		char out[CLOCK_LEN], want[CLOCK_LEN];
		time_t t = s;
		struct tm tm;
		assert_non_null(gmtime_r(&t, &tm));
		(void)snprintf(want, sizeof want, "%04d-%02d-%02dT%02d:%02d:%02dZ",
			       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			       tm.tm_sec);
		assert_string_equal(clock_rfc3339((struct timespec){ s, 0 }, out), want);
	}
	char out[CLOCK_LEN]; /* fits, whatever it is */
	clock_rfc3339((struct timespec){ INT64_MAX, 999999999 }, out);
	clock_rfc3339((struct timespec){ INT64_MIN, 999999999 }, out);
}

static void clock_parse__knows_zones(void **state)
{
	(void)state;
	struct timespec t;
	assert_int_equal(clock_parse(SL("1970-01-01T01:30:00+01:30"), &t), 0);
	assert_int_equal(t.tv_sec, 0);
	assert_int_equal(clock_parse(SL("1969-12-31T20:00:00.1234567891-04:00"), &t), 0);
	assert_int_equal(t.tv_sec, 0);
	assert_int_equal(t.tv_nsec, 123456789);
}

static void clock_parse__refuses_what_is_no_time(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "now", "2006-01-02", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z",
		"2006-13-02T15:04:05Z", "2006-00-02T15:04:05Z", "2006-02-29T15:04:05Z",
		"1900-02-29T15:04:05Z", "2006-01-00T15:04:05Z", "2006-01-02T24:04:05Z",
		"2006-01-02T15:60:05Z", "2006-01-02T15:04:60Z", "2006-01-02T15:04:05.Z",
		"2006-01-02T15:04:05Zx", "2006-01-02T15:04:05+0100", "2006-01-02T15:04:05+01:60",
		"2006-1-2T15:04:05Z", "+006-01-02T15:04:05Z",
	};
	struct timespec t = { 7, 7 };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (clock_parse(slice_of(bad[i]), &t) == 0)
			fail_msg("'%s' is taken", bad[i]);
	assert_int_equal(t.tv_sec, 7);
}

static void clock_ago__says_it_in_dockers_words(void **state)
{
	(void)state;
	enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
		{ -100, "Less than a second ago" },
		{ 0, "Less than a second ago" },
		{ 1, "1 second ago" },
		{ 59, "59 seconds ago" },
		{ 60, "About a minute ago" },
		{ 119, "About a minute ago" },
		{ 120, "2 minutes ago" },
		{ HOUR - 1, "59 minutes ago" },
		{ HOUR, "About an hour ago" },
		{ 89 * MINUTE, "About an hour ago" },
		{ 90 * MINUTE, "2 hours ago" },
		{ 47 * HOUR, "47 hours ago" },
		{ 2 * DAY, "2 days ago" },
		{ 14 * DAY - HOUR, "13 days ago" },
		{ 14 * DAY, "2 weeks ago" },
		{ 59 * DAY, "8 weeks ago" },
		{ 60 * DAY, "2 months ago" },
		{ 729 * DAY, "24 months ago" },
		{ 730 * DAY, "2 years ago" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[CLOCK_LEN];
		struct timespec now = { 2000000000, 5 };
		struct timespec t = { now.tv_sec - cases[i].seconds, 5 };
		assert_string_equal(clock_ago(t, now, out), cases[i].want);
	}
	char out[CLOCK_LEN];
	assert_string_equal(clock_ago((struct timespec){ 0, 6 }, (struct timespec){ 1, 5 }, out),
			    "Less than a second ago");
	clock_ago((struct timespec){ INT64_MIN, 0 }, (struct timespec){ INT64_MAX, 0 }, out);
}

static void clock_duration__and_parse__agree(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "0s", 0 },
		{ "1ns", 1 },
		{ "1.1\u00b5s", 1100 },
		{ "2.2ms", 2200000 },
		{ "3.3s", 3300000000 },
		{ "4m5s", 245000000000 },
		{ "4m5.001s", 245001000000 },
		{ "5h6m7.001s", 18367001000000 },
		{ "8m0.000000001s", 480000000001 },
		{ "1h0m0s", 3600000000000 },
		{ "-1m30s", -90000000000 },
		{ "2562047h47m16.854775807s", INT64_MAX },
		{ "-2562047h47m16.854775808s", INT64_MIN },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[CLOCK_LEN];
		int64_t ns;
		assert_string_equal(clock_duration(cases[i].ns, out), cases[i].text);
		assert_int_equal(clock_parse_duration(slice_of(cases[i].text), &ns), 0);
		assert_true(ns == cases[i].ns);
	}
}

static void clock_parse_duration__is_gos(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
		{ "0", 0 },         { "+5s", 5000000000 },  { "1.5h", 5400000000000 },
		{ ".5s", 500000000 }, { "1.s", 1000000000 }, { "1h1h", 7200000000000 },
		{ "12\u03bcs", 12000 }, { "12us", 12000 },   { "0.1000000000000000000001h", 360000000000 },
	};
	static const char *const bad[] = { "",  "3",  "-",   "s",  ".",  "-.",   ".s",
					   "+.s", "1d", "1 s", "1s ", "00x", "9223372036854775808ns",
					   "9223372036854775809ns", "3000000h" };
	int64_t ns = 7;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (clock_parse_duration(slice_of(bad[i]), &ns) == 0)
			fail_msg("'%s' is taken", bad[i]);
	assert_int_equal(ns, 7);
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(clock_parse_duration(slice_of(good[i].text), &ns), 0);
		assert_true(ns == good[i].ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_rfc3339__and_parse__agree),
		cmocka_unit_test(clock_rfc3339__agrees_with_gmtime),
		cmocka_unit_test(clock_parse__knows_zones),
		cmocka_unit_test(clock_parse__refuses_what_is_no_time),
		cmocka_unit_test(clock_ago__says_it_in_dockers_words),
		cmocka_unit_test(clock_duration__and_parse__agree),
		cmocka_unit_test(clock_parse_duration__is_gos),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
