/* SPDX-License-Identifier: Apache-2.0 */
/* A template over one fixed value: it is refused with a place in the text, or runs within its
 * limits; what it writes is then the same again. */
#include <assert.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/js.h"
#include "report/gotemplate.h"

static const char data_text[] =
	"{\"Name\":\"n\",\"N\":3,\"F\":1.5,\"T\":true,\"L\":[\"b\",\"a\",null,{\"X\":1}],"
	"\"M\":{\"a\":\"b\",\"k\":\"v\"},\"Z\":null,\"O\":{\"L\":[[1,2],[3]]}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run(const struct gotemplate *t, json_t *v, struct buf *out, struct err *e)
{
	static const struct gotemplate_field fields[] = { { "Z", GOTEMPLATE_LIST },
							  { "No", GOTEMPLATE_NIL },
							  { 0 } };
	const json_t *maps[] = { json_object_get(v, "M") };
	struct gotemplate_opts o = { .fields = fields, .maps = maps, .maps_n = 1 };
	return gotemplate_run(t, v, &o, out, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(err_done) struct err e = { 0 };
	_json_ json_t *v = js_parse(slice_of(data_text), "data", NULL);
	_cleanup_(gotemplate_freep) struct gotemplate *t =
		gotemplate_parse((struct slice){ (const char *)data, size }, &e);
	if (!t) {
		assert(e.n > 0 && (size > 65536 || e.span.file));
		return 0;
	}
	_cleanup_(buf_done) struct buf one = { 0 }, two = { 0 };
	int r = run(t, v, &one, &e);
	assert(r == 0 || (e.n > 0 && one.len == 0));
	_cleanup_(err_done) struct err again = { 0 };
	assert(run(t, v, &two, &again) == r && slice_eq(buf_view(&one), buf_view(&two)));
	return 0;
}
