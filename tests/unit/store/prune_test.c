/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "fixture.h"

static void result_done(struct prune_result *r)
{
	strs_done(&r->what);
}

static void prune(struct fixture *f, struct prune_opts o, struct prune_result *out)
{
	struct store *s = open_again(f);
	assert_non_null(s);
	ok(f, store_prune(s, &o, out, &f->e));
	store_close(s);
	assert_int_equal(count_in(f, "tmp"), 0);
}

/* Everything of the test's own process is leased: let it end first. */
static void reopen(struct fixture *f)
{
	store_close(f->s);
	f->s = open_again(f);
	assert_non_null(f->s);
}

static void prune__keeps_images_and_takes_the_rest(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, m2, id2, junk;
	char lost[SNAP_ID];
	_cleanup_(result_done) struct prune_result r = { 0 };
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	make_image(f, f->s, "untagged", NULL, &m2, &id2);
	make_snap(f, f->s, "lost", "lost", true, lost);
	ok(f, blob_put(f->s, SL("junk"), &junk, &f->e));
	reopen(f);
	prune(f, (struct prune_opts){ 0 }, &r);
	assert_int_equal(r.snapshots, 1);
	assert_int_equal(r.blobs, 1);
	assert_int_equal(r.bytes, 8);
	result_done(&r);
	r = (struct prune_result){ 0 };
	struct image im = { 0 };
	ok(f, image_open_digest(f->s, &m2, &im, &f->e));
	image_done(&im);
	reopen(f);
	prune(f, (struct prune_opts){ .images = true }, &r);
	assert_int_equal(r.snapshots, 1);
	assert_int_equal(r.blobs, 2);
	assert_int_equal(r.what.n, 1);
	char text[DIGEST_LEN];
	assert_true(strstr(r.what.p[0], digest_text(&id2, text)));
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	image_done(&im);
	refused(f, ERR_ABSENT, image_open_digest(f->s, &m2, &im, &f->e));
	reopen(f);
	result_done(&r);
	r = (struct prune_result){ 0 };
	prune(f, (struct prune_opts){ .all = true }, &r);
	assert_int_equal(r.names, 1);
	assert_string_equal(r.what.p[0], "untagged: hello:gcc");
	assert_int_equal(count_in(f, "snapshots"), 0);
	assert_int_equal(count_in(f, "blobs/sha256"), 0);
	assert_int_equal(count_in(f, "names"), 0);
}

/* What a manifest or a config leads to is not known when it cannot be read: then all stays. */
static void prune__takes_nothing_when_a_record_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 2; i++) {
		struct digest m, id;
		struct prune_result r = { 0 };
		char hex[SHA256_HEX];
		make_image(f, f->s, i ? "one" : "two", "docker.io/library/hello:gcc", &m, &id);
		_free_ char *path = str_printf("blobs/sha256/%s", digest_hex(i ? &m : &id, hex));
		_free_ char *aside = str_printf("blobs/aside");
		int store = store_fd(f->s);
		assert_int_equal(renameat(store, path, store, aside), 0);
		assert_int_equal(mkdirat(store, path, 0700), 0); /* to read it fails: EISDIR */
		unsigned before = (unsigned)count_in(f, "snapshots");
		reopen(f);
		store = store_fd(f->s);
		refused(f, ERR_SYS, store_prune(f->s, &(struct prune_opts){ .images = true }, &r, &f->e));
		assert_int_equal(count_in(f, "snapshots"), before);
		assert_int_equal(unlinkat(store, path, AT_REMOVEDIR), 0);
		assert_int_equal(renameat(store, aside, store, path), 0);
		struct image im = { 0 };
		ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
		image_done(&im);
		result_done(&r);
	}
}

static void without_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct none[2] = { 0 };
	if (syscall(SYS_capset, &head, none) < 0)
		_exit(3);
}

