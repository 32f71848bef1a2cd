/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "oci/config.h"

#define D1 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* As BuildKit writes it, with every member that we know and one of each kind that we do not. */
static const char full[] =
	"{\"architecture\":\"arm64\",\"author\":\"me\",\"config\":{\"User\":\"1000:1000\","
	"\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}},\"Env\":[\"PATH=/bin\",\"A=b=c\"],"
	"\"Entrypoint\":[\"/e\"],\"Cmd\":[\"a\",\"b\"],\"Volumes\":{\"/a\":{},\"/b\":{}},"
	"\"WorkingDir\":\"/w\",\"Labels\":{\"a\":\"1\",\"b\":\"2\"},\"StopSignal\":\"SIGINT\","
	"\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":1000000000,\"Retries\":3},"
	"\"ArgsEscaped\":true,\"OnBuild\":[\"RUN x\"],\"Shell\":[\"/bin/bash\",\"-c\"],"
	"\"StopTimeout\":5},\"created\":\"2024-02-03T04:05:06.7Z\","
	"\"history\":[{\"created\":\"2024-01-01T00:00:00Z\",\"created_by\":\"RUN x\","
	"\"comment\":\"buildkit\"},{\"created_by\":\"ENV A\",\"author\":\"me\",\"empty_layer\":true}],"
	"\"moby.buildkit.buildinfo.v1\":\"e30=\",\"os\":\"linux\",\"os.version\":\"1\","
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\"]},\"variant\":\"v8\"}";

static void parse_ok(const char *text, struct image_config *c)
{
	_cleanup_(err_done) struct err e = { 0 };
	if (image_config_parse(slice_of(text), c, &e) < 0)
		fail_msg("%s", err_words(&e));
}

static void image_config__survives_reading_copying_and_writing(void **state)
{
	(void)state;
	static const char *const texts[] = {
		full,
		"{\"architecture\":\"amd64\",\"config\":{},\"os\":\"linux\","
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
		"{\"architecture\":\"amd64\",\"config\":{\"Entrypoint\":[],\"Cmd\":[\"\"]},"
		"\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		_cleanup_(image_config_done) struct image_config c = { 0 }, copy = { 0 };
		_cleanup_(buf_done) struct buf out = { 0 };
		parse_ok(texts[i], &c);
		image_config_copy(&copy, &c);
		image_config_done(&c);
		image_config_copy(&copy, &copy);
		image_config_write(&copy, &out);
		assert_string_equal(out.p, texts[i]);
	}
}

static void image_config_parse__reads_members(void **state)
{
	(void)state;
	_cleanup_(image_config_done) struct image_config c = { 0 };
	parse_ok(full, &c);
	assert_true(c.has_created);
	assert_int_equal(c.created.tv_nsec, 700000000);
	assert_string_equal(c.platform.variant, "v8");
	assert_string_equal(c.user, "1000:1000");
	assert_string_equal(env_get(&c.env, "A"), "b=c");
	assert_string_equal(kvs_get(&c.labels, "b"), "2");
	assert_null(kvs_get(&c.labels, "c"));
	assert_true(c.has_cmd && c.has_entrypoint && c.has_shell && c.args_escaped);
	assert_int_equal(c.ports.n, 2);
	assert_string_equal(c.health->test.p[0], "CMD-SHELL");
	assert_int_equal(c.health->interval, 1000000000);
	assert_int_equal(c.health->retries, 3);
	assert_int_equal(c.diff_ids.n, 1);
	assert_int_equal(c.history.n, 2);
	assert_false(c.history.p[0].empty_layer);
	assert_true(c.history.p[1].empty_layer);
	assert_false(c.history.p[1].has_created);
}

static void image_config_parse__takes_nulls_for_absent(void **state)
{
	(void)state;
	_cleanup_(image_config_done) struct image_config c = { 0 };
	parse_ok("{\"architecture\":\"amd64\",\"os\":\"linux\",\"created\":null,\"config\":{"
		 "\"Env\":null,\"Cmd\":null,\"Entrypoint\":null,\"Volumes\":null,\"Labels\":null,"
		 "\"OnBuild\":null,\"Healthcheck\":null,\"User\":null},\"rootfs\":{\"type\":"
		 "\"layers\",\"diff_ids\":null},\"history\":null}",
		 &c);
	assert_false(c.has_cmd || c.has_entrypoint || c.has_created);
	assert_null(c.health);
	assert_null(c.user);
}

