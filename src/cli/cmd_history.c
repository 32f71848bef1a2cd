/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/js.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "report/rows.h"
#include "store/image.h"

struct history_args {
	bool human, no_trunc, quiet, json;
	const char *format;
};
static const struct history_args defaults = { .human = true };

static const struct opt opts[] = {
	OPT_STR(0, "format", struct history_args, format, "FORMAT",
		"'table', 'table TEMPLATE', 'json' or a Go template: '{{.CreatedBy}}'"),
	OPT_FLAG('H', "human", struct history_args, human,
		 "sizes and dates for people (default true)"),
	OPT_FLAG(0, "json", struct history_args, json, "print a JSON array, sizes in bytes"),
	OPT_FLAG(0, "no-trunc", struct history_args, no_trunc, "do not cut columns"),
	OPT_FLAG('q', "quiet", struct history_args, quiet, "only the image IDs"),
	{ 0 },
};

static const struct rows_field fields[] = {
	{ "Comment", "COMMENT" },
	{ "CreatedAt", "CREATED AT" },
	{ "CreatedBy", "CREATED BY" },
	{ "CreatedSince", "CREATED" },
	{ "ID", "IMAGE" },
	{ "Size", "SIZE" },
	{ 0 },
};

#define CREATED_BY_MAX 45 /* characters, as docker cuts it */

static json_t *row(const struct history_args *a, const struct image *im, const struct history *h,
		   uint64_t size, bool first)
{
	const struct timespec *created = h->has_created ? &h->created : NULL;
	char text[CLOCK_LEN];
	_free_ char *bytes = str_printf("%llu", (unsigned long long)size);
	json_t *by = show_line(h->created_by), *o = json_object();
	if (!a->no_trunc) {
		json_t *cut = show_cut(json_string_value(by), CREATED_BY_MAX);
		json_decref(by);
		by = cut;
	}
	json_t *at = created ? json_string(clock_rfc3339(*created, text)) : json_string("N/A");
	(void)json_object_set_new(o, "Comment", show_line(h->comment));
	(void)json_object_set_new(o, "CreatedAt", at);
	(void)json_object_set_new(o, "CreatedBy", by);
	(void)json_object_set_new(o, "CreatedSince",
				  a->human ? show_ago(created) : json_incref(at));
	(void)json_object_set_new(o, "ID",
				  first ? show_id(&im->id, a->no_trunc) : json_string("<missing>"));
	(void)json_object_set_new(o, "Size", a->human ? show_size(size) : json_string(bytes));
	return o;
}

static json_t *plain_row(const struct image *im, const struct history *h, uint64_t size, bool first)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, "ID", first ? show_id(&im->id, true) : json_null());
	(void)json_object_set_new(o, "Created", show_rfc3339(h->has_created ? &h->created : NULL));
	(void)json_object_set_new(o, "CreatedBy", js_text(slice_of(h->created_by)));
	(void)json_object_set_new(o, "Size", json_integer((json_int_t)size));
	(void)json_object_set_new(o, "Comment", js_text(slice_of(h->comment)));
	(void)json_object_set_new(o, "EmptyLayer", json_boolean(h->empty_layer));
	return o;
}

static int layer_size(struct store *s, const char *id, uint64_t *size, struct err *e)
{
	struct snap sn = SNAP_INIT;
	if (snap_info(s, id, &sn, e) < 0)
		return -1;
	*size = sn.size;
	snap_close(&sn);
	return 0;
}

struct step {
	const struct history *h;
	uint64_t size;
};

/* Oldest first. Layers belong in order to the entries that are not empty; in a strange config there
 * may be too many of either. */
static int steps_of(struct store *s, const struct image *im, struct step *steps, size_t *n,
		    struct err *e)
{
	static const struct history unknown;
	size_t layer = 0;
	*n = 0;
	arr_each(h, &im->config.history) {
		struct step *st = &steps[(*n)++];
		st->h = h;
		if (!h->empty_layer && layer < im->snaps.n &&
		    layer_size(s, im->snaps.p[layer++], &st->size, e) < 0)
			return -1;
	}
	while (layer < im->snaps.n) {
		struct step *st = &steps[(*n)++];
		st->h = &unknown;
		if (layer_size(s, im->snaps.p[layer++], &st->size, e) < 0)
			return -1;
	}
	return 0;
}

/* Newest first. */
static json_t *list(struct store *s, const struct history_args *a, const struct image *im,
		    struct err *e)
{
	_free_ struct step *steps = mem_array(im->config.history.n + im->snaps.n + 1,
					      sizeof *steps);
	size_t n;
	if (steps_of(s, im, steps, &n, e) < 0)
		return NULL;
	json_t *rows = json_array();
	for (size_t i = n; i-- > 0;)
		(void)json_array_append_new(
			rows, a->json ? plain_row(im, steps[i].h, steps[i].size, i + 1 == n)
				      : row(a, im, steps[i].h, steps[i].size, i + 1 == n));
	return rows;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct history_args *a = args;
	_cleanup_(image_done) struct image im = { 0 };
	_cleanup_(buf_done) struct buf out = { 0 };
	if (cli_no_scratch(words->p[0], "show the history of", e) < 0)
		return -1;
	struct store *s = cli_store(c, false, e);
	if (!s || image_open(s, words->p[0], &im, e) < 0)
		return -1;
	json_t *rows = list(s, a, &im, e);
	if (!rows)
		return -1;
	if (a->json) {
		show_json(c, rows);
		return 0;
	}
	const char *format = a->quiet && rows_is_table(a->format) ? "{{.ID}}" : a->format;
	int r = rows_print(
		rows, fields,
		"table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}", format,
		NULL, &out, e);
	json_decref(rows);
	cli_print(c, &out, true);
	return r;
}

const struct cmd cmd_history = {
	"history",
	"[OPTIONS] IMAGE",
	"show how an image was made",
	opts,
	sizeof(struct history_args),
	run,
	.min = 1,
	.max = 1,
	.defaults = &defaults,
	.group = GROUP_IMAGES,
	.examples =
		"  thimble history hello:gcc\n"
		"  thimble history --no-trunc --format '{{.Size}}\\t{{.CreatedBy}}' hello:gcc\n",
};
