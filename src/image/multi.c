/* SPDX-License-Identifier: Apache-2.0 */
#include "image/multi.h"

#include "base/err.h"
#include "base/js.h"
#include "image/copy_members.h"
#include "image/origin.h"
#include "oci/config.h"
#include "store/image.h"
#include "store/lists.h"

#define MEMBERS_MAX 1000

static void member_done(struct multi_member *it)
{
	free(it->name);
	free(it->from);
	descriptor_done(&it->desc);
}

void multi_done(struct multi *m)
{
	reference_done(&m->ref);
	arr_each(it, &m->members)
		member_done(it);
	arr_done(&m->members);
	*m = (struct multi){ 0 };
}

/* ---- on disk ---- */

static int read_member(const json_t *v, struct multi_member *out, struct err *e)
{
	const char *name, *from;
	json_t *desc;
	if (!json_is_object(v) || js_str(v, "name", &name, e) < 0 ||
	    js_str(v, "from", &from, e) < 0 || js_object(v, "descriptor", &desc, e) < 0 || !name ||
	    !from || !desc || descriptor_read(desc, &out->desc, e) < 0)
		return err_set(e, ERR_DATA, "an entry of the list is malformed");
	out->name = str_dup(name);
	out->from = str_dup(from);
	return 0;
}

static int parse(struct slice text, struct multi *m, struct err *e)
{
	_json_ json_t *v = js_parse(text, "the list", e);
	size_t i;
	json_t *it;
	if (!v)
		return -1;
	if (!json_is_array(v) || json_array_size(v) > MEMBERS_MAX)
		return err_set(e, ERR_DATA, "the list is malformed");
	json_array_foreach(v, i, it) if (read_member(it, arr_add(&m->members), e) < 0) return -1;
	return 0;
}

int multi_load(struct store *s, const char *name, struct multi *out, struct err *e)
{
	_cleanup_(multi_done) struct multi m = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	if (reference_parse(slice_of(name), &m.ref, e) < 0)
		return -1;
	if (m.ref.has_digest)
		return err_set(e, ERR_USER, "a list is named with a tag, not with a digest: '%s'",
			       name);
	_free_ char *ref = reference_text(&m.ref);
	int r = list_get(s, ref, &b, e);
	if (r < 0 || (r > 0 && parse(buf_view(&b), &m, e) < 0))
		return err_add(e, "read the list '%s'", name);
	*out = m;
	m = (struct multi){ 0 };
	return r;
}

int multi_save(struct store *s, const struct multi *m, struct err *e)
{
	_json_ json_t *list = json_array();
	_cleanup_(buf_done) struct buf b = { 0 };
	_free_ char *ref = reference_text(&m->ref);
	arr_each(it, &m->members) {
		json_t *o = json_object();
		json_object_set_new(o, "name", js_text(slice_of(it->name)));
		json_object_set_new(o, "from", js_text(slice_of(it->from)));
		json_object_set_new(o, "descriptor", descriptor_json(&it->desc));
		json_array_append_new(list, o);
	}
	js_dump(list, &b);
	return list_put(s, ref, buf_view(&b), e);
}

/* ---- members ---- */

/* Takes what is in it. */
static int put_member(struct multi *m, struct multi_member *one, struct err *e)
{
	arr_each(it, &m->members)
		if (digest_eq(&it->desc.digest, &one->desc.digest)) {
			member_done(it);
			*it = *one;
			*one = (struct multi_member){ 0 };
			return 0;
		}
	if (m->members.n >= MEMBERS_MAX) {
		member_done(one);
		return err_set(e, ERR_USER, "a list holds at most %d images", MEMBERS_MAX);
	}
	arr_push(&m->members, *one);
	*one = (struct multi_member){ 0 };
	return 0;
}

static void set_platform(struct descriptor *d, const struct platform *p)
{
	if (!p->os || !p->arch)
		return;
	if (!d->platform)
		d->platform = NEW(struct platform);
	platform_copy(d->platform, p);
}

static int add_stored(struct multi *m, const char *name, const struct image *im, uint64_t size,
		      struct err *e)
{
	char text[DIGEST_LEN];
	struct multi_member one = { .name = str_dup(name) };
	one.from = str_printf("thimble:%s", digest_text(&im->manifest_digest, text));
	one.desc.media_type = str_dup(im->manifest.media_type);
	one.desc.digest = im->manifest_digest;
	one.desc.size = size;
	set_platform(&one.desc, &im->config.platform);
	return put_member(m, &one, e);
}

static int add_remote_manifest(struct multi *m, const char *name, struct origin *o,
			       const struct descriptor *d, struct slice text, struct err *e)
{
	char digest[DIGEST_LEN];
	_cleanup_(manifest_done) struct manifest man = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	if (manifest_parse(text, d->media_type, &man, e) < 0)
		return -1;
	bool image = media_kind(man.config.media_type) == MEDIA_CONFIG;
	if (image && !d->platform &&
	    (origin_read(o, &man.config, &b, e) < 0 ||
	     image_config_parse(buf_view(&b), &cfg, e) < 0))
		return err_add(e, "read the config");
	struct multi_member one = { .name = str_dup(name) };
	one.from = str_printf("docker://%s/%s@%s", o->repository->host, o->repository->path,
			      digest_text(&d->digest, digest));
	descriptor_copy(&one.desc, d);
	str_set(&one.desc.media_type, str_dup(man.media_type));
	if (image && !d->platform)
		set_platform(&one.desc, &cfg.platform);
	return put_member(m, &one, e);
}

