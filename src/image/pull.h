/* SPDX-License-Identifier: Apache-2.0 */
/* image/pull.h: images from registries into the store. Manifest and config first; then the layers
 * that the store does not have, side by side, each downloaded, verified, inflated and unpacked in one
 * stream (image/transfer.h). The name is set last, when the image is whole. */
#pragma once
#include "image/transfer.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "registry/client.h"

struct pull_opts {
	const struct registry_opts *registry;
	const struct platform *platform; /* of an index; NULL: this machine's */
	const struct transfer_events *events; /* or NULL */
	/* Said once the manifest is known, before the layers: for "latest: Pulling from …". Or NULL. */
	void (*begun)(void *ctx, const struct reference *ref, size_t layers);
	void *ctx;
};
struct pulled {
	struct digest manifest, id;
	struct digest named; /* what the reference stands for: the index, or the same as manifest */
	bool fresh; /* the name was not there, or stood for another image */
	bool other_platform; /* its config names another one than was wanted */
	struct platform platform; /* of the image */
};
void pulled_done(struct pulled *p);

/* ref with tag or digest. The store's name for it is set to the image. Enters the user namespace
 * (userns.h) when layers have to be unpacked, so the caller has no threads. ERR_ABSENT: no such
 * image, or none for the platform (those that there are are named). */
int image_pull(struct store *s, const struct reference *ref, const struct pull_opts *o,
	       struct pulled *out, struct err *e) _must_check_;
