/* SPDX-License-Identifier: Apache-2.0 */
/* layer/inflate.c: gzip (zlib, or ISA-L in inflate_isal.c), zstd, bzip2, xz as sources. Each format is
 * one `step`: some input in, some output out; the loop around it feeds them and tells a cut-off end
 * from a proper one.
 * Memory: the input piece, and what the format needs, at most 128 MiB (zstd, xz: refused above). */
#include "layer/inflate.h"
#include "base/alloc.h"
#include "base/err.h"

enum { PIECE = 128 << 10, WINDOW_LOG_MAX = 27 };
#define XZ_MEMORY (128ull << 20)

int inflate_damaged(const struct inflater *d, const char *why, struct err *e)
{
	return err_set(e, ERR_DATA, "the %s data is damaged: %s", d->format->name,
		       why ? why : "bad data");
}

/* No damage: ERR_USER, so that nobody takes it for something that only looks compressed. */
static int needs_more(const struct inflater *d, const char *way_out, struct err *e)
{
	err_set(e, ERR_USER, "the %s data needs more than 128 MiB of memory", d->format->name);
	return err_hint(e, "%s", way_out);
}

/* ---- gzip ---- */

static int gz_start(struct inflater *d, struct err *e)
{
	return inflateInit2(&d->z, 15 + 16) == Z_OK ? 0
						    : inflate_damaged(d, "zlib does not start", e);
}

int inflate_gz_next(struct inflater *d, struct err *e)
{
	while (d->at < d->have && d->piece[d->at] == 0) {
		d->at++;
		d->padded = true;
	}
	if (d->at == d->have)
		return 0;
	if (d->padded || d->piece[d->at] != 0x1f)
		return inflate_damaged(d, "something else follows its end", e);
	return 1;
}

static int gz_step(struct inflater *d, uint8_t *out, size_t n, size_t *made, struct err *e)
{
	int more = d->complete ? inflate_gz_next(d, e) : 1;
	if (more <= 0)
		return more;
	if (d->complete && inflateReset(&d->z) != Z_OK)
		return inflate_damaged(d, "zlib does not start again", e);
	d->complete = false;
	d->z.next_in = d->piece + d->at;
	d->z.avail_in = (uInt)(d->have - d->at);
	d->z.next_out = out;
	d->z.avail_out = (uInt)n;
	int r = inflate(&d->z, Z_NO_FLUSH);
	d->at = d->have - d->z.avail_in;
	*made = n - d->z.avail_out;
	if (r == Z_STREAM_END)
		d->complete = true;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return inflate_damaged(d, d->z.msg, e);
	return 0;
}

static void gz_stop(struct inflater *d)
{
	inflateEnd(&d->z);
}

/* ---- zstd ---- */

static int zstd_start(struct inflater *d, struct err *e)
{
	if (zstd_need(e) < 0)
		return -1;
	d->zstd = zstd_lib.ZSTD_createDStream();
	if (!d->zstd ||
	    zstd_lib.ZSTD_isError(zstd_lib.ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax,
								  WINDOW_LOG_MAX)))
		return inflate_damaged(d, "libzstd does not start", e);
	return 0;
}

static int zstd_step(struct inflater *d, uint8_t *out, size_t n, size_t *made, struct err *e)
{
	ZSTD_inBuffer in = { d->piece, d->have, d->at };
	ZSTD_outBuffer to = { out, n, 0 };
	size_t r = zstd_lib.ZSTD_decompressStream(d->zstd, &to, &in);
	if (zstd_lib.ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge)
		return needs_more(d, "compress it with --long=27 or less, or without --long", e);
	if (zstd_lib.ZSTD_isError(r))
		return inflate_damaged(d, zstd_lib.ZSTD_getErrorName(r), e);
	if (in.pos != d->at || to.pos)
		d->complete = r == 0;
	d->at = in.pos;
	*made = to.pos;
	return 0;
}

static void zstd_stop(struct inflater *d)
{
	if (d->zstd)
		zstd_lib.ZSTD_freeDStream(d->zstd);
}

/* ---- bzip2 ---- */

static int bz_start(struct inflater *d, struct err *e)
{
	return BZ2_bzDecompressInit(&d->bz, 0, 0) == BZ_OK
		       ? 0
		       : inflate_damaged(d, "libbz2 does not start", e);
}

