/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>
#include "explain/look.h"
#include "fake_image.h"

static int setup(void **state)
{
	struct fake *f = NEW(struct fake);
	fake_init(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_done(*state);
	free(*state);
	return 0;
}

/* Explains Entrypoint + Cmd and compares all that is told. */
static void assert_told(struct fake *f, const struct explain_from *from, enum cause cause,
			const char *brief, const char *text)
{
	struct explanation x = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	int r = explain_program(&f->fs, &f->cfg, NULL, NULL, from, &x, &e);
	if (r < 0)
		fail_msg("%s", e.chain[0]);
	assert_int_equal(r, 1);
	_free_ char *got = fake_text(&x);
	assert_string_equal(cause_name(x.cause), cause_name(cause));
	assert_string_equal(x.brief, brief);
	if (text)
		assert_string_equal(got, text);
	explanation_done(&x);
}

static void assert_fine(struct fake *f)
{
	struct explanation x = { 0 };
	if (explain_program(&f->fs, &f->cfg, NULL, NULL, NULL, &x, NULL) != 0) {
		_free_ char *got = fake_text(&x);
		fail_msg("%s", got);
	}
}

/* For a table of commands on one sealed image. */
static void assert_cause(struct fake *f, const char *const *argv, enum cause cause,
			 const char *brief)
{
	struct explanation x = { 0 };
	int r = explain_program(&f->fs, &f->cfg, (char *const *)argv, NULL, NULL, &x, NULL);
	if (strcmp(cause_name(x.cause), cause_name(cause)) != 0)
		fail_msg("%s: %s, not %s (%s)", argv[0], cause_name(x.cause), cause_name(cause),
			 x.headline ? x.headline : "");
	assert_int_equal(r, cause != CAUSE_NONE);
	if (brief)
		assert_string_equal(x.brief, brief);
	explanation_done(&x);
}

/* ---- 1: string form without a shell ---- */

static void string_form__without_a_shell_gives_the_json_form(void **state)
{
	struct fake *f = *state;

	fake_elf(f, "hello",
		 &(struct make_elf){
			 .is64 = true, .type = ET_EXEC, .machine = EM_X86_64, .no_dynamic = true });
	fake_words(&f->cfg.cmd, WORDS("/bin/sh", "-c", "./hello -n 'two words'"));
	fake_seal(f);
	assert_told(
		f, NULL, CAUSE_NO_SHELL, "no /bin/sh",
		"thimble: CMD ./hello -n 'two words' is in string form, which runs /bin/sh -c, and the image has no /bin/sh\n"
		"  try      write the JSON form, which needs no shell:\n"
		"           CMD [\"./hello\", \"-n\", \"two words\"]\n"
		"  try      or use a base that has /bin/sh:\n"
		"           FROM busybox\n");
}

static void string_form__of_an_entrypoint_that_needs_a_shell_says_why(void **state)
{
	struct fake *f = *state;

	fake_words(&f->cfg.entrypoint, WORDS("/bin/sh", "-c", "exec ./hello $NAME"));
	fake_words(&f->cfg.cmd, WORDS("ignored"));
	fake_seal(f);
	assert_told(
		f, NULL, CAUSE_NO_SHELL, "no /bin/sh",
		"thimble: ENTRYPOINT exec ./hello $NAME is in string form, which runs /bin/sh -c, and the image has no /bin/sh\n"
		"  because  the command needs a shell: it uses $NAME\n"
		"  try      use a base that has /bin/sh:\n"
		"           FROM busybox\n");
}

/* The JSON form would fail too, and the user should not have to find that out next. */
static void string_form__looks_at_the_program_as_well(void **state)
{
	struct fake *f = *state;
	struct explanation x = { 0 };

	fake_elf(f, "hello", PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }));
	fake_words(&f->cfg.cmd, WORDS("/bin/sh", "-c", "./hello"));
	fake_seal(f);
	assert_int_equal(explain_program(&f->fs, &f->cfg, NULL, NULL, NULL, &x, NULL), 1);
	_free_ char *text = fake_text(&x);
	assert_int_equal(x.cause, CAUSE_NO_SHELL);
	assert_non_null(strstr(text, "CMD [\"./hello\"]"));
	assert_non_null(strstr(text,
			       "and without the shell: './hello' cannot start: its loader " GLIBC
			       " is not in the image"));
	assert_non_null(strstr(text, "RUN gcc -static -o hello hello.c"));
	assert_null(strstr(text, "FROM busybox\n")); /* its libc is not the one that is asked for */
	explanation_done(&x);

	const char *const gone[] = { "/bin/sh", "-c", "echo hi", NULL };
	assert_int_equal(
		explain_program(&f->fs, &f->cfg, (char *const *)gone, NULL, NULL, &x, NULL), 1);
	_free_ char *more = fake_text(&x);
	assert_non_null(strstr(more, "nor does it have a program 'echo'"));
	explanation_done(&x);
}

