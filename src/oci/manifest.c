/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/manifest.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "oci/members.h"

void manifest_done(struct manifest *m)
{
	if (!m)
		return;
	free(m->media_type);
	free(m->artifact_type);
	descriptor_done(&m->config);
	arr_each(layer, &m->layers)
		descriptor_done(layer);
	arr_done(&m->layers);
	descriptor_done(m->subject);
	free(m->subject);
	json_decref(m->annotations);
	*m = (struct manifest){ 0 };
}

void image_index_done(struct image_index *x)
{
	if (!x)
		return;
	free(x->media_type);
	arr_each(d, &x->manifests)
		descriptor_done(d);
	arr_done(&x->manifests);
	json_decref(x->annotations);
	*x = (struct image_index){ 0 };
}

/* A text with the members of both kinds would be one thing to one reader and another thing to
 * the next (CVE-2021-41190): it is neither. */
static enum media_kind shape_of(const json_t *root)
{
	bool index = json_object_get(root, "manifests") != NULL;
	bool manifest = json_object_get(root, "layers") || json_object_get(root, "config") ||
			json_object_get(root, "fsLayers");
	if (index == manifest)
		return MEDIA_OTHER;
	return index ? MEDIA_INDEX : MEDIA_MANIFEST;
}

/* The media type of a text of kind `kind`: what it says itself, else what the outside said, else
 * OCI's. */
static int read_type(const json_t *root, enum media_kind kind, const char *said, char **out,
		     struct err *e)
{
	const char *own, *what = kind == MEDIA_INDEX ? "an index of images" : "an image manifest";
	int64_t version;
	if (!json_is_object(root))
		return err_set(e, ERR_DATA, "it is not an object");
	if (js_int(root, "schemaVersion", &version, e) < 0)
		return -1;
	if (version != 2)
		return err_set(e, ERR_DATA, "its schemaVersion is %lld; only 2 is known",
			       (long long)version);
	if (js_str(root, "mediaType", &own, e) < 0)
		return -1;
	if (own && said && strcmp(own, said) != 0)
		return err_set(e, ERR_DATA, "it says that it is '%s', but was announced as '%s'",
			       own, said);
	const char *type = own ? own : said;
	if (!type)
		type = kind == MEDIA_INDEX ? MT_OCI_INDEX : MT_OCI_MANIFEST;
	if (media_kind(type) != kind)
		return err_set(e, ERR_DATA, "'%s' is not %s", type, what);
	if (shape_of(root) != kind)
		return err_set(e, ERR_DATA, "its members are not those of %s alone", what);
	*out = str_dup(type);
	return 0;
}

static int read_descriptor(const json_t *root, const char *key, struct descriptor *out,
			   struct err *e)
{
	json_t *obj;
	if (js_object(root, key, &obj, e) < 0)
		return -1;
	if (!obj)
		return err_set(e, ERR_DATA, "'%s' is missing", key);
	if (descriptor_read(obj, out, e) < 0)
		return err_add(e, "'%s'", key);
	return 0;
}

/* The list of descriptors under key; `most` of them. */
static int read_list(const json_t *root, const char *key, size_t most, struct descriptor **p,
		     size_t *n, size_t *cap, struct err *e)
{
	json_t *list;
	if (js_array(root, key, &list, e) < 0)
		return -1;
	if (!list)
		return err_set(e, ERR_DATA, "'%s' is missing", key);
	size_t count = json_array_size(list);
	if (count > most)
		return err_set(e, ERR_DATA, "'%s' has %zu entries; at most %zu are allowed", key,
			       count, most);
	*p = mem_array(count, sizeof **p);
	*cap = count;
	for (size_t i = 0; i < count; i++, (*n)++)
		if (descriptor_read(json_array_get(list, i), &(*p)[i], e) < 0)
			return err_add(e, "entry %zu of '%s'", i + 1, key);
	return 0;
}

static int read_manifest(const json_t *root, const char *said, struct manifest *m, struct err *e)
{
	json_t *subject;
	if (read_type(root, MEDIA_MANIFEST, said, &m->media_type, e) < 0 ||
	    read_descriptor(root, "config", &m->config, e) < 0 ||
	    read_list(root, "layers", MANIFEST_LAYERS_MAX, &m->layers.p, &m->layers.n,
		      &m->layers.cap, e) < 0 ||
	    member_str(root, "artifactType", &m->artifact_type, e) < 0 ||
	    member_annotations(root, &m->annotations, e) < 0 ||
	    js_object(root, "subject", &subject, e) < 0)
		return -1;
	if (!subject)
		return 0;
	m->subject = NEW(struct descriptor);
	return read_descriptor(root, "subject", m->subject, e);
}

