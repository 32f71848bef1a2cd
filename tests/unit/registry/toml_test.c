/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/js.h"
#include "registry/toml.h"

static void toml_parse__makes_json(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "{}" },
		{ "# a comment\n\n \t\n", "{}" },
		{ "\xef\xbb\xbf"
		  "a = 1",
		  "{\"a\":1}" },
		{ "a = 1\r\nb=-2 # c\r\n", "{\"a\":1,\"b\":-2}" },
		{ "a = 1_000\nb = 0xFf\nc = 0o17\nd = 0b101\ne = +0\nf = -9223372036854775808",
		  "{\"a\":1000,\"b\":255,\"c\":15,\"d\":5,\"e\":0,\"f\":-9223372036854775808}" },
		{ "a = 1.5\nb = -2e3\nc = 6.25E-1", "{\"a\":1.5,\"b\":-2000.0,\"c\":0.625}" },
		{ "a = inf\nb = -nan", "{\"a\":\"inf\",\"b\":\"-nan\"}" },
		{ "a = true\nb = false", "{\"a\":true,\"b\":false}" },
		{ "a = \"x\\t\\\"\\\\\\u00e9\\U0001F600\"", "{\"a\":\"x\\t\\\"\\\\é😀\"}" },
		{ "a = 'C:\\x \"'", "{\"a\":\"C:\\\\x \\\"\"}" },
		{ "a = \"\"\"\none\ntwo \\\n   three\"\"\"", "{\"a\":\"one\\ntwo three\"}" },
		{ "a = '''\r\nI '' am\\n'''", "{\"a\":\"I '' am\\\\n\"}" },
		{ "a = \"\"\"\"x\"\"\"\"\"", "{\"a\":\"\\\"x\\\"\\\"\"}" },
		{ "a = \"\"", "{\"a\":\"\"}" },
		{ "a = [ 1, 'b' , # c\n [true], ]", "{\"a\":[1,\"b\",[true]]}" },
		{ "a = []\nb = {}", "{\"a\":[],\"b\":{}}" },
		{ "a = { b = 1, c.d = 'x' }", "{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}}}" },
		{ "a.b.c = 1\na.b.d = 2", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}" },
		{ "\"a b\".'c.d' = 1\n3 = 4\n\"\" = 5", "{\"a b\":{\"c.d\":1},\"3\":4,\"\":5}" },
		{ "[a]\nb = 1\n[a.c]\nd = 2", "{\"a\":{\"b\":1,\"c\":{\"d\":2}}}" },
		{ "[a.b]\nc = 1\n[a]\nd = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}" },
		{ "[ a . \"b\" ] # c\n", "{\"a\":{\"b\":{}}}" },
		{ "[fruit]\napple.color = 'r'\napple.taste.sweet = true\n[fruit.apple.texture]\nsmooth = true",
		  "{\"fruit\":{\"apple\":{\"color\":\"r\",\"taste\":{\"sweet\":true},\"texture\":{\"smooth\":true}}}}" },
		{ "[[r]]\np = 1\n[[r.m]]\nl = 2\n[[r.m]]\nl = 3\n[[r]]\np = 4",
		  "{\"r\":[{\"p\":1,\"m\":[{\"l\":2},{\"l\":3}]},{\"p\":4}]}" },
		{ "a = 1979-05-27\nb = 07:32:00.5\nc = 1979-05-27T07:32:00-07:00\nd = 1979-05-27 07:32:00Z",
		  "{\"a\":\"1979-05-27\",\"b\":\"07:32:00.5\",\"c\":\"1979-05-27T07:32:00-07:00\","
		  "\"d\":\"1979-05-27 07:32:00Z\"}" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		_cleanup_(buf_done) struct buf b = { 0 };
		_json_ json_t *v = toml_parse(slice_of(cases[i].text), "f", &e);
		if (!v)
			fail_msg("%s\n  %s", cases[i].text, err_words(&e));
		js_dump(v, &b);
		if (strcmp(b.p, cases[i].want) != 0)
			fail_msg("%s\n  got  %s\n  want %s", cases[i].text, b.p, cases[i].want);
	}
}

