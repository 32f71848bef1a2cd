/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "store/ctxcache.h"

/* Old enough to be believed. */
static struct stat file(uint64_t ino)
{
	struct stat st = { 0 };
	st.st_dev = 5;
	st.st_ino = ino;
	st.st_size = 100;
	st.st_mtim = (struct timespec){ 1000000, 1 };
	st.st_ctim = (struct timespec){ 1000000, 2 };
	return st;
}

static bool recalled(struct ctxcache *c, const struct stat *st, struct digest *out)
{
	bool plain;
	const struct digest *d = ctxcache_find(c, st, &plain);
	if (d)
		*out = *d;
	return d;
}

static void ctxcache__remembers(void **state)
{
	struct fixture *f = *state;
	struct digest d, got;
	digest_of(SL("x"), &d);
	struct ctxcache *c = ctxcache_open(f->s, "/src");
	for (uint64_t i = 100; i > 0; i--) {
		struct stat st = file(i);
		assert_false(recalled(c, &st, &got));
		ctxcache_put(c, &st, &d, false);
	}
	ctxcache_save_close(c);
	c = ctxcache_open(f->s, "/src");
	for (uint64_t i = 1; i <= 100; i++) {
		struct stat st = file(i);
		assert_true(recalled(c, &st, &got));
		assert_true(digest_eq(&got, &d));
	}
	struct stat st = file(7);
	st.st_size++;
	assert_false(recalled(c, &st, &got));
	st = file(7);
	st.st_mtim.tv_nsec++;
	assert_false(recalled(c, &st, &got));
	st = file(7);
	st.st_ctim.tv_sec++;
	assert_false(recalled(c, &st, &got));
	ctxcache_put(c, &st, &d, false); /* a newer one takes the place */
	ctxcache_save_close(c);
	c = ctxcache_open(f->s, "/src");
	assert_true(recalled(c, &st, &got));
	st = file(7);
	assert_false(recalled(c, &st, &got));
	st = file(100);
	assert_true(recalled(c, &st, &got));
	ctxcache_save_close(c);
	c = ctxcache_open(f->s, "/other");
	assert_false(recalled(c, &st, &got));
	ctxcache_save_close(c);
}

static void ctxcache__does_not_believe_racy_files(void **state)
{
	struct fixture *f = *state;
	struct digest d, got;
	digest_of(SL("x"), &d);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct ctxcache *c = ctxcache_open(f->s, "/src");
	struct stat young = file(1), whole_seconds = file(2), future = file(3);
	young.st_ctim = now;
	whole_seconds.st_ctim = (struct timespec){ now.tv_sec - 1, 0 };
	whole_seconds.st_mtim = whole_seconds.st_ctim;
	future.st_ctim.tv_sec = now.tv_sec + 1000;
	ctxcache_put(c, &young, &d, true);
	ctxcache_put(c, &whole_seconds, &d, true);
	ctxcache_put(c, &future, &d, true);
	ctxcache_save_close(c);
	c = ctxcache_open(f->s, "/src");
	assert_false(recalled(c, &young, &got));
	assert_false(recalled(c, &whole_seconds, &got));
	assert_false(recalled(c, &future, &got));
	ctxcache_save_close(c);
}

static void ctxcache__remembers_who_has_no_attributes(void **state)
{
	struct fixture *f = *state;
	struct digest d;
	bool plain = true;
	struct stat with = file(1), without = file(2);
	digest_of(SL("x"), &d);
	struct ctxcache *c = ctxcache_open(f->s, "/src");
	ctxcache_put(c, &with, &d, false);
	ctxcache_put(c, &without, &d, true);
	ctxcache_save_close(c);
	c = ctxcache_open(f->s, "/src");
	assert_non_null(ctxcache_find(c, &with, &plain));
	assert_false(plain);
	assert_non_null(ctxcache_find(c, &without, &plain));
	assert_true(plain);
	plain = false;
	without.st_ctim.tv_nsec++; /* as setxattr does */
	assert_null(ctxcache_find(c, &without, &plain));
	assert_false(plain);
	ctxcache_save_close(c);
}

static void ctxcache__does_not_believe_damaged_files(void **state)
{
	struct fixture *f = *state;
	struct digest d, got;
	struct stat st = file(1);
	digest_of(SL("x"), &d);
	struct ctxcache *c = ctxcache_open(f->s, "/src");
	ctxcache_put(c, &st, &d, false);
	ctxcache_save_close(c);
	struct digest key;
	char hex[SHA256_HEX];
	digest_of(SL("/src"), &key);
	_free_ char *path = str_printf("%s/cache/context/%s", f->root, digest_hex(&key, hex));
	struct stat size;
	assert_int_equal(stat(path, &size), 0);
	for (off_t at = 0; at < size.st_size; at++) {
		int fd = open(path, O_RDWR | O_CLOEXEC);
		unsigned char b = 0;
		assert_int_equal(pread(fd, &b, 1, at), 1);
		b ^= 0x40;
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
		c = ctxcache_open(f->s, "/src");
		if (recalled(c, &st, &got))
			assert_true(at >= 12 &&
				    at < 16); /* between magic and records nothing counts */
		ctxcache_save_close(c);
		b ^= 0x40;
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
		close(fd);
	}
	for (off_t n = 0; n < size.st_size; n += 7) {
		assert_int_equal(truncate(path, n), 0);
		c = ctxcache_open(f->s, "/src");
		assert_false(recalled(c, &st, &got));
		ctxcache_save_close(c);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ctxcache__remembers),
		T(ctxcache__remembers_who_has_no_attributes),
		T(ctxcache__does_not_believe_racy_files),
		T(ctxcache__does_not_believe_damaged_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