static int add_index(struct multi *m, const char *name, struct origin *o, const char *type,
		     struct slice text, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	if (image_index_parse(text, type, &x, e) < 0)
		return -1;
	arr_each(it, &x.manifests) {
		_cleanup_(buf_done) struct buf b = { 0 };
		if (media_kind(it->media_type) != MEDIA_MANIFEST)
			return err_set(e, ERR_DATA, "'%s' is an index that names '%s', not images",
				       name, it->media_type);
		if (origin_manifest(o, it, &b, e) < 0 ||
		    add_remote_manifest(m, name, o, it, buf_view(&b), e) < 0)
			return -1;
	}
	return 0;
}

static int add_remote(struct multi *m, const char *name, const struct locator *at,
		      const struct registry_opts *registry, struct err *e)
{
	const struct origin_opts opts = { .registry = registry };
	_cleanup_(origin_closep) struct origin *o = origin_open(NULL, at, &opts, e);
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(descriptor_done) struct descriptor d = { 0 };
	if (!o || origin_top(o, &text, &d, e) < 0)
		return -1;
	if (manifest_sniff(buf_view(&text)) == MEDIA_INDEX)
		return add_index(m, name, o, d.media_type, buf_view(&text), e);
	return add_remote_manifest(m, name, o, &d, buf_view(&text), e);
}

/* 1; 0: the store does not have it. */
static int add_from_store(struct store *s, struct multi *m, const char *name, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	if (image_open(s, name, &im, &why) < 0) {
		if (why.kind == ERR_ABSENT)
			return 0;
		if (e)
			err_move(e, &why);
		return -1;
	}
	if (blob_read(s, &im.manifest_digest, &text, e) < 0)
		return -1;
	return add_stored(m, name, &im, text.len, e) < 0 ? -1 : 1;
}

int multi_add(struct store *s, struct multi *m, const char *image,
	      const struct registry_opts *registry, struct err *e)
{
	_cleanup_(locator_done) struct locator at = { 0 };
	if (locator_parse(image, &at, e) < 0)
		return -1;
	if (at.kind != LOCATOR_STORE && at.kind != LOCATOR_REGISTRY) {
		err_set(e, ERR_USER, "a list is made of images of the store and of registries");
		return err_hint(e, "copy '%s' to one of them first", image);
	}
	if (at.kind == LOCATOR_STORE) {
		int r = add_from_store(s, m, at.path, e);
		if (r != 0)
			return r < 0 ? -1 : 0;
		_free_ char *text = str_printf("docker://%s", at.path);
		locator_done(&at);
		if (locator_parse(text, &at, e) < 0)
			return -1;
	}
	return add_remote(m, image, &at, registry, e) < 0 ? err_add(e, "add '%s'", image) : 0;
}

struct multi_member *multi_find(struct multi *m, const char *what, struct err *e)
{
	struct multi_member *found = NULL;
	_cleanup_(strs_done) struct strs names = { 0 };
	size_t n = 0;
	arr_each(it, &m->members) {
		char digest[DIGEST_LEN];
		digest_text(&it->desc.digest, digest);
		strs_add(&names, it->name);
		if (strcmp(digest, what) == 0)
			return it;
		if (strcmp(it->name, what) == 0) {
			found = it;
			n++;
		}
	}
	if (n == 1)
		return found;
	_free_ char *list = strs_join(&names, ", ");
	if (n > 1) {
		err_set(e, ERR_USER, "several entries of the list are '%s'", what);
		err_hint(e, "give the digest of one: 'thimble manifest inspect' shows them");
	} else {
		err_set(e, ERR_ABSENT, "the list has no entry '%s'", what);
		err_hint(e, "it has: %s", *list ? list : "none");
	}
	return NULL;
}

/* Docker's list if all of it is Docker's, else OCI's index. */
static bool all_docker(const struct multi *m)
{
	arr_each(it, &m->members)
		if (strcmp(it->desc.media_type, MT_DOCKER_MANIFEST) != 0)
			return false;
	return m->members.n > 0;
}

void multi_index(const struct multi *m, struct image_index *out)
{
	out->media_type = str_dup(all_docker(m) ? MT_DOCKER_LIST : MT_OCI_INDEX);
	arr_each(it, &m->members) {
		struct descriptor d = { 0 };
		descriptor_copy(&d, &it->desc);
		arr_push(&out->manifests, d);
	}
}

int multi_push(struct store *s, const struct multi *m, const struct locator *to,
	       const struct image_copy_opts *o, struct image_copied *out, struct err *e)
{
	ARRAY_OF(struct copy_member) list = { 0 };
	if (m->members.n == 0)
		return err_set(e, ERR_USER, "the list is empty");
	arr_each(it, &m->members)
		arr_push(&list, (struct copy_member){ it->from, &it->desc });
	int r = image_copy_members(s, list.p, list.n, to, o, out, e);
	arr_done(&list);
	return r;
}
