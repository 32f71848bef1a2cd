/* SPDX-License-Identifier: Apache-2.0 */
/* image/convert.h: a layer under another compression, a manifest in the words of the other
 * specification. */
#pragma once
#include "image/origin.h"

/* The layer d of `from`, inflated and compressed anew, in a file without a name; its descriptor goes
 * to *out. diff_id: what its stream must have, or NULL. Returns a descriptor for reading. */
int layer_convert(struct store *s, struct origin *from, const struct descriptor *d,
		  const struct digest *diff_id, enum compression into, int level,
		  struct descriptor *out, struct err *e) _must_check_;
/* Media types of manifest, config and layers; the latter's compression stays. What Docker's manifests
 * do not have, artifactType and annotations, is dropped. */
void manifest_convert(struct manifest *m, bool docker);
/* The media type of a layer; OCI's or Docker's. */
const char *layer_type(enum compression c, bool docker);
