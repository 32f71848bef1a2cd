/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "cli/describe.h"
#include "cli/show.h"
#include "report/gotemplate.h"
#include "store/image.h"
#include "store/image_origin.h"

struct inspect_args {
	struct registry_args reg;
	bool json, size, remote, raw, config;
	const char *format, *type, *platform;
};

static const struct opt opts[] = {
	OPT_FLAG(0, "config", struct inspect_args, config,
		 "with --remote: print the config, byte by byte"),
	OPT_STR('f', "format", struct inspect_args, format, "FORMAT",
		"'json' or a Go template: '{{.Config.Env}}', '{{json .Config}}'"),
	OPT_FLAG(0, "json", struct inspect_args, json, "print a JSON array (which is the default)"),
	OPT_STR(0, "platform", struct inspect_args, platform, "OS/ARCH",
		"with --remote: of images for several, show this one"),
	OPT_FLAG(0, "raw", struct inspect_args, raw,
		 "with --remote: print the manifest or index, byte by byte"),
	OPT_FLAG(0, "remote", struct inspect_args, remote,
		 "look at images in registries, layouts and archives, without pulling"),
	OPT_CHOICE(0, "type", struct inspect_args, type, "image", "kind of thing to look for"),
	REGISTRY_OPTS(struct inspect_args, reg),
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
	json_t *o = json_object(), *names = json_array();
	if (names_of(s, im, names, e) < 0) {
		json_decref(names);
		json_decref(o);
		return NULL;
	}
	(void)json_object_set_new(o, "Id", show_id(&im->id, true));
	(void)json_object_set_new(o, "RepoTags", names);
	(void)json_object_set_new(o, "RepoDigests", repo_digests(s, im));
	describe_config(o, c);
	(void)json_object_set_new(o, "Size", json_integer((json_int_t)im->size));
	(void)json_object_set_new(o, "RootFS", describe_rootfs(c));
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

struct inspecting {
	struct cli *c;
	const struct inspect_args *a;
	struct remote_args remote;
};

static json_t *find(const struct inspecting *in, const char *what, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	if (in->a->remote)
		return describe_remote(in->c, what, &in->remote, e);
	if (cli_no_scratch(what, "inspect", e) < 0)
		return NULL;
	struct store *s = cli_store(in->c, false, e);
	return s && image_open(s, what, &im, e) == 0 ? describe(s, &im, e) : NULL;
}

/* What was found is shown, what was not is told; then the status is 1. */
static int describe_all(const struct inspecting *in, const struct words *words, struct err *e)
{
	_json_ json_t *list = json_array();
	int status = 0;
	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };
		json_t *o = find(in, words->p[i], &why);
		if (o) {
			(void)json_array_append_new(list, o);
			continue;
		}
		cli_error(in->c, &why);
		status = 1;
	}
	return show(in->c, in->a, list, e) < 0 ? -1 : status;
}

/* As it is, but on a terminal, where a line should end. */
static int print_bytes(const struct inspecting *in, const struct words *words, struct err *e)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	if (words->n != 1)
		return cli_wrong(in->c, e, "--raw and --config show one image");
	if (remote_bytes(in->c, words->p[0], &in->remote, in->a->config, &out, e) < 0)
		return -1;
	if (in->c->out_tty)
		buf_char(&out, '\n');
	cli_print(in->c, &out, true);
	return 0;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct inspect_args *a = args;
	struct registry_opts registry;
	struct inspecting in = { c, a, { &registry, NULL } };
	_cleanup_(creds_done) struct creds creds = { 0 };
	_cleanup_(platform_done) struct platform platform = { 0 };
	if (!a->remote && (a->raw || a->config || a->platform))
		return cli_wrong(c, e, "--raw, --config and --platform go with --remote");
	if (a->raw && a->config)
		return cli_wrong(c, e, "--raw is the manifest, --config the config: one of them");
	if (registry_args_opts(c, &a->reg, &registry, &creds, e) < 0)
		return -1;
	if (a->platform && platform_parse(slice_of(a->platform), &platform, e) < 0)
		return -1;
	in.remote.platform = a->platform ? &platform : NULL;
	return a->raw || a->config ? print_bytes(&in, words, e) : describe_all(&in, words, e);
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
	.unwinds = true,
	.examples = "  thimble inspect hello:gcc\n"
		    "  thimble inspect --remote localhost:5000/hello:gcc\n"
		    "  thimble inspect -f '{{json .Config.Cmd}}' hello:gcc\n"
		    "  thimble inspect -f '{{range .Config.Env}}{{println .}}{{end}}' hello:gcc\n",
};
