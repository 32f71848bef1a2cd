/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "image/import.h"

static int import_bytes(struct fixture *f, struct slice bytes, struct digest *m, struct digest *id)
{
	struct image_config cfg = { 0 };
	_cleanup_(source_closep) struct source *in = source_mem(bytes.p, bytes.n);
	cfg.platform.os = str_dup("linux");
	cfg.platform.arch = str_dup("amd64");
	int r = image_import(f->s, in, &cfg, false, m, id, &f->e);
	image_config_done(&cfg);
	return r;
}

static void import__twice_is_the_same_layer(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, m2, id2, m3, id3;
	_cleanup_(buf_done) struct buf tar = { 0 }, packed = { 0 };
	layer_tar(f, "Hello!", &tar);
	ok(f, import_bytes(f, buf_view(&tar), &m, &id));
	ok(f, import_bytes(f, buf_view(&tar), &m2, &id2));
	{
		_cleanup_(sink_closep) struct sink *to = sink_buf(&packed);
		_cleanup_(sink_closep) struct sink *comp = comp_sink(to, COMP_GZIP, 0, &f->e);
		ok(f, sink_write(comp, tar.p, tar.len, &f->e));
		ok(f, sink_finish(comp, &f->e));
	}
	ok(f, import_bytes(f, buf_view(&packed), &m3, &id3));
	assert_true(digest_eq(&m, &m2) && digest_eq(&m, &m3));
	assert_int_equal(count_in(f, "snapshots"), 1);
	assert_int_equal(count_in(f, "tmp"), 0);
	struct image im = { 0 };
	ok(f, image_open_digest(f->s, &m, &im, &f->e));
	assert_int_equal(im.size, 6);
	assert_int_equal(im.config.diff_ids.n, 1);
	image_done(&im);
}

static void import__refuses_what_is_no_archive(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	_cleanup_(buf_done) struct buf end = { 0 };
	buf_zero(&end, 1024);
	refused(f, ERR_DATA, import_bytes(f, SL("FROM scratch\n"), &m, &id));
	refused(f, ERR_DATA, import_bytes(f, SL(""), &m, &id));
	refused(f, ERR_DATA, import_bytes(f, buf_view(&end), &m, &id));
	nothing_is_left(f);
	assert_int_equal(count_in(f, "snapshots"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(import__twice_is_the_same_layer),
		T(import__refuses_what_is_no_archive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
