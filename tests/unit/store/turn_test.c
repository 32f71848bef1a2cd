/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <signal.h>

#include "store/turn.h"

static const struct digest work = { .b = { 1, 2, 3, 4, 5, 6, 7, 8 } };
static const struct digest other = { .b = { 8, 7, 6, 5, 4, 3, 2, 1 } };

/* A process that holds the turn of `work` until go is written to (then it ends it) or it dies. */
struct holder {
	pid_t pid;
	int go;
};

static struct holder hold(struct fixture *f, bool done)
{
	int up[2], down[2];
	char c;
	assert_int_equal(pipe2(up, O_CLOEXEC), 0);
	assert_int_equal(pipe2(down, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct turn t = TURN_INIT;
		close(down[1]);
		bool got = turn_take(f->s, &work, NULL, NULL, &t, NULL) == 0 && t.fd >= 0;
		bool said = write(up[1], "x", 1) == 1 && read(down[0], &c, 1) == 1;
		usleep(100000);
		turn_end(&t, done);
		_exit(!got || !said);
	}
	close(up[1]);
	close(down[0]);
	assert_int_equal(read(up[0], &c, 1), 1);
	close(up[0]);
	return (struct holder){ pid, down[1] };
}

static int ended(struct holder *h)
{
	int status;
	assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
	close(h->go);
	return status;
}

static void turn_take__waits_for_what_another_makes(void **state)
{
	struct fixture *f = *state;
	struct holder h = hold(f, true);
	struct turn t = TURN_INIT, u = TURN_INIT;
	ok(f, turn_take(f->s, &other, NULL, NULL, &u, &f->e)); /* other work is not waited for */
	assert_true(u.fd >= 0);
	turn_end(&u, true);
	assert_int_equal(write(h.go, "x", 1), 1);
	ok(f, turn_take(f->s, &work, NULL, NULL, &t, &f->e));
	assert_true(t.fd >= 0);
	/* It had ended its turn: nothing is left to wait for. */
	assert_int_equal(ended(&h), 0);
	turn_end(&t, true);
	assert_int_equal(t.fd, -1);
}

static void turn_take__goes_on_beside_after_a_failure(void **state)
{
	struct fixture *f = *state;
	struct holder h = hold(f, false);
	struct turn t = TURN_INIT;
	assert_int_equal(write(h.go, "x", 1), 1);
	ok(f, turn_take(f->s, &work, NULL, NULL, &t, &f->e));
	assert_int_equal(t.fd, -1);
	assert_int_equal(ended(&h), 0);
	/* Who did not wait has a turn, and success wipes the failure out. */
	ok(f, turn_take(f->s, &work, NULL, NULL, &t, &f->e));
	assert_true(t.fd >= 0);
	turn_end(&t, true);
	h = hold(f, true);
	assert_int_equal(write(h.go, "x", 1), 1);
	ok(f, turn_take(f->s, &work, NULL, NULL, &t, &f->e));
	assert_true(t.fd >= 0);
	turn_end(&t, true);
	assert_int_equal(ended(&h), 0);
}

static void turn_take__takes_over_from_the_dead(void **state)
{
	struct fixture *f = *state;
	struct holder h = hold(f, true);
	struct turn t = TURN_INIT;
	assert_int_equal(kill(h.pid, SIGKILL), 0);
	ok(f, turn_take(f->s, &work, NULL, NULL, &t, &f->e));
	assert_true(t.fd >= 0);
	turn_end(&t, true);
	assert_int_equal(WTERMSIG(ended(&h)), SIGKILL);
}

static void turn_take__does_not_wait_for_the_stopped(void **state)
{
	struct fixture *f = *state;
	struct holder h = hold(f, true);
	struct turn t = TURN_INIT;
	assert_int_equal(kill(h.pid, SIGSTOP), 0);
	ok(f, turn_take(f->s, &work, NULL, NULL, &t, &f->e));
	assert_int_equal(t.fd, -1);
	assert_int_equal(kill(h.pid, SIGKILL), 0);
	assert_int_equal(WTERMSIG(ended(&h)), SIGKILL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(turn_take__waits_for_what_another_makes),
		T(turn_take__goes_on_beside_after_a_failure),
		T(turn_take__takes_over_from_the_dead),
		T(turn_take__does_not_wait_for_the_stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
