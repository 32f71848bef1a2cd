/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "explain/copy_miss.h"
#include "fake_image.h"

static void assert_miss(struct fake *f, struct copy_miss m, const char *text)
{
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf got = { 0 };

	m.stage = "build";
	(void)err_set(&e, ERR_SYS, "replaced");
	assert_int_equal(explain_copy_miss(&f->view, &m, &e), -1);
	assert_int_equal(e.kind, ERR_USER);
	err_format(&e, false, &got);
	assert_string_equal(got.p, text);
}

/* Two layers: a base that has /usr/lib/hello too, and what the stage made. */
static int setup(void **state)
{
	struct fake *f = NEW(struct fake);

	fake_init(f);
	fake_put(f, "usr/lib/other", 0644, SL("x"));
	fake_put(f, "usr/lib/twice", 0644, SL("x"));
	fake_layer(f);
	fake_put(f, "go/hello", 0755, SL("x"));
	fake_put(f, "go/out/twice", 0755, SL("x"));
	fake_put(f, "go/bin/server", 0755, SL("x"));
	fake_put(f, "app/Config.yaml", 0644, SL("x"));
	fake_link(f, "loop", "loop");
	fake_seal(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_done(*state);
	free(*state);
	return 0;
}

static void relative__path_is_found_in_the_workdir(void **state)
{
	assert_miss(
		*state, (struct copy_miss){ .path = "hello", .workdir = "/go" },
		"thimble: 'hello' is not in stage 'build': looked for '/hello'\n"
		"  because  paths of COPY --from start at the stage's /, not at its WORKDIR, which is '/go'\n"
		"  try      it is at '/go/hello':\n"
		"           COPY --from=build /go/hello .\n");
	/* the user's own line, with one word changed, and only where it stands alone */
	assert_miss(
		*state,
		(struct copy_miss){
			.path = "hello",
			.workdir = "/go",
			.instruction = "COPY --from=build --chown=hello:1 hello /hello" },
		"thimble: 'hello' is not in stage 'build': looked for '/hello'\n"
		"  because  paths of COPY --from start at the stage's /, not at its WORKDIR, which is '/go'\n"
		"  try      it is at '/go/hello':\n"
		"           COPY --from=build --chown=hello:1 /go/hello /hello\n");
	assert_miss(
		*state,
		(struct copy_miss){ .path = "bin/server",
				    .workdir = "/go",
				    .instruction = "COPY --from=build [\"bin/server\", \"/\"]" },
		"thimble: 'bin/server' is not in stage 'build': looked for '/bin/server'\n"
		"  because  paths of COPY --from start at the stage's /, not at its WORKDIR, which is '/go'\n"
		"  try      it is at '/go/bin/server':\n"
		"           COPY --from=build [\"/go/bin/server\", \"/\"]\n");
}

static void absolute__path_that_lacks_the_workdir(void **state)
{
	assert_miss(
		*state, (struct copy_miss){ .path = "/hello", .workdir = "/go" },
		"thimble: '/hello' is not in stage 'build': looked for '/hello'\n"
		"  because  paths of COPY --from start at the stage's /, not at its WORKDIR, which is '/go'\n"
		"  try      it is at '/go/hello':\n"
		"           COPY --from=build /go/hello .\n");
}

static void elsewhere__higher_layers_come_first(void **state)
{
	assert_miss(*state, (struct copy_miss){ .path = "/twice" },
		    "thimble: '/twice' is not in stage 'build'\n"
		    "  because  looked for '/twice' in its file system\n"
		    "  try      there is '/go/out/twice':\n"
		    "           COPY --from=build /go/out/twice .\n"
		    "  try      there is '/usr/lib/twice':\n"
		    "           COPY --from=build /usr/lib/twice .\n");
}

static void near__names_in_the_directory(void **state)
{
	assert_miss(
		*state,
		(struct copy_miss){ .path = "/app/config.yml", .workdir = "/", .dest = "/etc/" },
		"thimble: '/app/config.yml' is not in stage 'build'\n"
		"  because  looked for '/app/config.yml' in its file system\n"
		"  try      there is '/app/Config.yaml':\n"
		"           COPY --from=build /app/Config.yaml /etc/\n");
}

static void nothing__alike(void **state)
{
	assert_miss(
		*state, (struct copy_miss){ .path = "/usr/lib/very/deep" },
		"thimble: '/usr/lib/very/deep' is not in stage 'build'\n"
		"  because  '/usr/lib' is there, what follows is not\n"
		"  try      list what the stage has: build it alone (--target build) and look with `thimble cp`, or add RUN ls -la to it\n");
	assert_miss(
		*state, (struct copy_miss){ .path = "none", .workdir = "/loop/x" },
		"thimble: 'none' is not in stage 'build': looked for '/none'\n"
		"  because  paths of COPY --from start at the stage's /, not at its WORKDIR, which is '/loop/x'; nor is it there\n"
		"  try      list what the stage has: build it alone (--target build) and look with `thimble cp`, or add RUN ls -la to it\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(relative__path_is_found_in_the_workdir),
		TEST(absolute__path_that_lacks_the_workdir),
		TEST(elsewhere__higher_layers_come_first),
		TEST(near__names_in_the_directory),
		TEST(nothing__alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
