/* SPDX-License-Identifier: Apache-2.0 */
/* Names on disk: each part of the repository is a directory, the tag is a file "=TAG", a digest a
 * file "@sha256:HEX". No part of a repository can begin with '=' or '@', so that the tags of `a` and
 * the repository `a/b` live in one directory. One flat name would not fit in 255 bytes. */
#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/fs.h"
#include "store/internal.h"

#define NAME_RECORD_MAX (1u << 20)
#define NAME_FAILED_MAX (64u << 10) /* of an error that is kept */
#define NAME_DEPTH_MAX  256

void name_record_done(struct name_record *r)
{
	if (!r)
		return;
	free(r->failed);
	*r = (struct name_record){ 0 };
}

static bool part_ok(struct slice part)
{
	if (part.n == 0 || part.n > 255 || slice_is(part, ".") || slice_is(part, ".."))
		return false;
	for (size_t i = 0; i < part.n; i++)
		if ((unsigned char)part.p[i] <= ' ' || part.p[i] == 0x7f)
			return false;
	return part.p[0] != '=' && part.p[0] != '@';
}

/* Splits "HOST/PATH:TAG" or "HOST/PATH@DIGEST": leaf begins with ':' or '@'. */
static bool split_ref(struct slice ref, struct slice *repo, struct slice *leaf)
{
	size_t at = slice_find(ref, '@');
	if (at == ref.n) {
		size_t slash = slice_rfind(ref, '/');
		at = slice_rfind(ref, ':');
		if (slash == ref.n || at == ref.n || at < slash)
			return false;
	}
	*repo = slice_head(ref, at);
	*leaf = slice_from(ref, at);
	struct slice tag = slice_from(*leaf, 1);
	return part_ok(tag) && tag.n <= 254 && slice_find(tag, '/') == tag.n;
}

/* "names/HOST/PATH/=TAG"; NULL and *e for what cannot be a reference. */
static char *name_path(const char *ref, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct slice rest, leaf, part;
	size_t depth = 0;
	bool fine = split_ref(slice_of(ref), &rest, &leaf);
	buf_str(&b, "names");
	while (fine && slice_split(&rest, '/', &part)) {
		fine = part_ok(part) && ++depth <= NAME_DEPTH_MAX;
		buf_char(&b, '/');
		buf_slice(&b, part);
	}
	if (!fine || depth < 2) {
		err_set(e, ERR_USER, "'%s' is not the full name of an image", ref);
		return NULL;
	}
	buf_char(&b, '/');
	buf_char(&b, leaf.p[0] == '@' ? '@' : '=');
	buf_slice(&b, slice_from(leaf, 1));
	return buf_take(&b);
}

static int parse_record(struct slice text, struct name_record *out)
{
	struct slice line;
	bool any = false;
	while (slice_split(&text, '\n', &line)) {
		struct slice rest = line, key;
		if (line.n == 0)
			continue;
		if (!slice_split(&rest, ' ', &key) || !rest.p)
			return -1;
		any = true;
		if (slice_is(key, "manifest")) {
			if (digest_parse(rest, &out->manifest, NULL) < 0)
				return -1;
		} else if (slice_is(key, "failed")) {
			free(out->failed);
			out->failed = slice_dup(rest);
		} else {
			return -1;
		}
	}
	return any ? 0 : -1;
}

int name_get(struct store *s, const char *ref, struct name_record *out, struct err *e)
{
	_free_ char *path = name_path(ref, e);
	if (!path)
		return -1;
	_cleanup_(buf_done) struct buf b = { 0 };
	int r = store_read(s, path, NAME_RECORD_MAX, &b, e);
	if (r != 1)
		return r;
	_cleanup_(name_record_done) struct name_record rec = { 0 };
	if (parse_record(buf_view(&b), &rec) < 0) {
		err_set(e, ERR_DATA, "the record of the name '%s' is damaged", ref);
		return err_hint(e, "tag the image again, or remove the name with 'thimble rmi'");
	}
	*out = rec;
	rec = (struct name_record){ 0 };
	return 1;
}

static int write_record(struct store *s, const char *ref, const struct name_record *r,
			struct err *e)
{
	_free_ char *path = name_path(ref, e);
	if (!path)
		return -1;
	_cleanup_(buf_done) struct buf b = { 0 };
	char text[DIGEST_LEN];
	if (!digest_is_zero(&r->manifest))
		buf_printf(&b, "manifest %s\n", digest_text(&r->manifest, text));
	if (r->failed)
		buf_printf(&b, "failed %s\n", r->failed);
	if (store_write(s, path, buf_view(&b), true, e) < 0)
		return err_add(e, "name the image '%s'", ref);
	return 0;
}

