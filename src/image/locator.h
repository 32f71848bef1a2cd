/* SPDX-License-Identifier: Apache-2.0 */
/* image/locator.h: where an image is or shall be, in the words that skopeo has for it:
 *
 *	docker://REF                  a registry
 *	oci:DIR[:TAG]                 an OCI layout
 *	oci-archive:FILE[:TAG]        the same as a tar
 *	docker-archive:FILE[:REF]     what `docker save` writes; to read also FILE:@N, the Nth image
 *	dir:DIR                       a directory with one image, skopeo's
 *	thimble:NAME, or NAME         the store
 *
 * A path ends at the first ':', as with skopeo. */
#pragma once
#include "oci/reference.h"

struct err;

enum locator_kind {
	LOCATOR_STORE,
	LOCATOR_REGISTRY,
	LOCATOR_LAYOUT,
	LOCATOR_ARCHIVE,
	LOCATOR_DOCKER,
	LOCATOR_DIR,
};

struct locator {
	enum locator_kind kind;
	char *text; /* as it was said */
	char *path; /* of a file or a directory; of the store: the name, which may be an id */
	char *tag; /* what follows the path, or NULL */
	struct reference ref; /* of a registry */
};
void locator_done(struct locator *l);
/* ERR_USER: a word before ':' that is none of these (they are listed), no path, no valid name. `out` is
 * not ended first. */
int locator_parse(const char *text, struct locator *out, struct err *e) _must_check_;
/* For a name that the store does not have: if there is a file or directory of this name, says how to
 * write that. Returns -1. */
int locator_hint(const struct locator *l, struct err *e);
