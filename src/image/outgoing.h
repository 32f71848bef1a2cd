/* SPDX-License-Identifier: Apache-2.0 */
/* image/outgoing.h: an image as it leaves the store (save, push). The store's manifest lists the
 * layers that thimble made uncompressed; the manifest that goes out lists what others expect,
 * compressed layers, and is written here. The pair is remembered as a cache record ("outgoing").
 *
 *	struct outgoing o = { 0 };
 *	if (outgoing_prepare(s, &im, &opts, &o, e) < 0) …
 *	for each layer: outgoing_layer_write(s, &o.layers.p[i], sink, e)
 *	outgoing_done(s, &o); */
#pragma once
#include "layer/compress.h"
#include "store/image.h"

struct sink;

struct outgoing_opts {
	/* of layers that have no compressed form yet: GZIP, ZSTD or NONE */
	enum compression compression;
	int level; /* 0: default */
	bool docker; /* Docker's media types, else OCI's */
	bool keep_types; /* whatever the manifest has: `docker` does not count */
	bool allow_rootfs; /* an image that stands on rootfs:/ too (design.md §6.4) */
};

/* A layer that is ready to go: its bytes lie in a blob, in a file in tmp/, or are written from the
 * tree each time. */
struct outgoing_layer {
	struct descriptor desc;
	struct digest diff_id;
	char snap[SNAP_ID];
	uint64_t tar_size;
	/* PACK: it has to be compressed first; desc's digest and size are those of the last time, or
	 * zero. */
	enum { OUTGOING_PACK, OUTGOING_BLOB, OUTGOING_FILE, OUTGOING_TREE } from;
	enum compression compression;
	char *file; /* "tmp/…" in the store */
};
struct outgoing {
	struct digest manifest_digest;
	char *manifest; /* bytes */
	size_t manifest_n;
	const char *media_type; /* of the manifest */
	struct descriptor config;
	ARRAY_OF(struct outgoing_layer) layers;
};
/* ERR_DENIED for an image that stands on rootfs:/, unless allowed. */
int outgoing_prepare(struct store *s, const struct image *im, const struct outgoing_opts *o,
		     struct outgoing *out, struct err *e) _must_check_;
void outgoing_done(struct store *s, struct outgoing *o);
/* The steps of outgoing_prepare, for push, which compresses and sends at the same time. */
/* Adds all layers as they are found: none is packed. */
int outgoing_plan(struct store *s, const struct image *im, const struct outgoing_opts *o,
		  struct outgoing *out, struct err *e) _must_check_;
/* Compresses a layer into `out`, which is finished too, and fills in its descriptor; from stays. It is
 * remembered what comes out, for the next time. */
int outgoing_pack(struct store *s, struct outgoing_layer *l, int level, struct sink *out,
		  struct err *e) _must_check_;
/* The manifest, once the descriptors of all layers are there. */
int outgoing_finish(struct store *s, const struct image *im, const struct outgoing_opts *o,
		    struct outgoing *out, struct err *e) _must_check_;
int outgoing_layer_write(struct store *s, const struct outgoing_layer *l, struct sink *out,
			 struct err *e) _must_check_;
/* The layer's plain tar stream, of im->snaps[i], whichever way it can be had; checked against the
 * diff id while it is written. *size: what was written. */
int outgoing_tar(struct store *s, const struct image *im, size_t i, struct sink *out,
		 uint64_t *size, struct err *e) _must_check_;
/* Refuses what must not leave this machine. */
int outgoing_check(const struct image *im, bool allow_rootfs, struct err *e) _must_check_;