static void string_form__is_followed_through_a_shell_that_is_there(void **state)
{
	struct fake *f = *state;

	fake_copy(f, "/bin/busybox", "bin/busybox");
	fake_link(f, "bin/sh", "busybox");
	fake_elf(f, "hello", PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }));
	fake_put(f, "script", 0755, SL("echo no interpreter, and the shell does not mind\n"));
	fake_put(f, "empty", 0755, SL(""));
	fake_seal(f);
	assert_cause(f, WORDS("/bin/sh", "-c", "exec ./hello"), CAUSE_NO_LOADER,
		     "no libc (ld-linux-x86-64.so.2)");
	assert_cause(f, WORDS("/bin/sh", "-c", "./nothing"), CAUSE_NOT_FOUND, "no /nothing");
	assert_cause(f, WORDS("/bin/sh", "-c", "./script"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/bin/sh", "-c", "./empty"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/bin/sh", "-c", "./nothing || ./hello"), CAUSE_NONE,
		     NULL); /* not sure */
	assert_cause(f, WORDS("/bin/sh", "-c", "wget -q x"), CAUSE_NONE,
		     NULL); /* an applet, perhaps */
	assert_cause(f, WORDS("/bin/sh", "-c", "cd /"), CAUSE_NONE, NULL);
}

/* ---- 2: no loader ---- */

static void no_loader__in_scratch(void **state)
{
	struct fake *f = *state;

	fake_elf(f, "hello", PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }));
	fake_words(&f->cfg.cmd, WORDS("./hello"));
	fake_seal(f);
	assert_told(
		f, NULL, CAUSE_NO_LOADER, "no libc (ld-linux-x86-64.so.2)",
		"thimble: './hello' cannot start: its loader /lib64/ld-linux-x86-64.so.2 is not in the image\n"
		"  because  '/hello' is linked dynamically (glibc, x86-64): the kernel starts /lib64/ld-linux-x86-64.so.2, which "
		"loads the libraries; without it the kernel says \"no such file or directory\", though the program is there\n"
		"  because  it needs libc.so.6\n"
		"  try      link it statically, in the build stage:\n"
		"           RUN gcc -static -o hello hello.c\n"
		"  try      or copy its loader and libraries from the build stage (places as on Debian; `ldd /hello` there tells them):\n"
		"           COPY --from=build /lib64/ld-linux-x86-64.so.2 /lib64/\n"
		"           COPY --from=build /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/\n"
		"  try      or run it on a base that has glibc:\n"
		"           FROM busybox:glibc\n");
}

