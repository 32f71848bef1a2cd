/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "explain/compare.h"
#include "report/table.h"

struct compare_args {
	const char *time;
	bool json, fail;
};

static const struct opt opts[] = {
	OPT_FLAG(0, "fail", struct compare_args, fail, "exit with 1 if a row fails"),
	OPT_STR(0, "for", struct compare_args, time, "TIME",
		"an image that still runs then works: 5s, 500ms, or seconds (default 5s)"),
	OPT_FLAG(0, "json", struct compare_args, json, "print a JSON array, sizes in bytes"),
	{ 0 },
};

static int read_time(struct cli *c, const char *text, int64_t *ns, struct err *e)
{
	uint64_t seconds;
	*ns = COMPARE_FOR_NS;
	if (!text)
		return 0;
	if (num_parse(slice_of(text), 86400, &seconds) == 0)
		*ns = (int64_t)seconds * 1000000000;
	else if (clock_parse_duration(slice_of(text), ns) < 0)
		*ns = 0;
	if (*ns <= 0 || *ns > INT64_C(86400000000000))
		return cli_wrong(c, e, "--for wants a time like 5s or 500ms, at most 24h, not '%s'",
				 text);
	return 0;
}

/* ---- names ---- */
static bool has_tag(const char *word)
{
	const char *slash = strrchr(word, '/');
	return strchr(slash ? slash : word, ':') || strchr(word, '@');
}

/* A NAME without a tag is all of its tags, a pattern is all that it matches. */
static int expand(struct store *s, const char *word, const struct strs *refs, struct strs *out,
		  struct err *e)
{
	bool magic = path_has_magic(slice_of(word)), whole = has_tag(word);
	size_t before = out->n;
	(void)s;
	for (size_t i = 0; i < refs->n && (magic || !whole); i++) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (reference_parse(slice_of(refs->p[i]), &ref, e) < 0)
			return -1;
		int r = cli_name_matches(&ref, word);
		if (r < 0)
			return err_set(e, ERR_USER, "'%s' is no valid pattern", word);
		if (r) {
			_free_ char *name = reference_familiar(&ref);
			if (strs_find(out, name) < 0)
				strs_add(out, name);
		}
	}
	if (out->n == before && magic)
		return err_set(e, ERR_ABSENT, "no image has a name like '%s'", word);
	if (out->n == before && strs_find(out, word) < 0)
		strs_add(out, word);
	return 0;
}

static int expand_all(struct store *s, const struct words *words, struct strs *out, struct err *e)
{
	_cleanup_(strs_done) struct strs refs = { 0 };
	if (names_list(s, &refs, e) < 0)
		return -1;
	for (size_t i = 0; i < words->n; i++)
		if (cli_no_scratch(words->p[i], "compare", e) < 0 ||
		    expand(s, words->p[i], &refs, out, e) < 0)
			return -1;
	return 0;
}

/* ---- as text ---- */
static void table_of(const struct compare_rows *rows, struct buf *out)
{
	_cleanup_(table_done) struct table t = { .right = 2 | 4 | 8 };
	static const char *const heads[] = { "IMAGE", "SIZE", "SMALLER", "LAYERS", "RESULT", "WHY" };
	for (size_t i = 0; i < COUNT_OF(heads); i++)
		table_cell(&t, heads[i]);
	table_row(&t);
	arr_each(row, rows) {
		char size[NUM_SIZE_LEN];
		bool built = row->state != COMPARE_NOT_BUILT;
		table_cell(&t, row->name);
		table_cell(&t, built ? num_size(row->size, size) : "-");
		if (row->smaller > 0)
			table_cellf(&t, row->smaller < 9.95 ? "%.1fx" : "%.0fx", row->smaller);
		else
			table_cell(&t, "-");
		if (built)
			table_cellf(&t, "%u", row->layers);
		else
			table_cell(&t, "-");
		table_cell(&t, compare_state_name(row->state));
		if (row->why)
			table_cell(&t, row->why);
		table_row(&t);
	}
	table_print(&t, out);
}

/* The last lines of what a program wrote. */
static void tail_of(const char *text, struct err *e)
{
	struct slice s = slice_trim(slice_of(text)), t = s;
	for (int lines = 0; lines < 5 && t.n; lines++) {
		size_t at = slice_rfind(t, '\n');
		t.n = at == t.n ? 0 : at;
	}
	(void)err_output(e, slice_trim_left(slice_from(s, t.n)));
}

