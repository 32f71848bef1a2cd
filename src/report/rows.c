/* SPDX-License-Identifier: Apache-2.0 */
#include "report/rows.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "report/gotemplate.h"
#include "report/table.h"

bool rows_is_table(const char *format)
{
	return !format || !*format || strcmp(format, "table") == 0 ||
	       strncmp(format, "table ", 6) == 0 || strncmp(format, "table\t", 6) == 0;
}

/* The two characters \t and \n, which shells pass on, are meant as what they name. */
static void unescape(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : 0;
		bool known = s.p[i] == '\\' && (next == 't' || next == 'n');
		buf_char(out, !known ? s.p[i] : next == 't' ? '\t' : '\n');
		i += known;
	}
}

static json_t *headings(const struct rows_field *fields)
{
	json_t *head = json_object();
	for (; fields->name; fields++)
		(void)json_object_set_new(head, fields->name, json_string(fields->head));
	return head;
}

int rows_print(const json_t *rows, const struct rows_field *fields, const char *standard,
	       const char *format, const struct gotemplate_opts *opts, struct buf *out,
	       struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 }, lines = { 0 };
	struct gotemplate_opts o = opts ? *opts : (struct gotemplate_opts){ 0 };
	bool table = rows_is_table(format);
	if (!format || !*format || strcmp(format, "table") == 0)
		format = standard;
	if (strcmp(format, "raw") == 0 || strcmp(format, "pretty") == 0)
		return err_set(e, ERR_USER,
			       "--format %s is not supported: table, json, or a template", format);
	if (strcmp(format, "json") == 0)
		format = "{{json .}}";
	unescape(slice_trim(slice_of(table ? format + 5 : format)), &text);
	_cleanup_(gotemplate_freep) struct gotemplate *t = gotemplate_parse(buf_view(&text), e);
	if (!t)
		return -1;
	if (table) {
		o.heading = true;
		json_t *head = headings(fields);
		int r = gotemplate_run(t, head, &o, &lines, e);
		json_decref(head);
		if (r < 0)
			return -1;
		buf_char(&lines, '\n');
		o.heading = false;
	}
	size_t i;
	json_t *row;
	json_array_foreach((json_t *)rows, i, row)
	{
		if (gotemplate_run(t, row, &o, &lines, e) < 0)
			return -1;
		buf_char(&lines, '\n');
	}
	if (table)
		table_text(buf_view(&lines), out);
	else
		buf_slice(out, buf_view(&lines));
	return 0;
}
