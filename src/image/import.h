/* SPDX-License-Identifier: Apache-2.0 */
/* image/import.h: a root file system, as a tar, becomes an image of one layer. */
#pragma once
#include "oci/config.h"
#include "store/store.h"

struct source;

/* in: the tar, compressed or not (borrowed). cfg: what the image shall have; diff ids are filled in.
 * The layer is a function of the archive's content: imported twice it is the same, and not stored
 * twice. The image is not named. As a user: inside the namespace. */
int image_import(struct store *s, struct source *in, struct image_config *cfg, bool docker,
		 struct digest *manifest, struct digest *id, struct err *e) _must_check_;
