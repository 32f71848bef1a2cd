/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/js.h"
#include "oci/manifest.h"

#define D1 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define D2 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define CONFIG "\"config\":{\"mediaType\":\"" MT_OCI_CONFIG "\",\"digest\":\"" D1 "\",\"size\":2}"
#define LAYERS                                                                                 \
	"\"layers\":[{\"mediaType\":\"" MT_OCI_LAYER_GZIP "\",\"digest\":\"" D2 "\",\"size\":9}]"
#define HEAD(type) "{\"schemaVersion\":2,\"mediaType\":\"" type "\","
#define IN_INDEX(digest, members)                                                          \
	"{\"mediaType\":\"" MT_OCI_MANIFEST "\",\"digest\":\"" digest "\",\"size\":5" members "}"
#define PLATFORM(arch, more) \
	",\"platform\":{\"architecture\":\"" arch "\",\"os\":\"linux\"" more "}"

static const char full[] =
	HEAD(MT_OCI_MANIFEST) "\"artifactType\":\"application/x\"," CONFIG
	",\"layers\":[{\"mediaType\":\"" MT_OCI_LAYER "\",\"digest\":\"" D2 "\",\"size\":9,"
	"\"annotations\":{\"k\":\"v\"},\"urls\":[\"https://x\"],\"x-unknown\":{\"a\":[1,null]}}],"
	"\"subject\":{\"mediaType\":\"" MT_OCI_MANIFEST "\",\"digest\":\"" D1 "\",\"size\":7},"
	"\"annotations\":{\"z\":\"1\",\"a\":\"2\"}}";

static void manifest_parse__and_write__give_the_same_bytes(void **state)
{
	(void)state;
	static const char *const texts[] = {
		full,
		HEAD(MT_OCI_MANIFEST) CONFIG "," LAYERS "}",
		HEAD(MT_DOCKER_MANIFEST) CONFIG ",\"layers\":[]}",
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		_cleanup_(manifest_done) struct manifest m = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		_cleanup_(buf_done) struct buf out = { 0 };
		if (manifest_parse(slice_of(texts[i]), NULL, &m, &e) < 0)
			fail_msg("%s", err_words(&e));
		manifest_write(&m, &out);
		assert_string_equal(out.p, texts[i]);
		assert_int_equal(manifest_sniff(slice_of(texts[i])), MEDIA_MANIFEST);
	}
}

static void manifest_parse__reads_members(void **state)
{
	(void)state;
	_cleanup_(manifest_done) struct manifest m = { 0 };
	char text[DIGEST_LEN];
	assert_int_equal(manifest_parse(SL("{\"schemaVersion\":2," CONFIG "," LAYERS "}"),
					MT_DOCKER_MANIFEST, &m, NULL),
			 0);
	assert_string_equal(m.media_type, MT_DOCKER_MANIFEST);
	assert_string_equal(m.config.media_type, MT_OCI_CONFIG);
	assert_int_equal(m.config.size, 2);
	assert_int_equal(m.layers.n, 1);
	assert_int_equal(m.layers.p[0].size, 9);
	assert_string_equal(digest_text(&m.layers.p[0].digest, text), D2);
	assert_null(m.subject);
}

