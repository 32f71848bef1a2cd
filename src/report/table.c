/* SPDX-License-Identifier: Apache-2.0 */
#include "report/table.h"
#include "base/buf.h"
#include "base/term.h"

/* As docker's tabwriter: NewWriter(out, 10, 1, 3, ' ', 0). */
#define CELL_MIN 10
#define CELL_GAP 3

void table_done(struct table *t)
{
	strs_done(&t->cells);
	arr_done(&t->ends);
}

static void take_cell(struct table *t, struct buf *raw)
{
	_cleanup_(buf_done) struct buf safe = { 0 };
	term_escape(buf_view(raw), false, &safe);
	strs_take(&t->cells, buf_take(&safe));
}

void table_cell(struct table *t, const char *text)
{
	_cleanup_(buf_done) struct buf raw = { 0 };
	buf_str(&raw, text ? text : "");
	take_cell(t, &raw);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf raw = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&raw, fmt, ap);
	va_end(ap);
	take_cell(t, &raw);
}

void table_row(struct table *t)
{
	arr_push(&t->ends, t->cells.n);
}

/* Widths with the gap; the widest row gives the number of columns. */
static size_t *measure(const struct table *t, size_t *columns)
{
	size_t at = 0;
	*columns = 0;
	arr_each(end, &t->ends) {
		if (*end - at > *columns)
			*columns = *end - at;
		at = *end;
	}
	size_t *widths = mem_array(*columns + 1, sizeof *widths);
	at = 0;
	arr_each(end, &t->ends) {
		for (size_t i = 0; at + i < *end; i++) {
			size_t w = term_width(slice_of(t->cells.p[at + i])) + CELL_GAP;
			/* the last cell of a line belongs to no column, as with tabwriter */
			bool right = i < 32 && t->right >> i & 1;
			if ((right || at + i + 1 < *end) && w > widths[i])
				widths[i] = w;
			if (widths[i] < CELL_MIN)
				widths[i] = CELL_MIN;
		}
		at = *end;
	}
	return widths;
}

static void blanks(struct buf *out, size_t n)
{
	while (n--)
		buf_char(out, ' ');
}

void table_print(const struct table *t, struct buf *out)
{
	size_t columns, at = 0;
	_free_ size_t *widths = measure(t, &columns);
	arr_each(end, &t->ends) {
		for (size_t i = 0; at + i < *end; i++) {
			const char *cell = t->cells.p[at + i];
			size_t w = term_width(slice_of(cell));
			bool right = i < 32 && t->right >> i & 1;
			size_t pad = w < widths[i] ? widths[i] - w : 0;
			if (right && pad >= CELL_GAP)
				blanks(out, pad - CELL_GAP);
			buf_str(out, cell);
			if (at + i + 1 < *end)
				blanks(out, right && pad >= CELL_GAP ? CELL_GAP : pad);
		}
		buf_char(out, '\n');
		at = *end;
	}
}

void table_text(struct slice text, struct buf *out)
{
	_cleanup_(table_done) struct table t = { 0 };
	struct slice line, cell;
	if (slice_ends(text, SL("\n")))
		text.n--;
	while (slice_split(&text, '\n', &line)) {
		while (slice_split(&line, '\t', &cell)) {
			_cleanup_(buf_done) struct buf raw = { 0 };
			buf_slice(&raw, cell);
			take_cell(&t, &raw);
		}
		table_row(&t);
	}
	table_print(&t, out);
}
