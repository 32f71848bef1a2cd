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
	DIFF_OTHER,
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
	if (lie == DIFF_OTHER)
		diff.b[0] ^= 1;
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

/* What is told of a lie; where only images go the config is read, and layers are unpacked. */
static const struct {
	const char *word, *images_only;
} told[LIES] = {
	[LAYER_LONGER] = { "it has more than the 2048 bytes that it should", NULL },
	[LAYER_SHORTER] = { "it has 2047 bytes, not 2048", NULL },
	[LAYER_OTHER] = { "its bytes have digest sha256:", NULL },
	[LAYER_MISSING] = { "has no 'blobs/sha256/", NULL },
	[DIFF_OTHER] = { NULL, "the stream has digest sha256:" },
	[CONFIG_OTHER] = { "its bytes have digest sha256:", NULL },
	[CONFIG_HUGE] = { " bytes, not 4194305",
			  "the config is said to have 4194305 bytes; at most 4194304 are taken" },
	[MANIFEST_OTHER] = { "has 397 bytes and digest sha256:", NULL },
	[MANIFEST_SIZE] = { "not 398 and sha256:", NULL },
	[MANIFEST_HUGE] = { "is said to have 4194305 bytes; at most 4194304 are taken", NULL },
	[NOT_A_MANIFEST] = { "it is neither an image manifest nor an index", NULL },
	[INDEX_OF_BLOBS] = { "which is neither an image nor an index but 'application/", NULL },
	[INDEX_OF_ITSELF_DEEP] = { "indexes in indexes, 3 deep", NULL },
};

static void forget(struct fixture *f)
{
	err_done(&f->e);
	f->e = (struct err){ 0 };
}

static void says(struct fixture *f, const char *word, const char *where)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	err_format(&f->e, false, &b);
	if (!strstr(b.p, word))
		fail_msg("%s: not '%s' but: %s", where, word, b.p);
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
			if ((lie >= INDEX_OF_BLOBS && !all) || (lie == DIFF_OTHER && all))
				continue;
			const char *mark = strstr(places[i], "%s");
			buf_add(&to, places[i], mark ? (size_t)(mark - places[i]) : 0);
			buf_str(&to, mark ? f->dir : places[i]);
			buf_str(&to, mark ? mark + 2 : "");
			if (copy_to(f, from, to.p, all, &done) == 0)
				fail_msg("lie %d went to %s", lie, to.p);
			assert_true(f->e.kind == ERR_DATA || f->e.kind == ERR_ABSENT);
			says(f,
			     !all && told[lie].images_only ? told[lie].images_only : told[lie].word,
			     to.p);
			forget(f);
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
		const char *list, *tag;
		int kind;
		const char *word, *hint;
	} rows[] = {
		{ "{}", "", ERR_DATA, "manifest.json is not a list of images" },
		{ "[]", "", ERR_ABSENT, "it holds no image" },
		{ "[]", ":x:1", ERR_ABSENT, "it holds no image" },
		{ "[1]", "", ERR_DATA, "an entry of manifest.json is not an object" },
		{ "[{\"Config\":\"../../../../etc/passwd\",\"Layers\":[\"l.tar\"]}]", "", ERR_DATA,
		  "has no 'etc/passwd'" },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"../../../../etc/passwd\"]}]", "", ERR_DATA,
		  "has no 'etc/passwd'" },
		{ "[{\"Config\":\"c.json\",\"Layers\":[]}]", "", ERR_DATA,
		  "manifest.json has 0 layers, the config 1 (at most 1024)" },
		{ "[{\"Config\":\"c.json\",\"Layers\":[7]}]", "", ERR_DATA,
		  "manifest.json names no file where it should" },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"other.tar\"]}]", "", ERR_DATA,
		  "'other.tar' has digest sha256:" },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar.xz\"]}]", "", ERR_DATA,
		  "a layer is compressed with xz, which no layer of an image may be",
		  "plain, gzip or zstd" },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar.bz2\"]}]", "", ERR_DATA,
		  "a layer is compressed with bzip2", "plain, gzip or zstd" },
		{ "[{\"Layers\":[\"l.tar\"]}]", "", ERR_DATA,
		  "manifest.json names no file where it should" },
		{ "[{\"RepoTags\":[\"a:1\",\"a:2\"]},{\"RepoTags\":null}]", "", ERR_USER,
		  "it holds several images, and none is named", "it has: a:1, a:2, @1" },
		{ "[{\"RepoTags\":[\"a:1\"]}]", ":b:1", ERR_ABSENT, "it has no image 'b:1'",
		  "it has: a:1" },
		{ "[{\"RepoTags\":[\"a:1\"]}]", ":@1", ERR_ABSENT, "it has no image '@1'",
		  "it has: a:1" },
		{ "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar\"]}]", "", 0 },
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
		files_put(&l, str_dup("l.tar.xz"),
			  SL("\xfd"
			     "7zXZ\0 and so on"));
		files_put(&l, str_dup("l.tar.bz2"), SL("BZh9 and so on"));
		files_tar(f, &l, &b);
		_free_ char *path = put_archive(f, buf_view(&b));
		_free_ char *from = str_printf("docker-archive:%s%s", path, rows[i].tag);
		_free_ char *to = str_printf("dir:%s/to", f->dir);
		int r = copy_to(f, from, to, false, &done);
		if (rows[i].kind && (r == 0 || (int)f->e.kind != rows[i].kind))
			fail_msg("row %zu: %d, kind %d", i, r, f->e.kind);
		if (!rows[i].kind) {
			ok(f, r);
		} else {
			says(f, rows[i].word, rows[i].list);
			says(f, rows[i].hint ? rows[i].hint : "", rows[i].list);
			assert_int_equal(left(f), 0);
		}
		image_copied_done(&done);
		forget(f);
	}
}

