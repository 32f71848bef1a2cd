/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/tar_write.h"
#include "base/err.h"
#include "base/stream.h"
#include "layer/entry.h"
#include <stdio.h>

enum { BLOCK = 512, NAME_LEN = 100, PREFIX_LEN = 155 };
#define OCTAL_11 077777777777ull /* largest number in 11 octal digits */
#define OCTAL_7  07777777ull

struct header {
	char name[NAME_LEN], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type;
	char link[NAME_LEN], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
	char prefix[PREFIX_LEN], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "ustar header");

/* Octal digits with leading zeros and a NUL. */
static void put_octal(char *field, size_t n, uint64_t v)
{
	field[--n] = '\0';
	while (n) {
		field[--n] = (char)('0' + (v & 7));
		v >>= 3;
	}
}

static size_t digits(size_t v)
{
	size_t n = 1;
	while (v >= 10) {
		v /= 10;
		n++;
	}
	return n;
}

/* "LEN KEY=VALUE\n", where LEN counts itself. */
static void put_record(struct buf *pax, const char *key, const void *value, size_t n)
{
	size_t rest = strlen(key) + n + strlen(" =\n"), own = 1;
	while (digits(rest + own) > own)
		own++;
	buf_printf(pax, "%zu %s=", rest + own, key);
	buf_add(pax, value, n);
	buf_char(pax, '\n');
}

static void put_number(struct buf *pax, const char *key, int64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)v);
	put_record(pax, key, text, (size_t)n);
}

/* Splits a path at a '/' into prefix and name; false if it does not fit. */
static bool put_name(struct header *h, const char *path, size_t n)
{
	if (n <= NAME_LEN) {
		memcpy(h->name, path, n);
		return true;
	}
	if (n > PREFIX_LEN + 1 + NAME_LEN)
		return false;
	size_t cut = n - NAME_LEN - 1; /* leftmost place that leaves a name short enough */
	while (cut < n && path[cut] != '/')
		cut++;
	if (cut == 0 || cut > PREFIX_LEN || cut + 1 >= n)
		return false;
	memcpy(h->prefix, path, cut);
	memcpy(h->name, path + cut + 1, n - cut - 1);
	return true;
}

static void seal(struct header *h)
{
	unsigned sum = 0;
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->sum, ' ', sizeof h->sum);
	for (size_t i = 0; i < BLOCK; i++)
		sum += ((const unsigned char *)h)[i];
	put_octal(h->sum, 7, sum); /* six digits, NUL, space */
}

static int write_pax(struct sink *out, const struct buf *pax, const char *name, struct err *e)
{
	struct header h = { .type = 'x' };
	const char *base = strrchr(name, '/');
	base = base && base[1] ? base + 1 : name;
	size_t n = (size_t)snprintf(h.name, sizeof h.name, "PaxHeaders.0/");
	for (; *base && n < sizeof h.name; base++)
		h.name[n++] = *base > ' ' && *base < 127 && *base != '/' ? *base : '_';
	put_octal(h.mode, sizeof h.mode, 0644);
	put_octal(h.uid, sizeof h.uid, 0);
	put_octal(h.gid, sizeof h.gid, 0);
	put_octal(h.size, sizeof h.size, pax->len);
	put_octal(h.mtime, sizeof h.mtime, 0);
	put_octal(h.major, sizeof h.major, 0);
	put_octal(h.minor, sizeof h.minor, 0);
	seal(&h);
	if (sink_write(out, &h, sizeof h, e) < 0 || sink_write(out, pax->p, pax->len, e) < 0)
		return -1;
	return tar_write_padding(out, pax->len, e);
}

static char type_flag(const struct entry *ent, const char *target)
{
	if (target)
		return '1';
	switch (ent->type) {
	case ENTRY_SYMLINK: return '2';
	case ENTRY_CHAR: return '3';
	case ENTRY_BLOCK: return '4';
	case ENTRY_DIR: return '5';
	case ENTRY_FIFO: return '6';
	default: return '0';
	}
}

