/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "container/volume.h"

static void volume_parse__tells_paths_from_names(void **state)
{
	(void)state;
	static const struct {
		const char *spec;
		enum volume_kind kind;
		const char *source, *target;
		bool read_only, no_copy;
	} good[] = {
		{ "/data", VOLUME_ANONYMOUS, NULL, "/data", false, false },
		{ "/data/./x/../y/", VOLUME_ANONYMOUS, NULL, "/data/y", false, false },
		{ "/src:/data", VOLUME_PATH, "/src", "/data", false, false },
		{ "./src:/data:ro", VOLUME_PATH, "./src", "/data", true, false },
		{ ".:/data", VOLUME_PATH, ".", "/data", false, false },
		{ "a/b:/data", VOLUME_PATH, "a/b", "/data", false, false },
		{ "name:/data", VOLUME_NAMED, "name", "/data", false, false },
		{ "na.m_e-1:/data:ro,nocopy", VOLUME_NAMED, "na.m_e-1", "/data", true, true },
		{ "name:/data:rw,z", VOLUME_NAMED, "name", "/data", false, false },
	};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct volume v = { 0 };
		struct err e = { 0 };
		if (volume_parse(good[i].spec, &v, &e) < 0)
			fail_msg("%s: %s", good[i].spec, e.chain[0]);
		assert_int_equal(v.kind, good[i].kind);
		assert_string_equal(v.target, good[i].target);
		assert_int_equal(v.read_only, good[i].read_only);
		assert_int_equal(v.no_copy, good[i].no_copy);
		if (good[i].source)
			assert_string_equal(v.source, good[i].source);
		else
			assert_null(v.source);
		volume_done(&v);
	}
}

static void volume_parse__refuses(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"data",
		":/data",
		"/src:data",
		"/src:/",
		"/src:/..",
		"/src:/data:rx",
		"/src:/data:ro:x",
		"-name:/data",
		"n:/data",
		"na me:/data",
		"/src:",
		"/src:/data:",
		"name:/data:ro,volume-opt=x",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct volume v = { 0 };
		struct err e = { 0 };
		if (volume_parse(bad[i], &v, &e) == 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(e.kind, ERR_USER);
		err_done(&e);
	}
}

static void tmpfs_parse__reads_options(void **state)
{
	(void)state;
	struct tmpfs_spec t = { 0 };
	struct err e = { 0 };
	assert_int_equal(tmpfs_parse("/t", &t, &e), 0);
	assert_string_equal(t.target, "/t");
	assert_true(t.size == 0 && t.mode == 01777 && !t.exec && !t.read_only);
	tmpfs_done(&t);
	assert_int_equal(tmpfs_parse("/t/x/:rw,size=64k,mode=750,exec,nosuid,nodev", &t, &e), 0);
	assert_string_equal(t.target, "/t/x");
	assert_true(t.size == 65536 && t.mode == 0750 && t.exec && !t.read_only);
	tmpfs_done(&t);
	static const char *const bad[] = { "",          "t",         "/",        "/t:size=",
					   "/t:size=x", "/t:mode=9", "/t:uid=5", "/t:," };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (tmpfs_parse(bad[i], &t, &e) == 0)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(e.kind, ERR_USER);
		err_done(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volume_parse__tells_paths_from_names),
		cmocka_unit_test(volume_parse__refuses),
		cmocka_unit_test(tmpfs_parse__reads_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
