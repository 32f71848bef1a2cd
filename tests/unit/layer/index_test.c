/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include <libdeflate.h>

static void path_cmp__puts_the_slash_lowest(void **state)
{
	(void)state;
	static const char *const order[] = { "",    "a",   "a/b", "a/b/c", "a/c", "a\x01",   "a b",
					     "a-b", "a.b", "a0",  "ab",    "b",   "\xc3\xa4" };
	for (size_t i = 0; i < COUNT_OF(order); i++)
		for (size_t j = 0; j < COUNT_OF(order); j++) {
			int r = index_path_cmp(order[i], order[j]);
			assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
		}
}

static void sort__keeps_the_last_of_a_path(void **state)
{
	(void)state;
	struct index x;
	index_init(&x);
	static const char *const names[] = { "b", "a.x", "a", "b", "a/b", "b" };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		index_add(&x, slice_of(names[i]), ENTRY_FILE)->size = i;
	index_sort(&x);
	assert_int_equal(x.entries.n, 4);
	assert_string_equal(x.entries.p[0].path, "a");
	assert_string_equal(x.entries.p[1].path, "a/b");
	assert_string_equal(x.entries.p[2].path, "a.x");
	assert_string_equal(x.entries.p[3].path, "b");
	assert_int_equal(x.entries.p[3].size, 5);
	assert_int_equal(index_lower(&x, "a/"), 1);
	assert_int_equal(index_lower(&x, "zz"), 4);
	assert_null(index_find(&x, "a/c"));
	assert_ptr_equal(index_find(&x, "a.x"), &x.entries.p[2]);
	index_done(&x);
}

static void fill(struct index *x)
{
	index_init(x);
	index_add(x, SL(""), ENTRY_DIR)->mode = 0755;
	for (int i = 0; i < 300; i++) {
		_free_ char *name = str_printf("dir%d/file", i % 50);
		_free_ char *path = str_printf("%s%d", name, i);
		struct entry *ent = index_add(x, slice_of(path), (enum entry_type)(i % 7));
		ent->mode = (uint32_t)(i * 7) & 07777;
		ent->uid = (uint32_t)i * 1000;
		ent->gid = UINT32_MAX - 1;
		ent->mtime = i % 2 ? -i : i;
		ent->mtime_ns = (uint32_t)i;
		ent->size = (uint64_t)i << 20;
		ent->group = (uint32_t)i % 3;
		ent->major = 8;
		ent->minor = (uint32_t)i;
		ent->opaque = ent->type == ENTRY_DIR && i % 2;
		if (ent->type == ENTRY_FILE) {
			ent->has_digest = true;
			digest_of(slice_of(path), &ent->digest);
		}
		if (ent->type == ENTRY_SYMLINK)
			ent->link = "to/there";
		if (i % 5 == 0) {
			struct xattr *list = arena_alloc(&x->arena, 2 * sizeof *list);
			list[0] = (struct xattr){ (char *)"security.capability", (char *)"\1\0\0\2",
						  4 };
			list[1] = (struct xattr){ (char *)"user.a", (char *)"", 0 };
			ent->xattrs = list;
			ent->xattrs_n = 2;
		}
	}
	index_sort(x);
}

static void write_read__gives_the_same(void **state)
{
	struct fixture *f = *state;
	struct index x, y;
	_cleanup_(buf_done) struct buf a = { 0 }, b = { 0 };
	fill(&x);
	index_write(&x, &a);
	ok(f, index_read(buf_view(&a), &y, &f->e));
	assert_int_equal(y.entries.n, x.entries.n);
	for (size_t i = 0; i < x.entries.n; i++) {
		const struct entry *p = &x.entries.p[i], *q = &y.entries.p[i];
		assert_string_equal(p->path, q->path);
		assert_int_equal(p->type, q->type);
		assert_int_equal(p->mtime, q->mtime);
		assert_int_equal(p->uid, q->uid);
		assert_int_equal(p->xattrs_n, q->xattrs_n);
		assert_true(digest_eq(&p->digest, &q->digest));
	}
	index_write(&y, &b); /* all else: the bytes are the same again */
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.p, b.p, a.len);
	index_done(&x);
	index_done(&y);
}

static void read__refuses_damage(void **state)
{
	struct fixture *f = *state;
	struct index x, y = { 0 };
	_cleanup_(buf_done) struct buf a = { 0 };
	fill(&x);
	index_write(&x, &a);
	for (size_t i = 0; i < a.len; i += 1 + i / 100) {
		a.p[i] ^= 0x10;
		assert_int_equal(index_read(buf_view(&a), &y, &f->e), -1);
		assert_int_equal(f->e.kind, ERR_DATA);
		a.p[i] ^= 0x10;
	}
	for (size_t n = 0; n < a.len; n += 97)
		assert_int_equal(index_read((struct slice){ a.p, n }, &y, &f->e), -1);
	index_done(&x);
}

