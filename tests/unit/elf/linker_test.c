/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/proc.h"
#include "elf/linker.h"
#include "make_elf.h"

struct fixture {
	char *path;
	int root;
	struct linker_fs fs;
};

static int setup(void **state)
{
	char dir[] = "/tmp/thimble-linker-XXXXXX";
	struct fixture *f = NEW(struct fixture);
	if (!mkdtemp(dir))
		return -1;
	f->path = str_dup(dir);
	f->root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	f->fs = linker_fs_dir(&f->root);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r = fs_remove(AT_FDCWD, f->path, NULL);
	close(f->root);
	free(f->path);
	free(f);
	return r;
}

static void put_bytes(struct fixture *f, const char *path, struct slice bytes)
{
	_free_ char *full = str_printf("%s/%s", f->path, path),
		    *dir = slice_dup(path_dir(slice_of(full)));
	assert_int_equal(fs_mkdirs(AT_FDCWD, dir, 0755, NULL), 0);
	_close_ int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes.p, bytes.n, NULL), 0);
}

static void put_elf(struct fixture *f, const char *path, const struct make_elf *m)
{
	struct buf b;
	make_elf(m, &b);
	put_bytes(f, path, buf_view(&b));
	buf_done(&b);
}

static void put_link(struct fixture *f, const char *path, const char *target)
{
	_free_ char *full = str_printf("%s/%s", f->path, path),
		    *dir = slice_dup(path_dir(slice_of(full)));
	assert_int_equal(fs_mkdirs(AT_FDCWD, dir, 0755, NULL), 0);
	assert_int_equal(symlink(target, full), 0);
}

#define GLIBC "/lib64/ld-linux-x86-64.so.2"
#define MUSL  "/lib/ld-musl-x86_64.so.1"
#define PROGRAM(...)                                                                     \
	&(struct make_elf)                                                               \
	{                                                                                \
		.is64 = true, .type = ET_DYN, .machine = EM_X86_64, .flags_1 = DF_1_PIE, \
		__VA_ARGS__                                                              \
	}
#define LIB(...)                                                                \
	&(struct make_elf)                                                      \
	{                                                                       \
		.is64 = true, .type = ET_DYN, .machine = EM_X86_64, __VA_ARGS__ \
	}

/* name=path of all objects but the program and the interpreter, and !name of what is missing. */
static char *told(const struct linker_closure *c)
{
	struct strs l = { 0 };
	for (size_t i = 1; i < c->objects.n; i++)
		if (c->objects.p[i].how != LINKER_IS_INTERP)
			strs_addf(&l, "%s=%s", c->objects.p[i].name, c->objects.p[i].path);
	arr_each(m, &c->missing)
		strs_addf(&l, "!%s", m->name);
	char *s = strs_join(&l, " ");
	strs_done(&l);
	return s;
}

static void assert_closure(struct fixture *f, const char *program, const struct linker_env *env,
			   const char *want)
{
	struct linker_closure c;
	_cleanup_(err_done) struct err e = { 0 };
	if (linker_closure(&f->fs, program, env, &c, &e) < 0)
		fail_msg("%s", e.chain[0]);
	_free_ char *got = told(&c);
	assert_string_equal(got, want);
	linker_closure_done(&c);
}

/* ---- glibc ---- */

