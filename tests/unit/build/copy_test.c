/* SPDX-License-Identifier: Apache-2.0 */
/* COPY's rules (dockerfile.md §4 and the CPY rows of §13): which files, where to, with which modes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/err.h"
#include "build/copy.h"
#include "build/tar_follow.h"

struct place {
	char dir[64];
	struct store *store;
	struct index below;   /* the image as the step finds it */
	struct view view;
};

static void put(const char *dir, const char *path, const char *text, mode_t mode)
{
	_free_ char *full = str_printf("%s/%s", dir, path);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void make_dir(const char *dir, const char *path)
{
	_free_ char *full = str_printf("%s/%s", dir, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void make_link(const char *dir, const char *path, const char *to)
{
	_free_ char *full = str_printf("%s/%s", dir, path);
	assert_int_equal(symlink(to, full), 0);
}

static int set_up(void **state)
{
	struct place *p = NEW(struct place);
	(void) snprintf(p->dir, sizeof p->dir, "/tmp/thimble-unit.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	make_dir(p->dir, "ctx");
	make_dir(p->dir, "ctx/dir");
	make_dir(p->dir, "ctx/dir/deep");
	put(p->dir, "ctx/f", "f", 0644);
	put(p->dir, "ctx/g", "gg", 0666);
	put(p->dir, "ctx/arr[0].txt", "x", 0644);
	put(p->dir, "ctx/dir/a.go", "a", 0600);
	put(p->dir, "ctx/dir/b.txt", "b", 0755);
	put(p->dir, "ctx/dir/deep/c.go", "c", 0644);
	make_link(p->dir, "ctx/tof", "f");
	make_link(p->dir, "ctx/todir", "dir");
	make_link(p->dir, "ctx/todeep", "dir/deep");
	make_link(p->dir, "ctx/dir/ln", "b.txt");
	make_link(p->dir, "ctx/out", "/etc/passwd");
	_free_ char *root = str_printf("%s/store", p->dir);
	struct err e = { 0 };
	p->store = store_open(&(struct store_opts){ .root = root, .create = true }, &e);
	assert_non_null(p->store);
	index_init(&p->below);
	index_add(&p->below, SL("w"), ENTRY_DIR)->mode = 0750;
	struct entry *d = index_add(&p->below, SL("w/have"), ENTRY_DIR);
	d->mode = 0700;
	d->uid = 500;
	index_add(&p->below, SL("w/have/file"), ENTRY_FILE)->mode = 0644;
	index_add(&p->below, SL("s"), ENTRY_SYMLINK)->link = "w/have";
	index_add(&p->below, SL("lib"), ENTRY_SYMLINK)->link = "usr/lib";
	index_add(&p->below, SL("w/dang"), ENTRY_SYMLINK)->link = "/new/place";
	index_sort(&p->below);
	view_push(&p->view, &p->below);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };
	store_close(p->store);
	view_done(&p->view);
	index_done(&p->below);
	assert_int_equal(fs_remove(AT_FDCWD, p->dir, &e), 0);
	free(p);
	return 0;
}

/* The new layer as text: a line an entry. */
static void show(const struct index *x, struct buf *out)
{
	arr_each(ent, &x->entries) {
		static const char types[] = "fdlcbpw";
		if (!*ent->path)
			continue;
		buf_printf(out, "%c %s %o %u:%u%s%s\n", types[ent->type], ent->path, ent->mode, ent->uid, ent->gid,
			   ent->link ? " " : "", ent->link ? ent->link : "");
	}
}

struct row {
	const char *srcs[4];
	const char *dest, *workdir;
	const char *chmod;
	int uid, gid;          /* -1: no --chown */
	const char *exclude;
	bool parents;
	const char *want;      /* the layer, or NULL */
	const char *error;     /* part of the error's line */
};

static void run_row(struct place *p, const struct row *r)
{
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(source_tree_done) struct source_tree ctx = SOURCE_TREE_INIT;
	_cleanup_(copy_selection_done) struct copy_selection sel = { 0 };
	_cleanup_(copy_plan_done) struct copy_plan plan = { 0 };
	_cleanup_(buf_done) struct buf got = { 0 };
	_free_ char *path = str_printf("%s/ctx", p->dir);
	struct chmod_spec chmod;
	struct ignore exclude = { 0 };
	assert_int_equal(source_tree_dir(p->store, path, (struct slice){ 0 }, NULL, &ctx, &e), 0);
	struct copy_arg args[4];
	struct copy_spec spec = { .args = args, .dest = r->dest, .workdir = r->workdir ? r->workdir : "/",
				  .parents = r->parents };
	for (; spec.args_n < 4 && r->srcs[spec.args_n]; spec.args_n++)
		args[spec.args_n] = (struct copy_arg){ .tree = &ctx, .path = r->srcs[spec.args_n] };
	if (r->chmod) {
		assert_int_equal(chmod_parse(slice_of(r->chmod), &chmod, &e), 0);
		spec.chmod = &chmod;
	}
	if (r->uid >= 0) {
		spec.has_owner = true;
		spec.uid = (uint32_t)r->uid;
		spec.gid = (uint32_t)r->gid;
	}
	if (r->exclude) {
		assert_int_equal(ignore_add(&exclude, slice_of(r->exclude), &e), 0);
		spec.exclude = &exclude;
	}
	size_t missed;
	int ok = copy_select(&spec, &sel, &missed, &e);
	if (ok == 0)
		ok = copy_map(&spec, &sel, &p->view, &plan, &e);
	if (ok < 0)
		err_line(&e, &got);
	else
		show(&plan.index, &got);
	if (r->error) {
		if (ok == 0 || !strstr(got.p, r->error))
			fail_msg("COPY %s %s: got '%s', wanted an error with '%s'", r->srcs[0], r->dest, got.p, r->error);
	} else if (strcmp(got.p ? got.p : "", r->want) != 0) {
		fail_msg("COPY %s %s gave\n%swanted\n%s", r->srcs[0], r->dest, got.p, r->want);
	}
	ignore_done(&exclude);
}

#define NO_OWNER .uid = -1

static void copy__puts_files_where_docker_puts_them(void **state)
{
	static const struct row rows[] = {
		/* CPY01 */
		{ { "f" }, "/d", NO_OWNER, .want = "f d 644 0:0\n" },
		{ { "f" }, "/d/", NO_OWNER, .want = "d d 755 0:0\nf d/f 644 0:0\n" },
		/* CPY02, CPY03 */
		{ { "f" }, "", .workdir = "/w", NO_OWNER, .want = "d w 750 0:0\nf w/f 644 0:0\n" },
		{ { "f" }, ".", .workdir = "/w", NO_OWNER, .want = "d w 750 0:0\nf w/f 644 0:0\n" },
		{ { "f" }, "../", .workdir = "/a/b", NO_OWNER, .want = "d a 755 0:0\nf a/f 644 0:0\n" },
		/* CPY04 */
		{ { "../f" }, "/", NO_OWNER, .want = "f f 644 0:0\n" },
		/* ".." goes away as text: what stands before it need not be there, links do not count */
		{ { "none/../f" }, "/", NO_OWNER, .want = "f f 644 0:0\n" },
		{ { "todeep/../f" }, "/", NO_OWNER, .want = "f f 644 0:0\n" },
		{ { "todeep/../b.txt" }, "/", NO_OWNER, .error = "'todeep/../b.txt' is not there" },
		{ { "todeep/../f" }, "/o/", NO_OWNER, .parents = true, .want = "d o 755 0:0\nf o/f 644 0:0\n" },
		{ { "todeep/../b.txt" }, "/o/", NO_OWNER, .parents = true, .error = "is not there" },
		/* a name that means the root is a directory that is there */
		{ { "f" }, "/x/..", NO_OWNER, .want = "f f 644 0:0\n" },
		/* CPY05 */
		{ { "dir" }, "/x", NO_OWNER, .want =
		  "d x 755 0:0\nf x/a.go 600 0:0\nf x/b.txt 755 0:0\nd x/deep 755 0:0\nf x/deep/c.go 644 0:0\n"
		  "l x/ln 777 0:0 b.txt\n" },
		{ { "dir/." }, "/x", NO_OWNER, .want =
		  "d x 755 0:0\nf x/a.go 600 0:0\nf x/b.txt 755 0:0\nd x/deep 755 0:0\nf x/deep/c.go 644 0:0\n"
		  "l x/ln 777 0:0 b.txt\n" },
		/* CPY06: the last one wins */
		{ { "f", "dir/b.txt" }, "/x", NO_OWNER, .want = "f x 755 0:0\n" },
		/* CPY07, CPY08 */
		{ { "f", "no*" }, "/", NO_OWNER, .want = "f f 644 0:0\n" },
		{ { "no*" }, "/", NO_OWNER, .want = "" },
		{ { "nofile" }, "/", NO_OWNER, .error = "nofile" },
		{ { "dir/*.go" }, "/g/", NO_OWNER, .want = "d g 755 0:0\nf g/a.go 600 0:0\n" },
		/* CPY09, CPY10 */
		{ { "*/deep/c.go" }, "/x/bar", NO_OWNER, .want = "d x 755 0:0\nf x/bar 644 0:0\n" },
		{ { "arr[[]0].txt" }, "/", NO_OWNER, .want = "f arr[0].txt 644 0:0\n" },
		/* CPY11 to CPY13 */
		{ { "tof" }, "/", NO_OWNER, .want = "f tof 644 0:0\n" },
		{ { "todir/a.go" }, ".", NO_OWNER, .want = "f a.go 600 0:0\n" },
		/* a link that leads out of the context stays inside of it */
		{ { "out" }, "/", NO_OWNER, .error = "out" },
		/* CPY15: links of the image are followed, the last component too */
		{ { "f" }, "/s/", NO_OWNER, .want = "d w 750 0:0\nd w/have 700 500:0\nf w/have/f 644 0:0\n" },
		{ { "f" }, "/w/dang", NO_OWNER, .want = "d new 755 0:0\nf new/place 644 0:0\n" },
		/* CPY17 */
		{ { "f" }, "/w/have", NO_OWNER, .want = "d w 750 0:0\nd w/have 700 500:0\nf w/have/f 644 0:0\n" },
		{ { "f" }, "/w/have/file/x", NO_OWNER, .error = "" },
		/* CPY20, CPY21, CPY23 */
		{ { "dir/a.go" }, "/w/have/", .uid = 300, .gid = 400, .want =
		  "d w 750 0:0\nd w/have 700 500:0\nf w/have/a.go 600 300:400\n" },
		{ { "f" }, "/p/f", .uid = 7, .gid = 7, .chmod = "777", .want = "d p 777 7:7\nf p/f 777 7:7\n" },
		/* CPY24 */
		{ { "g" }, "/g", NO_OWNER, .chmod = "go-w", .want = "f g 644 0:0\n" },
		{ { "f" }, "/f", NO_OWNER, .chmod = "a+X", .want = "f f 644 0:0\n" },
		/* CPY29 to CPY32 */
		{ { "dir/deep/c.go" }, "/", NO_OWNER, .parents = true, .want =
		  "d dir 755 0:0\nd dir/deep 755 0:0\nf dir/deep/c.go 644 0:0\n" },
		{ { "dir/./deep/c.go" }, "/o/", NO_OWNER, .parents = true, .want =
		  "d o 755 0:0\nd o/deep 755 0:0\nf o/deep/c.go 644 0:0\n" },
		{ { "*/./deep/c.go" }, "/o/", NO_OWNER, .parents = true, .want =
		  "d o 755 0:0\nd o/deep 755 0:0\nf o/deep/c.go 644 0:0\n" },
		{ { "dir/./**/*.go" }, "/o/", NO_OWNER, .parents = true, .want =
		  "d o 755 0:0\nf o/a.go 600 0:0\nd o/deep 755 0:0\nf o/deep/c.go 644 0:0\n" },
		{ { "dir/deep" }, "/o/", NO_OWNER, .parents = true, .exclude = "dir/deep", .want = "d o 755 0:0\n" },
		{ { "dir/deep/c.go" }, "/o/", NO_OWNER, .parents = true, .exclude = "dir", .want = "d o 755 0:0\n" },
		{ { "no*/x" }, "/o/", NO_OWNER, .parents = true, .want = "d o 755 0:0\n" },
		/* CPY33 */
		{ { "dir" }, "/x", NO_OWNER, .exclude = "**/*.go", .want =
		  "d x 755 0:0\nf x/b.txt 755 0:0\nd x/deep 755 0:0\nl x/ln 777 0:0 b.txt\n" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		run_row(*state, &rows[i]);
}

static void copy__refuses_a_directory_over_a_link(void **state)
{
	struct place *p = *state;
	make_dir(p->dir, "ctx/root");
	make_dir(p->dir, "ctx/root/lib");
	static const struct row row = { { "root" }, "/", NO_OWNER, .error = "cannot copy to non-directory: /lib" };
	run_row(p, &row);
}

static void copy__refuses_a_directory_over_a_file(void **state)
{
	struct place *p = *state;
	make_dir(p->dir, "ctx/root");
	make_dir(p->dir, "ctx/root/have");
	make_dir(p->dir, "ctx/root/have/file");
	static const struct row row = { { "root" }, "/w", NO_OWNER,
					.error = "cannot copy to non-directory: /w/have/file" };
	run_row(p, &row);
}

/* A build is root of a user namespace when it writes, and may give files to anybody; a test is whoever
 * runs it, and keeps them. */
static struct tree_opts for_us(const struct place *p, struct copy_plan *plan)
{
	struct tree_opts o = *store_tree_opts(p->store);
	o.uid_max = o.gid_max = UINT32_MAX;
	arr_each(ent, &plan->index.entries) {
		ent->uid = geteuid();
		ent->gid = getegid();
	}
	return o;
}

static void copy__writes_what_it_planned(void **state)
{
	struct place *p = *state;
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(source_tree_done) struct source_tree ctx = SOURCE_TREE_INIT;
	_cleanup_(copy_selection_done) struct copy_selection sel = { 0 };
	_cleanup_(copy_plan_done) struct copy_plan plan = { 0 };
	_free_ char *path = str_printf("%s/ctx", p->dir);
	_free_ char *a = str_printf("%s/ctx/dir/b.txt", p->dir), *b = str_printf("%s/ctx/dir/twin", p->dir);
	assert_int_equal(link(a, b), 0);
	assert_int_equal(source_tree_dir(p->store, path, (struct slice){ 0 }, NULL, &ctx, &e), 0);
	struct copy_arg arg = { .tree = &ctx, .path = "dir" };
	struct copy_spec spec = { .args = &arg, .args_n = 1, .dest = "/x", .workdir = "/" };
	size_t missed;
	assert_int_equal(copy_select(&spec, &sel, &missed, &e), 0);
	assert_int_equal(copy_map(&spec, &sel, &p->view, &plan, &e), 0);
	const struct tree_opts opts = for_us(p, &plan);
	make_dir(p->dir, "tree");
	_free_ char *tree = str_printf("%s/tree", p->dir);
	_close_ int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(copy_write(&spec, &plan, fd, &opts, NULL, &e), 0);
	assert_int_equal(tree_verify(fd, &plan.index, &e), 0);
	struct stat one, two, src;
	assert_int_equal(fstatat(fd, "x/b.txt", &one, 0), 0);
	assert_int_equal(fstatat(fd, "x/twin", &two, 0), 0);
	assert_int_equal(one.st_ino, two.st_ino); /* CPY39 */
	assert_int_equal(stat(a, &src), 0);
	assert_int_equal(one.st_mtim.tv_nsec, src.st_mtim.tv_nsec); /* CPY40 */
	assert_int_equal(one.st_mode & 07777, 0755);
}

/* More files than are told of at once, large and small ones, links, and a copy that fails midway. */
static void copy__is_followed_by_the_sum_of_its_stream(void **state)
{
	struct place *p = *state;
	_free_ char *big = mem_alloc((2 << 20) + 1);
	memset(big, 'x', 2 << 20);
	big[2 << 20] = 0;
	for (int i = 0; i < 400; i++) {
		char name[32];
		(void) snprintf(name, sizeof name, "ctx/dir/%03d", i);
		put(p->dir, name, i == 200 ? big : i % 3 ? "some" : "", 0644);
	}
	_free_ char *a = str_printf("%s/ctx/dir/200", p->dir), *b = str_printf("%s/ctx/dir/deep/twin", p->dir);
	_free_ char *path = str_printf("%s/ctx", p->dir);
	assert_int_equal(link(a, b), 0);
	for (int damaged = 0; damaged < 2; damaged++) {
		_cleanup_(err_done) struct err e = { 0 };
		_cleanup_(source_tree_done) struct source_tree ctx = SOURCE_TREE_INIT;
		_cleanup_(copy_selection_done) struct copy_selection sel = { 0 };
		_cleanup_(copy_plan_done) struct copy_plan plan = { 0 };
		assert_int_equal(source_tree_dir(p->store, path, (struct slice){ 0 }, NULL, &ctx, &e), 0);
		struct copy_arg arg = { .tree = &ctx, .path = "dir" };
		struct copy_spec spec = { .args = &arg, .args_n = 1, .dest = "/x", .workdir = "/" };
		size_t missed;
		assert_int_equal(copy_select(&spec, &sel, &missed, &e), 0);
		assert_int_equal(copy_map(&spec, &sel, &p->view, &plan, &e), 0);
		const struct tree_opts opts = for_us(p, &plan);
		const char *name = damaged ? "tree2" : "tree1";
		make_dir(p->dir, name);
		_free_ char *tree = str_printf("%s/%s", p->dir, name);
		_close_ int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (damaged)
			put(p->dir, "ctx/dir/300", "more", 0644);
		struct tar_follow *f = tar_follow_start(fd, &plan.index);
		assert_non_null(f);
		struct tree_stream behind = { 0 }, after;
		int r = copy_write(&spec, &plan, fd, &opts, f, &e);
		assert_int_equal(r, damaged ? -1 : 0);
		assert_int_equal(tar_follow_end(f, r == 0, &behind, &e), r);
		if (damaged) {
			assert_non_null(strstr(e.chain[0], "changed while it was copied"));
			continue;
		}
		assert_int_equal(tree_sum(fd, &plan.index, &after, &e), 0);
		assert_int_equal(behind.size, after.size);
		assert_true(digest_eq(&behind.digest, &after.digest));
		assert_int_equal(tree_verify(fd, &plan.index, &e), 0);
	}
}

static void copy_key__does_not_count_times(void **state)
{
	struct place *p = *state;
	uint8_t keys[3][SHA256_LEN];
	for (int i = 0; i < 3; i++) {
		_cleanup_(err_done) struct err e = { 0 };
		_cleanup_(source_tree_done) struct source_tree ctx = SOURCE_TREE_INIT;
		_cleanup_(copy_selection_done) struct copy_selection sel = { 0 };
		_free_ char *path = str_printf("%s/ctx", p->dir);
		_free_ char *file = str_printf("%s/ctx/f", p->dir);
		struct timespec t[2] = { { .tv_sec = 1000 + i }, { .tv_sec = 1000 + i } };
		if (i == 2)
			put(p->dir, "ctx/f", "F", 0644); /* same size, other bytes */
		assert_int_equal(utimensat(AT_FDCWD, file, t, 0), 0);
		assert_int_equal(source_tree_dir(p->store, path, (struct slice){ 0 }, NULL, &ctx, &e), 0);
		struct copy_arg arg = { .tree = &ctx, .path = "f" };
		struct copy_spec spec = { .args = &arg, .args_n = 1, .dest = "/x", .workdir = "/" };
		size_t missed;
		assert_int_equal(copy_select(&spec, &sel, &missed, &e), 0);
		struct sha256 sum;
		sha256_begin(&sum);
		copy_key(&spec, &sel, &sum);
		sha256_end(&sum, keys[i]);
	}
	assert_memory_equal(keys[0], keys[1], SHA256_LEN);
	assert_memory_not_equal(keys[0], keys[2], SHA256_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copy__puts_files_where_docker_puts_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copy__refuses_a_directory_over_a_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copy__refuses_a_directory_over_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copy__writes_what_it_planned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copy__is_followed_by_the_sum_of_its_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copy_key__does_not_count_times, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