static void toml_parse__refuses_with_the_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
		unsigned line, col;
	} cases[] = {
		{ "a", "'=' is expected", 1, 2 },
		{ "a =", "a value is expected", 1, 4 },
		{ "a = b", "'b' is no value", 1, 5 },
		{ "\n\na = 1 b = 2", "nothing more", 3, 7 },
		{ "a = 'x", "does not end", 1, 6 },
		{ "a = 'x\n'", "does not end on its line", 1, 6 },
		{ "a = \"\\x\"", "no such escape", 1, 7 },
		{ "a = \"\\u00g0\"", "hexadecimal", 1, 10 },
		{ "a = \"\\ud800\"", "no character", 1, 12 },
		{ "a = \"\\U00110000\"", "no character", 1, 16 },
		{ "a = \"\x01\"", "no text", 1, 6 },
		{ "a = \"\xff\"", "no text", 1, 6 },
		{ "# \xff", "no text", 1, 3 },
		{ "a = [1 2]", "',' or ']'", 1, 8 },
		{ "a = [1,", "a value is expected", 1, 8 },
		{ "a = {b = 1,}", "a key is expected", 1, 12 },
		{ "a = {b = 1\n}", "',' or '}'", 1, 11 },
		{ "a = 1\na = 2", "'a' is there already", 2, 1 },
		{ "[a]\n[a]", "'a' is there already", 2, 1 },
		{ "a = 1\n[a]", "'a' is there already", 2, 1 },
		{ "a = 1\n[a.b]", "'a' has a value already", 2, 1 },
		{ "a = {}\n[a.b]", "'a' has a value already", 2, 1 },
		{ "a = {}\na.b = 1", "'a' is there already", 2, 1 },
		{ "a = []\n[[a]]", "'a' is there already", 2, 1 },
		{ "[a]\n[[a]]", "'a' is there already", 2, 1 },
		{ "[[a]]\n[a]", "'a' is there already", 2, 1 },
		{ "a.b = 1\n[a]", "'a' is there already", 2, 1 },
		{ "[a.b]\n[a]\nb.c = 1", "'b' is there already", 3, 1 },
		{ "[a", "ends with ']'", 1, 3 },
		{ "[[a]", "ends with ']]'", 1, 5 },
		{ "[]", "a key is expected", 1, 2 },
		{ "a = 01", "'01' is no value", 1, 5 },
		{ "a = 1__0", "is no value", 1, 5 },
		{ "a = _1", "is no value", 1, 5 },
		{ "a = 1.", "is no value", 1, 5 },
		{ "a = 9223372036854775808", "is no value", 1, 5 },
		{ "a = 1e999", "is no value", 1, 5 },
		{ "a = 1979-05-27T", "is no value", 1, 5 },
		{ "a = 0x", "is no value", 1, 5 },
		{ "\"a\\u0000\" = 1", "U+0000", 1, 1 },
		{ "'''a''' = 1", "cannot be a key", 1, 1 },
		{ "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
		  "more than 32", 1, 65 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		json_t *v = toml_parse(slice_of(cases[i].text), "conf", &e);
		if (v)
			fail_msg("taken: %s", cases[i].text);
		if (!strstr(err_words(&e), cases[i].says) || e.kind != ERR_DATA ||
		    e.span.first != cases[i].line || e.span.col != cases[i].col)
			fail_msg("%s\n  %u:%u %s", cases[i].text, e.span.first, e.span.col,
				 err_words(&e));
		assert_string_equal(e.span.file, "conf");
	}
}

static void toml_parse__is_not_drowned(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_str(&b, "a = ");
	for (int i = 0; i < 1000; i++)
		buf_char(&b, '[');
	assert_null(toml_parse(buf_view(&b), "f", &e));
	assert_says(&e, "nested deeper");
	for (size_t i = 0; i <= TOML_MAX; i++)
		buf_char(&b, ' ');
	assert_null(toml_parse(buf_view(&b), "f", &e));
	assert_says(&e, "larger than");
}

static bool accepts(struct slice text)
{
	_cleanup_(err_done) struct err e = { 0 };
	_json_ json_t *v = toml_parse(text, "seed", &e);
	return v != NULL;
}

static void toml_parse__judges_the_seeds(void **state)
{
	(void)state;
	check_seeds("toml", accepts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(toml_parse__makes_json),
		cmocka_unit_test(toml_parse__refuses_with_the_place),
		cmocka_unit_test(toml_parse__is_not_drowned),
		cmocka_unit_test(toml_parse__judges_the_seeds),
	};
	return cmocka_run_group_tests_name("registry/toml", tests, NULL, NULL);
}