static void no_loader__names_the_files_of_the_stage_it_was_built_in(void **state)
{
	struct fake *f = *state;
	struct fake stage;
	struct explain_from from = { .name = "build" };

	fake_elf(f, "hello",
		 PROGRAM(.interp = GLIBC,
			 .needed = { "libz.so.1", "libx.so", "libc.so.6", "libgone.so" }));
	fake_elf(f, "usr/lib/libz.so.1", LIB(.soname = "libz.so.1"));
	fake_words(&f->cfg.cmd, WORDS("./hello"));
	fake_seal(f);
	fake_init(&stage);
	fake_elf(&stage, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2", .verdef = "GLIBC_2.2.5"));
	fake_elf(&stage, "lib/x86_64-linux-gnu/libc.so.6", LIB(.soname = "libc.so.6"));
	fake_elf(&stage, "usr/lib/libz.so.1",
		 LIB(.soname = "libz.so.1", .needed = { "libdeep.so" }));
	fake_elf(&stage, "usr/lib/libx.so", LIB(.soname = "libx.so"));
	fake_elf(&stage, "usr/lib/libdeep.so", LIB(.soname = "libdeep.so"));
	/* another program of that name: the one in the image counts */
	fake_elf(&stage, "hello", PROGRAM(.interp = GLIBC));
	fake_seal(&stage);
	from.fs = stage.fs;
	assert_told(
		f, &from, CAUSE_NO_LOADER, "no libc (ld-linux-x86-64.so.2)",
		"thimble: './hello' cannot start: its loader /lib64/ld-linux-x86-64.so.2 is not in the image\n"
		"  because  '/hello' is linked dynamically (glibc, x86-64): the kernel starts /lib64/ld-linux-x86-64.so.2, which "
		"loads the libraries; without it the kernel says \"no such file or directory\", though the program is there\n"
		"  because  it needs libz.so.1, libx.so, libc.so.6, libgone.so\n"
		"  because  'build' does not have libgone.so either\n"
		"  try      link it statically, in the build stage:\n"
		"           RUN gcc -static -o hello hello.c\n"
		"  try      or copy exactly these files:\n"
		"           COPY --from=build /lib64/ld-linux-x86-64.so.2 /lib64/\n"
		"           COPY --from=build /usr/lib/libx.so /usr/lib/libdeep.so /usr/lib/\n"
		"           COPY --from=build /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/\n"
		"  try      or run it on a base that has glibc and more libraries:\n"
		"           FROM debian\n");
	fake_done(&stage);
}

/* ---- 3: the other libc ---- */

static void wrong_libc__glibc_program_in_a_musl_image(void **state)
{
	struct fake *f = *state;

	fake_elf(f, "hello", PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }));
	fake_elf(f, MUSL, LIB(.soname = "libc.musl-x86_64.so.1"));
	fake_put(f, "etc/os-release", 0644, SL("ID=alpine\nPRETTY_NAME=\"Alpine Linux v3.18\"\n"));
	fake_words(&f->cfg.entrypoint, WORDS("/hello"));
	fake_seal(f);
	assert_told(
		f, NULL, CAUSE_WRONG_LIBC, "wrong libc: glibc program, musl image",
		"thimble: '/hello' cannot start: it is linked with glibc, and the image has musl\n"
		"  because  '/hello' asks for the loader /lib64/ld-linux-x86-64.so.2, which is that of glibc; the image does not have it\n"
		"  because  the image has musl: /lib/ld-musl-x86_64.so.1 (Alpine Linux v3.18)\n"
		"  try      link it statically, in the build stage:\n"
		"           RUN gcc -static -o hello hello.c\n"
		"  try      or build it where musl is:\n"
		"           RUN musl-gcc -o hello hello.c\n"
		"  try      or run it on a base that has glibc:\n"
		"           FROM busybox:glibc\n");
}

