/* SPDX-License-Identifier: Apache-2.0 */
/* elf/names.c: what the numbers of an object are called, and what its names stand for. */
#include "base/path.h"
#include "elf/obj.h"
#include <stdio.h>

const char *obj_kind_name(enum obj_kind k)
{
	switch (k) {
	case OBJ_RELOCATABLE: return "object file";
	case OBJ_CORE: return "core dump";
	case OBJ_STATIC: return "static program";
	case OBJ_STATIC_PIE: return "static position-independent program";
	case OBJ_PROGRAM: return "dynamic program";
	case OBJ_LIBRARY: return "shared library";
	case OBJ_OTHER: break;
	}
	return "ELF object of an unknown type";
}

const char *obj_libc_name(enum obj_libc l)
{
	switch (l) {
	case LIBC_GLIBC: return "glibc";
	case LIBC_MUSL: return "musl";
	case LIBC_UCLIBC: return "uClibc";
	case LIBC_BIONIC: return "bionic";
	case LIBC_UNKNOWN: break;
	}
	return "unknown libc";
}

/* One row an architecture; the first that fits counts. Loaders: glibc's shlib-versions files,
 * and the ABI lists of each port. */
static const struct machine {
	uint16_t machine;
	int bits; /* 0: both */
	int order; /* 0: both, 1: little, 2: big */
	const char *name, *goarch, *triplet, *loader;
} machines[] = {
	{ EM_X86_64, 64, 1, "x86-64", "amd64", "x86_64-linux-gnu", "/lib64/ld-linux-x86-64.so.2" },
	{ EM_X86_64, 32, 1, "x32", "amd64", "x86_64-linux-gnux32", "/libx32/ld-linux-x32.so.2" },
	{ EM_386, 32, 1, "i386", "386", "i386-linux-gnu", "/lib/ld-linux.so.2" },
	{ EM_AARCH64, 64, 1, "aarch64", "arm64", "aarch64-linux-gnu",
	  "/lib/ld-linux-aarch64.so.1" },
	{ EM_AARCH64, 64, 2, "aarch64 (big-endian)", "arm64be", "aarch64_be-linux-gnu",
	  "/lib/ld-linux-aarch64_be.so.1" },
	{ EM_ARM, 32, 1, "arm", "arm", "arm-linux-gnueabihf", "/lib/ld-linux-armhf.so.3" },
	{ EM_RISCV, 64, 1, "riscv64", "riscv64", "riscv64-linux-gnu",
	  "/lib/ld-linux-riscv64-lp64d.so.1" },
	{ EM_PPC64, 64, 1, "ppc64le", "ppc64le", "powerpc64le-linux-gnu", "/lib64/ld64.so.2" },
	{ EM_PPC64, 64, 2, "ppc64", "ppc64", "powerpc64-linux-gnu", "/lib64/ld64.so.1" },
	{ EM_PPC, 32, 2, "ppc", "ppc", "powerpc-linux-gnu", "/lib/ld.so.1" },
	{ EM_S390, 64, 2, "s390x", "s390x", "s390x-linux-gnu", "/lib/ld64.so.1" },
	{ EM_MIPS, 64, 1, "mips64le", "mips64le", "mips64el-linux-gnuabi64", "/lib64/ld.so.1" },
	{ EM_MIPS, 64, 2, "mips64", "mips64", "mips64-linux-gnuabi64", "/lib64/ld.so.1" },
	{ EM_MIPS, 32, 1, "mipsle", "mipsle", "mipsel-linux-gnu", "/lib/ld.so.1" },
	{ EM_MIPS, 32, 2, "mips", "mips", "mips-linux-gnu", "/lib/ld.so.1" },
	{ 258 /* EM_LOONGARCH */, 64, 1, "loongarch64", "loong64", "loongarch64-linux-gnu",
	  "/lib64/ld-linux-loongarch-lp64d.so.1" },
	{ EM_SPARCV9, 64, 2, "sparc64", "sparc64", "sparc64-linux-gnu", "/lib64/ld-linux.so.2" },
};

