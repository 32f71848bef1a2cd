/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "oci/digest.h"

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void digest_parse__gives_back_its_text(void **state)
{
	(void)state;
	struct digest d, abc;
	char text[DIGEST_LEN], hex[SHA256_HEX];
	assert_int_equal(digest_parse(SL("sha256:" HEX), &d, NULL), 0);
	digest_of(SL("abc"), &abc);
	assert_true(digest_eq(&d, &abc));
	assert_string_equal(digest_text(&d, text), "sha256:" HEX);
	assert_string_equal(digest_hex(&d, hex), HEX);
	assert_false(digest_is_zero(&d));
	assert_true(digest_is_zero(&(struct digest){ { 0 } }));
}

static void digest_parse__says_why_not(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "is not a digest" },
		{ HEX, "is not a digest" },
		{ ":" HEX, "is not a digest" },
		{ "sha512:" HEX HEX, "is not of sha256" },
		{ "SHA256:" HEX, "is not of sha256" },
		{ "sha256:", "64 lower-case hex digits" },
		{ "sha256:" HEX "0", "64 lower-case hex digits" },
		{ "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		  "64 lower-case hex digits" },
		{ "sha256:../../../../etc/passwd", "64 lower-case hex digits" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(err_done) struct err e = { 0 };
		struct digest d = { { 7 } };
		assert_int_equal(digest_parse(slice_of(cases[i].text), &d, &e), -1);
		assert_int_equal(e.kind, ERR_DATA);
		assert_says(&e, cases[i].says);
		assert_int_equal(d.b[0], 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_parse__gives_back_its_text),
		cmocka_unit_test(digest_parse__says_why_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
