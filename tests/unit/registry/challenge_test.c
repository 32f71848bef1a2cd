/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include "registry/challenge.h"

/* "scheme realm service scope error; …", "-" for what is not there. */
static char *told(const char *value)
{
	_cleanup_(challenges_done) struct challenges l = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	challenge_parse(slice_of(value), &l);
	arr_each(c, &l) {
		const char *const parts[] = { c->scheme, c->realm, c->service, c->scope, c->error };
		buf_str(&b, b.len ? "; " : "");
		buf_str(&b, c->kind == CHALLENGE_BASIC    ? "B:"
			    : c->kind == CHALLENGE_BEARER ? "T:"
							  : "O:");
		for (size_t i = 0; i < COUNT_OF(parts); i++)
			buf_printf(&b, "%s%s", i ? " " : "", parts[i] ? parts[i] : "-");
	}
	return buf_take(&b);
}

static void challenge_parse__reads_what_registries_send(void **state)
{
	(void)state;
	static const struct {
		const char *value, *want;
	} cases[] = {
		{ "", "" },
		{ "Basic", "B:Basic - - - -" },
		{ "Basic realm=\"a b\"", "B:Basic a b - - -" },
		{ "basic realm=simple", "B:basic simple - - -" },
		{ "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
		  "scope=\"repository:library/gcc:pull,push\"",
		  "T:Bearer https://auth.docker.io/token registry.docker.io "
		  "repository:library/gcc:pull,push -" },
		{ "Bearer realm=\"x\", service=\"y\", error=\"invalid_token\"",
		  "T:Bearer x y - invalid_token" },
		{ "BEARER REALM=\"x\"", "T:BEARER x - - -" },
		{ "Bearer realm = \"x\" , scope = \"s\"", "T:Bearer x - s -" },
		{ "Bearer realm=\"a\\\"b\\\\c\"", "T:Bearer a\"b\\c - - -" },
		/* several, with the comma's two meanings */
		{ "Basic realm=\"a\", Bearer realm=\"b\",service=\"c\"",
		  "B:Basic a - - -; T:Bearer b c - -" },
		{ "Negotiate, Basic realm=\"a\"", "O:Negotiate - - - -; B:Basic a - - -" },
		{ "Negotiate YWJj==, Basic realm=\"a\"", "O:Negotiate - - - -; B:Basic a - - -" },
		{ ",, Basic realm=\"a\",,", "B:Basic a - - -" },
		{ "Digest realm=\"a\", nonce=\"x, Basic realm=y\", Bearer realm=\"b\"",
		  "O:Digest a - - -; T:Bearer b - - -" },
		/* what others sent may hold anything */
		{ "Bearer realm=\"never closed", "T:Bearer - - - -" },
		{ "Bearer realm=", "T:Bearer - - - -" },
		{ "Bearer realm=\"a\" junk, scope=\"s\"", "T:Bearer - - s -" },
		{ "Bearer realm=\"a\",realm=\"b\"", "T:Bearer a - - -" },
		{ "realm=\"a\"", "" },
		{ "\"Basic\"", "" },
		{ "=", "" },
		{ "Bearer realm=\"a\nb\",scope=\"s\"", "T:Bearer - - s -" },
		{ "Bearer realm=\"\"", "T:Bearer  - - -" },
		{ "Basic\trealm=\"a\"", "B:Basic a - - -" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_free_ char *got = told(cases[i].value);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s\n  got  %s\n  want %s", cases[i].value, got, cases[i].want);
	}
}

static void challenge_parse__keeps_its_limits(void **state)
{
	(void)state;
	_cleanup_(challenges_done) struct challenges l = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	for (int i = 0; i < 100; i++)
		buf_str(&b, "Basic realm=\"a\", ");
	challenge_parse(buf_view(&b), &l);
	challenge_parse(SL("Basic realm=\"a\""), &l);
	assert_int_equal(l.n, 16);
	challenges_done(&l);
	for (int i = 0; i < 1000; i++)
		buf_str(&b, "          ");
	challenge_parse(buf_view(&b), &l);
	assert_int_equal(l.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenge_parse__reads_what_registries_send),
		cmocka_unit_test(challenge_parse__keeps_its_limits),
	};
	return cmocka_run_group_tests_name("registry/challenge", tests, NULL, NULL);
}
