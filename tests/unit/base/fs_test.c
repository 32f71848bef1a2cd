/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <sys/xattr.h>

static void check_content(int dirfd, const char *name, const char *want)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	if (fs_read(dirfd, name, 1 << 20, &b, &e) < 0)
		fail_msg("%s", err_words(&e));
	assert_string_equal(buf_view(&b).p, want);
}

/* root/ with links that point out of it, outside/ beside it. */
static int make_root(struct tmpdir *tmp)
{
	assert_int_equal(mkdirat(tmp->fd, "root", 0755), 0);
	assert_int_equal(mkdirat(tmp->fd, "outside", 0755), 0);
	assert_int_equal(mkdirat(tmp->fd, "root/etc", 0755), 0);
	put_file(tmp->fd, "outside/secret", "secret");
	put_file(tmp->fd, "root/etc/file", "inside");
	assert_int_equal(symlinkat("/etc/file", tmp->fd, "root/abs"), 0);
	assert_int_equal(symlinkat("../../../../../etc/file", tmp->fd, "root/up"), 0);
	assert_int_equal(symlinkat("../outside/secret", tmp->fd, "root/rel"), 0);
	assert_int_equal(symlinkat("/proc/self/cwd", tmp->fd, "root/magic"), 0);
	int fd = openat(tmp->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void root_open__never_leaves(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_close_ int root = make_root(&tmp);
	static const char *const good[] = { "etc/file", "/etc/file", "abs", "up", "../etc/file",
					    "../../../../etc/../abs" };
	static const char *const bad[] = { "rel", "../outside/secret", "magic", "/outside/secret",
					   "none" };
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		char text[8] = "";
		_close_ int fd = root_open(root, good[i], O_RDONLY, NULL);
		assert_int_equal(fd_read(fd, text, 7), 6);
		assert_string_equal(text, "inside");
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		assert_int_equal(root_open(root, bad[i], O_RDONLY, &e), -1);
		if (!err_is_errno(&e, ENOENT))
			fail_msg("%s", err_words(&e));
		assert_says(&e, "inside the image");
	}
}

static void root_open__creates_with_a_mode(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	mode_t before = umask(022);
	_close_ int a = root_open(tmp.fd, "a", O_WRONLY | O_CREAT, NULL);
	_close_ int b = root_open_mode(tmp.fd, "b", O_WRONLY | O_CREAT, 0100700, NULL);
	_close_ int t = root_open_mode(tmp.fd, ".", O_TMPFILE | O_RDWR, 0640, NULL);
	(void)umask(before);
	struct stat st;
	assert_int_equal(fstat(a, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(fstat(b, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstat(t, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void root_open_parent__splits(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_close_ int root = make_root(&tmp);
	static const char *const good[] = { "etc/file", "/etc/file", "/etc//file", "../etc/file" };
	static const char *const bad[] = { "", "/", ".", "..", "etc/", "etc/.", "etc/..", "none/x" };
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		const char *name = NULL;
		_close_ int dir = root_open_parent(root, good[i], &name, NULL);
		assert_true(dir >= 0);
		assert_string_equal(name, "file");
		check_content(dir, name, "inside");
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		const char *name = "kept";
		assert_int_equal(root_open_parent(root, bad[i], &name, NULL), -1);
		assert_string_equal(name, "kept");
	}
	const char *name;
	_close_ int top = root_open_parent(root, "abs", &name, NULL);
	assert_true(fs_exists(top, "abs"));
}

static void fs_read__tells_absent_from_too_large(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	put_file(tmp.fd, "f", "12345");
	assert_int_equal(fs_read(tmp.fd, "none", 100, &b, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(fs_read(tmp.fd, "f/x", 100, &b, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(fs_read(tmp.fd, "f", 4, &b, &e), -1);
	assert_int_equal(e.kind, ERR_DATA);
	assert_says(&e, "'f' is larger than 4 bytes");
	buf_clear(&b);
	assert_int_equal(fs_read(tmp.fd, "f", 5, &b, &e), 0);
	assert_string_equal(b.p, "12345");
	assert_int_equal(fs_read(tmp.fd, ".", 5, &b, &e), -1);
	assert_true(err_is_errno(&e, EISDIR));
}

static void fs_write__replaces_at_once(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(mkdirat(tmp.fd, "tmp", 0700), 0);
	_close_ int t = fs_open_dir(tmp.fd, "tmp", NULL);
	mode_t before = umask(077);
	assert_int_equal(fs_write(t, tmp.fd, "f", SL("one"), 0644, true, &e), 0);
	assert_int_equal(fs_write(t, tmp.fd, "f", SL("two"), 0640, false, &e), 0);
	(void)umask(before);
	check_content(tmp.fd, "f", "two");
	struct stat st;
	assert_int_equal(fstatat(tmp.fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);

	assert_int_equal(fs_write(t, tmp.fd, "no/f", SL("x"), 0644, false, &e), -1);
	assert_says(&e, "write 'no/f'");
	/* nothing is left in tmp */
	assert_int_equal(unlinkat(tmp.fd, "tmp", AT_REMOVEDIR), 0);
}

static void copy_case(struct tmpdir *tmp, int in, off_t from, const char *out_name, int flags,
		      const char *prefix)
{
	struct stat st, copy;
	uint64_t copied = 0;
	_close_ int out = openat(tmp->fd, out_name, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
	assert_int_equal(fd_write_all(out, prefix, strlen(prefix), NULL), 0);
	assert_int_equal(lseek(in, from, SEEK_SET), from);
	_cleanup_(err_done) struct err e = { 0 };
	if (fd_copy(in, out, &copied, &e) < 0)
		fail_msg("%s", err_words(&e));
	assert_int_equal(fstat(in, &st), 0);
	assert_int_equal(fstat(out, &copy), 0);
	assert_int_equal(copied, st.st_size - from);
	assert_int_equal(copy.st_size, st.st_size - from + (off_t)strlen(prefix));

	char a[4096], b[4096];
	for (off_t at = from; at < st.st_size; at += sizeof a) {
		ssize_t n = fd_pread(in, a, sizeof a, (uint64_t)at);
		off_t to = at - from + (off_t)strlen(prefix);
		assert_int_equal(fd_pread(out, b, sizeof b, (uint64_t)to), n);
		assert_memory_equal(a, b, (size_t)n);
	}
	if (!(flags & O_APPEND))
		assert_true(copy.st_blocks <= st.st_blocks + 16);
	assert_int_equal(unlinkat(tmp->fd, out_name, 0), 0);
}

static void fd_copy__keeps_bytes_and_holes(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_close_ int in = openat(tmp.fd, "in", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	copy_case(&tmp, in, 0, "empty", 0, "");
	assert_int_equal(pwrite(in, "start", 5, 0), 5);
	copy_case(&tmp, in, 0, "small", 0, "");
	copy_case(&tmp, in, 3, "part", 0, "pre");
	assert_int_equal(pwrite(in, "middle", 6, 10 << 20), 6);
	copy_case(&tmp, in, 0, "sparse", 0, "");
	assert_int_equal(ftruncate(in, 20 << 20), 0); /* ends in a hole */
	copy_case(&tmp, in, 0, "hole", 0, "");
	copy_case(&tmp, in, 2, "shifted", 0, "pre");
	copy_case(&tmp, in, 11 << 20, "only-hole", 0, "");
	copy_case(&tmp, in, 0, "append", O_APPEND, "pre"); /* no copy_file_range, no holes */
}

static void fd_copy__does_not_let_old_bytes_show(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_close_ int in = openat(tmp.fd, "in", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	_close_ int out = openat(tmp.fd, "out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(in, 1 << 20), 0);
	assert_int_equal(pwrite(out, "old", 3, 4096), 3);
	assert_int_equal(fd_copy(in, out, NULL, NULL), 0);
	char got[3] = "xxx";
	assert_int_equal(pread(out, got, 3, 4096), 3);
	assert_memory_equal(got, "\0\0\0", 3);
}

static void fd_copy__reads_what_has_no_size(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	uint64_t copied;
	_close_ int proc = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	_close_ int out = openat(tmp.fd, "out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fd_copy(proc, out, &copied, NULL), 0);
	assert_true(copied > 100);
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "piped", 5), 5);
	(void)close(ends[1]);
	assert_int_equal(fd_copy(ends[0], out, &copied, NULL), 0);
	assert_int_equal(copied, 5);
	(void)close(ends[0]);
}

static void fd_copy__tells_a_full_disk(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	put_file(tmp.fd, "in", "x");
	_close_ int in = openat(tmp.fd, "in", O_RDONLY | O_CLOEXEC);
	_close_ int out = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(fd_copy(in, out, NULL, &e), -1);
	assert_true(err_is_errno(&e, ENOSPC));
}

static void fs_mkdirs__is_like_mkdir_p(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	struct stat st;
	assert_int_equal(fs_mkdirs(tmp.fd, "a/b//c/", 0700, &e), 0);
	assert_int_equal(fs_mkdirs(tmp.fd, "a/b/c", 0700, &e), 0);
	assert_int_equal(fs_mkdirs(tmp.fd, "a/../a/./d", 0700, &e), 0);
	assert_int_equal(fs_mkdirs(tmp.fd, "", 0700, &e), 0);
	assert_int_equal(fstatat(tmp.fd, "a/b/c", &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_true(fs_exists(tmp.fd, "a/d"));
	_free_ char *whole = str_printf("%s/x/y", tmp.path);
	assert_int_equal(fs_mkdirs(AT_FDCWD, whole, 0700, &e), 0);
	assert_true(fs_exists(tmp.fd, "x/y"));
	put_file(tmp.fd, "file", "");
	assert_int_equal(fs_mkdirs(tmp.fd, "file/x", 0700, &e), -1);
	assert_true(err_is_errno(&e, ENOTDIR));
	assert_int_equal(fs_mkdirs(tmp.fd, "file", 0700, &e), -1);
}

static void fs_open_dir__does_not_follow(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	assert_int_equal(symlinkat(".", tmp.fd, "link"), 0);
	assert_int_equal(fs_open_dir(tmp.fd, "link", NULL), -1);
	_cleanup_(err_done) struct err e = { 0 };
	_free_ char *target = fs_readlink(tmp.fd, "link", &e);
	assert_string_equal(target, ".");
	assert_null(fs_readlink(tmp.fd, "none", &e));
	assert_int_equal(symlinkat("nowhere", tmp.fd, "dangling"), 0);
	assert_true(fs_exists(tmp.fd, "dangling"));
	assert_false(fs_exists(tmp.fd, "none"));
}

static void fs_temp_name__differs_each_time(void **state)
{
	(void)state;
	_free_ char *a = fs_temp_name("p-"), *b = fs_temp_name("p-");
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 18);
	assert_int_equal(strspn(a + 2, "abcdefghijklmnopqrstuvwxyz234567"), 16);
}

static void xattrs_read__sorts_and_does_not_follow(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(xattrs_done) struct xattrs x = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	put_file(tmp.fd, "f", "");
	assert_int_equal(symlinkat("f", tmp.fd, "link"), 0);
	_close_ int fd = openat(tmp.fd, "f", O_RDONLY | O_CLOEXEC);
	_free_ char *big = mem_alloc(2000);
	if (fsetxattr(fd, "user.z", "zz\0z", 4, 0) < 0)
		skip(); /* this file system has none */
	assert_int_equal(fsetxattr(fd, "user.a", big, 2000, 0), 0);
	assert_int_equal(fsetxattr(fd, "user.empty", "", 0, 0), 0);
	assert_int_equal(xattrs_read(tmp.fd, "f", &x, &e), 0);
	assert_int_equal(x.n, 3);
	assert_string_equal(x.p[0].name, "user.a");
	assert_int_equal(x.p[0].len, 2000);
	assert_string_equal(x.p[1].name, "user.empty");
	assert_int_equal(x.p[1].len, 0);
	assert_memory_equal(x.p[2].value, "zz\0z", 4);
	assert_int_equal(xattrs_read(tmp.fd, "link", &x, &e), 0);
	assert_int_equal(x.n, 0);
	assert_int_equal(xattrs_read(tmp.fd, "none", &x, &e), -1);
	assert_says(&e, "read the extended attributes of 'none'");
}

static void fs_remove__says_that_it_could_not_look_inside(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(mkdirat(tmp.fd, "d", 0755), 0);
	const struct rlimit before = leave_descriptors(0);
	int r = fs_remove(tmp.fd, "d", &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -1);
	assert_int_equal(e.sys_errno, EMFILE);
	assert_says(&e, "remove '.' in 'd': Too many open files");
	assert_int_equal(fs_remove(tmp.fd, "d", &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_open__never_leaves),
		cmocka_unit_test(root_open__creates_with_a_mode),
		cmocka_unit_test(root_open_parent__splits),
		cmocka_unit_test(fs_read__tells_absent_from_too_large),
		cmocka_unit_test(fs_write__replaces_at_once),
		cmocka_unit_test(fd_copy__keeps_bytes_and_holes),
		cmocka_unit_test(fd_copy__does_not_let_old_bytes_show),
		cmocka_unit_test(fd_copy__reads_what_has_no_size),
		cmocka_unit_test(fd_copy__tells_a_full_disk),
		cmocka_unit_test(fs_mkdirs__is_like_mkdir_p),
		cmocka_unit_test(fs_open_dir__does_not_follow),
		cmocka_unit_test(fs_temp_name__differs_each_time),
		cmocka_unit_test(fs_remove__says_that_it_could_not_look_inside),
		cmocka_unit_test(xattrs_read__sorts_and_does_not_follow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
