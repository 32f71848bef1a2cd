/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/err.h"
#include "dockerfile/ignore.h"

static void ignore__decides(void **state)
{
	(void)state;
	static const struct {
		const char *rules, *path;
		bool out;
	} cases[] = {
		{ "ba*\n!bay", "bar", true }, { "ba*\n!bay", "bay", false },           /* IGN01 */
		{ "!bay\nba*", "bay", true },                                          /* IGN02 */
		{ "*\n!a/b", "a/b", false }, { "*\n!a/b", "a/c", true }, { "*\n!a/b", "x", true }, /* IGN03 */
		{ "*\n!a/b", "a/b/c/d", false },
		{ "**/*.md", "x.md", true }, { "**/*.md", "a/b/x.md", true },          /* IGN04 */
		{ "*.md", "x.md", true }, { "*.md", "a/x.md", false },
		{ "/foo", "foo", true }, { "foo/", "foo", true }, { "./foo", "foo", true }, /* IGN05 */
		{ "foo/", "foo/x/y", true }, { "foo", "a/foo", false }, { "foo", "foobar", false },
		{ " # x", "# x", true }, { "# x", "# x", false },                      /* IGN06 */
		{ "dir\n!dir/keep", "dir/keep", false }, { "dir\n!dir/keep", "dir/x", true }, /* IGN10 */
		{ "! dir", "dir", false }, { "*\n! dir", "dir", false },
		{ "a?c", "abc", true }, { "a?c", "a/c", false }, { "a?c", "a\xc3\xa4" "c", true },
		{ "[a-c]x", "bx", true }, { "[a-c]x", "dx", false }, { "[^a-c]x", "dx", true },
		{ "[\\]]x", "]x", true }, { "\\*", "*", true }, { "\\*", "a", false }, { "[[]0", "[0", true },
		{ "a/**", "a/b/c", true }, { "a/**", "a", false }, { "a/**/b", "a/b", true },
		{ "a/**/b", "a/x/y/b", true }, { "a/**/b", "axb", false }, { "a/**/b", "a/xb", false },
		{ "**/foo", "foo", true }, { "**/foo", "a/foo/b", true }, { "**/foo", "a/xfoo", false },
		{ "**foo", "xfoo", true }, { "**", "a/b", true }, { "**/*", "a", true },
		{ "a**b", "ab", true }, { "a**b", "ax/b", true }, { "a**b", "axb", false },
		{ "*/x", "a/x", true }, { "*/x", "x", false }, { "*/x", "a/b/x", false },
		{ ".", "a", false }, { "..", "a", false }, { "a/../b", "b", true }, { "*", ".git", true },
		{ "*", "", false }, { "**", ".", false }, { "a/*/c", "a/b/c/d", true },
		{ "\xc3\xa4*", "\xc3\xa4" "b", true }, { "?", "\xc3\xa4", true }, { "A", "a", false },
		{ "", "a", false }, { "\xef\xbb\xbf" "foo", "foo", true }, { "foo\r\nbar\r\n", "bar", true },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ignore ign = { 0 };
		assert_int_equal(ignore_parse(slice_of(cases[i].rules), ".dockerignore", &ign, NULL), 0);
		if (ignore_match(&ign, slice_of(cases[i].path), NULL) != cases[i].out)
			fail_msg("'%s' with '%s': not %s", cases[i].path, cases[i].rules,
				 cases[i].out ? "left out" : "let in");
		ignore_done(&ign);
	}
}

static void ignore__refuses(void **state)
{
	(void)state;
	static const char *const bad[] = { "a\n!", "a\n! \nb", "a\n[a", "a\nx[]", "a\na\\" }; /* IGN07 */
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct ignore ign = { 0 };
		struct err e = { 0 };
		if (ignore_parse(slice_of(bad[i]), ".dockerignore", &ign, &e) == 0)
			fail_msg("accepted %s", bad[i]);
		assert_int_equal(e.span.first, 2);
		assert_string_equal(e.span.file, ".dockerignore");
		err_done(&e);
		ignore_done(&ign);
	}
}

