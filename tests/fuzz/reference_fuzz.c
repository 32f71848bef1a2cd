/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an image's name: refused with ERR_USER, or a name whose canonical and familiar
 * texts are read back as the same one, and whose path is fit for a file's name. */
#include "base/err.h"
#include "oci/reference.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct reference *r, char *text)
{
	_cleanup_(reference_done) struct reference again = { 0 };
	assert(reference_parse(slice_of(text), &again, NULL) == 0);
	assert(reference_eq(r, &again));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(reference_done) struct reference r = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	if (reference_parse((struct slice){ (const char *)data, size }, &r, &e) < 0) {
		assert(e.kind == ERR_USER && e.n > 0 && !r.host && !r.path);
		return 0;
	}
	check_text(&r, reference_text(&r));
	check_text(&r, reference_familiar(&r));
	struct slice rest = slice_of(r.path), part;
	while (slice_split(&rest, '/', &part))
		assert(part.n && part.n < 256 && part.p[0] != '.');
	assert(strcmp(r.host, ".") != 0 && strcmp(r.host, "..") != 0 && !strchr(r.host, '/'));
	return 0;
}
