/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "oci/platform.h"

static void platform_parse__normalises(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "linux/amd64", "linux/amd64" },
		{ "Linux/X86_64", "linux/amd64" },
		{ "linux/amd64/v1", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3" },
		{ "linux/aarch64", "linux/arm64" },
		{ "linux/arm64/v8", "linux/arm64" },
		{ "linux/arm64/8", "linux/arm64" },
		{ "linux/arm", "linux/arm/v7" },
		{ "linux/arm/6", "linux/arm/v6" },
		{ "linux/armhf", "linux/arm/v7" },
		{ "linux/armel", "linux/arm/v6" },
		{ "linux/i686", "linux/386" },
		{ "macos/arm64", "darwin/arm64" },
		{ "riscv64", "linux/riscv64" },
		{ "armhf", "linux/arm/v7" },
		{ "plan9/sparc", "plan9/sparc" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(platform_done) struct platform p = { 0 };
		assert_int_equal(platform_parse(slice_of(cases[i].in), &p, NULL), 0);
		_free_ char *text = platform_text(&p);
		assert_string_equal(text, cases[i].want);
	}
}

static void platform_parse__refuses(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "/", "linux/", "/amd64", "linux/amd64/",
					   "linux/a/b/c", "linux/a b", "sparc", "linux/\xff" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		_cleanup_(platform_done) struct platform p = { 0 };
		assert_int_equal(platform_parse(slice_of(bad[i]), &p, &e), -1);
		assert_int_equal(e.kind, ERR_USER);
		assert_int_equal(e.hints_n, 1);
	}
}

static void platform_eq__ignores_spelling(void **state)
{
	(void)state;
	struct platform a = { "linux", "arm64", "v8", NULL };
	struct platform b = { "linux", "aarch64", NULL, "10" };
	struct platform c = { "linux", "arm", "v8", NULL };
	assert_true(platform_eq(&a, &b));
	assert_false(platform_eq(&a, &c));
	struct platform x = { "linux", "amd64", NULL, NULL }, v3 = { "linux", "amd64", "v3", NULL };
	assert_false(platform_eq(&x, &v3));
	assert_false(platform_eq(&x, &(struct platform){ 0 }));
	assert_true(platform_is_unknown(&(struct platform){ "unknown", "unknown", NULL, NULL }));
	assert_false(platform_is_unknown(&x));
}

static void platform_host__is_what_parse_gives_for_linux(void **state)
{
	(void)state;
	_cleanup_(platform_done) struct platform a = { 0 }, b = { 0 }, c = { 0 };
	platform_host(&a);
	assert_int_equal(platform_parse(SL("linux"), &b, NULL), 0);
	assert_true(platform_eq(&a, &b));
	platform_copy(&c, &a);
	platform_copy(&c, &c);
	assert_true(platform_eq(&a, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(platform_parse__normalises),
		cmocka_unit_test(platform_parse__refuses),
		cmocka_unit_test(platform_eq__ignores_spelling),
		cmocka_unit_test(platform_host__is_what_parse_gives_for_linux),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
