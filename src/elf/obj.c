/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fs.h"
#include "elf/obj_in.h"

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

int obj_fetch(const struct obj_bytes *b, uint64_t at, void *p, size_t n, const char *what,
	      struct err *e)
{
	uint64_t end;

	if (ckd_add(&end, at, n) || end > b->size)
		return err_set(e, ERR_DATA, "ELF: %s lies beyond the end of the file", what);
	return n ? b->read(b, at, p, n, e) : 0;
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
	if (obj_fetch(b, 0, h, EI_NIDENT, "the ident", e) < 0)
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
	if (obj_fetch(b, 0, h, n, "the header", e) < 0)
		return -1;
	o->type = obj_half(o, h + 16);
	o->machine = obj_half(o, h + 18);
	o->entry = obj_native(o, h + 24);
	ph->offset = obj_native(o, h + (o->is64 ? 32 : 28));
	o->flags = obj_word(o, h + (o->is64 ? 48 : 36));
	ph->entsize = obj_half(o, h + (o->is64 ? 54 : 42));
	ph->count = obj_half(o, h + (o->is64 ? 56 : 44));
	o->kind = OBJ_OTHER;
	return 1;
}

static void read_segment(const struct obj *o, const uint8_t *p, struct obj_segment *s)
{
	s->type = obj_word(o, p);
	if (o->is64) {
		s->flags = obj_word(o, p + 4);
		s->offset = obj_xword(o, p + 8);
		s->vaddr = obj_xword(o, p + 16);
		s->filesz = obj_xword(o, p + 32);
		s->memsz = obj_xword(o, p + 40);
		s->align = obj_xword(o, p + 48);
		return;
	}
	s->offset = obj_word(o, p + 4);
	s->vaddr = obj_word(o, p + 8);
	s->filesz = obj_word(o, p + 16);
	s->memsz = obj_word(o, p + 20);
	s->flags = obj_word(o, p + 24);
	s->align = obj_word(o, p + 28);
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
	if (obj_fetch(b, ph->offset, raw, bytes, "the program header table", e) < 0)
		return -1;
	for (size_t i = 0; i < ph->count; i++)
		read_segment(o, raw + i * want, arr_add(&o->segments));
	return 0;
}

const struct obj_segment *obj_segment_of(const struct obj *o, uint32_t type)
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
	const struct obj_segment *s = obj_segment_of(o, PT_INTERP);

	if (!s)
		return 0;
	if (s->filesz < 2 || s->filesz > OBJ_STRING_MAX)
		return err_set(e, ERR_DATA, "ELF: the interpreter's name is %ju bytes long",
			       (uintmax_t)s->filesz);

	_free_ char *name = mem_alloc((size_t)s->filesz + 1);
	if (obj_fetch(b, s->offset, name, (size_t)s->filesz, "the interpreter's name", e) < 0)
		return -1;
	if (name[s->filesz - 1])
		return err_set(e, ERR_DATA, "ELF: the interpreter's name does not end");
	o->interp = take_ptr(&name);
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

int obj_read(const struct obj_bytes *b, struct obj *out, struct err *e)
{
	struct obj o = { 0 };
	struct table ph = { 0 };
	int r = read_ehdr(b, &o, &ph, e);

	if (r <= 0)
		return r;
	if (read_segments(b, &ph, &o, e) < 0 || read_interp(b, &o, e) < 0 ||
	    (o.type != ET_CORE &&
	     (obj_read_dynamic(b, &o, e) < 0 || obj_read_notes(b, &o, e) < 0))) {
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
