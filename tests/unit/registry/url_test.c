/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/url.h"

#include "../unit.h"

static void url_parse__takes_and_prints(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "https://example.com", "https://example.com/" },
		{ "HTTPS://Example.COM:443/v2/", "https://example.com/v2/" },
		{ "http://localhost:5000/v2/?n=1", "http://localhost:5000/v2/?n=1" },
		{ "http://h:80/a#b", "http://h/a" },
		{ "http://h?x=/../y", "http://h/?x=/../y" },
		{ "http://[::1]:5000/", "http://[::1]:5000/" },
		{ "http://[FE80::1]/", "http://[fe80::1]/" },
		{ "http://h/a/../../b/./c/..", "http://h/b/" },
		{ "http://h/..", "http://h/" },
		{ "http://h/a//b", "http://h/a//b" },
		{ "http://h:/a", "http://h/a" },
		{ "https://h:65535/", "https://h:65535/" },
		{ "http://h/%2e%2e/a?", "http://h/%2e%2e/a?" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(url_done) struct url u = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		if (url_parse(slice_of(cases[i][0]), &u, &e) < 0)
			fail_msg("%s: %s", cases[i][0], err_words(&e));
		_free_ char *text = url_text(&u);
		assert_string_equal(text, cases[i][1]);
	}
}

static void url_parse__refuses(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "", "is not an absolute URL" },
		{ "/v2/", "is not an absolute URL" },
		{ "example.com", "is not an absolute URL" },
		{ "ftp://h/", "is neither http: nor https:" },
		{ "file:///etc/passwd", "is neither http: nor https:" },
		{ "https:/h", "is not an absolute URL" },
		{ "https:///x", "is not the name of a host" },
		{ "http://:80/", "is not the name of a host" },
		{ "http://h:0/", "is not the name of a host with a port" },
		{ "http://h:65536/", "is not the name of a host with a port" },
		{ "http://h:1x/", "is not the name of a host with a port" },
		{ "http://u@h/", "a URL with a user name in it" },
		{ "http://u:p@h/", "a URL with a user name in it" },
		{ "http://h /", "holds a byte that no URL holds" },
		{ "http://h/\r\nX: y", "holds a byte that no URL holds" },
		{ "http://h/\x01", "holds a byte that no URL holds" },
		{ "http://h\\@i/", "holds a byte that no URL holds" },
		{ "http://[::1/", "the host '[::1' has no ']'" },
		{ "http://[::1]x/", "is not the name of a host with a port" },
		{ "http://[]/", "is not the name of a host" },
		{ "http://h%00/", "is not the name of a host" },
		{ "http://h/\xc3\xa4", "holds a byte that no URL holds" },
		{ "javascript:alert(1)", "is not an absolute URL" },
		{ "https://h,i/", "is not the name of a host" },
		{ "http://a b/", "holds a byte that no URL holds" },
		{ "http://h/\x7f", "holds a byte that no URL holds" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct url u = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		if (url_parse(slice_of(cases[i][0]), &u, &e) == 0)
			fail_msg("'%s' is taken", cases[i][0]);
		assert_int_equal(e.kind, ERR_DATA);
		assert_null(u.host);
		assert_says(&e, cases[i][1]);
	}
	_cleanup_(buf_done) struct buf b = { 0 };
	struct url u = { 0 };
	buf_str(&b, "http://h/");
	while (b.len <= URL_MAX)
		buf_char(&b, 'a');
	_cleanup_(err_done) struct err long_ = { 0 };
	assert_int_equal(url_parse(buf_view(&b), &u, &long_), -1);
	assert_says(&long_, "a URL of 8193 bytes; at most 8192 are taken");
	assert_int_equal(url_parse((struct slice){ "http://h/\0x", 11 }, &u, NULL), -1);
}

/* RFC 3986 §5.4, the parts that concern http. */
static void url_resolve__as_the_rfc_has_it(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "g", "http://a/b/c/g" },      { "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" },    { "/g", "http://a/g" },
		{ "//g", "http://g/" },         { "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },  { "#s", "http://a/b/c/d;p?q" },
		{ "g#s", "http://a/b/c/g" },    { "g?y#s", "http://a/b/c/g?y" },
		{ ";x", "http://a/b/c/;x" },    { "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" },       { "..", "http://a/b/" },
		{ "../g", "http://a/b/g" },     { "../..", "http://a/" },
		{ "../../../g", "http://a/g" }, { "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },      { "g.", "http://a/b/c/g." },
		{ "..g", "http://a/b/c/..g" },  { "./g/.", "http://a/b/c/g/" },
		{ "g/../h", "http://a/b/c/h" }, { "https://h:5000/x?y", "https://h:5000/x?y" },
		{ " /g ", "http://a/g" },
	};
	_cleanup_(url_done) struct url base = { 0 };
	assert_int_equal(url_parse(SL("http://a/b/c/d;p?q"), &base, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(url_done) struct url u = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		if (url_resolve(&base, slice_of(cases[i][0]), &u, &e) < 0)
			fail_msg("%s: %s", cases[i][0], err_words(&e));
		_free_ char *text = url_text(&u);
		assert_string_equal(text, cases[i][1]);
	}
}

static void url_resolve__keeps_port_and_brackets(void **state)
{
	(void)state;
	_cleanup_(url_done) struct url base = { 0 }, u = { 0 };
	assert_int_equal(url_parse(SL("http://[::1]:5000/v2/x"), &base, NULL), 0);
	assert_int_equal(url_resolve(&base, SL("/y?z=1"), &u, NULL), 0);
	_free_ char *text = url_text(&u);
	assert_string_equal(text, "http://[::1]:5000/y?z=1");
	assert_true(url_same_origin(&base, &u));
}

static void url_resolve__refuses(void **state)
{
	(void)state;
	static const char *const cases[] = { "file:///etc/passwd", "ftp://x/", "//u@evil/", "/a\nb",
					     "gopher:x",           "http:",    "//" };
	_cleanup_(url_done) struct url base = { 0 };
	assert_int_equal(url_parse(SL("https://a/b"), &base, NULL), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct url u = { 0 };
		if (url_resolve(&base, slice_of(cases[i]), &u, NULL) == 0)
			fail_msg("'%s' is taken", cases[i]);
	}
}

static void url_same_origin__compares_all_three(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "https://h/a", "https://H:443/b?c", true },
		{ "https://h/", "http://h:443/", false },
		{ "https://h/", "https://h:444/", false },
		{ "https://h/", "https://h.evil/", false },
		{ "https://h/", "https://evil.h/", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(url_done) struct url a = { 0 }, b = { 0 };
		assert_int_equal(url_parse(slice_of(cases[i].a), &a, NULL), 0);
		assert_int_equal(url_parse(slice_of(cases[i].b), &b, NULL), 0);
		assert_int_equal(url_same_origin(&a, &b), cases[i].same);
	}
}

