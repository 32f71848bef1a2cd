/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "store/ctxcache.h"
#include "store/internal.h"

static void refuse_open(struct fixture *f, const char *root, bool create, enum err_kind kind,
			const char *word)
{
	err_done(&f->e);
	f->e = (struct err){ 0 };
	struct store *s = store_open(&(struct store_opts){ .root = root, .create = create }, &f->e);
	assert_null(s);
	assert_int_equal(f->e.kind, kind);
	assert_true(mentions(&f->e, word));
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void store_open__makes_it_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	assert_int_equal(stat(f->root, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_string_equal(store_path(f->s), f->root);
}

static void store_open__refuses_what_is_not_there(void **state)
{
	struct fixture *f = *state;
	_free_ char *other = str_printf("%s/other", f->dir);
	refuse_open(f, other, false, ERR_ABSENT, "no store");
}

static void store_open__refuses_other_modes(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(chmod(f->root, 0755), 0);
	refuse_open(f, f->root, true, ERR_DENIED, "chmod 0700");
	assert_int_equal(chmod(f->root, 0700), 0);
}

static void store_open__refuses_another_owner(void **state)
{
	struct fixture *f = *state;
	if (chown(f->root, 12345, 12345) <
	    0) { /* one id only: there is no other owner to give it to */
		assert_int_equal(errno, EINVAL);
		return;
	}
	refuse_open(f, f->root, true, ERR_DENIED, "12345");
	assert_int_equal(chown(f->root, 0, 0), 0);
}

static void store_open__refuses_a_directory_with_other_things(void **state)
{
	struct fixture *f = *state;
	_free_ char *home = str_printf("%s/home", f->dir),
		    *file = str_printf("%s/thesis.tex", home);
	assert_int_equal(mkdir(home, 0700), 0);
	write_file(file, "x");
	refuse_open(f, home, true, ERR_USER, "thesis.tex");
}

static void store_open__refuses_stamps(void **state)
{
	static const struct {
		const char *text;
		enum err_kind kind;
		const char *word;
	} cases[] = {
		{ "", ERR_DATA, "damaged" },
		{ "hello\n", ERR_DATA, "damaged" },
		{ "thimble-store x\n", ERR_DATA, "damaged" },
		{ "thimble-store 1\nmode king\n", ERR_DATA, "damaged" },
		{ "thimble-store 2\nanything\n", ERR_USER, "format 2" },
		{ "thimble-store 1\nmode user\nowner 4000000 4000000\n", ERR_DENIED, "load" },
		{ "thimble-store 1\nmode user\nowner 1\n", ERR_DATA, "damaged" },
	};
	struct fixture *f = *state;
	_free_ char *stamp = str_printf("%s/stamp", f->root);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		write_file(stamp, cases[i].text);
		refuse_open(f, f->root, true, cases[i].kind, cases[i].word);
	}
}

static void store_open__refuses_another_range_of_ids(void **state)
{
	struct fixture *f = *state;
	_free_ char *stamp = str_printf("%s/stamp", f->root), *text = NULL;
	struct stat st;
	assert_int_equal(stat("/proc/self", &st), 0);
	if (!store_is_user(f->s)) {
		write_file(
			stamp,
			"thimble-store 1\nmode user\nowner 0 0\nsubordinate 100000 65536 100000 65536\n");
		refuse_open(f, f->root, true, ERR_DENIED, "machine's root");
		return;
	}
	_cleanup_(buf_done) struct buf b = { 0 };
	ok(f, fs_read(AT_FDCWD, stamp, 4096, &b, &f->e));
	char *at = strstr(b.p, "subordinate ");
	assert_non_null(at);
	text = str_printf("%.*ssubordinate 100000 65536 100000 65536\n", (int)(at - b.p), b.p);
	write_file(stamp, text);
	refuse_open(f, f->root, true, ERR_DENIED, "100000+65536");
}

static void store_open__survives_being_killed_while_it_is_made(void **state)
{
	struct fixture *f = *state;
	_free_ char *half = str_printf("%s/half", f->dir), *sub = str_printf("%s/blobs", half);
	assert_int_equal(mkdir(half, 0700), 0);
	assert_int_equal(mkdir(sub, 0700), 0);
	struct store *s = store_open(&(struct store_opts){ .root = half, .create = true }, &f->e);
	assert_non_null(s);
	store_close(s);
}

static void store_sweep__takes_only_what_dead_ones_left(void **state)
{
	struct fixture *f = *state;
	int mine = -1, pipe_fd[2];
	_free_ char *name = store_tmp_dir(f->s, &mine, &f->e);
	assert_non_null(name);
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = -1;
		store_after_fork(f->s);
		struct store *s = open_again(f);
		char *dead = store_tmp_dir(s, &fd, NULL);
		(void)!write(pipe_fd[1], dead, strlen(dead));
		raise(SIGKILL);
	}
	char dead[64] = "";
	assert_true(read(pipe_fd[0], dead, sizeof dead - 1) > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(fs_exists(store_fd(f->s), dead));
	assert_int_equal(count_in(f, "leases"), 2);
	ok(f, store_sweep(f->s, &f->e));
	assert_false(fs_exists(store_fd(f->s), dead));
	assert_true(fs_exists(store_fd(f->s), name));
	assert_int_equal(count_in(f, "leases"), 1);
	close(mine);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void store_after_fork_within__holds_what_the_child_made(void **state)
{
	struct fixture *f = *state;
	int fd = -1;
	struct store *a = open_again(f);
	_free_ char *mine = store_tmp_dir(a, &fd, &f->e);
	assert_non_null(mine);
	close(fd);
	ok(f, store_use(a, STORE_SNAPSHOT, "aaaaaaaa", &f->e));
	size_t leases = count_in(f, "leases");
	pid_t pid = fork();
	if (pid == 0) {
		struct err e = { 0 };
		store_after_fork_within(a, 1);
		_free_ char *kept = store_tmp_dir(a, &fd, &e), *gone = store_tmp_dir(a, &fd, &e);
		bool good = kept && gone && mkdirat(fd, "below", 0) == 0 &&
			    store_discard(a, gone, &e) == 0 &&
			    store_use(a, STORE_SNAPSHOT, "abcdefgh", &e) == 0;
		_exit(!good);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Mine, the child's, and what it discarded; one lease for both. */
	assert_int_equal(count_in(f, "tmp"), 3);
	assert_int_equal(count_in(f, "leases"), leases);
	ok(f, store_sweep(f->s, &f->e));
	assert_int_equal(count_in(f, "tmp"), 3);
	struct map words = { 0 };
	ok(f, leases_read(f->s, &words, &f->e));
	assert_true(map_has(&words, SL("s abcdefgh")));
	map_done(&words);
	ok(f, store_sweep(a, &f->e)); /* only what was discarded: the rest may be in use */
	assert_int_equal(count_in(f, "tmp"), 2);
	store_close(a); /* whoever used it is dead now */
	assert_int_equal(count_in(f, "tmp"), 0);
}

static void store_after_fork__lets_go_of_the_lease(void **state)
{
	struct fixture *f = *state;
	int fd = -1, hold[2];
	assert_int_equal(pipe(hold), 0);
	struct store *a = open_again(f);
	_free_ char *name = store_tmp_dir(a, &fd, &f->e);
	assert_non_null(name);
	close(fd);
	pid_t pid = fork();
	if (pid == 0) { /* lives longer than its parent's store */
		char c;
		store_after_fork(a);
		close(hold[1]);
		(void)!read(hold[0], &c, 1);
		_exit(0);
	}
	/* As if the parent died: its descriptors close, its file stays. */
	_free_ char *lease = slice_dup((struct slice){ name + 4, 8 });
	_free_ char *path = str_printf("leases/%s", lease);
	store_after_fork(a);
	usleep(100000);
	ok(f, store_sweep(f->s, &f->e));
	assert_false(fs_exists(store_fd(f->s), name));
	assert_false(fs_exists(store_fd(f->s), path));
	close(hold[1]);
	close(hold[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	store_close(a);
}

static void blob__is_checked_on_the_way_in_and_out(void **state)
{
	struct fixture *f = *state;
	struct digest d, got;
	uint64_t size = 0;
	_cleanup_(buf_done) struct buf b = { 0 };
	ok(f, blob_put(f->s, SL("hello"), &d, &f->e));
	assert_true(blob_has(f->s, &d));
	ok(f, blob_read(f->s, &d, &b, &f->e));
	assert_string_equal(b.p, "hello");

	struct blob_writer *w = blob_begin(f->s, &f->e);
	assert_non_null(w);
	ok(f, sink_write(blob_sink(w), "other", 5, &f->e));
	refused(f, ERR_DATA, blob_commit(w, &d, &got, &size, &f->e));
	w = blob_begin(f->s, &f->e);
	ok(f, sink_write(blob_sink(w), "other", 5, &f->e));
	ok(f, blob_commit(w, NULL, &got, &size, &f->e));
	assert_int_equal(size, 5);
	assert_int_equal(count_in(f, "tmp"), 0);
	assert_int_equal(count_in(f, "blobs/sha256"), 2);

	char hex[SHA256_HEX];
	_free_ char *path = str_printf("%s/blobs/sha256/%s", f->root, digest_hex(&d, hex));
	write_file(path, "hallo");
	buf_clear(&b);
	refused(f, ERR_DATA, blob_read(f->s, &d, &b, &f->e));
	ok(f, blob_put(f->s, SL("hello"), &d, &f->e)); /* mends it */
	buf_clear(&b);
	ok(f, blob_read(f->s, &d, &b, &f->e));
}

static void blob_read__tells_what_is_absent(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	_cleanup_(buf_done) struct buf b = { 0 };
	digest_of(SL("nothing"), &d);
	assert_false(blob_has(f->s, &d));
	refused(f, ERR_ABSENT, blob_read(f->s, &d, &b, &f->e));
}

static void blob_adopt__refuses_links(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	digest_of(SL("x"), &d);
	_free_ char *file = str_printf("%s/file", f->dir), *link_ = str_printf("%s/link", f->dir),
		    *second = str_printf("%s/second", f->dir);
	write_file(file, "x");
	assert_int_equal(symlink("/etc/passwd", link_), 0);
	refused(f, ERR_DATA, blob_adopt(f->s, AT_FDCWD, link_, &d, &f->e));
	assert_int_equal(link(file, second), 0);
	refused(f, ERR_DATA, blob_adopt(f->s, AT_FDCWD, file, &d, &f->e));
	assert_int_equal(unlink(second), 0);
	ok(f, blob_adopt(f->s, AT_FDCWD, file, &d, &f->e));
	assert_true(blob_has(f->s, &d));
}

static void cache__forgets_what_is_damaged(void **state)
{
	struct fixture *f = *state;
	struct digest k;
	char hex[SHA256_HEX];
	_cleanup_(buf_done) struct buf b = { 0 };
	digest_of(SL("key"), &k);
	assert_int_equal(cache_get(f->s, "step", &k, &b, &f->e), 0);
	ok(f, cache_put(f->s, "step", &k, SL("value\nof two lines"), &f->e));
	assert_int_equal(cache_get(f->s, "step", &k, &b, &f->e), 1);
	assert_string_equal(b.p, "value\nof two lines");
	_free_ char *path = str_printf("%s/cache/step/%s", f->root, digest_hex(&k, hex));
	assert_int_equal(truncate(path, 30), 0);
	assert_int_equal(cache_get(f->s, "step", &k, &b, &f->e), 0);
	assert_int_equal(truncate(path, 60), 0); /* zeros, as a crash leaves them */
	assert_int_equal(cache_get(f->s, "step", &k, &b, &f->e), 0);
	refused(f, ERR_USER, cache_put(f->s, "../x", &k, SL("v"), &f->e));
}

static void cache_put__has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct digest k;
	_cleanup_(buf_done) struct buf b = { 0 }, back = { 0 };
	digest_of(SL("key"), &k);
	buf_zero(&b, CACHE_VALUE_MAX + 1);
	refused(f, ERR_USER, cache_put(f->s, "step", &k, buf_view(&b), &f->e));
	assert_string_equal(f->e.chain[0], "a cache record of 1048577 bytes is too large");
	b.len--;
	ok(f, cache_put(f->s, "step", &k, buf_view(&b), &f->e));
	assert_int_equal(cache_get(f->s, "step", &k, &back, &f->e), 1);
	assert_int_equal(back.len, CACHE_VALUE_MAX);
}

/* flock fails with this errno from now on, as on a file system of a network. */
static void refuse_locks(int no)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_flock, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)no),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { COUNT_OF(code), code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		_exit(90);
}

static int use_nothing(struct store *s, struct err *e)
{
	return store_lease(s, e);
}

static int use_gate(struct store *s, struct err *e)
{
	return gate_enter(s, false, e);
}

static void lease__says_why_there_is_none(void **state)
{
	static const struct {
		int no;
		int (*use)(struct store *s, struct err *e);
		const char *says, *hint; /* NULL: none */
		size_t left; /* files in leases/ */
	} cases[] = {
		{ ENOLCK, use_nothing, "No locks available", "has to know locks (flock)", 0 },
		{ ENOSYS, use_nothing, "Function not implemented", "has to know locks (flock)", 0 },
		{ EINTR + 1000, use_nothing, "Unknown error", NULL, 0 },
		{ ENOLCK, use_gate, "/leases/gate': No locks available",
		  "has to know locks (flock)", 1 },
		{ EWOULDBLOCK, use_nothing, "cannot take a lease in '",
		  "another process locks each file that is made there", 64 },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int said[2];
		char text[1024] = "";
		assert_int_equal(pipe2(said, O_CLOEXEC), 0);
		size_t before = count_in(f, "leases");
		pid_t pid = fork();
		if (pid == 0) {
			struct err e = { 0 };
			struct buf b = { 0 };
			store_after_fork(f->s);
			struct store *s = open_again(f);
			refuse_locks(cases[i].no);
			if (!s || cases[i].use(s, &e) == 0)
				_exit(91);
			err_format(&e, false, &b);
			_exit(write(said[1], b.p, b.len) != (ssize_t)b.len);
		}
		int status = -1;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_true(read(said[0], text, sizeof text - 1) > 0);
		if (!strstr(text, cases[i].says) ||
		    (cases[i].hint ? !strstr(text, cases[i].hint) : !!strstr(text, "try ")))
			fail_msg("case %zu: %s", i, text);
		assert_int_equal(count_in(f, "leases") - before, cases[i].left);
		close(said[0]);
		close(said[1]);
	}
}

/* Another program, not a fork: nothing that a process makes up for itself may be in what it writes. */
static void records__are_read_by_the_next_process(void **state)
{
	struct fixture *f = *state;
	struct digest k;
	struct stat st = { .st_dev = 5, .st_ino = 7, .st_size = 100 };
	digest_of(SL("key"), &k);
	ok(f, cache_put(f->s, "step", &k, SL("value"), &f->e));
	struct ctxcache *c = ctxcache_open(f->s, "/src");
	ctxcache_put(c, &st, &k, false);
	ctxcache_save_close(c);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "store_test", "--read", f->root, NULL);
		_exit(99);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool recalled(struct ctxcache *c, const struct stat *st, struct digest *out)
{
	bool plain;
	const struct digest *d = ctxcache_find(c, st, &plain);
	if (d)
		*out = *d;
	return d;
}

static int read_records(const char *root)
{
	struct store *s = store_open(&(struct store_opts){ .root = root }, NULL);
	struct digest k, got;
	struct stat st = { .st_dev = 5, .st_ino = 7, .st_size = 100 };
	_cleanup_(buf_done) struct buf b = { 0 };
	digest_of(SL("key"), &k);
	if (!s || cache_get(s, "step", &k, &b, NULL) != 1 || strcmp(b.p, "value") != 0)
		return 1;
	struct ctxcache *c = ctxcache_open(s, "/src");
	int r = recalled(c, &st, &got) && digest_eq(&got, &k) ? 0 : 2;
	ctxcache_save_close(c);
	store_close(s);
	return r;
}

static void store__stays_whole_on_a_full_disk(void **state)
{
	struct fixture *f = *state;
	_free_ char *small = str_printf("%s/small", f->dir), *root = str_printf("%s/store", small);
	_free_ char *junk = mem_alloc(64 << 10);
	struct digest d, first, manifest, id;
	struct image im = { 0 };
	assert_int_equal(mkdir(small, 0700), 0);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("small", small, "tmpfs", 0, "size=512k,mode=0700"), 0);
	struct store *s = store_open(&(struct store_opts){ .root = root, .create = true }, &f->e);
	if (!s)
		ok(f, -1);
	make_image(f, s, "Hello!", "docker.io/library/hello:gcc", &manifest, &id);
	ok(f, blob_put(s, SL("first"), &first, &f->e));
	int r = 0;
	for (int i = 0; r == 0 && i < 100; i++) {
		memset(junk, i, 64 << 10);
		r = blob_put(s, (struct slice){ junk, 64 << 10 }, &d, &f->e);
	}
	assert_int_equal(r, -1);
	assert_true(err_is_errno(&f->e, ENOSPC));
	err_done(&f->e);
	f->e = (struct err){ 0 };
	struct blob_writer *w = blob_begin(s, &f->e);
	if (w) {
		for (r = 0; r == 0;)
			r = sink_write(blob_sink(w), junk, 64 << 10, &f->e);
		blob_abort(w);
	}
	struct snap_draft draft = SNAP_DRAFT_INIT;
	if (snap_begin(s, &draft, NULL) == 0) /* room for a directory is there or not */
		snap_abort(s, &draft);
	_free_ char *tmp = str_printf("%s/tmp", root);
	assert_int_equal(rmdir(tmp), 0); /* only if nothing was left in it */
	assert_int_equal(mkdir(tmp, 0700), 0);
	store_close(s);
	err_done(&f->e);
	f->e = (struct err){ 0 };
	s = store_open(&(struct store_opts){ .root = root }, &f->e);
	assert_non_null(s);
	_cleanup_(buf_done) struct buf b = { 0 };
	ok(f, blob_read(s, &first, &b, &f->e));
	ok(f, image_open(s, "hello:gcc", &im, &f->e));
	image_done(&im);
	store_close(s);
	assert_int_equal(umount2(small, MNT_DETACH), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--read") == 0)
		return read_records(argv[2]);
	const struct CMUnitTest tests[] = {
		T(store_open__makes_it_private),
		T(store_open__refuses_what_is_not_there),
		T(store_open__refuses_other_modes),
		T(store_open__refuses_another_owner),
		T(store_open__refuses_a_directory_with_other_things),
		T(store_open__refuses_stamps),
		T(store_open__refuses_another_range_of_ids),
		T(store_open__survives_being_killed_while_it_is_made),
		T(store_sweep__takes_only_what_dead_ones_left),
		T(store_after_fork_within__holds_what_the_child_made),
		T(store_after_fork__lets_go_of_the_lease),
		T(blob__is_checked_on_the_way_in_and_out),
		T(blob_read__tells_what_is_absent),
		T(blob_adopt__refuses_links),
		T(cache__forgets_what_is_damaged),
		T(cache_put__has_a_limit),
		T(lease__says_why_there_is_none),
		T(records__are_read_by_the_next_process),
		T(store__stays_whole_on_a_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
