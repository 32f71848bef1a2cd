/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

static const struct save_opts forms[] = {
	{ .format = SAVE_OCI, .compression = COMP_GZIP },
	{ .format = SAVE_OCI, .compression = COMP_ZSTD },
	{ .format = SAVE_OCI, .compression = COMP_NONE },
	{ .format = SAVE_DOCKER },
};

/* Saved, loaded elsewhere, saved there: the same bytes, thus the same digests. */
static void save__and_load_are_a_round_trip(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		_cleanup_(buf_done) struct buf a = { 0 }, again = { 0 }, b = { 0 };
		_free_ char *name = str_printf("other%zu", i);
		struct image_loads loads = { 0 };
		struct image im = { 0 };
		save_to(f, f->s, "hello:gcc", &forms[i], &a);
		save_to(f, f->s, "hello:gcc", &forms[i], &again);
		assert_true(slice_eq(buf_view(&a), buf_view(&again)));
		_cleanup_(store_closep) struct store *s = other_store(f, name);
		ok(f, load_bytes(f, s, buf_view(&a), NULL, &loads));
		assert_int_equal(loads.n, 1);
		assert_true(digest_eq(&loads.p[0].id, &id));
		assert_int_equal(loads.p[0].names.n, 1);
		assert_string_equal(loads.p[0].names.p[0], "docker.io/library/hello:gcc");
		ok(f, image_open(s, "hello:gcc", &im, &f->e));
		assert_int_equal(im.size, 6);
		_cleanup_(buf_done) struct buf text = { 0 };
		_cleanup_(image_fs_close) struct image_fs fs = { 0 };
		ok(f, image_fs_open(s, im.snaps.p, im.snaps.n, &fs, &f->e));
		assert_int_equal(image_fs_read(&fs, "/hello", 100, &text, &f->e), 1);
		assert_string_equal(text.p, "Hello!");
		save_to(f, s, "hello:gcc", &forms[i], &b);
		assert_true(slice_eq(buf_view(&a), buf_view(&b)));
		image_done(&im);
		image_loads_done(&loads);
	}
	assert_int_equal(count_in(f, "tmp"), 0);
}

static void save__hands_on_blobs_as_they_came(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	_cleanup_(buf_done) struct buf a = { 0 }, b = { 0 };
	struct image_loads loads = { 0 };
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	save_to(f, f->s, "hello:gcc", &forms[1], &a);
	_cleanup_(store_closep) struct store *s = other_store(f, "other");
	ok(f, load_bytes(f, s, buf_view(&a), NULL, &loads));
	save_to(f, s, "hello:gcc", &forms[0], &b); /* gzip is for layers that have no form yet */
	assert_true(slice_eq(buf_view(&a), buf_view(&b)));
	image_loads_done(&loads);
}

static size_t count_of(struct slice in, struct slice what)
{
	size_t n = 0, at;
	while ((at = slice_search(in, what)) < in.n) {
		n++;
		in = slice_from(in, at + what.n);
	}
	return n;
}

static void save__of_two_names_writes_layers_once(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	char hex[SHA256_HEX];
	_cleanup_(strs_done) struct strs names = { 0 };
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	ok(f, name_set(f->s, "docker.io/library/second:1", &m, &f->e));
	strs_add(&names, "hello:gcc");
	strs_add(&names, "second:1");
	strs_add(&names, digest_hex(&id, hex));
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		_cleanup_(sink_closep) struct sink *sink = sink_buf(&b);
		struct image_loads loads = { 0 };
		_free_ char *name = str_printf("other%zu", i);
		ok(f, image_save(f->s, &names, &forms[i], sink, &f->e));
		assert_int_equal(count_of(buf_view(&b), SL("\"Config\"")), 1);
		_cleanup_(store_closep) struct store *s = other_store(f, name);
		ok(f, load_bytes(f, s, buf_view(&b), NULL, &loads));
		assert_int_equal(loads.n, 1);
		assert_int_equal(loads.p[0].names.n, 2);
		image_loads_done(&loads);
	}
}