int manifest_parse(struct slice text, const char *media_type, struct manifest *out, struct err *e)
{
	_json_ json_t *root = js_parse(text, "the manifest", e);
	if (!root)
		return -1;
	_cleanup_(manifest_done) struct manifest m = { 0 };
	if (read_manifest(root, media_type, &m, e) < 0)
		return err_add(e, "the manifest is malformed");
	*out = m;
	m = (struct manifest){ 0 };
	return 0;
}

static json_t *begin(const char *media_type)
{
	json_t *root = json_object();
	json_object_set_new(root, "schemaVersion", json_integer(2));
	put_str(root, "mediaType", media_type);
	return root;
}

static json_t *list_json(const struct descriptor *p, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, descriptor_json(&p[i]));
	return list;
}

void manifest_write(const struct manifest *m, struct buf *out)
{
	_json_ json_t *root = begin(m->media_type);
	put_str(root, "artifactType", m->artifact_type);
	json_object_set_new(root, "config", descriptor_json(&m->config));
	json_object_set_new(root, "layers", list_json(m->layers.p, m->layers.n));
	if (m->subject)
		json_object_set_new(root, "subject", descriptor_json(m->subject));
	if (m->annotations)
		json_object_set(root, "annotations", m->annotations);
	js_dump(root, out);
}

static int read_index(const json_t *root, const char *said, struct image_index *x, struct err *e)
{
	/* a descriptor takes more than 100 bytes: the text's own limit holds here */
	if (read_type(root, MEDIA_INDEX, said, &x->media_type, e) < 0 ||
	    read_list(root, "manifests", MANIFEST_MAX / 100, &x->manifests.p, &x->manifests.n,
		      &x->manifests.cap, e) < 0)
		return -1;
	return member_annotations(root, &x->annotations, e);
}

int image_index_parse(struct slice text, const char *media_type, struct image_index *out,
		      struct err *e)
{
	_json_ json_t *root = js_parse(text, "the image index", e);
	if (!root)
		return -1;
	_cleanup_(image_index_done) struct image_index x = { 0 };
	if (read_index(root, media_type, &x, e) < 0)
		return err_add(e, "the image index is malformed");
	*out = x;
	x = (struct image_index){ 0 };
	return 0;
}

void image_index_write(const struct image_index *x, struct buf *out)
{
	_json_ json_t *root = begin(x->media_type);
	json_object_set_new(root, "manifests", list_json(x->manifests.p, x->manifests.n));
	if (x->annotations)
		json_object_set(root, "annotations", x->annotations);
	js_dump(root, out);
}

enum media_kind manifest_sniff(struct slice text)
{
	_json_ json_t *root = js_parse(text, "it", NULL);
	const char *type;
	if (!root || !json_is_object(root) || js_str(root, "mediaType", &type, NULL) < 0)
		return MEDIA_OTHER;
	enum media_kind shape = shape_of(root);
	return !type || media_kind(type) == shape ? shape : MEDIA_OTHER;
}

static const struct descriptor *find(const struct image_index *x, const struct platform *want)
{
	arr_each(d, &x->manifests)
		if (d->platform && !platform_is_unknown(d->platform) &&
		    platform_eq(d->platform, want))
			return d;
	return NULL;
}

const struct descriptor *image_index_choose(const struct image_index *x,
					    const struct platform *want)
{
	const struct descriptor *found = find(x, want);
	if (found)
		return found;
	/* what is made for any machine of the kind, or for an older 32-bit ARM, runs too */
	static const char *const lesser[] = { "v7", "v6", "v5" };
	struct platform any = { .os = want->os, .arch = want->arch };
	bool is_arm = slice_eq_nocase(slice_of(want->arch), SL("arm"));
	if (!is_arm && (found = find(x, &any)))
		return found;
	for (size_t i = 0; is_arm && want->variant && i < COUNT_OF(lesser); i++) {
		any.variant = (char *)lesser[i];
		if (strcmp(lesser[i], want->variant) < 0 && (found = find(x, &any)))
			return found;
	}
	/* layouts that umoci and others write name no platform */
	arr_each(d, &x->manifests)
		if (!d->platform && media_kind(d->media_type) == MEDIA_MANIFEST)
			return d;
	return NULL;
}
