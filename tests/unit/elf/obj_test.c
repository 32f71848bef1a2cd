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
#include "base/proc.h"
#include "base/walk.h"
#include "elf/obj.h"
#include "make_elf.h"

static int read_path(const char *path, struct obj *o)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -2;
	struct obj_bytes b = obj_bytes_fd(fd, (uint64_t)st.st_size);
	_cleanup_(err_done) struct err e = { 0 };
	int r = obj_read(&b, o, &e);
	if (r < 0)
		print_message("%s: %s\n", path, e.chain[0]);
	return r;
}

static char *readelf(const char *flag, const char *path)
{
	struct buf out = { 0 };
	char *argv[] = { (char *)"readelf", (char *)"-W", (char *)flag, (char *)path, NULL };
	_cleanup_(err_done) struct err e = { 0 };
	if (proc_run(argv, &out, &e) < 0)
		fail_msg("readelf %s %s: %s", flag, path, e.chain[0]);
	return buf_take(&out);
}

/* Values in brackets of the lines that have `tag`. */
static void bracketed(const char *text, const char *tag, struct strs *out)
{
	struct slice rest = slice_of(text), line;
	while (slice_split(&rest, '\n', &line)) {
		if (slice_search(line, slice_of(tag)) == line.n)
			continue;
		size_t a = slice_find(line, '['), z = slice_find(line, ']');
		assert_true(a < z && z < line.n);
		strs_take(out, str_ndup(line.p + a + 1, z - a - 1));
	}
}

static void assert_same_strs(const char *path, const struct strs *got, const struct strs *want)
{
	_free_ char *a = strs_join(got, " "), *b = strs_join(want, " ");
	if (strcmp(a, b) != 0)
		fail_msg("%s:\n got %s\nwant %s", path, a, b);
}

static void assert_one(const char *path, const char *got, const struct strs *want)
{
	struct strs l = { 0 };
	if (got)
		strs_add(&l, got);
	assert_same_strs(path, &l, want);
	strs_done(&l);
}

/* "Name: X  Flags: …" below the section named, in order; NAME of "File: NAME" in front for needs. */
static void versions(const char *text, bool needs, struct strs *out)
{
	struct slice rest = slice_of(text), line, file = { 0 };
	bool in = false;
	while (slice_split(&rest, '\n', &line)) {
		if (slice_starts(line, SL("Version ")))
			in = slice_starts(line,
					  needs ? SL("Version needs") : SL("Version definition"));
		if (!in)
			continue;
		size_t f = slice_search(line, SL("File: ")), n = slice_search(line, SL("Name: "));
		if (f < line.n)
			file = slice_head(slice_from(line, f + 6),
					  slice_find(slice_from(line, f + 6), ' '));
		if (n == line.n)
			continue;
		/* the parents of a definition have "Parent" instead of "Name" */
		struct slice name = slice_from(line, n + 6);
		name = slice_head(name, slice_find(name, ' '));
		if (needs)
			strs_addf(out, "%.*s:%.*s", SLF(file), SLF(name));
		else
			strs_take(out, slice_dup(name));
	}
}

static void compare_with_readelf(const char *path)
{
	struct obj o;
	struct strs want = { 0 }, got = { 0 };
	_free_ char *d = readelf("-d", path), *v = readelf("-V", path), *l = readelf("-l", path),
		    *n = readelf("-n", path);

	assert_int_equal(read_path(path, &o), 1);
	bracketed(d, "(NEEDED)", &want);
	assert_same_strs(path, &o.needed, &want);
	strs_done(&want);
	bracketed(d, "(SONAME)", &want);
	assert_one(path, o.soname, &want);
	strs_done(&want);
	bracketed(d, "(RUNPATH)", &want);
	assert_one(path, o.runpath, &want);
	strs_done(&want);

	arr_each(it, &o.version_needs)
		strs_addf(&got, "%s:%s", it->file, it->version);
	versions(v, true, &want);
	assert_same_strs(path, &got, &want);
	strs_done(&want);
	strs_done(&got);
	versions(v, false, &want);
	assert_same_strs(path, &o.version_defs, &want);
	strs_done(&want);

	char *interp = strstr(l, "[Requesting program interpreter: ");
	assert_int_equal(interp != NULL, o.interp != NULL);
	if (interp) {
		interp += strlen("[Requesting program interpreter: ");
		assert_int_equal(strncmp(interp, o.interp, strlen(o.interp)), 0);
		assert_int_equal(interp[strlen(o.interp)], ']');
	}
	char *id = strstr(n, "Build ID: ");
	assert_int_equal(id != NULL, o.build_id != NULL);
	if (id)
		assert_int_equal(strncmp(id + 10, o.build_id, strlen(o.build_id)), 0);
	obj_done(&o);
}