/* A number into its field, or, if it does not fit, into a record and zero into the field. */
static void put_id(char *field, uint32_t v, const char *key, struct buf *pax)
{
	put_octal(field, 8, v <= OCTAL_7 ? v : 0);
	if (v > OCTAL_7)
		put_number(pax, key, v);
}

static int put_xattrs(const struct entry *ent, struct buf *pax, struct err *e)
{
	_cleanup_(buf_done) struct buf key = { 0 };
	for (size_t i = 0; i < ent->xattrs_n; i++) {
		const struct xattr *x = &ent->xattrs[i];
		if (xattr_is_overlay(x->name))
			continue; /* of a nested overlay: whoever unpacks this must not act on it */
		if (strchr(x->name, '=')) {
			(void)err_set(
				e, ERR_DATA,
				"an archive cannot hold the extended attribute '%s': tar ends "
				"its name at the '='",
				x->name);
			return err_hint(e, "remove it where it is set: setfattr -x '%s' FILE",
					x->name);
		}
		buf_clear(&key);
		buf_printf(&key, "SCHILY.xattr.%s", x->name);
		put_record(pax, key.p, x->value, x->len);
	}
	return 0;
}

int tar_write_entry(struct sink *out, const struct entry *ent, const char *name, const char *target,
		    int64_t clamp, struct err *e)
{
	struct header h = { .type = type_flag(ent, target) };
	_cleanup_(buf_done) struct buf pax = { 0 }, path = { 0 };
	const char *link = target ? target : ent->link;
	uint64_t size = h.type == '0' ? ent->size : 0;
	int64_t mtime = clamp >= 0 && ent->mtime > clamp ? clamp : ent->mtime;
	bool mtime_fits = mtime >= 0 && (uint64_t)mtime <= OCTAL_11;

	buf_str(&path, name);
	if (h.type == '5')
		buf_char(&path, '/');
	put_octal(h.mode, sizeof h.mode, ent->mode & 07777);
	put_octal(h.size, sizeof h.size, size <= OCTAL_11 ? size : 0);
	put_octal(h.mtime, sizeof h.mtime, mtime_fits ? (uint64_t)mtime : 0);
	bool node = h.type == '3' || h.type == '4';
	put_octal(h.major, sizeof h.major, node ? ent->major : 0);
	put_octal(h.minor, sizeof h.minor, node ? ent->minor : 0);

	/* records in byte order of their keys: capitals first */
	if (!target && put_xattrs(ent, &pax, e) < 0)
		return -1;
	put_id(h.gid, ent->gid, "gid", &pax);
	if (link) {
		size_t n = strlen(link);
		memcpy(h.link, link, n < NAME_LEN ? n : NAME_LEN);
		if (n > NAME_LEN)
			put_record(&pax, "linkpath", link, n);
	}
	if (!mtime_fits)
		put_number(&pax, "mtime", mtime);
	if (!put_name(&h, path.p, path.len)) {
		memcpy(h.name, path.p, NAME_LEN); /* what readers without pax show */
		put_record(&pax, "path", path.p, path.len);
	}
	if (size > OCTAL_11)
		put_number(&pax, "size", (int64_t)size);
	put_id(h.uid, ent->uid, "uid", &pax);

	if (pax.len && write_pax(out, &pax, name, e) < 0)
		return -1;
	seal(&h);
	return sink_write(out, &h, sizeof h, e);
}

int tar_write_padding(struct sink *out, uint64_t size, struct err *e)
{
	static const char zeros[BLOCK];
	size_t n = (size_t)(-size & (BLOCK - 1));
	return n ? sink_write(out, zeros, n, e) : 0;
}

int tar_write_whiteout(struct sink *out, const char *name, struct err *e)
{
	const struct entry ent = { .type = ENTRY_FILE };
	return tar_write_entry(out, &ent, name, NULL, -1, e);
}

int tar_write_end(struct sink *out, struct err *e)
{
	static const char zeros[2 * BLOCK];
	return sink_write(out, zeros, sizeof zeros, e);
}
