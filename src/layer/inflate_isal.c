/* SPDX-License-Identifier: Apache-2.0 */
/* gzip by ISA-L (igzip): 475 MB/s where zlib has 220. It is opened on first use and never required; it
 * only inflates, since what it compresses depends on the processor (design.md §10). */
#include <isa-l/igzip_lib.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/dlib.h"
#include "base/err.h"
#include "layer/inflate.h"

DLIB_NOTE("gzip", "faster unpacking of gzip", "suggested", "libisal.so.2");

static struct {
	DLIB_FN(isal_inflate_init);
	DLIB_FN(isal_inflate_reset);
	DLIB_FN(isal_inflate);
} isal;
static bool there;

static void look(void)
{
	static const struct dlib_fn fns[] = {
		DLIB_BIND(isal, isal_inflate_init),
		DLIB_BIND(isal, isal_inflate_reset),
		DLIB_BIND(isal, isal_inflate),
	};
	/* zlib serves when it is not there */
	there = dlib_open("libisal.so.2", "libisal2", fns, COUNT_OF(fns), NULL) == 0;
}

bool inflate_isal_there(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, look);
	return there;
}

static int start(struct inflater *d, struct err *e)
{
	(void)e;
	d->isal = NEW(struct inflate_state);
	isal.isal_inflate_init(d->isal);
	d->isal->crc_flag = ISAL_GZIP;
	return 0;
}

static const char *words(int code)
{
	switch (code) {
	case ISAL_INVALID_BLOCK: return "invalid block";
	case ISAL_INVALID_SYMBOL: return "invalid symbol";
	case ISAL_INVALID_LOOKBACK: return "invalid distance";
	case ISAL_INVALID_WRAPPER: return "invalid header";
	case ISAL_UNSUPPORTED_METHOD: return "unknown compression method";
	case ISAL_INCORRECT_CHECKSUM: return "incorrect data check";
	default: return "bad data";
	}
}

static int step(struct inflater *d, uint8_t *out, size_t n, size_t *made, struct err *e)
{
	int more = d->complete ? inflate_gz_next(d, e) : 1;
	if (more <= 0)
		return more;
	if (d->complete) {
		isal.isal_inflate_reset(d->isal);
		d->isal->crc_flag = ISAL_GZIP;
	}
	d->complete = false;
	d->isal->next_in = (uint8_t *)d->piece + d->at;
	d->isal->avail_in = (uint32_t)(d->have - d->at);
	d->isal->next_out = out;
	d->isal->avail_out = (uint32_t)n;
	int r = isal.isal_inflate(d->isal);
	if (r < 0)
		return inflate_damaged(d, words(r), e);
	d->at = d->have - d->isal->avail_in;
	*made = n - d->isal->avail_out;
	d->complete = d->isal->block_state == ISAL_BLOCK_FINISH;
	return 0;
}

static void stop(struct inflater *d)
{
	free(d->isal);
}

const struct format inflate_isal = { "gzip", start, step, stop };
