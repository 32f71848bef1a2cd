/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pick.h"

#include "base/err.h"

const struct descriptor *index_pick(const struct image_index *x, const struct platform *want,
				    struct err *e)
{
	const struct descriptor *found = image_index_choose(x, want);
	if (found)
		return found;
	arr_each(it, &x->manifests) /* perhaps in there */
		if (!it->platform && media_kind(it->media_type) == MEDIA_INDEX)
			return it;
	_free_ char *text = platform_text(want);
	_cleanup_(strs_done) struct strs have = { 0 };
	arr_each(it, &x->manifests)
		if (it->platform && !platform_is_unknown(it->platform))
			strs_take(&have, platform_text(it->platform));
	_free_ char *list = strs_join(&have, ", ");
	err_set(e, ERR_ABSENT, "the image has no variant for %s", text);
	if (have.n)
		err_hint(e, "it has: %s; choose one with --platform", list);
	else
		err_hint(e, "its index names no platforms");
	return NULL;
}
