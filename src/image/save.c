/* SPDX-License-Identifier: Apache-2.0 */
#include "image/save.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "base/map.h"
#include "image/archive.h"
#include "image/ocidir.h"
#include "image/outgoing.h"
#include "oci/reference.h"


/* One image on its way out. */
struct job {
	struct image im;
	struct outgoing out; /* OCI forms only */
	ARRAY_OF(struct reference) refs;
};
struct save {
	struct store *s;
	const struct save_opts *o;
	ARRAY_OF(struct job) jobs;
	struct archive *a;
	struct map done; /* names of members that are written */
};

static void save_done(struct save *v)
{
	arr_each(it, &v->jobs) {
		outgoing_done(v->s, &it->out);
		image_done(&it->im);
		arr_each(ref, &it->refs)
			reference_done(ref);
		arr_done(&it->refs);
	}
	arr_done(&v->jobs);
	archive_close(v->a);
	map_done(&v->done);
}

/* ---- members ---- */

struct fill {
	struct store *s;
	const struct image *im;
	const struct outgoing_layer *layer;
	size_t i;
};

static int fill_layer(void *ctx, struct sink *out, struct err *e)
{
	const struct fill *f = ctx;
	return outgoing_layer_write(f->s, f->layer, out, e);
}

static int fill_tar(void *ctx, struct sink *out, struct err *e)
{
	const struct fill *f = ctx;
	uint64_t n;
	return outgoing_tar(f->s, f->im, f->i, out, &n, e);
}

/* True once for each name. */
static bool is_new(struct save *v, const char *name)
{
	if (map_has(&v->done, slice_of(name)))
		return false;
	map_put(&v->done, slice_of(name), v);
	return true;
}

static char *blob_name(const struct digest *d)
{
	char hex[SHA256_HEX];
	return str_printf("blobs/sha256/%s", digest_hex(d, hex));
}

static int put_config(struct save *v, const struct image *im, const char *name, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (blob_read(v->s, &im->id, &b, e) < 0)
		return -1;
	return archive_bytes(v->a, name, buf_view(&b), e);
}

/* ---- OCI ---- */

/* Something with a digest that goes into blobs/sha256. */
struct piece {
	char *name;
	const struct job *job;
	const struct outgoing_layer *layer; /* NULL: the config, or with `manifest` the manifest */
	bool manifest;
};
struct pieces {
	struct piece *p;
	size_t n, cap;
};

static void pieces_done(struct pieces *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->p[i].name);
	free(l->p);
}

static int cmp_pieces(const void *pa, const void *pb)
{
	return strcmp(((const struct piece *)pa)->name, ((const struct piece *)pb)->name);
}

static void add_piece(struct save *v, struct pieces *l, const struct digest *d, struct piece p)
{
	p.name = blob_name(d);
	if (is_new(v, p.name))
		arr_push(l, p);
	else
		free(p.name);
}

static int put_piece(struct save *v, const struct piece *p, struct err *e)
{
	if (p->manifest)
		return archive_bytes(v->a, p->name,
				     (struct slice){ p->job->out.manifest, p->job->out.manifest_n },
				     e);
	if (!p->layer)
		return put_config(v, &p->job->im, p->name, e);
	struct fill f = { .s = v->s, .layer = p->layer };
	return archive_stream(v->a, p->name, p->layer->desc.size, fill_layer, &f, e);
}

/* Sorted by digest, so that the order says nothing about the order of the names. */
static int put_blobs(struct save *v, struct err *e)
{
	_cleanup_(pieces_done) struct pieces list = { 0 };
	arr_each(job, &v->jobs) {
		add_piece(v, &list, &job->out.manifest_digest,
			  (struct piece){ .job = job, .manifest = true });
		add_piece(v, &list, &job->im.id, (struct piece){ .job = job });
		arr_each(layer, &job->out.layers)
			add_piece(v, &list, &layer->desc.digest,
				  (struct piece){ .job = job, .layer = layer });
	}
	if (list.n > 1)
		qsort(list.p, list.n, sizeof list.p[0], cmp_pieces);
	for (size_t i = 0; i < list.n; i++)
		if (put_piece(v, &list.p[i], e) < 0)
			return -1;
	return 0;
}

/* What containerd, BuildKit and `docker save` write: all of the name, and the tag as ref.name. */
static struct descriptor entry_for(const struct job *job, const struct reference *ref)
{
	struct descriptor d = {
		.media_type = str_dup(job->out.media_type),
		.digest = job->out.manifest_digest,
		.size = job->out.manifest_n,
	};
	if (job->im.config.platform.os && job->im.config.platform.arch) {
		d.platform = NEW(struct platform);
		platform_copy(d.platform, &job->im.config.platform);
	}
	if (ref) {
		_free_ char *text = reference_text(ref);
		d.annotations = json_object();
		json_object_set_new(d.annotations, OCIDIR_NAME_CONTAINERD, json_string(text));
		if (ref->tag)
			json_object_set_new(d.annotations, OCIDIR_NAME_OCI, json_string(ref->tag));
	}
	return d;
}

