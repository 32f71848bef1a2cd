/* SPDX-License-Identifier: Apache-2.0 */
/* store/image.h: images in the store: manifest, config and the snapshots of their layers. */
#pragma once
#include "oci/config.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "store/store.h"

struct image {
	struct digest manifest_digest;
	struct digest id;             /* digest of the config: IMAGE ID */
	struct manifest manifest;
	struct image_config config;
	ARRAY_OF(char *) snaps;       /* snapshot ids, lowest first; one a layer */
	bool on_rootfs;               /* stands on rootfs:/ (design.md §6.4) */
	uint64_t size;                /* sum of regular files of all layers */
};
void image_done(struct image *im);

/* By name ("hello:gcc", any spelling), by id or its prefix (at least 4 hex digits, unambiguous),
 * by "sha256:…" of manifest or config. ERR_ABSENT names the near ones and says "scratch" is
 * virtual; a name whose last build failed says so and why. */
int image_open(struct store *s, const char *what, struct image *out, struct err *e) _must_check_;
int image_open_digest(struct store *s, const struct digest *manifest, struct image *out, struct err *e) _must_check_;

/* Makes config and manifest blobs for these layers (all completed: diff ids are filled into
 * cfg here) and gives the manifest's digest. snaps lowest first. Not named yet. */
struct image_new {
	struct image_config *cfg;     /* diff_ids are replaced */
	char *const *snaps;
	size_t snaps_n;
	bool on_rootfs;
	bool docker;                  /* Docker v2s2 media types instead of OCI */
	json_t *annotations;          /* of the manifest, or NULL */
};
int image_put(struct store *s, const struct image_new *n, struct digest *manifest, struct digest *id,
	      struct err *e) _must_check_;

/* Makes an image known whose manifest, config and snapshots were put here by other means (load,
 * pull), once it is whole: ERR_DATA if not. Images that image_put makes are known already. */
int image_adopt(struct store *s, const struct digest *manifest, struct err *e) _must_check_;

/* An annotation of manifests: the image stands on files of the machine that made it. */
#define IMAGE_ROOTFS_ANNOTATION "io.thimble.rootfs"

struct image_row {
	struct reference ref;         /* path NULL: untagged */
	struct digest manifest, id;
	struct timespec created;
	uint64_t size;
	unsigned layers;
	char *failed;                 /* one line of the last build's error, or NULL; with a zero id: never built */
};
struct image_rows {
	struct image_row *p;
	size_t n, cap;
};
void image_rows_done(struct image_rows *r);
/* Named images (and untagged with all), newest first. Damaged ones are told in row.failed. */
int images_list(struct store *s, bool all, struct image_rows *out, struct err *e) _must_check_;

/* The merged file system of an image (or of any stack of snapshots): view and bytes. Files are
 * read from the snapshots' trees; needs the user namespace where files are not readable. */
struct image_fs {
	struct store *store;
	ARRAY_OF(struct snap) snaps;
	struct view view;
};
int image_fs_open(struct store *s, char *const *snaps, size_t n, struct image_fs *out, struct err *e) _must_check_;
void image_fs_close(struct image_fs *f);
int image_fs_file(struct image_fs *f, const struct view_hit *hit, struct err *e) _must_check_; /* O_RDONLY of a regular file */
int image_fs_file_cb(void *fs, const struct view_hit *hit, struct err *e); /* the same as a callback */
/* Resolves, opens and reads a small file: 1, 0 if absent or not a regular file, -1. */
int image_fs_read(struct image_fs *f, const char *path, size_t max, struct buf *out, struct err *e) _must_check_;
