/* SPDX-License-Identifier: Apache-2.0 */
#include "df.h"

/* want NULL: an error that holds `error`. */
struct one {
	const char *in, *want, *error;
};

static const char *const vars[] = { "v=foobarbaz", "e=", "w=w", "PWD=/home", "dot=a.b.c", "nl=a\nb",
				    "sp=a b  c", "star=a*b?c", "u=\xc3\xa4\xc3\xb6", "p=b*", NULL };

static void run_cases(const struct one *cases, size_t n, char escape)
{
	for (size_t i = 0; i < n; i++) {
		struct vars v = { .p = vars };
		struct expand_env env = { .get = vars_get, .unset = vars_unset, .ctx = &v, .escape = escape };
		struct arena a = { 0 };
		struct err e = { 0 };
		char *out = expand_word(slice_of(cases[i].in), &env, &a, &e);
		if (cases[i].want && !out)
			fail_msg("%s: refused: %s", cases[i].in, e.chain[0]);
		if (!cases[i].want && out)
			fail_msg("%s: gave %s", cases[i].in, out);
		if (out && strcmp(out, cases[i].want) != 0)
			fail_msg("%s: gave '%s', not '%s'", cases[i].in, out, cases[i].want);
		if (!out && !strstr(e.chain[0], cases[i].error))
			fail_msg("%s: said '%s', not '%s'", cases[i].in, e.chain[0], cases[i].error);
		err_done(&e);
		strs_done(&v.unset);
		arena_done(&a);
	}
}

static void expand__variables(void **state)
{
	(void)state;
	static const struct one cases[] = {
		{ "$v", "foobarbaz" }, { "${v}x", "foobarbazx" }, { "$w$w", "ww" }, { "a$", "a$" },
		{ "$ $.", "$ $." }, { "$none.", "." }, { "$1x", "x" }, { "$12x", "x" }, { "${1}", "" },
		{ "$@", "" }, { "${@}", "" }, { "$?x", "x" }, { "a-$w-b", "a-w-b" }, { "$w_", "" },
		{ "", "" }, { "a b", "a b" },
		{ "${x:-d}", "d" }, { "${e:-d}", "d" }, { "${w:-d}", "w" },              /* VAR01 */
		{ "${x-d}", "d" }, { "${e-d}", "" },                                     /* VAR02 */
		{ "${x:+r}", "" }, { "${e:+r}", "" }, { "${w:+r}", "r" }, { "${e+r}", "r" }, /* VAR03 */
		{ "${x+r}", "" },
		{ "${e:?m}", NULL, "e: m" },                                             /* VAR04 */
		{ "${x?}", NULL, "x: is not allowed to be unset" },                      /* VAR05 */
		{ "${e:?}", NULL, "e: is not allowed to be empty" }, { "${e?}", "" }, { "${w:?m}", "w" },
		{ "${x:?a $w}", NULL, "x: a w" },
		{ "${x:-${y:-z}}", "z" }, { "${x:-$w${w}}", "ww" },                      /* VAR06 */
		{ "${x:-a\\}b}", "a}b" }, { "${x:-'}'}", "}" }, { "\"${x:-\"q\"}\"", "q" },
	};
	run_cases(cases, COUNT_OF(cases), '\\');
}

static void expand__patterns(void **state)
{
	(void)state;
	static const struct one cases[] = {
		{ "${v#f*b}", "arbaz" }, { "${v##f*b}", "az" },          /* VAR07 */
		{ "${v%b*}", "foobar" }, { "${v%%b*}", "foo" },          /* VAR08 */
		{ "${v/ba/fo}", "fooforbaz" }, { "${v//ba/fo}", "fooforfoz" }, /* VAR09 */
		{ "${v#\\x}", NULL, "invalid escape '\\x'" },            /* VAR10 */
		{ "${v#x}", "foobarbaz" }, { "${v%x}", "foobarbaz" }, { "${v##*}", "" }, { "${v#*}", "foobarbaz" },
		{ "${v%%*}", "" }, { "${dot%.*}", "a.b" }, { "${dot##*.}", "c" }, { "${dot#*.}", "b.c" },
		{ "${dot%%.*}", "a" }, { "${v#???}", "barbaz" }, { "${v%???}", "foobar" },
		{ "${none#x}", "" }, { "${star#a\\*}", "b?c" }, { "${star%\\?c}", "a*b" },
		{ "${star/\\*/x}", "axb?c" }, { "${v/b*/x}", "foox" }, { "${v//a?/-}", "foob-b-" },
		{ "${v//o/}", "fbarbaz" }, { "${dot//./\\/}", "a\\/b\\/c" }, { "${PWD//\\//_}", "_home" },
		{ "${v//[/x}", "foobarbaz" }, { "${u#?}", "\xc3\xb6" }, { "${u%?}", "\xc3\xa4" },
		{ "${u//?/x}", "xx" }, { "${nl#*b}", "a\nb" }, { "${nl//*/x}", "x\nx" },
		{ "${w///-}", "-w-" }, { "${v#$p}", "foobarbaz" }, { "${v%$p}", "foobar" },
		{ "${w/w/\"a b\"}", "a b" }, { "${v//x*/y}", "foobarbaz" },
		{ "${v/a}", NULL, "missing '/'" },
	};
	run_cases(cases, COUNT_OF(cases), '\\');
}