/* An archive of another kind than was said, and a hint to the right word if there is one. */
static void copy__tells_kinds_of_archives_apart(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *kind, *file, *word, *hint;
	} rows[] = {
		{ "docker-archive", "index.json", "is no docker-archive: it has no manifest.json",
		  "it may be oci-archive:" },
		{ "docker-archive", "repositories", "is no docker-archive: it has no manifest.json",
		  "'thimble load' takes archives of that age" },
		{ "docker-archive", "hello", "is no docker-archive: it has no manifest.json", "" },
		{ "oci-archive", "manifest.json", "is no OCI layout: it has no index.json",
		  "it may be docker-archive:" },
		{ "oci-archive", "hello", "has no 'index.json'", "" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		_cleanup_(files_done) struct files l = { 0 };
		_cleanup_(buf_done) struct buf b = { 0 };
		struct image_copied done = { 0 };
		files_put(&l, str_dup(rows[i].file), SL("{}"));
		files_tar(f, &l, &b);
		_free_ char *path = put_archive(f, buf_view(&b));
		_free_ char *from = str_printf("%s:%s", rows[i].kind, path);
		refused(f, ERR_DATA, copy_to(f, from, "thimble:x:1", false, &done));
		says(f, rows[i].word, from);
		says(f, rows[i].hint, from);
		assert_int_equal(mentions(&f->e, "  try "), *rows[i].hint != '\0');
	}
}

/* A layout whose index.json has these entries; # stands for the same manifest each time. */
static char *layout_of(struct fixture *f, const char *entries)
{
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 }, text = { 0 };
	char digest[DIGEST_LEN];
	struct descriptor d = make_manifest(f, &l, HONEST);
	digest_text(&d.digest, digest);
	buf_str(&text, "{\"schemaVersion\":2,\"manifests\":[");
	for (const char *p = entries; *p; p++) {
		if (*p == '#')
			buf_printf(&text, "\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu",
				   MT_OCI_MANIFEST, digest, (unsigned long long)d.size);
		else
			buf_char(&text, *p);
	}
	buf_str(&text, "]}");
	files_put(&l, str_dup("index.json"), buf_view(&text));
	files_tar(f, &l, &b);
	_free_ char *path = put_archive(f, buf_view(&b));
	return str_printf("oci-archive:%s", path);
}

