/* SPDX-License-Identifier: Apache-2.0 */
/* Two lines: a base, and a reference against it (a Location header). What is read and written again
 * must read as the same. */
#include "base/alloc.h"
#include "registry/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct url *u)
{
	struct url again = { 0 };
	_free_ char *text = url_text(u);
	if (strlen(text) > URL_MAX)
		return; /* a port was added */
	if (url_parse(slice_of(text), &again, NULL) < 0 || !url_same_origin(u, &again) ||
	    strcmp(u->path, again.path) != 0)
		__builtin_trap();
	if (u->path[0] != '/' || strstr(u->path, "/../"))
		__builtin_trap();
	url_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data, size }, line;
	struct url base = { 0 }, to = { 0 };
	if (!slice_split(&rest, '\n', &line) || url_parse(line, &base, NULL) < 0)
		return 0;
	same_again(&base);
	if (rest.p && url_resolve(&base, rest, &to, NULL) == 0)
		same_again(&to);
	url_done(&to);
	url_done(&base);
	return 0;
}
