/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "base/sha256.h"

static void sha256__gives_the_standards_digests(void **state)
{
	(void)state;
	static const struct {
		const char *text, *hex;
	} cases[] = { /* FIPS 180-4 */
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint8_t d[SHA256_LEN], back[SHA256_LEN];
		char hex[SHA256_HEX];
		sha256_of(cases[i].text, strlen(cases[i].text), d);
		sha256_hex(d, hex);
		assert_string_equal(hex, cases[i].hex);
		assert_int_equal(sha256_unhex(hex, 64, back), 0);
		assert_memory_equal(back, d, sizeof d);
	}
}

static void sha256_add__does_not_mind_pieces(void **state)
{
	(void)state;
	struct sha256 s;
	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	sha256_begin(&s);
	sha256_add(&s, "a", 1);
	sha256_add(&s, NULL, 0);
	sha256_add(&s, "bc", 2);
	sha256_end(&s, one);
	sha256_of("abc", 3, two);
	assert_memory_equal(one, two, sizeof one);
}

static void sha256_field__tells_neighbours_apart(void **state)
{
	(void)state;
	struct sha256 s;
	uint8_t one[SHA256_LEN], two[SHA256_LEN], by_hand[SHA256_LEN];
	sha256_begin(&s);
	sha256_field(&s, "ab", 2);
	sha256_field(&s, "c", 1);
	sha256_end(&s, one);
	sha256_begin(&s);
	sha256_field(&s, "a", 1);
	sha256_field(&s, "bc", 2);
	sha256_end(&s, two);
	assert_memory_not_equal(one, two, sizeof one);
	sha256_of("\2\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0c", 19, by_hand);
	assert_memory_equal(one, by_hand, sizeof one);
}

static void sha256_unhex__refuses_other_forms(void **state)
{
	(void)state;
	char hex[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	uint8_t d[SHA256_LEN] = { 7 };
	assert_int_equal(sha256_unhex(hex, 63, d), -1);
	hex[63] = 'A';
	assert_int_equal(sha256_unhex(hex, 64, d), -1);
	hex[63] = 'g';
	assert_int_equal(sha256_unhex(hex, 64, d), -1);
	assert_int_equal(d[0], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256__gives_the_standards_digests),
		cmocka_unit_test(sha256_add__does_not_mind_pieces),
		cmocka_unit_test(sha256_field__tells_neighbours_apart),
		cmocka_unit_test(sha256_unhex__refuses_other_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