#define NAMED(name) "{#,\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
#define FOR(arch)   ",\"platform\":{\"architecture\":\"" arch "\",\"os\":\"linux\"}"
#define ATTESTATION "{#,\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"}}"

static void copy__of_layouts_says_what_there_is(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *entries, *tag;
		int kind;
		const char *word, *hint;
	} rows[] = {
		{ "", "", ERR_ABSENT, "it holds no image", NULL },
		{ "", ":x", ERR_ABSENT, "it holds no image", NULL },
		{ ATTESTATION, "", ERR_ABSENT, "it holds no image", NULL },
		{ NAMED("one") "}," NAMED("two") "}," ATTESTATION, "", ERR_USER,
		  "it holds several images, and none is named", "it has: one, two\n" },
		{ NAMED("one") "}", ":x", ERR_ABSENT, "it has no image 'x'", "it has: one" },
		{ NAMED("one") FOR("s390x") "}," NAMED("one") FOR("riscv64") "}", ":one",
		  ERR_ABSENT, "the image has no variant for linux/",
		  "it has: linux/s390x, linux/riscv64; choose one with --platform" },
		{ NAMED("one") "}", ":@sha256:00", ERR_DATA, "sha256:00", NULL },
		{ NAMED("one") "}",
		  ":@sha256:0000000000000000000000000000000000000000000000000000000000000000",
		  ERR_ABSENT, "it has no image '@sha256:", "it has: one" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct image_copied done = { 0 };
		_free_ char *at = layout_of(f, rows[i].entries);
		_free_ char *from = str_printf("%s%s", at, rows[i].tag);
		refused(f, rows[i].kind, copy_to(f, from, "thimble:x:1", false, &done));
		says(f, rows[i].word, rows[i].entries);
		says(f, rows[i].hint ? rows[i].hint : "", rows[i].entries);
	}
}

/* By digest it does not matter under how many names it is there, and for which platform. */
static void copy__by_digest_takes_what_has_two_names(void **state)
{
	struct fixture *f = *state;
	struct image_copied done = { 0 };
	char digest[DIGEST_LEN];
	_cleanup_(files_done) struct files l = { 0 };
	struct descriptor d = make_manifest(f, &l, HONEST);
	_free_ char *at = layout_of(f,
				    NAMED("one") FOR("s390x") "}," NAMED("two") FOR("s390x") "}");
	_free_ char *from = str_printf("%s:@%s", at, digest_text(&d.digest, digest));
	ok(f, copy_to(f, from, "thimble:x:1", false, &done));
	assert_true(digest_eq(&done.top.digest, &d.digest));
	image_copied_done(&done);
}

/* Who can fill an archive with names does not fill the screen with them. */
static void copy__lists_few_of_many_names(void **state)
{
	struct fixture *f = *state;
	struct image_copied done = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	for (int i = 0; i < 300; i++)
		buf_printf(&b,
			   "%s{#,\"annotations\":{\"org.opencontainers.image.ref.name\":\"t%d\"}}",
			   i ? "," : "", i);
	_free_ char *from = layout_of(f, b.p);
	refused(f, ERR_USER, copy_to(f, from, "thimble:x:1", false, &done));
	says(f, "t18, t19, 280 more", "names");
}

