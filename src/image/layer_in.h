/* SPDX-License-Identifier: Apache-2.0 */
/* image/layer_in.h: a layer that comes from outside becomes a snapshot, verified. */
#pragma once
#include "oci/descriptor.h"
#include "store/store.h"

/* What came: where its bytes lie and what was said about them. */
struct layer_in {
	void *ctx;
	/* O_RDONLY descriptor of the layer's file as it came; asked at most once before keep(). */
	int (*open)(void *ctx, struct err *e);
	/* Makes the file a blob with this digest. */
	int (*keep)(void *ctx, const struct digest *d, struct err *e);
	struct digest digest; /* of the file as it came */
	uint64_t size; /* of the file as it came */
	const char *media_type;
	struct digest diff_id; /* of the stream in it, as the config has it */
};
/* The snapshot with this diff id, unpacked if it was not there. A compressed file is kept as a
 * blob, so that it can be handed on unchanged; so is a plain one that we could not write again byte
 * by byte. ERR_DATA when the stream does not have the diff id. */
int layer_take_in(struct store *s, const struct layer_in *l, char id[static SNAP_ID], struct err *e)
	_must_check_;
/* A layer that arrives: its bytes are verified by `in` itself, whose end (0) means that all of them
 * came and have this digest. Read once, by another thread too: kept as a blob, inflated and unpacked in
 * one go; nothing has a name before all is verified. For a layer that the store does not have. */
struct layer_stream {
	struct source *in; /* borrowed */
	struct digest digest; /* of the bytes of `in` */
	uint64_t size;
	const char *media_type;
	struct digest diff_id;
};
int layer_take_stream(struct store *s, const struct layer_stream *l, char id[static SNAP_ID],
		      struct err *e) _must_check_;
/* Is there a snapshot with this diff id, fit for use, and the bytes it came as if we could not make
 * them again? Under whatever compression it came. */
bool layer_is_there(struct store *s, const struct digest *diff_id);
/* The media type for a file's compression, by its first bytes: OCI's, or Docker's. */
int layer_media_type(int fd, bool docker, const char **type, struct err *e) _must_check_;
