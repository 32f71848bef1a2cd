/* SPDX-License-Identifier: Apache-2.0 */
/* report/table.h: columns padded as docker pads them: three blanks between, a column at least ten
 * wide, the last one not padded. Cells are escaped (names come from images).
 *
 *	_cleanup_(table_done) struct table t = { 0 };
 *	table_cell(&t, "REPOSITORY"); table_cell(&t, "SIZE"); table_row(&t);
 *	table_print(&t, &out); */
#pragma once
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct buf;

struct table {
	struct strs cells;
	ARRAY_OF(size_t) ends; /* number of cells up to the end of each row */
	unsigned right; /* bit i: column i is aligned to the right */
};
void table_done(struct table *t);
void table_cell(struct table *t, const char *text); /* NULL: empty */
void table_cellf(struct table *t, const char *fmt, ...) _printf_(2, 3);
void table_row(struct table *t); /* ends the row */
void table_print(const struct table *t, struct buf *out);
/* Rows are lines, cells are separated by tabs. */
void table_text(struct slice text, struct buf *out);
