/* SPDX-License-Identifier: Apache-2.0 */
#include "image/outgoing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/num.h"
#include "base/stream.h"
#include "image/layer_in.h"

int outgoing_check(const struct image *im, bool allow_rootfs, struct err *e)
{
	if (!im->on_rootfs || allow_rootfs)
		return 0;
	err_set(e, ERR_DENIED,
		"the image stands on this machine's own files (rootfs:/), which are not in its "
		"layers; elsewhere it would not work");
	return err_hint(e, "build it FROM a base image, or say --allow rootfs.export");
}

static void layer_done(struct store *s, struct outgoing_layer *l)
{
	descriptor_done(&l->desc);
	if (l->file) /* twice for a layer that occurs twice, which is fine */
		(void)unlinkat(store_fd(s), l->file, 0);
	free(l->file);
}

void outgoing_done(struct store *s, struct outgoing *o)
{
	arr_each(it, &o->layers)
		layer_done(s, it);
	arr_done(&o->layers);
	descriptor_done(&o->config);
	free(o->manifest);
	*o = (struct outgoing){ 0 };
}

/* ---- bytes ---- */

static int pump(int fd, struct sink *out, struct digest *got, struct err *e)
{
	_free_ char *block = mem_alloc(1 << 16);
	struct sha256 sum;
	ssize_t n;
	sha256_begin(&sum);
	while ((n = fd_read(fd, block, 1 << 16)) > 0) {
		sha256_add(&sum, block, (size_t)n);
		if (sink_write(out, block, (size_t)n, e) < 0)
			return -1;
	}
	sha256_end(&sum, got->b);
	return n < 0 ? err_sys(e, "read a layer") : 0;
}

/* A blob was not what it should be. */
static int doubt(struct store *s, const struct digest *d, struct err *e)
{
	char text[DIGEST_LEN];
	if (blob_check(s, d, e) < 0)
		return -1;
	err_set(e, ERR_DATA, "the blob %s in the store changed while it was read",
		digest_text(d, text));
	return err_hint(e, "try again; if that does not help the disk may be failing: see dmesg");
}

static int write_blob(struct store *s, const struct digest *d, struct sink *out, struct err *e)
{
	struct digest got;
	_close_ int fd = blob_open(s, d, NULL, e);
	if (fd < 0 || pump(fd, out, &got, e) < 0)
		return -1;
	return digest_eq(&got, d) ? 0 : doubt(s, d, e);
}

/* ERR_DATA: the snapshot is damaged. */
static int write_tree(const struct snap *sn, struct sink *out, struct err *e)
{
	struct sha256 sum;
	struct digest got;
	uint64_t n = 0;
	char a[DIGEST_LEN], b[DIGEST_LEN];
	sha256_begin(&sum);
	_cleanup_(sink_closep) struct sink *hash = sink_hash(out, &sum, &n);
	if (tree_write_tar(sn->treefd, &sn->index, -1, hash, e) < 0)
		return -1;
	sha256_end(&sum, got.b);
	if (!digest_eq(&got, &sn->diff_id))
		return err_set(e, ERR_DATA, "its stream has digest %s, not %s",
			       digest_text(&got, a), digest_text(&sn->diff_id, b));
	if (n != sn->tar_size)
		return err_set(e, ERR_DATA,
			       "its stream has %" PRIu64 " bytes, its record says %" PRIu64, n,
			       sn->tar_size);
	return 0;
}

/* What is found to be damaged is not used again, so that it can be made anew. */
static int write_own(struct store *s, const char *id, struct sink *out, struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	if (snap_open(s, id, &sn, e) < 0 || snap_load_index(s, &sn, e) < 0)
		return -1;
	if (write_tree(&sn, out, &why) == 0)
		return 0;
	if (why.kind == ERR_DATA) {
		_cleanup_(buf_done) struct buf line = { 0 };
		err_line(&why, &line);
		return snap_set_damaged(s, id, line.p, e);
	}
	if (e)
		err_move(e, &why);
	return -1;
}

static int inflate_blob(struct store *s, const struct digest *blob, const struct digest *diff_id,
			struct sink *out, struct err *e)
{
	enum compression comp;
	struct sha256 sum;
	struct digest got;
	ssize_t n = -1;
	_cleanup_(err_done) struct err why = { 0 };
	_close_ int fd = blob_open(s, blob, NULL, e);
	if (fd < 0)
		return -1;
	_cleanup_(source_closep) struct source *file = source_fd(fd);
	_cleanup_(source_closep) struct source *plain = comp_source_auto(file, &comp, &why);
	_free_ char *block = mem_alloc(1 << 16);
	sha256_begin(&sum);
	while (plain && (n = source_read(plain, block, 1 << 16, &why)) > 0) {
		sha256_add(&sum, block, (size_t)n);
		if (sink_write(out, block, (size_t)n, e) < 0)
			return -1;
	}
	sha256_end(&sum, got.b);
	if (n == 0 && digest_eq(&got, diff_id))
		return 0;
	if (n == 0 || why.kind == ERR_DATA)
		return doubt(s, blob, e);
	if (e)
		err_move(e, &why);
	return -1;
}

