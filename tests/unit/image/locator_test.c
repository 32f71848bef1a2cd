/* SPDX-License-Identifier: Apache-2.0 */
#include "../store/fixture.h"

#include "image/locator.h"

static void locator__reads_what_skopeo_writes(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		enum locator_kind kind;
		const char *path, *tag;
	} rows[] = {
		{ "hello:gcc", LOCATOR_STORE, "hello:gcc", NULL },
		{ "thimble:hello:gcc", LOCATOR_STORE, "hello:gcc", NULL },
		{ "localhost:5000/a/b:1", LOCATOR_STORE, "localhost:5000/a/b:1", NULL },
		{ "docker:24", LOCATOR_STORE, "docker:24", NULL }, /* an image of that name */
		{ "0123abcd", LOCATOR_STORE, "0123abcd", NULL },
		{ "oci:dir", LOCATOR_LAYOUT, "dir", NULL },
		{ "oci:dir:", LOCATOR_LAYOUT, "dir", NULL },
		{ "oci:/a/b:tag", LOCATOR_LAYOUT, "/a/b", "tag" },
		{ "oci:dir:host:5000/x:1", LOCATOR_LAYOUT, "dir", "host:5000/x:1" },
		{ "oci-archive:f.tar:1", LOCATOR_ARCHIVE, "f.tar", "1" },
		{ "docker-archive:f.tar:x:1", LOCATOR_DOCKER, "f.tar", "x:1" },
		{ "docker-archive:f.tar:@2", LOCATOR_DOCKER, "f.tar", "@2" },
		{ "dir:a:b", LOCATOR_DIR, "a:b", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct locator l = { 0 };
		ok(f, locator_parse(rows[i].text, &l, &f->e));
		assert_int_equal(l.kind, rows[i].kind);
		assert_string_equal(l.path, rows[i].path);
		assert_string_equal(l.text, rows[i].text);
		assert_string_equal(l.tag ? l.tag : "", rows[i].tag ? rows[i].tag : "");
		locator_done(&l);
	}
}

static void locator__reads_registries_as_docker_does(void **state)
{
	struct fixture *f = *state;
	struct locator l = { 0 };
	ok(f, locator_parse("docker://gcc", &l, &f->e));
	assert_int_equal(l.kind, LOCATOR_REGISTRY);
	_free_ char *text = reference_text(&l.ref);
	assert_string_equal(text, "docker.io/library/gcc:latest");
	locator_done(&l);
}

static void locator__refuses_what_is_no_place(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text, *word;
	} rows[] = {
		{ "docker-daemon:x:1", "docker save NAME" },
		{ "containers-storage:x", "podman save" },
		{ "https://example.com/x", "docker://HOST/NAME" },
		{ "tarball:x", "thimble import FILE NAME" },
		{ "ostree:x", "'ostree:' is no kind of place for images" },
		{ "ostree:x", "known are docker://REF" },
		{ "ftp:/x", "known are docker://REF" },
		{ "ocy:./dir", "known are docker://REF" },
		{ "oci:", "names no file" },
		{ "oci::tag", "names no file" },
		{ "dir:", "names no file" },
		{ "thimble:", "names no image" },
		{ "docker://x/UPPER", "UPPER" },
		{ "/tmp", "write oci:/tmp" },
		{ "./nothing-of-this-name", "not the name of an image" },
	};
	struct locator l = { 0 };
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		refused(f, ERR_USER, locator_parse(rows[i].text, &l, &f->e));
		if (!mentions(&f->e, rows[i].word))
			fail_msg("'%s' does not lead to '%s'", rows[i].text, rows[i].word);
		assert_null(l.text);
	}
}

/* A file's path where a name should stand is told how to say that it is a file. */
static void locator__leads_from_files_to_archives(void **state)
{
	struct fixture *f = *state;
	_free_ char *path = str_printf("%s/a.tar", f->dir);
	_free_ char *with_tag = str_printf("%s:x", path);
	const char *const texts[] = { path, with_tag };
	struct locator l = { 0 };
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		_free_ char *hint =
			str_printf("for the file write oci-archive:%s or docker-archive:%s",
				   texts[i], texts[i]);
		refused(f, ERR_USER, locator_parse(texts[i], &l, &f->e));
		assert_true(mentions(&f->e, hint));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(locator__reads_what_skopeo_writes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(locator__reads_registries_as_docker_does, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(locator__refuses_what_is_no_place, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(locator__leads_from_files_to_archives, set_up,
						tear_down),
	};
	return cmocka_run_group_tests_name("image-locator", tests, NULL, NULL);
}
