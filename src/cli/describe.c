/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/describe.h"

#include <string.h>

#include "base/err.h"
#include "base/js.h"
#include "cli/show.h"
#include "image/origin.h"
#include "image/pick.h"

static json_t *text_or_empty(const char *s)
{
	return s ? js_text(slice_of(s)) : json_string("");
}

void describe_config(json_t *o, const struct image_config *c)
{
	const char *comment = c->history.n ? arr_last(&c->history)->comment : NULL;
	(void)json_object_set_new(o, "Comment", text_or_empty(comment));
	(void)json_object_set_new(o, "Created", show_rfc3339(c->has_created ? &c->created : NULL));
	(void)json_object_set_new(o, "Author", text_or_empty(c->author));
	(void)json_object_set_new(o, "Config", image_config_json(c));
	(void)json_object_set_new(o, "Architecture", text_or_empty(c->platform.arch));
	if (c->platform.variant)
		(void)json_object_set_new(o, "Variant", json_string(c->platform.variant));
	(void)json_object_set_new(o, "Os", text_or_empty(c->platform.os));
}

json_t *describe_rootfs(const struct image_config *c)
{
	json_t *o = json_object(), *layers = json_array();
	arr_each(d, &c->diff_ids)
		(void)json_array_append_new(layers, show_id(d, true));
	(void)json_object_set_new(o, "Type", json_string("layers"));
	(void)json_object_set_new(o, "Layers", layers);
	return o;
}

/* ---- elsewhere ---- */

struct remote {
	struct origin *from;
	struct locator at;
	struct descriptor top, chosen; /* what the name stands for; the image's manifest */
	struct buf text, manifest;
	struct strs platforms; /* of an index */
};

static void remote_done(struct remote *r)
{
	origin_close(r->from);
	locator_done(&r->at);
	descriptor_done(&r->top);
	descriptor_done(&r->chosen);
	buf_done(&r->text);
	buf_done(&r->manifest);
	strs_done(&r->platforms);
}

static int remote_open(struct cli *c, const char *what, const struct remote_args *a,
		       struct remote *r, struct err *e)
{
	if (cli_no_scratch(what, "inspect", e) < 0 || locator_parse(what, &r->at, e) < 0)
		return -1;
	if (r->at.kind == LOCATOR_STORE) { /* no prefix, and it is not the store that is asked for */
		_free_ char *text = str_printf("docker://%s", r->at.path);
		locator_done(&r->at);
		if (locator_parse(text, &r->at, e) < 0)
			return -1;
	}
	const struct origin_opts o = { .registry = a->registry, .platform = a->platform };
	struct store *s = r->at.kind == LOCATOR_REGISTRY ? NULL : cli_store(c, true, e);
	if (!s && r->at.kind != LOCATOR_REGISTRY)
		return -1;
	r->from = origin_open(s, &r->at, &o, e);
	return r->from ? origin_top(r->from, &r->text, &r->top, e) : -1;
}

/* Down through indexes to a manifest. */
static int choose(struct remote *r, const struct platform *want, struct err *e)
{
	buf_slice(&r->manifest, buf_view(&r->text));
	descriptor_copy(&r->chosen, &r->top);
	for (unsigned depth = 0;; depth++) {
		_cleanup_(image_index_done) struct image_index x = { 0 };
		if (manifest_sniff(buf_view(&r->manifest)) != MEDIA_INDEX)
			return 0;
		if (depth == INDEX_DEPTH_MAX)
			break;
		if (image_index_parse(buf_view(&r->manifest), r->chosen.media_type, &x, e) < 0)
			return -1;
		arr_each(it, &x.manifests)
			if (it->platform && !platform_is_unknown(it->platform))
				strs_take(&r->platforms, platform_text(it->platform));
		const struct descriptor *d = index_pick(&x, want, e);
		buf_clear(&r->manifest);
		if (!d || origin_manifest(r->from, d, &r->manifest, e) < 0)
			return -1;
		descriptor_copy(&r->chosen, d);
	}
	err_set(e, ERR_DATA, "indexes in indexes, more than %d deep", INDEX_DEPTH_MAX);
	return err_hint(e, "name the image itself by its digest; --raw shows what an index holds");
}

static int choose_for(struct remote *r, const struct platform *platform, struct err *e)
{
	struct platform host = { 0 };
	platform_host(&host);
	int got = choose(r, platform ? platform : &host, e);
	platform_done(&host);
	return got;
}