/* Wrong bytes under a right checksum: what a mistake of ours, or a forger, would write. */
static void read__checks_bounds_under_a_good_checksum(void **state)
{
	struct fixture *f = *state;
	struct index x, y;
	_cleanup_(buf_done) struct buf a = { 0 };
	index_init(&x);
	struct entry *ent = index_add(&x, SL("a"), ENTRY_SYMLINK);
	ent->link = "t";
	index_write(&x, &a);
	unsigned refused = 0;
	for (size_t i = 12; i + 32 < a.len; i++)
		for (int v = 0; v < 256; v += 51) {
			char was = a.p[i];
			a.p[i] = (char)v;
			uint32_t crc = libdeflate_crc32(0, a.p + 12, a.len - 12);
			for (int k = 0; k < 4; k++)
				a.p[8 + k] = (char)(crc >> (8 * k));
			if (index_read(buf_view(&a), &y, &f->e) == 0) {
				_cleanup_(buf_done) struct buf b = { 0 };
				index_write(&y, &b);
				index_done(&y);
			} else {
				refused++;
			}
			a.p[i] = was;
		}
	assert_true(refused > 50);
	index_done(&x);
}

static void put_le32(struct buf *b, size_t at, uint32_t v)
{
	for (int k = 0; k < 4; k++)
		b->p[at + (size_t)k] = (char)(v >> (8 * k));
}

static void seal(struct buf *b)
{
	put_le32(b, 8, libdeflate_crc32(0, b->p + 12, b->len - 12));
}

/* Numbers and texts that do not fit together, under a good checksum. In index_io.c's words: two records
 * of 92 bytes from 24, one of 12 for the attribute from 208, the text from 220. */
static void read__says_what_is_damaged(void **state)
{
	struct fixture *f = *state;
	enum { A = 24, B = A + 92, ATTR = B + 92, TEXT = ATTR + 12 };
	static const char text[] = "a\0b\0user.k\0v"; /* offsets 0, 2, 4, 11; 13 bytes */
	static const struct {
		size_t at;
		uint32_t value;
		const char *says;
	} cases[] = {
		{ ATTR, 13, "an attribute has no name" },
		{ ATTR, UINT32_MAX, "an attribute has no name" },
		{ ATTR, 1, "an attribute has no name" },
		{ ATTR + 4, 13, "an attribute lies outside" },
		{ ATTR + 8, 2, "an attribute lies outside" },
		{ ATTR + 8, UINT32_MAX - 10, "an attribute lies outside" },
		{ A, 2, "its entries are not in order" },
		{ B, 0, "its entries are not in order" },
		{ TEXT + 9, 0x2a2a2a2a, "its text does not end" },
	};
	struct index x, y;
	static const struct xattr attribute = { (char *)"user.k", (char *)"v", 1 };
	_cleanup_(buf_done) struct buf whole = { 0 };
	index_init(&x);
	index_add(&x, SL("a"), ENTRY_FILE);
	struct entry *ent = index_add(&x, SL("b"), ENTRY_FILE);
	ent->xattrs = &attribute;
	ent->xattrs_n = 1;
	index_write(&x, &whole);
	index_done(&x);
	assert_int_equal(whole.len, TEXT + sizeof text);
	assert_memory_equal(whole.p + TEXT, text, sizeof text);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		_free_ char *want = str_printf("the index of this layer is damaged: %s",
					       cases[i].says);
		buf_slice(&b, buf_view(&whole));
		put_le32(&b, cases[i].at, cases[i].value);
		seal(&b);
		assert_int_equal(index_read(buf_view(&b), &y, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_string_equal(e.chain[0], want);
	}

	/* one record, and no text at all */
	put_le32(&whole, 12, 1);
	put_le32(&whole, 16, 0);
	put_le32(&whole, 20, 0);
	whole.len = B;
	seal(&whole);
	assert_int_equal(index_read(buf_view(&whole), &y, &f->e), -1);
	assert_string_equal(f->e.chain[0], "the index of this layer is damaged: it has no text");
	/* not one byte of it is looked at */
	assert_int_equal(index_read((struct slice){ "", INDEX_MAX + 1ull }, &y, &f->e), -1);
	assert_string_equal(f->e.chain[0], "the index of this layer is damaged: it is too large");
}

static void size__counts_a_group_once(void **state)
{
	(void)state;
	struct index x;
	index_init(&x);
	index_add(&x, SL("d"), ENTRY_DIR)->size = 4096;
	for (int i = 0; i < 4; i++) {
		_free_ char *path = str_printf("f%d", i);
		struct entry *ent = index_add(&x, slice_of(path), ENTRY_FILE);
		ent->size = 10;
		ent->group = i < 3 ? 7 : 0;
	}
	assert_int_equal(index_size(&x), 20);
	assert_false(index_is_complete(&x));
	index_done(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_cmp__puts_the_slash_lowest),
		cmocka_unit_test(sort__keeps_the_last_of_a_path),
		cmocka_unit_test_setup_teardown(write_read__gives_the_same, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(read__refuses_damage, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(read__checks_bounds_under_a_good_checksum,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(read__says_what_is_damaged, fixture_setup,
						fixture_teardown),
		cmocka_unit_test(size__counts_a_group_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
