/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a word: refused with words, or a bounded result; without '$', quotes and escapes the
 * word itself. The first byte chooses the escape character. */
#include <assert.h>
#include "base/err.h"
#include "dockerfile/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *ctx, struct slice name)
{
	(void)ctx;
	switch (name.p[0] | 32) {
	case 'a': return "foobarbaz";
	case 'b': return "";
	case 'c': return "a*b?c\\ \n\xc3\xa4";
	default: return NULL;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || memchr(data, 0, size))
		return 0;
	struct slice word = { (const char *)data + 1, size - 1 };
	struct expand_env env = { .get = get, .escape = data[0] & 1 ? '`' : '\\' };
	_cleanup_(arena_done) struct arena a = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(strs_done) struct strs l = { 0 };
	char *out = expand_word(word, &env, &a, &e);
	assert(out ? strlen(out) <= EXPAND_MAX && e.n == 0 : e.n > 0);
	bool plain = true;
	for (size_t i = 0; i < word.n; i++)
		plain = plain && !strchr("$'\"\\`", word.p[i]);
	if (plain)
		assert(out && slice_is(word, out));
	assert((expand_words(word, &env, &l, NULL) == 0) == (out != NULL));
	for (size_t i = 0; i < l.n; i++)
		assert(*l.p[i]);
	(void)!expand_heredoc(word, &env, &a, NULL);
	return 0;
}
