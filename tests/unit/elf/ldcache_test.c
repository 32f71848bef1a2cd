/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/proc.h"
#include "elf/ldcache.h"

/* A cache of one library for everybody and one for a processor, in either byte order. */
static void put(struct buf *b, uint64_t v, unsigned n, bool big)
{
	for (unsigned i = 0; i < n; i++)
		buf_char(b, (char)(v >> 8 * (big ? n - 1 - i : i)));
}

static void make_cache(bool big, bool old_in_front, struct buf *out)
{
	enum {
		STRINGS = 48 + 2 * 24,
		SONAME = STRINGS,
		PATH = SONAME + 9,
		HWPATH = PATH + 14,
		VARIANT = HWPATH + 38,
		EXT = 172
	};
	struct buf b = { 0 };

	if (old_in_front) {
		buf_add(&b, "ld.so-1.7.0\0", 12);
		put(&b, 1, 4, big);
		buf_zero(&b, 12);
		buf_zero(&b, 4); /* up to a multiple of 8 */
		assert_int_equal(b.len, 32);
	}
	size_t start = b.len;
	buf_str(&b, "glibc-ld.so.cache1.1");
	put(&b, 2, 4, big), put(&b, 0, 4, big);
	buf_char(&b, big ? 3 : 2), buf_zero(&b, 3);
	put(&b, EXT, 4, big), buf_zero(&b, 12);
	put(&b, 0x0303, 4, big), put(&b, SONAME, 4, big), put(&b, HWPATH, 4, big),
		put(&b, 0, 4, big);
	put(&b, UINT64_C(1) << 62 | 0, 8, big);
	put(&b, 0x0303, 4, big), put(&b, SONAME, 4, big), put(&b, PATH, 4, big), put(&b, 0, 4, big);
	put(&b, 0, 8, big);
	buf_add(&b, "libx.so.1", 9); /* no NUL: runs on into the next, on purpose */
	b.p[b.len - 1] = 0;
	buf_add(&b, "/lib/libx.so.", 14);
	buf_add(&b, "/lib/glibc-hwcaps/x86-64-v3/libx.so.1", 38);
	buf_add(&b, "x86-64-v3", 10);
	buf_zero(&b, start + EXT - b.len);
	put(&b, 0xeaa42174, 4, big), put(&b, 1, 4, big);
	put(&b, 1, 4, big), put(&b, 0, 4, big), put(&b, EXT + 24, 4, big), put(&b, 4, 4, big);
	put(&b, VARIANT, 4, big);
	*out = b;
}

static void ldcache_find__reads_both_orders_and_behind_an_old_part(void **state)
{
	(void)state;
	for (int k = 0; k < 4; k++) {
		struct buf b;
		struct ldcache c;
		struct ldcache_entry x;
		uint32_t i = 0;
		make_cache(k & 1, k & 2, &b);
		assert_int_equal(ldcache_open(buf_view(&b), &c, NULL), 0);
		assert_int_equal(c.count, 2);
		assert_int_equal(ldcache_find(&c, SL("libx.so."), &i, &x), 1);
		assert_true(slice_is(x.variant, "x86-64-v3"));
		assert_true(slice_is(x.path, "/lib/glibc-hwcaps/x86-64-v3/libx.so.1"));
		assert_int_equal(ldcache_find(&c, SL("libx.so."), &i, &x), 1);
		assert_true(slice_is(x.path, "/lib/libx.so."));
		assert_int_equal(x.hwcap, 0);
		assert_int_equal(x.flags, 0x0303);
		assert_int_equal(ldcache_find(&c, SL("libx.so."), &i, &x), 0);
		buf_done(&b);
	}
}

static void ldcache_open__survives_every_changed_byte_and_cut(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct buf b;

	(void)state;
	make_cache(false, true, &b);
	for (size_t at = 0; at < 2 * b.len; at++)
		for (size_t v = 0; v < COUNT_OF(values); v++) {
			size_t n = at < b.len ? b.len : at - b.len; /* second half: cut there */
			_free_ char *copy = mem_dup(b.p, n);
			struct ldcache c;
			struct ldcache_entry x;
			if (at < b.len)
				copy[at] = (char)values[v];
			if (ldcache_open((struct slice){ copy, n }, &c, NULL) < 0)
				continue;
			for (uint32_t i = 0; i < c.count && i < 100; i++)
				if (ldcache_entry(&c, i, &x))
					assert_true(x.path.p + x.path.n <
						    copy + n); /* its NUL lies in it too */
		}
	buf_done(&b);
}

static void ldcache_open__refuses_what_is_no_cache(void **state)
{
	struct ldcache c;
	_cleanup_(err_done) struct err e = { 0 };
	(void)state;
	assert_int_equal(ldcache_open(SL(""), &c, &e), -1);
	assert_int_equal(e.kind, ERR_DATA);
	assert_int_equal(ldcache_open(SL("glibc-ld.so.cache1.1"), &c, NULL), -1);
	assert_int_equal(
		ldcache_open(SL("glibc-ld.so.cache1.1\377\377\377\377____________________________"),
			     &c, NULL),
		-1);
}

/* ldconfig -p is the judge: same names and paths in the same order. */
static void ldcache_entry__agrees_with_ldconfig(void **state)
{
	struct buf b = { .max = LDCACHE_MAX }, text = { 0 };
	char *argv[] = { (char *)"/sbin/ldconfig", (char *)"-p", NULL };
	struct ldcache c;
	struct ldcache_entry x;
	uint32_t n = 0;
	struct slice rest, line;

	(void)state;
	if (access("/etc/ld.so.cache", R_OK) < 0 || access(argv[0], X_OK) < 0) {
		print_message("no ld.so.cache or no ldconfig on this machine\n");
		skip();
	}
	assert_int_equal(fs_read(AT_FDCWD, "/etc/ld.so.cache", LDCACHE_MAX, &b, NULL), 0);
	assert_int_equal(proc_run(argv, &text, NULL), 0);
	assert_int_equal(ldcache_open(buf_view(&b), &c, NULL), 0);
	rest = buf_view(&text);
	while (slice_split(&rest, '\n', &line)) {
		size_t arrow = slice_search(line, SL(" => "));
		if (line.n == 0 || line.p[0] != '\t' || arrow == line.n)
			continue;
		struct slice name = slice_from(line, 1);
		assert_int_equal(ldcache_entry(&c, n++, &x), 1);
		assert_true(slice_eq(x.soname, slice_head(name, slice_find(name, ' '))));
		assert_true(slice_eq(x.path, slice_from(line, arrow + 4)));
	}
	assert_int_equal(n, c.count);
	assert_true(n > 0);
	buf_done(&b);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ldcache_find__reads_both_orders_and_behind_an_old_part),
		cmocka_unit_test(ldcache_open__survives_every_changed_byte_and_cut),
		cmocka_unit_test(ldcache_open__refuses_what_is_no_cache),
		cmocka_unit_test(ldcache_entry__agrees_with_ldconfig),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
