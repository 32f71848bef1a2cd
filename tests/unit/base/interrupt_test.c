/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h> /* wants what is above it */

#include "base/err.h"
#include "base/fs.h"
#include "base/interrupt.h"

/* Each in a process of its own: what a signal leaves behind stays in it. Returns what waitpid gives. */
static int in_child(int (*body)(void))
{
	int status = -1;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, 0) == 1;
}

static int sees_signals(void)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP };
	if (interrupt_pending() || interrupt_fd() != -1)
		return 1;
	interrupt_catch();
	if (interrupt_pending() || interrupt_fd() < 0 || readable(interrupt_fd()))
		return 2;
	for (unsigned i = 0; i < 3; i++) {
		pid_t pid = fork(); /* the second signal would end the process */
		if (pid == 0) {
			errno = 7;
			(void)raise(all[i]);
			_exit(errno != 7 || interrupt_pending() != all[i] || !readable(interrupt_fd()));
		}
		int status;
		if (waitpid(pid, &status, 0) != pid || status)
			return 3;
	}
	return 0;
}

static void interrupt__is_seen_once_it_came(void **state)
{
	(void)state;
	assert_int_equal(in_child(sees_signals), 0);
}

static int twice(void)
{
	interrupt_catch();
	(void)raise(SIGTERM);
	(void)raise(SIGTERM);
	return 0;
}

static void interrupt__ends_the_process_when_it_comes_again(void **state)
{
	(void)state;
	int status = in_child(twice);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static int ignored(void)
{
	(void)signal(SIGHUP, SIG_IGN);
	interrupt_catch();
	(void)raise(SIGHUP);
	return interrupt_pending();
}

static void interrupt__leaves_what_was_ignored(void **state)
{
	(void)state;
	assert_int_equal(in_child(ignored), 0); /* nohup thimble build … */
}

static int not_asked_for(void)
{
	(void)raise(SIGINT);
	return 0;
}

static void interrupt__is_as_always_for_who_did_not_ask(void **state)
{
	(void)state;
	int status = in_child(not_asked_for);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
}

static int reads_and_writes(void)
{
	int p[2];
	char c = 'x';
	struct err e = { 0 };
	interrupt_catch();
	if (pipe(p) < 0 || write(p[1], &c, 1) != 1)
		return 1;
	if (fd_read(p[0], &c, 1) != 1 || fd_write_all(p[1], &c, 1, &e) < 0)
		return 2; /* before: they work */
	(void)raise(SIGINT);
	errno = 0;
	if (fd_read(p[0], &c, 1) != -1 || errno != EINTR)
		return 3;
	if (fd_write_all(p[1], &c, 1, &e) != -1 || !err_is_errno(&e, EINTR))
		return 4;
	err_done(&e);
	return 0;
}

static void interrupt__ends_reads_and_writes(void **state)
{
	(void)state;
	assert_int_equal(in_child(reads_and_writes), 0);
}

static int blocked_read(void)
{
	int p[2];
	char c;
	interrupt_catch();
	if (pipe(p) < 0)
		return 1;
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		(void)usleep(50000);
		(void)kill(parent, SIGTERM);
		_exit(0);
	}
	(void)alarm(20); /* a read that goes on would never end */
	int r = fd_read(p[0], &c, 1) == -1 && errno == EINTR ? 0 : 2;
	(void)waitpid(pid, NULL, 0);
	return r;
}

static void interrupt__wakes_a_read_that_waits(void **state)
{
	(void)state;
	assert_int_equal(in_child(blocked_read), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interrupt__is_seen_once_it_came),
		cmocka_unit_test(interrupt__ends_the_process_when_it_comes_again),
		cmocka_unit_test(interrupt__leaves_what_was_ignored),
		cmocka_unit_test(interrupt__is_as_always_for_who_did_not_ask),
		cmocka_unit_test(interrupt__ends_reads_and_writes),
		cmocka_unit_test(interrupt__wakes_a_read_that_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
