/* SPDX-License-Identifier: Apache-2.0 */
/* passwd(5) and group(5) of an image. The input: USER's text, a newline, passwd, a NUL, group. What
 * is found has an end, and a number is itself whatever the files say. */
#include <stdlib.h>

#include "base/err.h"
#include "base/num.h"
#include "sandbox/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice all = { (const char *)data, n };
	size_t line = slice_find(all, '\n');
	struct slice spec = slice_head(all, line), files = slice_from(all, line + (line < all.n));
	size_t nul = slice_find(files, '\0');
	struct slice passwd = slice_head(files, nul),
		     group = slice_from(files, nul + (nul < files.n));
	struct identity id = { 0 };
	struct err e = { 0 };
	uint64_t v;
	uint32_t uid = 0, gid = 0;
	if (identity_find(spec, passwd, group, &id, &e) == 0) {
		if (num_parse(spec, INT32_MAX, &v) == 0 && id.uid != v)
			abort();
		if ((id.name && !*id.name && spec.n) || id.groups.n > n + 1)
			abort();
		identity_done(&id);
	} else if (!e.kind) {
		abort(); /* a failure says why */
	}
	err_done(&e);
	(void)identity_uid(spec, passwd, &uid, &gid);
	if (identity_gid(spec, group, &gid) > 0 && num_parse(spec, INT32_MAX, &v) == 0 && gid != v)
		abort();
	return 0;
}