static void add_entries(struct save *v, struct image_index *x)
{
	arr_each(job, &v->jobs) {
		arr_each(ref, &job->refs)
			ocidir_add(x, entry_for(job, ref));
		if (job->refs.n == 0)
			ocidir_add(x, entry_for(job, NULL));
	}
}

static int put_index(struct save *v, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { .media_type = str_dup(MT_OCI_INDEX) };
	_cleanup_(buf_done) struct buf b = { 0 };
	add_entries(v, &x);
	image_index_write(&x, &b);
	return archive_bytes(v->a, "index.json", buf_view(&b), e);
}

static json_t *tags_of(const struct job *job)
{
	json_t *tags = json_array();
	arr_each(ref, &job->refs) {
		_free_ char *text = reference_familiar(ref);
		if (ref->tag)
			json_array_append_new(tags, json_string(text));
	}
	return tags;
}

/* manifest.json of the OCI archive points into blobs/: `docker load` reads no index.json before
 * Docker 25. */
static int put_docker_index(struct save *v, struct err *e)
{
	_json_ json_t *list = json_array();
	_cleanup_(buf_done) struct buf b = { 0 };
	arr_each(job, &v->jobs) {
		json_t *layers = json_array();
		_free_ char *config = blob_name(&job->im.id);
		arr_each(layer, &job->out.layers) {
			_free_ char *name = blob_name(&layer->desc.digest);
			json_array_append_new(layers, json_string(name));
		}
		json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "Config", config, "RepoTags",
						      tags_of(job), "Layers", layers));
	}
	js_dump(list, &b);
	return archive_bytes(v->a, "manifest.json", buf_view(&b), e);
}

static int prepare_oci(struct save *v, struct err *e)
{
	const struct outgoing_opts o = {
		.compression = v->o->compression,
		.level = v->o->level,
		.allow_rootfs = v->o->allow_rootfs,
	};
	arr_each(job, &v->jobs)
		if (outgoing_prepare(v->s, &job->im, &o, &job->out, e) < 0)
			return -1;
	return 0;
}

static int save_oci(struct save *v, struct err *e)
{
	if (prepare_oci(v, e) < 0)
		return -1;
	if (archive_dir(v->a, "blobs", e) < 0 || archive_dir(v->a, "blobs/sha256", e) < 0)
		return -1;
	if (put_blobs(v, e) < 0 || put_index(v, e) < 0 || put_docker_index(v, e) < 0)
		return -1;
	return archive_bytes(v->a, "oci-layout", SL("{\"imageLayoutVersion\":\"1.0.0\"}"), e);
}

/* ---- a layout directory ---- */

static int save_dir(struct save *v, const char *path, struct err *e)
{
	_cleanup_(ocidir_done) struct ocidir l = OCIDIR_INIT;
	if (ocidir_open(&l, path, e) < 0)
		return -1;
	v->a = archive_to_dir(l.dirfd);
	if (prepare_oci(v, e) < 0 || archive_dir(v->a, "blobs/sha256", e) < 0 ||
	    put_blobs(v, e) < 0)
		return -1;
	add_entries(v, &l.index);
	return ocidir_finish(&l, e);
}

/* ---- docker-archive ---- */

static int put_docker_layer(struct save *v, const struct job *job, size_t i, json_t *layers,
			    struct err *e)
{
	char hex[SHA256_HEX];
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	_free_ char *dir = str_printf("%s", digest_hex(&job->im.config.diff_ids.p[i], hex));
	_free_ char *name = str_printf("%s/layer.tar", dir);
	struct fill f = { .s = v->s, .im = &job->im, .i = i };
	json_array_append_new(layers, json_string(name));
	if (!is_new(v, name))
		return 0;
	if (snap_info(v->s, job->im.snaps.p[i], &sn, e) < 0 || archive_dir(v->a, dir, e) < 0)
		return -1;
	return archive_stream(v->a, name, sn.tar_size, fill_tar, &f, e);
}

static void add_repositories(const struct job *job, json_t *repos)
{
	char hex[SHA256_HEX];
	if (job->im.config.diff_ids.n == 0)
		return;
	digest_hex(arr_last(&job->im.config.diff_ids), hex);
	arr_each(ref, &job->refs) {
		_free_ char *repo = reference_familiar_name(ref);
		json_t *tags = json_object_get(repos, repo);
		if (!ref->tag)
			continue;
		if (!tags) {
			tags = json_object();
			json_object_set_new(repos, repo, tags);
		}
		json_object_set_new(tags, ref->tag, json_string(hex));
	}
}

