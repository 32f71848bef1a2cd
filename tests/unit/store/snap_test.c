/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static void reboot(struct fixture *f, const char *boot)
{
	store_close(f->s);
	setenv("THIMBLE_BOOT_ID", boot, 1);
	f->s = open_again(f);
	assert_non_null(f->s);
}

static void spoil(struct fixture *f, const char *id, const char *name)
{
	_free_ char *path = str_printf("%s/snapshots/%s/tree/%s", f->root, id, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "X", 1, 0), 1);
	const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void snap__can_be_opened_and_read(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	make_snap(f, f->s, "hello", "Hello!", true, id);
	assert_true(snap_exists(f->s, id));
	ok(f, snap_open(f->s, id, &sn, &f->e));
	ok(f, snap_load_index(f->s, &sn, &f->e));
	assert_int_equal(sn.size, 6);
	assert_non_null(index_find(&sn.index, "hello"));
	assert_true(fs_exists(sn.treefd, "hello"));
	assert_int_equal(count_in(f, "tmp"), 0);
	char path[SNAP_PATH];
	assert_true(fs_exists(store_fd(f->s), snap_tree_path(id, path)));
}

static void snap_open__refuses_what_is_no_id(void **state)
{
	static const char *const bad[] = { "",          "..",       "../tmp",  "abcdefg",
					   "abcdefghi", "ABCDEFGH", "abcdefg/" };
	struct fixture *f = *state;
	struct snap sn = SNAP_INIT;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		refused(f, ERR_USER, snap_open(f->s, bad[i], &sn, &f->e));
		assert_false(snap_exists(f->s, bad[i]));
	}
	refused(f, ERR_ABSENT, snap_open(f->s, "abcdefgh", &sn, &f->e));
}

static void snap_abort__leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct snap_draft d = SNAP_DRAFT_INIT;
	snap_abort(f->s, &d);
	ok(f, snap_begin(f->s, &d, &f->e));
	assert_int_equal(count_in(f, "tmp"), 1);
	snap_abort(f->s, &d);
	assert_int_equal(count_in(f, "tmp"), 0);
	assert_int_equal(count_in(f, "snapshots"), 0);
}

static void snap_complete__finds_what_is_missing(void **state)
{
	struct fixture *f = *state;
	char a[SNAP_ID], b[SNAP_ID], found[SNAP_ID];
	struct digest da, db;
	uint64_t na, nb;
	make_snap(f, f->s, "hello", "Hello!", false, a);
	make_snap(f, f->s, "hello", "Hello!", true, b);
	ok(f, snap_complete(f->s, a, &da, &na, &f->e));
	ok(f, snap_complete(f->s, b, &db, &nb, &f->e));
	assert_true(digest_eq(&da, &db));
	assert_int_equal(na, nb);
	assert_int_equal(na % 512, 0);
	assert_int_equal(snap_by_diff_id(f->s, &da, found), 1);
	assert_string_equal(found, a);
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	ok(f, snap_open(f->s, a, &sn, &f->e));
	ok(f, snap_load_index(f->s, &sn, &f->e));
	assert_true(index_is_complete(&sn.index));
	assert_true(digest_eq(&sn.diff_id, &da));
}

static void snap_commit__keeps_one_of_a_diff_id(void **state)
{
	struct fixture *f = *state;
	char a[SNAP_ID], b[SNAP_ID];
	struct digest d;
	uint64_t n;
	make_snap(f, f->s, "hello", "Hello!", true, a);
	ok(f, snap_complete(f->s, a, &d, &n, &f->e));
	struct snap_draft draft = SNAP_DRAFT_INIT;
	struct index x;
	index_init(&x);
	ok(f, snap_begin(f->s, &draft, &f->e));
	add_file(f, draft.treefd, &x, "hello", "Hello!", true);
	draft.tar_size = n;
	ok(f, snap_commit(f->s, &draft, &x, &d, b, &f->e));
	index_done(&x);
	assert_string_equal(a, b);
	assert_int_equal(count_in(f, "snapshots"), 1);
	assert_int_equal(count_in(f, "tmp"), 0);
}

static void snap_file__opens_no_pipe(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	make_snap(f, f->s, "hello", "Hello!", true, id);
	ok(f, snap_open(f->s, id, &sn, &f->e));
	assert_int_equal(unlinkat(sn.treefd, "hello", 0), 0);
	assert_int_equal(mkfifoat(sn.treefd, "hello", 0600), 0);
	refused(f, ERR_DATA, snap_file(&sn, "hello", &f->e)); /* and does not wait for a writer */
	assert_string_equal(f->e.chain[0], "'/hello' in the image is not a regular file");
}