static void ignore__tells_the_rule(void **state)
{
	(void)state;
	struct ignore ign = { 0 };
	const struct ignore_rule *by;
	assert_int_equal(ignore_parse(SL("# c\n\n*.o\n/build/\n!build/x"), "f", &ign, NULL), 0);
	assert_true(ignore_match(&ign, SL("a.o"), &by));
	assert_int_equal(by->line, 3);
	assert_true(ignore_match(&ign, SL("build/y"), &by));
	assert_string_equal(by->text, "/build/");
	assert_false(ignore_match(&ign, SL("build/x"), &by));
	assert_int_equal(by->line, 5);
	assert_false(ignore_match(&ign, SL("z"), &by));
	assert_null(by);
	ignore_done(&ign);
}

static void ignore__says_where_to_go_on(void **state)
{
	(void)state;
	static const struct {
		const char *rules, *dir;
		bool enter;
	} cases[] = {
		{ "*", "a", false }, { "*\n!a/b", "a", true }, { "*\n!a/b", "c", false },
		{ "*\n!a/b/c", "a/b", true }, { "*\n!a/b", "a/x", false }, { "!a/b\n*", "a", false },
		{ "*\n!**/x", "q/r", true }, { "*\n!*/x", "q", true }, { "*\n!*/x", "q/r", false },
		{ "*\n!a", "b", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct ignore ign = { 0 };
		assert_int_equal(ignore_parse(slice_of(cases[i].rules), "f", &ign, NULL), 0);
		if (ignore_may_include_below(&ign, slice_of(cases[i].dir)) != cases[i].enter)
			fail_msg("'%s' with '%s'", cases[i].dir, cases[i].rules);
		ignore_done(&ign);
	}
}

static void ignore__takes_single_patterns(void **state)
{
	(void)state;
	struct ignore ign = { 0 };
	assert_int_equal(ignore_add(&ign, SL("*/*.png"), NULL), 0);
	assert_int_equal(ignore_add(&ign, SL("#x"), NULL), 0); /* no comment here */
	assert_true(ignore_match(&ign, SL("a/b.png"), NULL));
	assert_false(ignore_match(&ign, SL("b.png"), NULL));
	assert_true(ignore_match(&ign, SL("#x"), NULL));
	assert_false(ignore_hides_all(&ign));
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(ignore_add(&ign, (struct slice){ "a\0b", 3 }, &e), -1);
	assert_says(&e, "a pattern holds a zero byte");
	assert_int_equal(ignore_add(&ign, SL("**/*"), NULL), 0);
	assert_true(ignore_hides_all(&ign));
	ignore_done(&ign);
}

static void ignore__is_bounded(void **state)
{
	(void)state;
	struct ignore none = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_free_ char *large = mem_alloc(IGNORE_MAX + 1);
	memset(large, '\n', IGNORE_MAX + 1);
	assert_int_equal(ignore_parse((struct slice){ large, IGNORE_MAX }, "f", &none, &e), 0);
	ignore_done(&none);
	assert_int_equal(ignore_parse((struct slice){ large, IGNORE_MAX + 1 }, "f", &none, &e), -1);
	assert_says(&e, "f is larger than 1048576 bytes");
	assert_int_equal(strncmp(e.hints[0], "leave out whole directories", 27), 0);
	_cleanup_(buf_done) struct buf rule = { 0 }, path = { 0 };
	for (int i = 0; i < 1000; i++)
		buf_str(&rule, "*a");
	buf_str(&rule, "b");
	for (int i = 0; i < 4000; i++)
		buf_char(&path, 'a');
	struct ignore ign = { 0 };
	assert_int_equal(ignore_parse(buf_view(&rule), "f", &ign, NULL), 0);
	assert_false(ignore_match(&ign, buf_view(&path), NULL));
	ignore_done(&ign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ignore__decides),
		cmocka_unit_test(ignore__refuses),
		cmocka_unit_test(ignore__tells_the_rule),
		cmocka_unit_test(ignore__says_where_to_go_on),
		cmocka_unit_test(ignore__takes_single_patterns),
		cmocka_unit_test(ignore__is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
