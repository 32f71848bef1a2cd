/* SPDX-License-Identifier: Apache-2.0 */
/* layer/whiteout.h: deletions, as a layer writes them.
 * Format: OCI image-spec v1.1, layer.md, "Whiteouts" and "Opaque Whiteout". */
#pragma once
#include "base/attr.h"
#include "base/slice.h"

struct err;

#define WHITEOUT_PREFIX      ".wh."
#define WHITEOUT_OPAQUE_NAME ".wh..wh..opq"

enum whiteout {
	WHITEOUT_NONE,
	WHITEOUT_FILE,
	WHITEOUT_OPAQUE,
	WHITEOUT_AUFS, /* ".wh..wh." and anything else: bookkeeping of AUFS, means nothing here */
};

/* Tells what an entry's name asks for.
 *   name     last path component, 1 byte or more, without '/'
 *   *hidden  for WHITEOUT_FILE the name it hides, a view into `name`; else untouched
 * Returns an enum whiteout, or -1 (ERR_DATA) if what follows ".wh." is empty, "." or "..",
 * which the specification leaves open and we refuse. */
int whiteout_parse(struct slice name, struct slice *hidden, struct err *e) _must_check_;
