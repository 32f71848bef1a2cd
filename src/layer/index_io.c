/* SPDX-License-Identifier: Apache-2.0 */
/* layer/index_io.c: an index on disk.
 *
 *	0   "TIDX", u32 version
 *	8   u32 CRC-32 of everything after it
 *	12  u32 entries, u32 xattrs, u32 bytes of text
 *	24  records of 92 bytes, one an entry; records of 12 bytes, one an xattr; the text
 *
 * Numbers are little-endian; texts are told by their offset and end in NUL (xattr values by
 * length). Reading takes one block of memory for the text and points into it. */
#include "base/err.h"
#include "base/map.h"
#include "base/num.h"
#include "layer/index.h"
#include <libdeflate.h>

enum { HEAD = 24, RECORD = 92, XRECORD = 12, VERSION = 1 };
#define NO_TEXT UINT32_MAX

static uint32_t put_text(struct buf *text, const void *p, size_t n)
{
	uint32_t at = (uint32_t)text->len;
	char *to = buf_room(text, n + 1);
	if (n)
		memcpy(to, p, n);
	to[n] = '\0';
	text->len += n + 1;
	return at;
}

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, (uint16_t)v), (uint16_t)(v >> 16));
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
	return put32(put32(p, (uint32_t)v), (uint32_t)(v >> 32));
}

static void put_entry(struct buf *out, struct buf *text, const struct entry *ent,
		      uint32_t first_xattr)
{
	uint8_t record[RECORD], *p = record;
	p = put32(p, put_text(text, ent->path, strlen(ent->path)));
	p = put32(p, ent->link ? put_text(text, ent->link, strlen(ent->link)) : NO_TEXT);
	*p++ = (uint8_t)ent->type;
	*p++ = (uint8_t)(ent->opaque | ent->has_digest << 1);
	p = put16(p, (uint16_t)ent->mode);
	p = put32(p, ent->uid);
	p = put32(p, ent->gid);
	p = put64(p, (uint64_t)ent->mtime);
	p = put32(p, ent->mtime_ns);
	p = put64(p, ent->size);
	p = put32(p, ent->group);
	p = put32(p, ent->major);
	p = put32(p, ent->minor);
	p = put32(p, first_xattr);
	p = put32(p, (uint32_t)ent->xattrs_n);
	memcpy(p, ent->digest.b, sizeof ent->digest.b);
	buf_add(out, record, sizeof record);
}

static uint32_t put_xattrs(struct buf *out, struct buf *text, const struct entry *ent)
{
	for (size_t i = 0; i < ent->xattrs_n; i++) {
		const struct xattr *x = &ent->xattrs[i];
		buf_le32(out, put_text(text, x->name, strlen(x->name)));
		buf_le32(out, put_text(text, x->value, x->len));
		buf_le32(out, (uint32_t)x->len);
	}
	return (uint32_t)ent->xattrs_n;
}

void index_write(const struct index *x, struct buf *out)
{
	_cleanup_(buf_done) struct buf records = { 0 }, xattrs = { 0 }, text = { 0 };
	uint32_t n_xattrs = 0;
	uint8_t head[HEAD] = "TIDX";

	(void)buf_room(&records, x->entries.n * RECORD + 1);
	(void)buf_room(&text, x->entries.n * 64 + 1);
	arr_each(ent, &x->entries) {
		put_entry(&records, &text, ent, n_xattrs);
		n_xattrs += put_xattrs(&xattrs, &text, ent);
	}
	put32(head + 4, VERSION);
	put32(put32(put32(head + 12, (uint32_t)x->entries.n), n_xattrs), (uint32_t)text.len);
	uint32_t crc = libdeflate_crc32(0, head + 12, HEAD - 12);
	crc = libdeflate_crc32(crc, records.p, records.len);
	if (xattrs.len)
		crc = libdeflate_crc32(crc, xattrs.p, xattrs.len);
	if (text.len)
		crc = libdeflate_crc32(crc, text.p, text.len);
	put32(head + 8, crc);
	buf_add(out, head, sizeof head);
	buf_slice(out, buf_view(&records));
	buf_slice(out, buf_view(&xattrs));
	buf_slice(out, buf_view(&text));
}

struct reading {
	const uint8_t *records, *xattrs;
	char *text;
	uint32_t n, n_xattrs, text_len;
	struct xattr *list;
};

static int damaged(const char *what, struct err *e)
{
	return err_set(e, ERR_DATA, "the index of this layer is damaged: %s", what);
}

static int open_parts(struct slice bytes, struct reading *r, struct err *e)
{
	if (bytes.n > INDEX_MAX)
		return damaged("it is too large", e);
	if (bytes.n < HEAD || memcmp(bytes.p, "TIDX", 4) != 0)
		return damaged("it does not begin as one", e);
	if (le32_at(bytes.p + 4) != VERSION)
		return err_set(e, ERR_DATA, "the index of this layer has version %u, known is %u",
			       le32_at(bytes.p + 4), VERSION);
	if (libdeflate_crc32(0, bytes.p + 12, bytes.n - 12) != le32_at(bytes.p + 8))
		return damaged("its checksum differs", e);
	r->n = le32_at(bytes.p + 12);
	r->n_xattrs = le32_at(bytes.p + 16);
	r->text_len = le32_at(bytes.p + 20);
	uint64_t want = HEAD + (uint64_t)r->n * RECORD + (uint64_t)r->n_xattrs * XRECORD +
			r->text_len;
	if (want != bytes.n)
		return damaged("its parts do not add up", e);
	r->records = (const uint8_t *)bytes.p + HEAD;
	r->xattrs = r->records + (size_t)r->n * RECORD;
	const uint8_t *text = r->xattrs + (size_t)r->n_xattrs * XRECORD;
	if (r->text_len && text[r->text_len - 1] != '\0')
		return damaged("its text does not end", e); /* so every text in it ends */
	if (r->n && !r->text_len)
		return damaged("it has no text", e);
	return 0;
}

