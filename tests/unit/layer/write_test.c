/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as tar streams: what other programs read of them, and what cannot be written. */
#include "base/proc.h"
#include "fixture.h"

/* Our canonical stream, read by the two judges. */
static void write__is_read_by_gnu_tar_and_bsdtar(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (not_root())
		skip();
	_cleanup_(buf_done) struct buf tar = { 0 }, pax = { 0 }, canon = { 0 }, again = { 0 },
				       one = { 0 };
	struct index x, y;
	_free_ char *longest = mem_alloc(256);
	memset(longest, 'n', 255);
	_free_ char *deep = str_printf("%s/%s/%.100s", longest, longest, longest);
	_free_ char *split = str_printf("%.120s/%.90s", longest, longest);
	_free_ char *edge = str_printf("%.100s", longest);
	pax_record(&pax, "path", deep, strlen(deep));
	pax_record(&pax, "SCHILY.xattr.user.x", "v\n=\0", 4);
	pax_record(&pax, "gid", "4000000", 7);
	tar_pax(&tar, pax.p, pax.len);
	tar_put(&tar, (struct tarh){ .name = "x", .data = "deep", .mode = 06711 });
	buf_clear(&pax);
	pax_record(&pax, "path", split, strlen(split));
	pax_record(&pax, "linkpath", deep, strlen(deep));
	tar_pax(&tar, pax.p, pax.len);
	tar_put(&tar, (struct tarh){ .name = "x", .type = '2', .link = "x" });
	tar_put(&tar, (struct tarh){ .name = edge, .data = "edge" });
	buf_clear(&pax);
	pax_record(&pax, "linkpath", deep, strlen(deep));
	tar_pax(&tar, pax.p, pax.len);
	tar_put(&tar, (struct tarh){ .name = "zhard", .type = '1', .link = "x" });
	tar_put(&tar, (struct tarh){ .name = "fifo", .type = '6' });
	tar_put(&tar, (struct tarh){
			      .name = "ttyS", .type = '3', .major = 4, .minor = 64, .mode = 0660 });
	tar_put(&tar, (struct tarh){ .name = "\xc3\xa4\xff\x01 ", .data = "odd name" });
	tar_end(&tar);
	_close_ int fd = new_dir(f, "t");
	ok(f, apply_bytes(fd, buf_view(&tar), &o, &x, &f->e));
	tar_of(f, fd, &x, &canon);
	assert_int_equal(canon.len % 512, 0);
	tree_text(fd, false, &one);
	static const char *const readers[] = { "tar --xattrs --xattrs-include='*' --same-owner -xpf",
					       "bsdtar --xattrs --same-owner -xpf" };
	_close_ int out = openat(f->fd, "canon.tar", O_WRONLY | O_CREAT, 0600);
	ok(f, fd_write_all(out, canon.p, canon.len, &f->e));
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		_free_ char *name = str_printf("r%zu", i);
		_close_ int to = new_dir(f, name);
		_free_ char *script = str_printf("cd %s/%s && LC_ALL=C.UTF-8 %s ../canon.tar",
						 f->dir, name, readers[i]);
		char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
		_cleanup_(buf_done) struct buf two = { 0 };
		ok(f, proc_run(argv, NULL, &f->e));
		tree_text(to, false, &two);
		assert_same_text(&one, &two);
	}
	/* and by ourselves, giving the same bytes */
	_close_ int fd2 = new_dir(f, "t2");
	ok(f, apply_bytes(fd2, buf_view(&canon), &o, &y, &f->e));
	tar_of(f, fd2, &y, &again);
	assert_int_equal(again.len, canon.len);
	assert_memory_equal(again.p, canon.p, canon.len);
	index_done(&x);
	index_done(&y);
}

static void write__refuses_names_that_mean_deletions(void **state)
{
	struct fixture *f = *state;
	struct tree_opts o = root_opts();
	if (no_owners())
		skip();
	_cleanup_(buf_done) struct buf tar = { 0 }, out = { 0 };
	struct index x;
	tar_put(&tar, (struct tarh){ .name = "a/.wh.b", .data = "x" });
	tar_end(&tar);
	_close_ int fd = new_dir(f, "t");
	_cleanup_(source_closep) struct source *in = source_mem(tar.p, tar.len);
	ok(f, tree_unpack(fd, in, &o, &x, &f->e));
	assert_non_null(index_find(&x, "a/.wh.b"));
	_cleanup_(sink_closep) struct sink *s = sink_buf(&out);
	assert_int_equal(tree_write_tar(fd, &x, -1, s, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_DATA);
	index_done(&x);
}

static void write__refuses_attributes_that_tar_cannot_name(void **state)
{
	struct fixture *f = *state;
	static const struct xattr attribute = { (char *)"user.a=b", (char *)"c", 1 };
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(sink_closep) struct sink *s = sink_buf(&out);
	struct index x;
	index_init(&x);
	struct entry *ent = index_add(&x, SL("f"), ENTRY_DIR);
	ent->xattrs = &attribute;
	ent->xattrs_n = 1;
	assert_int_equal(tree_write_tar(f->fd, &x, -1, s, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_DATA);
	assert_string_equal(f->e.chain[0], "an archive cannot hold the extended attribute "
					   "'user.a=b': tar ends its name at the '='");
	assert_string_equal(f->e.hints[0],
			    "remove it where it is set: setfattr -x 'user.a=b' FILE");
	index_done(&x);
}

/* What cannot be read is not damage: the kernel lets nobody read the beginning of /proc/self/mem, a
 * regular file of no bytes. */
static void write__tells_a_failed_read_from_a_longer_file(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf out = { 0 };
	_cleanup_(sink_closep) struct sink *s = sink_buf(&out);
	_close_ int fd = openat(AT_FDCWD, "/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct index x;
	index_init(&x);
	index_add(&x, SL("mem"), ENTRY_FILE)->mode = 0600;
	assert_int_equal(tree_write_tar(fd, &x, -1, s, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	assert_int_equal(f->e.sys_errno, EIO);
	index_done(&x);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
int main(void)
{
	tests_begin();
	const struct CMUnitTest tests[] = {
		T(write__is_read_by_gnu_tar_and_bsdtar),
		T(write__refuses_names_that_mean_deletions),
		T(write__refuses_attributes_that_tar_cannot_name),
		T(write__tells_a_failed_read_from_a_longer_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
