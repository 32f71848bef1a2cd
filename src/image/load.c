/* SPDX-License-Identifier: Apache-2.0 */
#include "image/load.h"

#include "base/err.h"
#include "image/layer_in.h"
#include "image/load_in.h"
#include "oci/reference.h"
#include "store/image.h"

void image_loads_done(struct image_loads *l)
{
	for (size_t i = 0; i < l->n; i++)
		strs_done(&l->p[i].names);
	free(l->p);
	*l = (struct image_loads){ 0 };
}

/* ---- layers ---- */

struct layer_file {
	struct bundle *b;
	const char *name;
	const struct digest *digest;
	uint64_t size;
};

static int open_layer(void *ctx, struct err *e)
{
	const struct layer_file *f = ctx;
	uint64_t size;
	_close_ int fd = bundle_open(f->b, f->name, &size, e);
	if (fd >= 0 && size != f->size)
		return err_set(e, ERR_DATA, "'%s' has %llu bytes, not %llu", f->name,
			       (unsigned long long)size, (unsigned long long)f->size);
	return fd < 0 ? -1 : take_fd(&fd);
}

static int keep_layer(void *ctx, const struct digest *d, struct err *e)
{
	const struct layer_file *f = ctx;
	return bundle_to_blob(f->b, f->name, d, e);
}

/* Of what was spooled the digest is known, and checked before anything is unpacked. A file of a
 * directory is kept, and so checked, before. */
static int check_file(struct loader *l, const struct layer_file *f, struct err *e)
{
	struct digest got;
	char a[DIGEST_LEN], b[DIGEST_LEN];
	if (bundle_digest(l->b, f->name, &got, e) < 0)
		return -1;
	if (digest_eq(&got, f->digest))
		return 0;
	return err_set(e, ERR_DATA, "'%s' has digest %s, not %s", f->name, digest_text(&got, a),
		       digest_text(f->digest, b));
}

static bool store_has_layer(struct loader *l, const struct layer_in *in)
{
	char id[SNAP_ID];
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	if (snap_by_diff_id(l->s, &in->diff_id, id) != 1 || snap_info(l->s, id, &sn, NULL) < 0)
		return false;
	if (digest_eq(&in->digest, &in->diff_id) && !sn.foreign)
		return true;
	return digest_eq(&sn.blob.digest, &in->digest) && blob_has(l->s, &in->digest);
}

int load_layer(struct loader *l, const char *name, const struct digest *digest, uint64_t size,
	       const char *media_type, const struct digest *diff_id, struct err *e)
{
	struct layer_file f = { l->b, name, digest, size };
	struct layer_in in = {
		.ctx = &f,
		.open = open_layer,
		.keep = keep_layer,
		.digest = *digest,
		.size = size,
		.media_type = media_type,
		.diff_id = *diff_id,
	};
	char id[SNAP_ID];
	if (store_has_layer(l, &in))
		return 0;
	if (check_file(l, &f, e) < 0)
		return -1;
	return layer_take_in(l->s, &in, id, e);
}

/* ---- the whole ---- */

bool load_wants(const struct loader *l, const char *ref)
{
	if (!l->o->what)
		return true;
	if (!ref)
		return false;
	_cleanup_(reference_done) struct reference want = { 0 };
	struct slice r = slice_of(ref);
	if (slice_is(slice_from(r, slice_rfind(r, '/') + (slice_rfind(r, '/') < r.n)), l->o->what))
		return true;
	size_t colon = slice_rfind(r, ':');
	if (colon < r.n && slice_is(slice_from(r, colon + 1), l->o->what))
		return true;
	if (reference_parse(slice_of(l->o->what), &want, NULL) < 0)
		return false;
	_free_ char *text = reference_text(&want);
	return strcmp(text, ref) == 0;
}

static struct image_loaded *find_loaded(struct loader *l, const struct digest *manifest)
{
	for (size_t i = 0; i < l->out->n; i++)
		if (digest_eq(&l->out->p[i].manifest, manifest))
			return &l->out->p[i];
	return NULL;
}

int load_done(struct loader *l, const struct digest *manifest, struct strs *names, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	if (image_adopt(l->s, manifest, e) < 0 || image_open_digest(l->s, manifest, &im, e) < 0)
		return -1;
	struct image_loaded *it = find_loaded(l, manifest);
	if (!it) {
		it = arr_add(l->out);
		it->manifest = *manifest;
		it->id = im.id;
	}
	for (size_t i = 0; i < names->n; i++)
		if (strs_find(&it->names, names->p[i]) < 0)
			strs_add(&it->names, names->p[i]);
	strs_done(names);
	return 0;
}

static int name_all(struct loader *l, struct err *e)
{
	if (l->o->unnamed)
		return 0;
	if (l->o->name && l->out->n == 1 && l->out->p[0].names.n == 0) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (reference_parse(slice_of(l->o->name), &ref, e) < 0)
			return -1;
		strs_take(&l->out->p[0].names, reference_text(&ref));
	}
	arr_each(it, l->out)
		for (size_t i = 0; i < it->names.n; i++)
			if (name_set(l->s, it->names.p[i], &it->manifest, e) < 0)
				return -1;
	return 0;
}

static int load_what_it_is(struct loader *l, const char *what, struct err *e)
{
	int r;
	/* Docker since 25 writes both forms; the OCI one has the digests that were pulled. */
	if (bundle_has(l->b, "index.json"))
		r = load_oci(l, e);
	else if (bundle_has(l->b, "manifest.json"))
		r = load_docker(l, e);
	else if (bundle_has(l->b, "repositories"))
		r = load_docker_v1(l, e);
	else {
		err_set(e, ERR_DATA,
			"%s holds no image: no index.json, manifest.json or repositories", what);
		return err_hint(e, "for the files of a root file system use 'thimble import'");
	}
	if (r < 0)
		return -1;
	if (l->out->n == 0 && l->o->what)
		return err_set(e, ERR_ABSENT, "%s has no image '%s'", what, l->o->what);
	if (l->out->n == 0) {
		err_set(e, ERR_DATA, "%s holds no image", what);
		return err_hint(e, "artifacts, which are no images, are moved with 'thimble copy'");
	}
	return name_all(l, e);
}

int image_load(struct store *s, int fd, const char *path, const struct image_load_opts *o,
	       struct image_loads *out, struct err *e)
{
	if (path && strcmp(path, "-") == 0)
		path = NULL;
	_free_ char *what = path ? str_printf("'%s'", path) : str_dup("the stream");
	_cleanup_(image_loads_done) struct image_loads loads = { 0 };
	_cleanup_(bundle_closep) struct bundle *b = bundle_from_path(s, fd, path, what, e);
	if (!b)
		return err_add(e, "load %s", what);
	struct loader l = { .s = s, .b = b, .o = o, .out = &loads };
	if (o->platform)
		platform_copy(&l.platform, o->platform);
	else
		platform_host(&l.platform);
	int r = load_what_it_is(&l, what, e);
	platform_done(&l.platform);
	if (r < 0)
		return err_add(e, "load %s", what);
	*out = loads;
	loads = (struct image_loads){ 0 };
	return 0;
}
