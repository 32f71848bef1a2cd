/* SPDX-License-Identifier: Apache-2.0 */
/* The fuzz targets' seeds: what is named refuse-… must be refused, the others taken. */
#include "df.h"

#include "dockerfile/ignore.h"

static bool takes_dockerfile(struct slice text)
{
	struct dockerfile df = { 0 };
	bool ok = dockerfile_parse(text, "Dockerfile", &df, NULL) == 0;
	dockerfile_done(&df);
	return ok;
}

static bool takes_word(struct slice text) /* as in expand_fuzz.c */
{
	struct vars v = { .p = VARS("a=foobarbaz", "b=") };
	struct expand_env env = { .get = vars_get, .ctx = &v, .escape = text.p[0] & 1 ? '`' : '\\' };
	struct arena a = { 0 };
	bool ok = expand_word(slice_from(text, 1), &env, &a, NULL);
	arena_done(&a);
	return ok;
}

static bool takes_rules(struct slice text)
{
	struct ignore ign = { 0 };
	bool ok = ignore_parse(slice_head(text, slice_find(text, '\0')), "f", &ign, NULL) == 0;
	ignore_done(&ign);
	return ok;
}

static void seeds__are_taken_or_refused(void **state)
{
	(void)state;
	check_seeds("dockerfile", takes_dockerfile);
	check_seeds("expand", takes_word);
	check_seeds("ignore", takes_rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds__are_taken_or_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