static void obj_read__agrees_with_readelf(void **state)
{
	static const char *const files[] = {
		"/bin/true",
		"/bin/sh",
		"/usr/bin/readelf",
		"/usr/bin/gcc",
		"/usr/bin/python3",
		"/lib64/ld-linux-x86-64.so.2",
		"/lib/x86_64-linux-gnu/libc.so.6",
		"/lib/x86_64-linux-gnu/libm.so.6",
		"/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
		"/usr/bin/busybox",
		"/lib/ld-musl-x86_64.so.1",
		"/usr/lib/gcc/x86_64-linux-gnu/12/cc1",
	};
	_free_ char *self = fs_readlink(AT_FDCWD, "/proc/self/exe", NULL);
	unsigned seen = 1;

	(void)state;
	assert_non_null(self);
	compare_with_readelf(self);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (access(files[i], R_OK) == 0) {
			compare_with_readelf(files[i]);
			seen++;
		}
	assert_true(seen >=
		    4); /* at least our own test program, true, sh and readelf are everywhere */
}

static void obj_read__tells_what_kind_of_object(void **state)
{
	static const struct {
		uint16_t type;
		const char *interp, *soname;
		bool no_dynamic;
		uint64_t flags_1;
		enum obj_kind want;
	} rows[] = {
		{ ET_EXEC, NULL, NULL, true, 0, OBJ_STATIC },
		{ ET_EXEC, "/lib/ld.so.1", NULL, false, 0, OBJ_PROGRAM },
		{ ET_DYN, "/lib/ld.so.1", NULL, false, DF_1_PIE, OBJ_PROGRAM },
		{ ET_DYN, "/lib/ld.so.1", NULL, false, 0, OBJ_PROGRAM },
		{ ET_DYN, "/lib/ld.so.1", "libc.so.6", false, 0, OBJ_LIBRARY },
		{ ET_DYN, NULL, NULL, false, DF_1_PIE, OBJ_STATIC_PIE },
		{ ET_DYN, NULL, "libx.so", false, 0, OBJ_LIBRARY },
		{ ET_REL, NULL, NULL, true, 0, OBJ_RELOCATABLE },
		{ ET_CORE, NULL, NULL, true, 0, OBJ_CORE },
		{ 77, NULL, NULL, true, 0, OBJ_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct make_elf m = { .is64 = true,
				      .type = rows[i].type,
				      .machine = EM_X86_64,
				      .interp = rows[i].interp,
				      .soname = rows[i].soname,
				      .no_dynamic = rows[i].no_dynamic,
				      .flags_1 = rows[i].flags_1 };
		struct buf b;
		struct obj o;
		make_elf(&m, &b);
		struct obj_bytes bytes = obj_bytes_mem(buf_view(&b));
		assert_int_equal(obj_read(&bytes, &o, NULL), 1);
		assert_int_equal(o.kind, rows[i].want);
		obj_done(&o);
		buf_done(&b);
	}
}

static void obj_read__reads_both_classes_and_orders(void **state)
{
	static const struct {
		bool is64, big;
		uint16_t machine;
		const char *name, *goarch;
	} rows[] = {
		{ true, false, EM_AARCH64, "aarch64", "arm64" },
		{ true, true, EM_S390, "s390x", "s390x" },
		{ false, false, EM_386, "i386", "386" },
		{ false, true, EM_PPC, "ppc", "ppc" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct make_elf m = { .is64 = rows[i].is64,
				      .big = rows[i].big,
				      .type = ET_DYN,
				      .machine = rows[i].machine,
				      .interp = "/lib/ld-musl-x.so.1",
				      .soname = "libtest.so.3",
				      .rpath = "/a:/b",
				      .runpath = "$ORIGIN",
				      .needed = { "libone.so", "libtwo.so.2" },
				      .flags_1 = DF_1_PIE | DF_1_NODEFLIB,
				      .verneed_file = "libone.so",
				      .verneed = "ONE_1.0",
				      .verdef = "TEST_3" };
		struct buf b;
		struct obj o;
		char name[OBJ_MACHINE_LEN];
		make_elf(&m, &b);
		struct obj_bytes bytes = obj_bytes_mem(buf_view(&b));
		assert_int_equal(obj_read(&bytes, &o, NULL), 1);
		assert_int_equal(o.is64, rows[i].is64);
		assert_int_equal(o.big_endian, rows[i].big);
		assert_string_equal(obj_machine_name(o.machine, o.is64, o.big_endian, name),
				    rows[i].name);
		assert_string_equal(obj_machine_goarch(&o), rows[i].goarch);
		assert_string_equal(o.interp, "/lib/ld-musl-x.so.1");
		assert_string_equal(o.soname, "libtest.so.3");
		assert_string_equal(o.rpath, "/a:/b");
		assert_string_equal(o.runpath, "$ORIGIN");
		assert_int_equal(o.needed.n, 2);
		assert_string_equal(o.needed.p[1], "libtwo.so.2");
		assert_int_equal(o.dt_flags_1, DF_1_PIE | DF_1_NODEFLIB);
		assert_int_equal(o.version_needs.n, 1);
		assert_string_equal(o.version_needs.p[0].file, "libone.so");
		assert_string_equal(o.version_needs.p[0].version, "ONE_1.0");
		assert_int_equal(o.version_defs.n, 1);
		assert_string_equal(o.version_defs.p[0], "TEST_3");
		assert_int_equal(obj_libc(&o), LIBC_MUSL);
		obj_done(&o);
		buf_done(&b);
	}
}

static int read_mem(const void *p, size_t n, char **why)
{
	struct obj o;
	_cleanup_(err_done) struct err e = { 0 };
	struct obj_bytes b = obj_bytes_mem((struct slice){ p, n });
	int r = obj_read(&b, &o, &e);
	if (r > 0)
		obj_done(&o);
	if (why)
		*why = r < 0 ? str_dup(e.chain[0]) : NULL;
	assert_true(r >= 0 || e.kind == ERR_DATA);
	return r;
}

static void obj_read__says_what_is_no_object(void **state)
{
	(void)state;
	assert_int_equal(read_mem("", 0, NULL), 0);
	assert_int_equal(read_mem("#!/bin/sh\necho hello\n", 21, NULL), 0);
	assert_int_equal(read_mem("\177ELF", 4, NULL), 0);
}

/* Cut at every length: never read as whole, and never beyond the end (the copy is exactly as long,
 * so that the sanitizer sees it). */
static void obj_read__refuses_what_is_cut(void **state)
{
	struct make_elf m = { .is64 = true,
			      .type = ET_DYN,
			      .machine = EM_X86_64,
			      .interp = "/lib64/ld-linux-x86-64.so.2",
			      .needed = { "libc.so.6" },
			      .verneed_file = "libc.so.6",
			      .verneed = "GLIBC_2.2.5",
			      .verdef = "X" };
	struct buf b;

	(void)state;
	make_elf(&m, &b);
	for (size_t n = 0; n < b.len; n++) {
		_free_ void *cut = mem_dup(b.p, n);
		assert_int_equal(read_mem(cut, n, NULL), n < EI_NIDENT ? 0 : -1);
	}
	assert_int_equal(read_mem(b.p, b.len, NULL), 1);
	buf_done(&b);
}

static void obj_read__survives_every_changed_byte(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct buf b;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct make_elf m = { .is64 = kind & 1,
				      .big = kind & 2,
				      .type = ET_DYN,
				      .machine = EM_X86_64,
				      .interp = "/lib/ld.so",
				      .needed = { "liba.so" },
				      .verneed_file = "liba.so",
				      .verneed = "A_1",
				      .verdef = "B_1" };
		make_elf(&m, &b);
		for (size_t i = 0; i < b.len; i++) {
			char was = b.p[i];
			for (size_t v = 0; v < COUNT_OF(values); v++) {
				b.p[i] = (char)values[v];
				(void)read_mem(
					b.p, b.len,
					NULL); /* any answer but a crash or another kind of error */
			}
			b.p[i] = was;
		}
		buf_done(&b);
	}
}

static void put64(struct buf *b, size_t at, uint64_t v)
{
	memcpy(b->p + at, &v,
	       8); /* little-endian machines run this test; see obj.c for the others */
}

static void obj_read__refuses_numbers_that_wrap_around(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		const char *why;
	} rows[] = {
		{ 32, UINT64_MAX - 8, "beyond the end" }, /* e_phoff */
		{ 64 + 56 + 8, UINT64_MAX - 2, "beyond the end" }, /* p_offset of PT_INTERP */
		{ 64 + 56 + 32, UINT64_MAX, "bytes long" }, /* p_filesz of PT_INTERP */
		{ 64 + 2 * 56 + 8, UINT64_MAX - 16, "beyond the end" }, /* p_offset of PT_DYNAMIC */
		{ 64 + 2 * 56 + 32, UINT64_MAX / 2, "more than" }, /* p_filesz of PT_DYNAMIC */
		{ 64 + 8, UINT64_MAX - 0x100, NULL }, /* p_offset of PT_LOAD */
	};
	struct make_elf m = { .is64 = true,
			      .type = ET_DYN,
			      .machine = EM_X86_64,
			      .interp = "/lib64/ld-linux-x86-64.so.2",
			      .needed = { "libc.so.6" } };
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_free_ char *why = NULL;
		make_elf(&m, &b);
		put64(&b, rows[i].at, rows[i].value);
		assert_int_equal(read_mem(b.p, b.len, &why), -1);
		if (rows[i].why && !strstr(why, rows[i].why))
			fail_msg("row %zu says '%s'", i, why);
		buf_done(&b);
	}
}

