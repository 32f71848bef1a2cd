/* SPDX-License-Identifier: Apache-2.0 */
#include "image/convert.h"

#include "base/err.h"

const char *layer_type(enum compression c, bool docker)
{
	if (c == COMP_GZIP)
		return docker ? MT_DOCKER_LAYER_GZIP : MT_OCI_LAYER_GZIP;
	if (c == COMP_ZSTD)
		return docker ? MT_DOCKER_LAYER_ZSTD : MT_OCI_LAYER_ZSTD;
	return docker ? MT_DOCKER_LAYER : MT_OCI_LAYER;
}

static int pour(struct source *in, struct sink *out, struct sha256 *sum, struct err *e)
{
	_free_ char *block = mem_alloc(1 << 16);
	ssize_t n;
	while ((n = source_read(in, block, 1 << 16, e)) > 0) {
		sha256_add(sum, block, (size_t)n);
		if (sink_write(out, block, (size_t)n, e) < 0)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

/* An inflater may stop before the end of its input, where alone it is verified. */
static int drain(struct source *in, struct err *e)
{
	char block[1 << 12];
	ssize_t n;
	while ((n = source_read(in, block, sizeof block, e)) > 0)
		;
	return n < 0 ? -1 : 0;
}

static int repack(struct source *in, struct sink *out, enum compression into, int level,
		  struct digest *diff_id, struct err *e)
{
	enum compression found;
	struct sha256 sum;
	_cleanup_(source_closep) struct source *plain = comp_source_auto(in, &found, e);
	if (!plain)
		return -1;
	_cleanup_(sink_closep) struct sink *packed =
		into == COMP_NONE ? NULL : comp_sink(out, into, level, e);
	if (into != COMP_NONE && !packed)
		return -1;
	sha256_begin(&sum);
	if (pour(plain, packed ? packed : out, &sum, e) < 0 || drain(in, e) < 0)
		return -1;
	sha256_end(&sum, diff_id->b);
	return packed ? sink_finish(packed, e) : 0;
}

static int check_diff_id(const struct digest *got, const struct digest *want, struct err *e)
{
	char a[DIGEST_LEN], b[DIGEST_LEN];
	if (!want || digest_eq(got, want))
		return 0;
	return err_set(e, ERR_DATA, "the stream has digest %s, the config says %s",
		       digest_text(got, a), digest_text(want, b));
}

int layer_convert(struct store *s, struct origin *from, const struct descriptor *d,
		  const struct digest *diff_id, enum compression into, int level,
		  struct descriptor *out, struct err *e)
{
	struct sha256 sum;
	struct digest got;
	uint64_t n = 0;
	_cleanup_(source_closep) struct source *in = origin_blob(from, d, e);
	_close_ int fd = in ? store_tmp_nameless(s, e) : -1;
	if (fd < 0)
		return -1;
	sha256_begin(&sum);
	_cleanup_(sink_closep) struct sink *file = sink_fd(fd);
	_cleanup_(sink_closep) struct sink *hash = sink_hash(file, &sum, &n);
	if (repack(in, hash, into, level, &got, e) < 0 || check_diff_id(&got, diff_id, e) < 0 ||
	    sink_finish(hash, e) < 0 || sink_finish(file, e) < 0)
		return -1;
	descriptor_copy(out, d);
	sha256_end(&sum, out->digest.b);
	out->size = n;
	bool docker = media_kind(d->media_type) == MEDIA_LAYER &&
		      strncmp(d->media_type, "application/vnd.docker.", 23) == 0;
	str_set(&out->media_type, str_dup(layer_type(into, docker)));
	return take_fd(&fd);
}

static void convert_layer(struct descriptor *d, bool docker)
{
	struct slice t = slice_of(d->media_type);
	enum compression c = slice_ends(t, SL("gzip"))   ? COMP_GZIP
			     : slice_ends(t, SL("zstd")) ? COMP_ZSTD
							 : COMP_NONE;
	str_set(&d->media_type, str_dup(layer_type(c, docker)));
}

void manifest_convert(struct manifest *m, bool docker)
{
	str_set(&m->media_type, str_dup(docker ? MT_DOCKER_MANIFEST : MT_OCI_MANIFEST));
	str_set(&m->config.media_type, str_dup(docker ? MT_DOCKER_CONFIG : MT_OCI_CONFIG));
	arr_each(it, &m->layers)
		convert_layer(it, docker);
	if (!docker)
		return;
	str_set(&m->artifact_type, NULL);
	json_decref(m->annotations);
	m->annotations = NULL;
}
