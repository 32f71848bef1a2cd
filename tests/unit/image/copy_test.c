/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of what is damaged or malformed, from each kind of place that is made of files. */
#include "files.h"

#include "image/copy.h"
#include "layer/compress.h"

enum lie {
	HONEST,
	LAYER_LONGER,
	LAYER_SHORTER,
	LAYER_OTHER,
	LAYER_MISSING,
	CONFIG_OTHER,
	CONFIG_HUGE,
	MANIFEST_OTHER,
	MANIFEST_SIZE,
	MANIFEST_HUGE,
	NOT_A_MANIFEST,
	INDEX_OF_BLOBS,
	INDEX_OF_ITSELF_DEEP,
	LIES,
};

static void spoil(struct files *l, const struct digest *d, enum lie lie)
{
	_free_ char *name = blob_at(d);
	for (size_t i = 0; i < l->n; i++) {
		struct buf *b = &l->p[i].bytes;
		if (strcmp(l->p[i].name, name) != 0)
			continue;
		switch (lie) {
		case LAYER_LONGER: buf_char(b, 'x'); break;
		case LAYER_SHORTER: b->len--; break;
		case LAYER_MISSING: l->p[i].name[0] = 'X'; break;
		default: b->p[b->len / 2] ^= 1; break;
		}
	}
}

static struct descriptor make_manifest(struct fixture *f, struct files *l, enum lie lie)
{
	_cleanup_(buf_done) struct buf tar = { 0 }, config = { 0 }, text = { 0 };
	struct digest diff;
	layer_tar(f, "Hello!", &tar);
	digest_of(buf_view(&tar), &diff);
	config_text(&diff, 1, "amd64", &config);
	struct manifest m = { .media_type = (char *)MT_OCI_MANIFEST };
	struct descriptor layer = files_blob(l, MT_OCI_LAYER, buf_view(&tar));
	m.config = files_blob(l, MT_OCI_CONFIG, buf_view(&config));
	if (lie == CONFIG_HUGE)
		m.config.size = MANIFEST_MAX + 1;
	arr_push(&m.layers, layer);
	manifest_write(&m, &text);
	arr_done(&m.layers);
	if (lie >= LAYER_LONGER && lie <= LAYER_MISSING)
		spoil(l, &layer.digest, lie);
	if (lie == CONFIG_OTHER)
		spoil(l, &m.config.digest, lie);
	if (lie == NOT_A_MANIFEST) {
		buf_clear(&text);
		buf_str(&text, "{\"schemaVersion\":2}");
	}
	struct descriptor d = files_blob(l, MT_OCI_MANIFEST, buf_view(&text));
	if (lie == MANIFEST_OTHER)
		spoil(l, &d.digest, lie);
	if (lie == MANIFEST_SIZE)
		d.size++;
	if (lie == MANIFEST_HUGE)
		d.size = MANIFEST_MAX + 1;
	return d;
}

static struct descriptor make_index(struct files *l, struct descriptor entry)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct image_index x = { .media_type = (char *)MT_OCI_INDEX };
	arr_push(&x.manifests, entry);
	image_index_write(&x, &b);
	arr_done(&x.manifests);
	return files_blob(l, MT_OCI_INDEX, buf_view(&b));
}

static void make_layout(struct fixture *f, enum lie lie, struct buf *out)
{
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	struct descriptor d = make_manifest(f, &l, lie);
	if (lie == INDEX_OF_BLOBS) {
		d.media_type = (char *)MT_OCI_LAYER;
		d = make_index(&l, d);
	}
	for (int i = 0; lie == INDEX_OF_ITSELF_DEEP && i < 5; i++)
		d = make_index(&l, d);
	struct image_index x = { .media_type = (char *)MT_OCI_INDEX };
	arr_push(&x.manifests, d);
	image_index_write(&x, &b);
	arr_done(&x.manifests);
	files_put(&l, str_dup("index.json"), buf_view(&b));
	files_put(&l, str_dup("oci-layout"), SL("{\"imageLayoutVersion\":\"1.0.0\"}"));
	files_tar(f, &l, out);
}

