/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "oci/reference.h"
#include "report/rows.h"
#include "store/image.h"

struct images_args {
	bool all, digests, quiet, no_trunc, json;
	const char *format, *sort;
	struct strs filter;
};

static const struct opt opts[] = {
	OPT_FLAG('a', "all", struct images_args, all,
		 "also untagged images, and names whose build failed"),
	OPT_FLAG(0, "digests", struct images_args, digests, "show digests"),
	OPT_LIST('f', "filter", struct images_args, filter, "FILTER",
		 "only what matches: dangling=true|false, reference=PATTERN, label=KEY[=VALUE]"),
	OPT_STR(0, "format", struct images_args, format, "FORMAT",
		"'table', 'table TEMPLATE', 'json' or a Go template: '{{.Repository}}:{{.Tag}}'"),
	OPT_FLAG(0, "json", struct images_args, json, "print a JSON array, sizes in bytes"),
	OPT_FLAG(0, "no-trunc", struct images_args, no_trunc, "do not cut IDs"),
	OPT_FLAG('q', "quiet", struct images_args, quiet, "only the image IDs"),
	OPT_CHOICE(0, "sort", struct images_args, sort, "created|name|size",
		   "newest first, by name, or smallest first (default created)"),
	{ 0 },
};

/* ---- filters ---- */
struct want {
	int dangling; /* -1: either */
	struct strs patterns; /* references; any of them */
	struct strs labels; /* all of them */
};

static int add_filter(struct cli *c, struct want *w, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	struct slice key = { text, eq ? (size_t)(eq - text) : strlen(text) };
	if (!eq)
		return cli_wrong(c, e, "--filter wants KEY=VALUE, not '%s'", text);
	if (slice_is(key, "reference")) {
		strs_add(&w->patterns, eq + 1);
	} else if (slice_is(key, "label")) {
		strs_add(&w->labels, eq + 1);
	} else if (slice_is(key, "dangling")) {
		bool yes = strcmp(eq + 1, "true") == 0 || strcmp(eq + 1, "1") == 0;
		if (!yes && strcmp(eq + 1, "false") != 0 && strcmp(eq + 1, "0") != 0)
			return cli_wrong(c, e, "--filter dangling is true or false, not '%s'",
					 eq + 1);
		w->dangling = yes;
	} else {
		cli_wrong(c, e, "--filter %.*s is not supported", SLF(key));
		return err_hint(e, "filters: dangling=, reference=, label=");
	}
	return 0;
}

static int has_labels(struct store *s, const struct image_row *row, const struct strs *labels)
{
	if (!labels->n)
		return 1;
	_cleanup_(image_done) struct image im = { 0 };
	/* an image that cannot be read has no labels; inspect says what is wrong with it */
	if (image_open_digest(s, &row->manifest, &im, NULL) < 0)
		return 0;
	arr_each(l, labels) {
		const char *eq = strchr(*l, '=');
		_free_ char *key = eq ? str_ndup(*l, (size_t)(eq - *l)) : str_dup(*l);
		const char *v = kvs_get(&im.config.labels, key);
		if (!v || (eq && strcmp(v, eq + 1) != 0))
			return 0;
	}
	return 1;
}

static int is_wanted(struct cli *c, const struct images_args *a, const struct want *w,
		     const struct image_row *row, struct err *e)
{
	bool dangling = !row->ref.path, built = !digest_is_zero(&row->manifest);
	if ((!built && !a->all) || (dangling && !a->all && w->dangling != 1) ||
	    (w->dangling >= 0 && w->dangling != dangling))
		return 0;
	int found = w->patterns.n == 0;
	arr_each(p, &w->patterns) {
		int r = dangling ? 0 : cli_name_matches(&row->ref, *p);
		if (r < 0)
			return cli_wrong(c, e, "'%s' is no valid pattern", *p);
		found |= r;
	}
	return found && has_labels(c->store, row, &w->labels);
}

