/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

static void image__is_found_by_every_spelling(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	char text[DIGEST_LEN];
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	_cleanup_(strs_done) struct strs names = { 0 };
	strs_add(&names, "hello:gcc");
	strs_add(&names, "library/hello:gcc");
	strs_add(&names, "docker.io/library/hello:gcc");
	strs_add(&names, digest_text(&m, text));
	strs_addf(&names, "hello@%s", digest_text(&m, text));
	strs_add(&names, digest_text(&id, text));
	strs_add(&names, text + 7);
	text[7 + 12] = '\0';
	strs_add(&names, text + 7);
	strs_add(&names, text);
	text[7 + 4] = '\0';
	strs_add(&names, text + 7);
	for (size_t i = 0; i < names.n; i++) {
		struct image im = { 0 };
		ok(f, image_open(f->s, names.p[i], &im, &f->e));
		assert_true(digest_eq(&im.id, &id));
		assert_true(digest_eq(&im.manifest_digest, &m));
		assert_int_equal(im.snaps.n, 1);
		assert_int_equal(im.size, 6);
		assert_string_equal(im.config.cmd.p[0], "/hello");
		image_done(&im);
	}
}

static void image__is_the_same_for_the_same_input(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, m2, id2;
	make_image(f, f->s, "Hello!", NULL, &m, &id);
	make_image(f, f->s, "Hello!", NULL, &m2, &id2);
	assert_true(digest_eq(&m, &m2));
	assert_true(digest_eq(&id, &id2));
}

static void image_open__says_what_is_there(void **state)
{
	static const struct {
		const char *what;
		enum err_kind kind;
		const char *word;
	} cases[] = {
		{ "scratch", ERR_ABSENT, "FROM" },
		{ "helo:gcc", ERR_ABSENT, "did you mean hello:gcc" },
		{ "hello", ERR_ABSENT, "hello:gcc" },
		{ "hello:musl", ERR_ABSENT, "hello:gcc" },
		{ "entirely-different", ERR_ABSENT, "there are broken:1, hello:gcc" },
		{ "deadbeef", ERR_ABSENT, "no image 'deadbeef'" },
		{ "Hello", ERR_USER, "Hello" },
		{ "broken:1", ERR_ABSENT, "no gcc here" },
	};
	struct fixture *f = *state;
	struct digest m, id;
	struct image im = { 0 };
	refused(f, ERR_ABSENT, image_open(f->s, "hello", &im, &f->e));
	assert_true(mentions(&f->e, "empty"));
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	_cleanup_(err_done) struct err why = { 0 };
	err_set(&why, ERR_USER, "no gcc here");
	ok(f, name_set_failed(f->s, "docker.io/library/broken:1", &why, &f->e));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		refused(f, cases[i].kind, image_open(f->s, cases[i].what, &im, &f->e));
		if (!mentions(&f->e, cases[i].word)) {
			_cleanup_(buf_done) struct buf b = { 0 };
			err_format(&f->e, false, &b);
			fail_msg("%s: '%s' is not in: %s", cases[i].what, cases[i].word, b.p);
		}
	}
}

static void images_list__has_rows_for_all_names(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, m2, id2;
	struct image_rows rows = { 0 };
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	ok(f, name_set(f->s, "localhost:5000/other:1", &m, &f->e));
	make_image(f, f->s, "other", NULL, &m2, &id2);
	_cleanup_(err_done) struct err why = { 0 };
	err_set(&why, ERR_USER, "no gcc here");
	ok(f, name_set_failed(f->s, "docker.io/library/broken:1", &why, &f->e));
	ok(f, images_list(f->s, false, &rows, &f->e));
	assert_int_equal(rows.n, 3);
	assert_string_equal(rows.p[0].ref.path, "library/hello");
	assert_int_equal(rows.p[0].size, 6);
	assert_int_equal(rows.p[0].layers, 1);
	assert_int_equal(rows.p[0].created.tv_sec, 1700000000);
	assert_int_equal(rows.p[0].created.tv_nsec, 5);
	assert_true(digest_eq(&rows.p[0].id, &id));
	assert_true(digest_is_zero(&rows.p[2].id));
	assert_true(strstr(rows.p[2].failed, "no gcc here"));
	image_rows_done(&rows);
	ok(f, images_list(f->s, true, &rows, &f->e));
	assert_int_equal(rows.n, 4);
	image_rows_done(&rows);
}

