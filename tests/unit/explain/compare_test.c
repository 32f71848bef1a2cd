/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"
#include "../elf/make_elf.h"
#include "explain/compare.h"

/* An image with /hello of about `size` bytes: a program if `runs`, else without its x bit. */
static void put_image(struct fixture *f, const char *name, size_t size, bool runs, const char *cmd)
{
	const struct make_elf m = {
		.is64 = true, .type = ET_EXEC, .machine = EM_X86_64, .no_dynamic = true
	};
	struct snap_draft d = SNAP_DRAFT_INIT;
	struct image_config cfg = { 0 };
	struct digest manifest, id;
	struct buf b;
	struct index x;
	struct stat st;
	char snap[SNAP_ID], *snaps[] = { snap };

	make_elf(&m, &b);
	buf_zero(&b, size - b.len);
	index_init(&x);
	ok(f, snap_begin(f->s, &d, &f->e));
	int fd = openat(d.treefd, "hello", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	ok(f, fd_write_all(fd, b.p, b.len, &f->e));
	assert_int_equal(fchmod(fd, runs ? 0755 : 0644), 0);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	struct entry *ent = index_add(&x, SL("hello"), ENTRY_FILE);
	const char *path = ent->path;
	ok(f, entry_from_file(&x.arena, d.treefd, "hello", &st, ent, &f->e));
	ent->path = path;
	digest_of(buf_view(&b), &ent->digest);
	ent->has_digest = true;
	index_sort(&x);
	ok(f, snap_commit(f->s, &d, &x, NULL, snap, &f->e));
	index_done(&x);
	buf_done(&b);

	cfg.platform.os = str_dup("linux");
	cfg.platform.arch = str_dup("amd64");
	if (cmd)
		strs_add(&cfg.cmd, cmd);
	cfg.has_cmd = cmd != NULL;
	ok(f, image_put(f->s, &(struct image_new){ .cfg = &cfg, .snaps = snaps, .snaps_n = 1 },
			&manifest, &id, &f->e));
	image_config_done(&cfg);
	_free_ char *full = str_printf("docker.io/library/%s", name);
	ok(f, name_set(f->s, full, &manifest, &f->e));
}

/* What becomes of an image is told by its command. */
static int probe(void *ctx, const struct image *im, int64_t ns, struct compare_run *out,
		 struct err *e)
{
	const char *cmd = im->config.cmd.n ? im->config.cmd.p[0] : "";

	assert_int_equal(ns, *(int64_t *)ctx);
	if (strcmp(cmd, "/hello") == 0)
		return 0;
	if (strcmp(cmd, "/hello/") == 0) { /* the same program, but it stays */
		out->running = true;
		return 0;
	}
	if (strcmp(cmd, "//hello") == 0) {
		out->status = 3;
		out->output = str_dup("first\n  it cannot be  \n\n");
		return 0;
	}
	if (strcmp(cmd, "///hello") == 0) {
		out->status = 128 + 11;
		return 0;
	}
	if (strcmp(cmd, "./hello") == 0) {
		out->status = 126;
		out->exec_errno = EACCES;
		return 0;
	}
	(void)err_set(e, ERR_USER, "nothing to run");
	return err_hint(e, "give a command");
}

static void compare__makes_sorted_rows(void **state)
{
	struct fixture *f = *state;
	int64_t ns = INT64_C(2000000000);
	struct compare_opts o = { .probe = probe, .ctx = &ns, .for_ns = ns };
	struct compare_rows rows = { 0 };
	struct strs names = { 0 };
	struct err why = { 0 };
	static const struct {
		const char *name;
		enum compare_state state;
		double smaller;
		const char *why, *mend;
	} want[] = {
		{ "small", COMPARE_WORKS, 8, NULL, NULL },
		{ "status", COMPARE_FAILS, 4, "exit status 3: it cannot be", NULL },
		{ "signal", COMPARE_FAILS, 4, "killed by SIGSEGV", NULL },
		{ "stays", COMPARE_WORKS, 2, NULL, NULL },
		{ "nobit", COMPARE_FAILS, 1, "/hello is not executable",
		  "set the mode where it is copied:\nCOPY --chmod=755 hello /hello" },
		{ "nothing", COMPARE_FAILS, 1, "no command",
		  "say it in the Dockerfile:\nCMD [\"/program\"]" },
		{ "bad", COMPARE_NOT_BUILT, 0, "'x' is not there", "write y" },
	};

	put_image(f, "nobit:latest", 8000, false, "./hello");
	put_image(f, "stays:latest", 4000, true, "/hello/");
	put_image(f, "small:latest", 1000, true, "/hello");
	put_image(f, "status:latest", 2000, true, "//hello");
	put_image(f, "signal:latest", 2000, true, "///hello");
	put_image(f, "nothing:latest", 8000, true, NULL);
	(void)err_set(&why, ERR_USER, "'x' is not there");
	(void)err_hint(&why, "write y");
	(void)err_add(&why, "cannot build");
	ok(f, name_set_failed(f->s, "docker.io/library/bad:latest", &why, &f->e));
	err_done(&why);
	/* of those that are equally large, the first given comes first */
	static const char *const given[] = { "bad",    "nobit", "status", "stays",
					     "signal", "small", "nothing" };
	for (size_t i = 0; i < COUNT_OF(given); i++)
		strs_add(&names, given[i]);
	ok(f, compare_images(f->s, &names, &o, &rows, &f->e));
	assert_int_equal(rows.n, COUNT_OF(want));
	for (size_t i = 0; i < rows.n; i++) {
		const struct compare_row *r = &rows.p[i];
		assert_string_equal(r->name, want[i].name);
		assert_string_equal(compare_state_name(r->state),
				    compare_state_name(want[i].state));
		assert_true(r->smaller > want[i].smaller - 0.01 &&
			    r->smaller < want[i].smaller + 0.01);
		assert_int_equal(r->layers, want[i].state == COMPARE_NOT_BUILT ? 0 : 1);
		assert_int_equal(r->why != NULL, want[i].why != NULL);
		if (r->why)
			assert_string_equal(r->why, want[i].why);
		assert_int_equal(r->mend != NULL, want[i].mend != NULL);
		if (r->mend)
			assert_string_equal(r->mend, want[i].mend);
	}
	assert_false(compare_all_work(&rows));
	compare_rows_done(&rows);
	strs_done(&names);
}

/* A record that is cut short or that others wrote still makes a row. */
static void compare__tells_when_an_error_was_not_kept(void **state)
{
	struct fixture *f = *state;
	static const char *const records[] = { "failed zz\n", "failed 00\n", "failed 7b\n" };
	struct compare_opts o = { 0 };
	struct strs names = { 0 };
	struct err why = { 0 };
	static const char path[] = "names/docker.io/library/bad/=latest";
	int root = store_fd(f->s);

	(void)err_set(&why, ERR_USER, "'x' is not there");
	ok(f, name_set_failed(f->s, "docker.io/library/bad:latest", &why, &f->e));
	err_done(&why);
	strs_add(&names, "bad");
	for (size_t i = 0; i < COUNT_OF(records); i++) {
		struct compare_rows rows = { 0 };
		ok(f, fs_write(root, root, path, slice_of(records[i]), 0644, false, &f->e));
		ok(f, compare_images(f->s, &names, &o, &rows, &f->e));
		assert_int_equal(rows.n, 1);
		assert_int_equal(rows.p[0].state, COMPARE_NOT_BUILT);
		assert_string_equal(rows.p[0].why, "its error was not kept");
		assert_string_equal(rows.p[0].mend, "build it again to see the whole error");
		compare_rows_done(&rows);
	}
	strs_done(&names);
}

static void compare__refuses_a_name_that_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct compare_opts o = { 0 };
	struct compare_rows rows = { 0 };
	struct strs names = { 0 };

	put_image(f, "hello:latest", 1000, true, "/hello");
	strs_add(&names, "hello");
	ok(f, compare_images(f->s, &names, &o, &rows,
			     &f->e)); /* no probe: what explain finds decides */
	assert_true(compare_all_work(&rows));
	compare_rows_done(&rows);
	strs_add(&names, "helo");
	refused(f, ERR_ABSENT, compare_images(f->s, &names, &o, &rows, &f->e));
	assert_int_equal(rows.n, 0);
	strs_done(&names);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(compare__makes_sorted_rows),
		TEST(compare__tells_when_an_error_was_not_kept),
		TEST(compare__refuses_a_name_that_is_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
