/* SPDX-License-Identifier: Apache-2.0 */
/* timeit N COMMAND [ARG…]: runs the command N times, one after the other, with no input and no
 * output, and prints the median, the smallest and the largest wall time in microseconds, and the
 * largest peak of memory (of one process, KiB). "@@" in an argument becomes the number of the run
 * (the one before the measured ones is 0), so that each can have directories of its own.
 * TIMEIT_BEFORE in the environment is a line for the shell, run before each and not measured, where
 * @@ means the same; it must print nothing.
 * Ends with 1 if a run fails: a fast failure is no measurement. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static char *with_number(const char *arg, long nr)
{
	const char *at = strstr(arg, "@@");
	char *out;
	if (!at)
		return (char *)arg;
	if (asprintf(&out, "%.*s%ld%s", (int)(at - arg), arg, nr, at + 2) < 0)
		abort();
	char *more = with_number(out, nr);
	if (more != out)
		free(out);
	return more;
}

/* One run: from the spawn to the wait's return, in *us. Returns the wait status, -1 on error. */
static int run_once(char **given, long nr, posix_spawn_file_actions_t *quiet, double *us, long *kib)
{
	enum { ARGS_MAX = 256 };
	char *argv[ARGS_MAX + 1] = { 0 };
	struct rusage use;
	pid_t pid;
	int status;
	for (int i = 0; given[i] && i < ARGS_MAX; i++)
		argv[i] = with_number(given[i], nr); /* lost: we end soon */
	const char *before = getenv("TIMEIT_BEFORE");
	if (before && system(with_number(before, nr)) != 0) {
		fprintf(stderr, "timeit: what comes before fails: %s\n", before);
		return -1;
	}
	double start = now_us();

	errno = posix_spawnp(&pid, argv[0], quiet, NULL, argv, environ);
	if (errno) {
		perror(argv[0]);
		return -1;
	}
	while (wait4(pid, &status, 0, &use) < 0)
		if (errno != EINTR)
			return -1;
	*us = now_us() - start;
	if (use.ru_maxrss > *kib)
		*kib = use.ru_maxrss;
	return status;
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	if (n < 1 || n > 100000) {
		fputs("usage: timeit N COMMAND [ARG...]\n", stderr);
		return 2;
	}
	double *us = calloc((size_t)n, sizeof *us);
	posix_spawn_file_actions_t quiet;
	if (!us || posix_spawn_file_actions_init(&quiet))
		return 2;
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	if (!getenv("TIMEIT_STDERR"))
		posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);

	double warm;
	long kib = 0;
	if (run_once(argv + 2, 0, &quiet, &warm, &kib) != 0) {
		fprintf(stderr, "timeit: the command fails: %s\n", argv[2]);
		return 1;
	}
	for (long i = 0; i < n; i++)
		if (run_once(argv + 2, i + 1, &quiet, &us[i], &kib) != 0) {
			fprintf(stderr, "timeit: run %ld fails: %s\n", i + 1, argv[2]);
			return 1;
		}
	qsort(us, (size_t)n, sizeof *us, by_size);
	double median = n % 2 ? us[n / 2] : (us[n / 2 - 1] + us[n / 2]) / 2;
	printf("%.0f %.0f %.0f %ld\n", median, us[0], us[n - 1], kib);
	return 0;
}
