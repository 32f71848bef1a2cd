/* SPDX-License-Identifier: Apache-2.0 */
/* What a name of the archive means in what this layer has made so far. */
#include "layer/apply_in.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "layer/entry.h"

enum { LINKS_MAX = 40 };

char *apply_clean_name(const char *name, size_t component_max, struct err *e)
{
	struct slice rest = slice_of(name), one;
	_cleanup_(buf_done) struct buf key = { 0 };
	buf_str(&key, "");
	while (path_next(&rest, &one)) {
		if (slice_is(one, "."))
			continue;
		if (slice_is(one, "..")) {
			(void)err_set(e, ERR_DATA, "the name leads out of the archive ('..')");
			return NULL;
		}
		if (one.n > component_max) {
			(void)err_set(e, ERR_DATA, "a part of the name is longer than 255 bytes");
			return NULL;
		}
		if (key.len)
			buf_char(&key, '/');
		buf_slice(&key, one);
	}
	if (key.len > KEY_MAX) {
		(void)err_set(e, ERR_DATA, "the name is longer than %d bytes", KEY_MAX);
		return NULL;
	}
	return buf_take(&key);
}

static void go_up(struct buf *b)
{
	char *slash = b->len ? strrchr(b->p, '/') : NULL;
	b->len = slash ? (size_t)(slash - b->p) : 0;
	if (b->p)
		b->p[b->len] = '\0';
}

char *apply_resolve_dir(struct apply *a, const char *dir, struct err *e)
{
	const struct entry *known = apply_find(a, dir);
	if (known && known->type == ENTRY_DIR)
		return str_dup(dir); /* a key in the map is a real place already */
	_cleanup_(buf_done) struct buf key = { 0 };
	_free_ char *rest = str_dup(dir);
	size_t at = 0;
	int links = 0;

	buf_str(&key, "");
	for (;;) {
		at += strspn(rest + at, "/");
		size_t n = strcspn(rest + at, "/");
		struct slice one = { rest + at, n };
		at += n;
		if (n == 0)
			break;
		if (slice_is(one, "."))
			continue;
		if (slice_is(one, "..")) {
			go_up(&key);
			continue;
		}
		if (key.len)
			buf_char(&key, '/');
		buf_slice(&key, one);
		if (n > NAME_MAX || key.len > KEY_MAX) {
			(void)err_set(e, ERR_DATA, "the name is too long once links are followed");
			return NULL;
		}
		const struct entry *ent = apply_find(a, key.p);
		if (!ent || ent->type == ENTRY_WHITEOUT) {
			if (apply_implied(a, key.p, e) < 0)
				return NULL;
		} else if (ent->type == ENTRY_SYMLINK) {
			if (++links > LINKS_MAX) {
				(void)err_set(e, ERR_DATA, "'/%s' is one of too many links", key.p);
				return NULL;
			}
			str_set(&rest, str_printf("%s/%s", ent->link, rest + at));
			at = 0;
			go_up(&key);
			if (ent->link[0] == '/') {
				buf_clear(&key);
				buf_str(&key, "");
			}
		} else if (ent->type != ENTRY_DIR) {
			(void)err_set(e, ERR_DATA, "'/%s' is a %s and not a directory", key.p,
				      entry_type_name(ent->type));
			return NULL;
		}
	}
	return buf_take(&key);
}

char *apply_resolve(struct apply *a, const char *name, struct err *e)
{
	const char *slash = strrchr(name, '/');
	if (!slash)
		return str_dup(name);
	_free_ char *dir = str_ndup(name, (size_t)(slash - name));
	_free_ char *real = apply_resolve_dir(a, dir, e);
	if (!real)
		return NULL;
	char *key = str_printf("%s%s%s", real, *real ? "/" : "", slash + 1);
	if (strlen(key) <= KEY_MAX)
		return key;
	(void)err_set(e, ERR_DATA, "the name is longer than %d bytes", KEY_MAX);
	free(key);
	return NULL;
}
