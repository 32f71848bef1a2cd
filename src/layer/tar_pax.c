/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tar_pax.c: pax extended headers, and the numbers of plain ones. POSIX.1-2017, pax, "pax
 * Extended Header"; GNU tar manual, "Sparse Formats"; star(5) for SCHILY.xattr. */
#include "base/err.h"
#include "base/num.h"
#include "layer/entry.h"
#include "layer/tar_in.h"
#include <assert.h>

void pax_done(struct pax *p)
{
	arr_done(&p->xattrs);
	arr_done(&p->sparse.map);
	arena_done(&p->arena);
	*p = (struct pax){ 0 };
}

static int tar_octal(const uint8_t *p, size_t n, const char *what, uint64_t *out, struct err *e)
{
	uint64_t v = 0;
	size_t i = 0;
	assert(n <= 21); /* of a header at most 12: it cannot wrap */
	while (i < n && p[i] == ' ')
		i++;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(p[i] - '0');
	for (; i < n; i++)
		if (p[i] != ' ' && p[i] != '\0')
			return err_set(e, ERR_DATA, "the %s in the archive is no number", what);
	*out = v;
	return 0;
}

/* Base-256, two's complement, big-endian; bit 7 of the first byte is the mark, bit 6 the sign. */
static int tar_base256(const uint8_t *p, size_t n, const char *what, int64_t *out, struct err *e)
{
	bool minus = p[0] & 0x40;
	uint8_t fill = minus ? 0xff : 0;
	uint64_t v = minus ? UINT64_MAX : 0;
	for (size_t i = 0; i < n; i++) {
		uint8_t b = i ? p[i] : minus ? p[0] | 0x80 : p[0] & 0x7f;
		if (i + 8 < n && b != fill)
			return err_set(e, ERR_DATA, "the %s in the archive is too large", what);
		v = v << 8 | b;
	}
	if ((v >> 63) != minus)
		return err_set(e, ERR_DATA, "the %s in the archive is too large", what);
	*out = (int64_t)v;
	return 0;
}

int tar_number(const uint8_t *p, size_t n, const char *what, uint64_t max, uint64_t *out,
	       struct err *e)
{
	uint64_t v;
	int64_t s;
	if (p[0] & 0x80) {
		if (tar_base256(p, n, what, &s, e) < 0)
			return -1;
		if (s < 0)
			return err_set(e, ERR_DATA, "the %s in the archive is negative", what);
		v = (uint64_t)s;
	} else if (tar_octal(p, n, what, &v, e) < 0) {
		return -1;
	}
	if (v > max)
		return err_set(e, ERR_DATA, "the %s in the archive is too large (%llu)", what,
			       (unsigned long long)v);
	*out = v;
	return 0;
}

int tar_time(const uint8_t *p, size_t n, int64_t *out, struct err *e)
{
	uint64_t v;
	if (p[0] & 0x80)
		return tar_base256(p, n, "time", out, e);
	if (tar_octal(p, n, "time", &v, e) < 0)
		return -1;
	*out = (int64_t)v;
	return 0;
}

int sparse_add(struct sparse *s, uint64_t at, uint64_t len, struct err *e)
{
	if (s->map.n >= SPARSE_EXTENTS_MAX)
		return err_set(e, ERR_DATA, "a sparse file has more than %u pieces",
			       SPARSE_EXTENTS_MAX);
	arr_push(&s->map, (struct extent){ at, len });
	return 0;
}

int sparse_check(const struct sparse *s, uint64_t stored, struct err *e)
{
	uint64_t end = 0, sum = 0;
	if (s->size > SPARSE_SIZE_MAX && s->size != stored)
		return err_set(e, ERR_DATA,
			       "a sparse file of %llu bytes is larger than can be dealt with",
			       (unsigned long long)s->size);
	arr_each(x, &s->map) {
		uint64_t next;
		if (x->at < end || ckd_add(&next, x->at, x->len) || next > s->size)
			return err_set(e, ERR_DATA, "the map of a sparse file is not in order");
		end = next;
		sum += x->len; /* at most size, as the pieces are apart */
	}
	if (sum != stored)
		return err_set(e, ERR_DATA, "the map of a sparse file and its bytes differ");
	return 0;
}

static int bad(struct slice key, struct err *e)
{
	return err_set(e, ERR_DATA, "the extended header has a bad value for %.*s", SLF(key));
}

