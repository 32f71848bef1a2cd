/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "base/proc.h"

static int sh(const char *script, struct buf *out, struct err *e)
{
	char *const argv[] = { "sh", "-c", (char *)script, NULL };
	return proc_run(argv, out, e);
}

static void proc_run__gives_stdout(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(sh("cat; echo out; echo err >&2", &out, &e), 0); /* stdin is empty */
	assert_string_equal(out.p, "out\n");
	assert_int_equal(sh("echo dropped", NULL, &e), 0);
}

static void proc_run__tells_how_it_failed(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(sh("echo first >&2; echo last words >&2; exit 3", NULL, &e), -1);
	assert_int_equal(e.kind, ERR_PROG);
	assert_int_equal(e.sys_errno, 3);
	assert_string_equal(e.output, "first\nlast words");
	assert_says(&e, "'sh' failed with status 3");
	assert_int_equal(sh("kill -TERM $$", NULL, &e), -1);
	assert_int_equal(e.sys_errno, 128 + SIGTERM);
	assert_says(&e, "'sh' was ended by signal 15");
}

static void proc_run__drains_both_pipes(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(sh("i=0; while [ $i -lt 20000 ]; do echo 0123456789; echo e$i >&2; "
			    "i=$((i+1)); done; exit 1",
			    &out, &e),
			 -1);
	assert_int_equal(out.len, 220000);
	size_t n = strlen(e.output);
	assert_true(n > 4000 && n <= 8192);
	assert_string_equal(e.output + n - 6, "e19999");
}

static void proc_run__limits_what_it_keeps(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf out = { .max = 10 };
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(sh("echo 0123456789012345", &out, &e), -1);
	assert_int_equal(e.kind, ERR_DATA);
}

static void proc_run__passes_nothing_on(void **state)
{
	(void)state;
	_close_ int fd = open("/dev/null", O_RDONLY);
	int high = fcntl(fd, F_DUPFD, 200); /* as a library's, without O_CLOEXEC */
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	assert_int_equal(high, 200);
	assert_int_equal(sh("test ! -e /proc/self/fd/200 && echo closed", &out, &e), 0);
	assert_string_equal(out.p, "closed\n");
	(void)close(high);
}

static void proc_run__tells_a_missing_program(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	char *const argv[] = { "no-such-program-anywhere", NULL };
	assert_int_equal(proc_run(argv, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(e.sys_errno, ENOENT);
	assert_says(&e, "run 'no-such-program-anywhere'");
	assert_true(proc_has("sh"));
	assert_true(proc_has("/bin/sh"));
	assert_false(proc_has("no-such-program-anywhere"));
	assert_false(proc_has("/etc/passwd"));
	assert_false(proc_has(""));
}

static void proc_fork__dies_with_its_parent(void **state)
{
	(void)state;
	int alive[2];
	assert_int_equal(pipe(alive), 0);
	pid_t pid = proc_fork(NULL);
	assert_true(pid >= 0);
	if (pid == 0) { /* leaves a grandchild that would sleep on, holding the pipe */
		pid_t below = proc_fork(NULL);
		if (below == 0) {
			char c;
			(void)close(alive[0]);
			(void)sleep(600);
			_exit(write(alive[1], &c, 0) < 0);
		}
		_exit(below > 0 ? 5 : 6);
	}
	(void)close(alive[1]);
	assert_int_equal(proc_wait(pid), 5);
	char c;
	assert_int_equal(fd_read(alive[0], &c, 1), 0); /* its end: nobody holds it any more */
	(void)close(alive[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proc_run__gives_stdout),
		cmocka_unit_test(proc_run__tells_how_it_failed),
		cmocka_unit_test(proc_run__drains_both_pipes),
		cmocka_unit_test(proc_run__limits_what_it_keeps),
		cmocka_unit_test(proc_run__passes_nothing_on),
		cmocka_unit_test(proc_run__tells_a_missing_program),
		cmocka_unit_test(proc_fork__dies_with_its_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
