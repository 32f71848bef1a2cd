/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_in.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/stream.h"
#include "layer/compress.h"

int layer_media_type(int fd, bool docker, const char **type, struct err *e)
{
	char head[6];
	ssize_t n = fd_pread(fd, head, sizeof head, 0);
	if (n < 0)
		return err_sys(e, "read a layer");
	enum compression c = comp_sniff(head, (size_t)n);
	switch (c) {
	case COMP_NONE: *type = docker ? MT_DOCKER_LAYER : MT_OCI_LAYER; return 0;
	case COMP_GZIP: *type = docker ? MT_DOCKER_LAYER_GZIP : MT_OCI_LAYER_GZIP; return 0;
	case COMP_ZSTD: *type = docker ? MT_DOCKER_LAYER_ZSTD : MT_OCI_LAYER_ZSTD; return 0;
	case COMP_BZIP2:
	case COMP_XZ: break;
	}
	err_set(e, ERR_DATA, "a layer is compressed with %s, which no layer of an image may be",
		comp_name(c));
	return err_hint(e,
			"layers are plain, gzip or zstd: make the archive anew with one of these");
}

/* The digest of a stream of at most `max` bytes; it is not read on for as long as it likes to expand. */
static int sum_stream(struct source *in, uint64_t max, struct tree_stream *out, struct err *e)
{
	struct sha256 sha;
	_free_ char *block = mem_alloc(1 << 16);
	ssize_t n;
	sha256_begin(&sha);
	out->size = 0;
	while ((n = source_read(in, block, 1 << 16, e)) > 0) {
		sha256_add(&sha, block, (size_t)n);
		out->size += (uint64_t)n;
		if (out->size > max)
			return err_set(e, ERR_DATA,
				       "the stream is longer than the layer that it says it is "
				       "(%llu bytes)",
				       (unsigned long long)max);
	}
	sha256_end(&sha, out->digest.b);
	return n < 0 ? -1 : 0;
}

static int check_diff_id(const struct digest *want, const struct digest *got, struct err *e)
{
	char a[DIGEST_LEN], b[DIGEST_LEN];
	if (digest_eq(got, want))
		return 0;
	return err_set(e, ERR_DATA, "the stream has digest %s, the config says %s",
		       digest_text(got, a), digest_text(want, b));
}

/* treefd -1: only checks the diff id, of a stream of at most `max` bytes. */
static int unpack(struct store *s, const struct layer_in *l, int treefd, struct index *x,
		  uint64_t max, uint64_t *size, bool *packed, struct err *e)
{
	enum compression comp;
	struct tree_stream sum;
	_close_ int fd = l->open(l->ctx, e);
	if (fd < 0)
		return -1;
	_cleanup_(source_closep) struct source *file = source_fd(fd);
	_cleanup_(source_closep) struct source *plain = comp_source_auto(file, &comp, e);
	if (!plain)
		return -1;
	int r = treefd < 0 ? sum_stream(plain, max, &sum, e)
			   : tree_apply(treefd, plain, store_tree_opts(s), &sum, x, e);
	if (r < 0)
		return -1;
	*size = sum.size;
	*packed = comp != COMP_NONE;
	return check_diff_id(&l->diff_id, &sum.digest, e);
}

/* Would writing it from tree and index give the same bytes? Then it need not be kept twice. */
static int is_ours(int treefd, struct index *x, const struct digest *diff_id, bool *out,
		   struct err *e)
{
	struct tree_stream sum;
	if (tree_sum(treefd, x, &sum, e) < 0)
		return -1;
	*out = digest_eq(&sum.digest, diff_id);
	return 0;
}

static int commit(struct store *s, const struct layer_in *l, struct snap_draft *d, struct index *x,
		  char id[static SNAP_ID], struct err *e)
{
	bool packed = false, ours = false;
	if (unpack(s, l, d->treefd, x, UINT64_MAX, &d->tar_size, &packed, e) < 0)
		return -1;
	if (!packed && is_ours(d->treefd, x, &l->diff_id, &ours, e) < 0)
		return -1;
	if (!ours && l->keep(l->ctx, &l->digest, e) < 0)
		return -1;
	d->foreign = !ours;
	if (snap_commit(s, d, x, &l->diff_id, id, e) < 0)
		return -1;
	return ours ? 0 : snap_set_blob(s, id, &l->digest, l->size, l->media_type, e);
}

/* It is there already; perhaps without the file it came as, or from another compression. That the
 * file holds this very stream is checked all the same: other images will hand it on. */
