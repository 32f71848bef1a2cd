/* SPDX-License-Identifier: Apache-2.0 */
#include "store/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/num.h"
#include "store/internal.h"

void image_done(struct image *im)
{
	if (!im)
		return;
	manifest_done(&im->manifest);
	image_config_done(&im->config);
	arr_each(it, &im->snaps)
		free(*it);
	arr_done(&im->snaps);
	*im = (struct image){ 0 };
}

/* ---- what is written down about an image, so that lists need not open it ---- */

static int parse_time(struct slice v, struct image_facts *out)
{
	struct slice sec, word;
	uint64_t s, ns;
	if (!slice_split(&v, ' ', &sec) || !v.p || !slice_split(&v, ' ', &word))
		return -1;
	bool neg = slice_starts(sec, SL("-"));
	if (num_parse(neg ? slice_from(sec, 1) : sec, INT64_MAX, &s) < 0 ||
	    num_parse(word, 999999999, &ns) < 0)
		return -1;
	out->created = (struct timespec){ neg ? -(int64_t)s : (int64_t)s, (long)ns };
	out->has_created = true;
	return 0;
}

static int parse_facts(struct slice text, struct image_facts *out)
{
	struct slice line;
	uint64_t layers = 0;
	bool id = false;
	while (slice_split(&text, '\n', &line)) {
		struct slice v = line, key;
		if (line.n == 0)
			continue;
		if (!slice_split(&v, ' ', &key) || !v.p)
			return -1;
		int r = -1;
		if (slice_is(key, "id")) {
			id = true;
			r = digest_parse(v, &out->id, NULL);
		} else if (slice_is(key, "created")) {
			r = parse_time(v, out);
		} else if (slice_is(key, "size")) {
			r = num_parse(v, UINT64_MAX, &out->size);
		} else if (slice_is(key, "layers")) {
			r = num_parse(v, UINT32_MAX, &layers);
		}
		if (r < 0)
			return -1;
	}
	out->layers = (unsigned)layers;
	return id ? 0 : -1;
}

int image_facts_read(struct store *s, const struct digest *manifest, struct image_facts *out,
		     struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	int r = cache_get(s, IMAGE_KIND, manifest, &b, e);
	if (r != 1)
		return r;
	struct image_facts f = { 0 };
	if (parse_facts(buf_view(&b), &f) < 0)
		return 0;
	*out = f;
	return 1;
}

static void facts_of(const struct image *im, struct image_facts *out)
{
	*out = (struct image_facts){
		.id = im->id,
		.created = im->config.created,
		.has_created = im->config.has_created,
		.size = im->size,
		.layers = (unsigned)im->snaps.n,
	};
}

static int write_facts(struct store *s, const struct image *im, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct image_facts f;
	char text[DIGEST_LEN];
	facts_of(im, &f);
	buf_printf(&b, "id %s\nsize %" PRIu64 "\nlayers %u\n", digest_text(&f.id, text), f.size,
		   f.layers);
	if (f.has_created)
		buf_printf(&b, "created %lld %ld\n", (long long)f.created.tv_sec,
			   f.created.tv_nsec);
	return cache_put(s, IMAGE_KIND, &im->manifest_digest, buf_view(&b), e);
}

