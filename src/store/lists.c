/* SPDX-License-Identifier: Apache-2.0 */
/* lists/HEX: the digest of the name; the first line is the name itself. */
#include "store/lists.h"

#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/internal.h"

static char *list_path(const char *ref)
{
	struct digest d;
	char hex[SHA256_HEX];
	digest_of(slice_of(ref), &d);
	return str_printf("lists/%s", digest_hex(&d, hex));
}

int list_put(struct store *s, const char *ref, struct slice text, struct err *e)
{
	_free_ char *path = list_path(ref);
	_cleanup_(buf_done) struct buf b = { .max = LIST_MAX };
	buf_printf(&b, "%s\n", ref);
	buf_slice(&b, text);
	if (buf_check(&b, "the list", e) < 0 || store_write(s, path, buf_view(&b), true, e) < 0)
		return err_add(e, "write the list '%s'", ref);
	return 0;
}

int list_get(struct store *s, const char *ref, struct buf *out, struct err *e)
{
	_free_ char *path = list_path(ref);
	_cleanup_(buf_done) struct buf b = { 0 };
	int r = store_read(s, path, LIST_MAX, &b, e);
	if (r != 1)
		return r;
	struct slice text = buf_view(&b), name;
	if (!slice_split(&text, '\n', &name) || !slice_is(name, ref)) {
		err_set(e, ERR_DATA, "the record of the list '%s' is damaged", ref);
		return err_hint(e, "remove it with 'thimble manifest rm', and create it again");
	}
	buf_slice(out, text);
	return 1;
}

int list_del(struct store *s, const char *ref, struct err *e)
{
	_free_ char *path = list_path(ref);
	if (unlinkat(s->fd, path, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, "remove '%s/%s'", s->path, path);
}

int lists_all(struct store *s, struct strs *refs, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (store_list(s, "lists", &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_free_ char *path = str_printf("lists/%s", names.p[i]);
		_cleanup_(buf_done) struct buf b = { 0 };
		struct slice text, name;
		if (store_read(s, path, LIST_MAX, &b, e) < 0)
			return -1;
		text = buf_view(&b);
		if (text.n && slice_split(&text, '\n', &name))
			strs_take(refs, slice_dup(name));
	}
	strs_sort(refs);
	return 0;
}
