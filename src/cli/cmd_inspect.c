/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "report/gotemplate.h"
#include "store/image.h"
#include "store/image_origin.h"

struct inspect_args {
	bool json, size;
	const char *format, *type;
};

static const struct opt opts[] = {
	OPT_STR('f', "format", struct inspect_args, format, "FORMAT",
		"'json' or a Go template: '{{.Config.Env}}', '{{json .Config}}'"),
	OPT_FLAG(0, "json", struct inspect_args, json, "print a JSON array (which is the default)"),
	OPT_CHOICE(0, "type", struct inspect_args, type, "image", "kind of thing to look for"),
	OPT_FLAG_HIDDEN('s', "size", struct inspect_args, size),
	{ 0 },
};

/* What a config may leave out, and what templates see then: the zeroes of docker's Go types. */
static const struct gotemplate_field config_fields[] = {
	{ "Architecture", GOTEMPLATE_TEXT },
	{ "Author", GOTEMPLATE_TEXT },
	{ "Cmd", GOTEMPLATE_LIST },
	{ "Comment", GOTEMPLATE_TEXT },
	{ "Domainname", GOTEMPLATE_TEXT },
	{ "Entrypoint", GOTEMPLATE_LIST },
	{ "Env", GOTEMPLATE_LIST },
	{ "ExposedPorts", GOTEMPLATE_MAP },
	{ "Healthcheck", GOTEMPLATE_NIL },
	{ "Hostname", GOTEMPLATE_TEXT },
	{ "Image", GOTEMPLATE_TEXT },
	{ "Labels", GOTEMPLATE_MAP },
	{ "OnBuild", GOTEMPLATE_LIST },
	{ "Os", GOTEMPLATE_TEXT },
	{ "Parent", GOTEMPLATE_TEXT },
	{ "Shell", GOTEMPLATE_LIST },
	{ "StopSignal", GOTEMPLATE_TEXT },
	{ "Test", GOTEMPLATE_LIST },
	{ "User", GOTEMPLATE_TEXT },
	{ "Variant", GOTEMPLATE_TEXT },
	{ "Volumes", GOTEMPLATE_MAP },
	{ "WorkingDir", GOTEMPLATE_TEXT },
	{ 0 },
};

/* Names of the image, as people write them. */
static int names_of(struct store *s, const struct image *im, json_t *out, struct err *e)
{
	_cleanup_(strs_done) struct strs refs = { 0 };
	if (names_list(s, &refs, e) < 0)
		return -1;
	arr_each(ref, &refs) {
		_cleanup_(name_record_done) struct name_record rec = { 0 };
		_cleanup_(reference_done) struct reference r = { 0 };
		int found = name_get(s, *ref, &rec, e);
		if (found < 0)
			return -1;
		if (!found || !digest_eq(&rec.manifest, &im->manifest_digest))
			continue;
		if (reference_parse(slice_of(*ref), &r, e) < 0)
			return -1;
		_free_ char *text = reference_familiar(&r);
		(void)json_array_append_new(out, json_string(text));
	}
	return 0;
}

static json_t *text_or_empty(const char *s)
{
	return s ? js_text(slice_of(s)) : json_string("");
}

static json_t *rootfs(const struct image_config *c)
{
	json_t *o = json_object(), *layers = json_array();
	arr_each(d, &c->diff_ids)
		(void)json_array_append_new(layers, show_id(d, true));
	(void)json_object_set_new(o, "Type", json_string("layers"));
	(void)json_object_set_new(o, "Layers", layers);
	return o;
}

static json_t *descriptor_of(const struct image *im)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, "mediaType", json_string(im->manifest.media_type));
	(void)json_object_set_new(o, "digest", show_id(&im->manifest_digest, true));
	return o;
}

/* "gcc@sha256:…": where it was pulled from or pushed to. */
static json_t *repo_digests(struct store *s, const struct image *im)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	json_t *out = json_array();
	image_origins(s, &im->manifest_digest, &names);
	arr_each(it, &names) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (reference_parse(slice_of(*it), &ref, NULL) < 0)
			continue; /* a damaged note is none */
		_free_ char *text = reference_familiar(&ref);
		(void)json_array_append_new(out, json_string(text));
	}
	return out;
}

