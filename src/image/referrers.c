/* SPDX-License-Identifier: Apache-2.0 */
#include "image/referrers.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "base/path.h"
#include "image/pick.h"

/* What the index tells about it: "set to the value of artifactType, or of the config's media type". */
static void add_entry(struct image_index *x, const struct manifest *m, const struct descriptor *d)
{
	struct descriptor n = {
		.media_type = str_dup(d->media_type),
		.digest = d->digest,
		.size = d->size,
		.annotations = json_deep_copy(m->annotations),
		.artifact_type = str_dup(m->artifact_type ? m->artifact_type
							  : m->config.media_type),
	};
	arr_push(&x->manifests, n);
}

static int read_tag(struct registry *r, const char *tag, struct image_index *x, struct err *e)
{
	struct registry_manifest m = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	int got = registry_manifest_get(r, tag, &m, &why);
	if (got < 0 && why.kind == ERR_ABSENT) { /* the first one */
		x->media_type = str_dup(MT_OCI_INDEX);
		return 0;
	}
	if (got < 0) {
		if (e)
			err_move(e, &why);
		return -1;
	}
	int parsed = image_index_parse(buf_view(&m.bytes), m.media_type, x, e);
	registry_manifest_done(&m);
	return parsed;
}

int referrers_tag_add(struct registry *r, const struct manifest *m, const struct descriptor *d,
		      struct err *e)
{
	_free_ char *tag = registry_referrers_tag(&m->subject->digest);
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	bool indexed;
	if (read_tag(r, tag, &x, e) < 0)
		return err_add(e, "read the list of referrers, '%s'", tag);
	arr_each(it, &x.manifests)
		if (digest_eq(&it->digest, &d->digest))
			return 0;
	add_entry(&x, m, d);
	image_index_write(&x, &b);
	if (registry_manifest_put(r, tag, buf_view(&b), x.media_type, &indexed, e) < 0)
		return err_add(e, "write the list of referrers, '%s'", tag);
	return 0;
}

/* ---- the subject ---- */

int remote_descriptor(struct registry *r, const struct reference *ref,
		      const struct platform *platform, struct descriptor *out, struct err *e)
{
	char text[DIGEST_LEN];
	const char *what = ref->has_digest ? digest_text(&ref->digest, text) : ref->tag;
	_cleanup_(registry_manifest_done) struct registry_manifest m = { 0 };
	_cleanup_(image_index_done) struct image_index x = { 0 };
	if (registry_manifest_get(r, what, &m, e) < 0)
		return -1;
	if (!platform || manifest_sniff(buf_view(&m.bytes)) != MEDIA_INDEX) {
		out->media_type = take_ptr(&m.media_type);
		out->digest = m.digest;
		out->size = m.bytes.len;
		return 0;
	}
	if (image_index_parse(buf_view(&m.bytes), m.media_type, &x, e) < 0)
		return -1;
	const struct descriptor *found = index_pick(&x, platform, e);
	if (!found)
		return -1;
	out->media_type = str_dup(found->media_type);
	out->digest = found->digest;
	out->size = found->size;
	return 0;
}

/* ---- attaching ---- */

struct upload_file {
	int fd;
	struct descriptor *desc;
};

static ssize_t file_pread(void *ctx, void *p, size_t n, uint64_t at, struct err *e)
{
	const struct upload_file *f = ctx;
	ssize_t got = fd_pread(f->fd, p, n, at);
	return got < 0 ? err_sys(e, "read the file") : got;
}

static int file_digest(void *ctx, struct digest *out, uint64_t *size, struct err *e)
{
	const struct upload_file *f = ctx;
	(void)e;
	*out = f->desc->digest;
	*size = f->desc->size;
	return 0;
}

static int sum_file(int fd, struct descriptor *d, struct err *e)
{
	struct sha256 sum;
	_free_ char *block = mem_alloc(1 << 16);
	ssize_t n;
	sha256_begin(&sum);
	while ((n = fd_read(fd, block, 1 << 16)) > 0) {
		sha256_add(&sum, block, (size_t)n);
		d->size += (uint64_t)n;
	}
	sha256_end(&sum, d->digest.b);
	return n < 0 ? err_sys(e, "read the file") : 0;
}

static int put_file(struct registry *r, const struct artifact_file *f, struct descriptor *d,
		    struct err *e)
{
	struct stat st;
	_close_ int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open '%s'", f->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USER, "'%s' is not a regular file", f->path);
	_free_ char *title = slice_dup(path_base(slice_of(f->path)));
	d->media_type = str_dup(f->media_type ? f->media_type : "application/octet-stream");
	d->annotations = json_object();
	json_object_set_new(d->annotations, "org.opencontainers.image.title",
			    js_text(slice_of(title)));
	if (sum_file(fd, d, e) < 0)
		return -1;
	int has = registry_blob_has(r, &d->digest, NULL, e);
	if (has != 0)
		return has < 0 ? -1 : 0;
	struct upload_file ctx = { fd, d };
	const struct upload_from from = { &ctx, file_pread, (int64_t)d->size, file_digest };
	return registry_blob_put(r, NULL, &from, NULL, NULL, e);
}

static int put_empty(struct registry *r, struct descriptor *d, struct err *e)
{
	d->media_type = str_dup(MT_OCI_EMPTY);
	d->size = 2;
	digest_of(SL("{}"), &d->digest);
	int has = registry_blob_has(r, &d->digest, NULL, e);
	if (has != 0)
		return has < 0 ? -1 : 0;
	return registry_blob_put_bytes(r, SL("{}"), &d->digest, e);
}

static int put_blobs(struct registry *r, const struct artifact *a, struct manifest *m,
		     struct err *e)
{
	if (put_empty(r, &m->config, e) < 0)
		return -1;
	for (size_t i = 0; i < a->n; i++)
		if (put_file(r, &a->files[i], arr_add(&m->layers), e) < 0)
			return err_add(e, "push '%s'", a->files[i].path);
	return 0;
}

int artifact_attach(struct registry *r, const struct descriptor *subject, const struct artifact *a,
		    struct descriptor *out, bool *api, struct err *e)
{
	char text[DIGEST_LEN];
	_cleanup_(manifest_done) struct manifest m = { .media_type = str_dup(MT_OCI_MANIFEST),
						       .artifact_type = str_dup(a->type),
						       .annotations = json_incref(a->annotations) };
	_cleanup_(descriptor_done) struct descriptor d = { .media_type = str_dup(MT_OCI_MANIFEST) };
	_cleanup_(buf_done) struct buf b = { .max = MANIFEST_MAX };
	m.subject = NEW(struct descriptor);
	descriptor_copy(m.subject, subject);
	if (put_blobs(r, a, &m, e) < 0)
		return -1;
	manifest_write(&m, &b);
	if (buf_check(&b, "the artifact's manifest", e) < 0)
		return -1;
	digest_of(buf_view(&b), &d.digest);
	d.size = b.len;
	if (registry_manifest_put(r, digest_text(&d.digest, text), buf_view(&b), MT_OCI_MANIFEST,
				  api, e) < 0 ||
	    (!*api && referrers_tag_add(r, &m, &d, e) < 0))
		return -1;
	*out = d;
	d = (struct descriptor){ 0 };
	return 0;
}
