/* SPDX-License-Identifier: Apache-2.0 */
/* image/push.h: images of the store into registries. Layers side by side (image/transfer.h): what the
 * registry has is not sent, what another repository of it has is mounted, the rest is compressed and
 * sent at the same time. Then the config, and the manifest last. */
#pragma once
#include "image/outgoing.h"
#include "image/transfer.h"
#include "oci/reference.h"
#include "registry/client.h"

struct push_opts {
	const struct registry_opts *registry;
	struct outgoing_opts outgoing;
	const struct transfer_events *events; /* or NULL */
	void (*begun)(void *ctx, const struct reference *to, size_t layers); /* or NULL */
	void *ctx;
	bool by_digest; /* the tag of `to` is not set: for what an index will name */
};
struct pushed {
	struct digest digest; /* of the manifest as it went out */
	uint64_t size;
	const char *media_type;
};

/* what: an image of the store (image_open). to: where, its tag is set there. Enters the user namespace
 * when layers have to be compressed, so the caller has no threads. ERR_DENIED for an image that
 * stands on rootfs:/, unless allowed. */
int image_push(struct store *s, const char *what, const struct reference *to,
	       const struct push_opts *o, struct pushed *out, struct err *e) _must_check_;