static json_t *describe(struct store *s, const struct image *im, struct err *e)
{
	const struct image_config *c = &im->config;
	const char *comment = c->history.n ? arr_last(&c->history)->comment : NULL;
	json_t *o = json_object(), *names = json_array();
	if (names_of(s, im, names, e) < 0) {
		json_decref(names);
		json_decref(o);
		return NULL;
	}
	(void)json_object_set_new(o, "Id", show_id(&im->id, true));
	(void)json_object_set_new(o, "RepoTags", names);
	(void)json_object_set_new(o, "RepoDigests", repo_digests(s, im));
	(void)json_object_set_new(o, "Comment", text_or_empty(comment));
	(void)json_object_set_new(o, "Created", show_rfc3339(c->has_created ? &c->created : NULL));
	(void)json_object_set_new(o, "Author", text_or_empty(c->author));
	(void)json_object_set_new(o, "Config", image_config_json(c));
	(void)json_object_set_new(o, "Architecture", text_or_empty(c->platform.arch));
	if (c->platform.variant)
		(void)json_object_set_new(o, "Variant", json_string(c->platform.variant));
	(void)json_object_set_new(o, "Os", text_or_empty(c->platform.os));
	(void)json_object_set_new(o, "Size", json_integer((json_int_t)im->size));
	(void)json_object_set_new(o, "RootFS", rootfs(c));
	(void)json_object_set_new(o, "Descriptor", descriptor_of(im));
	if (im->on_rootfs)
		(void)json_object_set_new(o, "OnRootfs", json_true());
	return o;
}

static int show_one(const struct gotemplate *t, json_t *o, struct buf *out, struct err *e)
{
	json_t *config = json_object_get(o, "Config");
	const json_t *maps[] = { json_object_get(config, "Labels"),
				 json_object_get(config, "Volumes"),
				 json_object_get(config, "ExposedPorts") };
	struct gotemplate_opts go = { .fields = config_fields,
				      .maps = maps,
				      .maps_n = COUNT_OF(maps) };
	if (gotemplate_run(t, o, &go, out, e) < 0)
		return -1;
	buf_char(out, '\n');
	return 0;
}

static int show(struct cli *c, const struct inspect_args *a, json_t *list, struct err *e)
{
	if (!a->format || a->json) {
		show_json(c, json_incref(list));
		return 0;
	}
	_cleanup_(buf_done) struct buf out = { 0 };
	const char *format = strcmp(a->format, "json") == 0 ? "{{json .}}" : a->format;
	_cleanup_(gotemplate_freep) struct gotemplate *t = gotemplate_parse(slice_of(format), e);
	if (!t)
		return -1;
	size_t i;
	json_t *o;
	int r = 0;
	json_array_foreach(list, i, o) if (r == 0) r = show_one(t, o, &out, e);
	cli_print(c, &out, true);
	return r;
}

static json_t *find(struct cli *c, const char *what, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	if (cli_no_scratch(what, "inspect", e) < 0)
		return NULL;
	struct store *s = cli_store(c, false, e);
	return s && image_open(s, what, &im, e) == 0 ? describe(s, &im, e) : NULL;
}

/* What was found is shown, what was not is told; then the status is 1. */
static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct inspect_args *a = args;
	_json_ json_t *list = json_array();
	int status = 0;
	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };
		json_t *o = find(c, words->p[i], &why);
		if (o) {
			(void)json_array_append_new(list, o);
			continue;
		}
		cli_error(c, &why);
		status = 1;
	}
	return show(c, a, list, e) < 0 ? -1 : status;
}

const struct cmd cmd_inspect = {
	"inspect",
	"[OPTIONS] IMAGE...",
	"show all about images as JSON",
	opts,
	sizeof(struct inspect_args),
	run,
	.min = 1,
	.max = ARGS_ANY,
	.group = GROUP_IMAGES,
	.examples = "  thimble inspect hello:gcc\n"
		    "  thimble inspect -f '{{json .Config.Cmd}}' hello:gcc\n"
		    "  thimble inspect -f '{{range .Config.Env}}{{println .}}{{end}}' hello:gcc\n",
};
