/* SPDX-License-Identifier: Apache-2.0 */
#include "elf/obj.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "base/num.h"
#include <errno.h>

/* ---- bytes ---- */

static int mem_read(const struct obj_bytes *b, uint64_t at, void *p, size_t n, struct err *e)
{
	memcpy(p, (const char *)b->mem + at, n);
	return 0;
}

struct obj_bytes obj_bytes_mem(struct slice s)
{
	return (struct obj_bytes){ .size = s.n, .read = mem_read, .mem = s.p, .fd = -1 };
}

static int file_read(const struct obj_bytes *b, uint64_t at, void *p, size_t n, struct err *e)
{
	ssize_t got = fd_pread(b->fd, p, n, at);

	if (got < 0)
		return err_sys(e, "read an ELF object");
	if ((size_t)got < n)
		return err_set(e, ERR_DATA, "the file became shorter while it was read");
	return 0;
}

struct obj_bytes obj_bytes_fd(int fd, uint64_t size)
{
	return (struct obj_bytes){ .size = size, .read = file_read, .fd = fd };
}

/* All reading goes through here: nothing beyond the end is ever asked for. */
static int fetch(const struct obj_bytes *b, uint64_t at, void *p, size_t n, const char *what,
		 struct err *e)
{
	uint64_t end;

	if (ckd_add(&end, at, n) || end > b->size)
		return err_set(e, ERR_DATA, "ELF: %s lies beyond the end of the file", what);
	return n ? b->read(b, at, p, n, e) : 0;
}

static uint16_t half(const struct obj *o, const void *p)
{
	return o->big_endian ? be16_at(p) : le16_at(p);
}

static uint32_t word(const struct obj *o, const void *p)
{
	return o->big_endian ? be32_at(p) : le32_at(p);
}

static uint64_t xword(const struct obj *o, const void *p)
{
	return o->big_endian ? be64_at(p) : le64_at(p);
}

/* An address, offset or size: as wide as the class. */
static uint64_t native(const struct obj *o, const void *p)
{
	return o->is64 ? xword(o, p) : word(o, p);
}

/* ---- headers ---- */

struct table {
	uint64_t offset;
	uint16_t entsize, count;
};

/* gABI chapter 4, "ELF Header". */
static int read_ehdr(const struct obj_bytes *b, struct obj *o, struct table *ph, struct err *e)
{
	uint8_t h[sizeof(Elf64_Ehdr)];
	size_t n;

	if (b->size < EI_NIDENT)
		return 0;
	if (fetch(b, 0, h, EI_NIDENT, "the ident", e) < 0)
		return -1;
	if (memcmp(h, ELFMAG, SELFMAG) != 0)
		return 0;
	if (h[EI_CLASS] != ELFCLASS32 && h[EI_CLASS] != ELFCLASS64)
		return err_set(e, ERR_DATA, "ELF: class %u is neither 32 nor 64 bits", h[EI_CLASS]);
	if (h[EI_DATA] != ELFDATA2LSB && h[EI_DATA] != ELFDATA2MSB)
		return err_set(e, ERR_DATA, "ELF: byte order %u is not known", h[EI_DATA]);
	o->is64 = h[EI_CLASS] == ELFCLASS64;
	o->big_endian = h[EI_DATA] == ELFDATA2MSB;
	o->osabi = h[EI_OSABI];
	n = o->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	if (fetch(b, 0, h, n, "the header", e) < 0)
		return -1;
	o->type = half(o, h + 16);
	o->machine = half(o, h + 18);
	o->entry = native(o, h + 24);
	ph->offset = native(o, h + (o->is64 ? 32 : 28));
	o->flags = word(o, h + (o->is64 ? 48 : 36));
	ph->entsize = half(o, h + (o->is64 ? 54 : 42));
	ph->count = half(o, h + (o->is64 ? 56 : 44));
	o->kind = OBJ_OTHER;
	return 1;
}

static void read_segment(const struct obj *o, const uint8_t *p, struct obj_segment *s)
{
	s->type = word(o, p);
	if (o->is64) {
		s->flags = word(o, p + 4);
		s->offset = xword(o, p + 8);
		s->vaddr = xword(o, p + 16);
		s->filesz = xword(o, p + 32);
		s->memsz = xword(o, p + 40);
		s->align = xword(o, p + 48);
		return;
	}
	s->offset = word(o, p + 4);
	s->vaddr = word(o, p + 8);
	s->filesz = word(o, p + 16);
	s->memsz = word(o, p + 20);
	s->flags = word(o, p + 24);
	s->align = word(o, p + 28);
}