static void glibc__searches_in_its_order(void **state)
{
	static const struct {
		const char *rpath, *runpath, *env, *want;
	} rows[] = {
		{ NULL, NULL, NULL, "libx.so=/lib/libx.so" },
		{ "/rpath", NULL, "/env", "libx.so=/rpath/libx.so" },
		{ NULL, "/runpath", "/env", "libx.so=/env/libx.so" },
		{ NULL, "/runpath", NULL, "libx.so=/runpath/libx.so" },
		{ "/rpath", "/runpath", NULL, "libx.so=/runpath/libx.so" },
		{ "/nowhere:/rpath", NULL, NULL, "libx.so=/rpath/libx.so" },
		{ "$ORIGIN/../rpath", NULL, NULL, "libx.so=/bin/../rpath/libx.so" },
		{ "${ORIGIN}/../rpath", NULL, NULL, "libx.so=/bin/../rpath/libx.so" },
		{ NULL, NULL, "/nowhere;/env", "libx.so=/env/libx.so" },
	};
	struct fixture *f = *state;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "lib/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "rpath/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "runpath/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "env/libx.so", LIB(.soname = "libx.so"));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct linker_env env = { .library_path = rows[i].env };
		put_elf(f, "bin/p",
			PROGRAM(.interp = GLIBC, .needed = { "libx.so" }, .rpath = rows[i].rpath,
				.runpath = rows[i].runpath));
		assert_closure(f, "/bin/p", &env, rows[i].want);
	}
	static const struct {
		const char *rpath, *runpath, *env;
		enum linker_how how;
	} ways[] = {
		{ NULL, NULL, NULL, LINKER_BY_DEFAULT },
		{ "/rpath", NULL, NULL, LINKER_BY_RPATH },
		{ NULL, "/runpath", NULL, LINKER_BY_RUNPATH },
		{ NULL, NULL, "/env", LINKER_BY_ENV },
	};
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct linker_env env = { .library_path = ways[i].env };
		struct linker_closure c;
		put_elf(f, "bin/p",
			PROGRAM(.interp = GLIBC, .needed = { "libx.so" }, .rpath = ways[i].rpath,
				.runpath = ways[i].runpath));
		assert_int_equal(linker_closure(&f->fs, "/bin/p", &env, &c, NULL), 0);
		assert_int_equal(c.objects.p[0].how, LINKER_IS_PROGRAM);
		assert_int_equal(c.objects.p[1].how, LINKER_IS_INTERP);
		assert_int_equal(c.objects.p[2].how, ways[i].how);
		linker_closure_done(&c);
	}
	struct linker_env secure = { .library_path = "/env", .secure = true };
	assert_closure(f, "/bin/p", &secure, "libx.so=/lib/libx.so");
}

static void glibc__inherits_rpath_but_not_runpath(void **state)
{
	struct fixture *f = *state;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "d/liba.so", LIB(.soname = "liba.so", .needed = { "libb.so" }));
	put_elf(f, "d/libb.so", LIB(.soname = "libb.so"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "liba.so" }, .rpath = "/d"));
	assert_closure(f, "/p", NULL, "liba.so=/d/liba.so libb.so=/d/libb.so");
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "liba.so" }, .runpath = "/d"));
	assert_closure(f, "/p", NULL, "liba.so=/d/liba.so !libb.so");
	/* a requester with a RUNPATH of its own does not look at the RPATH of its loaders */
	put_elf(f, "d/liba.so",
		LIB(.soname = "liba.so", .needed = { "libb.so" }, .runpath = "/nowhere"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "liba.so" }, .rpath = "/d"));
	assert_closure(f, "/p", NULL, "liba.so=/d/liba.so !libb.so");
	/* nor does an RPATH count beside a RUNPATH of the same object */
	put_elf(f, "d/liba.so", LIB(.soname = "liba.so", .needed = { "libb.so" }));
	put_elf(f, "p",
		PROGRAM(.interp = GLIBC, .needed = { "liba.so" }, .rpath = "/d", .runpath = "/d"));
	assert_closure(f, "/p", NULL, "liba.so=/d/liba.so !libb.so");
}

