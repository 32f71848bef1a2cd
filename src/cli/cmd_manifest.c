/* SPDX-License-Identifier: Apache-2.0 */
/* manifest create, annotate, inspect, push, rm: indexes of several images. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "cli/registry_args.h"
#include "cli/show.h"
#include "cli/transfers.h"
#include "image/multi.h"
#include "image/origin.h"
#include "oci/config.h"
#include "store/lists.h"

/* ---- what they share ---- */

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

static int load(struct store *s, const char *name, struct multi *m, struct err *e)
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
	if (!s || load(s, words->p[0], &m, e) < 0)
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

/* ---- inspect ---- */

struct inspect_args {
	struct registry_args reg;
	bool verbose, json;
};

static const struct opt inspect_opts[] = {
	OPT_FLAG(0, "json", struct inspect_args, json, "print JSON (which is the default)"),
	OPT_FLAG('v', "verbose", struct inspect_args, verbose,
		 "an object for each image, with descriptor and manifest"),
	REGISTRY_OPTS(struct inspect_args, reg),
	{ 0 },
};

struct looking {
	struct cli *c;
	const struct registry_opts *registry;
};

static void print(struct cli *c, const json_t *v)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	js_dump_pretty(v, 3, &b); /* as docker's own lists are laid out */
	buf_char(&b, '\n');
	cli_print(c, &b, true);
}

/* docker's types.ImageManifest. */
static int add_verbose(json_t *list, const char *ref, const struct descriptor *d, struct slice text,
		       struct err *e)
{
	bool docker = d->media_type && strcmp(d->media_type, MT_DOCKER_MANIFEST) == 0;
	json_t *v = js_parse(text, "the manifest", e);
	if (!v)
		return -1;
	json_t *o = json_object();
	(void)json_object_set_new(o, "Ref", json_string(ref));
	(void)json_object_set_new(o, "Descriptor", descriptor_json(d));
	(void)json_object_set_new(o, docker ? "SchemaV2Manifest" : "OCIManifest", v);
	(void)json_array_append_new(list, o);
	return 0;
}

/* "host/path:tag@digest" */
static char *ref_of(const struct reference *ref, const struct digest *d)
{
	struct reference r = *ref; /* borrowed */
	r.has_digest = true;
	r.digest = *d;
	return reference_text(&r);
}

static int fill_platform(struct origin *o, struct descriptor *d, struct slice text, struct err *e)
{
	_cleanup_(manifest_done) struct manifest m = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	if (manifest_parse(text, d->media_type, &m, e) < 0)
		return -1;
	str_set(&d->media_type, str_dup(m.media_type));
	if (d->platform || media_kind(m.config.media_type) != MEDIA_CONFIG)
		return 0;
	if (origin_read(o, &m.config, &b, e) < 0 ||
	    image_config_parse(buf_view(&b), &cfg, e) < 0)
		return err_add(e, "read the config");
	d->platform = NEW(struct platform);
	platform_copy(d->platform, &cfg.platform);
	return 0;
}

/* All of them are held at once. */
static int check_verbose(const struct image_index *x, struct err *e)
{
	enum { MOST = 1000, MOST_BYTES = 16 << 20 };
	uint64_t all = 0;
	arr_each(it, &x->manifests)
		if (ckd_add(&all, all, it->size) || all > MOST_BYTES || x->manifests.n > MOST) {
			err_set(e, ERR_DATA,
				"the index names more than %d manifests, or more than %d bytes of "
				"them",
				MOST, MOST_BYTES);
			return err_hint(e, "without --verbose it is shown as it is");
		}
	return 0;
}

static int verbose_remote(struct origin *o, const struct reference *ref, struct descriptor *top,
			  struct slice text, json_t *list, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	if (manifest_sniff(text) != MEDIA_INDEX) {
		_free_ char *name = reference_text(ref);
		return fill_platform(o, top, text, e) < 0 ? -1
							  : add_verbose(list, name, top, text, e);
	}
	if (image_index_parse(text, top->media_type, &x, e) < 0 || check_verbose(&x, e) < 0)
		return -1;
	arr_each(it, &x.manifests) {
		_cleanup_(buf_done) struct buf b = { 0 };
		_free_ char *name = ref_of(ref, &it->digest);
		if (origin_manifest(o, it, &b, e) < 0 ||
		    add_verbose(list, name, it, buf_view(&b), e) < 0)
			return -1;
	}
	return 0;
}

