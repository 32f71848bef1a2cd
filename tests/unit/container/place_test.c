/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "../store/fixture.h"
#include "container/place.h"
#include "container/run.h"

static void place_open__keeps_a_name_to_itself(void **state)
{
	struct fixture *f = *state;
	struct place one = PLACE_INIT, two = PLACE_INIT;
	ok(f, place_open(f->s, "mine", &one, &f->e));
	refused(f, ERR_USER, place_open(f->s, "mine", &two, &f->e));
	assert_says(&f->e, "the container name 'mine' is already in use by a running container");
	ok(f, place_close(f->s, &one, &f->e));
	ok(f, place_open(f->s, "mine", &two, &f->e));
	ok(f, place_close(f->s, &two, &f->e));
	assert_int_equal(count_in(f, "containers"), 0);
}

/* What hinders is told, and not taken for another run that holds the place. */
static void place_open__says_what_hinders(void **state)
{
	struct fixture *f = *state;
	struct place p = PLACE_INIT;
	const struct rlimit before = leave_descriptors(1); /* for containers/ alone */
	int r = place_open(f->s, "mine", &p, &f->e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -1);
	assert_string_equal(err_words(&f->e),
			    "lock a new directory below containers/: Too many open files");
	assert_int_equal(p.dirfd, -1);
	ok(f, container_sweep(f->s, &f->e));
	assert_int_equal(count_in(f, "containers"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(place_open__keeps_a_name_to_itself),
		TEST(place_open__says_what_hinders),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
