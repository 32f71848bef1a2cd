/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a tar archive: ERR_DATA, or members whose pieces add up to their sizes. */
#include "base/alloc.h"
#include "base/err.h"
#include "base/stream.h"
#include "layer/tar_read.h"
#include "tar_sums.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(err_done) struct err e = { 0 };
	_free_ uint8_t *copy = mem_dup(data, size);
	tar_fix_sums(copy, size);
	_cleanup_(source_closep) struct source *in = source_mem(copy, size);
	_cleanup_(tar_closep) struct tar *t = tar_open(in);
	struct tar_entry ent;
	int r;
	while ((r = tar_next(t, &ent, &e)) > 0) {
		const void *p;
		uint64_t n, sum = 0;
		assert(*ent.path && (ent.type == TAR_FILE || ent.size == 0));
		assert((ent.link != NULL) == (ent.type == TAR_HARDLINK || ent.type == TAR_SYMLINK));
		while ((r = tar_data(t, &p, &n, &e)) > 0) {
			assert(n > 0);
			sum += n;
		}
		assert(r < 0 || sum == ent.size);
		if (r < 0)
			break;
	}
	assert(r == 0 || e.kind == ERR_DATA);
	return 0;
}
