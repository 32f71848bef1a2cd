/* SPDX-License-Identifier: Apache-2.0 */
/* layer/zstd_write.c: zstd. At least one worker always: then the bytes do not depend on how many
 * there are (none gives others). The size is never pledged and the end is always an empty call,
 * which both would show in the bytes. */
#include "base/alloc.h"
#include "base/err.h"
#include "layer/codec.h"
#include "layer/zstd_lib.h"

enum { OUT = 128 << 10, LEVEL = 3 };

struct zstd {
	struct sink base;
	struct sink *out;
	ZSTD_CCtx *c;
	char *piece;
};

static int refused(size_t code, struct err *e)
{
	return err_set(e, ERR_SYS, "libzstd: %s", zstd_lib.ZSTD_getErrorName(code));
}

/* Returns what is left to be flushed (0: nothing) in *left. */
static int push(struct zstd *z, ZSTD_inBuffer *in, ZSTD_EndDirective end, size_t *left,
		struct err *e)
{
	ZSTD_outBuffer out = { z->piece, OUT, 0 };
	*left = zstd_lib.ZSTD_compressStream2(z->c, &out, in, end);
	if (zstd_lib.ZSTD_isError(*left))
		return refused(*left, e);
	return out.pos ? sink_write(z->out, z->piece, out.pos, e) : 0;
}

static int zstd_write(struct sink *s, const void *p, size_t n, struct err *e)
{
	struct zstd *z = (struct zstd *)s;
	ZSTD_inBuffer in = { p, n, 0 };
	size_t left;
	while (in.pos < in.size)
		if (push(z, &in, ZSTD_e_continue, &left, e) < 0)
			return -1;
	return 0;
}

static int zstd_finish(struct sink *s, struct err *e)
{
	struct zstd *z = (struct zstd *)s;
	ZSTD_inBuffer none = { "", 0, 0 };
	size_t left;
	do {
		if (push(z, &none, ZSTD_e_end, &left, e) < 0)
			return -1;
	} while (left);
	return 0;
}

static void zstd_close(struct sink *s)
{
	struct zstd *z = (struct zstd *)s;
	zstd_lib.ZSTD_freeCCtx(z->c);
	free(z->piece);
	free(z);
}

static size_t set(struct zstd *z, ZSTD_cParameter what, int value)
{
	return zstd_lib.ZSTD_CCtx_setParameter(z->c, what, value);
}

struct sink *zstd_sink(struct sink *out, int level, unsigned threads, struct err *e)
{
	static const struct sink_ops ops = { zstd_write, zstd_finish, zstd_close };
	if (zstd_need(e) < 0)
		return NULL;
	struct zstd *z = NEW(struct zstd);
	z->base.ops = &ops;
	z->out = out;
	z->piece = mem_resize(NULL, OUT, 1);
	z->c = zstd_lib.ZSTD_createCCtx();
	size_t r = 0;
	if (!z->c)
		(void)err_set(e, ERR_SYS, "libzstd does not start");
	else if (level < 0 || level > zstd_lib.ZSTD_maxCLevel())
		(void)err_set(e, ERR_USER, "zstd has no level %d (1 to %d; 0: the default)", level,
			      zstd_lib.ZSTD_maxCLevel());
	else if (zstd_lib.ZSTD_isError(r = set(z, ZSTD_c_compressionLevel, level ? level : LEVEL)) ||
		 zstd_lib.ZSTD_isError(
			 r = set(z, ZSTD_c_nbWorkers, (int)(threads ? threads : codec_threads()))))
		(void)refused(r, e);
	else
		return &z->base;
	zstd_close(&z->base);
	return NULL;
}