static void snap__is_believed_in_the_boot_of_its_making(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	struct snap sn = SNAP_INIT;
	reboot(f, "boot-1");
	make_snap(f, f->s, "hello", "Hello!", true, id);
	spoil(f, id, "hello");
	ok(f, snap_open(f->s, id, &sn, &f->e)); /* nobody looks: the page cache is right */
	snap_close(&sn);
}

static void snap__is_checked_in_a_later_boot(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID], good[SNAP_ID];
	struct digest d;
	uint64_t n;
	struct snap sn = SNAP_INIT;
	reboot(f, "boot-1");
	make_snap(f, f->s, "hello", "Hello!", true, id);
	make_snap(f, f->s, "good", "Good!", true, good);
	ok(f, snap_complete(f->s, id, &d, &n, &f->e));
	spoil(f, id, "hello");
	reboot(f, "boot-2");
	refused(f, ERR_DATA, snap_open(f->s, id, &sn, &f->e));
	assert_true(mentions(&f->e, "hello"));
	assert_false(snap_exists(f->s, id));
	assert_int_equal(snap_by_diff_id(f->s, &d, id), 0);
	ok(f, snap_open(f->s, good, &sn, &f->e));
	snap_close(&sn);
	/* once found right it is on disk: later boots look no more */
	spoil(f, good, "good");
	reboot(f, "boot-3");
	ok(f, snap_open(f->s, good, &sn, &f->e));
	snap_close(&sn);
	/* and what is damaged stays so, without another look */
	refused(f, ERR_DATA, snap_open(f->s, id, &sn, &f->e));
}

static void snap__that_is_damaged_can_be_made_again(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, m2, id2;
	reboot(f, "boot-1");
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	struct image im = { 0 };
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	spoil(f, im.snaps.p[0], "hello");
	image_done(&im);
	reboot(f, "boot-2");
	refused(f, ERR_DATA, image_open(f->s, "hello:gcc", &im, &f->e));
	assert_true(mentions(&f->e, "damaged"));
	struct image_rows rows = { 0 };
	ok(f, images_list(f->s, false, &rows, &f->e));
	assert_int_equal(rows.n, 1);
	assert_non_null(rows.p[0].failed);
	image_rows_done(&rows);
	make_image(f, f->s, "Hello!", NULL, &m2, &id2);
	assert_true(digest_eq(&m, &m2));
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	image_done(&im);
}

static void snap__without_digests_does_not_survive_a_boot(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	reboot(f, "boot-1");
	make_snap(f, f->s, "hello", "Hello!", false, id);
	assert_true(snap_exists(f->s, id));
	reboot(f, "boot-2");
	assert_false(snap_exists(f->s, id));
}

static void snap__with_a_torn_record_or_index_is_refused(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	struct snap sn = SNAP_INIT;
	reboot(f, "boot-1");
	make_snap(f, f->s, "hello", "Hello!", true, id);
	_free_ char *record = str_printf("%s/snapshots/%s/record", f->root, id);
	_free_ char *index = str_printf("%s/snapshots/%s/index", f->root, id);
	assert_int_equal(truncate(index, 10), 0);
	reboot(f, "boot-2");
	refused(f, ERR_DATA, snap_open(f->s, id, &sn, &f->e));
	make_snap(f, f->s, "hello", "Hello!", true, id);
	free(record);
	record = str_printf("%s/snapshots/%s/record", f->root, id);
	assert_int_equal(truncate(record, 10), 0);
	refused(f, ERR_DATA, snap_open(f->s, id, &sn, &f->e));
	assert_false(snap_exists(f->s, id));
}

static void snap__remembers_its_blob(void **state)
{
	struct fixture *f = *state;
	char id[SNAP_ID];
	struct digest d;
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	make_snap(f, f->s, "hello", "Hello!", true, id);
	ok(f, blob_put(f->s, SL("compressed"), &d, &f->e));
	ok(f, snap_set_blob(f->s, id, &d, 10, MT_OCI_LAYER_GZIP, &f->e));
	ok(f, snap_info(f->s, id, &sn, &f->e));
	assert_true(digest_eq(&sn.blob.digest, &d));
	assert_int_equal(sn.blob.size, 10);
	assert_string_equal(sn.blob.media_type, MT_OCI_LAYER_GZIP);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(snap__can_be_opened_and_read),
		T(snap_open__refuses_what_is_no_id),
		T(snap_abort__leaves_nothing),
		T(snap_complete__finds_what_is_missing),
		T(snap_commit__keeps_one_of_a_diff_id),
		T(snap_file__opens_no_pipe),
		T(snap__is_believed_in_the_boot_of_its_making),
		T(snap__is_checked_in_a_later_boot),
		T(snap__that_is_damaged_can_be_made_again),
		T(snap__without_digests_does_not_survive_a_boot),
		T(snap__with_a_torn_record_or_index_is_refused),
		T(snap__remembers_its_blob),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
