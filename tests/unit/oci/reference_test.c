/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "oci/reference.h"

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define TEN "0123456789"
#define X(s) s s s s s s s s s s

static void reference_parse__reads_as_docker_does(void **state)
{
	(void)state;
	static const struct {
		const char *text, *whole, *familiar, *name;
	} cases[] = {
		{ "hello", "docker.io/library/hello:latest", "hello:latest", "hello" },
		{ "hello:gcc", "docker.io/library/hello:gcc", "hello:gcc", "hello" },
		{ "docker.io/hello", "docker.io/library/hello:latest", "hello:latest", "hello" },
		{ "index.docker.io/library/hello", "docker.io/library/hello:latest", "hello:latest",
		  "hello" },
		{ "me/hello:1", "docker.io/me/hello:1", "me/hello:1", "me/hello" },
		{ "quay.io/a/b/c:t", "quay.io/a/b/c:t", "quay.io/a/b/c:t", "quay.io/a/b/c" },
		{ "quay.io/hello", "quay.io/hello:latest", "quay.io/hello:latest",
		  "quay.io/hello" },
		{ "localhost/x", "localhost/x:latest", "localhost/x:latest", "localhost/x" },
		{ "localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y",
		  "localhost:5000/x" },
		{ "host:5000", "docker.io/library/host:5000", "host:5000", "host" },
		{ "Host/x", "Host/x:latest", "Host/x:latest", "Host/x" },
		{ "[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest", "[::1]:5000/x" },
		{ "[fe80::1]/x", "[fe80::1]/x:latest", "[fe80::1]/x:latest", "[fe80::1]/x" },
		{ "a@sha256:" HEX, "docker.io/library/a@sha256:" HEX, "a@sha256:" HEX, "a" },
		{ "a:t@sha256:" HEX, "docker.io/library/a:t@sha256:" HEX, "a:t@sha256:" HEX, "a" },
		{ "a__b/c---d.e_f:T.1-_", "docker.io/a__b/c---d.e_f:T.1-_", "a__b/c---d.e_f:T.1-_",
		  "a__b/c---d.e_f" },
		{ "docker.io/library/x/y", "docker.io/library/x/y:latest", "library/x/y:latest",
		  "library/x/y" },
		/* 64 hex digits alone are an id; with a host, a tag or a digest they are a name */
		{ HEX ":t", "docker.io/library/" HEX ":t", HEX ":t", HEX },
		{ HEX "@sha256:" HEX, "docker.io/library/" HEX "@sha256:" HEX, HEX "@sha256:" HEX, HEX },
		{ "docker.io/" HEX, "docker.io/library/" HEX ":latest", HEX ":latest", HEX },
		/* "localhost/x" alone would be another image */
		{ "docker.io/localhost/x", "docker.io/localhost/x:latest",
		  "docker.io/localhost/x:latest", "docker.io/localhost/x" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(reference_done) struct reference r = { 0 }, again = { 0 }, copy = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		if (reference_parse(slice_of(cases[i].text), &r, &e) < 0)
			fail_msg("%s", err_words(&e));
		_free_ char *whole = reference_text(&r), *familiar = reference_familiar(&r);
		_free_ char *name = reference_familiar_name(&r);
		assert_string_equal(whole, cases[i].whole);
		assert_string_equal(familiar, cases[i].familiar);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(reference_parse(slice_of(familiar), &again, NULL), 0);
		assert_true(reference_eq(&r, &again));
		reference_copy(&copy, &r);
		reference_copy(&copy, &copy);
		assert_true(reference_eq(&r, &copy));
	}
}

static void reference_parse__says_which_part_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "the name is empty" },
		{ ":tag", "the name is empty" },
		{ "hello:", "the tag after ':' is empty" },
		{ "Hello", "upper-case" },
		{ "me/Hello:t", "upper-case" },
		{ "hello:a b", "the tag 'a b'" },
		{ "hello:-a", "the tag '-a'" },
		{ "hello:.a", "the tag '.a'" },
		{ "hello:a:b", "'hello:a'" }, /* b is the tag: Docker refuses it too */
		{ "hello:" X(TEN) TEN TEN TEN, "the tag is longer than 128" },
		{ X(X("0")) X(X("0")) X(X("0")), "the name is longer than 255" },
		/* 250 bytes, which anywhere else are not too many */
		{ X(X("0")) X(X("0")) TEN TEN TEN TEN TEN,
		  "the name is longer than 255 bytes with the 'library/' that stands before it at "
		  "docker.io" },
		{ "a//b", "empty part" },
		{ "a/", "empty part" },
		{ "/a", "empty part" },
		{ "a/../b", "'..'" },
		{ "./a", "registry" },
		{ "../a", "registry" },
		{ "a/.b", "'.b'" },
		{ "a/b-", "'b-'" },
		{ "a/b___c", "'b___c'" },
		{ "a/b..c", "'b..c'" },
		{ "a/\xc3\xa9", "cannot be part" },
		{ "-x.y/a", "registry" },
		{ "x.y-/a", "registry" },
		{ "x_y.z/a", "registry" },
		{ "h:port/a", "registry" },
		{ "h:/a", "registry" },
		{ "h:123456/a", "registry" },
		{ "[::1/a", "registry" },
		{ "[]:5/a", "registry" },
		{ "http://x.y/a", "registry" },
		{ "a@sha256:abc", "64 lower-case hex digits" },
		{ "a@sha512:" HEX, "is not of sha256" },
		{ "a@", "is not a digest" },
		{ HEX, "an image's id" },
		{ "a\nb", "cannot be part" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(reference_done) struct reference r = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		if (reference_parse(slice_of(cases[i].text), &r, &e) == 0)
			fail_msg("'%s' is taken", cases[i].text);
		assert_int_equal(e.kind, ERR_USER);
		assert_null(r.host);
		if (!strstr(err_words(&e), cases[i].says))
			fail_msg("'%s': %s", cases[i].text, err_words(&e));
	}
	struct reference r;
	assert_int_equal(reference_parse(SL("a\0b"), &r, NULL), -1);
}

static void reference_parse__offers_the_lower_case_name(void **state)
{
	(void)state;
	_cleanup_(err_done) struct err e = { 0 };
	struct reference r;
	assert_int_equal(reference_parse(SL("HelloWorld:X"), &r, &e), -1);
	assert_string_equal(e.hints[0], "write 'helloworld'");
}

static void reference_eq__compares_all_parts(void **state)
{
	(void)state;
	static const char *const texts[] = { "a", "b", "a:t", "x.y/a", "a@sha256:" HEX,
					     "a:latest@sha256:" HEX };
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		for (size_t j = 0; j < COUNT_OF(texts); j++) {
			_cleanup_(reference_done) struct reference a = { 0 }, b = { 0 };
			assert_int_equal(reference_parse(slice_of(texts[i]), &a, NULL), 0);
			assert_int_equal(reference_parse(slice_of(texts[j]), &b, NULL), 0);
			assert_int_equal(reference_eq(&a, &b), i == j);
		}
}

static bool is_taken(struct slice text)
{
	_cleanup_(reference_done) struct reference r = { 0 };
	return reference_parse(text, &r, NULL) == 0;
}

static void reference__seeds_are_taken_or_refused_by_name(void **state)
{
	(void)state;
	check_seeds("reference", is_taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference__seeds_are_taken_or_refused_by_name),
		cmocka_unit_test(reference_parse__reads_as_docker_does),
		cmocka_unit_test(reference_parse__says_which_part_is_wrong),
		cmocka_unit_test(reference_parse__offers_the_lower_case_name),
		cmocka_unit_test(reference_eq__compares_all_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
