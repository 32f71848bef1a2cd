/* SPDX-License-Identifier: Apache-2.0 */
/* image/copy_in.h: what the files of copying share. */
#pragma once
#include "image/copy.h"

struct dest;
struct origin;

/* A manifest below an index that is at the target. */
struct carried {
	struct digest was;
	struct descriptor now;
};

struct copy {
	struct store *s;
	const struct image_copy_opts *o;
	struct origin *from;
	struct dest *to;
	struct platform want;
	bool chosen; /* the image is an index's for that platform: its word counts */
	struct image_copied *out;
	ARRAY_OF(struct carried) carried; /* each once, however often it is named */
};

void copy_init(struct copy *c, struct store *s, const struct image_copy_opts *o,
	       struct image_copied *done);
void copy_done(struct copy *c);
/* NULL: it is not there, or cannot be read. */
struct origin *copy_open_origin(struct copy *c, const struct locator *from,
				const struct locator *to, struct err *e);

/* Refuses what --preserve-digests does not allow. Returns -1. */
int copy_preserve(const struct copy *c, const char *why, struct err *e);
/* Is a manifest, or an index, that is of the type `now` to become Docker's? */
bool copy_to_docker(const struct copy *c, const char *now);

/* ---- copy_manifest.c ---- */
/* A manifest (text) with all blobs that it names. d: as it comes, then as it is at the target. top: it
 * is what the target's name stands for. */
int copy_manifest(struct copy *c, struct descriptor *d, struct slice text, bool top, struct err *e)
	_must_check_;
