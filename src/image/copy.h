/* SPDX-License-Identifier: Apache-2.0 */
/* image/copy.h: an image from one place to another (image/locator.h): registry, layout, archive,
 * directory, store. Blobs and manifests go as they are, byte by byte, unless the target cannot hold
 * them so (docker-archive has plain layers) or a change was asked for. What the target has is not
 * sent again; from one repository of a registry to another it is mounted. Layers go side by side
 * (image/transfer.h).
 *
 *	struct image_copied done = { 0 };
 *	if (image_copy(s, &from, &to, &opts, &done, e) < 0) …
 *	image_copied_done(&done); */
#pragma once
#include "image/locator.h"
#include "image/transfer.h"
#include "layer/compress.h"
#include "oci/manifest.h"

struct registry_opts;

enum copy_format { COPY_KEEP, COPY_OCI, COPY_DOCKER };

struct image_copy_opts {
	const struct registry_opts *from_registry, *to_registry;
	const struct platform *platform; /* of an index; NULL: this machine's */
	bool all; /* an index with all that it names */
	bool preserve; /* digests: fail where anything would have to be changed */
	enum copy_format format; /* of manifests */
	bool compress; /* layers into `compression`, unless they have it; else as they are */
	enum compression compression;
	int level; /* 0: default */
	bool allow_rootfs; /* design.md §6.4 */
	const struct transfer_events *events; /* or NULL */
};
struct image_copied {
	struct descriptor top; /* as the target has it */
	unsigned manifests, blobs, there, mounted; /* blobs: that were sent; there: that were not */
	uint64_t bytes; /* of those that were sent */
};
void image_copied_done(struct image_copied *c);
/* Foreign layers are refused (ERR_DATA), with the host that has them. Artifacts that are no images go
 * everywhere but into the store and docker-archives. As a user: the namespace is entered before if
 * one of both is the store. The process has no threads. */
int image_copy(struct store *s, const struct locator *from, const struct locator *to,
	       const struct image_copy_opts *o, struct image_copied *out, struct err *e)
	_must_check_;