static void wrong_libc__musl_program_in_a_glibc_image(void **state)
{
	struct fake *f = *state;

	fake_elf(f, "hello", PROGRAM(.interp = MUSL, .needed = { "libc.musl-x86_64.so.1" }));
	fake_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2"));
	fake_words(&f->cfg.entrypoint, WORDS("/hello"));
	fake_seal(f);
	assert_told(
		f, NULL, CAUSE_WRONG_LIBC, "wrong libc: musl program, glibc image",
		"thimble: '/hello' cannot start: it is linked with musl, and the image has glibc\n"
		"  because  '/hello' asks for the loader /lib/ld-musl-x86_64.so.1, which is that of musl; the image does not have it\n"
		"  because  the image has glibc: /lib64/ld-linux-x86-64.so.2\n"
		"  try      link it statically, in the build stage:\n"
		"           RUN musl-gcc -static -o hello hello.c\n"
		"  try      or copy its loader and libraries from the build stage (places as on Debian; `ldd /hello` there tells them):\n"
		"           COPY --from=build /lib/ld-musl-x86_64.so.1 /lib/\n"
		"  try      or run it on a base that has musl:\n"
		"           FROM alpine\n");
}

/* A link ld-linux -> ld-musl, or gcompat's loader: it may run, so nothing is told. */
static void wrong_libc__is_not_claimed_where_something_stands_in(void **state)
{
	struct fake *f = *state;

	fake_elf(f, "hello", PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }));
	fake_elf(f, MUSL, LIB(.soname = "libc.musl-x86_64.so.1"));
	fake_link(f, GLIBC, MUSL);
	fake_words(&f->cfg.cmd, WORDS("/hello"));
	fake_seal(f);
	assert_fine(f);
}

/* ---- libraries ---- */

static void real_program__with_all_it_needs_is_fine(void **state)
{
	struct fake *f = *state;

	fake_copy(f, "/bin/true", "bin/true");
	fake_copy(f, GLIBC, NULL);
	fake_copy(f, "/lib/x86_64-linux-gnu/libc.so.6", NULL);
	fake_words(&f->cfg.cmd, WORDS("true"));
	fake_seal(f);
	assert_fine(f);
}

static void no_library__tells_who_needs_it_and_where_it_was_looked_for(void **state)
{
	struct fake *f = *state;

	fake_elf(f, "hello", PROGRAM(.interp = GLIBC, .needed = { "liba.so" }));
	fake_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2", .verdef = "GLIBC_2.2.5"));
	fake_elf(f, "lib/liba.so", LIB(.soname = "liba.so", .needed = { "libssl.so.3" }));
	fake_elf(f, "opt/ssl/libssl.so.3", LIB(.soname = "libssl.so.3"));
	fake_words(&f->cfg.cmd, WORDS("/hello"));
	fake_seal(f);
	assert_told(
		f, NULL, CAUSE_NO_LIBRARY, "no libssl.so.3",
		"thimble: '/hello' cannot start: the image lacks the library libssl.so.3\n"
		"  because  '/lib/liba.so' needs libssl.so.3; looked for it in /lib/x86_64-linux-gnu, /usr/lib/x86_64-linux-gnu, /lib64, "
		"/usr/lib64, /lib, /usr/lib\n"
		"  try      the image has '/opt/ssl/libssl.so.3', where the loader does not look; tell it:\n"
		"           ENV LD_LIBRARY_PATH=/opt/ssl\n"
		"  try      install the package that has it, or copy it from the build stage, where\n"
		"           ldd /hello\n"
		"           tells its place\n"
		"  try      link it statically, in the build stage:\n"
		"           RUN gcc -static -o hello hello.c\n");
	strs_add(&f->cfg.env, "LD_LIBRARY_PATH=/opt/ssl");
	assert_fine(f);
}

static void old_library__compares_versions(void **state)
{
	struct fake *f = *state;

	fake_elf(f, "hello",
		 PROGRAM(.interp = GLIBC, .needed = { "libc.so.6" }, .verneed_file = "libc.so.6",
			 .verneed = "GLIBC_2.38"));
	fake_elf(f, GLIBC, LIB(.soname = "ld-linux-x86-64.so.2", .verdef = "GLIBC_2.36"));
	fake_elf(f, "lib/libc.so.6", LIB(.soname = "libc.so.6", .verdef = "GLIBC_2.36"));
	fake_put(f, "etc/os-release", 0644, SL("PRETTY_NAME='Debian GNU/Linux 12'\n"));
	fake_words(&f->cfg.cmd, WORDS("/hello"));
	fake_seal(f);
	assert_told(
		f, NULL, CAUSE_OLD_LIBRARY, "libc.so.6 is too old: GLIBC_2.38 is needed",
		"thimble: '/hello' cannot start: it was built with a newer libc.so.6 than the image has\n"
		"  because  '/hello' needs GLIBC_2.38 of libc.so.6\n"
		"  because  '/lib/libc.so.6' of the image goes up to GLIBC_2.36 (Debian GNU/Linux 12)\n"
		"  try      build it on the base it runs on, or an older one\n"
		"  try      or run it on a newer base\n"
		"  try      link it statically, in the build stage:\n"
		"           RUN gcc -static -o hello hello.c\n");
}

