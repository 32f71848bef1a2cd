/* SPDX-License-Identifier: Apache-2.0 */
/* oci/manifest.h: image manifests and indexes, OCI (manifest.md, image-index.md) and Docker v2s2. */
#pragma once
#include "base/array.h"
#include "base/buf.h"
#include "oci/descriptor.h"

#define MANIFEST_MAX (4u << 20)  /* bytes; distribution-spec asks for at least 4 MiB */
#define MANIFEST_LAYERS_MAX 1024

struct manifest {
	char *media_type;           /* MT_OCI_MANIFEST or MT_DOCKER_MANIFEST */
	char *artifact_type;        /* or NULL */
	struct descriptor config;
	ARRAY_OF(struct descriptor) layers;
	struct descriptor *subject; /* or NULL */
	json_t *annotations;        /* object or NULL */
};
void manifest_done(struct manifest *m);
/* media_type: what the outside said it is, or NULL; the text's own mediaType must agree. */
int manifest_parse(struct slice text, const char *media_type, struct manifest *out, struct err *e) _must_check_;
/* The bytes to store; deterministic: schemaVersion, mediaType, artifactType, config, layers,
 * subject, annotations; compact. */
void manifest_write(const struct manifest *m, struct buf *out);

struct image_index {
	char *media_type;           /* MT_OCI_INDEX or MT_DOCKER_LIST */
	ARRAY_OF(struct descriptor) manifests;
	json_t *annotations;
};
void image_index_done(struct image_index *x);
int image_index_parse(struct slice text, const char *media_type, struct image_index *out, struct err *e) _must_check_;
void image_index_write(const struct image_index *x, struct buf *out);
/* Manifest or index? MEDIA_OTHER if it cannot be told (also by shape when mediaType is absent). */
enum media_kind manifest_sniff(struct slice text);
/* The best entry for a platform: the first exact match, then one without variant (for arm: the next
 * older one), then one that names no platform at all; or NULL. Attestations
 * (platform unknown/unknown) are never chosen. */
const struct descriptor *image_index_choose(const struct image_index *x, const struct platform *want);
