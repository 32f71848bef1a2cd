/* SPDX-License-Identifier: Apache-2.0 */
/* image/copy_members.h: several images become one index while they are copied. */
#pragma once
#include "image/copy.h"

struct copy_member {
	const char *from; /* locator of one manifest */
	const struct descriptor
		*desc; /* its platform, annotations and artifactType go into the index */
};
/* The index is Docker's if all members are, or as o->format says. */
int image_copy_members(struct store *s, const struct copy_member *list, size_t n,
		       const struct locator *to, const struct image_copy_opts *o,
		       struct image_copied *out, struct err *e) _must_check_;
