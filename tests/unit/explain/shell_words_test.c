/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/buf.h"
#include "base/proc.h"
#include "explain/shell_words.h"

static const struct row {
	const char *text;
	const char *json; /* NULL: a shell is needed */
	const char *why;
} rows[] = {
	{ "./hello", "[\"./hello\"]", NULL },
	{ "  ./hello  -x\t1 ", "[\"./hello\", \"-x\", \"1\"]", NULL },
	{ "exec nginx -g 'daemon off;'", "[\"nginx\", \"-g\", \"daemon off;\"]", NULL },
	{ "a \"b c\"'d'e\\ f", "[\"a\", \"b cde f\"]", NULL },
	{ "a \"\\\\ \\x \\\" q\"", "[\"a\", \"\\\\ \\\\x \\\" q\"]", NULL },
	{ "a '' \"\"", "[\"a\", \"\", \"\"]", NULL },
	{ "a '$x `y` * ~'", "[\"a\", \"$x `y` * ~\"]", NULL },
	{ "a b#c d=e ~x", NULL, "it uses '~'" },
	{ "a b#c d=e x~", "[\"a\", \"b#c\", \"d=e\", \"x~\"]", NULL },
	{ "a \\\nb", "[\"a\", \"b\"]", NULL },
	{ "echo $HOME", NULL, "it uses $HOME" },
	{ "echo ${HOME:-x}", NULL, "it uses ${HOME}" },
	{ "echo \"$(date)\"", NULL, "it uses $(…)" },
	{ "echo `date`", NULL, "it uses `…`" },
	{ "a && b", NULL, "it uses '&'" },
	{ "a | b", NULL, "it uses '|'" },
	{ "a > b", NULL, "it uses '>'" },
	{ "a; b", NULL, "it uses ';'" },
	{ "a\nb", NULL, "it has more than one line" },
	{ "a *.c", NULL, "it uses a wildcard" },
	{ "a # b", NULL, "it uses '#'" },
	{ "A=b c", NULL, "it sets the variable A" },
	{ "cd /x", NULL, "'cd' is done by the shell itself" },
	{ "if true", NULL, "'if' is part of the shell's language" },
	{ "exec -a x y", NULL, "it gives options to the shell's exec" },
	{ "a 'b", NULL, "it has a quote that is not closed" },
	{ "a \"b", NULL, "it has a quote that is not closed" },
	{ "  ", NULL, "it is empty" },
	{ "exec", NULL, "it is empty" },
};

static void shell_split__tells_simple_commands_from_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(strs_done) struct strs words = { 0 };
		_cleanup_(buf_done) struct buf json = { 0 };
		_free_ char *why = NULL;
		int r = shell_split(slice_of(rows[i].text), &words, &why);
		if (r != (rows[i].json != NULL))
			fail_msg("%s: %d %s", rows[i].text, r, why ? why : "");
		if (r == 0) {
			assert_int_equal(words.n, 0);
			assert_string_equal(why, rows[i].why);
			continue;
		}
		shell_json(&words, &json);
		assert_string_equal(json.p, rows[i].json);
	}
}

/* sh is the judge of the words: it prints each between brackets. */
static void shell_split__agrees_with_sh(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(strs_done) struct strs words = { 0 };
		_cleanup_(buf_done) struct buf want = { 0 }, got = { 0 };
		_free_ char *why = NULL;
		if (!shell_split(slice_of(rows[i].text), &words, &why))
			continue;
		const char *text = rows[i].text + strspn(rows[i].text, " ");
		_free_ char *script = str_printf("printf '[%%s]' %s",
						 strncmp(text, "exec ", 5) == 0 ? text + 5 : text);
		char *argv[] = { (char *)"/bin/sh", (char *)"-c", script, NULL };
		assert_int_equal(proc_run(argv, &want, NULL), 0);
		for (size_t k = 0; k < words.n; k++)
			buf_printf(&got, "[%s]", words.p[k]);
		assert_string_equal(got.p, want.p);
		seen++;
	}
	assert_true(seen >= 8);
}

static void shell_json__escapes(void **state)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	_cleanup_(buf_done) struct buf json = { 0 };
	(void)state;
	strs_add(&words, "a\"\\\n\001é");
	shell_json(&words, &json);
	assert_string_equal(json.p, "[\"a\\\"\\\\\\u000a\\u0001é\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shell_split__tells_simple_commands_from_others),
		cmocka_unit_test(shell_split__agrees_with_sh),
		cmocka_unit_test(shell_json__escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