static json_t *names(const struct remote *r)
{
	json_t *list = json_array();
	if (r->at.kind == LOCATOR_REGISTRY && r->at.ref.tag) {
		struct reference ref = r->at.ref; /* borrowed */
		ref.has_digest = false;
		_free_ char *text = reference_familiar(&ref);
		(void)json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *digests(const struct remote *r)
{
	char digest[DIGEST_LEN];
	json_t *list = json_array();
	if (r->at.kind == LOCATOR_REGISTRY) {
		_free_ char *name = reference_familiar_name(&r->at.ref);
		_free_ char *text = str_printf("%s@%s", name,
					       digest_text(&r->top.digest, digest));
		(void)json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *layers(const struct manifest *m, uint64_t *size)
{
	json_t *list = json_array();
	*size = 0;
	arr_each(it, &m->layers) {
		(void)json_array_append_new(list, descriptor_json(it));
		if (__builtin_add_overflow(*size, it->size, size))
			*size = UINT64_MAX;
	}
	return list;
}

static json_t *describe(const struct remote *r, const struct manifest *m,
			const struct image_config *config)
{
	uint64_t size;
	json_t *o = json_object(), *list = layers(m, &size);
	if (config)
		(void)json_object_set_new(o, "Id", show_id(&m->config.digest, true));
	(void)json_object_set_new(o, "RepoTags", names(r));
	(void)json_object_set_new(o, "RepoDigests", digests(r));
	if (config)
		describe_config(o, config);
	(void)json_object_set_new(o, "CompressedSize", json_integer((json_int_t)(size & INT64_MAX)));
	if (config)
		(void)json_object_set_new(o, "RootFS", describe_rootfs(config));
	else
		(void)json_object_set_new(o, "ArtifactType",
					  json_string(m->artifact_type ? m->artifact_type
								       : m->config.media_type));
	(void)json_object_set_new(o, "Descriptor", descriptor_json(&r->chosen));
	(void)json_object_set_new(o, "Layers", list);
	if (m->annotations)
		(void)json_object_set(o, "Annotations", m->annotations);
	if (m->subject)
		(void)json_object_set_new(o, "Subject", descriptor_json(m->subject));
	if (r->platforms.n)
		(void)json_object_set_new(o, "Platforms", js_from_strs(&r->platforms));
	return o;
}

static json_t *read_all(struct remote *r, const struct platform *platform, struct err *e)
{
	_cleanup_(manifest_done) struct manifest m = { 0 };
	_cleanup_(image_config_done) struct image_config config = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	if (choose_for(r, platform, e) < 0 ||
	    manifest_parse(buf_view(&r->manifest), r->chosen.media_type, &m, e) < 0)
		return NULL;
	str_set(&r->chosen.media_type, str_dup(m.media_type));
	bool image = media_kind(m.config.media_type) == MEDIA_CONFIG;
	if (image && (origin_read(r->from, &m.config, &text, e) < 0 ||
		      image_config_parse(buf_view(&text), &config, e) < 0)) {
		err_add(e, "read the config");
		return NULL;
	}
	return describe(r, &m, image ? &config : NULL);
}

json_t *describe_remote(struct cli *c, const char *what, const struct remote_args *a, struct err *e)
{
	_cleanup_(remote_done) struct remote r = { 0 };
	if (remote_open(c, what, a, &r, e) < 0)
		return NULL;
	json_t *o = read_all(&r, a->platform, e);
	if (!o)
		err_add(e, "inspect '%s'", what);
	return o;
}

static int config_bytes(struct remote *r, const struct platform *platform, struct buf *out,
			struct err *e)
{
	_cleanup_(manifest_done) struct manifest m = { 0 };
	if (choose_for(r, platform, e) < 0 ||
	    manifest_parse(buf_view(&r->manifest), r->chosen.media_type, &m, e) < 0)
		return -1;
	return origin_read(r->from, &m.config, out, e);
}

int remote_bytes(struct cli *c, const char *what, const struct remote_args *a, bool config,
		 struct buf *out, struct err *e)
{
	_cleanup_(remote_done) struct remote r = { 0 };
	if (remote_open(c, what, a, &r, e) < 0)
		return -1;
	if (!config) {
		buf_slice(out, buf_view(&r.text));
		return 0;
	}
	return config_bytes(&r, a->platform, out, e) < 0 ? err_add(e, "inspect '%s'", what) : 0;
}
