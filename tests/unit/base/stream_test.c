/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/stream.h"

static void source_full__reads_until_the_end(void **state)
{
	(void)state;
	_cleanup_(source_closep) struct source *in = source_mem("abcdef", 6);
	char block[8] = "";
	assert_int_equal(source_full(in, block, 4, NULL), 4);
	assert_memory_equal(block, "abcd", 4);
	assert_int_equal(source_full(in, block, 8, NULL), 2);
	assert_int_equal(source_full(in, block, 8, NULL), 0);
}

static void source_hash__sees_what_passes(void **state)
{
	(void)state;
	struct sha256 sum;
	uint64_t count = 0;
	sha256_begin(&sum);
	_cleanup_(source_closep) struct source *in = source_mem("abc", 3);
	_cleanup_(source_closep) struct source *hashed = source_hash(in, &sum, &count);
	char block[8];
	assert_int_equal(source_full(hashed, block, sizeof block, NULL), 3);
	uint8_t got[SHA256_LEN], want[SHA256_LEN];
	sha256_end(&sum, got);
	sha256_of("abc", 3, want);
	assert_memory_equal(got, want, sizeof got);
	assert_int_equal(count, 3);
}

static void sink_fd__writes_all_in_order(void **state)
{
	(void)state;
	_tmpdir_ struct tmpdir tmp = tmpdir_make();
	_close_ int fd = openat(tmp.fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	_cleanup_(sink_closep) struct sink *out = sink_fd(fd);
	_cleanup_(buf_done) struct buf want = { 0 }, got = { 0 };
	static const size_t sizes[] = { 1, 70000, 100, 65536, 65535, 2, 0, 200000 };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		_free_ char *block = mem_alloc(sizes[i]);
		memset(block, 'a' + (int)i, sizes[i]);
		assert_int_equal(sink_write(out, block, sizes[i], NULL), 0);
		buf_add(&want, block, sizes[i]);
	}
	assert_int_equal(sink_finish(out, NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	_cleanup_(source_closep) struct source *in = source_fd(fd);
	char block[5000];
	ssize_t n;
	while ((n = source_read(in, block, sizeof block, NULL)) > 0)
		buf_add(&got, block, (size_t)n);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.p, want.p, want.len);
}

static void sink_fd__tells_a_full_disk(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	_close_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	_cleanup_(sink_closep) struct sink *out = sink_fd(fd);
	assert_int_equal(sink_write(out, "x", 1, &e), 0);
	assert_int_equal(sink_finish(out, &e), -1);
	assert_says(&e, "No space left on device");
	assert_int_equal(e.hints_n, 1);
}

static void sink_hash__passes_on_and_counts(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { .max = 4 };
	struct sha256 sum;
	uint64_t count = 0;
	sha256_begin(&sum);
	_cleanup_(sink_closep) struct sink *to = sink_buf(&b);
	_cleanup_(sink_closep) struct sink *hashed = sink_hash(to, &sum, &count);
	_cleanup_(sink_closep) struct sink *only = sink_hash(NULL, NULL, &count);
	assert_int_equal(sink_write(hashed, "abc", 3, NULL), 0);
	assert_int_equal(sink_write(only, "xy", 2, NULL), 0);
	assert_int_equal(sink_finish(hashed, NULL), 0);
	uint8_t got[SHA256_LEN], want[SHA256_LEN];
	sha256_end(&sum, got);
	sha256_of("abc", 3, want);
	assert_memory_equal(got, want, sizeof got);
	assert_string_equal(b.p, "abc");
	assert_int_equal(count, 5);
	assert_int_equal(sink_write(hashed, "de", 2, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source_full__reads_until_the_end),
		cmocka_unit_test(source_hash__sees_what_passes),
		cmocka_unit_test(sink_fd__writes_all_in_order),
		cmocka_unit_test(sink_fd__tells_a_full_disk),
		cmocka_unit_test(sink_hash__passes_on_and_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
