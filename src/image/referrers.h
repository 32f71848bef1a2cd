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
