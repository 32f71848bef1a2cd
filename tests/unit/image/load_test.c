/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include "base/stream.h"
#include "layer/compress.h"

/* ---- archives to spoil ---- */

enum lie {
	HONEST,
	LAYER_DIGEST, /* the layer's bytes are others than its digest */
	LAYER_SIZE,
	LAYER_BYTES, /* no tar at all, but all digests agree */
	DIFF_ID,
	CONFIG_DIGEST,
	CONFIG_SIZE,
	CONFIG_HUGE,
	CONFIG_TYPE,
	LAYER_COUNT,
	LAYER_MISSING,
	LAYER_TYPE,
	LAYER_FOREIGN,
	MANIFEST_DIGEST,
	MANIFEST_SIZE,
	INDEX_NO_JSON,
	LAYOUT_VERSION,
	LIES,
};

static void pack(struct fixture *f, enum compression c, struct slice in, struct buf *out)
{
	_cleanup_(sink_closep) struct sink *to = sink_buf(out);
	_cleanup_(sink_closep) struct sink *comp = comp_sink(to, c, 0, &f->e);
	assert_non_null(comp);
	ok(f, sink_write(comp, in.p, in.n, &f->e));
	ok(f, sink_finish(comp, &f->e));
}

static void manifest_text(struct descriptor config, const struct descriptor *layers, size_t n,
			  struct buf *out)
{
	struct manifest m = { .media_type = (char *)MT_OCI_MANIFEST, .config = config };
	for (size_t i = 0; i < n; i++)
		arr_push(&m.layers, layers[i]);
	manifest_write(&m, out);
	arr_done(&m.layers);
}

static void index_text(struct descriptor *entries, size_t n, const char *name, struct buf *out)
{
	struct image_index x = { .media_type = (char *)MT_OCI_INDEX };
	for (size_t i = 0; i < n; i++) {
		if (name && !entries[i].annotations)
			entries[i].annotations =
				json_pack("{s:s}", "org.opencontainers.image.ref.name", name);
		arr_push(&x.manifests, entries[i]);
	}
	image_index_write(&x, out);
	arr_done(&x.manifests);
}

/* An image of one layer; its manifest is told. arch: of the config. */
static struct descriptor put_image(struct fixture *f, struct files *l, enum lie lie,
				   enum compression c, const char *text, const char *arch)
{
	_cleanup_(buf_done) struct buf tar = { 0 }, packed = { 0 }, config = { 0 },
				       manifest = { 0 };
	struct digest diff;
	layer_tar(f, text, &tar);
	if (lie == LAYER_BYTES) {
		buf_clear(&tar);
		buf_str(&tar, "this is no archive");
	}
	digest_of(buf_view(&tar), &diff);
	if (c == COMP_NONE)
		buf_slice(&packed, buf_view(&tar));
	else
		pack(f, c, buf_view(&tar), &packed);
	const char *type = c == COMP_GZIP   ? MT_OCI_LAYER_GZIP
			   : c == COMP_ZSTD ? MT_OCI_LAYER_ZSTD
					    : MT_OCI_LAYER;
	struct descriptor layers[2] = { files_blob(l, type, buf_view(&packed)) };
	if (lie == LAYER_DIGEST)
		l->p[l->n - 1].bytes.p[20] ^= 1;
	if (lie == LAYER_SIZE)
		layers[0].size++;
	if (lie == LAYER_MISSING)
		l->p[l->n - 1].name[20] ^= 1;
	if (lie == LAYER_TYPE)
		layers[0].media_type = (char *)"application/x-rar";
	if (lie == LAYER_FOREIGN)
		layers[0].media_type =
			(char *)"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
	layers[1] = layers[0];
	if (lie == DIFF_ID)
		diff.b[0] ^= 1;
	config_text(&diff, 1, arch, &config);
	struct descriptor cfg = files_blob(l, MT_OCI_CONFIG, buf_view(&config));
	if (lie == CONFIG_DIGEST)
		l->p[l->n - 1].bytes.p[l->p[l->n - 1].bytes.len - 1] = ' ';
	if (lie == CONFIG_SIZE)
		cfg.size--;
	if (lie == CONFIG_HUGE)
		cfg.size = 1ull << 40;
	if (lie == CONFIG_TYPE)
		cfg.media_type = (char *)"application/vnd.example.thing+json";
	manifest_text(cfg, layers, lie == LAYER_COUNT ? 2 : 1, &manifest);
	struct descriptor m = files_blob(l, MT_OCI_MANIFEST, buf_view(&manifest));
	if (lie == MANIFEST_DIGEST)
		l->p[l->n - 1].bytes.p[l->p[l->n - 1].bytes.len - 1] = ' ';
	if (lie == MANIFEST_SIZE)
		m.size++;
	return m;
}