/* gABI chapter 5, "Program Header". The entry size must be the structure's own, as in Linux. */
static int read_segments(const struct obj_bytes *b, const struct table *ph, struct obj *o,
			 struct err *e)
{
	size_t want = o->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	size_t bytes = (size_t)ph->count * want;

	if (ph->count == 0)
		return 0;
	if (ph->entsize != want)
		return err_set(e, ERR_DATA, "ELF: program headers of %u bytes, not %zu",
			       ph->entsize, want);
	if (bytes > OBJ_HEADERS_MAX)
		return err_set(e, ERR_DATA, "ELF: more than %u bytes of program headers",
			       OBJ_HEADERS_MAX);

	_free_ uint8_t *raw = mem_alloc(bytes);
	if (fetch(b, ph->offset, raw, bytes, "the program header table", e) < 0)
		return -1;
	for (size_t i = 0; i < ph->count; i++)
		read_segment(o, raw + i * want, arr_add(&o->segments));
	return 0;
}

static const struct obj_segment *find_segment(const struct obj *o, uint32_t type)
{
	arr_each(s, &o->segments)
		if (s->type == type)
			return s;
	return NULL;
}

int obj_offset(const struct obj *o, uint64_t vaddr, uint64_t n, uint64_t *offset)
{
	arr_each(s, &o->segments) {
		uint64_t in;
		if (s->type != PT_LOAD || vaddr < s->vaddr)
			continue;
		in = vaddr - s->vaddr;
		if (in <= s->filesz && n <= s->filesz - in && !ckd_add(offset, s->offset, in))
			return 0;
	}
	return -1;
}

/* Linux, load_elf_binary: 2 bytes to PATH_MAX, and the last one is NUL. */
static int read_interp(const struct obj_bytes *b, struct obj *o, struct err *e)
{
	const struct obj_segment *s = find_segment(o, PT_INTERP);

	if (!s)
		return 0;
	if (s->filesz < 2 || s->filesz > OBJ_STRING_MAX)
		return err_set(e, ERR_DATA, "ELF: the interpreter's name is %ju bytes long",
			       (uintmax_t)s->filesz);

	_free_ char *name = mem_alloc((size_t)s->filesz + 1);
	if (fetch(b, s->offset, name, (size_t)s->filesz, "the interpreter's name", e) < 0)
		return -1;
	if (name[s->filesz - 1])
		return err_set(e, ERR_DATA, "ELF: the interpreter's name does not end");
	o->interp = take_ptr(&name);
	return 0;
}

/* ---- the dynamic section: gABI chapter 5, "Dynamic Section" ---- */

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
	if (fetch(b, s->offset, raw, (size_t)count * 2 * width, "the dynamic section", e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *p = raw + i * 2 * width;
		struct dyn it = { native(o, p), native(o, p + width) };
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
	 * around or lie behind the file: fetch refuses both */
	at += d->strings;
	while (left > 0 && s.len < OBJ_STRING_MAX) {
		size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
		if (fetch(b, at, piece, n, "the dynamic string table", e) < 0)
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
	return fetch(b, at, p, n, what, e);
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
		char *name = read_string(b, d, word(o, aux + 8), e);
		if (!name)
			return -1;
		struct obj_need need = { str_dup(file), name, half(o, aux + 4) & VER_FLG_WEAK };
		arr_push(&o->version_needs, need);
		next = word(o, aux + 12);
		if (next == 0)
			break;
		if (ckd_add(&at, at, next))
			return err_set(e, ERR_DATA, "ELF: the needed versions do not end");
	}
	return 0;
}

static int read_version_needs(const struct obj_bytes *b, const struct dynamic *d, struct obj *o,
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
		_free_ char *file = read_string(b, d, word(o, rec + 4), e);
		if (!file)
			return -1;
		if (ckd_add(&aux, at, word(o, rec + 8)))
			return err_set(e, ERR_DATA, "ELF: the needed versions do not end");
		if (read_need_versions(b, d, o, file, aux, half(o, rec + 2), e) < 0)
			return -1;
		next = word(o, rec + 12);
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
		if (half(o, rec + 6) > 0) {
			if (ckd_add(&name_at, at, word(o, rec + 12)))
				return err_set(e, ERR_DATA, "ELF: the defined versions do not end");
			if (fetch_at(b, o, name_at, aux, sizeof aux, "the defined versions", e) <
				    0 ||
			    add_string(b, d, word(o, aux), &o->version_defs, e) < 0)
				return -1;
		}
		next = word(o, rec + 16);
		if (next == 0)
			break;
		if (i >= OBJ_NAMES_MAX || ckd_add(&at, at, next))
			return err_set(e, ERR_DATA, "ELF: the defined versions do not end");
	}
	return 0;
}

