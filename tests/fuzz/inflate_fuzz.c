/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as compressed data of whatever kind: ERR_DATA, ERR_USER where they need too much memory, or
 * some output; at most 16 MiB of it is looked at. */
#include "base/err.h"
#include "base/stream.h"
#include "layer/compress.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char piece[64 << 10];
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(source_closep) struct source *in = source_mem(data, size);
	_cleanup_(source_closep) struct source *s = comp_source_auto(in, NULL, &e);
	assert(s);
	ssize_t n = 0;
	for (int i = 0; i < 256 && (n = source_read(s, piece, sizeof piece, &e)) > 0; i++)
		;
	assert(n >= 0 || e.kind == ERR_DATA || e.kind == ERR_USER);
	return 0;
}