static const struct machine *find_machine(uint16_t machine, bool is64, bool big)
{
	for (size_t i = 0; i < COUNT_OF(machines); i++) {
		const struct machine *m = &machines[i];
		if (m->machine == machine && m->bits == (is64 ? 64 : 32) &&
		    m->order == (big ? 2 : 1))
			return m;
	}
	return NULL;
}

static const struct machine *machine_of(const struct obj *o)
{
	return find_machine(o->machine, o->is64, o->big_endian);
}

const char *obj_machine_name(uint16_t machine, bool is64, bool big_endian,
			     char out[static OBJ_MACHINE_LEN])
{
	const struct machine *m = find_machine(machine, is64, big_endian);

	if (m)
		return m->name;
	(void)snprintf(out, OBJ_MACHINE_LEN, "machine %u", machine);
	return out;
}

const char *obj_machine_goarch(const struct obj *o)
{
	const struct machine *m = machine_of(o);

	return m ? m->goarch : NULL;
}

const char *obj_machine_triplet(const struct obj *o)
{
	const struct machine *m = machine_of(o);

	return m ? m->triplet : NULL;
}

const char *obj_glibc_loader(const struct obj *o)
{
	const struct machine *m = machine_of(o);

	return m ? m->loader : NULL;
}

bool obj_same_machine(const struct obj *a, const struct obj *b)
{
	return a->machine == b->machine && a->is64 == b->is64 && a->big_endian == b->big_endian;
}

bool obj_runs_on(const struct obj *o, const char *arch)
{
	const char *own = obj_machine_goarch(o);
	bool known = false;

	for (size_t i = 0; i < COUNT_OF(machines); i++)
		known = known || strcmp(machines[i].goarch, arch) == 0;
	if (!known || (own && strcmp(own, arch) == 0))
		return true;
	return (o->machine == EM_386 && strcmp(arch, "amd64") == 0) ||
	       (o->machine == EM_ARM && !o->big_endian && strcmp(arch, "arm64") == 0);
}

enum obj_libc obj_libc_of_interp(const char *interp)
{
	struct slice base = path_base(slice_of(interp));

	if (slice_starts(base, SL("ld-musl-")))
		return LIBC_MUSL;
	if (slice_starts(base, SL("ld-uClibc")) || slice_starts(base, SL("ld64-uClibc")))
		return LIBC_UCLIBC;
	if (slice_starts(base, SL("ld-linux")) || slice_starts(base, SL("ld64.so.")) ||
	    slice_starts(base, SL("ld.so.")) || slice_starts(base, SL("ld-lsb")))
		return LIBC_GLIBC;
	if (slice_is(base, "linker") || slice_is(base, "linker64"))
		return LIBC_BIONIC;
	return LIBC_UNKNOWN;
}

static enum obj_libc libc_of_needed(struct slice name)
{
	if (slice_starts(name, SL("libc.musl-")))
		return LIBC_MUSL;
	if (slice_is(name, "libc.so.6") || slice_is(name, "libc.so.6.1"))
		return LIBC_GLIBC;
	if (slice_is(name, "libc.so.0") || slice_is(name, "libc.so.1"))
		return LIBC_UCLIBC;
	/* bionic says libc.so too, but with an interpreter of its own */
	return slice_is(name, "libc.so") ? LIBC_MUSL : LIBC_UNKNOWN;
}

enum obj_libc obj_libc(const struct obj *o)
{
	enum obj_libc l = o->interp ? obj_libc_of_interp(o->interp) : LIBC_UNKNOWN;

	for (size_t i = 0; l == LIBC_UNKNOWN && i < o->needed.n; i++)
		l = libc_of_needed(slice_of(o->needed.p[i]));
	return l;
}
