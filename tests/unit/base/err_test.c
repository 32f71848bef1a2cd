/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>

static void check_format(const struct err *e, const char *want)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	err_format(e, false, &out);
	assert_string_equal(out.p, want);
}

static struct err example(void)
{
	struct err e = { 0 };
	struct err_span span = { "Dockerfile", 12, 12, 6, 9, "COPY libfoo.so /usr/lib" };
	err_set(&e, ERR_USER, "'libfoo.so' is not in the build context");
	err_at(&e, &span);
	err_hint(&e, ".dockerignore:4 leaves it out; add '!libfoo.so' after it");
	err_add(&e, "COPY libfoo.so /usr/lib");
	err_add(&e, "cannot build stage '%s'", "runtime");
	return e;
}

static const char example_text[] =
	"thimble: cannot build stage 'runtime'\n"
	"  because  COPY libfoo.so /usr/lib\n"
	"  because  'libfoo.so' is not in the build context\n"
	"  Dockerfile:12:6\n"
	"    12 | COPY libfoo.so /usr/lib\n"
	"       |      ^^^^^^^^^\n"
	"  try      .dockerignore:4 leaves it out; add '!libfoo.so' after it\n";

static void err_format__has_the_form_of_the_style_guide(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = example();
	check_format(&e, example_text);
	assert_string_equal(err_words(&e), "cannot build stage 'runtime': COPY libfoo.so /usr/lib: "
					   "'libfoo.so' is not in the build context");
}

static void err_format__escapes_what_came_from_outside(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	err_set(&e, ERR_DATA, "entry '%s'", "a\033[2J\nb\xff");
	err_hint(&e, "write\nCMD [\"x\"]");
	check_format(&e, "thimble: entry 'a\\x1b[2J\\x0ab\\xff'\n"
			 "  try      write\n"
			 "           CMD [\"x\"]\n");
}

static void err_format__places_the_caret_by_columns(void **state)
{
	(void)state;
	static const struct {
		struct err_span span;
		const char *want;
	} cases[] = {
		{ { "f", 9, 10, 2, 3, "\t\u00fcb x\nline" }, /* bytes 2 and 3 are one letter */
		  "thimble: x\n  f:9:2\n     9 |  \u00fcb x\n       |  ^^\n    10 | line\n" },
		{ { "f", 1, 1, 2, 50, "abc" }, "thimble: x\n  f:1:2\n    1 | abc\n      |  ^^\n" },
		{ { "f", 1, 1, 50, 1, "abc" }, "thimble: x\n  f:1:50\n    1 | abc\n      |    ^\n" },
		{ { "f", 3, 3, 0, 0, "abc" }, "thimble: x\n  f:3\n    3 | abc\n" },
		{ { "f", 3, 3, 1, 1, NULL }, "thimble: x\n  f:3:1\n" },
		{ { "f", 1, 12, 0, 0, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12" },
		  "thimble: x\n  f:1\n     1 | 1\n     2 | 2\n     3 | 3\n     4 | 4\n     5 | 5\n"
		  "     6 | 6\n     7 | 7\n     8 | 8\n     9 | 9\n    10 | 10\n       | ...\n" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		err_set(&e, ERR_USER, "x");
		err_at(&e, &cases[i].span);
		check_format(&e, cases[i].want);
	}
}

static void err_format__colours_only_when_asked(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = example();
	_cleanup_(buf_done) struct buf out = { 0 };
	err_format(&e, true, &out);
	assert_non_null(strstr(out.p, "\033[1;31mthimble:\033[0m cannot build"));
	assert_non_null(strstr(out.p, "\033[1;31m^^^^^^^^^\033[0m\n"));
}

static void err_sys__adds_the_words_of_errno(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open '%s'", "x"), -1);
	assert_int_equal(errno, ENOENT);
	check_format(&e, "thimble: open 'x': No such file or directory\n");
	assert_true(err_is_errno(&e, ENOENT));
	assert_false(err_is_errno(&e, EACCES));

	errno = ENOSPC;
	err_sys(&e, "write");
	check_format(&e, "thimble: write: No space left on device\n"
			 "  try      free some space on that disk, or use another one; for the store --root names it\n");
}

static void err_set__may_quote_what_it_replaces(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	err_set(&e, ERR_DATA, "inner");
	err_set(&e, ERR_USER, "was: %s", e.chain[0]);
	assert_string_equal(err_words(&e), "was: inner");
	assert_int_equal(e.n, 1);
}

static void err__of_null_is_dropped(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_DATA, "x"), -1);
	assert_int_equal(err_sys(NULL, "x"), -1);
	assert_int_equal(err_add(NULL, "x"), -1);
	assert_int_equal(err_hint(NULL, "x"), -1);
	assert_int_equal(err_at(NULL, &(struct err_span){ 0 }), -1);
	assert_int_equal(err_output(NULL, SL("x")), -1);
	err_done(NULL);
	struct err e = example();
	err_move(NULL, &e);
	assert_null(e.chain);
}

static void err_save__is_loaded_back(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = example(), back = { 0 };
	_cleanup_(buf_done) struct buf bytes = { 0 };
	e.sys_errno = EIO;
	err_output(&e, SL("last words\n"));
	err_save(&e, &bytes);
	err_set(&back, ERR_DATA, "older");
	assert_int_equal(err_load(buf_view(&bytes), &back), 0);
	assert_int_equal(back.kind, ERR_USER);
	assert_int_equal(back.sys_errno, EIO);
	_cleanup_(buf_done) struct buf before = { 0 }, after = { 0 };
	err_format(&e, false, &before);
	err_format(&back, false, &after);
	assert_string_equal(before.p, after.p);
	assert_string_equal(back.output, "last words\n");
}

static void err_load__refuses_every_shortened_or_changed_form(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = example();
	_cleanup_(buf_done) struct buf bytes = { 0 };
	err_save(&e, &bytes);
	for (size_t n = 0; n < bytes.len; n++) {
		_cleanup_(err_done) struct err back = { 0 };
		assert_int_equal(err_load(slice_head(buf_view(&bytes), n), &back), -1);
		assert_int_equal(back.kind, ERR_DATA);
	}
	buf_char(&bytes, 0);
	assert_int_equal(err_load(buf_view(&bytes), NULL), -1);
	memset(bytes.p + 12, 0xff, 4); /* the number of messages */
	assert_int_equal(err_load(buf_view(&bytes), NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_format__has_the_form_of_the_style_guide),
		cmocka_unit_test(err_format__escapes_what_came_from_outside),
		cmocka_unit_test(err_format__places_the_caret_by_columns),
		cmocka_unit_test(err_format__colours_only_when_asked),
		cmocka_unit_test(err_sys__adds_the_words_of_errno),
		cmocka_unit_test(err_set__may_quote_what_it_replaces),
		cmocka_unit_test(err__of_null_is_dropped),
		cmocka_unit_test(err_save__is_loaded_back),
		cmocka_unit_test(err_load__refuses_every_shortened_or_changed_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
