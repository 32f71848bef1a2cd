/* SPDX-License-Identifier: Apache-2.0 */
/* store/image_remove.h: one image that has no name any more goes, and what only it held. */
#pragma once
#include "store/image.h"

/* Forgets the image and deletes what nothing else uses. *out as store_prune fills it. An image that a
 * living process uses is ERR_DENIED, and nothing is changed; this process must not have opened it. As
 * a user: inside the namespace. */
int image_remove(struct store *s, const struct digest *manifest, struct prune_result *out,
		 struct err *e) _must_check_;
/* True if a living process (this one too) uses it. */
int image_in_use(struct store *s, const struct digest *manifest, struct err *e)
	_must_check_; /* 1, 0, -1 */
