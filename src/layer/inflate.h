/* SPDX-License-Identifier: Apache-2.0 */
/* layer/inflate.h: what inflate.c and inflate_isal.c share. */
#pragma once
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>

#include "layer/codec.h"
#include "layer/zstd_lib.h"

struct inflater;
struct format {
	const char *name;
	int (*start)(struct inflater *d, struct err *e);
	/* Moves d->at, sets *made; sets d->complete when what was read so far is whole. */
	int (*step)(struct inflater *d, uint8_t *out, size_t n, size_t *made, struct err *e);
	void (*stop)(struct inflater *d);
};

struct inflater {
	struct source base;
	struct source *in;
	const struct format *format;
	uint8_t *piece;
	size_t at, have;
	bool ended; /* the input */
	bool complete; /* between members, or behind the last */
	bool padded; /* zeros followed a member */
	union {
		z_stream z;
		bz_stream bz;
		lzma_stream xz;
		ZSTD_DStream *zstd;
		struct inflate_state *isal;
	};
};

/* "the gzip data is damaged: …". -1. */
int inflate_damaged(const struct inflater *d, const char *why, struct err *e);
/* Behind a gzip member: 1 if another one begins, 0 if there is no more input yet, or only zeros
 * (tapes), -1 if it is something else. */
int inflate_gz_next(struct inflater *d, struct err *e) _must_check_;

/* gzip by ISA-L, twice as fast as zlib, where its library is installed. */
bool inflate_isal_there(void);
extern const struct format inflate_isal;
