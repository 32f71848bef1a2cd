/* SPDX-License-Identifier: Apache-2.0 */
/* layer/codec.h: the compressors and inflaters behind compress.h. */
#pragma once
#include "layer/compress.h"

/* Takes `in`, also when this fails; `c` is what its first bytes say (comp_sniff). */
struct source *inflate_source(struct source *in, enum compression c, struct err *e);
/* threads 0: as many as there are processors. The bytes do not depend on it. */
struct sink *gzip_sink(struct sink *out, int level, unsigned threads, struct err *e);
struct sink *zstd_sink(struct sink *out, int level, unsigned threads, struct err *e);
unsigned codec_threads(void);
