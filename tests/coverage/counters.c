/* SPDX-License-Identifier: Apache-2.0 */
/* tests/coverage/counters.c: linked into every program of the coverage build (tests/coverage/run).
 *
 * gcov writes its counters when a process ends by exit, to a path fixed at compile time. Most of
 * thimble's processes end by _exit, by execve or by a kill, and some of them in another root, where
 * such a file would land in somebody's image. So the counters (counters.ld) are laid over a file
 * beside the program, PROGRAM.counters, shared by all its processes: whatever happens to one of
 * them, its counts are there, and nothing is written at the end.
 *
 *	PROGRAM with COVERAGE_DUMP=DIR in its environment runs nothing: it writes the counts as
 *	DIR/<object>.gcda, for gcov. */
#include <fcntl.h>
#include <gcov.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern char coverage_counters[], coverage_counters_end[];
extern const struct gcov_info *const coverage_info[], *const coverage_info_end[];

static void lose(const char *what)
{
	perror(what);
	_exit(125);
}

/* The object's path with its '/' as '#', as gcov's own --preserve-paths has it. */
static void name_object(const char *name, void *arg)
{
	FILE **to = arg;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%s/", getenv("COVERAGE_DUMP"));
	for (; *name && (size_t)n + 1 < sizeof path; name++)
		path[n++] = *name == '/' ? '#' : *name;
	path[n] = 0;
	*to = fopen(path, "w");
	if (!*to)
		lose(path);
}

static void write_piece(const void *p, unsigned n, void *arg)
{
	FILE **to = arg;
	if (fwrite(p, 1, n, *to) != n)
		lose("coverage");
}

static void *get_memory(unsigned n, void *arg)
{
	return malloc(n);
}

static void dump(void)
{
	for (const struct gcov_info *const *it = coverage_info; it < coverage_info_end; it++) {
		FILE *to = NULL;
		__gcov_info_to_gcda(*it, name_object, write_piece, get_memory, &to);
		if (!to || fclose(to) != 0)
			lose("coverage");
	}
	_exit(0);
}

/* Before all other constructors: what was counted before would be lost. The file is never made here:
 * a copy of a test's program in a test's root file system counts for itself. */
__attribute__((constructor(101))) static void coverage_start(void)
{
	size_t size = (size_t)(coverage_counters_end - coverage_counters);
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof ".counters");
	if (n < 0)
		return;
	memcpy(path + n, ".counters", sizeof ".counters");
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	struct stat st;
	if (fstat(fd, &st) == 0 && ((size_t)st.st_size >= size || ftruncate(fd, (off_t)size) == 0) &&
		mmap(coverage_counters, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		lose("coverage: mmap");
	close(fd);
	if (getenv("COVERAGE_DUMP"))
		dump();
}
