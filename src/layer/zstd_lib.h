/* SPDX-License-Identifier: Apache-2.0 */
/* layer/zstd_lib.h: libzstd's functions, opened on first use: few commands meet a layer of zstd, and
 * Debian's archive, which could be linked in, lacks the worker that zstd_write.c needs. */
#pragma once
#include <zstd.h>
#include <zstd_errors.h>

#include "base/attr.h"
#include "base/dlib.h"

struct err;

struct zstd_lib {
	DLIB_FN(ZSTD_isError);
	DLIB_FN(ZSTD_getErrorCode);
	DLIB_FN(ZSTD_getErrorName);
	DLIB_FN(ZSTD_createDStream);
	DLIB_FN(ZSTD_freeDStream);
	DLIB_FN(ZSTD_DCtx_setParameter);
	DLIB_FN(ZSTD_decompressStream);
	DLIB_FN(ZSTD_createCCtx);
	DLIB_FN(ZSTD_freeCCtx);
	DLIB_FN(ZSTD_CCtx_setParameter);
	DLIB_FN(ZSTD_compressStream2);
	DLIB_FN(ZSTD_maxCLevel);
};
extern struct zstd_lib zstd_lib;

/* To be called before any of them, from any thread; cheap from the second time on. Errors: those of
 * dlib_open. */
int zstd_need(struct err *e) _must_check_;