static void save_dir__adds_to_a_layout(void **state)
{
	struct fixture *f = *state;
	struct digest m, id, m2, id2;
	struct save_opts o = { .format = SAVE_OCI_DIR, .compression = COMP_GZIP };
	_free_ char *dir = str_printf("%s/layout", f->dir);
	_cleanup_(strs_done) struct strs names = { 0 };
	struct image_loads loads = { 0 };
	static const struct image_load_opts none;
	strs_add(&names, "hello:gcc");
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	ok(f, image_save_dir(f->s, &names, &o, dir, &f->e));
	make_image(f, f->s, "Other!", "docker.io/library/hello:gcc", &m2, &id2);
	ok(f, image_save_dir(f->s, &names, &o, dir, &f->e));
	ok(f, name_set(f->s, "docker.io/library/hello:one", &m, &f->e));
	strs_done(&names);
	strs_add(&names, "hello:one");
	ok(f, image_save_dir(f->s, &names, &o, dir, &f->e));
	_cleanup_(store_closep) struct store *s = other_store(f, "other");
	ok(f, image_load(s, -1, dir, &none, &loads, &f->e));
	assert_int_equal(loads.n, 2);
	struct image im = { 0 };
	ok(f, image_open(s, "hello:gcc", &im, &f->e));
	assert_true(digest_eq(&im.id, &id2));
	image_done(&im);
	ok(f, image_open(s, "hello:one", &im, &f->e));
	assert_true(digest_eq(&im.id, &id));
	image_done(&im);
	image_loads_done(&loads);
	struct image_load_opts one = { .what = "hello:one" };
	_cleanup_(store_closep) struct store *t = other_store(f, "third");
	ok(f, image_load(t, -1, dir, &one, &loads, &f->e));
	assert_int_equal(loads.n, 1);
	assert_true(digest_eq(&loads.p[0].id, &id));
	image_loads_done(&loads);
	one.what = "none";
	refused(f, ERR_ABSENT, image_load(t, -1, dir, &one, &loads, &f->e));
}

static void save_dir__refuses_a_directory_with_other_things(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	struct save_opts o = { .format = SAVE_OCI_DIR, .compression = COMP_GZIP };
	_cleanup_(strs_done) struct strs names = { 0 };
	strs_add(&names, "hello:gcc");
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	refused(f, ERR_USER, image_save_dir(f->s, &names, &o, f->dir, &f->e));
}

static void save__refuses_what_stands_on_the_machine(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	struct image_config cfg = { 0 };
	_cleanup_(strs_done) struct strs names = { 0 };
	cfg.platform.os = str_dup("linux");
	cfg.platform.arch = str_dup("amd64");
	ok(f,
	   image_put(f->s, &(struct image_new){ .cfg = &cfg, .on_rootfs = true }, &m, &id, &f->e));
	image_config_done(&cfg);
	ok(f, name_set(f->s, "docker.io/library/x:y", &m, &f->e));
	strs_add(&names, "x:y");
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		_cleanup_(sink_closep) struct sink *sink = sink_buf(&b);
		struct save_opts o = forms[i];
		refused(f, ERR_DENIED, image_save(f->s, &names, &o, sink, &f->e));
		assert_true(mentions(&f->e, "rootfs.export"));
		o.allow_rootfs = true;
		ok(f, image_save(f->s, &names, &o, sink, &f->e));
	}
}

static void replace_in(const char *path, const char *word, const char *other)
{
	_free_ char *cmd = str_printf("sed -i 's/%s/%s/' %s && grep -q '%s' %s", word, other, path,
				      other, path);
	assert_int_equal(system(cmd), 0);
}

static char *first_snap(struct fixture *f, const char *file)
{
	struct image im = { 0 };
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	char *path = str_printf("%s/snapshots/%s/%s", f->root, im.snaps.p[0], file);
	image_done(&im);
	return path;
}

static void refuses_to_save(struct fixture *f, const struct save_opts *o, const char *word,
			    const char *hint)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 }, text = { 0 };
	_cleanup_(sink_closep) struct sink *sink = sink_buf(&b);
	strs_add(&names, "hello:gcc");
	err_done(&f->e);
	f->e = (struct err){ 0 };
	if (image_save(f->s, &names, o, sink, &f->e) == 0)
		fail_msg("saved, instead of '%s'", word);
	assert_int_equal(f->e.kind, ERR_DATA);
	err_format(&f->e, false, &text);
	if (!strstr(text.p, word) || !strstr(text.p, hint))
		fail_msg("not '%s', '%s' but: %s", word, hint, text.p);
}

static void load_again(struct fixture *f, const struct buf *archive)
{
	struct image_loads loads = { 0 };
	ok(f, load_bytes(f, f->s, buf_view(archive), NULL, &loads));
	image_loads_done(&loads);
}

/* What is found to be damaged can be loaded again, as the hint says: it is not taken for what is there
 * already. */
