/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"
#include "fixture.h"
#include "layer/codec.h"
#include "layer/readahead.h"

enum kind { ZEROS, TEXT, NOISE, MIXED };

static void make_data(enum kind kind, size_t n, struct buf *out)
{
	uint64_t s = 42;
	char *p = (buf_clear(out), buf_str(out, ""), buf_room(out, n + 1));
	for (size_t i = 0; i < n; i++) {
		s = s * 6364136223846793005u + 1442695040888963407u;
		unsigned r = (unsigned)(s >> 40);
		bool noise = kind == NOISE || (kind == MIXED && (i >> 16 & 1));
		p[i] = kind == ZEROS ? 0
		       : noise       ? (char)r
				     : "etaoin shrdlu\n"[r % 14 * (r % 3 > 0)];
	}
	out->len += n;
	p[n] = '\0';
}

static void run_sink(struct fixture *f, struct sink *s, const struct buf *data, size_t step)
{
	assert_non_null(s);
	for (size_t at = 0; at < data->len; at += step) {
		size_t n = data->len - at < step ? data->len - at : step;
		ok(f, sink_write(s, data->p + at, n, &f->e));
	}
	ok(f, sink_finish(s, &f->e));
	sink_close(s);
}

static void gzip_of(struct fixture *f, const struct buf *data, unsigned threads, size_t step,
		    int level, struct buf *out)
{
	_cleanup_(sink_closep) struct sink *to = sink_buf(out);
	run_sink(f, gzip_sink(to, level, threads, &f->e), data, step);
}

static int inflate_auto(const struct buf *packed, enum compression *c, struct buf *out,
			struct err *e)
{
	_cleanup_(source_closep) struct source *in = source_mem(packed->p ? packed->p : "",
								packed->len);
	_cleanup_(source_closep) struct source *s = comp_source_auto(in, c, e);
	static char piece[100000];
	ssize_t n;
	if (!s)
		return -1;
	while ((n = source_read(s, piece, sizeof piece, e)) > 0)
		buf_add(out, piece, (size_t)n);
	return (int)n;
}

static void assert_same_bytes(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->len, b->len);
	if (a->len)
		assert_memory_equal(a->p, b->p, a->len);
}

static void gzip__has_the_same_bytes_for_any_threads(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = {
		0,       1, 511, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20, (5 << 20) + 12345,
		40 << 20
	};
	for (int kind = ZEROS; kind <= MIXED; kind++)
		for (size_t i = 0; i < COUNT_OF(sizes); i++) {
			_cleanup_(buf_done) struct buf data = { 0 }, one = { 0 }, two = { 0 },
						       five = { 0 }, back = { 0 }, theirs = { 0 };
			enum compression c;
			if (sizes[i] > 6 << 20 && kind != ZEROS)
				continue;
			make_data((enum kind)kind, sizes[i], &data);
			gzip_of(f, &data, 1, 1 << 16, 0, &one);
			gzip_of(f, &data, 2, 1000003, 0, &two);
			gzip_of(f, &data, 5, 77777, 0, &five);
			assert_same_bytes(&one, &two);
			assert_same_bytes(&one, &five);
			assert_int_equal(inflate_auto(&one, &c, &back, &f->e), 0);
			assert_int_equal(c, COMP_GZIP);
			assert_same_bytes(&data, &back);
			_close_ int fd = openat(f->fd, "x.gz", O_WRONLY | O_CREAT | O_TRUNC, 0600);
			ok(f, fd_write_all(fd, one.p, one.len, &f->e));
			_free_ char *script = str_printf("cd %s && gzip -t x.gz && zcat x.gz",
							 f->dir);
			char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
			ok(f, proc_run(argv, &theirs, &f->e));
			assert_same_bytes(&data, &theirs);
		}
}

/* Short pieces end on every bit: all eight paddings are met. */
static void gzip__joins_at_every_bit(void **state)
{
	struct fixture *f = *state;
	for (int level = 1; level <= 12; level += 5)
		for (size_t n = 0; n < 300; n++) {
			_cleanup_(buf_done) struct buf data = { 0 }, packed = { 0 }, back = { 0 };
			make_data(TEXT, n, &data);
			gzip_of(f, &data, 1, 64, level, &packed);
			assert_int_equal(inflate_auto(&packed, NULL, &back, &f->e), 0);
			assert_same_bytes(&data, &back);
		}
}

static void zstd__has_the_same_bytes_for_any_threads(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = { 0, 1, 1 << 20, (9 << 20) + 7 };
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		_cleanup_(buf_done) struct buf data = { 0 }, a = { 0 }, b = { 0 }, back = { 0 };
		enum compression c;
		make_data(MIXED, sizes[i], &data);
		struct sink *to = sink_buf(&a);
		run_sink(f, zstd_sink(to, 0, 1, &f->e), &data, 1 << 16);
		sink_close(to);
		to = sink_buf(&b);
		run_sink(f, zstd_sink(to, 0, 3, &f->e), &data, 1234567);
		sink_close(to);
		assert_same_bytes(&a, &b);
		assert_int_equal(inflate_auto(&a, &c, &back, &f->e), 0);
		assert_int_equal(c, COMP_ZSTD);
		assert_same_bytes(&data, &back);
	}
}

static const struct {
	const char *tool;
	enum compression c;
} tools[] = { { "gzip", COMP_GZIP },
	      { "zstd -q", COMP_ZSTD },
	      { "bzip2", COMP_BZIP2 },
	      { "xz", COMP_XZ },
	      { "cat", COMP_NONE } };

