/* SPDX-License-Identifier: Apache-2.0 */
/* elf/obj.h: what the kernel and a dynamic linker read in an ELF object: headers, interpreter,
 * dynamic section, symbol versions, notes. Bytes in, values out; nothing here looks at names of
 * files. 32 and 64 bits, both byte orders.
 * Format: gABI (System V ABI, edition 4.1 with the updates of 2015: chapters 4 and 5), GNU
 * extensions of binutils' elf/common.h, notes of the UAPI group ("ELF dlopen metadata").
 *
 *	struct obj o;
 *	struct obj_bytes b = obj_bytes_fd(fd, st.st_size);
 *	int r = obj_read(&b, &o, e);     // 1, 0: no ELF object, -1
 *	if (r > 0 && o.interp) …
 *	obj_done(&o);
 *
 * Everything is checked against the size of the file; what a damaged object can make large is
 * limited (constants below). Only the program headers count: section headers may be missing. */
#pragma once
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct err;

#define OBJ_HEADERS_MAX 65536u /* bytes of program headers: as Linux, load_elf_phdrs */
#define OBJ_DYNAMIC_MAX 65536u /* entries of the dynamic section */
#define OBJ_STRING_MAX 4096u   /* bytes of one name in it */
#define OBJ_NAMES_MAX 4096u    /* names of one kind: DT_NEEDED, versions … */
#define OBJ_NOTES_MAX (1u << 20) /* bytes of one note segment */

/* A file's bytes, read where they are needed. */
struct obj_bytes {
	uint64_t size;
	/* Exactly n bytes from `at` (never asked beyond size): 0, -1 with *e. */
	int (*read)(const struct obj_bytes *b, uint64_t at, void *p, size_t n, struct err *e);
	const void *mem; /* for obj_bytes_mem */
	int fd;          /* for obj_bytes_fd, borrowed */
};
struct obj_bytes obj_bytes_mem(struct slice s);
struct obj_bytes obj_bytes_fd(int fd, uint64_t size);

enum obj_kind {
	OBJ_RELOCATABLE,  /* ET_REL: .o, kernel module */
	OBJ_CORE,
	OBJ_STATIC,       /* program without interpreter and without dynamic section */
	OBJ_STATIC_PIE,   /* program that relocates itself */
	OBJ_PROGRAM,      /* program that asks for an interpreter */
	OBJ_LIBRARY,      /* ET_DYN without interpreter, and the interpreter itself */
	OBJ_OTHER,
};
const char *obj_kind_name(enum obj_kind k); /* "shared library" … */

enum obj_libc { LIBC_UNKNOWN, LIBC_GLIBC, LIBC_MUSL, LIBC_UCLIBC, LIBC_BIONIC };
const char *obj_libc_name(enum obj_libc l); /* "glibc" … */

struct obj_segment {
	uint32_t type, flags; /* PT_*, PF_* */
	uint64_t offset, vaddr, filesz, memsz, align;
};

/* A version that is asked of another object (DT_VERNEED). */
struct obj_need {
	char *file, *version; /* "libc.so.6", "GLIBC_2.34" */
	bool weak;            /* VER_FLG_WEAK: may be missing */
};

/* One object of a .note.dlopen array: any of the names will do. */
struct obj_dlopen {
	struct strs sonames;
	char *feature, *priority, *description; /* each or NULL; priority: required, recommended, suggested */
};

struct obj {
	enum obj_kind kind;
	bool is64, big_endian;
	uint8_t osabi;
	uint16_t type, machine;  /* ET_*, EM_* */
	uint32_t flags;          /* e_flags */
	uint64_t entry;
	ARRAY_OF(struct obj_segment) segments;
	char *interp;            /* PT_INTERP, or NULL */
	bool has_dynamic;
	struct strs needed;      /* DT_NEEDED, in order */
	struct strs filters, auxiliary; /* DT_FILTER, DT_AUXILIARY */
	struct strs audit;       /* DT_AUDIT, DT_DEPAUDIT: lists separated by ':' as they stand */
	char *soname, *rpath, *runpath; /* or NULL */
	uint64_t dt_flags, dt_flags_1;  /* DT_FLAGS, DT_FLAGS_1 */
	ARRAY_OF(struct obj_need) version_needs;
	struct strs version_defs;       /* names this object defines, its base version too */
	bool has_abi;            /* NT_GNU_ABI_TAG; abi[0]: 0 Linux; the oldest kernel in abi[1..3] */
	uint32_t abi[4];
	uint32_t x86_isa;        /* GNU_PROPERTY_X86_ISA_1_NEEDED: bit 0 baseline, 1 v2, 2 v3, 3 v4 */
	char *build_id;          /* hex, or NULL */
	bool is_go;              /* carries Go's build id note */
	ARRAY_OF(struct obj_dlopen) dlopens;
};

/* 1: an ELF object, *out is filled. 0: not one (no magic number, or shorter than an ident);
 * -1: ERR_DATA, it says it is one but does not keep to the format, or reading failed.
 * *out is to be ended in the first case only. */
int obj_read(const struct obj_bytes *b, struct obj *out, struct err *e) _must_check_;
void obj_done(struct obj *o);

/* File offset of n bytes at a virtual address, by PT_LOAD; -1 if no segment's file part has them all. */
int obj_offset(const struct obj *o, uint64_t vaddr, uint64_t n, uint64_t *offset) _must_check_;

/* The libc an interpreter's path stands for ("/lib/ld-musl-x86_64.so.1"), and the one an object
 * was linked with (by its interpreter, else by its DT_NEEDED). */
enum obj_libc obj_libc_of_interp(const char *interp);
enum obj_libc obj_libc(const struct obj *o);

/* "x86-64", "aarch64" …; for an unknown machine its number. The buffer is the caller's. */
#define OBJ_MACHINE_LEN 32
const char *obj_machine_name(uint16_t machine, bool is64, bool big_endian, char out[static OBJ_MACHINE_LEN]);
/* The architecture in the words of images (Go's GOARCH: "amd64", "arm64", "386" …), or NULL. */
const char *obj_machine_goarch(const struct obj *o);
/* Debian's multiarch directory of this machine ("x86_64-linux-gnu"), or NULL. */
const char *obj_machine_triplet(const struct obj *o);
/* Where the glibc loader of this machine is looked for ("/lib64/ld-linux-x86-64.so.2"), or NULL. */
const char *obj_glibc_loader(const struct obj *o);
/* True if a process of `a` can load `b`: same machine, class and byte order. */
bool obj_same_machine(const struct obj *a, const struct obj *b);
/* True if a kernel of GOARCH `arch` can execute the object (386 on amd64, arm on arm64 counts). */
bool obj_runs_on(const struct obj *o, const char *arch);