static int read_dynamic(const struct obj_bytes *b, struct obj *o, struct err *e)
{
	const struct obj_segment *s = find_segment(o, PT_DYNAMIC);
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
		r = read_version_needs(b, &d, o, e);
	if (r == 0)
		r = read_version_defs(b, &d, o, e);
	arr_done(&d.entries);
	return r;
}

/* ---- notes: gABI chapter 5, "Note Section" ---- */

#define NOTE_DLOPEN      0x407c0c0au
#define NOTE_GO_BUILD_ID 4u

static void read_dlopen_note(struct slice text, struct obj *o)
{
	/* A malformed one is as none: no linker reads it. */
	_json_ json_t *list = js_parse(slice_trim(text), ".note.dlopen", NULL);
	size_t i;
	json_t *it;

	if (!json_is_array(list))
		return;
	json_array_foreach(list, i, it)
	{
		struct obj_dlopen d = { 0 };
		const char *feature = NULL, *priority = NULL, *description = NULL;

		if (o->dlopens.n >= OBJ_NAMES_MAX || !json_is_object(it))
			return;
		if (js_strs(it, "soname", &d.sonames, NULL) < 0 || d.sonames.n == 0) {
			strs_done(&d.sonames);
			continue;
		}
		if (js_str(it, "feature", &feature, NULL) < 0 ||
		    js_str(it, "priority", &priority, NULL) < 0 ||
		    js_str(it, "description", &description, NULL) < 0) {
			strs_done(&d.sonames);
			continue;
		}
		d.feature = str_dup(feature);
		d.priority = str_dup(priority);
		d.description = str_dup(description);
		arr_push(&o->dlopens, d);
	}
}

static void read_properties(struct slice desc, struct obj *o)
{
	size_t align = o->is64 ? 8 : 4;

	if (o->machine != EM_X86_64 && o->machine != EM_386)
		return;
	for (size_t at = 0; desc.n - at >= 8;) {
		uint32_t type = word(o, desc.p + at), n = word(o, desc.p + at + 4);
		at += 8;
		if (n > desc.n - at)
			return;
		if (type == GNU_PROPERTY_X86_ISA_1_NEEDED && n >= 4)
			o->x86_isa |= word(o, desc.p + at);
		size_t step = ((size_t)n + align - 1) & ~(align - 1);
		if (step > desc.n - at)
			return;
		at += step;
	}
}

static void set_build_id(struct slice desc, struct obj *o)
{
	_cleanup_(buf_done) struct buf hex = { 0 };

	if (desc.n == 0 || desc.n > 64)
		return;
	for (size_t i = 0; i < desc.n; i++)
		buf_printf(&hex, "%02x", (unsigned char)desc.p[i]);
	str_set(&o->build_id, buf_take(&hex));
}

static void read_note(struct slice name, uint32_t type, struct slice desc, struct obj *o)
{
	if (slice_eq(name, (struct slice){ "GNU", 4 })) {
		if (type == NT_GNU_ABI_TAG && desc.n >= 16) {
			o->has_abi = true;
			for (int i = 0; i < 4; i++)
				o->abi[i] = word(o, desc.p + 4 * i);
		} else if (type == NT_GNU_BUILD_ID) {
			set_build_id(desc, o);
		} else if (type == NT_GNU_PROPERTY_TYPE_0) {
			read_properties(desc, o);
		}
	} else if (slice_eq(name, (struct slice){ "FDO", 4 }) && type == NOTE_DLOPEN) {
		while (desc.n > 0 && desc.p[desc.n - 1] == 0)
			desc.n--;
		read_dlopen_note(desc, o);
	} else if (slice_eq(name, (struct slice){ "Go\0", 4 }) && type == NOTE_GO_BUILD_ID) {
		o->is_go = true;
	}
}