static void copy__refuses_names_with_digests(void **state)
{
	struct fixture *f = *state;
	static const char digest[] =
		"sha256:0000000000000000000000000000000000000000000000000000000000000000";
	static const struct {
		const char *to, *word;
	} rows[] = {
		{ "docker-archive:%s/to.tar:x@", "images by tags, not by digests" },
		{ "docker-archive:%s/to.tar:x:1@", "images by tags, not by digests" },
		{ "thimble:x@", "a new name cannot have a digest" },
	};
	_cleanup_(buf_done) struct buf b = { 0 };
	make_layout(f, HONEST, &b);
	_free_ char *path = put_archive(f, buf_view(&b));
	_free_ char *from = str_printf("oci-archive:%s", path);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct image_copied done = { 0 };
		const char *mark = strstr(rows[i].to, "%s");
		_free_ char *head = mark ? str_ndup(rows[i].to, (size_t)(mark - rows[i].to))
					 : str_dup("");
		_free_ char *to = str_printf("%s%s%s%s", head, mark ? f->dir : "",
					     mark ? mark + 2 : rows[i].to, digest);
		refused(f, ERR_USER, copy_to(f, from, to, false, &done));
		says(f, rows[i].word, to);
		says(f, "leave out what follows '@'", to);
		assert_int_equal(left(f), 0);
	}
}

static void load_it(struct fixture *f, const struct buf *archive)
{
	struct image_loads loads = { 0 };
	ok(f, load_bytes(f, f->s, buf_view(archive), NULL, &loads));
	image_loads_done(&loads);
}

/* Loads an image whose layer is kept as it came; where the store keeps it is told. */
static char *load_foreign(struct fixture *f, enum compression c, struct buf *archive)
{
	_cleanup_(files_done) struct files l = { 0 };
	_cleanup_(buf_done) struct buf tar = { 0 }, packed = { 0 }, config = { 0 };
	struct digest diff, layer;
	_cleanup_(sink_closep) struct sink *to = sink_buf(&packed);
	_cleanup_(sink_closep) struct sink *comp = comp_sink(to, c, 0, &f->e);
	layer_tar(f, comp_name(c), &tar);
	buf_zero(&tar, 10240 - tar.len % 10240); /* not as we would write it */
	ok(f, sink_write(comp, tar.p, tar.len, &f->e));
	ok(f, sink_finish(comp, &f->e));
	digest_of(buf_view(&tar), &diff);
	digest_of(buf_view(&packed), &layer);
	config_text(&diff, 1, "amd64", &config);
	files_put(&l, str_dup("manifest.json"),
		  SL("[{\"Config\":\"c.json\",\"RepoTags\":[\"x:1\"],\"Layers\":[\"l.tar\"]}]"));
	files_put(&l, str_dup("c.json"), buf_view(&config));
	files_put(&l, str_dup("l.tar"), buf_view(&packed));
	files_tar(f, &l, archive);
	load_it(f, archive);
	_free_ char *at = blob_at(&layer);
	return str_printf("%s/%s", f->root, at);
}

static void copy__tells_that_the_bytes_are_gone(void **state)
{
	struct fixture *f = *state;
	struct image_copied done = { 0 };
	struct locator a = { 0 }, b = { 0 };
	const struct image_copy_opts exactly = { .preserve = true };
	static const char *const to[] = { "dir:%s/to", "oci-archive:%s/to.tar",
					  "docker-archive:%s/to.tar:x:1" };
	_cleanup_(buf_done) struct buf archive = { 0 };
	_free_ char *path = load_foreign(f, COMP_GZIP, &archive);
	assert_int_equal(unlink(path), 0);
	for (size_t i = 0; i < COUNT_OF(to); i++) {
		size_t kind = strcspn(to[i], "%");
		_free_ char *head = str_ndup(to[i], kind);
		_free_ char *there = str_printf("%s%s%s", head, f->dir, to[i] + kind + 2);
		refused(f, ERR_ABSENT, copy_to(f, "thimble:x:1", there, false, &done));
		says(f, "came as are not in the store any more", there);
		says(f, "load or pull the image again", there);
	}
	_free_ char *dir = str_printf("dir:%s/to", f->dir);
	ok(f, locator_parse("thimble:x:1", &a, &f->e));
	ok(f, locator_parse(dir, &b, &f->e));
	refused(f, ERR_DATA, image_copy(f->s, &a, &b, &exactly, &done, &f->e));
	says(f, "so its digest cannot be preserved", dir);
	says(f, "leave --preserve-digests away, or load the image again from an archive", dir);
	load_it(f, &archive);
	ok(f, image_copy(f->s, &a, &b, &exactly, &done, &f->e));
	image_copied_done(&done);
	locator_done(&a);
	locator_done(&b);
}