static int inspect_remote(const struct looking *l, const char *name, bool verbose, struct err *e)
{
	_cleanup_(locator_done) struct locator at = { 0 };
	_cleanup_(descriptor_done) struct descriptor top = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	const struct origin_opts opts = { .registry = l->registry };
	_free_ char *full = strncmp(name, "docker://", 9) == 0 ? str_dup(name)
							       : str_printf("docker://%s", name);
	if (cli_no_scratch(name, "inspect", e) < 0 || locator_parse(full, &at, e) < 0)
		return -1;
	_cleanup_(origin_closep) struct origin *o = origin_open(NULL, &at, &opts, e);
	if (!o || origin_top(o, &text, &top, e) < 0)
		return -1;
	_json_ json_t *v = verbose ? json_array() : js_parse(buf_view(&text), "the manifest", e);
	if (!v || (verbose && verbose_remote(o, &at.ref, &top, buf_view(&text), v, e) < 0))
		return -1;
	/* docker prints one alone without a list */
	bool one = verbose && manifest_sniff(buf_view(&text)) != MEDIA_INDEX;
	print(l->c, one ? json_array_get(v, 0) : v);
	return 0;
}

static int verbose_local(const struct looking *l, struct store *s, const struct multi *m,
			 json_t *list, struct err *e)
{
	arr_each(it, &m->members) {
		_cleanup_(locator_done) struct locator at = { 0 };
		_cleanup_(buf_done) struct buf b = { 0 };
		_cleanup_(origin_closep) struct origin *o = NULL;
		const struct origin_opts opts = { .registry = l->registry };
		if (locator_parse(it->from, &at, e) < 0)
			return -1;
		if (at.kind == LOCATOR_REGISTRY)
			o = origin_open(s, &at, &opts, e);
		if (at.kind == LOCATOR_REGISTRY
			    ? !o || origin_manifest(o, &it->desc, &b, e) < 0
			    : blob_read(s, &it->desc.digest, &b, e) < 0)
			return -1;
		if (add_verbose(list, it->name, &it->desc, buf_view(&b), e) < 0)
			return -1;
	}
	return 0;
}

static int inspect_local(const struct looking *l, struct store *s, const struct multi *m,
			 bool verbose, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	_json_ json_t *v = NULL;
	if (verbose) {
		v = json_array();
		if (verbose_local(l, s, m, v, e) < 0)
			return -1;
	} else {
		multi_index(m, &x);
		image_index_write(&x, &b);
		v = js_parse(buf_view(&b), "the list", e);
		if (!v)
			return -1;
	}
	print(l->c, v);
	return 0;
}

static int inspect_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct inspect_args *a = args;
	const char *name = words->p[0];
	struct registry_opts registry;
	struct looking l = { c, &registry };
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(multi_done) struct multi m = { 0 };
	_cleanup_(err_done) struct err none = { 0 };
	if (registry_args_opts(c, &a->reg, &registry, &creds, e) < 0)
		return -1;
	if (strncmp(name, "docker://", 9) == 0 || strchr(name, '@'))
		return inspect_remote(&l, name, a->verbose, e);
	struct store *s = cli_store(c, false, &none); /* without a store there are no lists */
	if (!s && none.kind != ERR_ABSENT) {
		err_move(e, &none);
		return -1;
	}
	int r = s ? multi_load(s, name, &m, e) : 0;
	if (r < 0)
		return -1;
	return r ? inspect_local(&l, s, &m, a->verbose, e) : inspect_remote(&l, name, a->verbose, e);
}

const struct cmd cmd_manifest_inspect = {
	"manifest inspect",
	"[OPTIONS] IMAGE|LIST",
	"show a list, or an image's manifest in a registry",
	inspect_opts,
	sizeof(struct inspect_args),
	inspect_run,
	.min = 1,
	.max = 1,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.man = "manifest",
	.examples = "  thimble manifest inspect localhost:5000/app:1\n"
		    "  thimble manifest inspect -v app:1\n",
};

/* ---- push ---- */

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

static void show_pushed(struct cli *c, const struct push_args *a, const struct image_copied *done)
{
	char digest[DIGEST_LEN];
	if (a->json) {
		json_t *o = json_object();
		(void)json_object_set_new(o, "Digest", show_id(&done->top.digest, true));
		(void)json_object_set_new(o, "MediaType", json_string(done->top.media_type));
		(void)json_object_set_new(o, "Manifests", json_integer(done->manifests));
		(void)json_object_set_new(o, "BlobsCopied", json_integer(done->blobs));
		show_json(c, o);
	} else if (!a->quiet) {
		(void)printf("%s\n", digest_text(&done->top.digest, digest));
	}
}

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
		show_pushed(c, a, &done);
	image_copied_done(&done);
	return r;
}

static int read_push(struct cli *c, const struct push_args *a, struct image_copy_opts *o,
		     struct err *e)
{
	o->all = true;
	if (a->format)
		o->format = strcmp(a->format, "keep") == 0  ? COPY_KEEP
			    : strcmp(a->format, "oci") == 0 ? COPY_OCI
							    : COPY_DOCKER;
	arr_each(what, &a->allow) {
		if (strcmp(*what, "rootfs.export") != 0)
			return cli_wrong(c, e, "--allow does not know '%s' (only rootfs.export)",
					 *what);
		o->allow_rootfs = true;
	}
	return 0;
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
	if (!s || load(s, words->p[0], &m, e) < 0 ||
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