/* ---- order ---- */
static int by_created(const void *x, const void *y)
{
	const struct image_row *a = x, *b = y;
	if (a->created.tv_sec != b->created.tv_sec)
		return a->created.tv_sec < b->created.tv_sec ? 1 : -1;
	return (a->created.tv_nsec < b->created.tv_nsec) -
	       (a->created.tv_nsec > b->created.tv_nsec);
}

static int by_name(const void *x, const void *y)
{
	const struct image_row *a = x, *b = y;
	if (!a->ref.path || !b->ref.path) /* untagged ones last */
		return !a->ref.path - !b->ref.path;
	_free_ char *s = reference_familiar(&a->ref), *t = reference_familiar(&b->ref);
	return strcmp(s, t);
}

static int by_size(const void *x, const void *y)
{
	const struct image_row *a = x, *b = y;
	return a->size != b->size ? (a->size > b->size) - (a->size < b->size) : by_name(x, y);
}

static void sort_rows(struct image_rows *rows, const char *how)
{
	int (*cmp)(const void *, const void *) = by_created;
	if (how && strcmp(how, "name") == 0)
		cmp = by_name;
	if (how && strcmp(how, "size") == 0)
		cmp = by_size;
	if (rows->n > 1)
		qsort(rows->p, rows->n, sizeof *rows->p, cmp);
}

/* ---- rows ---- */
static json_t *name_of(const struct image_row *row)
{
	if (!row->ref.path)
		return json_string("<none>");
	json_t *v = NULL;
	_free_ char *name = reference_familiar_name(&row->ref);
	v = json_string(name);
	return v;
}

/* Built, and not found damaged. */
static bool is_whole(const struct image_row *row)
{
	return !digest_is_zero(&row->id);
}

static json_t *plain_row(const struct image_row *row)
{
	bool built = !digest_is_zero(&row->manifest);
	json_t *o = json_object();
	(void)json_object_set_new(o, "Repository", name_of(row));
	(void)json_object_set_new(o, "Tag",
				  row->ref.tag ? json_string(row->ref.tag) : json_string("<none>"));
	(void)json_object_set_new(o, "ID", is_whole(row) ? show_id(&row->id, true) : json_null());
	(void)json_object_set_new(o, "Digest", built ? show_id(&row->manifest, true) : json_null());
	(void)json_object_set_new(o, "Created", show_rfc3339(is_whole(row) ? &row->created : NULL));
	(void)json_object_set_new(o, "Size", json_integer((json_int_t)row->size));
	(void)json_object_set_new(o, "Layers", json_integer(row->layers));
	(void)json_object_set_new(o, "Failed",
				  row->failed ? json_string(row->failed) : json_null());
	return o;
}

static const struct rows_field fields[] = {
	{ "Containers", "CONTAINERS" },
	{ "CreatedAt", "CREATED AT" },
	{ "CreatedSince", "CREATED" },
	{ "Digest", "DIGEST" },
	{ "ID", "IMAGE ID" },
	{ "Layers", "LAYERS" },
	{ "Repository", "REPOSITORY" },
	{ "SharedSize", "SHARED SIZE" },
	{ "Size", "SIZE" },
	{ "Tag", "TAG" },
	{ "UniqueSize", "UNIQUE SIZE" },
	{ 0 },
};

