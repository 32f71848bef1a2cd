/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets which secret: a transport that answers from a list and keeps what it was sent. */
#include "../unit.h"

#include <errno.h>

#include "base/stream.h"
#include "registry/auth.h"

struct answer {
	int status; /* 0: no answer, with sys_errno */
	int no;
	const char *header, *body;
};
static const struct answer *script; /* ends with { -1 } */
static struct strs sent; /* "GET URL|header|header|body" */
static bool insecure;

int http_send(struct http *h, const struct http_request *rq, struct http_response *out,
	      struct err *e)
{
	(void)h;
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_printf(&b, "%s %s", rq->method, rq->url);
	arr_each(line, rq->headers)
		buf_printf(&b, "|%s", *line);
	if (rq->body.n)
		buf_printf(&b, "|%.*s", SLF(rq->body));
	strs_add(&sent, b.p);
	if (!script || script->status < 0)
		fail_msg("one request too many: %s", b.p);
	const struct answer *a = script++;
	if (a->status == 0) {
		err_set(e, ERR_NET, "no answer");
		e->sys_errno = a->no;
		return -1;
	}
	*out = (struct http_response){ .status = a->status,
				       .length = -1,
				       .body = source_mem(a->body, a->body ? strlen(a->body) : 0) };
	if (a->header)
		strs_add(&out->headers, a->header);
	return 0;
}

const char *http_header(const struct http_response *rs, const char *name)
{
	arr_each(it, &rs->headers) {
		struct slice line = slice_of(*it);
		size_t colon = slice_find(line, ':');
		if (slice_is(slice_head(line, colon), name) && colon + 2 <= line.n)
			return *it + colon + 2;
	}
	return NULL;
}

void http_response_done(struct http_response *rs)
{
	source_close(rs->body);
	strs_done(&rs->headers);
	*rs = (struct http_response){ 0 };
}

static int tls_of(void *ctx, const struct url *u, struct http_tls *out, struct err *e)
{
	(void)ctx, (void)u, (void)e;
	*out = (struct http_tls){ .insecure = insecure };
	return 0;
}

/* What a test says and asks. */
struct talk {
	struct auth *auth;
	struct url at;
	struct strs scopes;
	struct challenges l;
	struct err e;
};

static void talk_begin(struct talk *t, const struct creds *c, const char *at, const char *scope)
{
	*t = (struct talk){ .auth = auth_new(
				    &(struct auth_opts){ .creds = c, .host = "r.example" }) };
	assert_int_equal(url_parse(slice_of(at), &t->at, NULL), 0);
	if (scope)
		strs_add(&t->scopes, scope);
	strs_done(&sent);
	insecure = false;
}

static void talk_done(struct talk *t)
{
	auth_free(t->auth);
	url_done(&t->at);
	strs_done(&t->scopes);
	challenges_done(&t->l);
	err_done(&t->e);
	strs_done(&sent);
}

static int challenged(struct talk *t, const char *value, const struct answer *answers)
{
	challenges_done(&t->l);
	err_done(&t->e);
	challenge_parse(slice_of(value), &t->l);
	script = answers;
	return auth_answer(t->auth, NULL, &t->at, &t->scopes, &t->l, tls_of, NULL, &t->e);
}

static const char *header(struct talk *t)
{
	const char *h = auth_header(t->auth, &t->at, &t->scopes);
	return h ? h : "none";
}

static const struct creds alice = { .user = (char *)"alice", .password = (char *)"SECRET" };
static const struct creds refresh = { .user = (char *)"<token>", .token = (char *)"REF+RESH" };
#define BASIC "Authorization: Basic YWxpY2U6U0VDUkVU"
#define PULL  "repository:a/b:pull"
#define REALM "Bearer realm=\"https://auth.example/token?x=1\",service=\"the service\""