static int get_number(struct slice key, struct slice value, uint64_t max, uint64_t *out,
		      struct err *e)
{
	return num_parse(value, max, out) < 0 ? bad(key, e) : 0;
}

static int get_text(struct pax *p, struct slice key, struct slice value, const char **out,
		    struct err *e)
{
	if (slice_find(value, '\0') < value.n)
		return bad(key, e);
	if (value.n > TAR_PATH_MAX)
		return err_set(e, ERR_DATA, "%.*s is longer than %d bytes", SLF(key), TAR_PATH_MAX);
	*out = value.n ? arena_str(&p->arena, value) : NULL;
	return 0;
}

static int get_id(struct slice key, struct slice value, bool *have, uint32_t *out, struct err *e)
{
	uint64_t v = 0;
	if (value.n && get_number(key, value, UINT32_MAX - 1, &v, e) < 0)
		return -1;
	*have = value.n > 0;
	*out = (uint32_t)v;
	return 0;
}

/* "[-]SECONDS[.FRACTION]"; the fraction is cut to nanoseconds, towards the past. */
static int get_time(struct pax *p, struct slice key, struct slice value, struct err *e)
{
	if (value.n == 0) {
		p->have_mtime = false;
		return 0;
	}
	bool minus = value.p[0] == '-';
	struct slice rest = slice_from(value, minus);
	size_t dot = slice_find(rest, '.');
	uint64_t seconds, ns = 0;
	if (num_parse(slice_head(rest, dot), INT64_MAX - 1, &seconds) < 0)
		return bad(key, e);
	bool cut = false;
	for (size_t i = dot + 1, digit = 0; i < rest.n; i++, digit++) {
		if (rest.p[i] < '0' || rest.p[i] > '9')
			return bad(key, e);
		if (digit < 9)
			ns = ns * 10 + (uint64_t)(rest.p[i] - '0');
		else
			cut |= rest.p[i] != '0';
	}
	for (size_t digit = dot < rest.n ? rest.n - dot - 1 : 0; digit < 9; digit++)
		ns *= 10;
	int64_t s = (int64_t)seconds;
	if (minus) {
		ns += cut;
		s = -s;
		if (ns) {
			s -= 1;
			ns = 1000000000 - ns;
		}
	}
	p->have_mtime = true;
	p->mtime = s;
	p->mtime_ns = (uint32_t)ns;
	return 0;
}

static int get_xattr(struct pax *p, struct slice key, struct slice value, struct err *e)
{
	struct slice name = slice_from(key, strlen("SCHILY.xattr."));
	if (name.n == 0 || name.n > 255 || slice_find(name, '\0') < name.n)
		return err_set(e, ERR_DATA, "the extended header has an attribute with a bad name");
	if (value.n > 65536)
		return err_set(e, ERR_DATA, "the attribute %.*s is larger than 65536 bytes",
			       SLF(name));
	p->xattr_bytes += name.n + value.n + 2;
	if (p->xattr_bytes > TAR_XATTR_MAX)
		return err_set(e, ERR_DATA, "the attributes of one file are larger than %u bytes",
			       TAR_XATTR_MAX);
	struct xattr x = { arena_str(&p->arena, name), arena_str(&p->arena, value), value.n };
	arr_push(&p->xattrs, x);
	return 0;
}

/* Format 0.1: "OFFSET,LENGTH,OFFSET,LENGTH…". */
static int get_sparse_map(struct pax *p, struct slice key, struct slice value, struct err *e)
{
	struct slice word;
	uint64_t at, len;
	if (value.n == 0)
		return 0;
	while (slice_split(&value, ',', &word)) {
		if (get_number(key, word, INT64_MAX, &at, e) < 0)
			return -1;
		if (!slice_split(&value, ',', &word))
			return bad(key, e);
		if (get_number(key, word, INT64_MAX, &len, e) < 0 ||
		    sparse_add(&p->sparse, at, len, e) < 0)
			return -1;
	}
	return 0;
}

