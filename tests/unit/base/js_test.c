/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/js.h"

static void js_parse__refuses_and_says_where(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "the text is not valid JSON" },
		{ "{\n \"a\": }", "(line 2, column 7)" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
		{ "{} x", "end of file expected" },
		{ "7", "not valid JSON" },
		{ "[\"\\u0000\"]", "not valid JSON" },
		{ "[\"\xff\"]", "not valid JSON" },
		{ "[99999999999999999999]", "too big integer" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		assert_null(js_parse(slice_of(cases[i].text), "the text", &e));
		assert_int_equal(e.kind, ERR_DATA);
		assert_says(&e, cases[i].says);
	}
	assert_null(js_parse(SL("[1]\0"), "it", NULL));
	assert_null(js_parse((struct slice){ NULL, 0 }, "it", NULL));
}

static json_t *parse_nested(unsigned depth, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_str(&b, "[\"[[[[\\\"[[\"");
	for (unsigned i = 1; i < depth; i++)
		buf_str(&b, ",[0");
	for (unsigned i = 0; i < depth; i++)
		buf_char(&b, ']');
	return js_parse(buf_view(&b), "it", e);
}

static void js_parse__limits_depth_and_size(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	_json_ json_t *deepest = parse_nested(512, &e);
	assert_non_null(deepest);
	assert_null(parse_nested(513, &e));
	assert_says(&e, "nested deeper than 512 levels");
	_free_ char *big = mem_alloc(JS_MAX + 1);
	memset(big, ' ', JS_MAX + 1);
	assert_null(js_parse((struct slice){ big, JS_MAX + 1 }, "it", &e));
	assert_says(&e, "it is larger than 4194304 bytes");
}

static void js__members_are_typed(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	_json_ json_t *o = js_parse(SL("{\"s\":\"x\",\"i\":-5,\"b\":true,\"a\":[\"p\",\"q\"],"
				       "\"o\":{},\"n\":null,\"f\":1.5,\"m\":[\"p\",1]}"),
				    "it", &e);
	const char *s = "kept";
	int64_t i = 7;
	bool b = false;
	json_t *v = NULL;
	_cleanup_(strs_done) struct strs l = { 0 };
	assert_int_equal(js_str(o, "s", &s, &e), 0);
	assert_string_equal(s, "x");
	assert_int_equal(js_int(o, "i", &i, &e), 0);
	assert_int_equal(i, -5);
	assert_int_equal(js_bool(o, "b", &b, &e), 0);
	assert_true(b);
	assert_int_equal(js_strs(o, "a", &l, &e), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(js_object(o, "o", &v, &e), 0);
	assert_non_null(v);

	assert_int_equal(js_str(o, "i", &s, &e), -1);
	assert_string_equal(err_words(&e), "'i' must be a string");
	assert_int_equal(e.kind, ERR_DATA);
	assert_int_equal(js_int(o, "f", &i, &e), -1);
	assert_int_equal(js_bool(o, "s", &b, &e), -1);
	assert_int_equal(js_array(o, "o", &v, &e), -1);
	assert_int_equal(js_object(o, "a", &v, &e), -1);
	assert_int_equal(js_strs(o, "m", &l, &e), -1);
	assert_int_equal(l.n, 2);
	assert_string_equal(s, "x");
	assert_int_equal(i, -5);

	assert_int_equal(js_str(o, "n", &s, &e), 0);
	assert_null(s);
	assert_int_equal(js_int(o, "absent", &i, &e), 0);
	assert_int_equal(i, 0);
	assert_int_equal(js_bool(o, "n", &b, &e), 0);
	assert_false(b);
	assert_int_equal(js_array(o, "n", &v, &e), 0);
	assert_null(v);
	assert_int_equal(js_strs(o, "n", &l, &e), 0);
}

static void js_dump__keeps_order_and_bytes(void **state)
{
	(void)state;
	const char text[] = "{\"z\":1,\"a\":[\"/x\",\"\u00e9\",\"\\n\"],\"b\":{}}";
	_json_ json_t *o = js_parse(SL("{\"z\":1,\"a\":[\"\\/x\",\"\\u00e9\",\"\\n\"],\"b\":{}}"),
				    "it", NULL);
	_cleanup_(buf_done) struct buf out = { 0 }, pretty = { 0 };
	js_dump(o, &out);
	assert_string_equal(out.p, text);
	_json_ json_t *one = js_parse(SL("{\"a\":[1]}"), "it", NULL);
	js_dump_pretty(one, 2, &pretty);
	assert_string_equal(pretty.p, "{\n  \"a\": [\n    1\n  ]\n}");
}

static void js_text__mends_what_is_not_utf8(void **state)
{
	(void)state;
	static const struct {
		struct slice in;
		const char *want;
	} cases[] = {
		{ { "plain", 5 }, "\"plain\"" },
		{ { "a\xff", 2 }, "\"a\uFFFD\"" },
		{ { "\xc3", 1 }, "\"\uFFFD\"" },
		{ { "\xed\xa0\x80", 3 }, "\"\uFFFD\uFFFD\uFFFD\"" }, /* a surrogate */
		{ { "\uFFFD", 3 }, "\"\uFFFD\"" },
		{ { "a\0b", 3 }, "\"a\\u0000b\"" },
		{ { NULL, 0 }, "\"\"" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_json_ json_t *v = js_text(cases[i].in);
		_cleanup_(buf_done) struct buf out = { 0 };
		js_dump(v, &out);
		assert_string_equal(out.p, cases[i].want);
	}
}

static void js_from_strs__is_an_array(void **state)
{
	(void)state;
	_cleanup_(strs_done) struct strs l = { 0 };
	strs_add(&l, "/bin/sh");
	strs_add(&l, "-c\xfe");
	_json_ json_t *v = js_from_strs(&l);
	_cleanup_(buf_done) struct buf out = { 0 };
	js_dump(v, &out);
	assert_string_equal(out.p, "[\"/bin/sh\",\"-c\uFFFD\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(js_parse__refuses_and_says_where),
		cmocka_unit_test(js_parse__limits_depth_and_size),
		cmocka_unit_test(js__members_are_typed),
		cmocka_unit_test(js_dump__keeps_order_and_bytes),
		cmocka_unit_test(js_text__mends_what_is_not_utf8),
		cmocka_unit_test(js_from_strs__is_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
