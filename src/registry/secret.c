/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/secret.h"

#include <string.h>

#include "base/alloc.h"

void secret_free(char *s)
{
	if (s)
		explicit_bzero(s, strlen(s));
	free(s);
}

void secret_buf_done(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_done(b);
}

/* The values of other holders must not change under them. */
static void wipe(json_t *v)
{
	const char *key;
	json_t *member;
	size_t i;
	if (v->refcount > 1)
		return;
	if (json_is_string(v))
		explicit_bzero((char *)json_string_value(v), json_string_length(v));
	else if (json_is_object(v))
		json_object_foreach(v, key, member) wipe(member);
	else
		json_array_foreach(v, i, member) wipe(member);
}

void secret_json(json_t *v)
{
	if (v)
		wipe(v);
	json_decref(v);
}

void secret_room(struct buf *b, size_t n)
{
	(void)buf_room(b, n);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct slice s, struct buf *out)
{
	secret_room(out, s.n / 3 * 4 + 4);
	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = 0;
		size_t have = s.n - i < 3 ? s.n - i : 3;
		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < have ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_char(out, k <= have ? digits[v >> (18 - 6 * k) & 63] : '=');
	}
}

char *base64_get(struct slice s, size_t *n)
{
	s = slice_trim(s);
	for (int pad = 0; pad < 2 && s.n && s.p[s.n - 1] == '='; pad++)
		s.n--;
	_secret_ char *out = mem_alloc(s.n + 1);
	uint32_t v = 0;
	size_t len = 0;
	unsigned bits = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *digit = s.p[i] ? strchr(digits, s.p[i]) : NULL;
		if (!digit) {
			explicit_bzero(out, len); /* NULs may stand in it */
			return NULL;
		}
		v = (v << 6 | (uint32_t)(digit - digits)) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[len++] = (char)(v >> bits & 0xff);
		}
	}
	if (bits >= 6) { /* one digit alone is no byte */
		explicit_bzero(out, len);
		return NULL;
	}
	*n = len;
	return take_ptr(&out);
}
