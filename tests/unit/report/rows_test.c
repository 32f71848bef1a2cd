/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/js.h"
#include "report/rows.h"
#include "report/table.h"
#include "unit.h"

static const struct rows_field fields[] = { { "ID", "IMAGE ID" }, { "Size", "SIZE" }, { 0 } };
static const char standard[] = "table {{.ID}}\t{{.Size}}";

static int print(const char *format, struct buf *out, struct err *e)
{
	_json_ json_t *rows = json_pack("[{s:s,s:s},{s:s,s:s}]", "ID", "3f9a1c0b77de", "Size",
					"1.14GB", "ID", "a", "Size", "0B");
	return rows_print(rows, fields, standard, format, NULL, out, e);
}

static void rows__come_as_the_format_says(void **state)
{
	static const struct {
		const char *format, *want;
	} cases[] = {
		{ NULL, "IMAGE ID       SIZE\n3f9a1c0b77de   1.14GB\na              0B\n" },
		{ "table", "IMAGE ID       SIZE\n3f9a1c0b77de   1.14GB\na              0B\n" },
		{ "table {{.Size}}", "SIZE\n1.14GB\n0B\n" },
		{ "table {{.Size}}\\t{{lower .ID}}",
		  "SIZE      IMAGE ID\n1.14GB    3f9a1c0b77de\n0B        a\n" },
		{ "json",
		  "{\"ID\":\"3f9a1c0b77de\",\"Size\":\"1.14GB\"}\n{\"ID\":\"a\",\"Size\":\"0B\"}\n" },
		{ "{{.ID}}\\n{{.Size}}", "3f9a1c0b77de\n1.14GB\na\n0B\n" },
		{ "x", "x\nx\n" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf out = { 0 };
		assert_int_equal(print(cases[i].format, &out, NULL), 0);
		assert_string_equal(out.p, cases[i].want);
	}
}

static void rows__refuse_what_is_not_known(void **state)
{
	static const char *const formats[] = { "raw", "pretty", "{{.Nosuch}}", "table {{.Nosuch}}",
					       "{{" };
	(void)state;
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		_cleanup_(buf_done) struct buf out = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		assert_int_equal(print(formats[i], &out, &e), -1);
		assert_int_equal(e.kind, ERR_USER);
		assert_int_equal(out.len, 0);
	}
}

static void table__pads_by_columns_and_escapes(void **state)
{
	(void)state;
	_cleanup_(table_done) struct table t = { .right = 2 };
	_cleanup_(buf_done) struct buf out = { 0 };
	table_cell(&t, "é\033[31m");
	table_cell(&t, "12");
	table_cell(&t, NULL);
	table_row(&t);
	table_cell(&t, "x");
	table_cellf(&t, "%d", 12345678);
	table_row(&t);
	table_print(&t, &out);
	assert_string_equal(out.p, "é\\x1b[31m         12   \nx           12345678\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows__come_as_the_format_says),
		cmocka_unit_test(rows__refuse_what_is_not_known),
		cmocka_unit_test(table__pads_by_columns_and_escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