/* A 64-bit library, little-endian, whose one segment is loaded at `base`: header, PT_LOAD, PT_DYNAMIC,
 * the bytes of `body`, then a dynamic section of the `n` entries. In these, and only there, values of
 * IN_BODY and more stand for an address in the body. */
#define IN_BODY   (UINT64_C(1) << 63)
#define BODY_AT   (64u + 2u * 56u)
#define LAST_PAGE UINT64_C(0xfffffffffffff000)
static void put_library(struct buf *b, uint64_t base, struct slice body, const uint64_t (*dyn)[2],
			size_t n)
{
	uint64_t dyn_at = BODY_AT + body.n, end = dyn_at + 16 * n;

	buf_str(b, "\177ELF\2\1\1");
	buf_zero(b, 9);
	buf_le16(b, ET_DYN), buf_le16(b, EM_X86_64), buf_le32(b, 1);
	buf_le64(b, 0), buf_le64(b, 64), buf_le64(b, 0), buf_le32(b, 0);
	buf_le16(b, 64), buf_le16(b, 56), buf_le16(b, 2), buf_zero(b, 6);
	buf_le32(b, PT_LOAD), buf_le32(b, PF_R), buf_le64(b, 0), buf_le64(b, base), buf_le64(b, base);
	buf_le64(b, end), buf_le64(b, end), buf_le64(b, 4096);
	buf_le32(b, PT_DYNAMIC), buf_le32(b, PF_R), buf_le64(b, dyn_at), buf_le64(b, base + dyn_at);
	buf_le64(b, base + dyn_at), buf_le64(b, 16 * n), buf_le64(b, 16 * n), buf_le64(b, 8);
	buf_slice(b, body);
	for (size_t i = 0; i < n; i++) {
		uint64_t v = dyn[i][1];
		buf_le64(b, dyn[i][0]);
		buf_le64(b, v >= IN_BODY ? base + BODY_AT + (v - IN_BODY) : v);
	}
}

