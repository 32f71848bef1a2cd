/* SPDX-License-Identifier: Apache-2.0 */
/* referrers and attach: what lies beside an image in its registry. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "cli/registry_args.h"
#include "cli/show.h"
#include "image/referrers.h"
#include "report/rows.h"

#define ANNOTATIONS_N 60 /* characters in the table */

/* ---- referrers ---- */

struct referrers_args {
	struct registry_args reg;
	const char *type, *platform, *format;
	bool json, no_trunc;
};

static const struct opt referrers_opts[] = {
	OPT_STR(0, "artifact-type", struct referrers_args, type, "TYPE", "only those of this type"),
	OPT_STR(0, "format", struct referrers_args, format, "FORMAT",
		"'table', 'table TEMPLATE', 'json' or a Go template: '{{.Digest}}'"),
	OPT_FLAG(0, "json", struct referrers_args, json, "print a JSON array"),
	OPT_FLAG(0, "no-trunc", struct referrers_args, no_trunc, "do not cut annotations"),
	OPT_STR(0, "platform", struct referrers_args, platform, "OS/ARCH",
		"of images for several, what refers to this one, not to the index"),
	REGISTRY_OPTS(struct referrers_args, reg),
	{ 0 },
};

static const struct rows_field fields[] = {
	{ "Digest", "DIGEST" },
	{ "ArtifactType", "ARTIFACT TYPE" },
	{ "Size", "SIZE" },
	{ "Annotations", "ANNOTATIONS" },
	{ "MediaType", "MEDIA TYPE" },
	{ 0 },
};
#define STANDARD "table {{.Digest}}\t{{.ArtifactType}}\t{{.Size}}\t{{.Annotations}}"

static json_t *annotations_line(const json_t *a, bool whole)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)a, key, v)
	{
		buf_printf(&b, "%s%s=", b.len ? "," : "", key);
		buf_str(&b, json_string_value(v));
	}
	_json_ json_t *line = show_line(b.p);
	return whole ? json_incref(line) : show_cut(json_string_value(line), ANNOTATIONS_N);
}

static json_t *row(const struct descriptor *d, const struct referrers_args *a)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, "Digest", show_id(&d->digest, true));
	(void)json_object_set_new(o, "MediaType", show_line(d->media_type));
	(void)json_object_set_new(o, "ArtifactType", show_line(d->artifact_type));
	if (a->json) {
		json_t *notes = d->annotations ? json_incref(d->annotations) : json_object();
		(void)json_object_set_new(o, "Size", json_integer((json_int_t)d->size));
		(void)json_object_set_new(o, "Annotations", notes);
		return o;
	}
	(void)json_object_set_new(o, "Size", show_size(d->size));
	(void)json_object_set_new(o, "Annotations", annotations_line(d->annotations, a->no_trunc));
	return o;
}

static int show_rows(struct cli *c, const struct referrers_args *a, const struct image_index *x,
		     struct err *e)
{
	_json_ json_t *rows = json_array();
	_cleanup_(buf_done) struct buf out = { 0 };
	arr_each(it, &x->manifests)
		(void)json_array_append_new(rows, row(it, a));
	if (a->json) {
		show_json(c, json_incref(rows));
		return 0;
	}
	if (rows_print(rows, fields, STANDARD, a->format, NULL, &out, e) < 0)
		return -1;
	cli_print(c, &out, true);
	return 0;
}

/* A registry's repository and what is named in it. */
struct beside {
	struct reference ref;
	struct registry_opts registry;
	struct creds creds;
	struct registry *r;
	struct descriptor subject;
};

static void beside_done(struct beside *b)
{
	registry_close(b->r);
	reference_done(&b->ref);
	creds_done(&b->creds);
	descriptor_done(&b->subject);
}

static int beside_open(struct cli *c, const struct registry_args *args, const char *word,
		       const char *platform, enum registry_use use, struct beside *b,
		       struct err *e)
{
	_cleanup_(platform_done) struct platform p = { 0 };
	if (strncmp(word, "docker://", 9) == 0)
		word += 9;
	if (cli_no_scratch(word, NULL, e) < 0 || reference_parse(slice_of(word), &b->ref, e) < 0 ||
	    (platform && platform_parse(slice_of(platform), &p, e) < 0) ||
	    registry_args_opts(c, args, &b->registry, &b->creds, e) < 0)
		return -1;
	b->r = registry_open(&b->registry, &b->ref, use, e);
	if (!b->r)
		return -1;
	return remote_descriptor(b->r, &b->ref, platform ? &p : NULL, &b->subject, e);
}

static int referrers_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct referrers_args *a = args;
	_cleanup_(beside_done) struct beside b = { 0 };
	_cleanup_(image_index_done) struct image_index x = { 0 };
	bool api;
	if (beside_open(c, &a->reg, words->p[0], a->platform, REGISTRY_PULL, &b, e) < 0 ||
	    registry_referrers(b.r, &b.subject.digest, a->type, &x, &api, e) < 0)
		return err_add(e, "list what refers to '%s'", words->p[0]);
	return show_rows(c, a, &x, e);
}

const struct cmd cmd_referrers = {
	"referrers",
	"[OPTIONS] IMAGE",
	"list what refers to an image: signatures, SBOMs, reports",
	referrers_opts,
	sizeof(struct referrers_args),
	referrers_run,
	.min = 1,
	.max = 1,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.examples = "  thimble referrers localhost:5000/app:1\n"
		    "  thimble referrers --artifact-type application/spdx+json localhost:5000/app:1\n",
};

/* ---- attach ---- */

struct attach_args {
	struct registry_args reg;
	const char *type, *platform;
	struct strs annotations;
	bool json, quiet;
};

