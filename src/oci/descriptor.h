/* SPDX-License-Identifier: Apache-2.0 */
/* oci/descriptor.h: OCI image-spec v1.1 descriptor.md, and the media types we know. */
#pragma once
#include <jansson.h>
#include "oci/digest.h"
#include "oci/platform.h"

#define MT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MT_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MT_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MT_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MT_OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define MT_OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define MT_OCI_EMPTY "application/vnd.oci.empty.v1+json"
#define MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MT_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MT_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MT_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define MT_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"
#define MT_DOCKER_LAYER_ZSTD "application/vnd.docker.image.rootfs.diff.tar.zstd"

enum media_kind { MEDIA_OTHER, MEDIA_MANIFEST, MEDIA_INDEX, MEDIA_CONFIG, MEDIA_LAYER, MEDIA_FOREIGN_LAYER };
enum media_kind media_kind(const char *media_type); /* NULL gives MEDIA_OTHER */

struct descriptor {
	char *media_type;
	struct digest digest;
	uint64_t size;
	json_t *annotations;       /* object or NULL */
	struct platform *platform; /* or NULL */
	char *artifact_type;       /* or NULL */
	json_t *extra;             /* members we do not know, kept; or NULL */
};
void descriptor_done(struct descriptor *d);
int descriptor_read(const json_t *obj, struct descriptor *out, struct err *e) _must_check_;
json_t *descriptor_json(const struct descriptor *d); /* new reference */
void descriptor_copy(struct descriptor *to, const struct descriptor *from);