static void expand__errors(void **state)
{
	(void)state;
	static const struct one cases[] = {
		{ "${}", NULL, "bad substitution" }, { "${:}", NULL, "bad substitution" }, /* VAR11 */
		{ "${{a}", NULL, "bad substitution" }, { "${a", NULL, "missing '}'" },
		{ "${", NULL, "missing '}'" }, { "${a:-b", NULL, "missing '}'" },
		{ "${v:=x}", NULL, "unsupported modifier (:=)" },                          /* VAR12 */
		{ "${v=x}", NULL, "unsupported modifier (=)" },
		{ "${v:#x}", NULL, "unsupported modifier (:#)" }, { "${v:x}", NULL, "unsupported modifier (:x)" },
		{ "he'llo", NULL, "matching single-quote" },                               /* VAR16 */
		{ "he\"llo", NULL, "matching double-quote" }, { "\"a", NULL, "double" },
	};
	run_cases(cases, COUNT_OF(cases), '\\');
}

static void expand__quotes(void **state)
{
	(void)state;
	static const struct one cases[] = {
		{ "he\\$PWD", "he$PWD" }, { "he\\\\$PWD", "he\\/home" },          /* VAR13 */
		{ "'$PWD'", "$PWD" }, { "\"'$PWD'\"", "'/home'" },                /* VAR14 */
		{ "\"abc\\tdef\"", "abc\\tdef" }, { "abc\\tdef", "abctdef" },     /* VAR15 */
		{ "'a\\'b''", "a\\b" }, { "'a\\'b", "a\\b" }, { "a\\ b", "a b" }, /* VAR21 */
		{ "\"a\\\"b\"", "a\"b" }, { "\"\\$w\\\\\"", "$w\\" }, { "a\\", "a" }, { "''", "" },
		{ "a\"b\"'c'", "abc" },
	};
	run_cases(cases, COUNT_OF(cases), '\\');
	static const struct one ticks[] = {
		{ "C:\\x\\$w", "C:\\x\\w" }, { "`$w", "$w" }, { "\"`\"\"", "\"" }, { "a` b", "a b" },
	};
	run_cases(ticks, COUNT_OF(ticks), '`');
}

static void expand__heredoc_bodies(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "\"q\" '${w}'\n", "\"q\" 'w'\n" },                      /* HER04 */
		{ "\\\\\n", "\\\n" }, { "\\$\n", "$\n" },                 /* HER06 */
		{ "\\\n", "\n" },                                         /* HER07 */
		{ "it's $w\n", "it's w\n" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct vars v = { .p = vars };
		struct expand_env env = { .get = vars_get, .ctx = &v, .escape = '`' };
		struct arena a = { 0 };
		char *out = expand_heredoc(slice_of(cases[i].in), &env, &a, NULL);
		assert_string_equal(out, cases[i].want);
		arena_done(&a);
	}
}

static void expand__splits_after_expansion(void **state)
{
	(void)state;
	struct vars v = { .p = vars };
	struct expand_env env = { .get = vars_get, .ctx = &v };
	struct strs l = { 0 };
	assert_int_equal(expand_words(SL("$sp 'x y' \"$sp\" z\\ z ${none} ${none:-1 2}"), &env, &l, NULL), 0);
	_free_ char *all = strs_join(&l, "|");
	assert_string_equal(all, "a|b|c|x y|a b  c|z z|1|2");
	strs_done(&l);
}

static void expand__tells_what_is_unset(void **state)
{
	(void)state;
	struct vars v = { .p = vars };
	struct expand_env env = { .get = vars_get, .unset = vars_unset, .ctx = &v };
	struct arena a = { 0 };
	assert_non_null(expand_word(SL("$a ${b} ${c:-x} ${d:+x} $w '$f' \\$g ${h#x}"), &env, &a, NULL));
	_free_ char *all = strs_join(&v.unset, " ");
	assert_string_equal(all, "a b h");
	strs_done(&v.unset);
	arena_done(&a);
}

static const char *big_get(void *ctx, struct slice name)
{
	(void)name;
	return ctx;
}

static void expand__is_bounded(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf value = { 0 }, text = { 0 };
	for (int i = 0; i < 200000; i++)
		buf_char(&value, 'a');
	struct expand_env env = { .get = big_get, .ctx = value.p };
	struct arena a = { 0 };
	struct err e = { 0 };
	assert_null(expand_word(SL("$a$a$a$a$a$a"), &env, &a, &e));
	assert_non_null(strstr(e.chain[0], "expands to more than"));
	for (int i = 0; i < 10; i++)
		buf_str(&text, "$a");
	assert_non_null(expand_heredoc(buf_view(&text), &env, &a, NULL)); /* files may be larger */
	buf_clear(&text);
	for (int i = 0; i < 1000; i++)
		buf_str(&text, "*a");
	_free_ char *word = str_printf("${a//%sb/x}", text.p);
	char *out = expand_word(slice_of(word), &env, &a, NULL);
	assert_true(!out || strlen(out) <= EXPAND_MAX); /* it ends, whatever it says */
	err_done(&e);
	buf_clear(&text);
	for (int i = 0; i < 1000; i++)
		buf_str(&text, "${a+");
	assert_null(expand_word(buf_view(&text), &env, &a, &e));
	assert_non_null(strstr(e.chain[0], "nested deeper"));
	err_done(&e);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expand__variables),
		cmocka_unit_test(expand__patterns),
		cmocka_unit_test(expand__errors),
		cmocka_unit_test(expand__quotes),
		cmocka_unit_test(expand__heredoc_bodies),
		cmocka_unit_test(expand__splits_after_expansion),
		cmocka_unit_test(expand__tells_what_is_unset),
		cmocka_unit_test(expand__is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