static bool is_named_so(struct store *s, const char *ref, const struct digest *manifest)
{
	_cleanup_(name_record_done) struct name_record old = { 0 };
	return name_get(s, ref, &old, NULL) == 1 && !old.failed &&
	       digest_eq(&old.manifest, manifest);
}

static int set_checked(struct store *s, const char *ref, const struct digest *manifest,
		       struct err *e)
{
	char text[DIGEST_LEN];
	if (!blob_has(s, manifest))
		return err_set(e, ERR_ABSENT, "there is no image %s to be named '%s'",
			       digest_text(manifest, text), ref);
	if (is_named_so(s, ref, manifest)) /* saves an fsync in an unchanged rebuild */
		return 0;
	return write_record(s, ref, &(struct name_record){ .manifest = *manifest }, e);
}

int name_set(struct store *s, const char *ref, const struct digest *manifest, struct err *e)
{
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = set_checked(s, ref, manifest, e);
	gate_leave(s);
	return r;
}

static char *to_hex(struct slice bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = mem_array(bytes.n * 2 + 1, 1);
	for (size_t i = 0; i < bytes.n; i++) {
		hex[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
		hex[2 * i + 1] = digits[bytes.p[i] & 15];
	}
	return hex;
}

int name_set_failed(struct store *s, const char *ref, const struct err *why, struct err *e)
{
	_cleanup_(buf_done) struct buf bytes = { 0 };
	err_save(why, &bytes);
	if (bytes.len > NAME_FAILED_MAX) { /* a long output: the words are enough */
		struct err brief = { 0 };
		_cleanup_(buf_done) struct buf line = { 0 };
		err_line(why, &line);
		err_set(&brief, why->kind, "%.*s", (int)(line.len > 4096 ? 4096 : line.len),
			line.p ? line.p : "");
		buf_clear(&bytes);
		err_save(&brief, &bytes);
		err_done(&brief);
	}
	_cleanup_(name_record_done) struct name_record r = { 0 };
	_cleanup_(err_done) struct err unread = { 0 };
	if (store_passable(name_get(s, ref, &r, &unread), &unread, e) < 0)
		return -1; /* it may name an image; a damaged one is written anew */
	str_set(&r.failed, to_hex(buf_view(&bytes)));
	return write_record(s, ref, &r, e);
}

/* Directories that became empty; one that did not is where it ends. */
static void remove_parents(struct store *s, char *path)
{
	for (;;) {
		char *slash = strrchr(path, '/');
		if (!slash)
			return;
		*slash = '\0';
		if (strcmp(path, "names") == 0 || unlinkat(s->fd, path, AT_REMOVEDIR) < 0)
			return;
	}
}

int name_del(struct store *s, const char *ref, struct err *e)
{
	_free_ char *path = name_path(ref, e);
	if (!path)
		return -1;
	if (unlinkat(s->fd, path, 0) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return err_sys(e, "remove '%s/%s'", s->path, path);
	}
	remove_parents(s, path);
	return 1;
}

/* prefix: the repository so far, "" at the top. */
static int list_below(struct store *s, const char *prefix, unsigned depth, struct strs *refs,
		      struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	_free_ char *dir = *prefix ? str_printf("names/%s", prefix) : str_dup("names");
	if (depth > NAME_DEPTH_MAX)
		return err_set(e, ERR_DATA, "'%s/%s' is nested too deeply", s->path, dir);
	if (store_list(s, dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		const char *n = names.p[i];
		if (*n == '=') {
			strs_addf(refs, "%s:%s", prefix, n + 1);
		} else if (*n == '@') {
			strs_addf(refs, "%s%s", prefix, n);
		} else {
			_free_ char *below = *prefix ? str_printf("%s/%s", prefix, n) : str_dup(n);
			if (list_below(s, below, depth + 1, refs, e) < 0)
				return -1;
		}
	}
	return 0;
}

int names_list(struct store *s, struct strs *refs, struct err *e)
{
	if (list_below(s, "", 0, refs, e) < 0)
		return err_add(e, "list the names of images");
	strs_sort(refs);
	return 0;
}
