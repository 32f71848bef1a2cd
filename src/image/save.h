/* SPDX-License-Identifier: Apache-2.0 */
/* image/save.h: images out of the store into files that other tools read. The bytes are a function
 * of the images, the names and the options (times are 0): saved twice they are the same. */
#pragma once
#include "base/array.h"
#include "layer/compress.h"
#include "store/store.h"

struct sink;

enum save_format {
	SAVE_OCI, /* archive (tar) of an OCI layout; it has a manifest.json too, so that `docker load` takes it */
	SAVE_OCI_DIR, /* an OCI layout directory */
	SAVE_DOCKER, /* docker-archive: manifest.json, configs, plain layers, repositories */
};

struct save_opts {
	enum save_format format;
	/* OCI: of layers without a compressed form: GZIP, ZSTD or NONE; level 0: default */
	enum compression compression;
	int level;
	bool allow_rootfs; /* design.md §6.4; else such an image is ERR_DENIED */
};

/* names: images as people write them; what is given by id is saved without a name.
 * An archive: out takes the bytes (borrowed, finished by the caller). */
int image_save(struct store *s, const struct strs *names, const struct save_opts *o,
	       struct sink *out, struct err *e) _must_check_;
/* SAVE_OCI_DIR. `path` is made if it is missing; if it is a layout, images are added to it, and what
 * had one of the names loses it; a directory with other things is refused (ERR_USER). */
int image_save_dir(struct store *s, const struct strs *names, const struct save_opts *o,
		   const char *path, struct err *e) _must_check_;

/* An image that is not named: one manifest under the full references `refs` (may be none). */
struct save_item {
	struct digest manifest;
	struct strs refs;
};
int image_save_items(struct store *s, const struct save_item *items, size_t n,
		     const struct save_opts *o, struct sink *out, const char *path, struct err *e)
	_must_check_;
