/* SPDX-License-Identifier: Apache-2.0 */
/* Small ELF objects made by hand, in any class and byte order; what no compiler at hand makes. */
#pragma once
#include <elf.h>
#include <stdbool.h>
#include "base/array.h"
#include "base/buf.h"

struct make_elf {
	bool is64, big;
	uint16_t type, machine;
	const char *interp;            /* or NULL */
	const char *soname, *rpath, *runpath;
	const char *needed[8];
	uint64_t flags_1;
	bool no_dynamic;
	const char *verneed_file, *verneed; /* one version that is asked for */
	bool weak;                     /* that one may be missing */
	const char *verdef;            /* one that is defined */
};

struct made {
	const struct make_elf *m;
	struct buf b;
};

static inline void made_uint(struct made *x, uint64_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_char(&x->b, (char)(v >> 8 * (x->m->big ? n - 1 - i : i)));
}

static inline void made_word(struct made *x, uint64_t v)
{
	made_uint(x, v, x->m->is64 ? 8 : 4);
}

static inline void made_phdr(struct made *x, uint32_t type, uint64_t offset, uint64_t size)
{
	made_uint(x, type, 4);
	if (x->m->is64)
		made_uint(x, PF_R, 4);
	made_word(x, offset);
	made_word(x, 0x10000 + offset);
	made_word(x, 0x10000 + offset);
	made_word(x, size);
	made_word(x, size);
	if (!x->m->is64)
		made_uint(x, PF_R, 4);
	made_word(x, 8);
}

static inline void made_dyn(struct made *x, uint64_t tag, uint64_t value)
{
	made_word(x, tag);
	made_word(x, value);
}

static inline uint64_t made_string(struct buf *strings, const char *s)
{
	uint64_t at = strings->len;
	buf_add(strings, s, strlen(s) + 1);
	return at;
}

#define MADE_BODY 0x200u

/* The caller ends *out. Layout: header, program headers, at MADE_BODY strings, versions, dynamic. */
static inline void make_elf(const struct make_elf *m, struct buf *out)
{
	struct made x = { .m = m }, dyn = { .m = m }, ver = { .m = m };
	struct buf s = { 0 };
	uint64_t interp_at = 0, at, need_at = 0, def_at = 0;
	unsigned phdrs = 1u + (m->interp != NULL) + !m->no_dynamic;

	buf_char(&s, 0);
	if (m->interp)
		interp_at = MADE_BODY + made_string(&s, m->interp);
	for (size_t i = 0; i < COUNT_OF(m->needed) && m->needed[i]; i++)
		made_dyn(&dyn, DT_NEEDED, made_string(&s, m->needed[i]));
	if (m->soname)
		made_dyn(&dyn, DT_SONAME, made_string(&s, m->soname));
	if (m->rpath)
		made_dyn(&dyn, DT_RPATH, made_string(&s, m->rpath));
	if (m->runpath)
		made_dyn(&dyn, DT_RUNPATH, made_string(&s, m->runpath));
	if (m->flags_1)
		made_dyn(&dyn, DT_FLAGS_1, m->flags_1);
	if (m->verneed) {
		uint64_t file = made_string(&s, m->verneed_file),
			 name = made_string(&s, m->verneed);
		need_at = ver.b.len;
		made_uint(&ver, 1, 2), made_uint(&ver, 1, 2), made_uint(&ver, file, 4);
		made_uint(&ver, 16, 4), made_uint(&ver, 0, 4);
		made_uint(&ver, 0, 4), made_uint(&ver, m->weak ? VER_FLG_WEAK : 0, 2);
		made_uint(&ver, 2, 2), made_uint(&ver, name, 4), made_uint(&ver, 0, 4);
	}
	if (m->verdef) {
		uint64_t name = made_string(&s, m->verdef);
		def_at = ver.b.len;
		made_uint(&ver, 1, 2), made_uint(&ver, 0, 2), made_uint(&ver, 2, 2),
			made_uint(&ver, 1, 2);
		made_uint(&ver, 0, 4), made_uint(&ver, 20, 4), made_uint(&ver, 0, 4);
		made_uint(&ver, name, 4), made_uint(&ver, 0, 4);
	}
	at = MADE_BODY + s.len;
	if (m->verneed) {
		made_dyn(&dyn, DT_VERNEED, 0x10000 + at + need_at);
		made_dyn(&dyn, DT_VERNEEDNUM, 1);
	}
	if (m->verdef) {
		made_dyn(&dyn, DT_VERDEF, 0x10000 + at + def_at);
		made_dyn(&dyn, DT_VERDEFNUM, 1);
	}
	made_dyn(&dyn, DT_STRTAB, 0x10000 + MADE_BODY);
	made_dyn(&dyn, DT_STRSZ, s.len);
	made_dyn(&dyn, DT_NULL, 0);

	buf_str(&x.b, "\177ELF");
	buf_char(&x.b, m->is64 ? ELFCLASS64 : ELFCLASS32);
	buf_char(&x.b, m->big ? ELFDATA2MSB : ELFDATA2LSB);
	buf_char(&x.b, EV_CURRENT);
	buf_zero(&x.b, 9);
	made_uint(&x, m->type, 2), made_uint(&x, m->machine, 2), made_uint(&x, 1, 4);
	made_word(&x, 0x10000);                          /* e_entry */
	made_word(&x, m->is64 ? 64 : 52);                /* e_phoff */
	made_word(&x, 0);
	made_uint(&x, 0, 4), made_uint(&x, m->is64 ? 64 : 52, 2);
	made_uint(&x, m->is64 ? 56 : 32, 2), made_uint(&x, phdrs, 2);
	made_uint(&x, 0, 2), made_uint(&x, 0, 2), made_uint(&x, 0, 2);

	made_phdr(&x, PT_LOAD, 0, at + ver.b.len + (m->no_dynamic ? 0 : dyn.b.len));
	if (m->interp)
		made_phdr(&x, PT_INTERP, interp_at, strlen(m->interp) + 1);
	if (!m->no_dynamic)
		made_phdr(&x, PT_DYNAMIC, at + ver.b.len, dyn.b.len);
	buf_zero(&x.b, MADE_BODY - x.b.len);
	buf_add(&x.b, s.p, s.len);
	buf_add(&x.b, ver.b.p, ver.b.len);
	if (!m->no_dynamic)
		buf_add(&x.b, dyn.b.p, dyn.b.len);
	buf_done(&s);
	buf_done(&dyn.b);
	buf_done(&ver.b);
	*out = x.b;
}
