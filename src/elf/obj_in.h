/* SPDX-License-Identifier: Apache-2.0 */
/* elf/obj_in.h: what the parts of the reader of ELF objects share. */
#pragma once
#include "base/num.h"
#include "elf/obj.h"

static inline uint16_t obj_half(const struct obj *o, const void *p)
{
	return o->big_endian ? be16_at(p) : le16_at(p);
}

static inline uint32_t obj_word(const struct obj *o, const void *p)
{
	return o->big_endian ? be32_at(p) : le32_at(p);
}

static inline uint64_t obj_xword(const struct obj *o, const void *p)
{
	return o->big_endian ? be64_at(p) : le64_at(p);
}

/* An address, offset or size: as wide as the class. */
static inline uint64_t obj_native(const struct obj *o, const void *p)
{
	return o->is64 ? obj_xword(o, p) : obj_word(o, p);
}

/* ---- obj.c ---- */
/* n bytes at a place of the file. All reading goes through here: nothing beyond the end is ever asked
 * for. what: for the message. */
int obj_fetch(const struct obj_bytes *b, uint64_t at, void *p, size_t n, const char *what,
	      struct err *e) _must_check_;
/* The first of a type (PT_*), or NULL. */
const struct obj_segment *obj_segment_of(const struct obj *o, uint32_t type);

/* ---- obj_dynamic.c ---- */
/* With the symbol versions. */
int obj_read_dynamic(const struct obj_bytes *b, struct obj *o, struct err *e) _must_check_;

/* ---- obj_notes.c ---- */
/* Notes tell, but nothing that starts a program depends on them: what is damaged or very large is
 * not read; only a file that cannot be read is an error. */
int obj_read_notes(const struct obj_bytes *b, struct obj *o, struct err *e) _must_check_;