static int known(struct store *s, const struct layer_in *l, const char *id, struct err *e)
{
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	if (snap_info(s, id, &sn, e) < 0)
		return -1;
	bool has_blob = !digest_is_zero(&sn.blob.digest) && blob_has(s, &sn.blob.digest);
	if (has_blob && digest_eq(&sn.blob.digest, &l->digest))
		return 0;
	bool plain = digest_eq(&l->digest, &l->diff_id), packed;
	if (plain && (!sn.foreign || has_blob))
		return 0;
	uint64_t size;
	if (!plain &&
	    unpack(s, l, -1, NULL, sn.tar_size ? sn.tar_size : UINT64_MAX, &size, &packed, e) < 0)
		return -1;
	if (l->keep(l->ctx, &l->digest, e) < 0)
		return -1;
	return has_blob ? 0 : snap_set_blob(s, id, &l->digest, l->size, l->media_type, e);
}

int layer_take_in(struct store *s, const struct layer_in *l, char id[static SNAP_ID], struct err *e)
{
	if (snap_by_diff_id(s, &l->diff_id, id) == 1)
		return known(s, l, id, e);
	struct snap_draft d = SNAP_DRAFT_INIT;
	struct index x;
	index_init(&x);
	int r = snap_begin(s, &d, e);
	if (r == 0)
		r = commit(s, l, &d, &x, id, e);
	snap_abort(s, &d);
	index_done(&x);
	return r;
}

/* ---- layers that arrive ---- */

/* What is read through it is written down too. */
struct tee {
	struct source base;
	struct source *in;
	int fd;
};

static ssize_t tee_read(struct source *base, void *p, size_t n, struct err *e)
{
	struct tee *t = (struct tee *)base;
	ssize_t got = source_read(t->in, p, n, e);
	if (got > 0 && fd_write_all(t->fd, p, (size_t)got, e) < 0)
		return err_add(e, "keep what was downloaded");
	return got;
}

static void tee_close(struct source *base)
{
	(void)base; /* lives on the stack */
}
static const struct source_ops tee_ops = { tee_read, tee_close };

/* To the end, which is where `in` says whether it was right. */
static int read_out(struct source *in, struct err *e)
{
	_free_ char *block = mem_alloc(1 << 16);
	ssize_t n;
	while ((n = source_read(in, block, 1 << 16, e)) > 0)
		;
	return n < 0 ? -1 : 0;
}

static int unpack_stream(struct store *s, const struct layer_stream *l, struct source *in,
			 struct snap_draft *d, struct index *x, bool *packed, struct err *e)
{
	enum compression comp;
	struct tree_stream sum;
	_cleanup_(source_closep) struct source *plain = comp_source_auto(in, &comp, e);
	if (!plain)
		return -1;
	if (tree_apply(d->treefd, plain, store_tree_opts(s), &sum, x, e) < 0 || read_out(in, e) < 0)
		return -1;
	d->tar_size = sum.size;
	*packed = comp != COMP_NONE;
	return check_diff_id(&l->diff_id, &sum.digest, e);
}

static int commit_stream(struct store *s, const struct layer_stream *l, const char *tmp, int fd,
			 struct snap_draft *d, struct index *x, char id[static SNAP_ID],
			 struct err *e)
{
	struct tee tee = { { &tee_ops }, l->in, fd };
	bool packed = false, ours = false;
	if (unpack_stream(s, l, &tee.base, d, x, &packed, e) < 0)
		return -1;
	if (!packed && is_ours(d->treefd, x, &l->diff_id, &ours, e) < 0)
		return -1;
	if (!ours && blob_adopt(s, store_fd(s), tmp, &l->digest, e) < 0)
		return -1;
	d->foreign = !ours;
	if (snap_commit(s, d, x, &l->diff_id, id, e) < 0)
		return -1;
	return ours ? 0 : snap_set_blob(s, id, &l->digest, l->size, l->media_type, e);
}

int layer_take_stream(struct store *s, const struct layer_stream *l, char id[static SNAP_ID],
		      struct err *e)
{
	_close_ int fd = -1;
	_free_ char *tmp = store_tmp_file(s, O_WRONLY, &fd, e);
	if (!tmp)
		return -1;
	struct snap_draft d = SNAP_DRAFT_INIT;
	struct index x;
	index_init(&x);
	int r = snap_begin(s, &d, e);
	if (r == 0)
		r = commit_stream(s, l, tmp, fd, &d, &x, id, e);
	snap_abort(s, &d);
	index_done(&x);
	(void)unlinkat(store_fd(s), tmp, 0); /* moved away if all went well */
	return r;
}

bool layer_is_there(struct store *s, const struct digest *diff_id)
{
	char id[SNAP_ID];
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	if (snap_by_diff_id(s, diff_id, id) != 1 || !snap_exists(s, id) ||
	    snap_info(s, id, &sn, NULL) < 0)
		return false;
	return !sn.foreign || blob_has(s, &sn.blob.digest);
}
