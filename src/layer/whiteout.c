/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/whiteout.h"
#include "base/err.h"

int whiteout_parse(struct slice name, struct slice *hidden, struct err *e)
{
	if (!slice_starts(name, SL(WHITEOUT_PREFIX)))
		return WHITEOUT_NONE;
	if (slice_is(name, WHITEOUT_OPAQUE_NAME))
		return WHITEOUT_OPAQUE;
	struct slice rest = slice_from(name, strlen(WHITEOUT_PREFIX));
	if (slice_starts(rest, SL(".wh.")))
		return WHITEOUT_AUFS;
	if (rest.n == 0 || slice_is(rest, ".") || slice_is(rest, ".."))
		return err_set(e, ERR_DATA, "'%.*s' is a whiteout of nothing that can be deleted",
			       SLF(name));
	*hidden = rest;
	return WHITEOUT_FILE;
}