static void glibc__loads_breadth_first_and_matches_sonames(void **state)
{
	struct fixture *f = *state;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "lib/libb.so.1", LIB(.soname = "libb.so.1"));
	put_elf(f, "lib/liba.so", LIB(.soname = "liba.so", .needed = { "libc.so.6", "libb.so.1" }));
	put_elf(f, "lib/libc.so.6",
		LIB(.soname = "libc.so.6", .needed = { "ld-linux-x86-64.so.2" }));
	/* the plug-in's name differs from its soname, by which liba asks for it */
	put_elf(f, "lib/plugin.so", LIB(.soname = "libb.so.1"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "liba.so", "/lib/plugin.so" }));
	assert_closure(
		f, "/p", NULL,
		"liba.so=/lib/liba.so /lib/plugin.so=/lib/plugin.so libc.so.6=/lib/libc.so.6");
	/* two names, one file: loaded once */
	put_link(f, "lib/libb2.so", "libb.so.1");
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "libb.so.1", "libb2.so" }));
	assert_closure(f, "/p", NULL, "libb.so.1=/lib/libb.so.1");
}

static void glibc__takes_origin_from_the_path_that_was_opened(void **state)
{
	struct fixture *f = *state;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "real/liba.so",
		LIB(.soname = "liba.so", .needed = { "libdep.so" }, .runpath = "$ORIGIN/dep"));
	put_elf(f, "real/dep/libdep.so", LIB(.soname = "libdep.so"));
	put_link(f, "ln/liba.so", "../real/liba.so");
	put_elf(f, "opt/p",
		PROGRAM(.interp = GLIBC, .needed = { "liba.so" }, .runpath = "$ORIGIN/../ln"));
	put_link(f, "usr/bin/p", "/opt/p");
	/* the program's own origin has no links, a library's has (tried with glibc 2.36 and musl 1.2.3) */
	assert_closure(f, "/usr/bin/p", NULL, "liba.so=/opt/../ln/liba.so !libdep.so");
	put_elf(f, "opt/p", PROGRAM(.interp = GLIBC, .needed = { "liba.so" }, .runpath = "/real"));
	assert_closure(f, "/usr/bin/p", NULL,
		       "liba.so=/real/liba.so libdep.so=/real/dep/libdep.so");
}

static void glibc__passes_over_other_machines_but_not_over_rubbish(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "a/libx.so",
		&(struct make_elf){ .is64 = true, .type = ET_DYN, .machine = EM_AARCH64 });
	put_elf(f, "b/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "libx.so" }, .rpath = "/a:/b"));
	assert_closure(f, "/p", NULL, "libx.so=/b/libx.so");
	put_bytes(f, "a/libx.so", SL("/* GNU ld script */"));
	assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, NULL), 0);
	assert_int_equal(c.missing.n, 1);
	assert_string_equal(c.missing.p[0].unfit, "/a/libx.so");
	assert_string_equal(c.missing.p[0].unfit_why, "is no ELF object");
	linker_closure_done(&c);
}

static void glibc__tells_who_needs_what_and_where_it_looked(void **state)
{
	struct fixture *f = *state;
	struct linker_env env = { .library_path = "/env" };
	struct linker_closure c;

	put_elf(f, "lib/liba.so", LIB(.soname = "liba.so", .needed = { "libgone.so.3" }));
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "liba.so" }, .runpath = "/mine"));
	assert_int_equal(linker_closure(&f->fs, "/p", &env, &c, NULL), 0);
	assert_false(c.interp_found);
	assert_int_equal(c.libc, LIBC_GLIBC);
	assert_int_equal(c.missing.n, 1);
	assert_string_equal(c.missing.p[0].name, "libgone.so.3");
	assert_string_equal(c.objects.p[c.missing.p[0].by].path, "/lib/liba.so");
	_free_ char *where = strs_join(&c.missing.p[0].searched, " ");
	/* no loader to ask: the usual places of the machine */
	assert_string_equal(
		where,
		"/env /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /lib /usr/lib");
	linker_closure_done(&c);
}

static void glibc__reads_its_directories_out_of_the_loader(void **state)
{
	struct fixture *f = *state;
	struct buf b;

	make_elf(LIB(.soname = "ld-linux-x86-64.so.2"), &b);
	buf_add(&b, "\0/etc/x/\0/odd/lib/\0/usr/odd/lib/\0", 33);
	put_bytes(f, GLIBC, buf_view(&b));
	buf_done(&b);
	put_elf(f, "usr/odd/lib/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "lib/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "libx.so" }));
	assert_closure(f, "/p", NULL, "libx.so=/usr/odd/lib/libx.so");
}

