/* SPDX-License-Identifier: Apache-2.0 */
/* What all unit tests start with: cmocka and its needs, and a directory of one's own. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/walk.h"

struct tmpdir {
	char *path;
	int fd;
};

/* Below $TMPDIR, else /tmp; ends the test if it cannot be made. */
static inline _unused_ struct tmpdir tmpdir_make(void)
{
	const char *base = getenv("TMPDIR");
	struct tmpdir t = { str_printf("%s/thimble-unit-XXXXXX", base ? base : "/tmp"), -1 };
	assert_non_null(mkdtemp(t.path));
	t.fd = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(t.fd >= 0);
	return t;
}

static inline _unused_ void tmpdir_done(struct tmpdir *t)
{
	if (t->path && fs_remove(AT_FDCWD, t->path, NULL) < 0)
		print_error("%s: left behind\n", t->path);
	if (t->fd >= 0)
		(void)close(t->fd);
	free(t->path);
	*t = (struct tmpdir){ NULL, -1 };
}

#define _tmpdir_ _cleanup_(tmpdir_done)

/* A file with these bytes. */
static inline _unused_ void put_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
	assert_int_equal(close(fd), 0);
}

/* From here on only `n` more descriptors can be opened; returns the limit as it was, for
 * setrlimit. */
static inline _unused_ struct rlimit leave_descriptors(unsigned n)
{
	struct rlimit before, few;
	int next = dup(STDIN_FILENO);
	assert_true(next >= 0);
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	return before;
}

/* The error as one line, in a buffer that lives until the next call; for messages and checks. */
static inline _unused_ const char *err_words(const struct err *e)
{
	static char words[2048];
	struct buf b = { 0 };
	err_line(e, &b);
	(void)snprintf(words, sizeof words, "%s", b.p ? b.p : "");
	buf_done(&b);
	return words;
}

/* Reads every file in tests/data/NAME as `accepts` does; those named refuse-… must be refused, all
 * others taken. DATA_DIR comes from meson.build. */
#ifdef DATA_DIR
static inline _unused_ void check_seeds(const char *name, bool (*accepts)(struct slice text))
{
	_free_ char *path = str_printf("%s/%s", DATA_DIR, name);
	_cleanup_(walk_closep) struct walk *w = walk_open(AT_FDCWD, path, NULL);
	struct walk_entry ent;
	unsigned n = 0;
	for (; walk_next(w, &ent, NULL) > 0; n++) {
		_cleanup_(buf_done) struct buf text = { 0 };
		assert_int_equal(fs_read(ent.dirfd, ent.name, 1 << 20, &text, NULL), 0);
		bool refuse = slice_starts(slice_of(ent.name), SL("refuse-"));
		if (accepts(buf_view(&text)) == refuse)
			fail_msg("%s/%s is %s", path, ent.path, refuse ? "taken" : "refused");
	}
	assert_true(n > 0);
}
#endif

#define assert_says(e, part) assert_non_null(strstr(err_words(e), (part)))
