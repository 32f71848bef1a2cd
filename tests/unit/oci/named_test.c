/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "oci/named.h"

/* The same as without an index, whatever is there at first and whoever else adds to it. */
static void named__sets_as_without_an_index(void **state)
{
	(void)state;
	static const char *const first[] = { "A=1", "novalue", "A=2", "B=x=y", "=empty", "" };
	static const char *const names[] = { "A", "B", "C", "novalue", "", "AA", "A" };
	struct strs plain = { 0 }, indexed = { 0 };
	struct kvs kv = { 0 }, kv_indexed = { 0 };
	struct named at = { 0 }, kv_at = { 0 };
	for (size_t i = 0; i < COUNT_OF(first); i++) {
		strs_add(&plain, first[i]);
		strs_add(&indexed, first[i]);
	}
	for (size_t i = 0; i < 200; i++) {
		_free_ char *name = i % 3 ? str_printf("%s%zu", names[i % 7], i % 11)
					  : str_dup(names[i % 7]);
		_free_ char *value = str_printf("%zu=%s", i, name);
		struct slice n = slice_of(name), v = slice_of(value);
		env_set(&plain, n, v);
		kvs_set(&kv, n, v);
		if (i % 5) {
			env_set_in(&indexed, &at, n, v);
			kvs_set_in(&kv_indexed, &kv_at, n, v);
		} else {
			env_set(&indexed, n, v);
			kvs_set(&kv_indexed, n, v);
		}
		const char *got = env_get_in(&indexed, &at, n);
		assert_string_equal(got, value);
		assert_string_equal(got, env_get(&plain, name));
		assert_null(env_get_in(&indexed, &at, SL("none")));
	}
	_free_ char *want = strs_join(&plain, "\n"), *all = strs_join(&indexed, "\n");
	assert_string_equal(all, want);
	assert_int_equal(kv.n, kv_indexed.n);
	for (size_t i = 0; i < kv.n; i++) {
		assert_string_equal(kv.p[i].k, kv_indexed.p[i].k);
		assert_string_equal(kv.p[i].v, kv_indexed.p[i].v);
	}
	strs_done(&plain);
	strs_done(&indexed);
	kvs_done(&kv);
	kvs_done(&kv_indexed);
	named_done(&at);
	named_done(&kv_at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named__sets_as_without_an_index),
	};
	return cmocka_run_group_tests_name("oci-named", tests, NULL, NULL);
}