static void image_config_parse__says_why_not(void **state)
{
	(void)state;
#define BASE "\"os\":\"linux\",\"architecture\":\"amd64\","
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "{}", "'os' is missing" },
		{ "{\"os\":\"linux\"}", "'architecture' is missing" },
		{ "[]", "not an object" },
		{ "{\"os\":1}", "'os' must be a string" },
		{ "{" BASE "\"created\":\"today\"}", "'created' is not a time" },
		{ "{" BASE "\"config\":[]}", "'config' must be an object" },
		{ "{" BASE "\"config\":{\"Env\":\"A=b\"}}", "'Env' must be an array" },
		{ "{" BASE "\"config\":{\"Cmd\":[1]}}", "'Cmd' must hold strings" },
		{ "{" BASE "\"config\":{\"Labels\":{\"a\":1}}}", "the label 'a'" },
		{ "{" BASE "\"config\":{\"Volumes\":[]}}", "'Volumes' must be an object" },
		{ "{" BASE "\"config\":{\"Healthcheck\":{\"Interval\":1.5}}}", "'Interval'" },
		{ "{" BASE "\"rootfs\":{\"type\":\"tar\",\"diff_ids\":[]}}", "not 'layers'" },
		{ "{" BASE "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}", "'diff_ids'" },
		{ "{" BASE "\"history\":[{},7]}", "entry 2 of 'history'" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(image_config_done) struct image_config c = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		assert_int_equal(image_config_parse(slice_of(cases[i].text), &c, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_null(c.platform.os);
		if (!strstr(err_words(&e), cases[i].says))
			fail_msg("%s: %s", cases[i].text, err_words(&e));
	}
}

static void image_config_write__sorts_and_mends(void **state)
{
	(void)state;
	_cleanup_(image_config_done) struct image_config c = { 0 };
	_cleanup_(buf_done) struct buf out = { 0 };
	c.platform.os = str_dup("linux");
	c.platform.arch = str_dup("amd64");
	strs_add(&c.volumes, "/z");
	strs_add(&c.volumes, "/a");
	strs_add(&c.env, "A=\xff");
	kvs_set(&c.labels, SL("z"), SL("1"));
	kvs_set(&c.labels, SL("\xfe"), SL("2"));
	kvs_set(&c.labels, SL("a"), SL("3"));
	kvs_set(&c.labels, SL("z"), SL("4"));
	c.user = str_dup("");
	image_config_write(&c, &out);
	assert_string_equal(out.p, "{\"architecture\":\"amd64\",\"config\":{\"Env\":[\"A=\uFFFD\"],"
				   "\"Volumes\":{\"/a\":{},\"/z\":{}},\"Labels\":{\"a\":\"3\","
				   "\"z\":\"4\",\"\uFFFD\":\"2\"}},\"os\":\"linux\",\"rootfs\":"
				   "{\"type\":\"layers\",\"diff_ids\":[]}}");
}

static void env_set__replaces_in_place(void **state)
{
	(void)state;
	_cleanup_(strs_done) struct strs env = { 0 };
	env_set(&env, SL("A"), SL("1"));
	env_set(&env, SL("AB"), SL("2"));
	env_set(&env, SL("A"), SL("3=4"));
	_free_ char *joined = strs_join(&env, " ");
	assert_string_equal(joined, "A=3=4 AB=2");
	assert_string_equal(env_get(&env, "AB"), "2");
	assert_null(env_get(&env, "B"));
	strs_add(&env, "A=last");
	assert_string_equal(env_get(&env, "A"), "last");
}

static bool is_taken(struct slice text)
{
	_cleanup_(image_config_done) struct image_config c = { 0 };
	return image_config_parse(text, &c, NULL) == 0;
}

static void config__seeds_are_taken_or_refused_by_name(void **state)
{
	(void)state;
	check_seeds("config", is_taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config__seeds_are_taken_or_refused_by_name),
		cmocka_unit_test(image_config__survives_reading_copying_and_writing),
		cmocka_unit_test(image_config_parse__reads_members),
		cmocka_unit_test(image_config_parse__takes_nulls_for_absent),
		cmocka_unit_test(image_config_parse__says_why_not),
		cmocka_unit_test(image_config_write__sorts_and_mends),
		cmocka_unit_test(env_set__replaces_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
