/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of files: what is too much of an archive, and blobs that are not what they are called. */
#include "files.h"

#include "image/bundle.h"
#include "layer/tar_write.h"

/* A tar of links with numbers as names, made while it is read: it would be 100 MB. */
struct links {
	struct source base;
	struct buf block;
	size_t at, n, most;
};

static void next_block(struct links *l, struct err *e)
{
	_cleanup_(sink_closep) struct sink *out = sink_buf(&l->block);
	_free_ char *name = str_printf("%zu", l->n);
	const struct entry ent = { .path = name, .type = ENTRY_FILE, .mode = 0644 };
	buf_clear(&l->block);
	l->at = 0;
	if (l->n++ < l->most)
		assert_int_equal(tar_write_entry(out, &ent, name, "0", -1, e), 0);
	else
		assert_int_equal(tar_write_end(out, e), 0);
}

static ssize_t links_read(struct source *base, void *p, size_t n, struct err *e)
{
	struct links *l = (struct links *)base;
	if (l->at == l->block.len && l->n <= l->most)
		next_block(l, e);
	if (n > l->block.len - l->at)
		n = l->block.len - l->at;
	memcpy(p, l->block.p + l->at, n);
	l->at += n;
	return (ssize_t)n;
}

static void links_close(struct source *base)
{
	(void)base; /* lives on the stack */
}
static const struct source_ops links_ops = { links_read, links_close };

static void bundle__of_too_many_files_is_refused(void **state)
{
	struct fixture *f = *state;
	for (size_t most = 200000; most <= 200001; most++) {
		struct links l = { { &links_ops }, { 0 }, 0, 0, most };
		struct bundle *b = bundle_from_stream(f->s, &l.base, "'links.tar'", &f->e);
		buf_done(&l.block);
		if (most == 200000) {
			assert_non_null(b);
			bundle_close(b);
			continue;
		}
		assert_null(b);
		assert_int_equal(f->e.kind, ERR_DATA);
		assert_true(mentions(&f->e, "read '200000' in 'links.tar'"));
		assert_true(mentions(&f->e, "the archive has more than 200000 files"));
		assert_true(mentions(&f->e, "use 'thimble import'"));
	}
	assert_int_equal(count_in(f, "tmp"), 0);
}

/* Holes cost an archive nothing: one file of 17 GiB, or several that are as large together. */
static void bundle__of_huge_holes_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const rows[] = {
		"truncate -s 17G hole",
		"truncate -s 1M hole && truncate -s 16G last",
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_free_ char *cmd = str_printf("mkdir %s/%zu && cd %s/%zu && %s && "
					      "tar --sparse -cf ../holes.tar *",
					      f->dir, i, f->dir, i, rows[i]);
		_free_ char *path = str_printf("%s/holes.tar", f->dir);
		err_done(&f->e);
		f->e = (struct err){ 0 };
		assert_int_equal(system(cmd), 0);
		assert_null(bundle_from_path(f->s, -1, path, "'holes.tar'", &f->e));
		assert_int_equal(f->e.kind, ERR_DATA);
		assert_true(
			mentions(&f->e, "the archive's sparse files are larger than any image's"));
		assert_true(mentions(&f->e, "use 'thimble import'"));
	}
	assert_int_equal(count_in(f, "tmp"), 0);
}

static void bundle_to_blob__checks_the_digest(void **state)
{
	struct fixture *f = *state;
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf tar = { 0 };
	struct digest d, other;
	_free_ char *path = str_printf("%s/a.tar", f->dir);
	_free_ char *unpack = str_printf("cd %s && tar -xf a.tar", f->dir);
	files_put(&l, str_dup("hello"), SL("Hello!"));
	files_tar(f, &l, &tar);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ok(f, fd_write_all(fd, tar.p, tar.len, &f->e));
	close(fd);
	assert_int_equal(system(unpack), 0);
	digest_of(SL("Hello!"), &d);
	digest_of(SL("Other!"), &other);
	const char *const from[] = { path, f->dir };
	for (size_t i = 0; i < COUNT_OF(from); i++) {
		_cleanup_(bundle_closep) struct bundle *b = bundle_from_path(f->s, -1, from[i],
									     "it", &f->e);
		assert_non_null(b);
		refused(f, ERR_DATA, bundle_to_blob(b, "hello", &other, &f->e));
		assert_true(mentions(&f->e, "'hello' in it"));
		assert_true(mentions(&f->e, "digest sha256:"));
		refused(f, ERR_DATA, bundle_to_blob(b, "nothing", &other, &f->e));
		assert_true(mentions(&f->e, "it has no 'nothing'"));
		assert_false(blob_has(f->s, &other));
		ok(f, bundle_to_blob(b, "hello", &d, &f->e));
		assert_true(blob_has(f->s, &d));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bundle__of_too_many_files_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bundle__of_huge_holes_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bundle_to_blob__checks_the_digest, set_up,
						tear_down),
	};
	return cmocka_run_group_tests_name("image-bundle", tests, NULL, NULL);
}
