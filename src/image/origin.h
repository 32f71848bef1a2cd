/* SPDX-License-Identifier: Apache-2.0 */
/* image/origin.h: where an image comes from when it is copied: a registry, a layout, an archive, a
 * directory, the store. All are the same to the one who copies: bytes of manifests and of blobs by
 * descriptor, verified.
 *
 *	_cleanup_(origin_closep) struct origin *o = origin_open(s, &from, &opts, e);
 *	if (!o || origin_top(o, &text, &d, e) < 0) …
 *	struct source *in = origin_blob(o, &layer, e);
 */
#pragma once
#include "base/buf.h"
#include "base/stream.h"
#include "image/locator.h"
#include "layer/compress.h"
#include "oci/manifest.h"
#include "store/store.h"

struct err;
struct registry;
struct registry_opts;
struct origin;

struct origin_opts {
	const struct registry_opts *registry; /* NULL: registries are refused */
	const struct platform *platform; /* of several images with one name */
	/* Of an image of the store: how its layers go out (image/outgoing.h). */
	enum compression compression;
	int level;
	bool as_stored; /* layers as the store has them: plain, unless they came compressed */
	bool exactly; /* and so the manifest, byte by byte, or not at all */
	bool allow_rootfs;
};

struct origin_ops {
	/* Index or manifest; *d: media type, digest, size of it. */
	int (*top)(struct origin *o, struct buf *text, struct descriptor *d, struct err *e);
	/* At most MANIFEST_MAX bytes; checked by the caller. NULL where the top is never an index. */
	int (*manifest)(struct origin *o, const struct descriptor *d, struct buf *text,
			struct err *e);
	/* One that the manifest names. */
	struct source *(*blob)(struct origin *o, const struct descriptor *d, struct err *e);
	void (*close)(struct origin *o);
	/* In a forked child, first thing; may be NULL. */
	void (*forked)(struct origin *o);
	/* What blob() gave for this digest were other bytes, as *e says, which may be told better. Returns
	 * -1; may be NULL. */
	int (*damaged)(struct origin *o, const struct digest *d, struct err *e);
};
struct origin {
	const struct origin_ops *ops;
	struct store *store;
	char *text; /* for messages */
	/* The manifest is our own making, for there is none at the origin (docker-archive): it has no
	 * digest to keep. */
	bool made;
	/* The repository, for mounts; or NULL. */
	const struct reference *repository;
	const struct digest *stored; /* the store's manifest that it is, or NULL */
	bool blobs_verified; /* by blob() itself */
};

struct origin *origin_open(struct store *s, const struct locator *l, const struct origin_opts *o,
			   struct err *e);
void origin_close(struct origin *o);
DEFINE_CLEANUP(struct origin, origin_close)
int origin_top(struct origin *o, struct buf *text, struct descriptor *d, struct err *e)
	_must_check_;
/* A manifest that an index names. ERR_DATA if size or digest is another. */
int origin_manifest(struct origin *o, const struct descriptor *d, struct buf *text, struct err *e)
	_must_check_;
/* The bytes of a blob that a manifest of this origin names. Other or more bytes than the descriptor
 * says: reading ends with ERR_DATA, the end (0) comes only when all is right. */
struct source *origin_blob(struct origin *o, const struct descriptor *d, struct err *e);
/* A small blob whole: a config. */
int origin_read(struct origin *o, const struct descriptor *d, struct buf *out, struct err *e)
	_must_check_;

/* One for each kind; called by origin_open. */
struct origin *origin_of_store(struct store *s, const struct locator *l,
			       const struct origin_opts *o, struct err *e);
struct origin *origin_of_layout(struct store *s, const struct locator *l,
				const struct origin_opts *o, struct err *e);
struct origin *origin_of_docker(struct store *s, const struct locator *l, struct err *e);
struct origin *origin_of_dir(struct store *s, const struct locator *l, struct err *e);
struct origin *origin_of_registry(const struct locator *l, const struct origin_opts *o,
				  struct err *e);