/* No empty, "." or ".." component, no '/' at either end; "" is the root. */
static bool is_key(const char *p)
{
	if (!*p)
		return true;
	for (;;) {
		if (*p == '/' || *p == '\0')
			return false;
		if (p[0] == '.' &&
		    (p[1] == '/' || p[1] == '\0' || (p[1] == '.' && (p[2] == '/' || p[2] == '\0'))))
			return false;
		while (*p && *p != '/')
			p++;
		if (!*p)
			return true;
		p++;
	}
}

static int get_xattrs(const struct reading *r, struct err *e)
{
	for (uint32_t i = 0; i < r->n_xattrs; i++) {
		const uint8_t *p = r->xattrs + (size_t)i * XRECORD;
		uint32_t name = le32_at(p), value = le32_at(p + 4), len = le32_at(p + 8), end;
		if (name >= r->text_len || r->text[name] == '\0')
			return damaged("an attribute has no name", e);
		if (ckd_add(&end, value, len) || end >= r->text_len)
			return damaged("an attribute lies outside", e);
		r->list[i] = (struct xattr){ r->text + name, r->text + value, len };
	}
	return 0;
}

static int get_entry(const struct reading *r, const uint8_t *p, struct entry *ent, struct err *e)
{
	uint32_t path = le32_at(p), link = le32_at(p + 4);
	if (path >= r->text_len || !is_key(r->text + path))
		return damaged("an entry has no valid path", e);
	ent->path = r->text + path;
	if (p[8] > ENTRY_WHITEOUT || p[9] > 3)
		return damaged("an entry has no valid type", e);
	ent->type = p[8];
	ent->opaque = p[9] & 1;
	ent->has_digest = p[9] >> 1 & 1;
	ent->mode = le16_at(p + 10);
	ent->uid = le32_at(p + 12);
	ent->gid = le32_at(p + 16);
	ent->mtime = (int64_t)le64_at(p + 20);
	ent->mtime_ns = le32_at(p + 28);
	ent->size = le64_at(p + 32);
	ent->group = le32_at(p + 40);
	ent->major = le32_at(p + 44);
	ent->minor = le32_at(p + 48);
	if ((link != NO_TEXT) != (ent->type == ENTRY_SYMLINK) ||
	    (link != NO_TEXT && link >= r->text_len))
		return damaged("a link has no valid target", e);
	ent->link = link == NO_TEXT ? NULL : r->text + link;
	if (ent->mode > 07777 || ent->mtime_ns > 999999999 ||
	    (ent->opaque && ent->type != ENTRY_DIR) || ent->size > INT64_MAX ||
	    (ent->type == ENTRY_WHITEOUT && !*ent->path))
		return damaged("an entry holds a wild number", e);
	uint32_t first = le32_at(p + 52), count = le32_at(p + 56), end;
	if (ckd_add(&end, first, count) || end > r->n_xattrs)
		return damaged("an entry's attributes lie outside", e);
	ent->xattrs = count ? r->list + first : NULL;
	ent->xattrs_n = count;
	memcpy(ent->digest.b, p + 60, sizeof ent->digest.b);
	return 0;
}

static int get_entries(const struct reading *r, struct index *x, struct err *e)
{
	for (uint32_t i = 0; i < r->n; i++) {
		struct entry *ent = &x->entries.p[i];
		if (get_entry(r, r->records + (size_t)i * RECORD, ent, e) < 0)
			return -1;
		if (i && index_path_cmp(ent[-1].path, ent->path) >= 0)
			return damaged("its entries are not in order", e);
	}
	x->entries.n = r->n;
	return 0;
}

int index_read(struct slice bytes, struct index *out, struct err *e)
{
	struct reading r = { 0 };
	struct index x;

	if (open_parts(bytes, &r, e) < 0)
		return -1;
	index_init(&x);
	r.text = arena_alloc(&x.arena, (size_t)r.text_len + 1);
	if (r.text_len)
		memcpy(r.text, r.xattrs + (size_t)r.n_xattrs * XRECORD, r.text_len);
	r.list = arena_alloc(&x.arena, ((size_t)r.n_xattrs + 1) * sizeof(*r.list));
	arr_reserve(&x.entries, (size_t)r.n + 1);
	memset(x.entries.p, 0, ((size_t)r.n + 1) * sizeof(*x.entries.p));
	if (get_xattrs(&r, e) < 0 || get_entries(&r, &x, e) < 0) {
		index_done(&x);
		return -1;
	}
	*out = x;
	return 0;
}
