/* SPDX-License-Identifier: Apache-2.0 */
/* image/pick.h: the image of an index for a platform. */
#pragma once
#include "base/array.h"
#include "oci/manifest.h"

struct err;

#define INDEX_DEPTH_MAX 3 /* that stand above an image, one in the other */

/* Borrowed from x. NULL (ERR_ABSENT): there is none for it; the error lists those that there are. */
const struct descriptor *index_pick(const struct image_index *x, const struct platform *want,
				    struct err *e);
/* Says that none of the images of an archive or a layout, which are called `names`, is the one of this
 * tag (ERR_ABSENT), or for NULL the only one (ERR_USER; ERR_ABSENT if there are none), and lists the
 * names. Returns -1. */
int names_lack(const struct strs *names, const char *tag, struct err *e);
