/* SPDX-License-Identifier: Apache-2.0 */
/* Cache records: cache/KIND/HEX. Not fsynced, so after a crash a file may be short or full of
 * zeros: the first line says how many bytes follow and what they hash to. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/num.h"
#include "base/sha256.h"
#include "store/internal.h"

#define HEAD_MAX 80

char *cache_path(const char *kind, const struct digest *key)
{
	char hex[SHA256_HEX];
	return str_printf("cache/%s/%s", kind, digest_hex(key, hex));
}

static bool kind_ok(const char *kind)
{
	for (const char *p = kind; *p; p++)
		if (*p != '-' && (*p < 'a' || *p > 'z'))
			return false;
	return *kind;
}

static void write_head(struct slice value, struct buf *out)
{
	/* Not map_hash: that is seeded anew in each process. */
	uint8_t sum[SHA256_LEN];
	sha256_of(value.p, value.n, sum);
	buf_printf(out, "thimble-record %zu %016" PRIx64 "\n", value.n, be64_at(sum));
}

int cache_get(struct store *s, const char *kind, const struct digest *key, struct buf *out,
	      struct err *e)
{
	if (!kind_ok(kind))
		return err_set(e, ERR_USER, "'%s' is not a kind of cache record", kind);
	_free_ char *path = cache_path(kind, key);
	_cleanup_(buf_done) struct buf file = { 0 };
	int r = store_read(s, path, CACHE_VALUE_MAX + HEAD_MAX, &file, e);
	if (r != 1)
		return r;
	struct slice text = buf_view(&file);
	size_t nl = slice_find(text, '\n');
	if (nl == text.n)
		return 0;
	struct slice value = slice_from(text, nl + 1);
	_cleanup_(buf_done) struct buf head = { 0 };
	write_head(value, &head);
	if (!slice_eq(buf_view(&head), slice_head(text, nl + 1)))
		return 0;
	buf_slice(out, value);
	return 1;
}

int cache_put(struct store *s, const char *kind, const struct digest *key, struct slice value,
	      struct err *e)
{
	if (!kind_ok(kind))
		return err_set(e, ERR_USER, "'%s' is not a kind of cache record", kind);
	if (value.n > CACHE_VALUE_MAX)
		return err_set(e, ERR_USER, "a cache record of %zu bytes is too large", value.n);
	_free_ char *path = cache_path(kind, key);
	_cleanup_(buf_done) struct buf b = { 0 };
	write_head(value, &b);
	buf_slice(&b, value);
	return store_write(s, path, buf_view(&b), false, e);
}

bool cache_get_digest(struct store *s, const char *kind, const struct digest *key,
		      struct digest *out)
{
	_cleanup_(buf_done) struct buf b = { .max = 64 };
	if (cache_get(s, kind, key, &b, NULL) != 1 || b.len != sizeof out->b)
		return false;
	memcpy(out->b, b.p, sizeof out->b);
	return true;
}

int cache_put_digest(struct store *s, const char *kind, const struct digest *key,
		     const struct digest *value, struct err *e)
{
	return cache_put(s, kind, key, (struct slice){ (const char *)value->b, sizeof value->b }, e);
}

int cache_drop(struct store *s, const char *kind, const struct digest *key, struct err *e)
{
	_free_ char *path = cache_path(kind, key);
	if (unlinkat(s->fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove '%s/%s'", s->path, path);
	return 0;
}