/* ---- scripts ---- */

static void scripts__and_what_their_first_line_asks_for(void **state)
{
	struct fake *f = *state;

	fake_copy(f, "/bin/busybox", "bin/sh");
	fake_copy(f, "/bin/busybox", "usr/bin/env");
	fake_put(f, "good", 0755, SL("#!/bin/sh -e\necho\n"));
	fake_put(f, "envgood", 0755, SL("#!/usr/bin/env sh\necho\n"));
	fake_put(f, "crlf", 0755, SL("#!/bin/sh\r\necho\r\n"));
	fake_put(f, "crlfarg", 0755, SL("#!/bin/sh -e\r\necho\r\n"));
	fake_put(f, "crlfenv", 0755, SL("#!/usr/bin/env python3\r\n"));
	fake_put(f, "nobash", 0755, SL("#! /bin/bash\n"));
	fake_put(f, "nopython", 0755, SL("#!/usr/bin/env python3\n"));
	fake_put(f, "envs", 0755, SL("#!/usr/bin/env -S A=b perl -w\n"));
	fake_put(f, "envu", 0755, SL("#!/usr/bin/env -u X y\n"));
	fake_put(f, "bom", 0755, SL("\357\273\277#!/bin/sh\n"));
	fake_put(f, "blank", 0755, SL("\n#!/bin/sh\n"));
	fake_put(f, "text", 0755, SL("echo hello\n"));
	fake_put(f, "empty", 0755, SL(""));
	fake_put(f, "hashbang", 0755, SL("#!\n"));
	fake_put(f, "twice", 0755, SL("#!/nobash\n"));
	fake_put(f, "loop", 0755, SL("#!/loop\n"));
	fake_seal(f);
	assert_cause(f, WORDS("/good"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/envgood"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/crlf"), CAUSE_CRLF, "CRLF line ends in /crlf");
	assert_cause(f, WORDS("/crlfarg"), CAUSE_CRLF, NULL);
	assert_cause(f, WORDS("/crlfenv"), CAUSE_CRLF, NULL);
	assert_cause(f, WORDS("/nobash"), CAUSE_NO_SCRIPT_INTERPRETER,
		     "no /bin/bash (for /nobash)");
	assert_cause(f, WORDS("/nopython"), CAUSE_NO_SCRIPT_INTERPRETER,
		     "no python3 (for /nopython)");
	assert_cause(f, WORDS("/envs"), CAUSE_NO_SCRIPT_INTERPRETER, "no perl (for /envs)");
	assert_cause(f, WORDS("/envu"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/bom"), CAUSE_NO_SHEBANG, NULL);
	assert_cause(f, WORDS("/blank"), CAUSE_NO_SHEBANG, NULL);
	assert_cause(f, WORDS("/text"), CAUSE_NO_SHEBANG, "no #! in /text");
	assert_cause(f, WORDS("/empty"), CAUSE_EMPTY_FILE, "/empty is empty");
	assert_cause(f, WORDS("/hashbang"), CAUSE_NO_SHEBANG, NULL);
	assert_cause(f, WORDS("/twice"), CAUSE_NO_SCRIPT_INTERPRETER, "no /bin/bash (for /nobash)");
	assert_cause(f, WORDS("/loop"), CAUSE_NONE, NULL);
}

/* ---- formats, permissions, users ---- */

static void formats__that_do_not_execute(void **state)
{
	struct fake *f = *state;
	struct buf whole;

	fake_elf(
		f, "arm",
		&(struct make_elf){
			.is64 = true, .type = ET_EXEC, .machine = EM_AARCH64, .no_dynamic = true });
	fake_elf(f, "x86",
		 &(struct make_elf){ .type = ET_EXEC, .machine = EM_386, .no_dynamic = true });
	fake_elf(f, "hello.o",
		 &(struct make_elf){
			 .is64 = true, .type = ET_REL, .machine = EM_X86_64, .no_dynamic = true });
	make_elf(PROGRAM(.interp = GLIBC), &whole);
	fake_put(f, "cut", 0755, slice_head(buf_view(&whole), 100));
	buf_done(&whole);
	fake_put(f, "windows", 0755, SL("MZ\220\0\3\0\0\0"));
	fake_seal(f);
	assert_cause(f, WORDS("/arm"), CAUSE_WRONG_MACHINE,
		     "wrong machine: aarch64 program, amd64 image");
	assert_cause(f, WORDS("/x86"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/hello.o"), CAUSE_NOT_A_PROGRAM, "/hello.o is no program");
	assert_cause(f, WORDS("/cut"), CAUSE_NOT_A_PROGRAM, "/cut is damaged");
	assert_cause(f, WORDS("/windows"), CAUSE_NOT_A_PROGRAM, NULL);
}

static void permissions__are_those_of_the_user(void **state)
{
	struct fake *f = *state;
	struct slice text = SL("#!/bin/sh\n");

	fake_copy(f, "/bin/busybox", "bin/sh");
	fake_put(f, "plain", 0644, text);
	fake_put(f, "mine", 0700, text);
	fake_put(f, "unreadable", 0711, text);
	fake_put(f, "closed/run", 0755, text);
	fake_dir(f, "closed", 0700);
	fake_put(f, "etc/passwd", 0644,
		 SL("root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n"));
	fake_put(f, "etc/group", 0644, SL("root:x:0:\napp:x:1000:\n"));
	fake_seal(f);
	assert_cause(f, WORDS("/plain"), CAUSE_NO_X_BIT, "/plain is not executable");
	assert_cause(f, WORDS("/mine"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/closed/run"), CAUSE_NONE, NULL);
	assert_cause(f, WORDS("/closed"), CAUSE_IS_DIRECTORY, "/closed is a directory");
	f->cfg.user = str_dup("app");
	assert_cause(f, WORDS("/mine"), CAUSE_NO_X_BIT, NULL);
	assert_cause(f, WORDS("/unreadable"), CAUSE_NOT_READABLE, NULL);
	assert_cause(f, WORDS("/closed/run"), CAUSE_CLOSED_PATH, "/closed is closed to app (1000)");
	str_set(&f->cfg.user, str_dup("nobody"));
	assert_cause(f, WORDS("/mine"), CAUSE_NO_USER, "no user 'nobody'");
	str_set(&f->cfg.user, str_dup("1234:5678"));
	assert_cause(f, WORDS("/bin/sh"), CAUSE_NONE, NULL);
}

static void not_found__tells_near_ones(void **state)
{
	struct fake *f = *state;
	struct slice text = SL("#!/bin/sh\n");

	fake_copy(f, "/bin/busybox", "bin/sh");
	fake_put(f, "go/bin/server", 0755, text);
	fake_put(f, "usr/bin/python3", 0755, text);
	fake_link(f, "usr/bin/dangling", "/opt/gone");
	f->cfg.working_dir = str_dup("/go");
	fake_words(&f->cfg.cmd, WORDS("./server"));
	fake_seal(f);
	assert_told(f, NULL, CAUSE_NOT_FOUND, "no /go/server",
		    "thimble: './server' is not in the image\n"
		    "  because  looked for '/go/server': the command is relative to WORKDIR '/go'\n"
		    "  try      the image has '/go/bin/server': write that path\n");
	struct explanation x = { 0 };
	static const struct {
		const char *argv0, *want;
	} rows[] = {
		{ "pyton3", "did you mean '/usr/bin/python3'?" },
		{ "/usr/bin/dangling",
		  "'/usr/bin/dangling' is a link to '/opt/gone', and '/opt/gone' is not in the image" },
		{ "./server -v", "CMD [\"./server\", \"-v\"]" },
		{ "curl", "install it" },
		{ "", "empty string" },
		{ "/bin/sh/x", "not a directory" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *const argv[] = { rows[i].argv0, NULL };
		assert_int_equal(explain_program(&f->fs, &f->cfg, (char *const *)argv, NULL, NULL,
						 &x, NULL),
				 1);
		_free_ char *got = fake_text(&x);
		assert_int_equal(x.cause, CAUSE_NOT_FOUND);
		if (!strstr(got, rows[i].want))
			fail_msg("'%s' is not in:\n%s", rows[i].want, got);
		explanation_done(&x);
	}
}

static void workdir__may_be_missing_but_is_no_file(void **state)
{
	struct fake *f = *state;

	fake_copy(f, "/bin/busybox", "bin/sh");
	fake_put(f, "file", 0644, SL("x"));
	fake_link(f, "link", "file");
	fake_link(f, "dangling", "/made/later");
	fake_words(&f->cfg.cmd, WORDS("/bin/sh"));
	f->cfg.working_dir = str_dup("/made/later");
	fake_seal(f);
	assert_fine(f);
	str_set(&f->cfg.working_dir, str_dup("/file"));
	assert_told(f, NULL, CAUSE_WORKDIR, "WORKDIR /file is no directory", NULL);
	/* nor is there room below a file, however the path is written */
	static const char *const below[] = { "/file/x/y", "/link/x", "/file/../file/./x" };
	for (size_t i = 0; i < COUNT_OF(below); i++) {
		struct explanation x = { 0 };
		str_set(&f->cfg.working_dir, str_dup(below[i]));
		assert_int_equal(
			explain_program(&f->fs, &f->cfg, NULL, NULL, NULL, &x, NULL), 1);
		assert_int_equal(x.cause, CAUSE_WORKDIR);
		_free_ char *got = fake_text(&x);
		assert_non_null(strstr(
			got, "'/file' is a file in the image, and WORKDIR names what is below it"));
		explanation_done(&x);
	}
	str_set(&f->cfg.working_dir, str_dup("/dangling/x"));
	assert_fine(f);
}

/* What the linker finds it opens; a name that it did not find, or that is another image's, it says. */
static void look_linker__says_what_is_not_in_the_image(void **state)
{
	struct fake *f = *state;
	_cleanup_(err_done) struct err e = { 0 };
	_free_ char *real = NULL;
	enum linker_type type;

	fake_put(f, "lib/a", 0644, SL("x"));
	fake_seal(f);
	struct look_linker look = { .fs = &f->fs };
	struct linker_fs fs = look_linker_fs(&look);
	assert_int_equal(fs.resolve(fs.ctx, "/lib/a", &real, &type, &e), 1);
	_close_ int fd = fs.open(fs.ctx, real, &e);
	assert_true(fd >= 0);
	assert_int_equal(fs.open(fs.ctx, "/lib/b", &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_string_equal(e.chain[0], "'/lib/b' is not in the image");
}

/* ---- errno, and whole images ---- */

static void errno__decides_between_what_is_seen_and_what_is_not(void **state)
{
	struct fake *f = *state;
	struct explanation x = { 0 };
	const char *const argv[] = { "/hello", NULL };

	fake_elf(f, "hello", PROGRAM(.interp = GLIBC));
	fake_seal(f);
	assert_int_equal(explain_errno(&f->fs, &f->cfg, (char *const *)argv, NULL, ENOENT, NULL, &x,
				       NULL),
			 1);
	assert_int_equal(x.cause, CAUSE_NO_LOADER);
	assert_int_equal(x.status, 127);
	explanation_done(&x);
	/* a missing loader is no reason for EACCES: something else is (a volume mounted noexec) */
	assert_int_equal(explain_errno(&f->fs, &f->cfg, (char *const *)argv, NULL, EACCES, NULL, &x,
				       NULL),
			 1);
	assert_int_equal(x.cause, CAUSE_ERRNO);
	assert_int_equal(x.status, 126);
	assert_non_null(strstr(x.headline, "Permission denied"));
	explanation_done(&x);
}

static void errno__says_how_long_names_may_be(void **state)
{
	struct fake *f = *state;
	struct explanation x = { 0 };
	char name[5001];
	char *const argv[] = { name, NULL };

	fake_seal(f);
	for (size_t i = 0; i < sizeof name - 1; i++)
		name[i] = i % 100 ? 'x' : '/';
	name[sizeof name - 1] = '\0';
	assert_int_equal(explain_errno(&f->fs, &f->cfg, argv, NULL, ENAMETOOLONG, NULL, &x, NULL),
			 1);
	assert_string_equal(x.because.p[0], "the kernel takes paths of 4095 bytes, this one has 5000");
	explanation_done(&x);
	memset(name, 'x', 59);
	memcpy(name + 59, "\xc3\xa4", 2);
	memset(name + 61, 'x', 300);
	name[61 + 300] = '\0';
	assert_int_equal(explain_errno(&f->fs, &f->cfg, argv, NULL, ENAMETOOLONG, NULL, &x, NULL),
			 1);
	assert_string_equal(x.because.p[0], "the kernel takes names of 255 bytes, this one has 361");
	assert_string_equal(x.headline,
			    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' "
			    "could not be executed: its name is too long");
	assert_int_equal(x.status, 126);
	explanation_done(&x);
}

static void explain_image__is_silent_about_bases_and_volumes(void **state)
{
	struct fake *f = *state;
	struct explanation x = { 0 };

	fake_put(f, "x", 0644, SL("x"));
	fake_seal(f);
	assert_int_equal(explain_image(&f->fs, &f->cfg, NULL, &x, NULL), 0);
	assert_told(f, NULL, CAUSE_NO_COMMAND, "no command", NULL);
	fake_words(&f->cfg.cmd, WORDS("/data/run"));
	assert_int_equal(explain_image(&f->fs, &f->cfg, NULL, &x, NULL), 1);
	explanation_done(&x);
	strs_add(&f->cfg.volumes, "/data");
	assert_int_equal(explain_image(&f->fs, &f->cfg, NULL, &x, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(string_form__without_a_shell_gives_the_json_form),
		TEST(string_form__of_an_entrypoint_that_needs_a_shell_says_why),
		TEST(string_form__looks_at_the_program_as_well),
		TEST(string_form__is_followed_through_a_shell_that_is_there),
		TEST(no_loader__in_scratch),
		TEST(no_loader__names_the_files_of_the_stage_it_was_built_in),
		TEST(wrong_libc__glibc_program_in_a_musl_image),
		TEST(wrong_libc__musl_program_in_a_glibc_image),
		TEST(wrong_libc__is_not_claimed_where_something_stands_in),
		TEST(real_program__with_all_it_needs_is_fine),
		TEST(no_library__tells_who_needs_it_and_where_it_was_looked_for),
		TEST(old_library__compares_versions),
		TEST(scripts__and_what_their_first_line_asks_for),
		TEST(formats__that_do_not_execute),
		TEST(permissions__are_those_of_the_user),
		TEST(not_found__tells_near_ones),
		TEST(workdir__may_be_missing_but_is_no_file),
		TEST(look_linker__says_what_is_not_in_the_image),
		TEST(errno__decides_between_what_is_seen_and_what_is_not),
		TEST(errno__says_how_long_names_may_be),
		TEST(explain_image__is_silent_about_bases_and_volumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
