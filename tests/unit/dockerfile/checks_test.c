/* SPDX-License-Identifier: Apache-2.0 */
#include "df.h"

static const char *rules_of(const struct dockerfile *df)
{
	static char text[1024];
	_cleanup_(buf_done) struct buf b = { 0 };
	arr_each(w, &df->warnings)
		buf_printf(&b, "%s%s:%u", b.len ? " " : "", check_name(w->rule), w->span.first);
	(void)snprintf(text, sizeof text, "%s", b.p ? b.p : "");
	return text;
}

static void checks__each_rule(void **state) /* CHK01 */
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "FROM x\nRUN a", "" },
		{ "FROM x AS Web", "StageNameCasing:1" },
		{ "FROM x as web", "FromAsCasing:1" },
		{ "from x as web", "" },
		{ "FROM x\nRUN a \\\n\n b", "NoEmptyContinuation:2" }, /* LEX18 */
		{ "FROM x\nRUN a\ncopy b c", "ConsistentInstructionCasing:3" },
		{ "from x\nrun a\nCOPY b c", "ConsistentInstructionCasing:3" },
		{ "FROM x\nCoPy b c\nRUN a", "ConsistentInstructionCasing:2" },
		{ "FROM x AS web\nFROM y AS web", "DuplicateStageName:2" },
		{ "FROM x AS scratch", "ReservedStageName:1" },
		{ "FROM x AS context", "ReservedStageName:1" },
		{ "FROM x\nCMD serve", "JSONArgsRecommended:2" },
		{ "FROM x\nSHELL [\"a\"]\nCMD serve", "" },
		{ "FROM x AS a\nSHELL [\"a\"]\nFROM a\nENTRYPOINT serve", "" },
		{ "FROM x\nMAINTAINER me", "MaintainerDeprecated:2" },
		{ "FROM base:$VRE", "UndefinedArgInFrom:1" },
		{ "ARG V=1\nFROM base:$V\nFROM base-$TARGETARCH", "" },
		{ "FROM x\nWORKDIR app\nWORKDIR b", "WorkdirRelativePath:2" },
		{ "FROM x AS a\nWORKDIR /a\nFROM a\nWORKDIR b", "" },
		{ "FROM x\nWORKDIR $d", "" },
		{ "FROM x\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]",
		  "MultipleInstructionsDisallowed:2 MultipleInstructionsDisallowed:3" }, /* CHK07 */
		{ "FROM x\nCMD [\"a\"]\nFROM y\nCMD [\"b\"]", "" },
		{ "FROM x\nENV a b", "LegacyKeyValueFormat:2" },
		{ "FROM --platform=$TARGETPLATFORM x", "RedundantTargetPlatform:1" },
		{ "FROM --platform=$BUILDPLATFORM x", "" },
		{ "FROM x\nARG API_TOKEN\nENV KEY_FILE=1 monkey=2 db_passwd=3", 
		  "SecretsUsedInArgOrEnv:2 SecretsUsedInArgOrEnv:3" },
		{ "ARG V\nFROM x:$V", "InvalidDefaultArgInFrom:2" },
		{ "ARG V=1\nFROM x:$V", "" },
		{ "FROM --platform=linux/amd64 x", "FromPlatformFlagConstDisallowed:1" },
		{ "FROM --platform=linux/amd64 x AS tool-amd64", "" },
		{ "FROM x\nEXPOSE 80/TCP", "ExposeProtoCasing:2" },
		{ "FROM x\nEXPOSE 127.0.0.1:80:80", "ExposeInvalidFormat:2" },
		{ "# the port\nARG PORT=1\nFROM x", "" },
		{ "# check=experimental=all\n# the port\nARG PORT=1\n# web is it\nFROM x AS web", "InvalidDefinitionDescription:3" },
		{ "# check=skip=MaintainerDeprecated,JSONArgsRecommended\nFROM x\nMAINTAINER a\nCMD b", "" },
		{ "# check=skip=all;error=true\nFROM x AS Web\nMAINTAINER a\ncmd b", "" }, /* CHK03 */
		/* CHK05 */
		{ "FROM x\n# check=skip=LegacyKeyValueFormat\nENV a b\nENV a b", "LegacyKeyValueFormat:4" },
		{ "FROM x\n# check=skip=all\nenv a=b\nRUN a", "ConsistentInstructionCasing:3" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		PARSED p = parse(cases[i].text);
		if (p.r < 0)
			fail_msg("%s: %s", cases[i].text, p.line.p);
		if (strcmp(rules_of(&p.df), cases[i].want) != 0)
			fail_msg("%s: '%s', not '%s'", cases[i].text, rules_of(&p.df), cases[i].want);
	}
}

static void checks__directive(void **state)
{
	(void)state;
	PARSED p = parse("#check=error=true;skip=FromAsCasing\nFROM x as A\nMAINTAINER y"); /* CHK02 */
	struct err e = { 0 };
	assert_true(p.df.checks.error);
	assert_int_equal(checks_verdict(&p.df, NULL, &e), -1);
	assert_says(&e, "lint violation found for rules: StageNameCasing, MaintainerDeprecated");
	err_done(&e);
	bool none = false;
	assert_int_equal(checks_verdict(&p.df, &none, NULL), 0);
	assert_refused("# check=wat=1\nFROM x", "invalid check option 'wat=1'");
	PARSED blank = parse("# check=skip=all junk=1\nFROM x AS W");
	assert_int_equal(blank.r, 0);

	struct dockerfile df = { 0 }; /* CHK04 */
	assert_int_equal(dockerfile_parse_with(SL("# check=skip=all\nFROM x AS W"), "D", NULL, "error=true", &df, NULL), 0);
	assert_int_equal(df.warnings.n, 1);
	assert_true(df.checks.error);
	dockerfile_done(&df);
}

static void checks__unset_variables(void **state)
{
	(void)state;
	PARSED p = parse("FROM x\nCOPY ${SRCC} \\\n $DSTT");
	const char *known[] = { "SRC", "PATH" };
	dockerfile_warn_unset(&p.df, IN(p, 1), 0, "SRCC", known, 2);
	dockerfile_warn_unset(&p.df, IN(p, 1), 0, "DSTT", known, 2);
	assert_int_equal(p.df.warnings.n, 2);
	const struct check_warning *w = p.df.warnings.p;
	assert_string_equal(w[0].detail, "Usage of undefined variable '$SRCC' (did you mean $SRC?)");
	assert_int_equal(w[0].span.first, 2);
	assert_int_equal(w[0].span.col, 6);
	assert_string_equal(w[1].detail, "Usage of undefined variable '$DSTT'");
	assert_int_equal(w[1].span.first, 3);
}

static void checks__are_bounded(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_str(&b, "FROM x\n");
	for (int i = 0; i < 3000; i++)
		buf_str(&b, "ENV my_key 1\n");
	PARSED p = parse(b.p);
	assert_int_equal(p.r, 0);
	assert_int_equal(p.df.warnings.n, CHECK_WARNINGS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks__each_rule),
		cmocka_unit_test(checks__directive),
		cmocka_unit_test(checks__unset_variables),
		cmocka_unit_test(checks__are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
