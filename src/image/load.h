/* SPDX-License-Identifier: Apache-2.0 */
/* image/load.h: images from files into the store: OCI layout (directory or archive), docker-archive
 * (manifest.json, also the old form with only `repositories`), archives compressed as a whole or not,
 * from a stream too. What it is is found out by looking. Layers may be plain, gzip or zstd.
 *
 * Everything is verified: size and digest of every file that a descriptor names, diff ids of the
 * layers against the config. A layer that the store has is not unpacked again. Compressed layers
 * are kept as they came, so that a save has the same digests. Names are set last, when the images
 * are whole. As a user: inside the namespace. */
#pragma once
#include "base/array.h"
#include "oci/platform.h"
#include "store/store.h"

struct image_load_opts {
	const struct platform *platform; /* of an image that has several; NULL: this machine's */
	const char *name; /* for an image that brings no name; NULL: it stays untagged */
	const char *what; /* of several in it, only the one with this name or tag; NULL: all */
	bool unnamed; /* no name is set in the store, whatever the archive says */
};
struct image_loaded {
	struct digest manifest, id;
	struct strs names; /* full references that were set; none: untagged */
};
struct image_loads {
	struct image_loaded *p;
	size_t n, cap;
};
void image_loads_done(struct image_loads *l);

/* path: a file or a directory; "-" or NULL: fd, a stream. */
int image_load(struct store *s, int fd, const char *path, const struct image_load_opts *o,
	       struct image_loads *out, struct err *e) _must_check_;
