/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "store/lists.h"

static void list__is_there_until_it_is_removed(void **state)
{
	struct fixture *f = *state;
	_cleanup_(strs_done) struct strs all = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	assert_int_equal(list_get(f->s, "docker.io/library/a:1", &b, &f->e), 0);
	assert_int_equal(list_del(f->s, "docker.io/library/a:1", &f->e), 0);
	ok(f, list_put(f->s, "docker.io/library/a:1", SL("one\ntwo"), &f->e));
	ok(f, list_put(f->s, "docker.io/library/A/b:2", SL(""), &f->e));
	assert_int_equal(list_get(f->s, "docker.io/library/a:1", &b, &f->e), 1);
	assert_string_equal(b.p, "one\ntwo");
	ok(f, list_put(f->s, "docker.io/library/a:1", SL("three"), &f->e));
	buf_clear(&b);
	assert_int_equal(list_get(f->s, "docker.io/library/a:1", &b, &f->e), 1);
	assert_string_equal(b.p, "three");
	ok(f, lists_all(f->s, &all, &f->e));
	assert_int_equal(all.n, 2);
	assert_string_equal(all.p[1], "docker.io/library/a:1");
	assert_int_equal(list_del(f->s, "docker.io/library/a:1", &f->e), 1);
	assert_int_equal(list_get(f->s, "docker.io/library/a:1", &b, &f->e), 0);
}

static size_t prune_all(struct fixture *f)
{
	struct prune_result r = { 0 };
	store_close(f->s);
	f->s = open_again(f);
	ok(f, store_prune(f->s, &(struct prune_opts){ .all = true, .cache = true }, &r, &f->e));
	strs_done(&r.what);
	return count_in(f, "blobs/sha256") + count_in(f, "snapshots");
}

static void list__keeps_what_it_speaks_of(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, m2, id2;
	char text[DIGEST_LEN];
	make_image(f, f->s, "Hello!", "docker.io/library/a:1", &m, &id);
	make_image(f, f->s, "Another", "docker.io/library/b:1", &m2, &id2);
	_free_ char *list = str_printf("[{\"digest\":\"%s\"}]", digest_text(&m, text));
	ok(f, list_put(f->s, "docker.io/library/l:1", slice_of(list), &f->e));
	assert_int_equal(prune_all(f), 3); /* manifest, config and layer of the first */
	struct image im = { 0 };
	ok(f, image_open_digest(f->s, &m, &im, &f->e));
	image_done(&im);
	assert_int_equal(list_del(f->s, "docker.io/library/l:1", &f->e), 1);
	assert_int_equal(prune_all(f), 0);
}

static void list__that_is_damaged_is_told(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = { 0 };
	ok(f, list_put(f->s, "docker.io/library/l:1", SL("text"), &f->e));
	_free_ char *cmd = str_printf("for i in %s/lists/*; do : >$i; done", f->root);
	assert_int_equal(system(cmd), 0);
	refused(f, ERR_DATA, list_get(f->s, "docker.io/library/l:1", &b, &f->e));
	assert_true(mentions(&f->e, "manifest rm"));
	assert_int_equal(list_del(f->s, "docker.io/library/l:1", &f->e), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(list__is_there_until_it_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(list__keeps_what_it_speaks_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(list__that_is_damaged_is_told, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("store-lists", tests, NULL, NULL);
}