/* The plain stream of a snapshot: from the blob that it came as, if we cannot make it. */
static int write_plain(struct store *s, const char *id, struct sink *out, struct err *e)
{
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	char text[DIGEST_LEN];
	if (snap_info(s, id, &sn, e) < 0)
		return -1;
	if (!sn.foreign)
		return write_own(s, id, out, e);
	if (!blob_has(s, &sn.blob.digest)) {
		err_set(e, ERR_ABSENT,
			"the bytes that the layer %s came as are not in the store any more",
			digest_text(&sn.diff_id, text));
		return err_hint(e, "load or pull the image again");
	}
	return inflate_blob(s, &sn.blob.digest, &sn.diff_id, out, e);
}

int outgoing_tar(struct store *s, const struct image *im, size_t i, struct sink *out,
		 uint64_t *size, struct err *e)
{
	uint64_t n = 0;
	_cleanup_(sink_closep) struct sink *count = sink_hash(out, NULL, &n);
	if (write_plain(s, im->snaps.p[i], count, e) < 0)
		return err_add(e, "write layer %zu", i + 1);
	*size = n;
	return 0;
}

int outgoing_layer_write(struct store *s, const struct outgoing_layer *l, struct sink *out,
			 struct err *e)
{
	struct digest got;
	char a[DIGEST_LEN], b[DIGEST_LEN];
	if (l->from == OUTGOING_BLOB)
		return write_blob(s, &l->desc.digest, out, e);
	if (l->from == OUTGOING_TREE)
		return write_plain(s, l->snap, out, e);
	_close_ int fd = openat(store_fd(s), l->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open a compressed layer");
	if (pump(fd, out, &got, e) < 0)
		return -1;
	if (digest_eq(&got, &l->desc.digest))
		return 0;
	err_set(e, ERR_DATA, "a compressed layer has digest %s, not %s as when it was written",
		digest_text(&got, a), digest_text(&l->desc.digest, b));
	return err_hint(e, "the disk of the store may be failing: see dmesg");
}

/* ---- layers ---- */

static const char *layer_type(enum compression c, bool docker)
{
	if (c == COMP_GZIP)
		return docker ? MT_DOCKER_LAYER_GZIP : MT_OCI_LAYER_GZIP;
	if (c == COMP_ZSTD)
		return docker ? MT_DOCKER_LAYER_ZSTD : MT_OCI_LAYER_ZSTD;
	return docker ? MT_DOCKER_LAYER : MT_OCI_LAYER;
}

static enum compression compression_of(const char *type)
{
	struct slice t = slice_of(type);
	return slice_ends(t, SL("gzip"))   ? COMP_GZIP
	       : slice_ends(t, SL("zstd")) ? COMP_ZSTD
					   : COMP_NONE;
}

/* What the compressor made of a layer the last time. Another version of it may make other bytes: that
 * is found out when they are made. */
static void packed_key(const struct outgoing_layer *l, int level, struct digest *key)
{
	_free_ char *how = str_printf("packed 1 %s %d", comp_name(l->compression), level);
	struct sha256 sum;
	sha256_begin(&sum);
	sha256_field(&sum, how, strlen(how));
	sha256_add(&sum, l->diff_id.b, sizeof l->diff_id.b);
	sha256_end(&sum, key->b);
}

static void recall_packed(struct store *s, struct outgoing_layer *l, int level)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct digest key, d;
	struct slice rest, word;
	uint64_t size;
	packed_key(l, level, &key);
	l->desc.digest = (struct digest){ 0 };
	l->desc.size = 0;
	if (cache_get(s, "packed", &key, &b, NULL) != 1)
		return;
	rest = buf_view(&b);
	if (!slice_split(&rest, ' ', &word) || digest_parse(word, &d, NULL) < 0 ||
	    num_parse(rest, INT64_MAX, &size) < 0)
		return;
	l->desc.digest = d;
	l->desc.size = size;
}

