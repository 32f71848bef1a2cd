/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "image/load.h"
#include "oci/reference.h"

struct load_args {
	const char *input, *platform;
	bool quiet, json;
};

static const struct opt opts[] = {
	OPT_STR('i', "input", struct load_args, input, "FILE",
		"an archive or an OCI layout directory; without it standard input"),
	OPT_FLAG(0, "json", struct load_args, json, "print a JSON array"),
	OPT_STR(0, "platform", struct load_args, platform, "OS/ARCH",
		"of images for several, take this one"),
	OPT_FLAG('q', "quiet", struct load_args, quiet, "print nothing"),
	{ 0 },
};

static char *familiar(const char *full)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	if (reference_parse(slice_of(full), &ref, NULL) < 0)
		return str_dup(full); /* it was set, so it can be read; shown as it is otherwise */
	return reference_familiar(&ref);
}

static void show_text(struct cli *c, const struct image_loads *loads)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	char id[DIGEST_LEN];
	arr_each(l, loads) {
		if (!l->names.n)
			buf_printf(&out, "Loaded image ID: %s\n", digest_text(&l->id, id));
		arr_each(name, &l->names) {
			_free_ char *text = familiar(*name);
			buf_printf(&out, "Loaded image: %s\n", text);
		}
	}
	cli_print(c, &out, true);
}

static void show_as_json(struct cli *c, const struct image_loads *loads)
{
	json_t *list = json_array();
	arr_each(l, loads) {
		json_t *o = json_object(), *names = json_array();
		arr_each(name, &l->names) {
			_free_ char *text = familiar(*name);
			(void)json_array_append_new(names, json_string(text));
		}
		(void)json_object_set_new(o, "ID", show_id(&l->id, true));
		(void)json_object_set_new(o, "Digest", show_id(&l->manifest, true));
		(void)json_object_set_new(o, "Names", names);
		(void)json_array_append_new(list, o);
	}
	show_json(c, list);
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct load_args *a = args;
	struct platform platform = { 0 };
	struct image_loads loads = { 0 };
	const char *input = a->input && strcmp(a->input, "-") != 0 ? a->input : NULL;
	(void)words;
	if (!input && isatty(STDIN_FILENO)) {
		cli_wrong(c, e, "a terminal gives no archive");
		return err_hint(e, "thimble %s -i FILE", c->said);
	}
	if (a->platform && platform_parse(slice_of(a->platform), &platform, e) < 0)
		return -1;
	struct store *s = cli_store_trees(c, true, e);
	struct image_load_opts o = { .platform = a->platform ? &platform : NULL };
	int r = s ? image_load(s, STDIN_FILENO, input, &o, &loads, e) : -1;
	platform_done(&platform);
	if (r < 0)
		return -1;
	if (a->json)
		show_as_json(c, &loads);
	else if (!a->quiet)
		show_text(c, &loads);
	image_loads_done(&loads);
	return 0;
}

const struct cmd cmd_load = {
	"load",
	"[OPTIONS]",
	"take images from an archive",
	opts,
	sizeof(struct load_args),
	run,
	.unwinds = true,
	.group = GROUP_IMAGES,
	.details =
		"Takes OCI layouts (directories and archives) and what 'docker save' writes, compressed or not.\n",
	.examples = "  thimble load -i hello.tar\n"
		    "  docker save hello:1 | thimble load\n",
};