static void put_index(struct files *l, struct descriptor *entries, size_t n, const char *name,
		      enum lie lie)
{
	_cleanup_(buf_done) struct buf index = { 0 };
	index_text(entries, n, name, &index);
	if (lie == INDEX_NO_JSON)
		index.len /= 2;
	files_put(l, str_dup("index.json"), buf_view(&index));
	files_put(l, str_dup("oci-layout"),
		  lie == LAYOUT_VERSION ? SL("{\"imageLayoutVersion\":\"2.0.0\"}")
					: SL("{\"imageLayoutVersion\":\"1.0.0\"}"));
}

static void oci_archive(struct fixture *f, enum lie lie, enum compression c, const char *text,
			struct buf *out)
{
	_cleanup_(files_done) struct files l = { 0 };
	struct descriptor m = put_image(f, &l, lie, c, text, "amd64");
	put_index(&l, &m, 1, "hello:gcc", lie);
	json_decref(m.annotations);
	files_tar(f, &l, out);
}

static void docker_archive(struct fixture *f, const char *manifest_json, struct slice config,
			   struct slice layer, struct buf *out)
{
	_cleanup_(files_done) struct files l = { 0 };
	files_put(&l, str_dup("config.json"), config);
	files_put(&l, str_dup("layer.tar"), layer);
	files_put(&l, str_dup("manifest.json"), slice_of(manifest_json));
	files_tar(f, &l, out);
}

static void as_dir(struct fixture *f, struct slice tar, const char *dir)
{
	_free_ char *file = str_printf("%s/unpack.tar", f->dir);
	_free_ char *cmd = str_printf("mkdir -p '%s' && tar -xf '%s' -C '%s'", dir, file, dir);
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ok(f, fd_write_all(fd, tar.p, tar.n, &f->e));
	close(fd);
	assert_int_equal(system(cmd), 0);
}

static void reads_hello(struct fixture *f, struct store *s, const char *name, const char *want)
{
	struct image im = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(image_fs_close) struct image_fs fs = { 0 };
	ok(f, image_open(s, name, &im, &f->e));
	ok(f, image_fs_open(s, im.snaps.p, im.snaps.n, &fs, &f->e));
	assert_int_equal(image_fs_read(&fs, "/hello", 100, &text, &f->e), 1);
	assert_string_equal(text.p, want);
	image_done(&im);
}

/* ---- what is well made ---- */

static void load__takes_layers_of_each_kind(void **state)
{
	static const enum compression kinds[] = { COMP_NONE, COMP_GZIP, COMP_ZSTD };
	struct fixture *f = *state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		struct image_loads loads = { 0 };
		_free_ char *text = str_printf("Hello %zu", i);
		oci_archive(f, HONEST, kinds[i], text, &b);
		ok(f, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
		image_loads_done(&loads);
		reads_hello(f, f->s, "hello:gcc", text);
	}
}

static void load__takes_archives_compressed_as_a_whole(void **state)
{
	static const enum compression kinds[] = { COMP_GZIP, COMP_ZSTD };
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = { 0 };
	oci_archive(f, HONEST, COMP_GZIP, "Hello!", &b);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		_cleanup_(buf_done) struct buf whole = { 0 };
		_free_ char *name = str_printf("other%zu", i);
		struct image_loads loads = { 0 };
		pack(f, kinds[i], buf_view(&b), &whole);
		_cleanup_(store_closep) struct store *s = other_store(f, name);
		ok(f, load_bytes(f, s, buf_view(&whole), NULL, &loads));
		image_loads_done(&loads);
		reads_hello(f, s, "hello:gcc", "Hello!");
	}
}