static void obj_read__refuses_names_without_end(void **state)
{
	uint64_t (*dyn)[2] = mem_array(OBJ_NAMES_MAX + 3, sizeof *dyn);
	static const uint64_t tags[] = { DT_NEEDED, DT_FILTER, DT_AUXILIARY, DT_AUDIT };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(tags); i++)
		for (unsigned more = 0; more < 2; more++) {
			_cleanup_(buf_done) struct buf b = { 0 };
			_free_ char *why = NULL;
			unsigned n = 0;
			dyn[n][0] = DT_STRTAB, dyn[n++][1] = IN_BODY;
			dyn[n][0] = DT_STRSZ, dyn[n++][1] = 4;
			while (n < 2 + OBJ_NAMES_MAX + more)
				dyn[n][0] = tags[i], dyn[n++][1] = 1;
			put_library(&b, 0, (struct slice){ "\0a\0\0", 4 }, (const uint64_t (*)[2])dyn, n);
			assert_int_equal(read_mem(b.p, b.len, &why), more ? -1 : 1);
			if (more)
				assert_string_equal(why, "ELF: more than 4096 names of one kind");
		}
	free(dyn);
}

/* Each record says how far off the next one, or its names, are: beyond the last address there is, the
 * sum begins anew at the first. */
static void obj_read__refuses_versions_that_wrap_around(void **state)
{
	static const struct {
		uint64_t tag;
		uint8_t at; /* in the records: what is set to a page */
		const char *why;
	} rows[] = {
		{ DT_VERNEED, 0, NULL },
		{ DT_VERNEED, 8, "ELF: the needed versions do not end" },       /* vn_aux */
		{ DT_VERNEED, 12, "ELF: the needed versions do not end" },      /* vn_next */
		{ DT_VERNEED, 16 + 12, "ELF: the needed versions do not end" }, /* vna_next */
		{ DT_VERDEF, 0, NULL },
		{ DT_VERDEF, 12, "ELF: the defined versions do not end" }, /* vd_aux */
		{ DT_VERDEF, 16, "ELF: the defined versions do not end" }, /* vd_next */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(buf_done) struct buf body = { 0 }, b = { 0 };
		_free_ char *why = NULL;
		bool need = rows[i].tag == DT_VERNEED;
		const uint64_t dyn[][2] = {
			{ DT_STRTAB, IN_BODY },
			{ DT_STRSZ, 4 },
			{ rows[i].tag, IN_BODY + 4 },
			{ need ? DT_VERNEEDNUM : DT_VERDEFNUM, 1 },
		};
		buf_add(&body, "\0a\0\0", 4);
		if (need) {
			buf_le16(&body, 1), buf_le16(&body, 1), buf_le32(&body, 1); /* Verneed */
			buf_le32(&body, 16), buf_le32(&body, 0);
			buf_le32(&body, 0), buf_le16(&body, 0), buf_le16(&body, 2); /* Vernaux */
			buf_le32(&body, 1), buf_le32(&body, 0);
		} else {
			buf_le16(&body, 1), buf_le16(&body, 0), buf_le16(&body, 1); /* Verdef */
			buf_le16(&body, 1), buf_le32(&body, 0), buf_le32(&body, 20), buf_le32(&body, 0);
			buf_le32(&body, 1), buf_le32(&body, 0); /* Verdaux */
		}
		if (rows[i].why)
			memcpy(body.p + 4 + rows[i].at, "\0\x10\0\0", 4);
		put_library(&b, LAST_PAGE, buf_view(&body), dyn, COUNT_OF(dyn));
		assert_int_equal(read_mem(b.p, b.len, &why), rows[i].why ? -1 : 1);
		if (rows[i].why)
			assert_string_equal(why, rows[i].why);
	}
}

