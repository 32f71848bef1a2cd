/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic section (gABI chapter 5, "Dynamic Section"), and the symbol versions that it leads to. */
#include "elf/obj_in.h"

#include "base/buf.h"
#include "base/err.h"

struct dyn {
	uint64_t tag, value;
};
struct dynamic {
	ARRAY_OF(struct dyn) entries;
	bool has_strings;
	uint64_t strings, strings_n; /* file offset, bytes */
};

static bool dyn_value(const struct dynamic *d, uint64_t tag, uint64_t *out)
{
	arr_each(it, &d->entries)
		if (it->tag == tag) {
			*out = it->value;
			return true;
		}
	return false;
}

static int read_dynamic_entries(const struct obj_bytes *b, const struct obj *o,
				const struct obj_segment *s, struct dynamic *d, struct err *e)
{
	size_t width = o->is64 ? 8 : 4;
	uint64_t count = s->filesz / (2 * width);

	if (count > OBJ_DYNAMIC_MAX)
		return err_set(e, ERR_DATA, "ELF: more than %u entries in the dynamic section",
			       OBJ_DYNAMIC_MAX);

	_free_ uint8_t *raw = mem_alloc((size_t)count * 2 * width);
	if (obj_fetch(b, s->offset, raw, (size_t)count * 2 * width, "the dynamic section", e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *p = raw + i * 2 * width;
		struct dyn it = { obj_native(o, p), obj_native(o, p + width) };
		if (it.tag == DT_NULL)
			break;
		arr_push(&d->entries, it);
	}
	return 0;
}

static int find_strings(const struct obj *o, struct dynamic *d, struct err *e)
{
	uint64_t at, n = 0;

	if (!dyn_value(d, DT_STRTAB, &at))
		return 0;
	(void)dyn_value(d, DT_STRSZ, &n);
	if (obj_offset(o, at, n, &d->strings) < 0)
		return err_set(e, ERR_DATA, "ELF: the dynamic string table is in no segment");
	d->strings_n = n;
	d->has_strings = true;
	return 0;
}

/* A name in the string table; the caller frees. Read in pieces: the table of a big library has
 * megabytes, the names that matter here a few bytes. */
static char *read_string(const struct obj_bytes *b, const struct dynamic *d, uint64_t at,
			 struct err *e)
{
	_cleanup_(buf_done) struct buf s = { 0 };
	char piece[128];
	uint64_t left = d->has_strings && at < d->strings_n ? d->strings_n - at : 0;

	/* obj_offset saw to it that a table of this length has an offset; its end may still wrap
	 * around or lie behind the file: obj_fetch refuses both */
	at += d->strings;
	while (left > 0 && s.len < OBJ_STRING_MAX) {
		size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
		if (obj_fetch(b, at, piece, n, "the dynamic string table", e) < 0)
			return NULL;
		const char *end = memchr(piece, 0, n);
		buf_add(&s, piece, end ? (size_t)(end - piece) : n);
		if (end)
			return buf_take(&s);
		at += n;
		left -= n;
	}
	(void)err_set(e, ERR_DATA, "ELF: a name in the dynamic section %s",
		      s.len < OBJ_STRING_MAX ? "lies outside of the string table" : "is too long");
	return NULL;
}

static int add_string(const struct obj_bytes *b, const struct dynamic *d, uint64_t at,
		      struct strs *to, struct err *e)
{
	if (to->n >= OBJ_NAMES_MAX)
		return err_set(e, ERR_DATA, "ELF: more than %u names of one kind", OBJ_NAMES_MAX);
	char *s = read_string(b, d, at, e);
	if (!s)
		return -1;
	strs_take(to, s);
	return 0;
}

static int set_string(const struct obj_bytes *b, const struct dynamic *d, uint64_t at, char **to,
		      struct err *e)
{
	char *s = read_string(b, d, at, e);

	if (!s)
		return -1;
	str_set(to, s);
	return 0;
}

static int read_dynamic_names(const struct obj_bytes *b, const struct dynamic *d, struct obj *o,
			      struct err *e)
{
	arr_each(it, &d->entries) {
		int r = 0;
		switch (it->tag) {
		case DT_NEEDED: r = add_string(b, d, it->value, &o->needed, e); break;
		case DT_FILTER: r = add_string(b, d, it->value, &o->filters, e); break;
		case DT_AUXILIARY: r = add_string(b, d, it->value, &o->auxiliary, e); break;
		case DT_AUDIT:
		case DT_DEPAUDIT: r = add_string(b, d, it->value, &o->audit, e); break;
		case DT_SONAME: r = set_string(b, d, it->value, &o->soname, e); break;
		case DT_RPATH: r = set_string(b, d, it->value, &o->rpath, e); break;
		case DT_RUNPATH: r = set_string(b, d, it->value, &o->runpath, e); break;
		case DT_FLAGS: o->dt_flags = it->value; break;
		case DT_FLAGS_1: o->dt_flags_1 = it->value; break;
		default: break;
		}
		if (r < 0)
			return -1;
	}
	return 0;
}

/* ---- symbol versions: the LSB's "Symbol Versioning" ---- */

/* n bytes at a virtual address. */
static int fetch_at(const struct obj_bytes *b, const struct obj *o, uint64_t vaddr, void *p,
		    size_t n, const char *what, struct err *e)
{
	uint64_t at;

	if (obj_offset(o, vaddr, n, &at) < 0)
		return err_set(e, ERR_DATA, "ELF: %s are in no segment", what);
	return obj_fetch(b, at, p, n, what, e);
}

static int read_need_versions(const struct obj_bytes *b, const struct dynamic *d, struct obj *o,
			      const char *file, uint64_t at, uint16_t count, struct err *e)
{
	for (uint16_t i = 0; i < count; i++) {
		uint8_t aux[16];
		uint32_t next;

		if (o->version_needs.n >= OBJ_NAMES_MAX)
			return err_set(e, ERR_DATA, "ELF: more than %u needed versions",
				       OBJ_NAMES_MAX);
		if (fetch_at(b, o, at, aux, sizeof aux, "the needed versions", e) < 0)
			return -1;
		char *name = read_string(b, d, obj_word(o, aux + 8), e);
		if (!name)
			return -1;
		struct obj_need need = { str_dup(file), name, obj_half(o, aux + 4) & VER_FLG_WEAK };
		arr_push(&o->version_needs, need);
		next = obj_word(o, aux + 12);
		if (next == 0)
			break;
		if (ckd_add(&at, at, next))
			return err_set(e, ERR_DATA, "ELF: the needed versions do not end");
	}
	return 0;
}

static int obj_read_version_needs(const struct obj_bytes *b, const struct dynamic *d, struct obj *o,
				  struct err *e)
{
	uint64_t at, count = 0;

	if (!dyn_value(d, DT_VERNEED, &at) || !dyn_value(d, DT_VERNEEDNUM, &count))
		return 0;
	for (uint64_t i = 0; i < count; i++) {
		uint8_t rec[16];
		uint64_t aux;
		uint32_t next;

		if (i >= OBJ_NAMES_MAX)
			return err_set(e, ERR_DATA, "ELF: versions of more than %u files",
				       OBJ_NAMES_MAX);
		if (fetch_at(b, o, at, rec, sizeof rec, "the needed versions", e) < 0)
			return -1;
		_free_ char *file = read_string(b, d, obj_word(o, rec + 4), e);
		if (!file)
			return -1;
		if (ckd_add(&aux, at, obj_word(o, rec + 8)))
			return err_set(e, ERR_DATA, "ELF: the needed versions do not end");
		if (read_need_versions(b, d, o, file, aux, obj_half(o, rec + 2), e) < 0)
			return -1;
		next = obj_word(o, rec + 12);
		if (next == 0)
			break;
		if (ckd_add(&at, at, next))
			return err_set(e, ERR_DATA, "ELF: the needed versions do not end");
	}
	return 0;
}

/* Only the first name of each definition: the others are the versions it inherits from. */
static int read_version_defs(const struct obj_bytes *b, const struct dynamic *d, struct obj *o,
			     struct err *e)
{
	uint64_t at, count = 0;

	if (!dyn_value(d, DT_VERDEF, &at) || !dyn_value(d, DT_VERDEFNUM, &count))
		return 0;
	for (uint64_t i = 0; i < count; i++) {
		uint8_t rec[20], aux[8];
		uint64_t name_at;
		uint32_t next;

		if (fetch_at(b, o, at, rec, sizeof rec, "the defined versions", e) < 0)
			return -1;
		if (obj_half(o, rec + 6) > 0) {
			if (ckd_add(&name_at, at, obj_word(o, rec + 12)))
				return err_set(e, ERR_DATA, "ELF: the defined versions do not end");
			if (fetch_at(b, o, name_at, aux, sizeof aux, "the defined versions", e) <
				    0 ||
			    add_string(b, d, obj_word(o, aux), &o->version_defs, e) < 0)
				return -1;
		}
		next = obj_word(o, rec + 16);
		if (next == 0)
			break;
		if (i >= OBJ_NAMES_MAX || ckd_add(&at, at, next))
			return err_set(e, ERR_DATA, "ELF: the defined versions do not end");
	}
	return 0;
}

int obj_read_dynamic(const struct obj_bytes *b, struct obj *o, struct err *e)
{
	const struct obj_segment *s = obj_segment_of(o, PT_DYNAMIC);
	struct dynamic d = { 0 };
	int r;

	if (!s)
		return 0;
	o->has_dynamic = true;
	r = read_dynamic_entries(b, o, s, &d, e);
	if (r == 0)
		r = find_strings(o, &d, e);
	if (r == 0)
		r = read_dynamic_names(b, &d, o, e);
	if (r == 0)
		r = obj_read_version_needs(b, &d, o, e);
	if (r == 0)
		r = read_version_defs(b, &d, o, e);
	arr_done(&d.entries);
	return r;
}