/* As docker's formatter has it: all strings, sorted. */
static json_t *shown_row(const struct image_row *row, bool no_trunc)
{
	bool built = !digest_is_zero(&row->manifest);
	const struct timespec *created = is_whole(row) ? &row->created : NULL;
	_free_ char *layers = str_printf("%u", row->layers);
	json_t *o = json_object();
	(void)json_object_set_new(o, "Containers", json_string("N/A"));
	(void)json_object_set_new(o, "CreatedAt", show_at(created));
	(void)json_object_set_new(o, "CreatedSince", show_ago(created));
	(void)json_object_set_new(o, "Digest",
				  built ? show_id(&row->manifest, true) : json_string("<none>"));
	(void)json_object_set_new(o, "ID",
				  is_whole(row) ? show_id(&row->id, no_trunc)
						: json_string(built ? "<damaged>" : "<not built>"));
	(void)json_object_set_new(o, "Layers", json_string(layers));
	(void)json_object_set_new(o, "Repository", name_of(row));
	(void)json_object_set_new(o, "SharedSize", json_string("N/A"));
	(void)json_object_set_new(o, "Size", show_size(row->size));
	(void)json_object_set_new(o, "Tag", json_string(row->ref.tag ? row->ref.tag : "<none>"));
	(void)json_object_set_new(o, "UniqueSize", json_string("N/A"));
	return o;
}

static int show(struct cli *c, const struct images_args *a, const struct image_rows *rows,
		struct err *e)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	json_t *list = json_array();
	arr_each(row, rows)
		(void)json_array_append_new(list,
					    a->json ? plain_row(row) : shown_row(row, a->no_trunc));
	if (a->json) {
		show_json(c, list);
		return 0;
	}
	const char *standard =
		"table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
	if (a->digests)
		standard =
			"table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}";
	const char *format = a->format;
	if (a->quiet && rows_is_table(format))
		format = "{{.ID}}";
	int r = rows_print(list, fields, standard, format, NULL, &out, e);
	json_decref(list);
	cli_print(c, &out, true);
	return r;
}

static int collect(struct cli *c, const struct images_args *a, const struct want *w,
		   struct image_rows *out, struct err *e)
{
	_cleanup_(image_rows_done) struct image_rows all = { 0 };
	struct err why = { 0 };
	struct store *s = cli_store(c, false, &why);
	if (!s && why.kind == ERR_ABSENT) { /* nothing was ever made: an empty list */
		err_done(&why);
		return 0;
	}
	if (!s) {
		err_move(e, &why);
		return -1;
	}
	if (images_list(s, a->all || w->dangling == 1, &all, e) < 0)
		return -1;
	arr_each(row, &all) {
		int r = is_wanted(c, a, w, row, e);
		if (r < 0)
			return -1;
		if (r && !digest_is_zero(&row->manifest) && !is_whole(row) && row->failed) {
			_free_ char *name = row->ref.path ? reference_familiar(&row->ref)
							  : str_dup("an untagged image");
			cli_warn(c, "%s: %s", name, row->failed);
		}
		if (r) {
			arr_push(out, *row);
			memset(row, 0, sizeof *row); /* moved */
		}
	}
	return 0;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct images_args *a = args;
	_cleanup_(image_rows_done) struct image_rows rows = { 0 };
	struct want w = { .dangling = -1 };
	int r = 0;
	arr_each(f, &a->filter)
		if (r == 0)
			r = add_filter(c, &w, *f, e);
	for (size_t i = 0; i < words->n; i++)
		strs_add(&w.patterns, words->p[i]);
	if (r == 0)
		r = collect(c, a, &w, &rows, e);
	strs_done(&w.patterns);
	strs_done(&w.labels);
	if (r < 0)
		return -1;
	sort_rows(&rows, a->sort);
	return show(c, a, &rows, e);
}

const struct cmd cmd_images = {
	"images",
	"[OPTIONS] [NAME[:TAG]...]",
	"list images",
	opts,
	sizeof(struct images_args),
	run,
	.max = ARGS_ANY,
	.group = GROUP_IMAGES,
	.details =
		"NAME may hold * ? and [a-z]. SIZE is the sum of the sizes of the files in all layers.\n",
	.examples = "  thimble images\n"
		    "  thimble images 'hello*' --sort size\n"
		    "  thimble images --format '{{.Repository}}:{{.Tag}} {{.Size}}'\n"
		    "  thimble images -q --filter dangling=true\n",
};
