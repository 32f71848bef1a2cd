/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TOML text: refused with ERR_DATA and a place in it, or an object that can be written
 * as JSON and read back. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "registry/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	_json_ json_t *v = toml_parse((struct slice){ (const char *)data, size }, "fuzz", &e);
	if (!v) {
		assert(e.kind == ERR_DATA && e.n > 0);
		assert(size > TOML_MAX || (e.span.first >= 1 && e.span.col >= 1));
		return 0;
	}
	assert(e.kind == ERR_NONE && json_is_object(v));
	js_dump(v, &b);
	if (b.len > JS_MAX)
		return 0;
	/* NUL in a string, and more than 512 levels, are TOML's alone */
	_json_ json_t *again = json_loadb(b.p, b.len, JSON_ALLOW_NUL, NULL);
	assert(!again || json_is_object(again));
	return 0;
}
