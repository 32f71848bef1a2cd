/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "base/proc.h"
#include "base/walk.h"

enum { DEEP = 4000 };

static void make_tree(int fd)
{
	static const char *const dirs[] = { "b", "b/z", "b/a", "a.d", "c" };
	static const char *const files[] = { "a", "b/z/f", "b/a/g", "b/\xff", "B" };
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		assert_int_equal(mkdirat(fd, dirs[i], 0755), 0);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		put_file(fd, files[i], "x");
	assert_int_equal(symlinkat("b", fd, "link"), 0);
}

/* All paths of a walk, each followed by a space; `skip` names a directory not to go into. */
static char *walk_all(int fd, const char *skip)
{
	struct buf out = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(walk_closep) struct walk *w = walk_open(fd, ".", &e);
	struct walk_entry ent;
	int r;
	while ((r = walk_next(w, &ent, &e)) > 0) {
		struct stat st;
		assert_int_equal(fstatat(ent.dirfd, ent.name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_ino, ent.st.st_ino);
		unsigned depth = 1;
		for (const char *p = ent.path; *p; p++)
			depth += *p == '/';
		assert_int_equal(depth, ent.depth);
		buf_printf(&out, "%s ", ent.path);
		if (skip && strcmp(ent.path, skip) == 0)
			walk_skip(w);
	}
	if (r < 0)
		fail_msg("%s", err_words(&e));
	return buf_take(&out);
}

static void walk__tells_parents_first_and_names_in_byte_order(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	make_tree(tmp.fd);
	_free_ char *all = walk_all(tmp.fd, NULL);
	assert_string_equal(all, "B a a.d b b/a b/a/g b/z b/z/f b/\xff c link ");
	_free_ char *some = walk_all(tmp.fd, "b");
	assert_string_equal(some, "B a a.d b c link ");
}

static void walk_next__fails_when_open_failed(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	struct walk_entry ent;
	assert_null(walk_open(tmp.fd, "none", &e));
	assert_says(&e, "'none'");
	assert_int_equal(walk_next(NULL, &ent, &e), -1);
	assert_int_equal(symlinkat(".", tmp.fd, "link"), 0);
	assert_null(walk_open(tmp.fd, "link", NULL));
}

static void walk__forgets_what_vanished(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	make_tree(tmp.fd);
	_cleanup_(walk_closep) struct walk *w = walk_open(tmp.fd, ".", NULL);
	struct walk_entry ent;
	assert_int_equal(walk_next(w, &ent, NULL), 1);
	assert_int_equal(unlinkat(tmp.fd, "a", 0), 0);
	assert_int_equal(walk_next(w, &ent, NULL), 1);
	assert_string_equal(ent.path, "a.d");
}

/* Directories named d, one in the other. */
static void make_deep(int fd, unsigned levels)
{
	int at = dup(fd);
	for (unsigned i = 0; i < levels; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(at);
		at = next;
	}
	put_file(at, "bottom", "");
	(void)close(at);
}

static void walk__and_remove__need_few_descriptors(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	make_deep(tmp.fd, DEEP);
	assert_int_equal(mkdirat(tmp.fd, "z", 0755), 0);
	struct rlimit before, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 48;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	{
		_cleanup_(walk_closep) struct walk *w = walk_open(tmp.fd, ".", NULL);
		struct walk_entry ent;
		unsigned deepest = 0, n = 0;
		while (walk_next(w, &ent, NULL) > 0) {
			deepest = ent.depth > deepest ? ent.depth : deepest;
			n++;
		}
		assert_int_equal(deepest, DEEP + 1);
		assert_int_equal(n, DEEP + 2); /* z too, after the way back up */
		assert_string_equal(ent.path, "z");
	}
	_cleanup_(err_done) struct err e = { 0 };
	int r = fs_remove(tmp.fd, "d", &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	if (r < 0)
		fail_msg("%s", err_words(&e));
	assert_false(fs_exists(tmp.fd, "d"));
}

static void walk__refuses_a_tree_moved_under_it(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(mkdirat(tmp.fd, "elsewhere", 0755), 0);
	assert_int_equal(mkdirat(tmp.fd, "start", 0755), 0);
	_close_ int start = fs_open_dir(tmp.fd, "start", NULL);
	make_deep(start, 40);
	_cleanup_(walk_closep) struct walk *w = walk_open(start, ".", NULL);
	struct walk_entry ent;
	do
		assert_int_equal(walk_next(w, &ent, &e), 1);
	while (strcmp(ent.name, "bottom") != 0);
	assert_int_equal(renameat(start, "d/d/d", tmp.fd, "elsewhere/d"), 0);
	int r;
	while ((r = walk_next(w, &ent, &e)) > 0)
		;
	assert_int_equal(r, -1);
	assert_true(err_is_errno(&e, ESTALE));
}

static void fs_remove__takes_all_kinds(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(mkdirat(tmp.fd, "t", 0755), 0);
	_close_ int t = fs_open_dir(tmp.fd, "t", NULL);
	make_tree(t);
	assert_int_equal(mkfifoat(t, "b/fifo", 0600), 0);
	put_file(tmp.fd, "kept", "kept");
	assert_int_equal(symlinkat("../kept", t, "out"), 0);
	assert_int_equal(symlinkat("t", tmp.fd, "to-t"), 0);
	assert_int_equal(fs_remove(tmp.fd, "to-t", &e), 0);
	assert_true(fs_exists(tmp.fd, "t"));
	assert_int_equal(fs_remove(tmp.fd, "t", &e), 0);
	assert_false(fs_exists(tmp.fd, "t"));
	assert_true(fs_exists(tmp.fd, "kept"));
	assert_int_equal(fs_remove(tmp.fd, "t", &e), 0);
	assert_int_equal(fs_remove(tmp.fd, "kept", &e), 0);
	assert_false(fs_exists(tmp.fd, "kept"));
}

/* Runs fn in a child as an ordinary user; its result. */
static int as_nobody(int (*fn)(int), int fd)
{
	pid_t pid = proc_fork(NULL);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(99);
		_exit(fn(fd));
	}
	return proc_wait(pid);
}

static int remove_closed(int fd)
{
	if (mkdirat(fd, "t", 0700) < 0 || mkdirat(fd, "t/a", 0700) < 0 ||
	    mkdirat(fd, "t/a/b", 0700) < 0)
		return 1;
	int file = openat(fd, "t/a/b/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0);
	if (file < 0 || fchmodat(fd, "t/a/b", 0500, 0) < 0 || fchmodat(fd, "t/a", 0, 0) < 0)
		return 2;
	return fs_remove(fd, "t", NULL) < 0 ? 3 : 0;
}

static void fs_remove__opens_closed_directories(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	assert_int_equal(fchmod(tmp.fd, 0777), 0);
	assert_int_equal(as_nobody(remove_closed, tmp.fd), 0);
	assert_false(fs_exists(tmp.fd, "t"));
}

static int put_proc(const char *path, const char *text)
{
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : fd_write_all(fd, text, strlen(text), NULL);
}

/* A mount namespace of our own; as a user, in a user namespace with our ids alone. */
static int leave_mounts(void)
{
	_free_ char *uid = str_printf("0 %u 1", geteuid()), *gid = str_printf("0 %u 1", getegid());
	if (unshare(CLONE_NEWNS) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || put_proc("/proc/self/uid_map", uid) < 0 ||
	    put_proc("/proc/self/setgroups", "deny") < 0)
		return -1;
	return put_proc("/proc/self/gid_map", gid);
}

/* 77: no privilege to mount. */
static int with_mounts(const char *path)
{
	if (leave_mounts() < 0)
		return 77;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || chdir(path) < 0)
		return 77;
	if (mount("other", "t/bind", NULL, MS_BIND, NULL) < 0 ||
	    mount("none", "t/other", "tmpfs", 0, NULL) < 0)
		return 77;
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int f = open("t/other/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (f < 0)
		return 1;
	_free_ char *all = walk_all(fd, NULL);
	if (strcmp(all, "other other/kept t t/bind t/other ") != 0)
		return 2;
	struct err e = { 0 };
	if (fs_remove(fd, "t", &e) == 0 || e.kind != ERR_DENIED || !e.hints_n)
		return 3;
	err_done(&e);
	if (faccessat(fd, "t/other/f", F_OK, 0) < 0 || faccessat(fd, "other/kept", F_OK, 0) < 0)
		return 4;
	return 0;
}

static void walk__and_remove__stay_off_mounts(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	assert_int_equal(fs_mkdirs(tmp.fd, "t/bind", 0755, NULL), 0);
	assert_int_equal(fs_mkdirs(tmp.fd, "t/other", 0755, NULL), 0);
	assert_int_equal(fs_mkdirs(tmp.fd, "other", 0755, NULL), 0);
	put_file(tmp.fd, "other/kept", "kept");
	pid_t pid = proc_fork(NULL);
	if (pid == 0)
		_exit(with_mounts(tmp.path));
	int status = proc_wait(pid);
	if (status == 77)
		skip(); /* neither root nor user namespaces */
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk__tells_parents_first_and_names_in_byte_order),
		cmocka_unit_test(walk_next__fails_when_open_failed),
		cmocka_unit_test(walk__forgets_what_vanished),
		cmocka_unit_test(walk__and_remove__need_few_descriptors),
		cmocka_unit_test(walk__refuses_a_tree_moved_under_it),
		cmocka_unit_test(fs_remove__takes_all_kinds),
		cmocka_unit_test(fs_remove__opens_closed_directories),
		cmocka_unit_test(walk__and_remove__stay_off_mounts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
