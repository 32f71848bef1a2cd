/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session.h"

#include <errno.h>

#include "base/log.h"
#include "registry/retry.h"
#include "server.h"

struct fixture {
	struct session *s;
	struct err e;
	struct http_response rs;
	struct url final;
	char *host;
	struct buf notes;
	struct creds creds;
};

static void fixture_done(struct fixture *f)
{
	http_response_done(&f->rs);
	session_close(f->s);
	err_done(&f->e);
	url_done(&f->final);
	buf_done(&f->notes);
	free(f->host);
}
#define _fixture_ _cleanup_(fixture_done)

static void note(void *ctx, const char *text)
{
	struct fixture *f = ctx;
	buf_str(&f->notes, text);
	buf_char(&f->notes, '\n');
}

/* f->s speaks to `host`, with alice's password. */
static void open_host(struct fixture *f, const char *host, bool insecure)
{
	_cleanup_(strs_done) struct strs scopes = { 0 };
	f->creds = (struct creds){ (char *)"alice", (char *)"secret-pw", NULL, NULL };
	const struct registry_opts o = { .creds = &f->creds, .note = note, .ctx = f };
	f->host = str_dup(host);
	const struct endpoint at = { f->host, (char *)"team/app", insecure, false };
	strs_add(&scopes, "repository:team/app:pull");
	f->s = session_open(&o, &at, f->host, &scopes, &f->e);
	if (!f->s)
		fail_msg("%s", err_words(&f->e));
}

static void open_server(struct fixture *f, const struct server *s)
{
	_free_ char *host = str_printf("127.0.0.1:%u", s->port);
	open_host(f, host, false);
}

static int ask(struct fixture *f, const char *method, const char *path)
{
	http_response_done(&f->rs);
	err_done(&f->e);
	url_done(&f->final);
	const struct session_request rq = { .method = method, .path = path };
	return session_send(f->s, &rq, &f->rs, &f->final, &f->e);
}

static void assert_status(struct fixture *f, const char *path, int status)
{
	if (ask(f, "GET", path) < 0)
		fail_msg("%s: %s", path, err_words(&f->e));
	assert_int_equal(f->rs.status, status);
}

#define UNAUTHORIZED \
	"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 2\r\n\r\nno"
#define MOVED(to)  "HTTP/1.1 307 Moved\r\nContent-Length: 4\r\nLocation: " to "\r\n\r\nbody"
#define BASIC      "Authorization: Basic YWxpY2U6c2VjcmV0LXB3\r\n"
#define BUSY(more) "HTTP/1.1 503 Busy\r\n" more "Content-Length: 0\r\n\r\n"

/* ---- schemes ---- */