static char *put_archive(struct fixture *f, struct slice bytes)
{
	char *path = str_printf("%s/in.tar", f->dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	ok(f, fd_write_all(fd, bytes.p, bytes.n, &f->e));
	close(fd);
	return path;
}

static int copy_to(struct fixture *f, const char *from, const char *to, bool all,
		   struct image_copied *out)
{
	struct locator a = { 0 }, b = { 0 };
	const struct image_copy_opts o = { .all = all };
	ok(f, locator_parse(from, &a, &f->e));
	ok(f, locator_parse(to, &b, &f->e));
	int r = image_copy(f->s, &a, &b, &o, out, &f->e);
	locator_done(&a);
	locator_done(&b);
	return r;
}

/* What is below f->dir besides the store and the archive that was read. */
static size_t left(struct fixture *f)
{
	_free_ char *cmd = str_printf("ls -A %s | grep -v -e '^store$' -e '^in.tar$' | wc -l", f->dir);
	FILE *p = popen(cmd, "re");
	char text[32] = "";
	assert_non_null(p);
	assert_non_null(fgets(text, sizeof text, p));
	pclose(p);
	return strtoul(text, NULL, 10);
}

static void copy__refuses_lies_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	static const char *const places[] = { "dir:%s/to", "oci-archive:%s/to.tar",
					      "docker-archive:%s/to.tar:x:1", "thimble:x:1" };
	for (enum lie lie = HONEST + 1; lie < LIES; lie++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		make_layout(f, lie, &b);
		_free_ char *path = put_archive(f, buf_view(&b));
		_free_ char *from = str_printf("oci-archive:%s", path);
		for (size_t i = 0; i < COUNT_OF(places); i++) {
			_cleanup_(buf_done) struct buf to = { 0 };
			struct image_copied done = { 0 };
			bool all = i < 2;
			if (lie >= INDEX_OF_BLOBS && !all)
				continue;
			const char *mark = strstr(places[i], "%s");
			buf_add(&to, places[i], mark ? (size_t)(mark - places[i]) : 0);
			buf_str(&to, mark ? f->dir : places[i]);
			buf_str(&to, mark ? mark + 2 : "");
			if (copy_to(f, from, to.p, all, &done) == 0)
				fail_msg("lie %d went to %s", lie, to.p);
			assert_true(f->e.kind == ERR_DATA || f->e.kind == ERR_ABSENT);
			err_done(&f->e);
			f->e = (struct err){ 0 };
			assert_int_equal(left(f), 0);
			assert_int_equal(count_in(f, "names"), 0);
		}
	}
	/* what a child did not finish its parent removes at the end */
	store_close(f->s);
	f->s = open_again(f);
	nothing_is_left(f);
}

static void copy__of_the_truth_is_the_same_everywhere(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = { 0 };
	make_layout(f, HONEST, &b);
	_free_ char *path = put_archive(f, buf_view(&b));
	_cleanup_(strs_done) struct strs steps = { 0 };
	strs_addf(&steps, "oci-archive:%s", path);
	strs_addf(&steps, "dir:%s/d", f->dir);
	strs_addf(&steps, "oci:%s/l:x", f->dir);
	strs_addf(&steps, "oci-archive:%s/a.tar:x", f->dir);
	strs_add(&steps, "thimble:x:1");
	char want[SHA256_HEX] = "", got[SHA256_HEX];
	for (size_t i = 1; i < steps.n; i++) {
		struct image_copied done = { 0 };
		ok(f, copy_to(f, steps.p[i - 1], steps.p[i], false, &done));
		digest_hex(&done.top.digest, got);
		if (i == 1)
			memcpy(want, got, sizeof want);
		assert_string_equal(got, want);
		assert_int_equal(done.blobs, 2);
		assert_int_equal(done.manifests, 1);
		image_copied_done(&done);
	}
}

/* docker-archive: names lead nowhere, and a plain layer has its diff id. */
static void copy__of_docker_archives_checks_them(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *list;
		int kind;
	} rows[] = {
		{ "{}", ERR_DATA },
		{ "[]", ERR_USER },
		{ "[1]", ERR_DATA },
		{ "[{\"Config\":\"../../../../etc/passwd\",\"Layers\":[\"l.tar\"]}]", ERR_DATA },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"../../../../etc/passwd\"]}]", ERR_DATA },
		{ "[{\"Config\":\"c.json\",\"Layers\":[]}]", ERR_DATA },
		{ "[{\"Config\":\"c.json\",\"Layers\":[7]}]", ERR_DATA },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"other.tar\"]}]", ERR_DATA },
		{ "[{\"Layers\":[\"l.tar\"]}]", ERR_DATA },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar\"]}]", 0 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(files_done) struct files l = { 0 };
		_cleanup_(buf_done) struct buf tar = { 0 }, config = { 0 }, b = { 0 };
		struct image_copied done = { 0 };
		struct digest diff;
		layer_tar(f, "Hello!", &tar);
		digest_of(buf_view(&tar), &diff);
		config_text(&diff, 1, "amd64", &config);
		files_put(&l, str_dup("manifest.json"), slice_of(rows[i].list));
		files_put(&l, str_dup("c.json"), buf_view(&config));
		files_put(&l, str_dup("l.tar"), buf_view(&tar));
		files_put(&l, str_dup("other.tar"), SL("no tar, and not the one in the config"));
		files_tar(f, &l, &b);
		_free_ char *path = put_archive(f, buf_view(&b));
		_free_ char *from = str_printf("docker-archive:%s", path);
		_free_ char *to = str_printf("dir:%s/to", f->dir);
		int r = copy_to(f, from, to, false, &done);
		if (rows[i].kind && (r == 0 || (int)f->e.kind != rows[i].kind))
			fail_msg("row %zu: %d, kind %d", i, r, f->e.kind);
		if (!rows[i].kind)
			ok(f, r);
		else
			assert_int_equal(left(f), 0);
		image_copied_done(&done);
		err_done(&f->e);
		f->e = (struct err){ 0 };
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copy__refuses_lies_and_leaves_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__of_the_truth_is_the_same_everywhere, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__of_docker_archives_checks_them, set_up,
						tear_down),
	};
	return cmocka_run_group_tests_name("image-copy", tests, NULL, NULL);
}
