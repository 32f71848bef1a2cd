/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a Dockerfile: refused with words, or a file whose instructions lie in order, each of
 * which expands or is refused with a place. */
#include <assert.h>
#include "base/err.h"
#include "dockerfile/dockerfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *ctx, struct slice name)
{
	(void)ctx;
	return name.n % 3 == 0 ? NULL : name.n % 3 == 1 ? "a b" : "";
}

static void expand(struct dockerfile *df, const struct instr *in)
{
	_cleanup_(arena_done) struct arena a = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	struct expand_env env = { .get = get };
	struct instr out;
	if (instr_expand(in, &env, &a, &out, &e) < 0)
		assert(e.n > 0 && e.span.file && e.span.first >= in->span.first);
	else
		assert(out.kind == in->kind && out.origin == in);
	if (in->kind == INSTR_ONBUILD)
		(void)!dockerfile_parse_trigger(slice_of(in->trigger), &in->span, &a, &out, NULL);
	struct pair p;
	for (size_t i = 0; in->kind == INSTR_ARG && i < in->pairs.n; i++)
		(void)!arg_expand(in, i, NULL, &env, &a, &p, NULL);
	dockerfile_warn_unset(df, in, 0, "NAME", NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(dockerfile_done) struct dockerfile df = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	if (dockerfile_parse((struct slice){ (const char *)data, size }, "Dockerfile", &df, &e) < 0) {
		assert(e.n > 0 && e.kind != ERR_NONE && df.instrs.n == 0);
		_cleanup_(buf_done) struct buf b = { 0 };
		err_format(&e, true, &b);
		return 0;
	}
	assert(df.stages.n > 0 && df.globals == df.stages.p[0].from);
	assert(arr_last(&df.stages)->end == df.instrs.n);
	unsigned line = 0;
	arr_each(in, &df.instrs) {
		assert(in->span.first > line && in->span.last >= in->span.first && in->span.lines);
		line = in->span.last;
		expand(&df, in);
	}
	return 0;
}
