/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an ELF object and as an ld.so.cache: an answer or ERR_DATA, nothing else. */
#include "base/err.h"
#include "elf/ldcache.h"
#include "elf/obj.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = { (const char *)data, size };
	struct obj_bytes b = obj_bytes_mem(s);
	struct err e = { 0 };
	struct obj o;
	struct ldcache c;
	struct ldcache_entry x;

	if (obj_read(&b, &o, &e) > 0) {
		arr_each(it, &o.version_needs)
			assert(it->file && it->version);
		(void)obj_libc(&o);
		obj_done(&o);
	}
	assert(e.kind == ERR_NONE || e.kind == ERR_DATA);
	err_done(&e);

	if (ldcache_open(s, &c, NULL) == 0)
		for (uint32_t i = 0; i < c.count; i++)
			if (ldcache_entry(&c, i, &x))
				assert(x.path.p + x.path.n < s.p + s.n);
	return 0;
}