static void session_send__plain_on_loopback(void **state)
{
	(void)state;
	static const struct reply l[] = { { NULL, OK_EMPTY, 0, 0, 0 }, { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	assert_status(&f, "/v2/", 200);
	assert_string_equal(f.final.scheme, "http");
	unsigned before = s.seen->connections;
	assert_status(&f, "/v2/again", 200);
	/* https: is not tried again, and the connection is kept */
	assert_int_equal(s.seen->connections, before);
	assert_int_equal(server_saw(&s, "Authorization"), 0);
}

static void session_send__a_name_that_is_not_loopback_is_never_plain(void **state)
{
	(void)state;
	static const struct reply l[] = { { NULL, OK_EMPTY, 0, 0, 0 }, { 0 } };
	_server_ struct server s = server_start(l);
	/* The machine's own name for the loopback address, but no name that says so. */
	_free_ char *host = str_printf("127.1:%u", s.port);
	_fixture_ struct fixture f = { 0 }, g = { 0 };
	open_host(&f, host, false);
	assert_int_equal(ask(&f, "GET", "/v2/"), -1);
	assert_int_equal(f.e.sys_errno, EPROTO);
	assert_int_equal(s.seen->requests, 0);
	assert_non_null(strstr(f.e.hints[0], "is a registry without TLS: --insecure, or insecure = "
					     "true in registries.conf"));
	open_host(&g, host, true);
	assert_status(&g, "/v2/", 200);
}

static void session_send__nobody_there(void **state)
{
	(void)state;
	_fixture_ struct fixture f = { 0 };
	open_host(&f, "127.0.0.1:1", false);
	assert_int_equal(ask(&f, "GET", "/v2/"), -1);
	assert_int_equal(f.e.kind, ERR_NET);
	assert_int_equal(f.e.sys_errno, ECONNREFUSED);
	assert_true(session_gave_up(f.s));
}

/* ---- credentials ---- */

static void session_send__answers_a_challenge_once(void **state)
{
	(void)state;
	static const struct reply l[] = { { BASIC, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
					    0, 0, 0 },
					  { NULL, UNAUTHORIZED, 0, 0, 0 },
					  { 0 } };
	static const struct reply refusing[] = { { NULL, UNAUTHORIZED, 0, 0, 0 }, { 0 } };
	_server_ struct server s = server_start(l), never = server_start(refusing);
	_fixture_ struct fixture f = { 0 }, g = { 0 };
	open_server(&f, &s);
	assert_status(&f, "/v2/a", 200);
	assert_int_equal(s.seen->requests, 2);
	assert_status(&f, "/v2/b", 200);
	assert_int_equal(s.seen->requests, 3);
	open_server(&g, &never);
	assert_status(&g, "/v2/a", 401);
	assert_int_equal(never.seen->requests, 2);
	const struct session_request rq = { .method = "GET", .path = "/v2/a" };
	assert_int_equal(session_failed(g.s, &rq, &g.rs, &g.e), -1);
	assert_int_equal(g.e.kind, ERR_DENIED);
	assert_says(&g.e, "401");
	assert_non_null(strstr(g.e.hints[0], "alice"));
	assert_non_null(strstr(g.e.hints[0], "thimble login"));
	assert_null(strstr(err_words(&g.e), "secret-pw"));
}

static void session_send__a_stream_is_for_its_owner_to_repeat(void **state)
{
	(void)state;
	static const struct reply l[] = { { BASIC, "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n",
					    0, 0, 0 },
					  { "PUT", UNAUTHORIZED, 0, 0, 0 },
					  { NULL, OK_EMPTY, 0, 0, 0 },
					  { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	assert_status(&f, "/v2/", 200);
	for (unsigned i = 0; i < 2; i++) {
		_cleanup_(source_closep) struct source *in = source_mem("abc", 3);
		const struct session_request rq = {
			.method = "PUT", .path = "/v2/up", .stream = in, .stream_size = 3
		};
		http_response_done(&f.rs);
		assert_int_equal(session_send(f.s, &rq, &f.rs, NULL, &f.e), 0);
		assert_int_equal(f.rs.status, i ? 201 : 401);
	}
	assert_int_equal(server_saw(&s, "PUT "), 2);
}

/* ---- redirects ---- */

static void session_send__redirects_lose_credentials(void **state)
{
	(void)state;
	static const struct reply away[] = {
		{ "/evil", UNAUTHORIZED, 0, 0, 0 },
		{ NULL, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nblob", 0, 0, 0 },
		{ 0 }
	};
	_server_ struct server other = server_start(away);
	_free_ char *out = str_printf(MOVED("http://127.0.0.1:%u/store?sig=1"), other.port);
	_free_ char *evil = str_printf(MOVED("http://127.0.0.1:%u/evil"), other.port);
	const struct reply l[] = { { "GET /open", evil, 0, 0, 0 },
				   { "GET /here HTTP/1.1\r\n", MOVED("/there?x=1"), 0, 0, 0 },
				   { BASIC, out, 0, 0, 0 },
				   { NULL, UNAUTHORIZED, 0, 0, 0 },
				   { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	/* The first 401 of all comes from where a redirect led: it gets nothing. */
	assert_status(&f, "/open", 401);
	const struct session_request rq = { .method = "GET", .path = "/open" };
	assert_int_equal(session_failed(f.s, &rq, &f.rs, &f.e), -1);
	assert_says(&f.e, "redirected to");
	assert_int_equal(server_saw(&other, "Authorization"), 0);
	/* Within the origin they go along, and end where it changes. */
	assert_status(&f, "/here", 200);
	assert_int_equal(f.final.port, other.port);
	assert_string_equal(f.final.path, "/store");
	assert_int_equal(server_saw(&s, "GET /there?x=1 HTTP/1.1\r\n"), 2);
	assert_int_equal(server_saw(&s, BASIC), 1);
	assert_int_equal(server_saw(&other, "GET /store?sig=1 HTTP/1.1\r\n"), 1);
	assert_int_equal(server_saw(&other, "Authorization"), 0);
	assert_status(&f, "/straight", 200);
	assert_int_equal(server_saw(&s, BASIC), 2);
	assert_int_equal(server_saw(&other, "Authorization"), 0);
}

static void session_send__no_credentials_on_the_way_back(void **state)
{
	(void)state;
	_server_ struct server s = server_start((const struct reply[]){
		{ "/back", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0, 0 },
		{ BASIC, MOVED("http://localhost:$PORT/mid"), 0, 0, 0 },
		{ "/mid", MOVED("http://127.0.0.1:$PORT/back"), 0, 0, 0 },
		{ NULL, UNAUTHORIZED, 0, 0, 0 },
		{ 0 } });
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	assert_status(&f, "/start", 200);
	assert_string_equal(f.final.path, "/back");
	assert_int_equal(server_saw(&s, BASIC), 1);
}

static void session_send__redirects_that_are_refused(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ "/file", MOVED("file:///etc/passwd"), 0, 0, 0 },
		{ "/user", MOVED("http://a:b@127.0.0.1/"), 0, 0, 0 },
		{ "/plain", MOVED("http://192.0.2.1/x"), 0, 0, 0 },
		{ "/loop", MOVED("/loop"), 0, 0, 0 },
		{ "/none", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", 0, 0, 0 },
		{ NULL, MOVED("/elsewhere"), 0, 0, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	static const char *const bad[][2] = {
		{ "/file", "neither http: nor https:" },
		{ "/user", "a URL with a user name in it" },
		{ "/plain", "'http://192.0.2.1/x' is not encrypted" },
		{ "/loop", "redirects more than 10 times" },
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(ask(&f, "GET", bad[i][0]), -1);
		assert_true(f.e.kind == ERR_DATA || f.e.kind == ERR_DENIED);
		assert_says(&f.e, bad[i][1]);
	}
	assert_int_equal(server_saw(&s, "GET /loop "), 11);
	assert_status(&f, "/none", 302);
	assert_int_equal(ask(&f, "POST", "/post"), 0);
	assert_int_equal(f.rs.status, 307);
}

/* ---- tries ---- */

static void session_send__tries_again(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ "/lost", "", 2, REPLY_CLOSE, 0 },
		{ "/busy", BUSY(""), 3, 0, 0 },
		{ "/patience", BUSY("Retry-After: 7\r\n"), 1, 0, 0 },
		{ "/never", BUSY(""), 0, 0, 0 },
		{ "/gone", "", 0, REPLY_CLOSE, 0 },
		{ "/later", BUSY("Retry-After: 86400\r\n"), 0, 0, 0 },
		{ "/absent", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 0, 0, 0 },
		{ NULL, OK_EMPTY, 0, 0, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	assert_status(&f, "/v2/", 200);
	assert_status(&f, "/lost", 200);
	assert_status(&f, "/busy", 200);
	assert_int_equal(server_saw(&s, "GET /busy "), 4);
	assert_non_null(strstr(f.notes.p, "503; again in 0.0 s"));
	assert_status(&f, "/patience", 200);
	assert_status(&f, "/never", 503);
	assert_int_equal(server_saw(&s, "GET /never "), 6);
	assert_true(session_gave_up(f.s));
	assert_int_equal(ask(&f, "GET", "/gone"), -1);
	/* libcurl itself asks once more when a connection that was kept turns out to be dead. */
	assert_in_range(server_saw(&s, "GET /gone "), 6, 7);
	assert_int_equal(f.e.kind, ERR_NET);
	assert_status(&f, "/later", 503);
	assert_int_equal(server_saw(&s, "GET /later "), 1);
	assert_status(&f, "/absent", 404);
	assert_int_equal(server_saw(&s, "GET /absent "), 1);
	assert_false(session_gave_up(f.s));
}

static void session_pause__ends(void **state)
{
	(void)state;
	_fixture_ struct fixture f = { 0 };
	open_host(&f, "127.0.0.1:1", false);
	for (unsigned i = 0; i <= 5; i++) {
		_cleanup_(err_done) struct err why = { 0 };
		err_set(&why, ERR_NET, "it broke");
		assert_int_equal(session_pause(f.s, i, &why, &f.e), i < 5 ? 0 : -1);
	}
	assert_says(&f.e, "it broke");
	assert_non_null(strstr(f.notes.p, "it broke; again in"));
}

static void retry_after__seconds_and_dates(void **state)
{
	(void)state;
	const int64_t second = 1000000000;
	assert_true(retry_after(NULL) == -1);
	assert_true(retry_after("") == -1);
	assert_true(retry_after("soon") == -1);
	assert_true(retry_after("-3") == -1);
	assert_true(retry_after("1.5") == -1);
	assert_true(retry_after("99999999999999999999") == -1);
	assert_true(retry_after("0") == 0);
	assert_true(retry_after(" 12 ") == 12 * second);
	assert_true(retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0);
	assert_true(retry_after("Wed, 21 Oct 2015 07:28:00 CET") == -1);
	char date[64];
	time_t then = time(NULL) + 60;
	struct tm tm;
	assert_non_null(gmtime_r(&then, &tm));
	assert_true(strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
	assert_true(retry_after(date) > 55 * second && retry_after(date) <= 60 * second);
}

static void retry_pause__doubles_up_to_ten_seconds(void **state)
{
	(void)state;
	const int64_t ms = 1000000;
	assert_int_equal(unsetenv("THIMBLE_TEST_RETRY_MS"), 0);
	for (unsigned i = 0; i < 100; i++) {
		int64_t least = i < 6 ? 200 * ms << i : 10000 * ms;
		int64_t got = retry_pause(i, -1);
		assert_true(got >= least && got <= least + least / 4);
	}
	assert_true(retry_pause(0, 3000 * ms) == 3000 * ms);
	assert_int_equal(setenv("THIMBLE_TEST_RETRY_MS", "1", 1), 0);
	assert_true(retry_pause(0, 3000 * ms) == ms);
}

/* ---- words ---- */

static void session_failed__tells_what_was_answered(void **state)
{
	(void)state;
#define BODY(status, type, text) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\n\r\n" text
	static const struct {
		struct reply r;
		enum err_kind kind;
		const char *says;
	} cases[] = {
		{ { "/a",
		    BODY("404 No", "application/json",
			 "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"not known\"},"
			 "{\"code\":\"X\",\"detail\":\"more\"}]}"),
		    0, REPLY_CLOSE, 0 },
		  ERR_ABSENT,
		  "NAME_UNKNOWN: not known; X: more" },
		{ { "/b",
		    BODY("403 No", "text/html; charset=utf-8",
			 "<html><head><title>Log\n in</title></head>"),
		    0, REPLY_CLOSE, 0 },
		  ERR_DENIED,
		  "a web page, not a registry's answer: 'Log in'" },
		{ { "/c", BODY("400 No", "text/plain", "<p>a</p><b>b\x1b[2J\x07</b>"), 0,
		    REPLY_CLOSE, 0 },
		  ERR_DATA,
		  "a b\\x1b[2J\\x07" },
		{ { "/d", BODY("405 No", "application/json", "{\"message\":\"wrong way\"}"), 0,
		    REPLY_CLOSE, 0 },
		  ERR_DATA,
		  "wrong way" },
		{ { "/e", BODY("405 No", "application/json", "{\"errors\":[1,{},null,\"x\"]}"), 0,
		    REPLY_CLOSE, 0 },
		  ERR_DATA,
		  "answered 405" },
		{ { "/f", BODY("418 No", "text/plain", ""), 0, REPLY_CLOSE, 0 },
		  ERR_DATA,
		  "answered 418, unexpected" },
		{ { "/g", BODY("501 No", "text/plain", "\xff\xfe bad"), 0, REPLY_CLOSE, 0 },
		  ERR_NET,
		  "\\xff\\xfe bad" },
		{ { "/h", BODY("400 No", "application/json", "{\"errors\":"), 0, REPLY_CLOSE, 0 },
		  ERR_DATA,
		  "{\"errors\":" },
		{ { "/i", "HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\nthe beginning", 0,
		    REPLY_CLOSE, 0 },
		  ERR_DATA,
		  "the beginning" },
		{ { "/j", BODY("400 No", "text/plain", ""), 0, REPLY_CLOSE, 50 << 20 },
		  ERR_DATA,
		  "answered 400" },
	};
	struct reply l[COUNT_OF(cases) + 1] = { 0 };
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		l[i] = cases[i].r;
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct session_request rq = { .method = "GET", .path = cases[i].r.when };
		if (ask(&f, "GET", cases[i].r.when) < 0)
			fail_msg("%s", err_words(&f.e));
		assert_int_equal(session_failed(f.s, &rq, &f.rs, &f.e), -1);
		assert_int_equal(f.e.kind, cases[i].kind);
		if (!strstr(err_words(&f.e), cases[i].says))
			fail_msg("%s: %s", cases[i].r.when, err_words(&f.e));
		assert_non_null(strstr(err_words(&f.e), f.host));
	}
}

static void session_after_fork__makes_its_own_connection(void **state)
{
	(void)state;
	static const struct reply l[] = { { NULL, OK_EMPTY, 0, 0, 0 }, { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = { 0 };
	open_server(&f, &s);
	assert_status(&f, "/v2/", 200);
	unsigned before = s.seen->connections;
	pid_t pid = fork();
	if (pid == 0) {
		session_after_fork(f.s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_status(&f, "/v2/", 200);
	assert_int_equal(s.seen->connections, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_send__plain_on_loopback),
		cmocka_unit_test(session_send__a_name_that_is_not_loopback_is_never_plain),
		cmocka_unit_test(session_send__nobody_there),
		cmocka_unit_test(session_send__answers_a_challenge_once),
		cmocka_unit_test(session_send__a_stream_is_for_its_owner_to_repeat),
		cmocka_unit_test(session_send__redirects_lose_credentials),
		cmocka_unit_test(session_send__no_credentials_on_the_way_back),
		cmocka_unit_test(session_send__redirects_that_are_refused),
		cmocka_unit_test(session_send__tries_again),
		cmocka_unit_test(session_pause__ends),
		cmocka_unit_test(retry_after__seconds_and_dates),
		cmocka_unit_test(retry_pause__doubles_up_to_ten_seconds),
		cmocka_unit_test(session_failed__tells_what_was_answered),
		cmocka_unit_test(session_after_fork__makes_its_own_connection),
	};
	static const char *const others[] = { "http_proxy", "https_proxy", "HTTPS_PROXY",
					      "all_proxy",  "ALL_PROXY",   "no_proxy",
					      "NO_PROXY" };
	for (size_t i = 0; i < COUNT_OF(others); i++)
		(void)unsetenv(others[i]);
	(void)setenv("THIMBLE_TEST_RETRY_MS", "1", 1);
	(void)setenv("HOME", "/nonexistent", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
