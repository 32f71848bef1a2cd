/* SPDX-License-Identifier: Apache-2.0 */
/* report/rows.h: a list of like things, shown as --format asks: the table people know, another
 * table, JSON, or a template for each.
 *
 *	static const struct rows_field fields[] = { { "ID", "IMAGE ID" }, { "Size", "SIZE" }, { 0 } };
 *	rows_print(rows, fields, "table {{.ID}}\t{{.Size}}", args->format, &out, e); */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct buf;
struct err;
struct gotemplate_opts;

struct rows_field {
	const char *name; /* member of each row */
	const char *head; /* over its column */
};

/* rows: an array of objects, each with all fields. format: NULL, "" or "table" shows `standard` (itself
 * "table …"); "table TEMPLATE"; "json" gives one object a line; else a template, one line a row.
 * "\t" and "\n" written as two characters in it become a tab and a newline, as with docker. opts
 * may be NULL. Cells of tables are escaped, other output is not. */
int rows_print(const json_t *rows, const struct rows_field *fields, const char *standard,
	       const char *format, const struct gotemplate_opts *opts, struct buf *out,
	       struct err *e) _must_check_;
/* True if the format shows a table. */
bool rows_is_table(const char *format);
