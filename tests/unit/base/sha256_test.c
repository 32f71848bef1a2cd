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

/* Whatever came before, and in pieces of whatever length. */
static void sha256_add_both__is_adding_to_each(void **state)
{
	(void)state;
	static uint8_t bytes[20000];
	uint32_t seed = 1;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
	for (unsigned round = 0; round < 400; round++) {
		/* Half of them stand at the same place of a block. */
		size_t before_a = round % 129, before_b = round & 1 ? before_a + 64 : round % 67;
		struct sha256 a, b, alone_a, alone_b;
		uint8_t got[SHA256_LEN], want[SHA256_LEN];
		sha256_begin(&a);
		sha256_begin(&b);
		sha256_add(&a, bytes, before_a);
		sha256_add(&b, bytes + 7, before_b);
		alone_a = a;
		alone_b = b;
		for (size_t at = 0, n; at < sizeof bytes; at += n) {
			n = (seed = seed * 1664525 + 1013904223) >> 16;
			n %= round % 3 ? 300 : 9000;
			if (n > sizeof bytes - at)
				n = sizeof bytes - at;
			sha256_add_both(&a, &b, bytes + at, n);
			if (n == 0)
				n = 1, sha256_add_both(&a, &b, bytes + at, 1);
		}
		sha256_add(&alone_a, bytes, sizeof bytes);
		sha256_add(&alone_b, bytes, sizeof bytes);
		sha256_end(&a, got);
		sha256_end(&alone_a, want);
		assert_memory_equal(got, want, sizeof got);
		sha256_end(&b, got);
		sha256_end(&alone_b, want);
		assert_memory_equal(got, want, sizeof got);
	}
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
		cmocka_unit_test(sha256_add_both__is_adding_to_each),
		cmocka_unit_test(sha256_field__tells_neighbours_apart),
		cmocka_unit_test(sha256_unhex__refuses_other_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
