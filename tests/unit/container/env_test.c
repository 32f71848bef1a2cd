/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/err.h"
#include "container/env.h"

static void env_file_parse__reads_as_docker(void **state)
{
	(void)state;
	struct strs out = { 0 };
	struct err e = { 0 };
	assert_int_equal(setenv("FROM_CALLER", "it is", 1), 0);
	assert_int_equal(unsetenv("NOT_THERE"), 0);
	struct slice text = SL(
		"\xef\xbb\xbf# comment\n\n  A=1\nB=two words \nC=\"quoted\"\r\nD=a=b#c\nE=\n"
		"FROM_CALLER\nNOT_THERE\n\t# another\nA=2");
	assert_int_equal(env_file_parse(text, "f", &out, &e), 0);
	_free_ char *all = strs_join(&out, "|");
	assert_string_equal(all, "A=2|B=two words |C=\"quoted\"|D=a=b#c|E=|FROM_CALLER=it is");
	strs_done(&out);
}

static void env_file_parse__refuses_nonsense(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		const char *words;
	} bad[] = {
		{ { "A=1\n=2\n", 7 }, "f:2: there is no variable name before '='" },
		{ { "export A=1\n", 11 }, "f:1: the variable 'export A' contains whitespaces" },
		{ { "A\tB=1", 5 }, "f:1: the variable 'A\tB' contains whitespaces" },
		{ { "A=\0b", 4 }, "f:1: a NUL byte cannot be in a variable" },
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct strs out = { 0 };
		struct err e = { 0 };
		assert_int_equal(env_file_parse(bad[i].text, "f", &out, &e), -1);
		assert_int_equal(e.kind, ERR_USER);
		assert_string_equal(e.chain[0], bad[i].words);
		err_done(&e);
		strs_done(&out);
	}
}

static void env_add__takes_values_and_names(void **state)
{
	(void)state;
	struct strs env = { 0 };
	struct err e = { 0 };
	assert_int_equal(setenv("FROM_CALLER", "x", 1), 0);
	assert_int_equal(env_add(&env, "K=v=w", &e), 0);
	assert_int_equal(env_add(&env, "FROM_CALLER", &e), 0);
	assert_int_equal(env_add(&env, "NOT_THERE", &e), 0);
	assert_int_equal(env_add(&env, "K=", &e), 0);
	_free_ char *all = strs_join(&env, "|");
	assert_string_equal(all, "K=|FROM_CALLER=x");
	assert_int_equal(env_add(&env, "=v", &e), -1);
	err_done(&e);
	assert_int_equal(env_add(&env, "", &e), -1);
	err_done(&e);
	strs_done(&env);
}

static void command_make__joins_as_docker(void **state)
{
	(void)state;
	static char *own_entry[] = { "/entry", "-e" }, *own_cmd[] = { "cmd", "-c" };
	static const char *const args[] = { "x", "y" };
	static const struct {
		bool entry, cmd;
		const char *entrypoint;
		size_t args;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ true, true, NULL, 0, "/entry -e cmd -c" },
		{ true, true, NULL, 2, "/entry -e x y" },
		{ false, true, NULL, 0, "cmd -c" },
		{ false, true, NULL, 2, "x y" },
		{ true, false, NULL, 0, "/entry -e" },
		{ false, false, NULL, 2, "x y" },
		{ true, true, "/other", 0, "/other" },
		{ true, true, "/other", 2, "/other x y" },
		{ true, true, "", 2, "x y" },
		{ true, true, "", 0, NULL },
		{ false, false, NULL, 0, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct image_config cfg = { 0 };
		struct strs argv = { 0 };
		struct err e = { 0 };
		if (cases[i].entry)
			cfg.entrypoint = (struct strs){ own_entry, 2, 2 };
		if (cases[i].cmd)
			cfg.cmd = (struct strs){ own_cmd, 2, 2 };
		int r = command_make(&cfg, cases[i].entrypoint, args, cases[i].args, &argv, &e);
		assert_int_equal(r, cases[i].want ? 0 : -1);
		_free_ char *all = strs_join(&argv, " ");
		if (cases[i].want)
			assert_string_equal(all, cases[i].want);
		else
			assert_int_equal(e.kind, ERR_USER);
		err_done(&e);
		strs_done(&argv);
	}
}

static void environment_make__has_dockers_order(void **state)
{
	(void)state;
	struct image_config cfg = { 0 };
	struct strs more = { 0 }, out = { 0 };
	environment_make(&cfg, "host", false, "/root", &more, &out);
	_free_ char *plain = strs_join(&out, "|");
	assert_string_equal(plain, "PATH=" DEFAULT_PATH "|HOSTNAME=host|HOME=/root");
	strs_done(&out);

	strs_add(&cfg.env, "PATH=/bin");
	strs_add(&cfg.env, "A=image");
	strs_add(&cfg.env, "TERM=dumb");
	strs_add(&more, "A=user");
	strs_add(&more, "HOME=/mine");
	strs_add(&more, "B=2");
	environment_make(&cfg, "host", true, NULL, &more, &out);
	_free_ char *full = strs_join(&out, "|");
	assert_string_equal(full, "HOSTNAME=host|TERM=dumb|PATH=/bin|A=user|HOME=/mine|B=2");
	strs_done(&out);

	strs_done(&more);
	environment_make(&cfg, "", false, NULL, &more, &out);
	assert_string_equal(env_get(&out, "HOME"), "/");
	assert_null(env_get(&out, "HOSTNAME"));
	strs_done(&out);
	strs_done(&cfg.env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(env_file_parse__reads_as_docker),
		cmocka_unit_test(env_file_parse__refuses_nonsense),
		cmocka_unit_test(env_add__takes_values_and_names),
		cmocka_unit_test(command_make__joins_as_docker),
		cmocka_unit_test(environment_make__has_dockers_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
