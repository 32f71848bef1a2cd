/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "cli/registry_args.h"
#include "image/multi.h"
#include "image/origin.h"
#include "oci/config.h"

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
