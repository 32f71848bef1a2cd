/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"

#include <pthread.h>

#include "image/spool.h"

static void open_spool(struct fixture *f, struct spool *s)
{
	int fd = open(f->dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	spool_init(s, fd);
}

static void close_spool(struct spool *s)
{
	close(s->fd);
	spool_done(s);
}

/* Reads to the end, however it ends. */
struct reader {
	struct spool *s;
	struct buf got;
	struct err e;
	ssize_t last;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	char block[4];
	while ((r->last = spool_pread(r->s, block, sizeof block, r->got.len, &r->e)) > 0)
		buf_add(&r->got, block, (size_t)r->last);
	return NULL;
}

static void spool__is_read_while_it_is_written(void **state)
{
	struct fixture *f = *state;
	struct spool s;
	pthread_t thread;
	struct reader r = { .s = &s };
	open_spool(f, &s);
	assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
	ok(f, sink_write(&s.base, "Hello, ", 7, &f->e));
	ok(f, sink_write(&s.base, "world!", 6, &f->e));
	ok(f, sink_finish(&s.base, &f->e));
	pthread_join(thread, NULL);
	assert_int_equal(r.last, 0);
	assert_string_equal(r.got.p, "Hello, world!");
	buf_done(&r.got);
	char again[5];
	assert_int_equal(spool_pread(&s, again, sizeof again, 7, &f->e), 5);
	assert_memory_equal(again, "world", 5);
	close_spool(&s);
}

static void spool__fails_for_the_reader_when_the_writer_gives_up(void **state)
{
	struct fixture *f = *state;
	struct spool s;
	pthread_t thread;
	struct reader r = { .s = &s };
	open_spool(f, &s);
	assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
	ok(f, sink_write(&s.base, "Hello, ", 7, &f->e));
	spool_break(&s);
	pthread_join(thread, NULL);
	assert_int_equal(r.last, -1);
	assert_int_equal(r.e.kind, ERR_SYS);
	assert_true(mentions(&r.e, "the layer could not be compressed"));
	err_done(&r.e);
	buf_done(&r.got);
	close_spool(&s);
}

static void spool__fails_for_the_writer_when_the_reader_gives_up(void **state)
{
	struct fixture *f = *state;
	struct spool s;
	open_spool(f, &s);
	ok(f, sink_write(&s.base, "Hello, ", 7, &f->e));
	spool_break(&s);
	refused(f, ERR_SYS, sink_write(&s.base, "world!", 6, &f->e));
	assert_true(mentions(&f->e, "nobody wants the rest"));
	close_spool(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(spool__is_read_while_it_is_written, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			spool__fails_for_the_reader_when_the_writer_gives_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			spool__fails_for_the_writer_when_the_reader_gives_up, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("image-spool", tests, NULL, NULL);
}
