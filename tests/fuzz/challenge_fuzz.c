/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a WWW-Authenticate header: at most 16 challenges, each with a scheme that is a token,
 * and no value with a control byte. */
#include <assert.h>
#include <stdint.h>

#include "registry/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *s)
{
	for (; s && *s; s++)
		assert((unsigned char)*s >= ' ' || *s == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(challenges_done) struct challenges l = { 0 };
	challenge_parse((struct slice){ (const char *)data, size }, &l);
	assert(l.n <= 16);
	arr_each(c, &l) {
		assert(c->scheme && *c->scheme && !strpbrk(c->scheme, " ,=\"\t"));
		check(c->scheme);
		check(c->realm);
		check(c->service);
		check(c->scope);
		check(c->error);
	}
	return 0;
}
