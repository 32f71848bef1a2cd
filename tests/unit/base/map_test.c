/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/map.h"

static void map__holds_many(void **state)
{
	(void)state;
	enum { MANY = 20000 };
	_cleanup_(map_done) struct map m = { 0 };
	static int values[MANY];
	char key[16];
	for (int i = 0; i < MANY; i++) {
		struct slice k = { key, (size_t)snprintf(key, sizeof key, "k%d", i) };
		assert_null(map_put(&m, k, &values[i]));
	}
	for (int i = 0; i < MANY; i += 2) {
		struct slice k = { key, (size_t)snprintf(key, sizeof key, "k%d", i) };
		assert_ptr_equal(map_del(&m, k), &values[i]);
		assert_null(map_del(&m, k));
	}
	assert_int_equal(m.live, MANY / 2);
	for (int i = 0; i < MANY; i++) {
		struct slice k = { key, (size_t)snprintf(key, sizeof key, "k%d", i) };
		assert_int_equal(map_has(&m, k), i % 2);
		assert_ptr_equal(map_get(&m, k), i % 2 ? &values[i] : NULL);
	}
	int next = 1;
	map_each(it, &m) { /* insertion order */
		assert_ptr_equal(it->value, &values[next]);
		next += 2;
	}
	assert_int_equal(next, MANY + 1);
}

static void map_put__tells_what_was_there(void **state)
{
	(void)state;
	_cleanup_(map_done) struct map m = { 0 };
	int a, b;
	assert_null(map_put(&m, SL("x"), &a));
	assert_ptr_equal(map_put(&m, SL("x"), &b), &a);
	assert_ptr_equal(map_get(&m, SL("x")), &b);
	assert_int_equal(m.live, 1);
}

static void map__takes_any_bytes_as_key(void **state)
{
	(void)state;
	_cleanup_(map_done) struct map m = { 0 };
	int a, b, c;
	map_put(&m, SL("a\0b"), &a);
	map_put(&m, SL("a\0c"), &b);
	map_put(&m, SL(""), &c);
	assert_ptr_equal(map_get(&m, SL("a\0b")), &a);
	assert_ptr_equal(map_get(&m, SL("a\0c")), &b);
	assert_ptr_equal(map_get(&m, (struct slice){ NULL, 0 }), &c);
	assert_false(map_has(&m, SL("a")));
}

static void map__stays_small_when_names_come_and_go(void **state)
{
	(void)state;
	_cleanup_(map_done) struct map m = { 0 };
	int v;
	char key[16];
	for (int i = 0; i < 100000; i++) {
		struct slice k = { key, (size_t)snprintf(key, sizeof key, "k%d", i) };
		map_put(&m, k, &v);
		map_del(&m, k);
	}
	assert_int_equal(m.live, 0);
	assert_true(m.slots_n <= 64);
	assert_false(map_has(&m, SL("k5")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map__holds_many),
		cmocka_unit_test(map_put__tells_what_was_there),
		cmocka_unit_test(map__takes_any_bytes_as_key),
		cmocka_unit_test(map__stays_small_when_names_come_and_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
