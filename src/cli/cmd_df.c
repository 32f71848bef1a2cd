/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "report/rows.h"
#include "store/store.h"

struct df_args {
	bool json;
	const char *format;
};

static const struct opt opts[] = {
	OPT_STR(0, "format", struct df_args, format, "FORMAT",
		"'table', 'table TEMPLATE', 'json' or a Go template: '{{.Type}} {{.Size}}'"),
	OPT_FLAG(0, "json", struct df_args, json, "print a JSON array, sizes in bytes"),
	OPT_LATER('v', "verbose", NULL,
		  "one row for each thing comes in a later version; 'thimble images' lists images"),
	{ 0 },
};

static const struct rows_field fields[] = {
	{ "Reclaimable", "RECLAIMABLE" },
	{ "Size", "SIZE" },
	{ "TotalCount", "TOTAL" },
	{ "Type", "TYPE" },
	{ 0 },
};

static void row(const struct df_args *a, json_t *rows, const char *type, const unsigned *count,
		uint64_t size, bool reclaimable)
{
	json_t *o = json_object();
	_free_ char *total = count ? str_printf("%u", *count) : str_dup("-");
	(void)json_object_set_new(o, "Type", json_string(type));
	if (a->json) {
		(void)json_object_set_new(o, "TotalCount",
					  count ? json_integer(*count) : json_null());
		(void)json_object_set_new(o, "Size", json_integer((json_int_t)size));
	} else {
		(void)json_object_set_new(o, "TotalCount", json_string(total));
		(void)json_object_set_new(o, "Size", show_size(size));
		(void)json_object_set_new(o, "Reclaimable", show_size(reclaimable ? size : 0));
	}
	(void)json_array_append_new(rows, o);
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct df_args *a = args;
	struct store_usage u = { 0 };
	_cleanup_(buf_done) struct buf out = { 0 };
	(void)words;
	/* what belongs to subordinate ids can be measured inside the namespace only */
	struct store *s = cli_store_trees(c, false, e);
	if (!s && e->kind == ERR_ABSENT)
		err_done(e); /* never made: nothing is used */
	else if (!s || store_usage(s, &u, e) < 0)
		return -1;
	json_t *rows = json_array();
	row(a, rows, "Images", &u.images_n, u.images, false);
	row(a, rows, "Build Cache", &u.cache_n, u.cache, true);
	row(a, rows, "Cache Mounts", NULL, u.mounts, true);
	row(a, rows, "Local Volumes", &u.volumes_n, u.volumes, false);
	if (a->json) {
		show_json(c, rows);
		return 0;
	}
	int r = rows_print(rows, fields,
			   "table {{.Type}}\t{{.TotalCount}}\t{{.Size}}\t{{.Reclaimable}}",
			   a->format, NULL, &out, e);
	json_decref(rows);
	cli_print(c, &out, true);
	return r;
}

const struct cmd cmd_df = {
	"df",
	"[OPTIONS]",
	"show how much disk is used",
	opts,
	sizeof(struct df_args),
	run,
	.group = GROUP_STORE,
	.details = "RECLAIMABLE is what 'thimble builder prune' frees.\n",
	.examples = "  thimble df\n",
};