static const struct opt attach_opts[] = {
	OPT_LIST(0, "annotation", struct attach_args, annotations, "KEY=VALUE",
		 "of the artifact; can be given several times"),
	OPT_STR(0, "artifact-type", struct attach_args, type, "TYPE",
		"what it is: application/spdx+json … (required)"),
	OPT_FLAG(0, "json", struct attach_args, json, "print a JSON object"),
	OPT_STR(0, "platform", struct attach_args, platform, "OS/ARCH",
		"of images for several, attach to this one, not to the index"),
	OPT_FLAG('q', "quiet", struct attach_args, quiet, "print nothing"),
	REGISTRY_OPTS(struct attach_args, reg),
	{ 0 },
};

static int read_annotations(struct cli *c, const struct strs *list, json_t *out, struct err *e)
{
	arr_each(it, list) {
		size_t n = strcspn(*it, "=");
		if (n == 0 || !(*it)[n])
			return cli_wrong(c, e, "--annotation wants KEY=VALUE, not '%s'", *it);
		_free_ char *key = str_ndup(*it, n);
		json_t *v = json_string(*it + n + 1);
		if (!v || json_object_set_new(out, key, v) < 0)
			return cli_wrong(c, e, "--annotation takes text (UTF-8)");
	}
	return 0;
}

/* RFC 6838: type/subtype, of a small set of characters. */
static bool is_media_type(const char *s)
{
	static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789!#$&-^_.+";
	size_t n = strspn(s, fine), m = s[n] == '/' ? strspn(s + n + 1, fine) : 0;
	return n > 0 && m > 0 && n < 128 && m < 128 && !s[n + 1 + m];
}

/* "FILE" or "FILE:TYPE", as oras has it; a file whose name has a colon is a file. Cut in `word`. */
static struct artifact_file read_file(char *word)
{
	struct stat st;
	char *colon = strrchr(word, ':');
	if (!colon || stat(word, &st) == 0 || !is_media_type(colon + 1))
		return (struct artifact_file){ word, NULL };
	*colon = '\0';
	return (struct artifact_file){ word, colon + 1 };
}

static void show_attached(struct cli *c, const struct attach_args *a, const struct beside *b,
			  const struct descriptor *d, bool api)
{
	char digest[DIGEST_LEN];
	if (a->json) {
		json_t *o = json_object();
		(void)json_object_set_new(o, "Digest", show_id(&d->digest, true));
		(void)json_object_set_new(o, "Subject", show_id(&b->subject.digest, true));
		(void)json_object_set_new(o, "ArtifactType", json_string(a->type));
		(void)json_object_set_new(o, "ReferrersAPI", json_boolean(api));
		show_json(c, o);
	} else if (!a->quiet) {
		(void)printf("%s\n", digest_text(&d->digest, digest));
	}
}

static int attach(struct cli *c, const struct attach_args *a, const struct words *words,
		  const struct artifact *what, struct err *e)
{
	_cleanup_(beside_done) struct beside b = { 0 };
	_cleanup_(descriptor_done) struct descriptor d = { 0 };
	bool api;
	if (beside_open(c, &a->reg, words->p[0], a->platform, REGISTRY_PUSH, &b, e) < 0 ||
	    artifact_attach(b.r, &b.subject, what, &d, &api, e) < 0)
		return err_add(e, "attach to '%s'", words->p[0]);
	show_attached(c, a, &b, &d, api);
	return 0;
}

/* docker's `attach CONTAINER` is another thing. */
static int no_container(struct cli *c, const char *word, struct err *e)
{
	c->wrong = true;
	err_set(e, ERR_USER,
		"'%s' has no terminal to attach to: containers that stay come in a later version",
		word);
	return err_hint(e, "'thimble attach IMAGE FILE... --artifact-type TYPE' puts files beside an "
			   "image in its registry");
}

static int attach_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct attach_args *a = args;
	ARRAY_OF(struct artifact_file) files = { 0 };
	_cleanup_(strs_done) struct strs copies = { 0 };
	_json_ json_t *notes = json_object();
	if (words->n == 1 && !a->type)
		return no_container(c, words->p[0], e);
	if (words->n < 2)
		return cli_wrong(c, e, "no file to attach was named");
	if (!a->type)
		return cli_wrong(c, e, "--artifact-type must say what it is that is attached");
	if (!is_media_type(a->type))
		return cli_wrong(c, e, "'%s' is not a media type (TYPE/SUBTYPE)", a->type);
	if (words->n - 1 > MANIFEST_LAYERS_MAX)
		return cli_wrong(c, e, "an artifact has at most %d files, not %zu",
				 MANIFEST_LAYERS_MAX, words->n - 1);
	if (read_annotations(c, &a->annotations, notes, e) < 0)
		return -1;
	for (size_t i = 1; i < words->n; i++) {
		strs_add(&copies, words->p[i]);
		arr_push(&files, read_file(copies.p[i - 1]));
	}
	const struct artifact what = { a->type, files.p, files.n,
				       json_object_size(notes) ? notes : NULL };
	int r = attach(c, a, words, &what, e);
	arr_done(&files);
	return r;
}

const struct cmd cmd_attach = {
	"attach",
	"[OPTIONS] IMAGE FILE[:TYPE]...",
	"put files beside an image in its registry",
	attach_opts,
	sizeof(struct attach_args),
	attach_run,
	.min = 1,
	.max = ARGS_ANY,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.details =
		"The files become an OCI artifact whose subject is the image; 'thimble referrers' lists it.\n",
	.examples =
		"  thimble attach --artifact-type application/spdx+json localhost:5000/app:1 sbom.json\n",
};
