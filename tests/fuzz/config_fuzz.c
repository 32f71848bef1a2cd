/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an image's config: ERR_DATA, or a value whose copy is written and read back to the
 * same bytes. */
#include "base/err.h"
#include "oci/config.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(image_config_done) struct image_config c = { 0 }, copy = { 0 }, again = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf one = { 0 }, two = { 0 };
	if (image_config_parse((struct slice){ (const char *)data, size }, &c, &e) < 0) {
		assert(e.kind == ERR_DATA && e.n > 0 && !c.platform.os);
		return 0;
	}
	image_config_copy(&copy, &c);
	image_config_done(&c);
	image_config_write(&copy, &one);
	/* what is empty is left out, so a config whose os is "" is not read again */
	if (!copy.platform.os[0] || !copy.platform.arch[0])
		return 0;
	assert(image_config_parse(buf_view(&one), &again, NULL) == 0);
	image_config_write(&again, &two);
	assert(slice_eq(buf_view(&one), buf_view(&two)));
	return 0;
}