static void pack(struct fixture *f, const char *tool, struct buf *out)
{
	_free_ char *script = str_printf("cd %s && %s < data", f->dir, tool);
	char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
	ok(f, proc_run(argv, out, &f->e));
}

static void source__reads_what_the_tools_write(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(tools); i++)
		for (size_t n = 1; n < 4000000; n = n * 61 + 1) {
			_cleanup_(buf_done) struct buf data = { 0 }, packed = { 0 }, twice = { 0 },
						       a = { 0 }, b = { 0 };
			enum compression c;
			make_data(MIXED, n, &data);
			_close_ int fd = openat(f->fd, "data", O_WRONLY | O_CREAT | O_TRUNC, 0600);
			ok(f, fd_write_all(fd, data.p, data.len, &f->e));
			pack(f, tools[i].tool, &packed);
			ok(f, inflate_auto(&packed, &c, &a, &f->e));
			assert_int_equal(c, tools[i].c);
			assert_same_bytes(&data, &a);
			/* two members, one behind the other */
			buf_slice(&twice, buf_view(&packed));
			buf_slice(&twice, buf_view(&packed));
			ok(f, inflate_auto(&twice, &c, &b, &f->e));
			assert_int_equal(b.len, 2 * data.len);
			assert_memory_equal(b.p + data.len, data.p, data.len);
		}
}

static void source__refuses_cut_and_damaged_input(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf data = { 0 };
	make_data(TEXT, 30000, &data);
	_close_ int fd = openat(f->fd, "data", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ok(f, fd_write_all(fd, data.p, data.len, &f->e));
	for (size_t i = 0; i + 1 < COUNT_OF(tools); i++) {
		_cleanup_(buf_done) struct buf packed = { 0 };
		pack(f, tools[i].tool, &packed);
		for (size_t n = 6; n < packed.len; n += 1 + packed.len / 50) {
			_cleanup_(buf_done) struct buf out = { 0 };
			struct buf cut = { .p = packed.p, .len = n };
			assert_int_equal(inflate_auto(&cut, NULL, &out, &f->e), -1);
			assert_int_equal(f->e.kind, ERR_DATA);
		}
		_cleanup_(buf_done) struct buf out = { 0 };
		packed.p[packed.len / 2] ^= 0x55;
		assert_int_equal(inflate_auto(&packed, NULL, &out, &f->e), -1);
		packed.p[packed.len / 2] ^= 0x55;
		buf_str(&packed, "trailing garbage");
		assert_int_equal(inflate_auto(&packed, NULL, &out, &f->e), -1);
		assert_int_equal(f->e.kind, ERR_DATA);
	}
}

static void source__accepts_zeros_behind_gzip(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf data = { 0 }, packed = { 0 }, out = { 0 };
	make_data(TEXT, 1000, &data);
	gzip_of(f, &data, 1, 100, 0, &packed);
	buf_zero(&packed, 500000);
	ok(f, inflate_auto(&packed, NULL, &out, &f->e));
	assert_same_bytes(&data, &out);
}

static void sink__refuses_what_it_cannot_write(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(sink_closep) struct sink *to = sink_buf(&b);
	assert_null(comp_sink(to, COMP_XZ, 0, &f->e));
	assert_int_equal(f->e.kind, ERR_USER);
	assert_null(comp_sink(to, COMP_GZIP, 13, &f->e));
	assert_null(comp_sink(to, COMP_ZSTD, 99, &f->e));
	struct sink *s = comp_sink(to, COMP_GZIP, 0, &f->e);
	assert_non_null(s);
	sink_close(s); /* without an end */
}

static void readahead__gives_the_same_and_can_be_left(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf data = { 0 }, got = { 0 };
	make_data(NOISE, 3333333, &data);
	_cleanup_(source_closep) struct source *in = source_mem(data.p, data.len);
	struct source *s = source_readahead(in);
	static char piece[70001];
	ssize_t n;
	while ((n = source_read(s, piece, sizeof piece, &f->e)) > 0)
		buf_add(&got, piece, (size_t)n);
	assert_int_equal(n, 0);
	assert_int_equal(source_read(s, piece, sizeof piece, &f->e), 0);
	source_close(s);
	assert_same_bytes(&data, &got);
	_cleanup_(source_closep) struct source *more = source_mem(data.p, data.len);
	s = source_readahead(more);
	assert_true(source_read(s, piece, 10, &f->e) > 0);
	source_close(s);
	/* an error comes after the bytes before it */
	_cleanup_(buf_done) struct buf packed = { 0 }, some = { 0 };
	gzip_of(f, &data, 1, 1 << 20, 0, &packed);
	_cleanup_(source_closep) struct source *cut = source_mem(packed.p, packed.len - 3);
	_cleanup_(source_closep) struct source *gz = comp_source_auto(cut, NULL, &f->e);
	s = source_readahead(gz);
	while ((n = source_read(s, piece, sizeof piece, &f->e)) > 0)
		buf_add(&some, piece, (size_t)n);
	assert_int_equal(n, -1);
	assert_int_equal(f->e.kind, ERR_DATA);
	source_close(s);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(gzip__has_the_same_bytes_for_any_threads),
		T(gzip__joins_at_every_bit),
		T(zstd__has_the_same_bytes_for_any_threads),
		T(source__reads_what_the_tools_write),
		T(source__refuses_cut_and_damaged_input),
		T(source__accepts_zeros_behind_gzip),
		T(sink__refuses_what_it_cannot_write),
		T(readahead__gives_the_same_and_can_be_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
