/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a manifest and as an index: ERR_DATA, or a value that is written and read back
 * to the same bytes. Nothing is both. */
#include "base/err.h"
#include "oci/manifest.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_manifest(struct slice text)
{
	_cleanup_(manifest_done) struct manifest m = { 0 }, again = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf one = { 0 }, two = { 0 };
	if (manifest_parse(text, NULL, &m, &e) < 0) {
		assert(e.kind == ERR_DATA && !m.media_type);
		return false;
	}
	assert(m.layers.n <= MANIFEST_LAYERS_MAX);
	manifest_write(&m, &one);
	assert(manifest_parse(buf_view(&one), m.media_type, &again, NULL) == 0);
	manifest_write(&again, &two);
	assert(slice_eq(buf_view(&one), buf_view(&two)));
	return true;
}

static bool is_index(struct slice text)
{
	_cleanup_(image_index_done) struct image_index x = { 0 }, again = { 0 };
	_cleanup_(platform_done) struct platform host = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf one = { 0 }, two = { 0 };
	if (image_index_parse(text, NULL, &x, &e) < 0) {
		assert(e.kind == ERR_DATA && !x.media_type);
		return false;
	}
	image_index_write(&x, &one);
	assert(image_index_parse(buf_view(&one), x.media_type, &again, NULL) == 0);
	image_index_write(&again, &two);
	assert(slice_eq(buf_view(&one), buf_view(&two)));
	platform_host(&host);
	const struct descriptor *d = image_index_choose(&x, &host);
	assert(!d || (d >= x.manifests.p && d < x.manifests.p + x.manifests.n));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	bool manifest = is_manifest(text), index = is_index(text);
	assert(!(manifest && index));
	enum media_kind kind = manifest_sniff(text);
	assert(!manifest || kind == MEDIA_MANIFEST);
	assert(!index || kind == MEDIA_INDEX);
	return 0;
}
