/* SPDX-License-Identifier: Apache-2.0 */
#include "store/image_remove.h"

#include "base/fs.h"
#include "fixture.h"

/* What makes an image holds it until it closes the store. */
static void make_and_let_go(struct fixture *f, const char *text, const char *name, struct digest *m)
{
	struct digest id;
	struct store *s = open_again(f);
	make_image(f, s, text, name, m, &id);
	store_close(s);
}

static void image_in_use__sees_who_opened_it(void **state)
{
	struct fixture *f = *state;
	struct digest one, two;
	make_and_let_go(f, "one", "docker.io/library/one:1", &one);
	make_and_let_go(f, "two", "docker.io/library/two:1", &two);
	assert_int_equal(image_in_use(f->s, &one, &f->e), 0);

	struct store *other = open_again(f);
	struct image im = { 0 };
	ok(f, image_open(other, "one:1", &im, &f->e));
	assert_int_equal(image_in_use(f->s, &one, &f->e), 1);
	assert_int_equal(image_in_use(f->s, &two, &f->e), 0);
	image_done(&im);
	store_close(other);
	assert_int_equal(image_in_use(f->s, &one, &f->e), 0);
}

static void image_remove__takes_the_image_and_leaves_others(void **state)
{
	struct fixture *f = *state;
	struct digest one, two;
	struct prune_result r = { 0 };
	struct image im = { 0 };
	make_and_let_go(f, "one", "docker.io/library/one:1", &one);
	make_and_let_go(f, "two", "docker.io/library/two:1", &two);
	ok(f, name_del(f->s, "docker.io/library/one:1", &f->e));
	ok(f, image_remove(f->s, &one, &r, &f->e));
	assert_int_equal(r.snapshots, 1);
	assert_true(r.bytes >= 3);
	strs_done(&r.what);
	assert_int_equal(count_in(f, "snapshots"), 1);
	refused(f, ERR_ABSENT, image_open_digest(f->s, &one, &im, &f->e));
	ok(f, image_open(f->s, "two:1", &im, &f->e));
	image_done(&im);
}

static void image_remove__leaves_layers_that_another_image_has(void **state)
{
	struct fixture *f = *state;
	char snap[SNAP_ID];
	struct digest m[2], id;
	struct prune_result r = { 0 };
	struct store *s = open_again(f);
	make_snap(f, s, "hello", "shared", true, snap);
	char *snaps[] = { snap };
	for (int i = 0; i < 2; i++) {
		struct image_config cfg = { 0 };
		cfg.platform.os = str_dup("linux");
		cfg.platform.arch = str_dup("amd64");
		strs_add(&cfg.cmd, i ? "/a" : "/b");
		cfg.has_cmd = true;
		ok(f, image_put(s, &(struct image_new){ .cfg = &cfg, .snaps = snaps, .snaps_n = 1 }, &m[i],
				&id, &f->e));
		image_config_done(&cfg);
	}
	ok(f, name_set(s, "docker.io/library/b:1", &m[1], &f->e));
	store_close(s);
	ok(f, image_remove(f->s, &m[0], &r, &f->e));
	assert_int_equal(r.snapshots, 0);
	strs_done(&r.what);
	struct image im = { 0 };
	ok(f, image_open(f->s, "b:1", &im, &f->e));
	image_done(&im);
}

static void image_remove__refuses_what_is_in_use(void **state)
{
	struct fixture *f = *state;
	struct digest m;
	struct prune_result r = { 0 };
	struct image im = { 0 };
	make_and_let_go(f, "one", "docker.io/library/one:1", &m);
	struct store *other = open_again(f);
	ok(f, image_open(other, "one:1", &im, &f->e));
	image_done(&im);
	refused(f, ERR_DENIED, image_remove(f->s, &m, &r, &f->e));
	assert_true(mentions(&f->e, "in use by another process"));
	store_close(other);
	ok(f, image_open(f->s, "one:1", &im, &f->e)); /* nothing was changed */
	image_done(&im);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(image_in_use__sees_who_opened_it),
		T(image_remove__takes_the_image_and_leaves_others),
		T(image_remove__leaves_layers_that_another_image_has),
		T(image_remove__refuses_what_is_in_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
