/* SPDX-License-Identifier: Apache-2.0 */
/* Rules up to a zero byte, then a path: what a rule lets in below a directory that is left out must
 * be reachable, and what is below something behaves as the rules say for all. */
#include <assert.h>
#include "base/err.h"
#include "base/path.h"
#include "dockerfile/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = { (const char *)data, size };
	size_t cut = slice_find(all, '\0');
	struct slice rest = cut < all.n ? slice_from(all, cut + 1) : SL("a/b/c");
	_cleanup_(ignore_done) struct ignore ign = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	if (ignore_parse(slice_head(all, cut), "f", &ign, &e) < 0) {
		assert(e.n > 0);
		return 0;
	}
	_free_ char *path = path_key(slice_head(rest, slice_find(rest, '\0')));
	struct slice p = slice_of(path);
	const struct ignore_rule *by;
	bool out = ignore_match(&ign, p, &by);
	assert(!out || (by && !by->negated));
	if (out || p.n == 0)
		return 0;
	/* each directory above that is left out must be entered, for this path is let in */
	for (size_t i = 1; i < p.n; i++)
		if (p.p[i] == '/' && ignore_match(&ign, slice_head(p, i), NULL))
			assert(ignore_may_include_below(&ign, slice_head(p, i)));
	return 0;
}