static void manifest_parse__says_why_not(void **state)
{
	(void)state;
	static const struct {
		const char *text, *media_type, *says;
	} cases[] = {
		{ "[]", NULL, "not an object" },
		{ "{", NULL, "not valid JSON" },
		{ "{}", NULL, "schemaVersion is 0" },
		{ "{\"schemaVersion\":1," CONFIG "," LAYERS "}", NULL, "schemaVersion is 1" },
		{ HEAD(MT_OCI_MANIFEST) CONFIG "," LAYERS "}", MT_DOCKER_MANIFEST,
		  "was announced as" },
		{ HEAD("text/plain") CONFIG "," LAYERS "}", NULL, "'text/plain' is not an image" },
		{ HEAD(MT_OCI_INDEX) CONFIG "," LAYERS "}", NULL, "is not an image manifest" },
		{ HEAD(MT_OCI_MANIFEST) CONFIG "," LAYERS ",\"manifests\":[]}", NULL,
		  "its members are not those" },
		{ HEAD(MT_OCI_MANIFEST) LAYERS "}", NULL, "'config' is missing" },
		{ HEAD(MT_OCI_MANIFEST) CONFIG "}", NULL, "'layers' is missing" },
		{ HEAD(MT_OCI_MANIFEST) CONFIG ",\"layers\":[7]}", NULL, "entry 1 of 'layers'" },
		{ HEAD(MT_OCI_MANIFEST) CONFIG ",\"layers\":{}}", NULL, "must be an array" },
		{ HEAD(MT_OCI_MANIFEST) "\"config\":{\"digest\":\"" D1 "\",\"size\":1}," LAYERS "}",
		  NULL, "its mediaType is missing" },
		{ HEAD(MT_OCI_MANIFEST) "\"config\":{\"mediaType\":\"x\",\"size\":1}," LAYERS "}",
		  NULL, "its digest is missing" },
		{ HEAD(MT_OCI_MANIFEST) "\"config\":{\"mediaType\":\"x\",\"digest\":\"" D1
					"\"}," LAYERS "}",
		  NULL, "size is missing or negative" },
		{ HEAD(MT_OCI_MANIFEST) "\"config\":{\"mediaType\":\"x\",\"digest\":\"" D1
					"\",\"size\":-1}," LAYERS "}",
		  NULL, "size is missing or negative" },
		{ HEAD(MT_OCI_MANIFEST) "\"config\":{\"mediaType\":\"x\",\"digest\":\"sha256:../x"
					"\",\"size\":1}," LAYERS "}",
		  NULL, "is not sha256:" },
		{ HEAD(MT_OCI_MANIFEST) CONFIG "," LAYERS ",\"annotations\":{\"a\":1}}", NULL,
		  "the annotation 'a'" },
		{ HEAD(MT_OCI_MANIFEST) CONFIG "," LAYERS ",\"subject\":{}}", NULL, "'subject'" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(manifest_done) struct manifest m = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		if (manifest_parse(slice_of(cases[i].text), cases[i].media_type, &m, &e) == 0)
			fail_msg("%s is taken", cases[i].text);
		assert_int_equal(e.kind, ERR_DATA);
		assert_null(m.media_type);
		if (!strstr(err_words(&e), cases[i].says))
			fail_msg("%s: %s", cases[i].text, err_words(&e));
	}
}

static void manifest_parse__limits_layers(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	_cleanup_(manifest_done) struct manifest m = { 0 };
	buf_str(&b, HEAD(MT_OCI_MANIFEST) CONFIG ",\"layers\":[");
	for (int i = 0; i <= MANIFEST_LAYERS_MAX; i++)
		buf_printf(&b, "%s{\"mediaType\":\"x\",\"digest\":\"" D1 "\",\"size\":1}",
			   i ? "," : "");
	buf_str(&b, "]}");
	assert_int_equal(manifest_parse(buf_view(&b), NULL, &m, &e), -1);
	assert_says(&e, "'layers' has 1025 entries; at most 1024");
}

static void manifest_sniff__looks_at_the_shape(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum media_kind want;
	} cases[] = {
		{ "{\"manifests\":[]}", MEDIA_INDEX },
		{ "{\"layers\":[]}", MEDIA_MANIFEST },
		{ "{\"mediaType\":\"" MT_DOCKER_LIST "\",\"manifests\":[]}", MEDIA_INDEX },
		{ "{\"mediaType\":\"" MT_OCI_INDEX "\",\"layers\":[]}", MEDIA_OTHER },
		{ "{\"manifests\":[],\"layers\":[]}", MEDIA_OTHER },
		{ "{\"mediaType\":\"x\",\"layers\":[]}", MEDIA_OTHER },
		{ "{\"mediaType\":7,\"layers\":[]}", MEDIA_OTHER },
		{ "{}", MEDIA_OTHER },
		{ "[]", MEDIA_OTHER },
		{ "", MEDIA_OTHER },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(manifest_sniff(slice_of(cases[i].text)), cases[i].want);
}

static void media_kind__knows_layers_of_both_families(void **state)
{
	(void)state;
	assert_int_equal(media_kind(MT_OCI_LAYER_ZSTD), MEDIA_LAYER);
	assert_int_equal(media_kind(MT_DOCKER_LAYER_GZIP), MEDIA_LAYER);
	assert_int_equal(media_kind(MT_DOCKER_CONFIG), MEDIA_CONFIG);
	assert_int_equal(media_kind("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
			 MEDIA_FOREIGN_LAYER);
	assert_int_equal(media_kind(MT_OCI_EMPTY), MEDIA_OTHER);
	assert_int_equal(media_kind(NULL), MEDIA_OTHER);
}

/* An index of these entries; the position of the chosen one, or -1. */
static int choose(const char *entries, const char *platform)
{
	_cleanup_(buf_done) struct buf b = { 0 }, out = { 0 };
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_cleanup_(platform_done) struct platform want = { 0 };
	_cleanup_(err_done) struct err e = { 0 };
	buf_printf(&b, HEAD(MT_OCI_INDEX) "\"manifests\":[%s]}", entries);
	if (image_index_parse(buf_view(&b), MT_OCI_INDEX, &x, &e) < 0)
		fail_msg("%s", err_words(&e));
	image_index_write(&x, &out);
	assert_string_equal(out.p, b.p);
	assert_int_equal(platform_parse(slice_of(platform), &want, NULL), 0);
	const struct descriptor *d = image_index_choose(&x, &want);
	return d ? (int)(d - x.manifests.p) : -1;
}

static void image_index_choose__finds_the_best(void **state)
{
	(void)state;
	static const char usual[] =
		IN_INDEX(D1, ",\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"}") ","
		IN_INDEX(D1, PLATFORM("amd64", ",\"variant\":\"v3\"")) ","
		IN_INDEX(D1, PLATFORM("amd64", "")) ","
		IN_INDEX(D1, PLATFORM("arm64", ",\"variant\":\"v8\"")) ","
		IN_INDEX(D1, PLATFORM("arm", ",\"variant\":\"v5\"")) ","
		IN_INDEX(D1, PLATFORM("arm", ",\"variant\":\"v6\""));
	static const struct {
		const char *entries, *platform;
		int want;
	} cases[] = {
		{ usual, "linux/amd64", 2 },
		{ usual, "linux/amd64/v3", 1 },
		{ usual, "linux/amd64/v2", 2 },
		{ usual, "linux/arm64", 3 },
		{ usual, "linux/arm/v7", 5 },
		{ usual, "linux/arm/v6", 5 },
		{ usual, "linux/arm/v5", 4 },
		{ usual, "linux/s390x", -1 },
		{ usual, "windows/amd64", -1 },
		{ usual, "unknown/unknown", -1 },
		{ IN_INDEX(D1, ""), "linux/s390x", 0 },
		{ "", "linux/amd64", -1 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(choose(cases[i].entries, cases[i].platform), cases[i].want);
}

static void image_index_parse__says_why_not(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ HEAD(MT_OCI_INDEX) "\"manifests\":[],\"config\":{}}", "its members" },
		{ HEAD(MT_OCI_INDEX) "\"manifests\":null}", "'manifests' is missing" },
		{ HEAD(MT_OCI_INDEX) "\"manifests\":[" IN_INDEX(D1, ",\"platform\":{}") "]}",
		  "'os' is missing" },
		{ HEAD(MT_OCI_MANIFEST) "\"manifests\":[]}", "is not an index of images" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(image_index_done) struct image_index x = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		assert_int_equal(image_index_parse(slice_of(cases[i].text), NULL, &x, &e), -1);
		if (!strstr(err_words(&e), cases[i].says))
			fail_msg("%s: %s", cases[i].text, err_words(&e));
	}
}

static void descriptor_copy__is_deep(void **state)
{
	(void)state;
	_cleanup_(manifest_done) struct manifest m = { 0 };
	_cleanup_(descriptor_done) struct descriptor copy = { 0 };
	assert_int_equal(manifest_parse(slice_of(full), NULL, &m, NULL), 0);
	descriptor_copy(&copy, &m.layers.p[0]);
	descriptor_copy(&copy, &copy);
	_json_ json_t *want = descriptor_json(&m.layers.p[0]);
	json_object_clear(m.layers.p[0].annotations);
	_json_ json_t *got = descriptor_json(&copy);
	assert_string_equal(json_string_value(json_object_get(json_object_get(got, "annotations"),
							      "k")),
			    "v");
	assert_non_null(json_object_get(got, "x-unknown"));
	assert_int_equal(json_object_size(got), json_object_size(want));
}

static bool is_taken(struct slice text)
{
	_cleanup_(manifest_done) struct manifest m = { 0 };
	_cleanup_(image_index_done) struct image_index x = { 0 };
	return manifest_parse(text, NULL, &m, NULL) == 0 ||
	       image_index_parse(text, NULL, &x, NULL) == 0;
}

static void manifest__seeds_are_taken_or_refused_by_name(void **state)
{
	(void)state;
	check_seeds("manifest", is_taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifest__seeds_are_taken_or_refused_by_name),
		cmocka_unit_test(manifest_parse__and_write__give_the_same_bytes),
		cmocka_unit_test(manifest_parse__reads_members),
		cmocka_unit_test(manifest_parse__says_why_not),
		cmocka_unit_test(manifest_parse__limits_layers),
		cmocka_unit_test(manifest_sniff__looks_at_the_shape),
		cmocka_unit_test(media_kind__knows_layers_of_both_families),
		cmocka_unit_test(image_index_choose__finds_the_best),
		cmocka_unit_test(image_index_parse__says_why_not),
		cmocka_unit_test(descriptor_copy__is_deep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
