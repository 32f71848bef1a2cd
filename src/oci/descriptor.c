/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"

#include "base/err.h"
#include "base/js.h"
#include "oci/members.h"

enum media_kind media_kind(const char *media_type)
{
	static const struct {
		const char *name;
		enum media_kind kind;
	} known[] = {
		{ MT_OCI_MANIFEST, MEDIA_MANIFEST },
		{ MT_DOCKER_MANIFEST, MEDIA_MANIFEST },
		{ MT_OCI_INDEX, MEDIA_INDEX },
		{ MT_DOCKER_LIST, MEDIA_INDEX },
		{ MT_OCI_CONFIG, MEDIA_CONFIG },
		{ MT_DOCKER_CONFIG, MEDIA_CONFIG },
		{ MT_OCI_LAYER, MEDIA_LAYER },
		{ MT_OCI_LAYER_GZIP, MEDIA_LAYER },
		{ MT_OCI_LAYER_ZSTD, MEDIA_LAYER },
		{ MT_DOCKER_LAYER, MEDIA_LAYER },
		{ MT_DOCKER_LAYER_GZIP, MEDIA_LAYER },
		{ MT_DOCKER_LAYER_ZSTD, MEDIA_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_FOREIGN_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		  MEDIA_FOREIGN_LAYER },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
		  MEDIA_FOREIGN_LAYER },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar", MEDIA_FOREIGN_LAYER },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		  MEDIA_FOREIGN_LAYER },
	};
	for (size_t i = 0; media_type && i < COUNT_OF(known); i++)
		if (strcmp(known[i].name, media_type) == 0)
			return known[i].kind;
	return MEDIA_OTHER;
}

void descriptor_done(struct descriptor *d)
{
	if (!d)
		return;
	free(d->media_type);
	free(d->artifact_type);
	json_decref(d->annotations);
	json_decref(d->extra);
	platform_done(d->platform);
	free(d->platform);
	*d = (struct descriptor){ 0 };
}

void descriptor_copy(struct descriptor *to, const struct descriptor *from)
{
	struct descriptor copy = { .media_type = str_dup(from->media_type),
				   .digest = from->digest,
				   .size = from->size,
				   .annotations = json_deep_copy(from->annotations),
				   .artifact_type = str_dup(from->artifact_type),
				   .extra = json_deep_copy(from->extra) };
	if (from->platform) {
		copy.platform = NEW(struct platform);
		platform_copy(copy.platform, from->platform);
	}
	descriptor_done(to);
	*to = copy;
}

int member_str(const json_t *obj, const char *key, char **out, struct err *e)
{
	const char *s;
	if (js_str(obj, key, &s, e) < 0)
		return -1;
	str_set(out, str_dup(s));
	return 0;
}

int member_annotations(const json_t *obj, json_t **out, struct err *e)
{
	json_t *found, *v;
	const char *key;
	if (js_object(obj, "annotations", &found, e) < 0)
		return -1;
	json_object_foreach(found, key, v) if (!json_is_string(v)) return err_set(
		e, ERR_DATA, "the annotation '%s' must be a string", key);
	json_decref(*out);
	*out = json_incref(found);
	return 0;
}

json_t *member_extra(const json_t *obj, const char *const *known, size_t n)
{
	json_t *extra = NULL, *v;
	const char *key;
	json_object_foreach((json_t *)obj, key, v)
	{
		bool is_known = false;
		for (size_t i = 0; i < n && !is_known; i++)
			is_known = strcmp(key, known[i]) == 0;
		if (is_known)
			continue;
		if (!extra)
			extra = json_object();
		json_object_set(extra, key, v);
	}
	return extra;
}

int member_platform(const json_t *obj, struct platform *out, struct err *e)
{
	if (member_str(obj, "os", &out->os, e) < 0 ||
	    member_str(obj, "architecture", &out->arch, e) < 0 ||
	    member_str(obj, "variant", &out->variant, e) < 0 ||
	    member_str(obj, "os.version", &out->os_version, e) < 0)
		return -1;
	if (!out->os || !out->arch)
		return err_set(e, ERR_DATA, "'%s' is missing", out->os ? "architecture" : "os");
	return 0;
}

void put_str(json_t *obj, const char *key, const char *s)
{
	if (s)
		json_object_set_new(obj, key, js_text(slice_of(s)));
}

static int read_size(const json_t *obj, uint64_t *size, struct err *e)
{
	int64_t n;
	if (js_int(obj, "size", &n, e) < 0)
		return -1;
	if (!json_object_get(obj, "size") || n < 0)
		return err_set(e, ERR_DATA, "its size is missing or negative");
	*size = (uint64_t)n;
	return 0;
}

static int read_members(const json_t *obj, struct descriptor *d, struct err *e)
{
	static const char *const known[] = { "mediaType",   "digest",   "size",
					     "annotations", "platform", "artifactType" };
	const char *digest;
	json_t *platform;
	if (member_str(obj, "mediaType", &d->media_type, e) < 0 ||
	    js_str(obj, "digest", &digest, e) < 0 || read_size(obj, &d->size, e) < 0)
		return -1;
	if (!d->media_type || !digest)
		return err_set(e, ERR_DATA, "its %s is missing", digest ? "mediaType" : "digest");
	if (digest_parse(slice_of(digest), &d->digest, e) < 0 ||
	    member_annotations(obj, &d->annotations, e) < 0 ||
	    member_str(obj, "artifactType", &d->artifact_type, e) < 0 ||
	    js_object(obj, "platform", &platform, e) < 0)
		return -1;
	if (platform) {
		d->platform = NEW(struct platform);
		if (member_platform(platform, d->platform, e) < 0)
			return err_add(e, "its platform");
	}
	d->extra = member_extra(obj, known, COUNT_OF(known));
	return 0;
}

int descriptor_read(const json_t *obj, struct descriptor *out, struct err *e)
{
	_cleanup_(descriptor_done) struct descriptor d = { 0 };
	if (!json_is_object(obj))
		return err_set(e, ERR_DATA, "a descriptor must be an object");
	if (read_members(obj, &d, e) < 0)
		return -1;
	*out = d;
	d = (struct descriptor){ 0 };
	return 0;
}

static json_t *platform_json(const struct platform *p)
{
	json_t *obj = json_object();
	put_str(obj, "architecture", p->arch);
	put_str(obj, "os", p->os);
	put_str(obj, "os.version", p->os_version);
	put_str(obj, "variant", p->variant);
	return obj;
}

json_t *descriptor_json(const struct descriptor *d)
{
	char digest[DIGEST_LEN];
	json_t *obj = json_object();
	put_str(obj, "mediaType", d->media_type);
	put_str(obj, "digest", digest_text(&d->digest, digest));
	json_object_set_new(obj, "size", json_integer((json_int_t)d->size));
	if (d->annotations)
		json_object_set(obj, "annotations", d->annotations);
	if (d->platform)
		json_object_set_new(obj, "platform", platform_json(d->platform));
	put_str(obj, "artifactType", d->artifact_type);
	if (d->extra)
		json_object_update_missing(obj, d->extra);
	return obj;
}
