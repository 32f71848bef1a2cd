/* SPDX-License-Identifier: Apache-2.0 */
/* prune (system prune), image prune, builder prune. */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "store/store.h"

struct prune_args {
	bool all, volumes, force, json;
};

#define FORCE  OPT_FLAG('f', "force", struct prune_args, force, "do not ask")
#define JSON   OPT_FLAG(0, "json", struct prune_args, json, "print JSON, sizes in bytes")
#define FILTER OPT_LATER(0, "filter", "FILTER", "pruning by time or label comes in a later version")

static const struct opt prune_opts[] = {
	OPT_FLAG('a', "all", struct prune_args, all, "also images that have a name"),
	FILTER,
	FORCE,
	JSON,
	OPT_FLAG(0, "volumes", struct prune_args, volumes, "also named volumes"),
	{ 0 },
};
static const struct opt image_opts[] = {
	OPT_FLAG('a', "all", struct prune_args, all,
		 "also images that have a name, and the build cache that holds their layers"),
	FILTER,
	FORCE,
	JSON,
	{ 0 },
};
static const struct opt builder_opts[] = {
	OPT_FLAG('a', "all", struct prune_args, all,
		 "the same: all of the build cache goes anyway"),
	FILTER,
	FORCE,
	JSON,
	{ 0 },
};

static int ask(const struct prune_opts *o, struct err *e)
{
	_cleanup_(buf_done) struct buf q = { 0 };
	buf_str(&q, "WARNING! This will remove:\n");
	if (o->all)
		buf_str(&q, "  - all images that are not in use\n");
	else if (o->images)
		buf_str(&q, "  - all images without a name\n");
	if (o->cache || o->all)
		buf_str(&q, "  - the build cache\n");
	if (o->volumes)
		buf_str(&q, "  - all volumes that are not in use\n");
	buf_str(&q, "\nAre you sure you want to continue?");
	return cli_confirm(q.p, "-f", e);
}

static void show(struct cli *c, const struct prune_result *res)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	char size[NUM_SIZE_LEN];
	if (res->what.n) {
		buf_str(&out, "Deleted:\n");
		arr_each(line, &res->what)
			buf_printf(&out, "%s\n", *line);
	}
	if (res->records)
		buf_printf(&out, "%sDeleted build cache records: %u\n", out.len ? "\n" : "",
			   res->records);
	buf_printf(&out, "%sTotal reclaimed space: %s\n", out.len ? "\n" : "",
		   num_size(res->bytes, size));
	cli_print(c, &out, true);
}

static void show_as_json(struct cli *c, const struct prune_result *res)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, "SpaceReclaimed", json_integer((json_int_t)res->bytes));
	(void)json_object_set_new(o, "Deleted", js_from_strs(&res->what));
	(void)json_object_set_new(o, "Names", json_integer(res->names));
	(void)json_object_set_new(o, "Snapshots", json_integer(res->snapshots));
	(void)json_object_set_new(o, "Blobs", json_integer(res->blobs));
	(void)json_object_set_new(o, "CacheRecords", json_integer(res->records));
	(void)json_object_set_new(o, "Volumes", json_integer(res->volumes));
	show_json(c, o);
}

static int prune(struct cli *c, const struct prune_args *a, const struct prune_opts *o,
		 struct err *e)
{
	struct prune_result res = { 0 };
	if (!a->force) {
		int yes = ask(o, e);
		if (yes <= 0)
			return yes < 0 ? -1 : 1;
	}
	struct store *s = cli_store_trees(c, false, e);
	/* a store that was never made holds nothing */
	if (!s && e->kind == ERR_ABSENT)
		err_done(e);
	else if (!s || store_prune(s, o, &res, e) < 0)
		return -1;
	if (a->json)
		show_as_json(c, &res);
	else
		show(c, &res);
	strs_done(&res.what);
	return 0;
}

static int run_prune(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct prune_args *a = args;
	(void)words;
	return prune(c, a,
		     &(struct prune_opts){
			     .images = true, .all = a->all, .cache = true, .volumes = a->volumes },
		     e);
}

static int run_image_prune(struct cli *c, const void *args, const struct words *words,
			   struct err *e)
{
	const struct prune_args *a = args;
	(void)words;
	return prune(c, a, &(struct prune_opts){ .images = true, .all = a->all }, e);
}

static int run_builder_prune(struct cli *c, const void *args, const struct words *words,
			     struct err *e)
{
	(void)words;
	return prune(c, args, &(struct prune_opts){ .cache = true }, e);
}

const struct cmd cmd_prune = {
	"prune",
	"[OPTIONS]",
	"remove what nobody uses",
	prune_opts,
	sizeof(struct prune_args),
	run_prune,
	.group = GROUP_STORE,
	.details =
		"Images without a name and the build cache go; what a living process uses stays.\n",
	.examples = "  thimble prune -f\n"
		    "  thimble prune -a --volumes\n",
};
const struct cmd cmd_image_prune = {
	"image prune",
	"[OPTIONS]",
	"remove images without a name",
	image_opts,
	sizeof(struct prune_args),
	run_image_prune,
	.group = GROUP_STORE,
	.man = "prune",
	.examples = "  thimble image prune -f\n",
};
const struct cmd cmd_builder_prune = {
	"builder prune",
	"[OPTIONS]",
	"remove the build cache",
	builder_opts,
	sizeof(struct prune_args),
	run_builder_prune,
	.group = GROUP_STORE,
	.man = "prune",
	.examples = "  thimble builder prune -f\n",
};