static void glibc__keeps_variants_for_other_processors(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "lib/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "lib/glibc-hwcaps/x86-64-v3/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "lib/tls/haswell/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "lib/glibc-hwcaps/x86-64-v2/liby.so", LIB(.soname = "liby.so"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "libx.so", "liby.so" }));
	assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, NULL), 0);
	assert_int_equal(c.objects.n, 4);
	_free_ char *v = strs_join(&c.objects.p[2].variants, " ");
	assert_string_equal(v, "/lib/glibc-hwcaps/x86-64-v3/libx.so /lib/tls/haswell/libx.so");
	assert_false(c.objects.p[2].only_variant);
	assert_true(c.objects.p[3].only_variant);
	assert_string_equal(c.objects.p[3].path, "/lib/glibc-hwcaps/x86-64-v2/liby.so");
	linker_closure_done(&c);
}

static void glibc__checks_versions(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "lib/libc.so.6", LIB(.soname = "libc.so.6", .verdef = "GLIBC_2.36"));
	put_elf(f, "p",
		PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }, .verneed_file = "libc.so.6",
			.verneed = "GLIBC_2.38"));
	assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, NULL), 0);
	assert_int_equal(c.lacks.n, 1);
	assert_string_equal(c.lacks.p[0].version, "GLIBC_2.38");
	assert_string_equal(c.objects.p[c.lacks.p[0].of].path, "/lib/libc.so.6");
	linker_closure_done(&c);
	put_elf(f, "p",
		PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }, .verneed_file = "libc.so.6",
			.verneed = "GLIBC_2.36"));
	assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, NULL), 0);
	assert_int_equal(c.lacks.n, 0);
	linker_closure_done(&c);
	put_elf(f, "p",
		PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }, .verneed_file = "libc.so.6",
			.verneed = "GLIBC_2.38", .weak = true));
	assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, NULL), 0);
	assert_int_equal(c.lacks.n, 0);
	linker_closure_done(&c);
}

static void glibc__preloads_may_be_missing(void **state)
{
	struct fixture *f = *state;
	struct linker_env env = { .preload = "libhook.so /nowhere/libno.so" };
	struct linker_closure c;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "lib/libhook.so", LIB(.soname = "libhook.so"));
	put_elf(f, "lib/libfile.so", LIB(.soname = "libfile.so"));
	put_bytes(f, "etc/ld.so.preload", SL("/lib/libfile.so\n"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC));
	assert_closure(
		f, "/p", &env,
		"libhook.so=/lib/libhook.so /lib/libfile.so=/lib/libfile.so !/nowhere/libno.so");
	assert_int_equal(linker_closure(&f->fs, "/p", &env, &c, NULL), 0);
	assert_true(c.missing.p[0].optional);
	linker_closure_done(&c);
}

static void linker_add__is_a_dlopen(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "lib/libnss_x.so.2", LIB(.soname = "libnss_x.so.2", .needed = { "libdeep.so" }));
	put_elf(f, "lib/libdeep.so", LIB(.soname = "libdeep.so"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC));
	assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, NULL), 0);
	assert_int_equal(linker_add(&c, 0, "libnss_x.so.2", NULL), 1);
	assert_int_equal(linker_add(&c, 0, "libnss_y.so.2", NULL), 0);
	_free_ char *got = told(&c);
	assert_string_equal(
		got, "libnss_x.so.2=/lib/libnss_x.so.2 libdeep.so=/lib/libdeep.so !libnss_y.so.2");
	linker_closure_done(&c);
}

/* ---- musl ---- */

