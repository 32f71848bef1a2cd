/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/obtain.h"
#include "cli/show.h"

struct pull_args {
	struct registry_args reg;
	const char *platform;
	bool quiet, all, json;
};

static const struct opt opts[] = {
	OPT_FLAG('a', "all-tags", struct pull_args, all, "pull every tag of the repository"),
	OPT_FLAG(0, "json", struct pull_args, json, "print a JSON array"),
	OPT_STR(0, "platform", struct pull_args, platform, "OS/ARCH",
		"of images for several, take this one"),
	OPT_FLAG('q', "quiet", struct pull_args, quiet, "print only the image's name"),
	REGISTRY_OPTS(struct pull_args, reg),
	OPT_LATER(0, "disable-content-trust", NULL,
		  "signatures come in a later version; digests are always checked"),
	{ 0 },
};

struct pulling {
	struct cli *c;
	const struct pull_args *a;
	struct obtain o;
	struct store *s;
	json_t *list; /* with --json */
};

static void show(struct pulling *p, const struct reference *ref, const struct pulled *got)
{
	char digest[DIGEST_LEN];
	_free_ char *name = reference_familiar(ref), *full = reference_text(ref);
	if (p->a->json) {
		json_t *o = json_object();
		(void)json_object_set_new(o, "Name", json_string(full));
		(void)json_object_set_new(o, "ID", show_id(&got->id, true));
		(void)json_object_set_new(o, "Digest", show_id(&got->named, true));
		(void)json_object_set_new(o, "Manifest", show_id(&got->manifest, true));
		(void)json_object_set_new(o, "New", json_boolean(got->fresh));
		(void)json_array_append_new(p->list, o);
		return;
	}
	if (!p->a->quiet)
		(void)printf("Digest: %s\nStatus: %s for %s\n", digest_text(&got->named, digest),
			     got->fresh ? "Downloaded newer image" : "Image is up to date", name);
	(void)printf("%s\n", full);
}

static int pull_one(struct pulling *p, const struct reference *ref, struct err *e)
{
	_cleanup_(pulled_done) struct pulled got = { 0 };
	if (obtain_pull(&p->o, p->s, ref, &got, e) < 0)
		return -1;
	show(p, ref, &got);
	return 0;
}

/* "sha256-<hex>", also with an end like cosign's ".sig": what refers to an image, and is none. */
static bool is_referrers_tag(const char *tag)
{
	struct digest d;
	return strncmp(tag, "sha256-", 7) == 0 && strlen(tag) >= 7 + 64 &&
	       sha256_unhex(tag + 7, 64, d.b) == 0;
}

static int pull_tags(struct pulling *p, struct reference *ref, struct err *e)
{
	_cleanup_(strs_done) struct strs tags = { 0 };
	_cleanup_(registry_closep) struct registry *r = registry_open(p->o.registry, ref,
								      REGISTRY_PULL, e);
	if (!r || registry_tags(r, &tags, e) < 0)
		return err_add(e, "list the tags of '%s'", ref->path);
	arr_each(it, &tags) {
		if (is_referrers_tag(*it))
			continue;
		_cleanup_(reference_done) struct reference one = { 0 };
		_free_ char *text = str_printf("%s/%s:%s", ref->host, ref->path, *it);
		if (reference_parse(slice_of(text), &one, e) < 0)
			return err_add(e, "read a tag that the registry names");
		if (pull_one(p, &one, e) < 0)
			return -1;
	}
	return 0;
}

/* "--all-tags hello:1" makes no sense; the parser has filled in a tag where there was none. */
static bool has_tag(const char *word)
{
	const char *slash = strrchr(word, '/');
	return strpbrk(slash ? slash : word, ":@") != NULL;
}

static int pull_word(struct pulling *p, const char *word, struct err *e)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	if (strncmp(word, "docker://", 9) == 0) /* as podman takes it */
		word += 9;
	if (cli_no_scratch(word, "pull", e) < 0 || reference_parse(slice_of(word), &ref, e) < 0)
		return -1;
	if (!p->a->all)
		return pull_one(p, &ref, e);
	if (has_tag(word))
		return cli_wrong(p->c, e, "--all-tags wants a repository, not the tag '%s'", word);
	return pull_tags(p, &ref, e);
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct pull_args *a = args;
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(platform_done) struct platform platform = { 0 };
	struct registry_opts ro;
	struct pulling p = { .c = c, .a = a };
	if (registry_args_opts(c, &a->reg, &ro, &creds, e) < 0 ||
	    (a->platform && platform_parse(slice_of(a->platform), &platform, e) < 0))
		return -1;
	p.o = (struct obtain){ c, &ro, a->platform ? &platform : NULL,
			       a->quiet ? PROGRESS_QUIET : progress_mode(NULL) };
	p.s = cli_store(c, true, e);
	if (!p.s)
		return -1;
	p.list = a->json ? json_array() : NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && i < words->n; i++)
		r = pull_word(&p, words->p[i], e);
	if (p.list && r == 0)
		show_json(c, p.list);
	else
		json_decref(p.list);
	return r;
}

const struct cmd cmd_pull = {
	"pull",
	"[OPTIONS] NAME[:TAG|@DIGEST]...",
	"take images from a registry",
	opts,
	sizeof(struct pull_args),
	run,
	.min = 1,
	.max = ARGS_ANY,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.details =
		"Names are read as docker reads them: without a registry it is docker.io, without a tag latest.\n"
		"Layers that the store has are not fetched, broken connections are taken up where they broke.\n",
	.examples = "  thimble pull gcc:13\n"
		    "  thimble pull --platform linux/arm64 localhost:5000/team/app@sha256:…\n",
};