static void url_add_query__escapes(void **state)
{
	(void)state;
	_cleanup_(url_done) struct url u = { 0 };
	assert_int_equal(url_parse(SL("https://h/a"), &u, NULL), 0);
	url_add_query(&u, "digest", "sha256:ab");
	url_add_query(&u, "x", "a b&c=d");
	_free_ char *text = url_text(&u);
	assert_string_equal(text, "https://h/a?digest=sha256%3Aab&x=a%20b%26c%3Dd");
}

static void url_shown__hides_signatures(void **state)
{
	(void)state;
	_cleanup_(url_done) struct url u = { 0 };
	assert_int_equal(url_parse(SL("https://s3/b?digest=x&X-Amz-Signature=secret&flag&t=s&n=5"),
				   &u, NULL),
			 0);
	_free_ char *text = url_shown(&u);
	assert_string_equal(text, "https://s3/b?digest=x&X-Amz-Signature=…&flag&t=…&n=5");
}

static void url_shown__cuts_what_is_long(void **state)
{
	(void)state;
	static const char hex[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	_cleanup_(url_done) struct url u = { 0 }, s3 = { 0 };
	_free_ char *text = str_printf("http://[::1]:5000/v2/a/blobs/uploads/%s%s?_state=x&digest=sha256%%3A%s",
				       hex, hex, hex);
	assert_int_equal(url_parse(slice_of(text), &u, NULL), 0);
	_free_ char *shown = url_shown(&u), *host = url_host(&u);
	assert_string_equal(shown, "http://[::1]:5000/v2/a/blobs/uploads/0123456789abcdef0123…"
				   "?_state=…&digest=sha256:0123456789ab…");
	assert_string_equal(host, "[::1]:5000");
	_free_ char *long_one = str_printf("https://s3/sha256:%s/?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&"
					   "X-Amz-Algorithm=x&X-Amz-Credential=y&X-Amz-SignedHeaders=host&"
					   "X-Amz-Expires=1&X-Amz-Signature=z",
					   hex);
	assert_int_equal(url_parse(slice_of(long_one), &s3, NULL), 0);
	_free_ char *short_one = url_shown(&s3);
	_free_ char *want = str_printf("https://s3/sha256:%s/?X-Amz-Content-Sha256=…&X-Amz-Algorithm=…&"
				       "X-Amz-Credential=…&X-Amz-SignedHeaders=…&…",
				       hex);
	assert_string_equal(short_one, want);
	_cleanup_(url_done) struct url root = { 0 };
	assert_int_equal(url_parse(SL("https://h"), &root, NULL), 0);
	_free_ char *whole = url_shown(&root);
	assert_string_equal(whole, "https://h/");
}

static void host_is_loopback__only_loopback(void **state)
{
	(void)state;
	static const char *const yes[] = { "127.0.0.1", "127.255.0.9", "localhost", "a.localhost",
					   "::1" };
	static const char *const no[] = { "128.0.0.1",          "127.0.0.1.evil.com",
					  "localhost.evil.com", "127.0.0",
					  "notlocalhost",       "",
					  "127.0.0.256",        "::2",
					  "127.1.evil",         "127.0.0.1.2" };
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		assert_true(host_is_loopback(yes[i]));
	for (size_t i = 0; i < COUNT_OF(no); i++)
		assert_false(host_is_loopback(no[i]));
}

/* A URL, and perhaps a reference against it in the next line (tests/fuzz/url_fuzz.c). */
static bool accepts(struct slice text)
{
	_cleanup_(url_done) struct url base = { 0 }, to = { 0 };
	size_t line = slice_find(text, '\n');
	if (url_parse(slice_head(text, line), &base, NULL) < 0)
		return false;
	return line == text.n || url_resolve(&base, slice_from(text, line + 1), &to, NULL) == 0;
}

static void url_parse__seeds(void **state)
{
	(void)state;
	check_seeds("url", accepts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(url_parse__takes_and_prints),
		cmocka_unit_test(url_parse__refuses),
		cmocka_unit_test(url_resolve__as_the_rfc_has_it),
		cmocka_unit_test(url_resolve__keeps_port_and_brackets),
		cmocka_unit_test(url_resolve__refuses),
		cmocka_unit_test(url_same_origin__compares_all_three),
		cmocka_unit_test(url_add_query__escapes),
		cmocka_unit_test(url_shown__hides_signatures),
		cmocka_unit_test(url_shown__cuts_what_is_long),
		cmocka_unit_test(host_is_loopback__only_loopback),
		cmocka_unit_test(url_parse__seeds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