static void musl__has_its_own_order_and_names(void **state)
{
	struct fixture *f = *state;
	struct linker_env env = { .library_path = "/env" };

	put_elf(f, MUSL, LIB(.soname = "libc.musl-x86_64.so.1"));
	put_elf(f, "usr/local/lib/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "usr/lib/libx.so", LIB(.soname = "libx.so"));
	put_elf(f, "p",
		PROGRAM(.interp = MUSL,
			.needed = { "libc.musl-x86_64.so.1", "libpthread.so.0", "libx.so" }));
	assert_closure(f, "/p", NULL, "libx.so=/usr/local/lib/libx.so");
	put_bytes(f, "etc/ld-musl-x86_64.path", SL("/nowhere\n/usr/lib:/lib\n"));
	assert_closure(f, "/p", NULL, "libx.so=/usr/lib/libx.so");
	/* the environment comes first, and a RUNPATH is inherited */
	put_elf(f, "env/libx.so", LIB(.soname = "libx.so"));
	assert_closure(f, "/p", &env, "libx.so=/env/libx.so");
	put_elf(f, "d/liba.so", LIB(.soname = "liba.so", .needed = { "libb.so" }));
	put_elf(f, "d/libb.so", LIB(.soname = "libb.so"));
	put_elf(f, "p", PROGRAM(.interp = MUSL, .needed = { "liba.so" }, .runpath = "/d"));
	assert_closure(f, "/p", NULL, "liba.so=/d/liba.so libb.so=/d/libb.so");
}

static void linker_closure__leaves_static_programs_alone(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;

	put_elf(f, "p",
		&(struct make_elf){
			.is64 = true, .type = ET_EXEC, .machine = EM_X86_64, .no_dynamic = true });
	assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, NULL), 0);
	assert_int_equal(c.objects.n, 1);
	assert_int_equal(c.libc, LIBC_UNKNOWN);
	assert_true(c.interp_found);
	linker_closure_done(&c);
}

static void linker_closure__stays_inside_the_root(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_link(f, "lib/libc.so.6", "../../../../../../lib/x86_64-linux-gnu/libc.so.6");
	put_link(f, "lib/libloop.so", "libloop.so");
	put_elf(f, "p", PROGRAM(.interp = GLIBC, .needed = { "libc.so.6", "libloop.so" }));
	assert_closure(f, "/p", NULL, "!libc.so.6 !libloop.so");
	assert_int_equal(linker_closure(&f->fs, "/gone", NULL, &c, NULL), -1);
}