/* A blob that was found to be damaged does not stay, or loading it again would not help. */
static void copy__lets_damaged_blobs_be_loaded_again(void **state)
{
	struct fixture *f = *state;
	static const char *const spoil[] = { "s/$/x/", "s/^..../XXXX/", "$d" };
	static const enum compression kinds[] = { COMP_GZIP, COMP_NONE };
	for (size_t i = 0; i < COUNT_OF(spoil) * COUNT_OF(kinds); i++) {
		_cleanup_(buf_done) struct buf archive = { 0 };
		struct image_copied done = { 0 };
		_free_ char *path = load_foreign(f, kinds[i % COUNT_OF(kinds)], &archive);
		_free_ char *to = str_printf("dir:%s/to", f->dir);
		_free_ char *cmd = str_printf("LC_ALL=C sed -i '%s' '%s'",
					      spoil[i / COUNT_OF(kinds)], path);
		assert_int_equal(system(cmd), 0);
		refused(f, ERR_DATA, copy_to(f, "thimble:x:1", to, false, &done));
		says(f, " in the store is damaged", cmd);
		says(f, "load or pull the image again: the blob is then written anew", cmd);
		assert_int_equal(access(path, F_OK), -1);
		load_it(f, &archive);
		assert_int_equal(access(path, F_OK), 0);
		ok(f, copy_to(f, "thimble:x:1", to, false, &done));
		image_copied_done(&done);
	}
}

/* A manifest that lies about a size does no harm to a blob that is right. */
static void copy__keeps_blobs_that_are_right(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf config = { 0 }, text = { 0 };
	struct manifest m = { .media_type = (char *)MT_OCI_MANIFEST };
	struct digest d;
	struct image_copied done = { 0 };
	_free_ char *to = str_printf("dir:%s/to", f->dir);
	config_text(NULL, 0, "amd64", &config);
	ok(f, blob_put(f->s, buf_view(&config), &m.config.digest, &f->e));
	m.config.media_type = (char *)MT_OCI_CONFIG;
	m.config.size = config.len + 1;
	manifest_write(&m, &text);
	ok(f, blob_put(f->s, buf_view(&text), &d, &f->e));
	ok(f, image_adopt(f->s, &d, &f->e));
	ok(f, name_set(f->s, "docker.io/library/x:1", &d, &f->e));
	refused(f, ERR_DATA, copy_to(f, "thimble:x:1", to, false, &done));
	says(f, " bytes, not ", to);
	assert_true(blob_has(f->s, &m.config.digest));
}

/* Who gives no options for a registry has nothing to do with one. */
static void copy__reaches_no_registry_unasked(void **state)
{
	struct fixture *f = *state;
	_cleanup_(buf_done) struct buf b = { 0 };
	struct image_copied done = { 0 };
	make_layout(f, HONEST, &b);
	_free_ char *path = put_archive(f, buf_view(&b));
	_free_ char *from = str_printf("oci-archive:%s", path);
	refused(f, ERR_USER, copy_to(f, from, "docker://127.0.0.1:1/x:1", false, &done));
	says(f, "a registry cannot be written here", from);
	refused(f, ERR_USER, copy_to(f, "docker://127.0.0.1:1/x:1", "thimble:x:1", false, &done));
	says(f, "a registry cannot be read here", from);
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
		cmocka_unit_test_setup_teardown(copy__tells_kinds_of_archives_apart, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__of_layouts_says_what_there_is, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__by_digest_takes_what_has_two_names, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__lists_few_of_many_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copy__refuses_names_with_digests, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__tells_that_the_bytes_are_gone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__lets_damaged_blobs_be_loaded_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__keeps_blobs_that_are_right, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(copy__reaches_no_registry_unasked, set_up,
						tear_down),
	};
	return cmocka_run_group_tests_name("image-copy", tests, NULL, NULL);
}
