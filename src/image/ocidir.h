/* SPDX-License-Identifier: Apache-2.0 */
/* image/ocidir.h: writing into an OCI layout directory (image-layout.md): blobs appear whole by
 * rename, the index is written last, so that what is half made has no name. */
#pragma once
#include "oci/manifest.h"

struct err;

#define OCIDIR_NAME_CONTAINERD "io.containerd.image.name" /* all of the name */
#define OCIDIR_NAME_OCI        "org.opencontainers.image.ref.name"

struct ocidir {
	int dirfd;
	char *path; /* for messages */
	struct image_index index; /* what it holds */
};
#define OCIDIR_INIT { .dirfd = -1 }
/* Makes the directory if it is missing, waits until no other process writes into it (the lock is
 * held until ocidir_done), reads its index, and takes away what a killed writer left. ERR_USER for a
 * directory that holds other things. */
int ocidir_open(struct ocidir *l, const char *path, struct err *e) _must_check_;
void ocidir_done(struct ocidir *l);
/* The descriptor (moved) takes the place of one with its name: containerd's, else ref.name; an
 * unnamed one that of an unnamed one with its digest. */
void ocidir_add(struct image_index *x, struct descriptor d);
/* Writes oci-layout and index.json. */
int ocidir_finish(struct ocidir *l, struct err *e) _must_check_;
