/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pick.h"

#include "base/err.h"

enum { LIST_MAX = 20, WORD_MAX = 80 }; /* of an index with ten thousand rows */

/* Says which platforms there are instead. */
static int lacks(const struct image_index *x, const struct platform *want, struct err *e)
{
	_free_ char *text = platform_text(want);
	_cleanup_(strs_done) struct strs have = { 0 };
	size_t more = 0;
	arr_each(it, &x->manifests) {
		if (!it->platform || platform_is_unknown(it->platform))
			continue;
		_free_ char *one = platform_text(it->platform);
		if (strs_find(&have, one) >= 0)
			continue;
		if (have.n < LIST_MAX && strlen(one) <= WORD_MAX)
			strs_add(&have, one);
		else
			more++;
	}
	if (more)
		strs_addf(&have, "%zu more", more);
	_free_ char *list = strs_join(&have, ", ");
	err_set(e, ERR_ABSENT, "the image has no variant for %s", text);
	return have.n ? err_hint(e, "it has: %s; choose one with --platform", list)
		      : err_hint(e, "its index names no platforms");
}

const struct descriptor *index_pick(const struct image_index *x, const struct platform *want,
				    struct err *e)
{
	const struct descriptor *found = image_index_choose(x, want);
	if (found)
		return found;
	arr_each(it, &x->manifests) /* perhaps in there */
		if (!it->platform && media_kind(it->media_type) == MEDIA_INDEX)
			return it;
	(void)lacks(x, want, e);
	return NULL;
}