/* Nobody: a home without files. */
static const struct creds *const nobody = NULL;
static int set_up(void **state)
{
	(void)state;
	assert_int_equal(setenv("HOME", "/nonexistent", 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/nonexistent", 1), 0);
	assert_int_equal(setenv("THIMBLE_TEST_RETRY_MS", "1", 1), 0);
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("REGISTRY_AUTH_FILE");
	return 0;
}

static void basic__goes_to_the_registry_alone(void **state)
{
	(void)state;
	_cleanup_(talk_done) struct talk t;
	_cleanup_(url_done) struct url other = { 0 };
	talk_begin(&t, &alice, "https://r.example/v2/", NULL);
	assert_string_equal(header(&t), "none"); /* never before it was asked for */
	assert_int_equal(challenged(&t, "Basic realm=\"x\"", NULL), 1);
	assert_string_equal(header(&t), BASIC);
	static const char *const others[] = { "https://r.example:444/v2/", "http://r.example/v2/",
					      "https://r.example.evil/v2/", "https://s.example/" };
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		url_done(&other);
		assert_int_equal(url_parse(slice_of(others[i]), &other, NULL), 0);
		assert_null(auth_header(t.auth, &other, &t.scopes));
		assert_int_equal(
			auth_answer(t.auth, NULL, &other, &t.scopes, &t.l, tls_of, NULL, &t.e), 0);
		assert_null(auth_header(t.auth, &other, &t.scopes));
	}
	/* they were wrong */
	assert_int_equal(challenged(&t, "Basic realm=\"x\"", NULL), 0);
	assert_int_equal(sent.n, 0);
}

static void basic__without_credentials_is_refused(void **state)
{
	(void)state;
	_cleanup_(talk_done) struct talk t;
	talk_begin(&t, nobody, "https://r.example/v2/", NULL);
	assert_int_equal(challenged(&t, "Basic realm=\"x\"", NULL), 0);
	assert_string_equal(header(&t), "none");
	_free_ char *who = auth_who(t.auth);
	assert_string_equal(who, "without credentials");
	assert_int_equal(challenged(&t, "", NULL), 0);
	assert_int_equal(challenged(&t, "Digest realm=\"x\"", NULL), -1);
	assert_int_equal(t.e.kind, ERR_DENIED);
	assert_says(&t.e, "'Digest', which thimble does not speak");
}

static void token__is_asked_for_as_specified(void **state)
{
	(void)state;
	static const struct answer ok[] = {
		{ 200, 0, NULL,
		  "{\"token\":\"tok1\",\"expires_in\":300,\"issued_at\":\"2001-01-01T00:00:00Z\"}" },
		{ -1 }
	};
	_cleanup_(talk_done) struct talk t;
	talk_begin(&t, &alice, "https://r.example/v2/", PULL);
	assert_int_equal(
		challenged(&t, REALM ",scope=\"repository:a/b:pull repository:c:pull\"", ok), 1);
	assert_string_equal(header(&t), "Authorization: Bearer tok1");
	assert_int_equal(sent.n, 1);
	assert_string_equal(sent.p[0],
			    "GET https://auth.example/token?x=1&service=the%20service"
			    "&scope=repository%3Aa%2Fb%3Apull&scope=repository%3Ac%3Apull"
			    "&account=alice&client_id=thimble|Accept: application/json|" BASIC);
	/* it is good for less, not for more */
	strs_add(&t.scopes, "repository:c:pull");
	assert_string_equal(header(&t), "Authorization: Bearer tok1");
	strs_add(&t.scopes, "repository:d:pull");
	assert_string_equal(header(&t), "none");
}

static void token__without_credentials(void **state)
{
	(void)state;
	static const struct answer ok[] = { { 200, 0, NULL, "{\"access_token\":\"anon\"}" },
					    { -1 } };
	_cleanup_(talk_done) struct talk t;
	talk_begin(&t, nobody, "https://r.example/v2/", PULL);
	assert_int_equal(challenged(&t, "Bearer realm=\"https://auth.example/\"", ok), 1);
	assert_string_equal(header(&t), "Authorization: Bearer anon");
	assert_string_equal(sent.p[0], "GET https://auth.example/?scope=repository%3Aa%2Fb%3Apull"
				       "&client_id=thimble|Accept: application/json");
}

static void token__by_refresh_token(void **state)
{
	(void)state;
	static const struct answer ok[] = {
		{ 200, 0, NULL, "{\"token\":\"\",\"access_token\":\"t\"}" }, { -1 }
	};
	_cleanup_(talk_done) struct talk t;
	talk_begin(&t, &refresh, "https://r.example/v2/", PULL);
	assert_int_equal(challenged(&t, REALM, ok), 1);
	assert_string_equal(sent.p[0],
			    "POST https://auth.example/token?x=1|Accept: application/json|"
			    "Content-Type: application/x-www-form-urlencoded|"
			    "grant_type=refresh_token&client_id=thimble&service=the%20service"
			    "&scope=repository%3Aa%2Fb%3Apull&refresh_token=REF%2BRESH");
	/* no password, so nothing for Basic */
	assert_int_equal(challenged(&t, "Basic realm=\"x\"", NULL), 0);
}

static void token__ends(void **state)
{
	(void)state;
	static const struct answer ok[] = { { 200, 0, NULL, "{\"token\":\"t\",\"expires_in\":1}" },
					    { 200, 0, NULL, "{\"token\":\"u\",\"expires_in\":-5}" },
					    { 200, 0, NULL,
					      "{\"token\":\"v\",\"expires_in\":1e99}" },
					    { -1 } };
	_cleanup_(talk_done) struct talk t;
	talk_begin(&t, &alice, "https://r.example/v2/", PULL);
	assert_int_equal(challenged(&t, REALM, ok), 1);
	assert_string_equal(header(&t), "Authorization: Bearer t");
	(void)usleep(950000);
	assert_string_equal(header(&t), "none");
	assert_int_equal(challenged(&t, REALM, ok + 1), 1);
	assert_string_equal(header(&t), "Authorization: Bearer u");
	/* one that was refused is dropped */
	assert_int_equal(challenged(&t, REALM, ok + 2), 1);
	assert_string_equal(header(&t), "Authorization: Bearer v");
}

static void realm__must_be_safe(void **state)
{
	(void)state;
	static const struct answer ok[] = { { 200, 0, NULL, "{\"token\":\"t\"}" }, { -1 } };
	static const struct {
		const char *at, *realm;
		bool insecure;
		int r;
	} cases[] = {
		{ "https://r.example/", "https://auth.other/", false, 1 },
		{ "https://r.example/", "http://auth.example/", false, -1 },
		{ "https://r.example/", "http://r.example/", false, -1 },
		{ "http://r.example/", "http://r.example/", false, -1 },
		{ "http://r.example/", "http://r.example/", true, 1 },
		/* a registry somewhere else must not speak through us to this machine */
		{ "https://r.example/", "http://127.0.0.1:8080/", false, -1 },
		{ "http://127.0.0.1:5000/", "http://127.0.0.1:8080/", false, 1 },
		{ "http://localhost:5000/", "http://[::1]:8080/", false, 1 },
		{ "http://127.0.0.1:5000/", "http://auth.example/", false, -1 },
		{ "https://r.example/", "file:///etc/passwd", false, -1 },
		{ "https://r.example/", "https://u:p@auth.example/", false, -1 },
		{ "https://r.example/", "//auth.example/", false, -1 },
		{ "https://r.example/", "", false, -1 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(talk_done) struct talk t;
		talk_begin(&t, &alice, cases[i].at, PULL);
		insecure = cases[i].insecure;
		_free_ char *value = str_printf("Bearer realm=\"%s\"", cases[i].realm);
		int r = challenged(&t, value, ok);
		if (r != cases[i].r || sent.n != (size_t)(r == 1))
			fail_msg("%s: %d %s", cases[i].realm, r, err_words(&t.e));
	}
}

static void redirect__keeps_secrets_at_home(void **state)
{
	(void)state;
	static const struct answer away[] = {
		{ 307, 0, "location: https://evil.example/token", "" }, { -1 }
	};
	static const struct answer down[] = { { 302, 0, "location: http://auth.example/token", "" },
					      { -1 } };
	static const struct answer here[] = { { 301, 0, "location: /other", "" },
					      { 200, 0, NULL, "{\"token\":\"t\"}" },
					      { -1 } };
	static const struct answer anonymous[] = { { 302, 0, "location: https://other.example/t",
						     "" },
						   { 200, 0, NULL, "{\"token\":\"t\"}" },
						   { -1 } };
	static const struct answer forever[] = {
		{ 302, 0, "location: /a", "" }, { 302, 0, "location: /b", "" },
		{ 302, 0, "location: /c", "" }, { 302, 0, "location: /d", "" },
		{ 302, 0, "location: /e", "" }, { -1 }
	};
	static const struct {
		const struct creds *creds;
		const struct answer *answers;
		int r;
		const char *last;
	} cases[] = {
		{ &alice, away, -1, NULL },
		{ &alice, down, -1, NULL },
		{ NULL, down, -1, NULL },
		{ &alice, here, 1,
		  "GET https://auth.example/other|Accept: application/json|" BASIC },
		{ NULL, anonymous, 1, "GET https://other.example/t|Accept: application/json" },
		{ &refresh, away, -1, NULL },
		{ NULL, forever, -1, NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(talk_done) struct talk t;
		talk_begin(&t, cases[i].creds, "https://r.example/", PULL);
		int r = challenged(&t, REALM, cases[i].answers);
		if (r != cases[i].r)
			fail_msg("case %zu: %d %s", i, r, err_words(&t.e));
		if (cases[i].last)
			assert_string_equal(sent.p[1], cases[i].last);
		else if (cases[i].answers != forever)
			assert_int_equal(sent.n, 1);
	}
}

static void service__is_asked_again_where_it_helps(void **state)
{
	(void)state;
	static const struct answer busy[] = { { 503, 0, NULL, "" },
					      { 429, 0, "retry-after: 1", "" },
					      { 200, 0, NULL, "{\"token\":\"t\"}" },
					      { -1 } };
	static const struct answer lost[] = { { 0, ECONNRESET, NULL, NULL },
					      { 200, 0, NULL, "{\"token\":\"t\"}" },
					      { -1 } };
	static const struct answer always_lost[] = { { 0, ECONNRESET, NULL, NULL },
						     { 0, ECONNRESET, NULL, NULL },
						     { 0, ECONNRESET, NULL, NULL },
						     { -1 } };
	static const struct answer untrusted[] = { { 0, EKEYREJECTED, NULL, NULL }, { -1 } };
	static const struct answer impatient[] = { { 429, 0, "retry-after: 3600", "later" },
						   { -1 } };
	static const struct {
		const struct answer *answers;
		int r;
		size_t n;
		enum err_kind kind;
	} cases[] = {
		{ busy, 1, 3, ERR_NONE },        { lost, 1, 2, ERR_NONE },
		{ always_lost, -1, 3, ERR_NET }, { untrusted, -1, 1, ERR_NET },
		{ impatient, -1, 1, ERR_NET },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		_cleanup_(talk_done) struct talk t;
		talk_begin(&t, &alice, "https://r.example/", PULL);
		int r = challenged(&t, REALM, cases[i].answers);
		if (r != cases[i].r || sent.n != cases[i].n || t.e.kind != cases[i].kind)
			fail_msg("case %zu: %d, %zu requests, %s", i, r, sent.n, err_words(&t.e));
	}
}

static void service__is_quoted_but_not_the_secret(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body, *says;
		enum err_kind kind;
	} cases[] = {
		{ 401, "{\"errors\":[{\"message\":\"no such user\"}]}", "answers 401: no such user",
		  ERR_DENIED },
		{ 403, "{\"details\":\"go away\"}", "answers 403: go away", ERR_DENIED },
		{ 400, "{\"error\":\"invalid_grant\",\"error_description\":\"expired\"}",
		  "400: expired", ERR_DENIED },
		{ 404, "<html>", "answers 404", ERR_DATA },
		{ 418, "teapot \x1b[31m", "answers 418: teapot", ERR_DATA },
		{ 200, "", "without a token", ERR_DATA },
		{ 200, "[]", "without a token", ERR_DATA },
		{ 200, "{}", "without a token", ERR_DATA },
		{ 200, "{\"token\":7}", "without a token", ERR_DATA },
		{ 200, "{\"token\":\"TOKEN", "without a token", ERR_DATA },
		{ 200, "{\"token\":\"TOKEN\\r\\nX: y\"}", "a token that is none", ERR_DATA },
		{ 200, "{\"token\":\"TOKEN \"}", "a token that is none", ERR_DATA },
		{ 204, "", "answers 204", ERR_DATA },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct answer answers[] = { { cases[i].status, 0, NULL, cases[i].body },
						  { -1 } };
		_cleanup_(talk_done) struct talk t;
		_cleanup_(buf_done) struct buf b = { 0 };
		talk_begin(&t, &alice, "https://r.example/", PULL);
		assert_int_equal(challenged(&t, REALM, answers), -1);
		err_format(&t.e, false, &b);
		if (t.e.kind != cases[i].kind || !strstr(b.p, cases[i].says) ||
		    strstr(b.p, "SECRET") || strstr(b.p, "TOKEN") || strstr(b.p, "YWxpY2U"))
			fail_msg("case %zu: %s", i, b.p);
		assert_string_equal(header(&t), "none");
	}
}

static void service__cannot_drown_us(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf big = { 0 };
	buf_str(&big, "{\"token\":\"");
	for (int i = 0; i < 100000; i++)
		buf_str(&big, "0123456789");
	buf_str(&big, "\"}");
	const struct answer answers[] = { { 200, 0, NULL, big.p }, { -1 } };
	_cleanup_(talk_done) struct talk t;
	talk_begin(&t, &alice, "https://r.example/", PULL);
	assert_int_equal(challenged(&t, REALM, answers), -1);
	assert_says(&t.e, "is larger than");
}

#define T(f) cmocka_unit_test_setup(f, set_up)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(basic__goes_to_the_registry_alone),
		T(basic__without_credentials_is_refused),
		T(token__is_asked_for_as_specified),
		T(token__without_credentials),
		T(token__by_refresh_token),
		T(token__ends),
		T(realm__must_be_safe),
		T(redirect__keeps_secrets_at_home),
		T(service__is_asked_again_where_it_helps),
		T(service__is_quoted_but_not_the_secret),
		T(service__cannot_drown_us),
	};
	return cmocka_run_group_tests_name("registry/auth", tests, NULL, NULL);
}
