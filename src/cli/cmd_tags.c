/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "cli/registry_args.h"
#include "cli/show.h"
#include "registry/client.h"

struct tags_args {
	struct registry_args reg;
	bool json;
};

static const struct opt opts[] = {
	OPT_FLAG(0, "json", struct tags_args, json, "print a JSON object: Repository, Tags"),
	REGISTRY_OPTS(struct tags_args, reg),
	{ 0 },
};

/* The parser fills in a tag where there was none: it is looked for in the text. */
static bool has_tag(const char *word)
{
	const char *slash = strrchr(word, '/');
	return strpbrk(slash ? slash : word, ":@") != NULL;
}

static void show(struct cli *c, bool json, const struct reference *ref, const struct strs *tags)
{
	if (json) {
		json_t *o = json_object();
		_free_ char *name = reference_familiar_name(ref);
		(void)json_object_set_new(o, "Repository", json_string(name));
		(void)json_object_set_new(o, "Tags", js_from_strs(tags));
		show_json(c, o);
		return;
	}
	_cleanup_(buf_done) struct buf out = { 0 };
	arr_each(it, tags)
		buf_printf(&out, "%s\n", *it);
	cli_print(c, &out, true);
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct tags_args *a = args;
	const char *word = words->p[0];
	struct registry_opts o;
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(strs_done) struct strs tags = { 0 };
	if (strncmp(word, "docker://", 9) == 0) /* as skopeo's list-tags wants it */
		word += 9;
	if (reference_parse(slice_of(word), &ref, e) < 0)
		return -1;
	if (has_tag(word))
		return cli_wrong(c, e, "'thimble tags' wants a repository, not the tag '%s'", word);
	if (registry_args_opts(c, &a->reg, &o, &creds, e) < 0)
		return -1;
	_cleanup_(registry_closep) struct registry *r = registry_open(&o, &ref, REGISTRY_PULL, e);
	if (!r || registry_tags(r, &tags, e) < 0)
		return err_add(e, "list the tags of '%s'", word);
	strs_sort(&tags); /* docker-registry lists them as they come from its directory */
	show(c, a->json, &ref, &tags);
	return 0;
}

const struct cmd cmd_tags = {
	"tags",
	"[OPTIONS] REPOSITORY",
	"list the tags of a repository",
	opts,
	sizeof(struct tags_args),
	run,
	.min = 1,
	.max = 1,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.examples = "  thimble tags localhost:5000/team/app\n",
};