int images_known(struct store *s, struct digests *out, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (store_list(s, "cache/" IMAGE_KIND, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct digest d;
		if (sha256_unhex(names.p[i], strlen(names.p[i]), d.b) == 0)
			arr_push(out, d);
	}
	return 0;
}

/* ---- opening ---- */

static bool stands_on_rootfs(const struct manifest *m)
{
	return json_is_string(json_object_get(m->annotations, IMAGE_ROOTFS_ANNOTATION));
}

static int open_config(struct store *s, struct image *im, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (media_kind(im->manifest.config.media_type) != MEDIA_CONFIG)
		return err_set(e, ERR_DATA, "it is not an image: its config has the type '%s'",
			       im->manifest.config.media_type ? im->manifest.config.media_type
							      : "");
	if (blob_read(s, &im->id, &b, e) < 0 ||
	    image_config_parse(buf_view(&b), &im->config, e) < 0)
		return err_add(e, "read the config");
	if (im->manifest.layers.n != im->config.diff_ids.n)
		return err_set(e, ERR_DATA, "the manifest has %zu layers, the config %zu",
			       im->manifest.layers.n, im->config.diff_ids.n);
	return 0;
}

static int open_layers(struct store *s, struct image *im, struct err *e)
{
	for (size_t i = 0; i < im->config.diff_ids.n; i++) {
		const struct digest *diff = &im->config.diff_ids.p[i];
		char id[SNAP_ID], text[DIGEST_LEN];
		if (snap_by_diff_id(s, diff, id) != 1 && snap_scan_diff_id(s, diff, id) != 1) {
			err_set(e, ERR_DATA, "layer %zu of %zu (%s) is missing or damaged", i + 1,
				im->config.diff_ids.n, digest_text(diff, text));
			return err_hint(e, "build, load, pull or import the image again");
		}
		_cleanup_(snap_close) struct snap sn = SNAP_INIT;
		if (snap_info(s, id, &sn, e) < 0)
			return -1;
		im->size += sn.size;
		arr_push(&im->snaps, str_dup(id));
		(void)blob_has(s, &im->manifest.layers.p[i].digest); /* holds it, if there is one */
	}
	return 0;
}

static int open_all(struct store *s, const struct digest *d, struct image *im, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	im->manifest_digest = *d;
	if (blob_read(s, d, &b, e) < 0 || manifest_parse(buf_view(&b), NULL, &im->manifest, e) < 0)
		return err_add(e, "read the manifest");
	im->id = im->manifest.config.digest;
	im->on_rootfs = stands_on_rootfs(&im->manifest);
	if (open_config(s, im, e) < 0)
		return -1;
	return open_layers(s, im, e);
}

int image_open_digest(struct store *s, const struct digest *manifest, struct image *out,
		      struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	char text[DIGEST_LEN];
	if (open_all(s, manifest, &im, e) < 0)
		return err_add(e, "open the image %s", digest_text(manifest, text));
	*out = im;
	im = (struct image){ 0 };
	return 0;
}

int image_adopt(struct store *s, const struct digest *manifest, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	if (image_open_digest(s, manifest, &im, e) < 0)
		return -1;
	return write_facts(s, &im, e);
}

/* ---- making ---- */

static const char *own_layer_type(bool docker)
{
	return docker ? MT_DOCKER_LAYER : MT_OCI_LAYER;
}

/* The same compression in the words of the other specification. */
static const char *layer_type(const char *type, bool docker)
{
	struct slice t = slice_of(type);
	if (slice_ends(t, SL("gzip")))
		return docker ? MT_DOCKER_LAYER_GZIP : MT_OCI_LAYER_GZIP;
	if (slice_ends(t, SL("zstd")))
		return docker ? MT_DOCKER_LAYER_ZSTD : MT_OCI_LAYER_ZSTD;
	return own_layer_type(docker);
}

/* A layer that came from elsewhere is listed as it came; our own uncompressed (design.md §4), also
 * when an image that was loaded since has it in another form. */
static int add_layer(struct store *s, const struct image_new *n, const char *id, struct manifest *m,
		     struct err *e)
{
	struct descriptor d = { 0 };
	struct digest diff;
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	if (snap_complete(s, id, &diff, &d.size, e) < 0 || snap_info(s, id, &sn, e) < 0)
		return -1;
	d.digest = diff;
	const char *type = own_layer_type(n->docker);
	if (sn.foreign && blob_has(s, &sn.blob.digest)) {
		d.digest = sn.blob.digest;
		d.size = sn.blob.size;
		type = layer_type(sn.blob.media_type, n->docker);
	}
	d.media_type = str_dup(type);
	arr_push(&m->layers, d);
	arr_push(&n->cfg->diff_ids, diff);
	return 0;
}

static int put_config(struct store *s, const struct image_new *n, struct manifest *m, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	image_config_write(n->cfg, &b);
	if (b.len > MANIFEST_MAX) {
		err_set(e, ERR_USER, "the config of the image is larger than %u bytes",
			MANIFEST_MAX);
		return err_hint(e, "it holds the labels, the environment and the text of every "
				   "instruction: put what is long into a file");
	}
	m->config.media_type = str_dup(n->docker ? MT_DOCKER_CONFIG : MT_OCI_CONFIG);
	m->config.size = b.len;
	return blob_put(s, buf_view(&b), &m->config.digest, e);
}

int image_put(struct store *s, const struct image_new *n, struct digest *manifest,
	      struct digest *id, struct err *e)
{
	_cleanup_(image_done) struct image im = { 0 };
	struct manifest *m = &im.manifest;
	if (n->snaps_n > MANIFEST_LAYERS_MAX) {
		err_set(e, ERR_USER, "an image cannot have more than %u layers, this one has %zu",
			MANIFEST_LAYERS_MAX, n->snaps_n);
		return err_hint(e, "join some RUN and COPY steps, or start from a flattened image");
	}
	m->media_type = str_dup(n->docker ? MT_DOCKER_MANIFEST : MT_OCI_MANIFEST);
	arr_clear(&n->cfg->diff_ids);
	for (size_t i = 0; i < n->snaps_n; i++)
		if (add_layer(s, n, n->snaps[i], m, e) < 0)
			return err_add(e, "finish layer %zu of the image", i + 1);
	if (put_config(s, n, m, e) < 0)
		return err_add(e, "write the config of the image");
	m->annotations = n->annotations ? json_deep_copy(n->annotations) : NULL;
	if (n->on_rootfs) {
		if (!m->annotations)
			m->annotations = json_object();
		json_object_set_new(m->annotations, IMAGE_ROOTFS_ANNOTATION, json_string("true"));
	}
	_cleanup_(buf_done) struct buf b = { 0 };
	struct digest d;
	manifest_write(m, &b);
	if (blob_put(s, buf_view(&b), &d, e) < 0)
		return err_add(e, "write the manifest of the image");
	struct image_facts known;
	if (image_facts_read(s, &d, &known, NULL) != 1 && image_adopt(s, &d, e) < 0)
		return -1;
	*manifest = d;
	*id = m->config.digest;
	return 0;
}

/* ---- the list ---- */

void image_rows_done(struct image_rows *r)
{
	for (size_t i = 0; i < r->n; i++) {
		reference_done(&r->p[i].ref);
		free(r->p[i].failed);
	}
	free(r->p);
	*r = (struct image_rows){ 0 };
}

static char *one_line(const struct err *why)
{
	struct buf b = { 0 };
	err_line(why, &b);
	return buf_take(&b);
}

/* The bytes of err_save, from the hex of a name's record. */
static struct slice from_hex(const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = strlen(hex) / 2;
	char *bytes = mem_array(n + 1, 1);
	for (size_t i = 0; i < n; i++) {
		const char *hi = strchr(digits, hex[2 * i]), *lo = strchr(digits, hex[2 * i + 1]);
		bytes[i] = hi && lo ? (char)((hi - digits) << 4 | (lo - digits)) : '\0';
	}
	return (struct slice){ bytes, n };
}

char *image_failed_line(const char *hex)
{
	struct slice bytes = from_hex(hex);
	_cleanup_(err_done) struct err why = { 0 };
	int r = err_load(bytes, &why);
	free((char *)bytes.p);
	return r < 0 ? str_dup("its error was not kept") : one_line(&why);
}

/* `close`: look at the image itself, not only at what is written down. */
static void fill_row(struct store *s, struct image_row *row, bool close)
{
	struct image_facts f = { 0 };
	if (close || image_facts_read(s, &row->manifest, &f, NULL) != 1) {
		_cleanup_(err_done) struct err why = { 0 };
		_cleanup_(image_done) struct image im = { 0 };
		if (image_open_digest(s, &row->manifest, &im, &why) < 0) {
			if (!row->failed)
				row->failed = one_line(&why);
			return;
		}
		(void)write_facts(s, &im,
				  NULL); /* so that the next list is quick; else it is not */
		facts_of(&im, &f);
	}
	row->id = f.id;
	row->created = f.created;
	row->size = f.size;
	row->layers = f.layers;
}

static int cmp_rows(const void *pa, const void *pb)
{
	const struct image_row *a = pa, *b = pb;
	if (a->created.tv_sec != b->created.tv_sec)
		return a->created.tv_sec < b->created.tv_sec ? 1 : -1;
	if (a->created.tv_nsec != b->created.tv_nsec)
		return a->created.tv_nsec < b->created.tv_nsec ? 1 : -1;
	int r = strcmp(a->ref.path ? a->ref.path : "~", b->ref.path ? b->ref.path : "~");
	if (r == 0)
		r = strcmp(a->ref.tag ? a->ref.tag : "~", b->ref.tag ? b->ref.tag : "~");
	return r ? r : memcmp(a->manifest.b, b->manifest.b, sizeof a->manifest.b);
}

static int add_named(struct store *s, const char *name, bool close, struct image_rows *out,
		     struct err *e)
{
	_cleanup_(name_record_done) struct name_record rec = { 0 };
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	int r = name_get(s, name, &rec, &why);
	if (r == 0 || reference_parse(slice_of(name), &ref, NULL) < 0)
		return 0; /* removed meanwhile; or nothing that thimble wrote */
	struct image_row *row = arr_add(out);
	row->ref = ref;
	ref = (struct reference){ 0 };
	row->manifest = rec.manifest;
	if (r < 0)
		row->failed = one_line(&why);
	else if (rec.failed)
		row->failed = image_failed_line(rec.failed);
	if (!digest_is_zero(&rec.manifest))
		fill_row(s, row, close);
	return 0;
}

static bool is_listed(const struct image_rows *rows, const struct digest *manifest)
{
	for (size_t i = 0; i < rows->n; i++)
		if (digest_eq(&rows->p[i].manifest, manifest))
			return true;
	return false;
}

static int add_untagged(struct store *s, struct image_rows *out, bool close, struct err *e)
{
	struct digests known = { 0 };
	int r = images_known(s, &known, e);
	for (size_t i = 0; r == 0 && i < known.n; i++) {
		char path[BLOB_PATH];
		if (is_listed(out, &known.p[i]) ||
		    (faccessat(s->fd, blob_path(&known.p[i], path), F_OK, 0) < 0 && errno == ENOENT))
			continue;
		struct image_row *row = arr_add(out);
		row->manifest = known.p[i];
		fill_row(s, row, close);
	}
	arr_done(&known);
	return r;
}

int images_list(struct store *s, bool all, struct image_rows *out, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	_cleanup_(image_rows_done) struct image_rows rows = { 0 };
	bool close = faccessat(s->fd, STORE_DAMAGED, F_OK, 0) == 0;
	if (names_list(s, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (add_named(s, names.p[i], close, &rows, e) < 0)
			return -1;
	if (all && add_untagged(s, &rows, close, e) < 0)
		return -1;
	if (rows.n > 1)
		qsort(rows.p, rows.n, sizeof rows.p[0], cmp_rows);
	*out = rows;
	rows = (struct image_rows){ 0 };
	return 0;
}
