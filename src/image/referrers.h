/* SPDX-License-Identifier: Apache-2.0 */
/* image/referrers.h: what refers to an image: signatures, SBOMs, reports (OCI distribution-spec v1.1,
 * "Listing Referrers"). A registry without that API has a tag instead, "sha256-HEX", whose index
 * lists them, and whoever adds one keeps it up ("Referrers Tag Schema"). */
#pragma once
#include "oci/manifest.h"
#include "registry/client.h"

/* Puts m, which has descriptor d and a subject, into the index of its subject's tag. */
int referrers_tag_add(struct registry *r, const struct manifest *m, const struct descriptor *d,
		      struct err *e) _must_check_;

/* The descriptor of what ref names in r; of an index, with a platform, that of its image. */
int remote_descriptor(struct registry *r, const struct reference *ref,
		      const struct platform *platform, struct descriptor *out, struct err *e)
	_must_check_;

struct artifact_file {
	const char *path;
	const char *media_type; /* NULL: application/octet-stream */
};
struct artifact {
	const char *type; /* artifactType */
	const struct artifact_file *files;
	size_t n;
	json_t *annotations; /* of the manifest; or NULL */
};
/* Pushes an artifact whose subject is `subject` into the same repository (image-spec v1.1,
 * "Guidelines for Artifact Usage"): the files are its layers, titled by their base names, the config
 * is the empty one. *api: the registry lists it by itself, else the tag was written. */
int artifact_attach(struct registry *r, const struct descriptor *subject, const struct artifact *a,
		    struct descriptor *out, bool *api, struct err *e) _must_check_;
