/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/zstd_lib.h"

#include <pthread.h>

#include "base/err.h"

DLIB_NOTE("zstd", "layers compressed by zstd", "recommended", "libzstd.so.1");

struct zstd_lib zstd_lib;

#define BIND(fn) DLIB_BIND(zstd_lib, fn)
static const struct dlib_fn functions[] = {
	BIND(ZSTD_isError),           BIND(ZSTD_getErrorCode),    BIND(ZSTD_getErrorName),
	BIND(ZSTD_createDStream),     BIND(ZSTD_freeDStream),     BIND(ZSTD_DCtx_setParameter),
	BIND(ZSTD_decompressStream),  BIND(ZSTD_createCCtx),      BIND(ZSTD_freeCCtx),
	BIND(ZSTD_CCtx_setParameter), BIND(ZSTD_compressStream2), BIND(ZSTD_maxCLevel),
};

int zstd_need(struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static bool there;
	pthread_mutex_lock(&lock);
	int r = 0;
	if (!there)
		r = dlib_open("libzstd.so.1", "libzstd1", functions, COUNT_OF(functions), e);
	there = r == 0;
	pthread_mutex_unlock(&lock);
	return r;
}