static int get_sparse(struct pax *p, struct slice key, struct slice value, struct err *e)
{
	struct slice what = slice_from(key, strlen("GNU.sparse."));
	struct sparse *s = &p->sparse;
	uint64_t v;
	if (slice_is(what, "name"))
		return get_text(p, key, value, &p->sparse_name, e);
	s->on = true;
	if (slice_is(what, "map"))
		return get_sparse_map(p, key, value, e);
	if (get_number(key, value, INT64_MAX, &v, e) < 0)
		return -1;
	if (slice_is(what, "major") || slice_is(what, "minor")) {
		if (v > 99)
			return bad(key, e);
		*(slice_is(what, "major") ? &p->sparse_major : &p->sparse_minor) = (unsigned)v;
		p->have_sparse_major |= slice_is(what, "major");
	} else if (slice_is(what, "size") || slice_is(what, "realsize")) {
		s->size = v;
		s->have_size = true;
	} else if (slice_is(what, "offset")) { /* format 0.0: pairs of records, in order */
		s->pending_at = v;
		s->pending = true;
	} else if (slice_is(what, "numbytes")) {
		if (!s->pending)
			return bad(key, e);
		s->pending = false;
		return sparse_add(s, s->pending_at, v, e);
	}
	return 0; /* numblocks: the map tells */
}

static int get_record(struct pax *p, struct slice key, struct slice value, bool global,
		      struct err *e)
{
	bool of_one = slice_is(key, "path") || slice_is(key, "linkpath") || slice_is(key, "size") ||
		      slice_starts(key, SL("GNU.sparse."));
	if (global && of_one)
		return err_set(e, ERR_DATA, "a global extended header sets %.*s for all files",
			       SLF(key));
	if (slice_is(key, "path"))
		return get_text(p, key, value, &p->path, e);
	if (slice_is(key, "linkpath"))
		return get_text(p, key, value, &p->link, e);
	if (slice_is(key, "size")) {
		p->have_size = value.n > 0;
		return value.n ? get_number(key, value, INT64_MAX, &p->size, e) : 0;
	}
	if (slice_is(key, "uid"))
		return get_id(key, value, &p->have_uid, &p->uid, e);
	if (slice_is(key, "gid"))
		return get_id(key, value, &p->have_gid, &p->gid, e);
	if (slice_is(key, "mtime"))
		return get_time(p, key, value, e);
	if (slice_starts(key, SL("SCHILY.xattr.")))
		return get_xattr(p, key, value, e);
	if (slice_starts(key, SL("GNU.sparse.")))
		return get_sparse(p, key, value, e);
	return 0; /* atime, ctime, names, comments, others' own: nothing that an entry holds */
}

int pax_parse(struct pax *p, struct slice records, bool global, struct err *e)
{
	while (records.n) {
		size_t blank = slice_find(records, ' ');
		uint64_t len;
		if (blank == records.n ||
		    num_parse(slice_head(records, blank), records.n, &len) < 0 || len < blank + 3 ||
		    records.p[len - 1] != '\n')
			return err_set(e, ERR_DATA, "the extended header is damaged");
		struct slice body = { records.p + blank + 1, len - blank - 2 };
		size_t eq = slice_find(body, '=');
		if (eq == 0 || eq == body.n)
			return err_set(e, ERR_DATA, "the extended header is damaged");
		if (get_record(p, slice_head(body, eq), slice_from(body, eq + 1), global, e) < 0)
			return -1;
		records = slice_from(records, len);
	}
	return 0;
}

void pax_copy(struct pax *to, const struct pax *global)
{
	*to = *global;
	to->arena = (struct arena){ 0 };
	memset(&to->xattrs, 0, sizeof to->xattrs);
	memset(&to->sparse, 0, sizeof to->sparse);
	arr_each(x, &global->xattrs) /* texts stay in the global header's arena, which lives on */
		arr_push(&to->xattrs, *x);
}

struct numbered {
	struct xattr x;
	size_t at;
};

static int numbered_cmp(const void *va, const void *vb)
{
	const struct numbered *a = va, *b = vb;
	int r = strcmp(a->x.name, b->x.name);
	return r ? r : a->at < b->at ? -1 : 1;
}

void pax_sort_xattrs(struct pax *p)
{
	size_t n = p->xattrs.n, kept = 0;
	if (n == 0)
		return;
	struct numbered *list = mem_array(n, sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = (struct numbered){ p->xattrs.p[i], i };
	qsort(list, n, sizeof(*list), numbered_cmp);
	for (size_t i = 0; i < n; i++)
		if (i + 1 == n || strcmp(list[i].x.name, list[i + 1].x.name) != 0)
			p->xattrs.p[kept++] = list[i].x;
	p->xattrs.n = kept;
	free(list);
}