static void image__standing_on_the_machine_says_so(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	struct image_config cfg = { 0 };
	cfg.platform.os = str_dup("linux");
	cfg.platform.arch = str_dup("amd64");
	struct image im = { 0 };
	ok(f,
	   image_put(f->s, &(struct image_new){ .cfg = &cfg, .on_rootfs = true }, &m, &id, &f->e));
	ok(f, image_open_digest(f->s, &m, &im, &f->e));
	assert_true(im.on_rootfs);
	assert_int_equal(im.snaps.n, 0);
	image_done(&im);
	ok(f, image_put(f->s, &(struct image_new){ .cfg = &cfg, .docker = true }, &m, &id, &f->e));
	ok(f, image_open_digest(f->s, &m, &im, &f->e));
	assert_false(im.on_rootfs);
	assert_string_equal(im.manifest.media_type, MT_DOCKER_MANIFEST);
	image_done(&im);
	image_config_done(&cfg);
}

static void image_open__refuses_what_does_not_fit_together(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	struct image im = { 0 };
	char text[DIGEST_LEN];
	make_image(f, f->s, "Hello!", NULL, &m, &id);
	struct {
		const char *type, *says;
	} cases[] = {
		{ "application/vnd.oci.empty.v1+json",
		  "it is not an image: its config has the type 'application/vnd.oci.empty.v1+json'" },
		{ MT_OCI_CONFIG, "the manifest has 0 layers, the config 1" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *json = str_printf(
			"{\"schemaVersion\":2,\"mediaType\":\"" MT_OCI_MANIFEST
			"\",\"config\":{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":2},"
			"\"layers\":[]}",
			cases[i].type, digest_text(&id, text));
		ok(f, blob_put(f->s, slice_of(json), &m, &f->e));
		refused(f, ERR_DATA, image_open_digest(f->s, &m, &im, &f->e));
		assert_string_equal(f->e.chain[0], cases[i].says);
	}
}

static void image_put__keeps_what_others_can_read(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	char snap[SNAP_ID];
	struct image_config cfg = { 0 };
	cfg.platform.os = str_dup("linux");
	cfg.platform.arch = str_dup("amd64");
	make_snap(f, f->s, "hello", "Hello!", true, snap);
	char *snaps[MANIFEST_LAYERS_MAX + 1];
	for (size_t i = 0; i < COUNT_OF(snaps); i++)
		snaps[i] = snap;
	struct image_new n = { .cfg = &cfg, .snaps = snaps, .snaps_n = COUNT_OF(snaps) };
	refused(f, ERR_USER, image_put(f->s, &n, &m, &id, &f->e));
	assert_string_equal(f->e.chain[0],
			    "an image cannot have more than 1024 layers, this one has 1025");
	assert_true(mentions(&f->e, "join some RUN and COPY steps"));

	n.snaps_n = 1;
	_free_ char *large = mem_alloc(MANIFEST_MAX + 1);
	memset(large, 'x', MANIFEST_MAX);
	large[MANIFEST_MAX] = '\0';
	strs_add(&cfg.cmd, large);
	cfg.has_cmd = true;
	refused(f, ERR_USER, image_put(f->s, &n, &m, &id, &f->e));
	assert_string_equal(f->e.chain[0], "the config of the image is larger than 4194304 bytes");
	assert_string_equal(f->e.chain[1], "write the config of the image");
	assert_true(mentions(&f->e, "put what is long into a file"));
	image_config_done(&cfg);
}

static void image_fs__reads_files_of_all_layers(void **state)
{
	struct fixture *f = *state;
	char a[SNAP_ID], b[SNAP_ID];
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(image_fs_close) struct image_fs fs = { 0 };
	make_snap(f, f->s, "below", "one", true, a);
	make_snap(f, f->s, "above", "two", true, b);
	char *snaps[] = { a, b };
	ok(f, image_fs_open(f->s, snaps, 2, &fs, &f->e));
	assert_int_equal(image_fs_read(&fs, "/below", 100, &text, &f->e), 1);
	assert_int_equal(image_fs_read(&fs, "above", 100, &text, &f->e), 1);
	assert_string_equal(text.p, "onetwo");
	assert_int_equal(image_fs_read(&fs, "/neither", 100, &text, &f->e), 0);
	refused(f, ERR_DATA, image_fs_read(&fs, "/above", 2, &text, &f->e));
}

static void image__is_found_when_the_mapping_was_lost(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	struct image im = { 0 };
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	ok(f, fs_remove(store_fd(f->s), "cache", &f->e));
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	image_done(&im);
	struct image_rows rows = { 0 };
	ok(f, images_list(f->s, false, &rows, &f->e));
	assert_int_equal(rows.n, 1);
	assert_null(rows.p[0].failed);
	assert_int_equal(rows.p[0].size, 6);
	image_rows_done(&rows);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(image__is_found_by_every_spelling),
		T(image__is_the_same_for_the_same_input),
		T(image_open__says_what_is_there),
		T(images_list__has_rows_for_all_names),
		T(image__standing_on_the_machine_says_so),
		T(image_open__refuses_what_does_not_fit_together),
		T(image_put__keeps_what_others_can_read),
		T(image_fs__reads_files_of_all_layers),
		T(image__is_found_when_the_mapping_was_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