static void load__does_not_unpack_what_is_there(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf a = { 0 }, b = { 0 };
	struct image_loads loads = { 0 };
	oci_archive(f, HONEST, COMP_GZIP, "Hello!", &a);
	oci_archive(f, HONEST, COMP_ZSTD, "Hello!", &b);
	ok(f, load_bytes(f, f->s, buf_view(&a), NULL, &loads));
	image_loads_done(&loads);
	ok(f, load_bytes(f, f->s, buf_view(&a), NULL, &loads));
	image_loads_done(&loads);
	ok(f, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
	image_loads_done(&loads);
	assert_int_equal(count_in(f, "snapshots"), 1);
	reads_hello(f, f->s, "hello:gcc", "Hello!");
}

static void load__chooses_by_platform(void **state)
{
	struct fixture *f = *state;
	static const char *const arch[] = { "amd64", "arm64" };
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf inner = { 0 }, tar = { 0 };
	struct descriptor m[2], top;
	struct platform p[2];
	for (int i = 0; i < 2; i++) {
		m[i] = put_image(f, &l, HONEST, COMP_GZIP, arch[i], arch[i]);
		p[i] = (struct platform){ .os = (char *)"linux", .arch = (char *)arch[i] };
		m[i].platform = &p[i];
	}
	index_text(m, 2, NULL, &inner);
	top = files_blob(&l, MT_OCI_INDEX, buf_view(&inner));
	put_index(&l, &top, 1, "hello:gcc", HONEST);
	json_decref(top.annotations);
	files_tar(f, &l, &tar);
	for (int i = 0; i < 2; i++) {
		struct image_load_opts o = { .platform = &p[i] };
		struct image_loads loads = { 0 };
		ok(f, load_bytes(f, f->s, buf_view(&tar), &o, &loads));
		image_loads_done(&loads);
		reads_hello(f, f->s, "hello:gcc", arch[i]);
	}
	struct platform other = { .os = (char *)"linux", .arch = (char *)"s390x" };
	struct image_load_opts o = { .platform = &other };
	struct image_loads loads = { 0 };
	refused(f, ERR_ABSENT, load_bytes(f, f->s, buf_view(&tar), &o, &loads));
	assert_true(mentions(&f->e, "linux/arm64"));
}

static void load__gives_a_name_to_the_nameless(void **state)
{
	struct fixture *f = *state;
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf tar = { 0 };
	struct image_loads loads = { 0 };
	struct descriptor m = put_image(f, &l, HONEST, COMP_GZIP, "Hello!", "amd64");
	put_index(&l, &m, 1, "justatag", HONEST);
	json_decref(m.annotations);
	files_tar(f, &l, &tar);
	ok(f, load_bytes(f, f->s, buf_view(&tar), NULL, &loads));
	assert_int_equal(loads.n, 1);
	assert_int_equal(loads.p[0].names.n, 0);
	image_loads_done(&loads);
	struct image_load_opts o = { .name = "named:1" };
	ok(f, load_bytes(f, f->s, buf_view(&tar), &o, &loads));
	image_loads_done(&loads);
	reads_hello(f, f->s, "named:1", "Hello!");
}

static void load__reads_docker_archives(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf tar = { 0 }, config = { 0 }, b = { 0 }, packed = { 0 },
				       c = { 0 };
	struct digest diff;
	struct image_loads loads = { 0 };
	layer_tar(f, "Hello!", &tar);
	digest_of(buf_view(&tar), &diff);
	config_text(&diff, 1, "amd64", &config);
	const char *m =
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"hello:gcc\",\"localhost:5000/a/b:c\"],"
		"\"Layers\":[\"layer.tar\"]},"
		"{\"Config\":\"config.json\",\"RepoTags\":null,\"Layers\":[\"layer.tar\"]}]";
	docker_archive(f, m, buf_view(&config), buf_view(&tar), &b);
	ok(f, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
	assert_int_equal(loads.n, 1);
	assert_int_equal(loads.p[0].names.n, 2);
	image_loads_done(&loads);
	reads_hello(f, f->s, "localhost:5000/a/b:c", "Hello!");
	/* a plain layer that we would write byte for byte alike is not kept twice */
	assert_int_equal(count_in(f, "blobs/sha256"), 2);
	pack(f, COMP_GZIP, buf_view(&tar), &packed);
	docker_archive(f, m, buf_view(&config), buf_view(&packed), &c);
	_cleanup_(store_closep) struct store *s = other_store(f, "other");
	ok(f, load_bytes(f, s, buf_view(&c), NULL, &loads));
	image_loads_done(&loads);
	reads_hello(f, s, "hello:gcc", "Hello!");
}

/* A layer whose stream we cannot make again keeps the bytes it came as: saved, it is the same. */
static void load__keeps_streams_of_others(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf tar = { 0 }, config = { 0 }, b = { 0 }, out = { 0 };
	struct digest diff;
	struct image_loads loads = { 0 };
	layer_tar(f, "Hello!", &tar);
	buf_zero(&tar, 10240 - tar.len % 10240); /* GNU tar's blocking */
	digest_of(buf_view(&tar), &diff);
	config_text(&diff, 1, "amd64", &config);
	docker_archive(
		f,
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"hello:gcc\"],\"Layers\":[\"layer.tar\"]}]",
		buf_view(&config), buf_view(&tar), &b);
	ok(f, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
	image_loads_done(&loads);
	assert_int_equal(count_in(f, "blobs/sha256"), 3);
	save_to(f, f->s, "hello:gcc", &(struct save_opts){ .format = SAVE_DOCKER }, &out);
	assert_true(slice_search(buf_view(&out), buf_view(&tar)) < out.len);
	buf_clear(&out);
	save_to(f, f->s, "hello:gcc",
		&(struct save_opts){ .format = SAVE_OCI, .compression = COMP_GZIP }, &out);
	_cleanup_(store_closep) struct store *s = other_store(f, "other");
	ok(f, load_bytes(f, s, buf_view(&out), NULL, &loads));
	image_loads_done(&loads);
	reads_hello(f, s, "hello:gcc", "Hello!");
}

static void load__reads_the_form_of_old_dockers(void **state)
{
	struct fixture *f = *state;
	static const char top[] =
		"1111111111111111111111111111111111111111111111111111111111111111";
	static const char low[] =
		"2222222222222222222222222222222222222222222222222222222222222222";
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf tar = { 0 }, tar2 = { 0 }, b = { 0 };
	struct image_loads loads = { 0 };
	layer_tar(f, "lower", &tar);
	layer_tar(f, "upper", &tar2);
	_free_ char *repos = str_printf("{\"hello\":{\"gcc\":\"%s\"}}", top);
	_free_ char *json = str_printf(
		"{\"id\":\"%s\",\"parent\":\"%s\",\"created\":\"2014-01-02T03:04:05Z\","
		"\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/hello\"]},"
		"\"container_config\":{\"Cmd\":[\"/bin/sh\",\"-c\",\"x\"]}}",
		top, low);
	_free_ char *json2 = str_printf("{\"id\":\"%s\",\"created\":\"2014-01-02T03:04:05Z\"}",
					low);
	files_put(&l, str_dup("repositories"), slice_of(repos));
	files_put(&l, str_printf("%s/json", top), slice_of(json));
	files_put(&l, str_printf("%s/layer.tar", top), buf_view(&tar2));
	files_put(&l, str_printf("%s/json", low), slice_of(json2));
	files_put(&l, str_printf("%s/layer.tar", low), buf_view(&tar));
	files_tar(f, &l, &b);
	ok(f, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
	image_loads_done(&loads);
	reads_hello(f, f->s, "hello:gcc", "upper");
	struct image im = { 0 };
	ok(f, image_open(f->s, "hello:gcc", &im, &f->e));
	assert_int_equal(im.config.history.n, 2);
	assert_string_equal(im.config.cmd.p[0], "/hello");
	image_done(&im);
}

/* ---- what is not ---- */

static void load__refuses_lies(void **state)
{
	struct fixture *f = *state;
	for (int lie = HONEST + 1; lie < LIES; lie++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		struct image_loads loads = { 0 };
		static const struct image_load_opts none;
		_free_ char *dir = str_printf("%s/layout%d", f->dir, lie);
		oci_archive(f, (enum lie)lie, COMP_GZIP, "Hello!", &b);
		refused(f, ERR_DATA, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
		as_dir(f, buf_view(&b), dir);
		refused(f, ERR_DATA, image_load(f->s, -1, dir, &none, &loads, &f->e));
		nothing_is_left(f);
		assert_int_equal(count_in(f, "snapshots"), 0);
	}
}

/* The store has the honest layer; an archive names it and brings other bytes as its compressed form,
 * which other images would then hand on. */
/* An image whose layer says it is `diff`, and is what `stream` packs to. Its digest in *layer. */
static void false_archive(struct fixture *f, const struct digest *diff, struct slice stream,
			  struct digest *layer, struct buf *out)
{
	_cleanup_(buf_done) struct buf bad = { 0 }, config = { 0 }, manifest = { 0 };
	_cleanup_(files_done) struct files l = { 0 };
	pack(f, COMP_GZIP, stream, &bad);
	struct descriptor it = files_blob(&l, MT_OCI_LAYER_GZIP, buf_view(&bad));
	config_text(diff, 1, "amd64", &config);
	struct descriptor cfg = files_blob(&l, MT_OCI_CONFIG, buf_view(&config));
	manifest_text(cfg, &it, 1, &manifest);
	struct descriptor m = files_blob(&l, MT_OCI_MANIFEST, buf_view(&manifest));
	put_index(&l, &m, 1, "evil:1", HONEST);
	json_decref(m.annotations);
	files_tar(f, &l, out);
	*layer = it.digest;
}

static void load__refuses_a_false_form_of_a_known_layer(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf good = { 0 }, tar = { 0 };
	struct image_loads loads = { 0 };
	struct digest diff, layer;
	oci_archive(f, HONEST, COMP_NONE, "Hello!", &good);
	ok(f, load_bytes(f, f->s, buf_view(&good), NULL, &loads));
	image_loads_done(&loads);
	layer_tar(f, "Hello!", &tar);
	digest_of(buf_view(&tar), &diff);
	for (int longer = 0; longer < 2; longer++) {
		_cleanup_(buf_done) struct buf b = { 0 }, line = { 0 };
		buf_clear(&tar);
		layer_tar(f, longer ? "Hello!" : "Evil!!", &tar);
		if (longer) /* it is not inflated to its end, which may be far away */
			buf_zero(&tar, 16 << 20);
		false_archive(f, &diff, buf_view(&tar), &layer, &b);
		assert_int_equal(load_bytes(f, f->s, buf_view(&b), NULL, &loads), -1);
		assert_int_equal(f->e.kind, ERR_DATA);
		err_line(&f->e, &line);
		assert_non_null(strstr(line.p, longer ? "longer than the layer" : "has digest"));
		err_done(&f->e);
		char id[SNAP_ID];
		_cleanup_(snap_close) struct snap sn = SNAP_INIT;
		assert_int_equal(snap_by_diff_id(f->s, &diff, id), 1);
		ok(f, snap_info(f->s, id, &sn, &f->e));
		assert_true(digest_is_zero(&sn.blob.digest));
		assert_false(blob_has(f->s, &layer));
	}
}

static void load__never_leaves_the_archive(void **state)
{
	static const char *const manifests[] = {
		"[{\"Config\":\"../../../../etc/passwd\",\"RepoTags\":[\"x:y\"],\"Layers\":[]}]",
		"[{\"Config\":\"/etc/passwd\",\"RepoTags\":[\"x:y\"],\"Layers\":[]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"../../../../etc/passwd\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"/etc/passwd\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"link\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"up\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"loop\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"pipe\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"dir\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"../../x:y\"],\"Layers\":[\"layer.tar\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[\"layer.tar\",\"layer.tar\"]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"],\"Layers\":[7]}]",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"x:y\"]}]",
		"[{\"Config\":[],\"RepoTags\":[\"x:y\"],\"Layers\":[]}]",
		"[7]",
		"{}",
		"",
	};
	struct fixture *f = *state;
	static const struct image_load_opts none;
	_cleanup_(buf_done) struct buf tar = { 0 }, config = { 0 };
	struct digest diff;
	layer_tar(f, "Hello!", &tar);
	digest_of(buf_view(&tar), &diff);
	config_text(&diff, 1, "amd64", &config);
	for (size_t i = 0; i < COUNT_OF(manifests); i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		struct image_loads loads = { 0 };
		_free_ char *dir = str_printf("%s/layout%zu", f->dir, i);
		_free_ char *cmd = str_printf(
			"cd '%s' && ln -s /etc/passwd link && ln -s ../../../etc/passwd up && "
			"ln -s loop loop && mkfifo pipe && mkdir dir && tar -cf ../spoilt.tar .",
			dir);
		_free_ char *spoilt = str_printf("%s/spoilt.tar", f->dir);
		docker_archive(f, manifests[i], buf_view(&config), buf_view(&tar), &b);
		as_dir(f, buf_view(&b), dir);
		assert_int_equal(system(cmd), 0);
		err_done(&f->e);
		f->e = (struct err){ 0 };
		assert_int_equal(image_load(f->s, -1, dir, &none, &loads, &f->e), -1);
		assert_int_equal(image_load(f->s, -1, spoilt, &none, &loads, &f->e), -1);
		nothing_is_left(f);
	}
}

/* docker-archives: what is told of a list, of a config and of a layer that are not as they should be. */
static void load__says_what_is_wrong_in_docker_archives(void **state)
{
	struct fixture *f = *state;
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	static const struct {
		const char *list, *word, *hint;
	} rows[] = {
		{ "[]", "holds no image", "'thimble copy'" },
		{ "{}", "manifest.json is not a list of images", "" },
		{ "[7]", "an entry of manifest.json is not an object", "" },
		{ "[{\"Config\":7,\"Layers\":[]}]", "Config is not the name of a file", "" },
		{ "[{\"Config\":\"" HEX ".json\",\"Layers\":[\"layer.tar\"]}]",
		  "'" HEX ".json' has digest sha256:", "not the one that it is named by" },
		{ "[{\"Config\":\"blobs/sha256/" HEX "\",\"Layers\":[\"layer.tar\"]}]",
		  "'blobs/sha256/" HEX "' has digest sha256:", "not the one that it is named by" },
		{ "[{\"Config\":\"config.json\",\"Layers\":[]}]",
		  "manifest.json has 0 layers, the config 1", "" },
		{ "[{\"Config\":\"config.json\",\"Layers\":[\"layer.xz\"]}]",
		  "a layer is compressed with xz, which no layer of an image may be",
		  "layers are plain, gzip or zstd" },
		{ "[{\"Config\":\"config.json\",\"Layers\":[\"config.json\"]}]", "layer 1 of 1",
		  "" },
	};
	_cleanup_(buf_done) struct buf tar = { 0 }, config = { 0 };
	struct digest diff;
	layer_tar(f, "Hello!", &tar);
	digest_of(buf_view(&tar), &diff);
	config_text(&diff, 1, "amd64", &config);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(files_done) struct files l = { 0 };
		_cleanup_(buf_done) struct buf b = { 0 };
		struct image_loads loads = { 0 };
		files_put(&l, str_dup("manifest.json"), slice_of(rows[i].list));
		files_put(&l, str_dup("config.json"), buf_view(&config));
		files_put(&l, str_dup(HEX ".json"), buf_view(&config));
		files_put(&l, str_dup("blobs/sha256/" HEX), buf_view(&config));
		files_put(&l, str_dup("layer.tar"), buf_view(&tar));
		files_put(&l, str_dup("layer.xz"),
			  SL("\xfd"
			     "7zXZ\0 and so on"));
		files_tar(f, &l, &b);
		refused(f, ERR_DATA, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
		if (!mentions(&f->e, rows[i].word) || !mentions(&f->e, rows[i].hint))
			fail_msg("%s does not lead to '%s', '%s'", rows[i].list, rows[i].word,
				 rows[i].hint);
		nothing_is_left(f);
	}
#undef HEX
}

/* The form before Docker 1.10: ids name directories, and each names the one below. */
static void load__follows_no_chain_that_is_none(void **state)
{
	struct fixture *f = *state;
#define TOP "1111111111111111111111111111111111111111111111111111111111111111"
#define LOW "2222222222222222222222222222222222222222222222222222222222222222"
	static const struct {
		const char *repositories, *top, *low, *word;
	} rows[] = {
		{ "{\"hello\":{\"gcc\":7}}", "{}", "{}",
		  "`repositories` has no id for 'hello:gcc'" },
		{ "{\"hello\":{\"gcc\":\"../../etc\"}}", "{}", "{}",
		  "`repositories` has no id for 'hello:gcc'" },
		{ "{\"hello\":{\"gcc\":\"" TOP "\"}}", "{\"parent\":\"" LOW "\"}",
		  "{\"parent\":\"" TOP "\"}", "the chain of layers of '" TOP "' is malformed" },
		{ "{\"hello\":{\"gcc\":\"" TOP "\"}}", "{\"parent\":\"" TOP "\"}", "{}",
		  "the chain of layers of '" TOP "' is malformed" },
		{ "{\"hello\":{\"gcc\":\"" TOP "\"}}", "{\"parent\":\"../../etc\"}", "{}",
		  "the chain of layers of '" TOP "' is malformed" },
		{ "{}", "{}", "{}", "holds no image" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(files_done) struct files l = { 0 };
		_cleanup_(buf_done) struct buf b = { 0 };
		struct image_loads loads = { 0 };
		files_put(&l, str_dup("repositories"), slice_of(rows[i].repositories));
		files_put(&l, str_dup(TOP "/json"), slice_of(rows[i].top));
		files_put(&l, str_dup(LOW "/json"), slice_of(rows[i].low));
		files_tar(f, &l, &b);
		refused(f, ERR_DATA, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
		if (!mentions(&f->e, rows[i].word))
			fail_msg("row %zu does not lead to '%s'", i, rows[i].word);
		nothing_is_left(f);
	}
#undef TOP
#undef LOW
}

static void load__refuses_symlinked_blobs_that_lead_out(void **state)
{
	struct fixture *f = *state;
	static const struct image_load_opts none;
	_cleanup_(buf_done) struct buf b = { 0 };
	struct image_loads loads = { 0 };
	_free_ char *dir = str_printf("%s/layout", f->dir), *away = str_printf("%s/away", f->dir);
	_free_ char *cmd = str_printf("mv '%s/blobs/sha256' '%s' && ln -s '%s' '%s/blobs/sha256'",
				      dir, away, away, dir);
	oci_archive(f, HONEST, COMP_GZIP, "Hello!", &b);
	as_dir(f, buf_view(&b), dir);
	assert_int_equal(system(cmd), 0);
	refused(f, ERR_DATA, image_load(f->s, -1, dir, &none, &loads, &f->e));
	nothing_is_left(f);
}

static void load__refuses_what_is_no_image(void **state)
{
	struct fixture *f = *state;
	static const struct image_load_opts none;
	struct image_loads loads = { 0 };
	_cleanup_(buf_done) struct buf tar = { 0 };
	layer_tar(f, "Hello!", &tar);
	refused(f, ERR_DATA, load_bytes(f, f->s, buf_view(&tar), NULL, &loads));
	assert_true(mentions(&f->e, "thimble import"));
	refused(f, ERR_DATA, load_bytes(f, f->s, SL(""), NULL, &loads));
	/* an index, but of nothing: with a hint to what takes what is no image */
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	put_index(&l, NULL, 0, NULL, HONEST);
	files_tar(f, &l, &b);
	refused(f, ERR_DATA, load_bytes(f, f->s, buf_view(&b), NULL, &loads));
	assert_true(mentions(&f->e, "the stream holds no image\n"));
	assert_true(mentions(&f->e, "thimble copy"));
	refused(f, ERR_DATA, load_bytes(f, f->s, SL("FROM scratch\nCOPY a /\n"), NULL, &loads));
	refused(f, ERR_SYS, image_load(f->s, -1, "/nowhere/at/all", &none, &loads, &f->e));
	nothing_is_left(f);
}

static void load__survives_every_truncation(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = { 0 };
	oci_archive(f, HONEST, COMP_GZIP, "Hello!", &b);
	for (size_t n = 0; n + 1024 < b.len; n += 509) {
		struct image_loads loads = { 0 };
		err_done(&f->e);
		f->e = (struct err){ 0 };
		assert_int_equal(load_bytes(f, f->s, slice_head(buf_view(&b), n), NULL, &loads),
				 -1);
		nothing_is_left(f);
	}
}

/* Indexes that name each other, or themselves by way of a guessed digest, end. */
static void load__ends_in_nested_indexes(void **state)
{
	struct fixture *f = *state;
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf tar = { 0 };
	struct platform p = { .os = (char *)"linux", .arch = (char *)"amd64" };
	struct image_load_opts o = { .platform = &p };
	struct image_loads loads = { 0 };
	struct descriptor d = put_image(f, &l, HONEST, COMP_GZIP, "Hello!", "amd64");
	for (int i = 0; i < 8; i++) {
		_cleanup_(buf_done) struct buf text = { 0 };
		d.platform = &p;
		index_text(&d, 1, NULL, &text);
		d = files_blob(&l, MT_OCI_INDEX, buf_view(&text));
	}
	put_index(&l, &d, 1, "hello:gcc", HONEST);
	json_decref(d.annotations);
	files_tar(f, &l, &tar);
	refused(f, ERR_DATA, load_bytes(f, f->s, buf_view(&tar), &o, &loads));
	assert_true(mentions(&f->e, "nested"));
}

/* An index that names no platform is looked into, as pull and copy do; which image of it, its own
 * entries say. */
static void load__looks_into_indexes_without_a_platform(void **state)
{
	struct fixture *f = *state;
	static const char *const arch[] = { "amd64", "arm64" };
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf inner = { 0 }, outer = { 0 }, tar = { 0 };
	struct descriptor m[2], d;
	struct platform p[2], other = { .os = (char *)"linux", .arch = (char *)"s390x" };
	struct image_loads loads = { 0 };
	for (int i = 0; i < 2; i++) {
		m[i] = put_image(f, &l, HONEST, COMP_GZIP, arch[i], arch[i]);
		p[i] = (struct platform){ .os = (char *)"linux", .arch = (char *)arch[i] };
		m[i].platform = &p[i];
	}
	index_text(m, 2, NULL, &inner);
	d = files_blob(&l, MT_OCI_INDEX, buf_view(&inner));
	index_text(&d, 1, NULL, &outer);
	d = files_blob(&l, MT_OCI_INDEX, buf_view(&outer));
	put_index(&l, &d, 1, "hello:gcc", HONEST);
	json_decref(d.annotations);
	files_tar(f, &l, &tar);
	for (int i = 0; i < 2; i++) {
		struct image_load_opts o = { .platform = &p[i] };
		ok(f, load_bytes(f, f->s, buf_view(&tar), &o, &loads));
		image_loads_done(&loads);
		reads_hello(f, f->s, "hello:gcc", arch[i]);
	}
	struct image_load_opts o = { .platform = &other };
	refused(f, ERR_ABSENT, load_bytes(f, f->s, buf_view(&tar), &o, &loads));
	assert_true(mentions(&f->e, "it has: linux/amd64, linux/arm64"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(load__takes_layers_of_each_kind),
		T(load__takes_archives_compressed_as_a_whole),
		T(load__does_not_unpack_what_is_there),
		T(load__chooses_by_platform),
		T(load__gives_a_name_to_the_nameless),
		T(load__reads_docker_archives),
		T(load__keeps_streams_of_others),
		T(load__reads_the_form_of_old_dockers),
		T(load__refuses_lies),
		T(load__refuses_a_false_form_of_a_known_layer),
		T(load__never_leaves_the_archive),
		T(load__says_what_is_wrong_in_docker_archives),
		T(load__follows_no_chain_that_is_none),
		T(load__refuses_symlinked_blobs_that_lead_out),
		T(load__refuses_what_is_no_image),
		T(load__survives_every_truncation),
		T(load__ends_in_nested_indexes),
		T(load__looks_into_indexes_without_a_platform),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