/* The count is a lie: the chain of records says where it ends. */
static void obj_read__does_not_believe_the_count_of_versions(void **state)
{
	struct make_elf m = {
		.is64 = true, .type = ET_DYN, .machine = EM_X86_64, .verdef = "LOOP_1"
	};
	struct buf b;

	(void)state;
	make_elf(&m, &b);
	for (size_t i = 0; i + 16 < b.len; i++)
		if (memcmp(b.p + i, "\375\377\377\157\0\0\0\0", 8) == 0) /* DT_VERDEFNUM */
			put64(&b, i + 8, UINT64_MAX);
	assert_int_equal(read_mem(b.p, b.len, NULL), 1);
	buf_done(&b);
}

static void obj_read__reads_notes(void **state)
{
	static const char json[] =
		"[{\"soname\":[\"libz.so.1\",\"libz.so\"],\"feature\":\"gzip\",\"priority\":\"recommended\"},"
		"{\"nothing\":1},{\"soname\":[\"libx.so\"]}]";
	struct buf b = { 0 };
	struct obj o;

	(void)state;
	/* header, one PT_NOTE, the note */
	buf_str(&b, "\177ELF\2\1\1");
	buf_zero(&b, 9);
	buf_le16(&b, ET_DYN), buf_le16(&b, EM_X86_64), buf_le32(&b, 1);
	buf_le64(&b, 0), buf_le64(&b, 64), buf_le64(&b, 0), buf_le32(&b, 0);
	buf_le16(&b, 64), buf_le16(&b, 56), buf_le16(&b, 1), buf_le16(&b, 0), buf_le16(&b, 0),
		buf_le16(&b, 0);
	buf_le32(&b, PT_NOTE), buf_le32(&b, PF_R), buf_le64(&b, 120), buf_le64(&b, 120),
		buf_le64(&b, 120);
	size_t size_at = b.len;
	buf_le64(&b, 0), buf_le64(&b, 0), buf_le64(&b, 4);
	buf_le32(&b, 4), buf_le32(&b, sizeof json), buf_le32(&b, 0x407c0c0a);
	buf_add(&b, "FDO", 4), buf_add(&b, json, sizeof json);
	buf_zero(&b, (4 - b.len % 4) % 4);
	buf_le32(&b, 4), buf_le32(&b, 0), buf_le32(&b, 4), buf_add(&b, "Go\0", 4);
	put64(&b, size_at, b.len - 120);

	struct obj_bytes bytes = obj_bytes_mem(buf_view(&b));
	assert_int_equal(obj_read(&bytes, &o, NULL), 1);
	assert_int_equal(o.dlopens.n, 2);
	assert_string_equal(o.dlopens.p[0].sonames.p[1], "libz.so");
	assert_string_equal(o.dlopens.p[0].feature, "gzip");
	assert_string_equal(o.dlopens.p[0].priority, "recommended");
	assert_null(o.dlopens.p[1].priority);
	assert_true(o.is_go);
	obj_done(&o);
	buf_done(&b);
}