int outgoing_pack(struct store *s, struct outgoing_layer *l, int level, struct sink *out,
		  struct err *e)
{
	struct sha256 sum;
	struct digest key;
	uint64_t n = 0;
	char text[DIGEST_LEN];
	_cleanup_(buf_done) struct buf b = { 0 };
	sha256_begin(&sum);
	_cleanup_(sink_closep) struct sink *hash = sink_hash(out, &sum, &n);
	_cleanup_(sink_closep) struct sink *comp = comp_sink(hash, l->compression, level, e);
	if (!comp || write_plain(s, l->snap, comp, e) < 0 || sink_finish(comp, e) < 0 ||
	    sink_finish(hash, e) < 0)
		return -1;
	sha256_end(&sum, l->desc.digest.b);
	l->desc.size = n;
	if (sink_finish(out, e) < 0) /* last: who reads behind us asks for the digest then */
		return -1;
	packed_key(l, level, &key);
	buf_printf(&b, "%s %" PRIu64, digest_text(&l->desc.digest, text), n);
	if (cache_put(s, "packed", &key, buf_view(&b), NULL) < 0)
		log_debug("cannot remember a compressed layer");
	return 0;
}

/* Compresses into a file of tmp/, whose name goes into l. */
static int pack_file(struct store *s, struct outgoing_layer *l, int level, struct err *e)
{
	_close_ int fd = -1;
	_free_ char *tmp = store_tmp_file(s, O_WRONLY, &fd, e);
	if (!tmp)
		return -1;
	l->file = take_ptr(&tmp);
	_cleanup_(sink_closep) struct sink *file = sink_fd(fd);
	if (outgoing_pack(s, l, level, file, e) < 0)
		return -1;
	l->from = OUTGOING_FILE;
	return 0;
}

/* A blob that can go as it is: whole, and compressed unless plain is asked for. */
static bool blob_fits(struct store *s, const struct digest *d, uint64_t size, const char *type,
		      enum compression want)
{
	if (digest_is_zero(d) || (compression_of(type) == COMP_NONE && want != COMP_NONE))
		return false;
	uint64_t have = 0;
	_close_ int fd = blob_has(s, d) ? blob_open(s, d, &have, NULL) : -1;
	return fd >= 0 && have == size;
}

static int plan_layer(struct store *s, const struct image *im, size_t i,
		      const struct outgoing_opts *o, bool docker, struct outgoing_layer *l,
		      struct err *e)
{
	const struct descriptor *have = &im->manifest.layers.p[i];
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	if (snap_info(s, im->snaps.p[i], &sn, e) < 0)
		return -1;
	memcpy(l->snap, sn.id, sizeof l->snap);
	l->diff_id = im->config.diff_ids.p[i];
	l->tar_size = sn.tar_size;
	descriptor_copy(&l->desc, have);
	enum compression c = o->compression;
	if (blob_fits(s, &have->digest, have->size, have->media_type, c)) {
		c = compression_of(have->media_type);
		l->from = OUTGOING_BLOB;
	} else if (sn.foreign &&
		   blob_fits(s, &sn.blob.digest, sn.blob.size, sn.blob.media_type, c)) {
		/* Not for a layer of our own that somebody else's image has too: what goes out would
		 * depend on which other images are here. */
		c = compression_of(sn.blob.media_type);
		l->desc.digest = sn.blob.digest;
		l->desc.size = sn.blob.size;
		l->from = OUTGOING_BLOB;
	} else if (c == COMP_NONE) {
		l->desc.digest = l->diff_id;
		l->desc.size = sn.tar_size;
		l->from = OUTGOING_TREE;
	} else {
		l->from = OUTGOING_PACK;
	}
	l->compression = c;
	if (l->from == OUTGOING_PACK)
		recall_packed(s, l, o->level);
	str_set(&l->desc.media_type, str_dup(layer_type(c, docker)));
	return 0;
}

/* A layer that occurs twice is looked for once. */
static int copy_earlier(struct outgoing *out, struct outgoing_layer *l,
			const struct digest *diff_id)
{
	for (size_t k = 0; k < out->layers.n; k++) {
		const struct outgoing_layer *it = &out->layers.p[k];
		if (!digest_eq(&it->diff_id, diff_id))
			continue;
		*l = *it;
		l->desc = (struct descriptor){ 0 };
		descriptor_copy(&l->desc, &it->desc);
		l->file = it->file ? str_dup(it->file) : NULL;
		return 1;
	}
	return 0;
}

static bool wants_docker(const struct image *im, const struct outgoing_opts *o)
{
	return o->keep_types ? strcmp(im->manifest.media_type, MT_DOCKER_MANIFEST) == 0 : o->docker;
}

static int plan_layers(struct store *s, const struct image *im, const struct outgoing_opts *o,
		       struct outgoing *out, struct err *e)
{
	bool docker = wants_docker(im, o);
	for (size_t i = 0; i < im->snaps.n; i++) {
		struct outgoing_layer l = { 0 };
		if (!copy_earlier(out, &l, &im->config.diff_ids.p[i]) &&
		    plan_layer(s, im, i, o, docker, &l, e) < 0) {
			layer_done(s, &l);
			return err_add(e, "prepare layer %zu of %zu", i + 1, im->snaps.n);
		}
		arr_push(&out->layers, l);
	}
	return 0;
}