static void linker_closure__refuses_a_program_that_is_none(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;
	static const struct {
		struct slice bytes;
		const char *want;
	} rows[] = {
		{ SL("#!/bin/sh\n# no ELF object\n"), "'/p' is no ELF object" },
		{ SL("\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\0"),
		  "'/p' is damaged: ELF: the header lies beyond the end of the file" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		put_bytes(f, "p", rows[i].bytes);
		assert_int_equal(linker_closure(&f->fs, "/p", NULL, &c, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.chain[0], rows[i].want);
	}
}

/* What an image can make the linker load is limited. */
static void linker_closure__loads_so_many_and_no_more(void **state)
{
	struct fixture *f = *state;
	struct linker_closure c;
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(strs_done) struct strs names = { 0 };

	put_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	put_elf(f, "p", PROGRAM(.interp = GLIBC));
	put_elf(f, "lib/l0", LIB(.runpath = NULL));
	for (unsigned i = 0; i < LINKER_OBJECTS_MAX - 1; i++) {
		_free_ char *path = str_printf("lib/l%u", i);
		assert_true(i == 0 || linkat(f->root, "lib/l0", f->root, path, 0) == 0);
		strs_addf(&names, "l%u", i);
	}
	/* the program and its interpreter are two of them */
	_free_ char *last = names.p[--names.n], *fit = strs_join(&names, ":"),
		    *more = str_printf("%s:%s", fit, last);
	struct linker_env env = { .preload = fit };
	assert_int_equal(linker_closure(&f->fs, "/p", &env, &c, NULL), 0);
	assert_int_equal(c.objects.n, LINKER_OBJECTS_MAX);
	linker_closure_done(&c);
	env.preload = more;
	assert_int_equal(linker_closure(&f->fs, "/p", &env, &c, &e), -1);
	assert_int_equal(e.kind, ERR_DATA);
	assert_string_equal(e.chain[0], "more than 4096 libraries are asked for");
}

/* ---- against the real linker ---- */

/* "\tNAME => PATH (0x…)" and "\tPATH (0x…)" */
static void read_trace(const char *text, struct strs *out)
{
	struct slice rest = slice_of(text), line;
	while (slice_split(&rest, '\n', &line)) {
		size_t arrow = slice_search(line, SL(" => "));
		line = slice_trim(line);
		if (line.n == 0 || slice_starts(line, SL("linux-vdso")) ||
		    slice_search(line, SL(" (0x")) == line.n)
			continue;
		struct slice path = arrow < line.n
					    ? slice_from(line, slice_search(line, SL(" => ")) + 4)
					    : line;
		strs_take(out, slice_dup(slice_head(path, slice_find(path, ' '))));
	}
	strs_sort(out);
}

static void glibc__agrees_with_the_linker_of_this_machine(void **state)
{
	static const char *const programs[] = {
		"/bin/true",        "/bin/bash",       "/usr/bin/gdb",
		"/usr/bin/python3", "/usr/bin/perl",   "/usr/bin/git",
		"/usr/bin/clang",   "/usr/bin/skopeo", "/usr/bin/podman",
		"/usr/bin/meson",   "/usr/bin/curl",   "/usr/lib/git-core/git-remote-http"
	};
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct linker_fs fs = linker_fs_dir(&root);
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(programs); i++) {
		struct linker_closure c;
		struct strs want = { 0 }, got = { 0 };
		struct buf text = { 0 };
		char *argv[] = { (char *)"env", (char *)"LD_TRACE_LOADED_OBJECTS=1",
				 (char *)programs[i], NULL };
		if (linker_closure(&fs, programs[i], NULL, &c, NULL) < 0)
			continue; /* not installed, or a script */
		if (c.libc != LIBC_GLIBC || proc_run(argv, &text, NULL) < 0) {
			linker_closure_done(&c);
			continue;
		}
		read_trace(buf_view(&text).p, &want);
		for (size_t k = 1; k < c.objects.n; k++)
			strs_add(&got, c.objects.p[k].path);
		strs_sort(&got);
		_free_ char *a = strs_join(&got, "\n"), *b = strs_join(&want, "\n");
		assert_string_equal(a, b);
		assert_int_equal(c.missing.n + c.lacks.n, 0);
		seen += c.objects.n > 2;
		strs_done(&want);
		strs_done(&got);
		buf_done(&text);
		linker_closure_done(&c);
	}
	close(root);
	assert_true(seen > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(glibc__searches_in_its_order),
		TEST(glibc__inherits_rpath_but_not_runpath),
		TEST(glibc__loads_breadth_first_and_matches_sonames),
		TEST(glibc__takes_origin_from_the_path_that_was_opened),
		TEST(glibc__passes_over_other_machines_but_not_over_rubbish),
		TEST(glibc__tells_who_needs_what_and_where_it_looked),
		TEST(glibc__reads_its_directories_out_of_the_loader),
		TEST(glibc__keeps_variants_for_other_processors),
		TEST(glibc__checks_versions),
		TEST(glibc__preloads_may_be_missing),
		TEST(linker_add__is_a_dlopen),
		TEST(musl__has_its_own_order_and_names),
		TEST(linker_closure__leaves_static_programs_alone),
		TEST(linker_closure__stays_inside_the_root),
		TEST(linker_closure__refuses_a_program_that_is_none),
		TEST(linker_closure__loads_so_many_and_no_more),
		cmocka_unit_test(glibc__agrees_with_the_linker_of_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