/* The seeds of the fuzz target, and what it found (refuse-…): an answer without a crash. */
static void obj_read__answers_for_every_seed(void **state)
{
	_cleanup_(walk_closep) struct walk *w = walk_open(AT_FDCWD, DATA_DIR, NULL);
	struct walk_entry ent;
	unsigned objects = 0;

	(void)state;
	assert_non_null(w);
	while (walk_next(w, &ent, NULL) > 0) {
		_cleanup_(buf_done) struct buf b = { 0 };
		assert_int_equal(fs_read(ent.dirfd, ent.name, 1 << 20, &b, NULL), 0);
		int r = read_mem(b.p, b.len, NULL);
		objects += r > 0;
		if (strncmp(ent.name, "refuse-", 7) == 0)
			assert_int_equal(r, -1);
	}
	assert_true(objects >= 6);
}

static void obj_libc_of_interp__knows_the_loaders(void **state)
{
	static const struct {
		const char *interp;
		enum obj_libc want;
	} rows[] = {
		{ "/lib64/ld-linux-x86-64.so.2", LIBC_GLIBC },
		{ "/lib/ld-linux-aarch64.so.1", LIBC_GLIBC },
		{ "/lib/ld64.so.1", LIBC_GLIBC },
		{ "/lib/ld.so.1", LIBC_GLIBC },
		{ "/lib/ld-musl-x86_64.so.1", LIBC_MUSL },
		{ "/lib/ld-uClibc.so.0", LIBC_UCLIBC },
		{ "/system/bin/linker64", LIBC_BIONIC },
		{ "/bin/sh", LIBC_UNKNOWN },
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(obj_libc_of_interp(rows[i].interp), rows[i].want);
}

static void obj_runs_on__knows_which_machine_runs_what(void **state)
{
	struct obj x64 = { .is64 = true, .machine = EM_X86_64 }, x86 = { .machine = EM_386 };
	struct obj arm64 = { .is64 = true, .machine = EM_AARCH64 };
	(void)state;
	assert_true(obj_runs_on(&x64, "amd64"));
	assert_true(obj_runs_on(&x86, "amd64"));
	assert_false(obj_runs_on(&x64, "386"));
	assert_false(obj_runs_on(&arm64, "amd64"));
	assert_false(obj_runs_on(&x64, "arm64"));
	assert_true(obj_runs_on(&x64, "an-architecture-of-tomorrow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(obj_read__agrees_with_readelf),
		cmocka_unit_test(obj_read__tells_what_kind_of_object),
		cmocka_unit_test(obj_read__reads_both_classes_and_orders),
		cmocka_unit_test(obj_read__says_what_is_no_object),
		cmocka_unit_test(obj_read__refuses_what_is_cut),
		cmocka_unit_test(obj_read__survives_every_changed_byte),
		cmocka_unit_test(obj_read__refuses_numbers_that_wrap_around),
		cmocka_unit_test(obj_read__refuses_names_without_end),
		cmocka_unit_test(obj_read__refuses_versions_that_wrap_around),
		cmocka_unit_test(obj_read__does_not_believe_the_count_of_versions),
		cmocka_unit_test(obj_read__reads_notes),
		cmocka_unit_test(obj_read__answers_for_every_seed),
		cmocka_unit_test(obj_libc_of_interp__knows_the_loaders),
		cmocka_unit_test(obj_runs_on__knows_which_machine_runs_what),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