int outgoing_plan(struct store *s, const struct image *im, const struct outgoing_opts *o,
		  struct outgoing *out, struct err *e)
{
	struct outgoing made = { 0 };
	if (outgoing_check(im, o->allow_rootfs, e) < 0)
		return -1;
	if (plan_layers(s, im, o, &made, e) < 0) {
		outgoing_done(s, &made);
		return -1;
	}
	*out = made;
	return 0;
}

/* A layer that occurs twice is compressed once. */
static int pack_all(struct store *s, const struct outgoing_opts *o, struct outgoing *out,
		    struct err *e)
{
	for (size_t i = 0; i < out->layers.n; i++) {
		struct outgoing_layer *l = &out->layers.p[i];
		const struct outgoing_layer *twin = NULL;
		for (size_t k = 0; k < i && !twin; k++)
			if (digest_eq(&out->layers.p[k].diff_id, &l->diff_id))
				twin = &out->layers.p[k];
		if (l->from != OUTGOING_PACK)
			continue;
		if (twin) {
			l->from = twin->from;
			l->desc.digest = twin->desc.digest;
			l->desc.size = twin->desc.size;
			str_set(&l->file, str_dup(twin->file));
		} else if (pack_file(s, l, o->level, e) < 0) {
			return err_add(e, "compress layer %zu of %zu", i + 1, out->layers.n);
		}
	}
	return 0;
}

/* ---- manifest ---- */

static bool is_unchanged(const struct image *im, const struct outgoing *out, bool docker)
{
	if ((strcmp(im->manifest.media_type, MT_DOCKER_MANIFEST) == 0) != docker)
		return false;
	for (size_t i = 0; i < im->manifest.layers.n; i++)
		if (!digest_eq(&im->manifest.layers.p[i].digest, &out->layers.p[i].desc.digest))
			return false;
	return true;
}

static void write_manifest(const struct image *im, struct outgoing *out, bool docker, struct buf *b)
{
	struct manifest m = im->manifest; /* borrowed, but for what is replaced */
	m.media_type = docker ? (char *)MT_DOCKER_MANIFEST : (char *)MT_OCI_MANIFEST;
	m.config = out->config;
	memset(&m.layers, 0, sizeof m.layers);
	arr_each(it, &out->layers)
		arr_push(&m.layers, it->desc);
	manifest_write(&m, b);
	arr_done(&m.layers);
}

/* What was pushed or saved for which of our manifests; a line a layer. */
static void remember(struct store *s, const struct image *im, const struct outgoing *out)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	char text[DIGEST_LEN], diff[DIGEST_LEN];
	buf_printf(&b, "manifest %s %zu %s\n", digest_text(&out->manifest_digest, text),
		   out->manifest_n, out->media_type);
	for (size_t i = 0; i < out->layers.n; i++)
		buf_printf(&b, "layer %s %s %" PRIu64 " %s\n",
			   digest_text(&out->layers.p[i].diff_id, diff),
			   digest_text(&out->layers.p[i].desc.digest, text),
			   out->layers.p[i].desc.size, out->layers.p[i].desc.media_type);
	if (cache_put(s, "outgoing", &im->manifest_digest, buf_view(&b), NULL) < 0)
		log_debug("cannot remember the manifest that goes out");
}

static int prepare_manifest(struct store *s, const struct image *im, bool docker,
			    struct outgoing *out, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	descriptor_copy(&out->config, &im->manifest.config);
	if (is_unchanged(im, out, docker)) {
		if (blob_read(s, &im->manifest_digest, &b, e) < 0)
			return -1;
	} else {
		str_set(&out->config.media_type,
			str_dup(docker ? MT_DOCKER_CONFIG : MT_OCI_CONFIG));
		write_manifest(im, out, docker, &b);
	}
	digest_of(buf_view(&b), &out->manifest_digest);
	out->manifest_n = b.len;
	out->manifest = buf_take(&b);
	out->media_type = docker ? MT_DOCKER_MANIFEST : MT_OCI_MANIFEST;
	return 0;
}

int outgoing_finish(struct store *s, const struct image *im, const struct outgoing_opts *o,
		    struct outgoing *out, struct err *e)
{
	if (prepare_manifest(s, im, wants_docker(im, o), out, e) < 0)
		return -1;
	remember(s, im, out);
	return 0;
}

int outgoing_prepare(struct store *s, const struct image *im, const struct outgoing_opts *o,
		     struct outgoing *out, struct err *e)
{
	struct outgoing made = { 0 };
	if (outgoing_plan(s, im, o, &made, e) < 0)
		return -1;
	if (pack_all(s, o, &made, e) < 0 || outgoing_finish(s, im, o, &made, e) < 0) {
		outgoing_done(s, &made);
		return -1;
	}
	*out = made;
	return 0;
}
