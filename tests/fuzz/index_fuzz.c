/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes behind a right checksum: ERR_DATA, or an index that is written and read again. */
#include "base/alloc.h"
#include "base/err.h"
#include "layer/index.h"
#include "layer/view.h"
#include <assert.h>
#include <libdeflate.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf one = { 0 }, two = { 0 };
	struct index x, y;
	char *copy = mem_dup(data, size);
	if (size >= 12) {
		uint32_t crc = libdeflate_crc32(0, copy + 12, size - 12);
		for (int i = 0; i < 4; i++)
			copy[8 + i] = (char)(crc >> (8 * i));
	}
	int r = index_read((struct slice){ copy, size }, &x, &e);
	free(copy); /* nothing may point into it */
	if (r < 0) {
		assert(e.kind == ERR_DATA);
		return 0;
	}
	index_write(&x, &one);
	assert(index_read(buf_view(&one), &y, &e) == 0);
	index_write(&y, &two);
	assert(slice_eq(buf_view(&one), buf_view(&two)));
	struct view v = { 0 };
	view_push(&v, &x);
	view_push(&v, &y);
	for (size_t i = 0; i < x.entries.n && i < 50; i++) {
		_free_ char *key = NULL;
		struct view_hit hit;
		(void)!view_resolve(&v, x.entries.p[i].path, true, &key, &hit, NULL);
	}
	view_done(&v);
	(void)index_size(&x);
	index_done(&x);
	index_done(&y);
	return 0;
}