/* A blob that is listed and cannot be looked at is still what its image leads to. */
static void prune__takes_nothing_when_a_blob_cannot_be_looked_at(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	reopen(f);
	int store = store_fd(f->s), status;
	assert_int_equal(fchmodat(store, "blobs/sha256", 0600, 0), 0); /* to be read, not entered */
	pid_t pid = fork();
	if (pid == 0) {
		without_capabilities();
		struct store *s = open_again(f);
		struct prune_result r = { 0 };
		if (!s)
			_exit(4);
		err_done(&f->e);
		_exit(store_prune(s, &(struct prune_opts){ 0 }, &r, &f->e) == 0 ? 0
		      : mentions(&f->e, "look at")			       ? 1
										: 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fchmodat(store, "blobs/sha256", 0700, 0), 0);
	assert_int_equal(status, 1 << 8);
	struct image im = { 0 };
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	image_done(&im);
}

static void prune__keeps_what_cache_records_speak_of(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	struct digest k;
	_cleanup_(result_done) struct prune_result r = { 0 };
	make_snap(f, f->s, "step", "step", true, id);
	digest_of(SL("key"), &k);
	_free_ char *value = str_printf("{\"snapshot\":\"%s\"}", id);
	ok(f, cache_put(f->s, "step", &k, slice_of(value), &f->e));
	reopen(f);
	prune(f, (struct prune_opts){ .images = true }, &r);
	assert_true(snap_exists(f->s, id));
	reopen(f);
	result_done(&r);
	r = (struct prune_result){ 0 };
	prune(f, (struct prune_opts){ .cache = true }, &r);
	assert_int_equal(r.records, 1);
	assert_int_equal(r.snapshots, 1);
	assert_false(snap_exists(f->s, id));
}

static void prune__keeps_what_a_living_process_uses(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, junk;
	_cleanup_(result_done) struct prune_result r = { 0 };
	struct image im = { 0 };
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	reopen(f);
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	image_done(&im);
	ok(f, blob_put(f->s, SL("not yet named"), &junk, &f->e));
	ok(f, store_use(f->s, STORE_VOLUME, "data", &f->e));
	assert_int_equal(mkdirat(store_fd(f->s), "volumes/data", 0700), 0);
	assert_int_equal(mkdirat(store_fd(f->s), "volumes/old", 0700), 0);
	prune(f, (struct prune_opts){ .all = true, .cache = true, .volumes = true }, &r);
	assert_int_equal(r.snapshots, 0);
	assert_int_equal(r.blobs, 0);
	assert_int_equal(r.names, 0);
	assert_int_equal(r.volumes, 1);
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	image_done(&im);
	assert_true(blob_has(f->s, &junk));
}

/* What snap_exists promised stays, whatever prunes go on. One process makes and looks, one prunes. */
static void prune__never_takes_what_was_found(void **state)
{
	struct fixture *f = *state;
	int stop[2];
	assert_int_equal(pipe2(stop, O_NONBLOCK | O_CLOEXEC), 0);
	pid_t pruner = fork();
	if (pruner == 0) {
		char c;
		store_after_fork(f->s);
		do {
			struct prune_result r = { 0 };
			struct store *s = open_again(f);
			if (store_prune(s, &(struct prune_opts){ .all = true, .cache = true }, &r,
					&f->e) < 0)
				_exit(1);
			result_done(&r);
			store_close(s);
		} while (read(stop[0], &c, 1) < 0);
		_exit(0);
	}
	char id[SNAP_ID] = "";
	unsigned lost = 0;
	for (int i = 0; i < 300; i++) {
		struct store *s = open_again(f);
		struct snap sn = SNAP_INIT;
		if (!*id || !snap_exists(s, id)) {
			lost++;
			make_snap(f, s, "x", "x", true, id);
			assert_true(snap_exists(s, id));
		}
		usleep(500);
		ok(f, snap_open(s, id, &sn, &f->e));
		assert_true(fs_exists(sn.treefd, "x"));
		snap_close(&sn);
		struct digest m, image;
		make_image(f, s, "Hello!", "docker.io/library/x:y", &m, &image);
		struct image im = { 0 };
		ok(f, image_open_digest(s, &m, &im, &f->e));
		image_done(&im);
		store_close(s);
	}
	assert_int_equal(write(stop[1], "x", 1), 1);
	int status = -1;
	assert_int_equal(waitpid(pruner, &status, 0), pruner);
	assert_int_equal(status, 0);
	assert_true(lost > 1); /* else the pruner never came in between, and nothing was tested */
	close(stop[0]);
	close(stop[1]);
}

static void prune__leaves_a_store_that_survives_its_own_death(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			store_after_fork(f->s);
			for (;;) {
				struct prune_result r = { 0 };
				struct store *s = open_again(f);
				make_image(f, s, "Hello!", "docker.io/library/x:y", &m, &id);
				store_close(s);
				s = open_again(f);
				if (store_prune(s, &(struct prune_opts){ .all = true }, &r, NULL) <
				    0)
					_exit(1);
				store_close(s);
			}
		}
		usleep(1000 + (unsigned)i * 700);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	make_image(f, f->s, "Hello!", "docker.io/library/x:y", &m, &id);
	struct image im = { 0 };
	ok(f, image_open(f->s, "x:y", &im, &f->e));
	image_done(&im);
	ok(f, store_sweep(f->s, &f->e));
	assert_int_equal(count_in(f, "tmp"), 0);
	assert_true(count_in(f, "leases") <= 2); /* ours and the gate */
}

static void usage__adds_up(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	char snap[SNAP_ID];
	struct store_usage u = { 0 };
	make_image(f, f->s, "0123456789", "docker.io/library/x:y", &m, &id);
	make_snap(f, f->s, "step", "four", true, snap);
	ok(f, store_usage(f->s, &u, &f->e));
	assert_int_equal(u.images_n, 1);
	assert_int_equal(u.cache, 4);
	assert_int_equal(u.cache_n, 1);
	assert_true(u.images > 10);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(prune__keeps_images_and_takes_the_rest),
		T(prune__takes_nothing_when_a_record_cannot_be_read),
		T(prune__takes_nothing_when_a_blob_cannot_be_looked_at),
		T(prune__keeps_what_cache_records_speak_of),
		T(prune__keeps_what_a_living_process_uses),
		T(prune__never_takes_what_was_found),
		T(prune__leaves_a_store_that_survives_its_own_death),
		T(usage__adds_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