static void save__finds_damage(void **state)
{
	struct fixture *f = *state;
	struct digest m, id;
	make_image(f, f->s, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		_cleanup_(buf_done) struct buf good = { 0 }, b = { 0 };
		static const char *const spoil[][3] = {
			{ "tree/hello", "Hello!", "XXXXX!" },
			{ "tree/hello", "Hello!", "Hell!" },
			{ "record", "tar-size 2048", "tar-size 4096" },
		};
		static const char *const words[] = {
			"its stream has digest sha256:", "1 bytes shorter than its layer says",
			"its stream has 2048 bytes, its record says 4096"
		};
		save_to(f, f->s, "hello:gcc", &(struct save_opts){ .format = SAVE_DOCKER }, &good);
		for (size_t k = 0; k < COUNT_OF(spoil); k++) {
			_free_ char *path = first_snap(f, spoil[k][0]);
			replace_in(path, spoil[k][1], spoil[k][2]);
			store_close(f->s); /* it remembers what records say */
			f->s = open_again(f);
			refuses_to_save(f, &forms[i], words[k],
					"load, pull or import the image again");
			refuses_to_save(f, &forms[i], "is missing or damaged",
					"build, load, pull or import the image again");
			load_again(f, &good);
			buf_clear(&b);
			save_to(f, f->s, "hello:gcc", &(struct save_opts){ .format = SAVE_DOCKER },
				&b);
			assert_true(slice_eq(buf_view(&good), buf_view(&b)));
		}
	}
	assert_int_equal(count_in(f, "tmp"), 0);
}

/* The same of a layer that is kept as it came. */
static void save__finds_damaged_blobs(void **state)
{
	static const enum save_format formats[] = { SAVE_OCI, SAVE_DOCKER };
	struct fixture *f = *state;
	struct digest m, id;
	char hex[SHA256_HEX];
	_cleanup_(buf_done) struct buf good = { 0 };
	struct image im = { 0 };
	_cleanup_(store_closep) struct store *other = other_store(f, "other");
	make_image(f, other, "Hello!", "docker.io/library/hello:gcc", &m, &id);
	save_to(f, other, "hello:gcc", &forms[0], &good);
	load_again(f, &good);
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	_free_ char *path = str_printf("%s/blobs/sha256/%s", f->root,
				       digest_hex(&im.manifest.layers.p[0].digest, hex));
	image_done(&im);
	for (size_t i = 0; i < COUNT_OF(formats); i++)
		for (off_t at = 0; at < 100; at += 60) {
			_cleanup_(buf_done) struct buf b = { 0 };
			assert_int_equal(chmod(path, 0600), 0);
			int fd = open(path, O_WRONLY | O_CLOEXEC);
			assert_int_equal(pwrite(fd, "XXXX", 4, at), 4);
			close(fd);
			const struct save_opts o = { .format = formats[i],
						     .compression = COMP_GZIP };
			refuses_to_save(
				f, &o, "in the store is damaged",
				"load or pull the image again: the blob is then written anew");
			load_again(f, &good);
			save_to(f, f->s, "hello:gcc", &forms[0], &b);
			assert_true(slice_eq(buf_view(&good), buf_view(&b)));
		}
}

static int fill_short(void *ctx, struct sink *out, struct err *e)
{
	return sink_write(out, ctx, strlen(ctx), e);
}

/* Its header is written by then: what follows would be read as another member. */
static void archive__takes_just_as_many_bytes_as_were_said(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = { "Hello", "Hello!!" };
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		_cleanup_(sink_closep) struct sink *sink = sink_buf(&b);
		_cleanup_(archive_closep) struct archive *a = archive_to_tar(sink);
		refused(f, ERR_DATA,
			archive_stream(a, "hello", 6, fill_short, (void *)texts[i], &f->e));
		assert_true(
			mentions(&f->e, i ? "'hello' has 7 bytes, not 6 as was written before it"
					  : "'hello' has 5 bytes, not 6 as was written before it"));
	}
}

static void save__of_nothing_is_refused(void **state)
{
	struct fixture *f = *state;
	static const struct strs none;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		_cleanup_(sink_closep) struct sink *sink = sink_buf(&b);
		refused(f, ERR_USER, image_save(f->s, &none, &forms[i], sink, &f->e));
		assert_true(mentions(&f->e, "no image to save was named"));
		assert_int_equal(b.len, 0);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(save__and_load_are_a_round_trip),
		T(save__hands_on_blobs_as_they_came),
		T(save__of_two_names_writes_layers_once),
		T(save_dir__adds_to_a_layout),
		T(save_dir__refuses_a_directory_with_other_things),
		T(save__refuses_what_stands_on_the_machine),
		T(save__finds_damage),
		T(save__finds_damaged_blobs),
		T(archive__takes_just_as_many_bytes_as_were_said),
		T(save__of_nothing_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