/* Rounds up to the note's alignment; -1 if that is behind n. */
static int note_align(size_t at, size_t align, size_t n, size_t *out)
{
	size_t up = (at + align - 1) & ~(align - 1);

	if (up > n)
		return -1;
	*out = up;
	return 0;
}

static void read_note_segment(struct slice s, size_t align, struct obj *o)
{
	for (size_t at = 0; s.n - at >= 12;) {
		uint32_t name_n = word(o, s.p + at), desc_n = word(o, s.p + at + 4);
		uint32_t type = word(o, s.p + at + 8);
		struct slice name, desc;

		at += 12;
		if (name_n > s.n - at)
			return;
		name = (struct slice){ s.p + at, name_n };
		if (note_align(at + name_n, align, s.n, &at) < 0 || desc_n > s.n - at)
			return;
		desc = (struct slice){ s.p + at, desc_n };
		read_note(name, type, desc, o);
		if (note_align(at + desc_n, align, s.n, &at) < 0)
			return;
	}
}

/* Notes tell, but nothing that starts a program depends on them: what is damaged or very large is
 * not read; only a file that cannot be read is an error. */
static int read_notes(const struct obj_bytes *b, struct obj *o, struct err *e)
{
	size_t left = OBJ_NOTES_MAX;

	arr_each(s, &o->segments) {
		uint64_t end;
		if (s->type != PT_NOTE || s->filesz > left || ckd_add(&end, s->offset, s->filesz) ||
		    end > b->size)
			continue;
		left -= (size_t)s->filesz;
		_free_ char *raw = mem_alloc((size_t)s->filesz);
		if (fetch(b, s->offset, raw, (size_t)s->filesz, "a note", e) < 0)
			return -1;
		read_note_segment((struct slice){ raw, (size_t)s->filesz }, s->align == 8 ? 8 : 4,
				  o);
	}
	return 0;
}

/* ---- all of it ---- */

/* A library may name an interpreter so that it can be started by itself (libc.so.6): it has a
 * soname and does not say that it is a position independent executable. */
static enum obj_kind tell_kind(const struct obj *o)
{
	bool pie = o->dt_flags_1 & DF_1_PIE;

	switch (o->type) {
	case ET_REL: return OBJ_RELOCATABLE;
	case ET_CORE: return OBJ_CORE;
	case ET_EXEC: return o->interp ? OBJ_PROGRAM : OBJ_STATIC;
	case ET_DYN:
		if (o->interp)
			return o->soname && !pie ? OBJ_LIBRARY : OBJ_PROGRAM;
		return pie ? OBJ_STATIC_PIE : OBJ_LIBRARY;
	default: return OBJ_OTHER;
	}
}

int obj_read_header(const struct obj_bytes *b, struct obj *out, struct err *e)
{
	struct obj o = { 0 };
	struct table ph;
	int r = read_ehdr(b, &o, &ph, e);

	if (r > 0)
		*out = o;
	return r;
}

int obj_read(const struct obj_bytes *b, struct obj *out, struct err *e)
{
	struct obj o = { 0 };
	struct table ph;
	int r = read_ehdr(b, &o, &ph, e);

	if (r <= 0)
		return r;
	if (read_segments(b, &ph, &o, e) < 0 || read_interp(b, &o, e) < 0 ||
	    (o.type != ET_CORE && (read_dynamic(b, &o, e) < 0 || read_notes(b, &o, e) < 0))) {
		obj_done(&o);
		return -1;
	}
	o.kind = tell_kind(&o);
	*out = o;
	return 1;
}

void obj_done(struct obj *o)
{
	arr_done(&o->segments);
	free(o->interp);
	strs_done(&o->needed);
	strs_done(&o->filters);
	strs_done(&o->auxiliary);
	strs_done(&o->audit);
	free(o->soname);
	free(o->rpath);
	free(o->runpath);
	arr_each(it, &o->version_needs) {
		free(it->file);
		free(it->version);
	}
	arr_done(&o->version_needs);
	strs_done(&o->version_defs);
	free(o->build_id);
	arr_each(it, &o->dlopens) {
		strs_done(&it->sonames);
		free(it->feature);
		free(it->priority);
		free(it->description);
	}
	arr_done(&o->dlopens);
	*o = (struct obj){ 0 };
}
