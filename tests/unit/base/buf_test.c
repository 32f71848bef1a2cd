/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/arena.h"
#include "base/array.h"
#include "base/num.h"

static void buf_add__stops_at_max(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { .max = 4 };
	_cleanup_(err_done) struct err e = { 0 };
	buf_str(&b, "abc");
	assert_int_equal(buf_check(&b, "it", &e), 0);
	buf_str(&b, "de");
	buf_str(&b, "f"); /* would fit, but something is missing before it */
	assert_string_equal(b.p, "abc");
	assert_true(b.over);
	assert_int_equal(buf_check(&b, "the manifest", &e), -1);
	assert_int_equal(e.kind, ERR_DATA);
	assert_string_equal(err_words(&e), "the manifest is larger than 4 bytes");
	buf_clear(&b);
	buf_str(&b, "abcd");
	assert_false(b.over);
}

static void buf_printf__grows_past_its_first_guess(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_printf(&b, "%s", "x");
	buf_printf(&b, "%01000d", 7);
	assert_int_equal(b.len, 1001);
	assert_int_equal(b.p[1000], '7');
	assert_int_equal(b.p[1001], '\0');
}

static void buf_take__leaves_it_empty(void **state)
{
	(void)state;
	struct buf b = { 0 };
	_free_ char *none = buf_take(&b);
	assert_string_equal(none, "");
	buf_str(&b, "x");
	_free_ char *x = buf_take(&b);
	assert_string_equal(x, "x");
	assert_null(b.p);
	assert_int_equal(b.len, 0);
}

static void buf_le__is_read_back(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_le16(&b, 0x0102);
	buf_le32(&b, 0x03040506);
	buf_le64(&b, 0x0708090a0b0c0d0e);
	assert_memory_equal(b.p, "\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07", 14);
	assert_int_equal(le16_at(b.p), 0x0102);
	assert_int_equal(le32_at(b.p + 2), 0x03040506);
	assert_true(le64_at(b.p + 6) == 0x0708090a0b0c0d0e);
	assert_int_equal(be16_at(b.p), 0x0201);
}

static void buf_zero__and_room__keep_the_end(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { .max = 100 };
	buf_zero(&b, 5);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.p, "\0\0\0\0\0", 6);
	assert_non_null(buf_room(&b, 95));
	assert_null(buf_room(&b, 96));
}

static void arr__keeps_order(void **state)
{
	(void)state;
	ARRAY_OF(int) a = { 0 };
	for (int i = 0; i < 100; i++)
		arr_push(&a, i);
	arr_insert(&a, 0, -1);
	arr_insert(&a, 50, 1000);
	arr_remove(&a, 50);
	arr_remove(&a, 0);
	*(int *)arr_add(&a) = 100;
	int want = 0;
	arr_each(it, &a)
		assert_int_equal(*it, want++);
	assert_int_equal(want, 101);
	arr_done(&a);
	arr_each(it, &a)
		fail();
}

static void strs__own_their_strings(void **state)
{
	(void)state;
	_cleanup_(strs_done) struct strs a = { 0 }, b = { 0 };
	strs_add(&a, "b");
	strs_addf(&a, "%c%d", 'a', 1);
	strs_take(&a, str_dup("c"));
	strs_add(&b, "old");
	strs_copy(&b, &a);
	strs_copy(&b, &b); /* of itself */
	strs_sort(&a);
	_free_ char *joined = strs_join(&a, ", ");
	assert_string_equal(joined, "a1, b, c");
	assert_int_equal(strs_find(&b, "a1"), 1);
	assert_int_equal(strs_find(&b, "x"), -1);
	_free_ char **argv = strs_argv(&a);
	assert_string_equal(argv[2], "c");
	assert_null(argv[3]);
}

static void arena__gives_aligned_zeroed_memory(void **state)
{
	(void)state;
	_cleanup_(arena_done) struct arena a = { 0 };
	for (size_t n = 0; n < 3000; n += 7) {
		unsigned char *p = arena_alloc(&a, n);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	char *big = arena_alloc(&a, 1 << 20);
	big[(1 << 20) - 1] = 1;
	assert_string_equal(arena_str(&a, SL("text")), "text");
	assert_string_equal(arena_printf(&a, "%d", 42), "42");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_add__stops_at_max),
		cmocka_unit_test(buf_printf__grows_past_its_first_guess),
		cmocka_unit_test(buf_take__leaves_it_empty),
		cmocka_unit_test(buf_le__is_read_back),
		cmocka_unit_test(buf_zero__and_room__keep_the_end),
		cmocka_unit_test(arr__keeps_order),
		cmocka_unit_test(strs__own_their_strings),
		cmocka_unit_test(arena__gives_aligned_zeroed_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