static int put_docker(struct save *v, const struct job *job, json_t *list, json_t *repos,
		      struct err *e)
{
	char hex[SHA256_HEX];
	_free_ char *config = str_printf("%s.json", digest_hex(&job->im.id, hex));
	if (outgoing_check(&job->im, v->o->allow_rootfs, e) < 0)
		return -1;
	json_t *layers = json_array();
	json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "Config", config, "RepoTags",
					      tags_of(job), "Layers", layers));
	if (is_new(v, config) && put_config(v, &job->im, config, e) < 0)
		return -1;
	for (size_t i = 0; i < job->im.snaps.n; i++)
		if (put_docker_layer(v, job, i, layers, e) < 0)
			return -1;
	add_repositories(job, repos);
	return 0;
}

static int save_docker(struct save *v, struct err *e)
{
	_json_ json_t *list = json_array(), *repos = json_object();
	_cleanup_(buf_done) struct buf b = { 0 }, r = { 0 };
	arr_each(job, &v->jobs)
		if (put_docker(v, job, list, repos, e) < 0)
			return -1;
	js_dump(list, &b);
	if (archive_bytes(v->a, "manifest.json", buf_view(&b), e) < 0)
		return -1;
	js_dump(repos, &r);
	return archive_bytes(v->a, "repositories", buf_view(&r), e);
}

/* ---- which ---- */

static struct job *job_for(struct save *v, const struct digest *manifest)
{
	arr_each(it, &v->jobs)
		if (digest_eq(&it->im.manifest_digest, manifest))
			return it;
	return NULL;
}

/* The image moves into the list, unless it is there. */
static struct job *add_job(struct save *v, struct image *im)
{
	struct job *job = job_for(v, &im->manifest_digest);
	if (!job) {
		job = arr_add(&v->jobs);
		job->im = *im;
		*im = (struct image){ 0 };
	}
	return job;
}

static void add_ref(struct job *job, struct reference *ref)
{
	arr_each(it, &job->refs)
		if (reference_eq(it, ref))
			return;
	arr_push(&job->refs, *ref);
	*ref = (struct reference){ 0 };
}

static int add_name(struct save *v, const char *name, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(name_record_done) struct name_record rec = { 0 };
	if (image_open(v->s, name, &im, e) < 0)
		return -1;
	struct job *job = add_job(v, &im);
	if (reference_parse(slice_of(name), &ref, NULL) < 0)
		return 0;
	_free_ char *text = reference_text(&ref);
	/* "abcd" may be an id or a name: it is a name if there is such a name, for this image. */
	int r = name_get(v->s, text, &rec, e);
	if (r < 0)
		return -1;
	if (r == 1 && digest_eq(&rec.manifest, &job->im.manifest_digest))
		add_ref(job, &ref);
	return 0;
}

static int add_item(struct save *v, const struct save_item *item, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	if (image_open_digest(v->s, &item->manifest, &im, e) < 0)
		return -1;
	struct job *job = add_job(v, &im);
	for (size_t i = 0; i < item->refs.n; i++) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (reference_parse(slice_of(item->refs.p[i]), &ref, e) < 0)
			return -1;
		add_ref(job, &ref);
	}
	return 0;
}

static int run(struct save *v, struct sink *out, const char *path, struct err *e)
{
	if (v->jobs.n == 0)
		return err_set(e, ERR_USER, "no image to save was named");
	if (v->o->format == SAVE_OCI_DIR)
		return save_dir(v, path, e);
	v->a = archive_to_tar(out);
	if ((v->o->format == SAVE_OCI ? save_oci(v, e) : save_docker(v, e)) < 0)
		return -1;
	return archive_end(v->a, e);
}

static int save_names(struct store *s, const struct strs *names, const struct save_opts *o,
		      struct sink *out, const char *path, struct err *e)
{
	_cleanup_(save_done) struct save v = { .s = s, .o = o };
	for (size_t i = 0; i < names->n; i++)
		if (add_name(&v, names->p[i], e) < 0)
			return -1;
	return run(&v, out, path, e);
}

int image_save(struct store *s, const struct strs *names, const struct save_opts *o,
	       struct sink *out, struct err *e)
{
	return save_names(s, names, o, out, NULL, e);
}

int image_save_dir(struct store *s, const struct strs *names, const struct save_opts *o,
		   const char *path, struct err *e)
{
	return save_names(s, names, o, NULL, path, e);
}

int image_save_items(struct store *s, const struct save_item *items, size_t n,
		     const struct save_opts *o, struct sink *out, const char *path, struct err *e)
{
	_cleanup_(save_done) struct save v = { .s = s, .o = o };
	for (size_t i = 0; i < n; i++)
		if (add_item(&v, &items[i], e) < 0)
			return -1;
	return run(&v, out, path, e);
}