/* Why a row does not work, and what to do, under the row's name. */
static void reason(struct cli *c, struct compare_row *row, struct buf *out)
{
	static const char lead[] = "thimble: ";
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	if (row->x.cause != CAUSE_NONE) {
		(void)explanation_to_err(&row->x, &e);
	} else if (row->error.n) {
		err_move(&e, &row->error);
	} else {
		err_set(&e, ERR_PROG, "%s", row->why ? row->why : "it fails");
		if (row->run.output && *row->run.output)
			tail_of(row->run.output, &e);
		else if (row->why)
			return; /* the table said all there is */
	}
	err_format(&e, c->color && c->out_tty, &text);
	const char *at = strstr(text.p, lead);
	buf_printf(out, "\n%s: %s", row->name, at ? at + strlen(lead) : text.p);
}

static void show(struct cli *c, struct compare_rows *rows)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	table_of(rows, &out);
	arr_each(row, rows)
		if (row->state != COMPARE_WORKS)
			reason(c, row, &out);
	cli_print(c, &out, false);
}

/* ---- as JSON ---- */
static json_t *row_json(const struct compare_row *row)
{
	json_t *o = json_object();
	bool built = row->state != COMPARE_NOT_BUILT;
	_cleanup_(buf_done) struct buf line = { 0 };
	if (row->error.n)
		err_line(&row->error, &line);
	(void)json_object_set_new(o, "Name", json_string(row->name));
	(void)json_object_set_new(o, "State", json_string(compare_state_name(row->state)));
	(void)json_object_set_new(o, "Size",
				  built ? json_integer((json_int_t)row->size) : json_null());
	(void)json_object_set_new(o, "Smaller",
				  row->smaller > 0 ? json_real(row->smaller) : json_null());
	(void)json_object_set_new(o, "Layers", built ? json_integer(row->layers) : json_null());
	(void)json_object_set_new(o, "Running", json_boolean(row->run.running));
	(void)json_object_set_new(o, "ExitStatus",
				  built && !row->run.running ? json_integer(row->run.status)
							     : json_null());
	(void)json_object_set_new(o, "Seconds",
				  built ? json_real((double)row->run.ns / 1e9) : json_null());
	(void)json_object_set_new(o, "Why", row->why ? js_text(slice_of(row->why)) : json_null());
	(void)json_object_set_new(
		o, "Cause", row->x.cause ? json_string(cause_name(row->x.cause)) : json_null());
	(void)json_object_set_new(o, "Because", js_from_strs(&row->x.because));
	(void)json_object_set_new(o, "Mends", js_from_strs(&row->x.mends));
	(void)json_object_set_new(o, "Error", line.len ? js_text(buf_view(&line)) : json_null());
	return o;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct compare_args *a = args;
	_cleanup_(strs_done) struct strs names = { 0 };
	_cleanup_(compare_rows_done) struct compare_rows rows = { 0 };
	struct compare_opts o = { .probe = compare_by_container };
	if (read_time(c, a->time, &o.for_ns, e) < 0)
		return -1;
	struct store *s = cli_store_trees(c, false, e);
	o.ctx = s;
	if (!s || expand_all(s, words, &names, e) < 0 ||
	    compare_images(s, &names, &o, &rows, e) < 0)
		return -1;
	bool works = compare_all_work(&rows);
	if (a->json) {
		json_t *list = json_array();
		arr_each(row, &rows)
			(void)json_array_append_new(list, row_json(row));
		show_json(c, list);
	} else {
		show(c, &rows);
	}
	return a->fail && !works ? 1 : 0;
}

const struct cmd cmd_compare = {
	"compare",
	"[OPTIONS] NAME[:TAG]...",
	"run images, and tell how big each is and whether it works",
	opts,
	sizeof(struct compare_args),
	run,
	.min = 1,
	.max = ARGS_ANY,
	.group = GROUP_BUILD,
	.details =
		"Works: exit status 0 in time, or still running then. The images run without network. NAME alone\n"
		"stands for all its tags. The exit status is 0 whatever the table says, but for --fail.\n",
	.examples = "  thimble compare hello\n"
		    "  thimble compare --for 2s --json hello:gcc hello:scratch\n",
};
