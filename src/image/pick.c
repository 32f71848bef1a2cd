/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pick.h"

#include "base/err.h"

enum { LIST_MAX = 20, WORD_MAX = 80 }; /* of an index with ten thousand rows */

/* Takes a word into a list that stays short, once. */
static void list_word(struct strs *list, const char *word, size_t *more)
{
	if (strs_find(list, word) >= 0)
		return;
	if (list->n < LIST_MAX && strlen(word) <= WORD_MAX)
		strs_add(list, word);
	else
		++*more;
}

static char *list_text(struct strs *list, size_t more)
{
	if (more)
		strs_addf(list, "%zu more", more);
	return strs_join(list, ", ");
}

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
		list_word(&have, one, &more);
	}
	_free_ char *list = list_text(&have, more);
	err_set(e, ERR_ABSENT, "the image has no variant for %s", text);
	return have.n ? err_hint(e, "it has: %s; choose one with --platform", list)
		      : err_hint(e, "its index names no platforms");
}

int names_lack(const struct strs *names, const char *tag, struct err *e)
{
	_cleanup_(strs_done) struct strs have = { 0 };
	size_t more = 0;
	if (names->n == 0)
		return err_set(e, ERR_ABSENT, "it holds no image");
	for (size_t i = 0; i < names->n; i++)
		list_word(&have, names->p[i], &more);
	_free_ char *list = list_text(&have, more);
	if (tag)
		err_set(e, ERR_ABSENT, "it has no image '%s'", tag);
	else
		err_set(e, ERR_USER, "it holds several images, and none is named");
	return err_hint(e, "it has: %s", list);
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
