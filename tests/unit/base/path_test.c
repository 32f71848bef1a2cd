/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/path.h"

struct pair {
	const char *in, *want;
};

static void path_clean__is_gos(void **state)
{
	(void)state;
	/* from Go's src/path/path_test.go */
	static const struct pair cases[] = {
		{ "", "." },
		{ "abc", "abc" },
		{ "abc/def", "abc/def" },
		{ "a/b/c", "a/b/c" },
		{ ".", "." },
		{ "..", ".." },
		{ "../..", "../.." },
		{ "../../abc", "../../abc" },
		{ "/abc", "/abc" },
		{ "/", "/" },
		{ "abc/", "abc" },
		{ "abc/def/", "abc/def" },
		{ "/abc/", "/abc" },
		{ "../", ".." },
		{ "/../..", "/" },
		{ "abc//def//ghi", "abc/def/ghi" },
		{ "//abc", "/abc" },
		{ "///abc", "/abc" },
		{ "abc/./def", "abc/def" },
		{ "/./abc/def", "/abc/def" },
		{ "abc/.", "abc" },
		{ "abc/def/ghi/../jkl", "abc/def/jkl" },
		{ "abc/def/../ghi/../jkl", "abc/jkl" },
		{ "abc/def/..", "abc" },
		{ "abc/def/../..", "." },
		{ "/abc/def/../..", "/" },
		{ "abc/def/../../..", ".." },
		{ "/abc/def/../../..", "/" },
		{ "abc/def/../../../ghi/jkl/../../../mno", "../../mno" },
		{ "abc/./../def", "def" },
		{ "abc//./../def", "def" },
		{ "abc/../../././../def", "../../def" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *got = path_clean(slice_of(cases[i].in));
		assert_string_equal(got, cases[i].want);
	}
}

static void path_key__has_no_slash_at_its_ends(void **state)
{
	(void)state;
	static const struct pair cases[] = {
		{ "", "" },       { "/", "" },        { ".", "" },          { "..", "" },
		{ "/a/b/", "a/b" }, { "./a", "a" },   { "../../etc", "etc" }, { "a/../../b", "b" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *got = path_key(slice_of(cases[i].in));
		assert_string_equal(got, cases[i].want);
	}
}

static void path_join__lets_an_absolute_one_win(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b, *want;
	} cases[] = {
		{ "/a", "b", "/a/b" }, { "/a", "/b", "/b" }, { "", "b/", "b" },
		{ "/a", "..", "/" },   { "/a", "", "/a" },   { "", "", "." },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *got = path_join(slice_of(cases[i].a), slice_of(cases[i].b));
		assert_string_equal(got, cases[i].want);
	}
}

static void path_base__and_dir__cut_at_the_last_slash(void **state)
{
	(void)state;
	static const struct {
		const char *path, *dir, *base;
	} cases[] = {
		{ "a", ".", "a" },     { "/a", "/", "a" },     { "a/b", "a", "b" },
		{ "a/b/", "a", "b" },  { "/", "/", "/" },      { "//", "/", "/" },
		{ "a//b", "a", "b" },  { "/a/b", "/a", "b" },  { "", ".", "" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_true(slice_is(path_base(slice_of(cases[i].path)), cases[i].base));
		assert_true(slice_is(path_dir(slice_of(cases[i].path)), cases[i].dir));
	}
}

static void path_is_below__compares_components(void **state)
{
	(void)state;
	assert_true(path_is_below(SL("/a/b"), SL("/a")));
	assert_true(path_is_below(SL("/a"), SL("/a")));
	assert_true(path_is_below(SL("/a"), SL("/")));
	assert_true(path_is_below(SL("a"), SL(".")));
	assert_false(path_is_below(SL("/ab"), SL("/a")));
	assert_false(path_is_below(SL("/"), SL("/a")));
	assert_false(path_is_below(SL("a"), SL("/")));
	assert_false(path_is_below(SL("../a"), SL(".")));
	assert_true(path_is_below(SL("..a"), SL(".")));
}

static void path_match__is_gos(void **state)
{
	(void)state;
	/* from Go's src/path/filepath/match_test.go; -1: ErrBadPattern */
	static const struct {
		const char *pattern, *name;
		int want;
	} cases[] = {
		{ "abc", "abc", 1 },
		{ "*", "abc", 1 },
		{ "*c", "abc", 1 },
		{ "a*", "a", 1 },
		{ "a*", "abc", 1 },
		{ "a*", "ab/c", 0 },
		{ "a*/b", "abc/b", 1 },
		{ "a*/b", "a/c/b", 0 },
		{ "a*b*c*d*e*/f", "axbxcxdxe/f", 1 },
		{ "a*b*c*d*e*/f", "axbxcxdxexxx/f", 1 },
		{ "a*b*c*d*e*/f", "axbxcxdxe/xxx/f", 0 },
		{ "a*b*c*d*e*/f", "axbxcxdxexxx/fff", 0 },
		{ "a*b?c*x", "abxbbxdbxebxczzx", 1 },
		{ "a*b?c*x", "abxbbxdbxebxczzy", 0 },
		{ "ab[c]", "abc", 1 },
		{ "ab[b-d]", "abc", 1 },
		{ "ab[e-g]", "abc", 0 },
		{ "ab[^c]", "abc", 0 },
		{ "ab[^b-d]", "abc", 0 },
		{ "ab[^e-g]", "abc", 1 },
		{ "a\\*b", "a*b", 1 },
		{ "a\\*b", "ab", 0 },
		{ "a?b", "a\u263ab", 1 },
		{ "a[^a]b", "a\u263ab", 1 },
		{ "a???b", "a\u263ab", 0 },
		{ "a[^a][^a][^a]b", "a\u263ab", 0 },
		{ "[a-\u03b6]*", "\u03b1", 1 },
		{ "*[a-\u03b6]", "A", 0 },
		{ "a?b", "a/b", 0 },
		{ "a*b", "a/b", 0 },
		{ "[\\]a]", "]", 1 },
		{ "[\\-]", "-", 1 },
		{ "[x\\-]", "x", 1 },
		{ "[x\\-]", "-", 1 },
		{ "[x\\-]", "z", 0 },
		{ "[\\-x]", "x", 1 },
		{ "[\\-x]", "-", 1 },
		{ "[\\-x]", "a", 0 },
		{ "[]a]", "]", -1 },
		{ "[-]", "-", -1 },
		{ "[x-]", "x", -1 },
		{ "[x-]", "-", -1 },
		{ "[x-]", "z", -1 },
		{ "[-x]", "x", -1 },
		{ "[-x]", "-", -1 },
		{ "[-x]", "a", -1 },
		{ "\\", "a", -1 },
		{ "[a-b-c]", "a", -1 },
		{ "[", "a", -1 },
		{ "[^", "a", -1 },
		{ "[^bc", "a", -1 },
		{ "a[", "a", -1 },
		{ "a[", "ab", -1 },
		{ "a[", "x", -1 },
		{ "a/b[", "x", -1 },
		{ "*x", "xxx", 1 },
		{ "", "", 1 },
		{ "", "a", 0 },
		{ "*", "", 1 },
		{ "*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int got = path_match(slice_of(cases[i].pattern), slice_of(cases[i].name));
		if (got != cases[i].want)
			fail_msg("'%s' and '%s' give %d", cases[i].pattern, cases[i].name, got);
	}
}

static void path_has_magic__sees_every_special(void **state)
{
	(void)state;
	assert_false(path_has_magic(SL("a/b-c.d")));
	assert_true(path_has_magic(SL("a*")));
	assert_true(path_has_magic(SL("a?")));
	assert_true(path_has_magic(SL("[a]")));
	assert_true(path_has_magic(SL("a\\b")));
	assert_false(path_has_magic(SL("a\0b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_clean__is_gos),
		cmocka_unit_test(path_key__has_no_slash_at_its_ends),
		cmocka_unit_test(path_join__lets_an_absolute_one_win),
		cmocka_unit_test(path_base__and_dir__cut_at_the_last_slash),
		cmocka_unit_test(path_is_below__compares_components),
		cmocka_unit_test(path_match__is_gos),
		cmocka_unit_test(path_has_magic__sees_every_special),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
