/* SPDX-License-Identifier: Apache-2.0 */
/* manifest create, annotate, rm: indexes of several images. */
#include <stdio.h>

#include "base/err.h"
#include "cli/cmd_manifest_in.h"
#include "cli/registry_args.h"
#include "image/multi.h"
#include "oci/config.h"
#include "store/lists.h"

/* ---- what they share, inspect and push too ---- */

/* ERR_ABSENT, with the lists that there are. */
static int no_list(struct store *s, const char *name, struct err *e)
{
	_cleanup_(strs_done) struct strs refs = { 0 }, shown = { 0 };
	if (lists_all(s, &refs, e) < 0)
		return -1;
	arr_each(it, &refs) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (reference_parse(slice_of(*it), &ref, NULL) == 0)
			strs_take(&shown, reference_familiar(&ref));
	}
	_free_ char *have = strs_join(&shown, ", ");
	err_set(e, ERR_ABSENT, "there is no list '%s'", name);
	if (shown.n)
		return err_hint(e, "there are: %s", have);
	return err_hint(e, "'thimble manifest create %s IMAGE...' makes it", name);
}

int manifest_list_load(struct store *s, const char *name, struct multi *m, struct err *e)
{
	int r = multi_load(s, name, m, e);
	return r == 0 ? no_list(s, name, e) : r < 0 ? -1 : 0;
}

/* ---- create ---- */

struct create_args {
	struct registry_args reg;
	bool amend, quiet;
};

static const struct opt create_opts[] = {
	OPT_FLAG('a', "amend", struct create_args, amend, "add to a list that is there"),
	OPT_FLAG('q', "quiet", struct create_args, quiet, "print nothing"),
	REGISTRY_OPTS(struct create_args, reg),
	{ 0 },
};

static int create_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct create_args *a = args;
	struct registry_opts registry;
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(multi_done) struct multi m = { 0 };
	if (cli_no_scratch(words->p[0], NULL, e) < 0 ||
	    registry_args_opts(c, &a->reg, &registry, &creds, e) < 0)
		return -1;
	struct store *s = cli_store(c, true, e);
	int there = s ? multi_load(s, words->p[0], &m, e) : -1;
	if (there < 0)
		return -1;
	if (there && !a->amend) {
		err_set(e, ERR_USER, "there is a list '%s' already", words->p[0]);
		return err_hint(e, "--amend adds to it; 'thimble manifest rm' removes it");
	}
	for (size_t i = 1; i < words->n; i++)
		if (multi_add(s, &m, words->p[i], &registry, e) < 0)
			return -1;
	if (multi_save(s, &m, e) < 0)
		return -1;
	_free_ char *name = reference_text(&m.ref);
	if (!a->quiet)
		(void)printf("Created manifest list %s\n", name);
	return 0;
}

const struct cmd cmd_manifest_create = {
	"manifest create",
	"[OPTIONS] LIST IMAGE...",
	"make a list of images for several platforms",
	create_opts,
	sizeof(struct create_args),
	create_run,
	.min = 2,
	.max = ARGS_ANY,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.man = "manifest",
	.details = "Images are taken from the store, else from registries. 'manifest push' writes the list.\n",
	.examples = "  thimble manifest create app:1 app:amd64 docker://localhost:5000/app:arm64\n",
};

/* ---- annotate ---- */

struct annotate_args {
	const char *os, *arch, *variant, *os_version;
	struct strs annotations;
};

static const struct opt annotate_opts[] = {
	OPT_LIST(0, "annotation", struct annotate_args, annotations, "KEY=VALUE",
		 "of the entry; can be given several times"),
	OPT_STR(0, "arch", struct annotate_args, arch, "ARCH", "its architecture"),
	OPT_STR(0, "os", struct annotate_args, os, "OS", "its operating system"),
	OPT_LATER(0, "os-features", "LIST", "only Windows has them"),
	OPT_STR(0, "os-version", struct annotate_args, os_version, "VERSION",
		"its version of that system"),
	OPT_STR(0, "variant", struct annotate_args, variant, "VARIANT",
		"variant of the architecture"),
	{ 0 },
};

static int annotate(struct cli *c, const struct annotate_args *a, struct descriptor *d,
		    struct err *e)
{
	if (!d->platform && (a->os || a->arch || a->variant || a->os_version))
		d->platform = NEW(struct platform);
	struct platform *p = d->platform;
	if (a->os)
		str_set(&p->os, str_dup(a->os));
	if (a->arch)
		str_set(&p->arch, str_dup(a->arch));
	if (a->variant)
		str_set(&p->variant, str_dup(a->variant));
	if (a->os_version)
		str_set(&p->os_version, str_dup(a->os_version));
	if (p && (!p->os || !p->arch))
		return cli_wrong(c, e, "a platform has --os and --arch");
	arr_each(it, &a->annotations) {
		size_t n = strcspn(*it, "=");
		if (n == 0 || !(*it)[n])
			return cli_wrong(c, e, "--annotation wants KEY=VALUE, not '%s'", *it);
		_free_ char *key = str_ndup(*it, n);
		if (!d->annotations)
			d->annotations = json_object();
		if (json_object_set_new(d->annotations, key, json_string(*it + n + 1)) < 0)
			return cli_wrong(c, e, "--annotation takes text (UTF-8)");
	}
	return 0;
}

static int annotate_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	_cleanup_(multi_done) struct multi m = { 0 };
	struct store *s = cli_store(c, false, e);
	if (!s || manifest_list_load(s, words->p[0], &m, e) < 0)
		return -1;
	struct multi_member *it = multi_find(&m, words->p[1], e);
	if (!it || annotate(c, args, &it->desc, e) < 0)
		return -1;
	return multi_save(s, &m, e);
}

const struct cmd cmd_manifest_annotate = {
	"manifest annotate",
	"[OPTIONS] LIST IMAGE",
	"say for which platform an image of a list is",
	annotate_opts,
	sizeof(struct annotate_args),
	annotate_run,
	.min = 2,
	.max = 2,
	.group = GROUP_REGISTRY,
	.man = "manifest",
	.examples = "  thimble manifest annotate --arch arm --variant v7 app:1 app:arm\n",
};

/* ---- rm ---- */

static int rm_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	int status = 0;
	(void)args;
	struct store *s = cli_store(c, false, e);
	if (!s)
		return -1;
	for (size_t i = 0; i < words->n; i++) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		struct err why = { 0 };
		int r = reference_parse(slice_of(words->p[i]), &ref, &why);
		_free_ char *name = r == 0 ? reference_text(&ref) : NULL;
		if (r == 0)
			r = list_del(s, name, &why);
		if (r == 1) {
			(void)printf("Deleted manifest list %s\n", name);
			continue;
		}
		if (r == 0)
			(void)no_list(s, words->p[i], &why);
		cli_error(c, &why);
		status = 1;
	}
	return status;
}

const struct cmd cmd_manifest_rm = {
	"manifest rm",
	"LIST...",
	"remove lists from the store",
	NULL,
	0,
	rm_run,
	.min = 1,
	.max = ARGS_ANY,
	.group = GROUP_REGISTRY,
	.man = "manifest",
	.examples = "  thimble manifest rm app:1\n",
};
