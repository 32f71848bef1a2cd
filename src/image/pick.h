/* SPDX-License-Identifier: Apache-2.0 */
/* image/pick.h: the image of an index for a platform. */
#pragma once
#include "oci/manifest.h"

struct err;

#define INDEX_DEPTH_MAX 3 /* that stand above an image, one in the other */

/* Borrowed from x. NULL (ERR_ABSENT): there is none for it; the error lists those that there are. */
const struct descriptor *index_pick(const struct image_index *x, const struct platform *want,
				    struct err *e);