static int bz_step(struct inflater *d, uint8_t *out, size_t n, size_t *made, struct err *e)
{
	if (d->complete) { /* there is more input: the next stream */
		BZ2_bzDecompressEnd(&d->bz);
		memset(&d->bz, 0, sizeof d->bz);
		if (bz_start(d, e) < 0)
			return -1;
		d->complete = false;
	}
	d->bz.next_in = (char *)d->piece + d->at;
	d->bz.avail_in = (unsigned)(d->have - d->at);
	d->bz.next_out = (char *)out;
	d->bz.avail_out = (unsigned)n;
	int r = BZ2_bzDecompress(&d->bz);
	d->at = d->have - d->bz.avail_in;
	*made = n - d->bz.avail_out;
	if (r == BZ_STREAM_END)
		d->complete = true;
	else if (r != BZ_OK)
		return inflate_damaged(d, r == BZ_DATA_ERROR ? "checksum" : NULL, e);
	return 0;
}

static void bz_stop(struct inflater *d)
{
	BZ2_bzDecompressEnd(&d->bz);
}

/* ---- xz ---- */

static int xz_start(struct inflater *d, struct err *e)
{
	d->xz = (lzma_stream)LZMA_STREAM_INIT;
	if (lzma_stream_decoder(&d->xz, XZ_MEMORY, LZMA_CONCATENATED) != LZMA_OK)
		return inflate_damaged(d, "liblzma does not start", e);
	return 0;
}

static int xz_step(struct inflater *d, uint8_t *out, size_t n, size_t *made, struct err *e)
{
	d->xz.next_in = d->piece + d->at;
	d->xz.avail_in = d->have - d->at;
	d->xz.next_out = out;
	d->xz.avail_out = n;
	lzma_ret r = lzma_code(&d->xz, d->ended ? LZMA_FINISH : LZMA_RUN);
	d->at = d->have - d->xz.avail_in;
	*made = n - d->xz.avail_out;
	switch (r) {
	case LZMA_OK:
	case LZMA_BUF_ERROR: return 0;
	case LZMA_STREAM_END: d->complete = true; return 0;
	case LZMA_MEMLIMIT_ERROR:
		return needs_more(
			d, "compress it with a dictionary of 64 MiB or less, as xz -9 has", e);
	default: return inflate_damaged(d, NULL, e);
	}
}

static void xz_stop(struct inflater *d)
{
	lzma_end(&d->xz);
}

/* ---- all of them ---- */

static int refill(struct inflater *d, struct err *e)
{
	ssize_t n = source_read(d->in, d->piece, PIECE, e);
	if (n < 0)
		return -1;
	d->at = 0;
	d->have = (size_t)n;
	d->ended = n == 0;
	return 0;
}

static ssize_t inflater_read(struct source *s, void *p, size_t n, struct err *e)
{
	struct inflater *d = (struct inflater *)s;
	if (n > 1u << 30)
		n = 1u << 30; /* the libraries count in 32 bits */
	for (;;) {
		if (d->at == d->have && !d->ended && refill(d, e) < 0)
			return -1;
		bool dry = d->ended && d->at == d->have;
		if (dry && d->complete)
			return 0;
		size_t made = 0, before = d->at;
		if (d->format->step(d, p, n, &made, e) < 0)
			return -1;
		if (made)
			return (ssize_t)made;
		if (dry && !d->complete)
			return inflate_damaged(d, "it ends too early", e);
		if (!dry && d->at == before && d->at < d->have && !d->complete)
			return inflate_damaged(d, "it leads nowhere", e);
	}
}

static void inflater_close(struct source *s)
{
	struct inflater *d = (struct inflater *)s;
	d->format->stop(d);
	source_close(d->in);
	free(d->piece);
	free(d);
}

struct source *inflate_source(struct source *in, enum compression c, struct err *e)
{
	static const struct source_ops ops = { inflater_read, inflater_close };
	static const struct format formats[] = {
		[COMP_GZIP] = { "gzip", gz_start, gz_step, gz_stop },
		[COMP_ZSTD] = { "zstd", zstd_start, zstd_step, zstd_stop },
		[COMP_BZIP2] = { "bzip2", bz_start, bz_step, bz_stop },
		[COMP_XZ] = { "xz", xz_start, xz_step, xz_stop },
	};
	struct inflater *d = NEW(struct inflater);
	d->base.ops = &ops;
	d->in = in;
	d->format = c == COMP_GZIP && inflate_isal_there() ? &inflate_isal : &formats[c];
	d->piece = mem_resize(NULL, PIECE, 1);
	if (d->format->start(d, e) < 0) {
		inflater_close(&d->base);
		return NULL;
	}
	return &d->base;
}
