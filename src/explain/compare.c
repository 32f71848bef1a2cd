/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/compare.h"
#include <signal.h>
#include <string.h>

const char *compare_state_name(enum compare_state s)
{
	switch (s) {
	case COMPARE_WORKS: return "works";
	case COMPARE_FAILS: return "fails";
	case COMPARE_NOT_BUILT: return "not built";
	}
	return "";
}

void compare_run_done(struct compare_run *r)
{
	free(r->output);
	*r = (struct compare_run){ 0 };
}

static void row_done(struct compare_row *r)
{
	free(r->name);
	free(r->why);
	free(r->mend);
	compare_run_done(&r->run);
	explanation_done(&r->x);
	err_done(&r->error);
}

void compare_rows_done(struct compare_rows *rows)
{
	arr_each(r, rows)
		row_done(r);
	arr_done(rows);
}

/* ---- why it fails ---- */

static char *last_line(const char *text)
{
	struct slice s = slice_trim_right(slice_of(text));
	size_t at = slice_rfind(s, '\n');

	return slice_dup(slice_trim(at < s.n ? slice_from(s, at + 1) : s));
}

/* "exit status 3: what it said last", "killed by SIGSEGV" */
static char *status_text(const struct compare_run *run)
{
	const char *name = run->status > 128 ? sigabbrev_np(run->status - 128) : NULL;
	_free_ char *said = last_line(run->output);

	if (name)
		return str_printf("killed by SIG%s", name);
	return str_printf("exit status %d%s%s", run->status, *said ? ": " : "", said);
}

static void take_explanation(struct compare_row *row, struct explanation *x)
{
	row->x = *x;
	str_set(&row->why, str_dup(x->brief));
	str_set(&row->mend, x->mends.n ? str_dup(x->mends.p[0]) : NULL);
}

/* What the image shows; 1 explained, 0, -1. One that stands on this machine's files (rootfs:/) has
 * more in it than its layers tell, so only errno counts there. */
static int explain_row(struct store *s, const struct image *im, struct compare_row *row,
		       struct err *e)
{
	struct image_fs fs = { 0 };
	struct explanation x = { 0 };
	int r = 0;

	if (im->on_rootfs)
		return 0;
	if (image_fs_open(s, im->snaps.p, im->snaps.n, &fs, e) < 0)
		return -1;
	struct explain_fs look = explain_fs_image(&fs);
	if (row->run.exec_errno)
		r = explain_errno(&look, &im->config, NULL, NULL, row->run.exec_errno, NULL, &x, e);
	else
		r = explain_program(&look, &im->config, NULL, NULL, NULL, &x, e);
	if (r > 0)
		take_explanation(row, &x);
	image_fs_close(&fs);
	return r;
}

/* An image that cannot be tried or looked at: the row says so. */
static void fail_with(struct compare_row *row, struct err *why)
{
	row->state = COMPARE_FAILS;
	err_move(&row->error, why);
	str_set(&row->why, str_dup(row->error.n ? row->error.chain[0] : "it could not be tried"));
	str_set(&row->mend, row->error.hints_n ? str_dup(row->error.hints[0]) : NULL);
}

static void try_row(struct store *s, const struct image *im, const struct compare_opts *o,
		    struct compare_row *row)
{
	_cleanup_(err_done) struct err why = { 0 };
	int r;

	row->state = COMPARE_FAILS;
	if (o->probe) {
		r = o->probe(o->ctx, im, o->for_ns ? o->for_ns : COMPARE_FOR_NS, &row->run, &why);
		if (r == 0 &&
		    (row->run.running || (row->run.status == 0 && !row->run.exec_errno))) {
			row->state = COMPARE_WORKS;
			return;
		}
		if (r == 0)
			str_set(&row->why, status_text(&row->run));
		/* nor may a run that could not begin (no such user, no command) hide what explains it */
	}
	r = explain_row(s, im, row, why.n ? NULL : &why);
	if (r == 0 && !o->probe)
		row->state = COMPARE_WORKS;
	else if (r <= 0 && why.n)
		fail_with(row, &why);
}

/* ---- rows ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* name_record.failed: err_save's bytes in hex. */
static void load_failure(const char *hex, struct err *out)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };

	for (; hex_digit(hex[0]) >= 0 && hex_digit(hex[1]) >= 0; hex += 2)
		buf_char(&bytes, (char)(hex_digit(hex[0]) << 4 | hex_digit(hex[1])));
	if (err_load(buf_view(&bytes), out) < 0 || out->n == 0) {
		(void)err_set(out, ERR_DATA, "its error was not kept");
		(void)err_hint(out, "build it again to see the whole error");
	}
}

/* 1: the last build of this name failed; 0. What is no name (an id) is left to image_open. */
static int fill_failed(struct store *s, const char *name, struct compare_row *row, struct err *e)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(name_record_done) struct name_record rec = { 0 };
	_free_ char *text = NULL;
	int r;

	if (reference_parse(slice_of(name), &ref, NULL) < 0)
		return 0;
	text = reference_text(&ref);
	r = name_get(s, text, &rec, e);
	if (r <= 0 || !rec.failed)
		return r < 0 ? -1 : 0;
	row->state = COMPARE_NOT_BUILT;
	load_failure(rec.failed, &row->error);
	row->why = str_dup(row->error.chain[0]);
	row->mend = row->error.hints_n ? str_dup(row->error.hints[0]) : NULL;
	return 1;
}

static int fill_row(struct store *s, const char *name, const struct compare_opts *o,
		    struct compare_row *row, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	int r = fill_failed(s, name, row, e);

	row->name = str_dup(name);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (image_open(s, name, &im, &why) < 0) {
		if (why.kind != ERR_DATA) {
			if (e)
				err_move(e, &why);
			return -1;
		}
		fail_with(row, &why); /* damaged */
		return 0;
	}
	row->size = im.size;
	row->layers = (unsigned)im.snaps.n;
	try_row(s, &im, o, row);
	return 0;
}

static int cmp_rows(const void *a, const void *b)
{
	const struct compare_row *x = a, *y = b;
	bool nx = x->state == COMPARE_NOT_BUILT, ny = y->state == COMPARE_NOT_BUILT;

	if (nx != ny)
		return nx - ny;
	return (x->size > y->size) - (x->size < y->size);
}

/* Insertion: stable, and there are few. */
static void sort_rows(struct compare_rows *rows)
{
	for (size_t i = 1; i < rows->n; i++) {
		struct compare_row row = rows->p[i];
		size_t at = i;
		for (; at > 0 && cmp_rows(&rows->p[at - 1], &row) > 0; at--)
			rows->p[at] = rows->p[at - 1];
		rows->p[at] = row;
	}
}

int compare_images(struct store *s, const struct strs *names, const struct compare_opts *o,
		   struct compare_rows *out, struct err *e)
{
	_cleanup_(compare_rows_done) struct compare_rows rows = { 0 };
	uint64_t largest = 0;

	for (size_t i = 0; i < names->n; i++)
		if (fill_row(s, names->p[i], o, arr_add(&rows), e) < 0)
			return -1;
	sort_rows(&rows);
	arr_each(r, &rows)
		largest = r->size > largest ? r->size : largest;
	arr_each(r, &rows)
		r->smaller = r->size ? (double)largest / (double)r->size : 0;
	*out = rows;
	rows = (struct compare_rows){ 0 };
	return 0;
}

bool compare_all_work(const struct compare_rows *rows)
{
	arr_each(r, rows)
		if (r->state != COMPARE_WORKS)
			return false;
	return true;
}
