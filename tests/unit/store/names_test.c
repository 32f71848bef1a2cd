/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static void put(struct fixture *f, struct digest *d)
{
	ok(f, blob_put(f->s, SL("{}"), d, &f->e));
}

static void names__of_a_and_a_b_live_together(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {
		"docker.io/library/a/b:latest", "docker.io/library/a:=x",
		"docker.io/library/a:latest",   "docker.io/library/a:latest.1",
		"docker.io/library/a:latest1",  "localhost:5000/a/b/c:v_1",
	};
	struct digest d;
	put(f, &d);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (i != 1)
			ok(f, name_set(f->s, names[i], &d, &f->e));
	_cleanup_(strs_done) struct strs refs = { 0 };
	ok(f, names_list(f->s, &refs, &f->e));
	assert_int_equal(refs.n, COUNT_OF(names) - 1);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(strs_find(&refs, names[i]) >= 0, i != 1);
	assert_int_equal(name_del(f->s, names[2], &f->e), 1);
	assert_int_equal(name_del(f->s, names[2], &f->e), 0);
	struct name_record r = { 0 };
	assert_int_equal(name_get(f->s, names[2], &r, &f->e), 0);
	assert_int_equal(name_get(f->s, names[0], &r, &f->e), 1);
	name_record_done(&r);
}

static void names__can_be_as_long_as_the_specification_has_them(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	char part[256], tag[129];
	memset(part, 'a', 255);
	part[255] = '\0';
	memset(tag, 'T', 128);
	tag[128] = '\0';
	_free_ char *name = str_printf("registry.example.com:5000/%s/%s:%s", part, part, tag);
	_free_ char *at = str_printf("docker.io/library/x@sha256:%064d", 7);
	put(f, &d);
	ok(f, name_set(f->s, name, &d, &f->e));
	ok(f, name_set(f->s, at, &d, &f->e));
	_cleanup_(strs_done) struct strs refs = { 0 };
	ok(f, names_list(f->s, &refs, &f->e));
	assert_int_equal(refs.n, 2);
	assert_int_equal(strs_find(&refs, name), 1);
	assert_int_equal(strs_find(&refs, at), 0);
	/* the last name of a repository takes its directories along */
	assert_int_equal(name_del(f->s, name, &f->e), 1);
	assert_int_equal(count_in(f, "names"), 1);
}

static void names__never_leave_their_directory(void **state)
{
	static const char *const bad[] = {
		"",           "a",           "a:b",        "a/../../b:c",
		"../stamp:x", "host/./x:t",  "host//x:t",  "/etc/passwd:t",
		"host/x:",    "host/x:.",    "host/x:..",  "host/x:a/b",
		"host/=x:t",  "host/@x:t",   "host/x y:t", "host/x:a\nb",
		"host/x@",    "host:5000/x",
	};
	struct fixture *f = *state;
	struct digest d;
	put(f, &d);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct name_record r = { 0 };
		refused(f, ERR_USER, name_set(f->s, bad[i], &d, &f->e));
		refused(f, ERR_USER, name_get(f->s, bad[i], &r, &f->e));
		refused(f, ERR_USER, name_del(f->s, bad[i], &f->e));
	}
	assert_int_equal(count_in(f, "names"), 0);
}

static void name_set__refuses_what_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	digest_of(SL("?"), &d);
	refused(f, ERR_ABSENT, name_set(f->s, "docker.io/library/x:y", &d, &f->e));
}

/* What cannot be read is no name without an image. */
static void name_set_failed__replaces_no_name_that_it_cannot_read(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	struct name_record r = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	const char *name = "docker.io/library/x:y";
	err_set(&why, ERR_USER, "no gcc here");
	put(f, &d);
	ok(f, name_set(f->s, name, &d, &f->e));
	int store = store_fd(f->s);
	const char *path = "names/docker.io/library/x/=y", *aside = "names/aside";
	assert_int_equal(renameat(store, path, store, aside), 0);
	assert_int_equal(mkdirat(store, path, 0700), 0); /* to read it fails: EISDIR */
	refused(f, ERR_SYS, name_set_failed(f->s, name, &why, &f->e));
	assert_int_equal(unlinkat(store, path, AT_REMOVEDIR), 0);
	assert_int_equal(renameat(store, aside, store, path), 0);
	assert_int_equal(name_get(f->s, name, &r, &f->e), 1);
	assert_true(digest_eq(&r.manifest, &d));
	name_record_done(&r);
}

static void name_set_failed__keeps_the_earlier_image(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	struct name_record r = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	const char *name = "docker.io/library/x:y";
	err_set(&why, ERR_USER, "no gcc here");
	put(f, &d);
	ok(f, name_set_failed(f->s, name, &why, &f->e));
	assert_int_equal(name_get(f->s, name, &r, &f->e), 1);
	assert_true(digest_is_zero(&r.manifest));
	assert_non_null(r.failed);
	name_record_done(&r);

	ok(f, name_set(f->s, name, &d, &f->e));
	assert_int_equal(name_get(f->s, name, &r, &f->e), 1);
	assert_null(r.failed);
	name_record_done(&r);

	_cleanup_(buf_done) struct buf big = { 0 };
	buf_zero(&big, 1 << 20);
	memset(big.p, 'x', big.len);
	err_output(&why, buf_view(&big));
	ok(f, name_set_failed(f->s, name, &why, &f->e));
	assert_int_equal(name_get(f->s, name, &r, &f->e), 1);
	assert_true(digest_eq(&r.manifest, &d));
	assert_true(strlen(r.failed) < 1 << 17);
	name_record_done(&r);
}

static void names__come_and_go_in_many_processes(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	put(f, &d);
	pid_t pids[4];
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		store_after_fork(f->s);
		_free_ char *name = str_printf("docker.io/shared/repo:t%d", i);
		for (int k = 0; k < 200; k++)
			if (name_set(f->s, name, &d, NULL) < 0 || name_del(f->s, name, NULL) != 1)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int status = -1;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(count_in(f, "names"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(names__of_a_and_a_b_live_together),
		T(names__can_be_as_long_as_the_specification_has_them),
		T(names__never_leave_their_directory),
		T(name_set__refuses_what_is_not_there),
		T(name_set_failed__replaces_no_name_that_it_cannot_read),
		T(name_set_failed__keeps_the_earlier_image),
		T(names__come_and_go_in_many_processes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
