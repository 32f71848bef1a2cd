/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fs.h"
#include "build/dirs_digest.h"

struct place {
	char dir[64];
	int fd;
};

static void put(int fd, const char *path, const char *text)
{
	_close_ int f = openat(fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(f >= 0);
	assert_int_equal(write(f, text, strlen(text)), (ssize_t)strlen(text));
}

/* Broad and deep enough for several threads. */
static int set_up(void **state)
{
	struct place *p = NEW(struct place);
	(void) snprintf(p->dir, sizeof p->dir, "/tmp/thimble-unit.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
	assert_int_equal(mkdirat(p->fd, "top", 0755), 0);
	for (int i = 0; i < 40; i++) {
		char name[64];
		(void) snprintf(name, sizeof name, "top/%d", i);
		assert_int_equal(mkdirat(p->fd, name, 0755), 0);
		(void) snprintf(name, sizeof name, "top/%d/below", i);
		assert_int_equal(mkdirat(p->fd, name, 0755), 0);
		(void) snprintf(name, sizeof name, "top/%d/below/file", i);
		put(p->fd, name, "text");
	}
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	close(p->fd);
	int r = fs_remove(AT_FDCWD, p->dir, NULL);
	free(p);
	return r;
}

static struct digest of(const struct place *p, const char *path)
{
	struct digest d;
	struct err e = { 0 };
	assert_int_equal(dirs_digest(p->fd, path, &d, &e), 0);
	return d;
}

static void digest__changes_with_each_file_and_directory(void **state)
{
	struct place *p = *state;
	struct digest seen[16], now;
	size_t n = 0;
	for (int change = 0; change < 8; change++) {
		struct timespec tick = { .tv_nsec = 12 * 1000000 }; /* of the file system's clock */
		nanosleep(&tick, NULL);
		switch (change) {
		case 0: break; /* as it was made */
		case 1: put(p->fd, "top/17/below/file", "TEXT"); break;
		case 2: assert_int_equal(fchmodat(p->fd, "top/3/below/file", 0600, 0), 0); break;
		case 3: put(p->fd, "top/39/new", ""); break;
		case 4: assert_int_equal(unlinkat(p->fd, "top/0/below/file", 0), 0); break;
		case 5: assert_int_equal(renameat(p->fd, "top/5", p->fd, "top/V"), 0); break;
		case 6: assert_int_equal(symlinkat("x", p->fd, "top/8/link"), 0); break;
		case 7: assert_int_equal(fchmodat(p->fd, "top/9/below", 0700, 0), 0); break;
		}
		now = of(p, "top");
		for (size_t i = 0; i < n; i++)
			assert_false(digest_eq(&now, &seen[i]));
		seen[n++] = now;
		for (int again = 0; again < 20; again++) { /* whoever reads what, in whatever order */
			now = of(p, "top");
			assert_true(digest_eq(&now, &seen[n - 1]));
		}
	}
}

static void digest__of_what_is_not_there(void **state)
{
	struct place *p = *state;
	struct digest none = of(p, "gone");
	assert_int_equal(mkdirat(p->fd, "gone", 0755), 0);
	struct digest some = of(p, "gone");
	assert_false(digest_eq(&none, &some));
	assert_int_equal(symlinkat("top", p->fd, "link"), 0);
	struct digest link = of(p, "link"), there = of(p, "top");
	assert_false(digest_eq(&link, &there)); /* not followed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(digest__changes_with_each_file_and_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(digest__of_what_is_not_there, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
