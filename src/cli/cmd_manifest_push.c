/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd_manifest_in.h"
#include "cli/copying.h"
#include "cli/registry_args.h"
#include "cli/transfers.h"
#include "image/copy.h"
#include "image/multi.h"
#include "store/lists.h"

struct push_args {
	struct registry_args reg;
	const char *format;
	bool all, purge, quiet, json;
	struct strs allow;
};

static const struct opt push_opts[] = {
	OPT_FLAG(0, "all", struct push_args, all,
		 "its images, too (as it always does: podman's word)"),
	OPT_LIST(0, "allow", struct push_args, allow, "WHAT",
		 "rootfs.export: also images that stand on this machine's own files"),
	OPT_CHOICE('f', "format", struct push_args, format, "keep|oci|docker|v2s2",
		   "manifests as they are (keep), OCI's, or Docker's"),
	OPT_FLAG(0, "json", struct push_args, json, "print a JSON object"),
	OPT_FLAG('p', "purge", struct push_args, purge, "remove the list afterwards"),
	OPT_FLAG('q', "quiet", struct push_args, quiet, "print nothing"),
	REGISTRY_OPTS(struct push_args, reg),
	{ 0 },
};

static int push(struct cli *c, const struct push_args *a, struct store *s, const struct multi *m,
		const struct locator *to, struct image_copy_opts *o, struct err *e)
{
	struct image_copied done = { 0 };
	struct transfers *t = transfers_new(c, a->quiet ? PROGRESS_QUIET : progress_mode(NULL), true);
	o->events = transfers_events(t);
	int r = multi_push(s, m, to, o, &done, e);
	transfers_free(t);
	_free_ char *name = reference_text(&m->ref);
	if (r == 0 && a->purge)
		r = list_del(s, name, e) < 0 ? -1 : 0;
	if (r == 0)
		copying_show(c, &done, a->json, a->quiet, false);
	image_copied_done(&done);
	return r;
}

static int read_push(struct cli *c, const struct push_args *a, struct image_copy_opts *o,
		     struct err *e)
{
	o->all = true;
	if (a->format)
		o->format = copying_format(a->format);
	return copying_allow(c, &a->allow, &o->allow_rootfs, e);
}

/* Where to: the list's own name, or a name, or another place as `copy` has them. */
static int read_to(const struct multi *m, const char *word, struct locator *to, struct err *e)
{
	_free_ char *own = reference_text(&m->ref);
	if (word && locator_parse(word, to, e) < 0)
		return -1;
	if (word && to->kind != LOCATOR_STORE)
		return 0;
	_free_ char *text = str_printf("docker://%s", word ? to->path : own);
	locator_done(to);
	return locator_parse(text, to, e);
}

static int push_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct push_args *a = args;
	struct registry_opts registry;
	struct image_copy_opts o = { .from_registry = &registry, .to_registry = &registry };
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(multi_done) struct multi m = { 0 };
	_cleanup_(locator_done) struct locator to = { 0 };
	if (read_push(c, a, &o, e) < 0 || registry_args_opts(c, &a->reg, &registry, &creds, e) < 0)
		return -1;
	struct store *s = cli_store_trees(c, false, e);
	if (!s || manifest_list_load(s, words->p[0], &m, e) < 0 ||
	    read_to(&m, words->n > 1 ? words->p[1] : NULL, &to, e) < 0)
		return -1;
	return push(c, a, s, &m, &to, &o, e);
}

const struct cmd cmd_manifest_push = {
	"manifest push",
	"[OPTIONS] LIST [DESTINATION]",
	"write a list, and what is missing of its images",
	push_opts,
	sizeof(struct push_args),
	push_run,
	.min = 1,
	.max = 2,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.man = "manifest",
	.examples = "  thimble manifest push localhost:5000/app:1\n"
		    "  thimble manifest push app:1 oci:layout:app-1\n",
};
