/* SPDX-License-Identifier: Apache-2.0 */
/* layer/codec.h: the compressors and inflaters behind compress.h. */
#pragma once
#include "layer/compress.h"

/* `in` is borrowed, or closed with the source if `owned` (also when this fails). */
struct source *inflate_source(struct source *in, bool owned, enum compression c, struct err *e);
/* threads 0: as many as there are processors. The bytes do not depend on it. */
struct sink *gzip_sink(struct sink *out, int level, unsigned threads, struct err *e);
struct sink *zstd_sink(struct sink *out, int level, unsigned threads, struct err *e);
unsigned codec_threads(void);
