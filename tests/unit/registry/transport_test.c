/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/transport.h"

#include <errno.h>

#include "server.h"

struct fixture {
	struct http *h;
	struct err e;
	struct http_response rs;
};

static void fixture_done(struct fixture *f)
{
	http_response_done(&f->rs);
	http_close(f->h);
	err_done(&f->e);
}
#define _fixture_ _cleanup_(fixture_done)

static struct fixture begin(void)
{
	struct fixture f = { 0 };
	f.h = http_open(&f.e);
	if (!f.h)
		fail_msg("%s", err_words(&f.e));
	return f;
}

static int ask(struct fixture *f, const char *method, unsigned port, const char *path)
{
	_free_ char *url = str_printf("http://127.0.0.1:%u%s", port, path);
	http_response_done(&f->rs);
	err_done(&f->e);
	int r = http_send(f->h, &(struct http_request){ .method = method, .url = url }, &f->rs,
			  &f->e);
	if (r < 0)
		print_message("# %s %s: %s\n", method, path, err_words(&f->e));
	return r;
}

static int get(struct fixture *f, const struct server *s, const char *path)
{
	return ask(f, "GET", s->port, path);
}

/* All of the body, in pieces of `piece`; -1 and f->e. */
static ssize_t drain(struct fixture *f, size_t piece, struct buf *out)
{
	_free_ char *block = mem_alloc(piece);
	ssize_t n, all = 0;
	while ((n = source_read(f->rs.body, block, piece, &f->e)) > 0) {
		if (out)
			buf_add(out, block, (size_t)n);
		all += n;
	}
	return n < 0 ? -1 : all;
}

static void assert_body(struct fixture *f, const char *want)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (drain(f, 3, &b) < 0)
		fail_msg("%s", err_words(&f->e));
	assert_string_equal(b.p ? b.p : "", want);
}

static void http_send__gives_status_headers_body(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ NULL,
		  "HTTP/1.1 203 Fine\r\nContent-Length: 5\r\nX-One:  a b \r\n"
		  "x-one: second\r\nEmpty:\r\n\r\nhello",
		  0, 0, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	assert_int_equal(get(&f, &s, "/x"), 0);
	assert_int_equal(f.rs.status, 203);
	assert_int_equal(f.rs.length, 5);
	assert_string_equal(http_header(&f.rs, "x-one"), "a b");
	assert_string_equal(http_header(&f.rs, "empty"), "");
	assert_null(http_header(&f.rs, "x-on"));
	assert_null(http_header(&f.rs, "x-two"));
	assert_body(&f, "hello");
	assert_int_equal(server_saw(&s, "GET /x HTTP/1.1\r\n"), 1);
	assert_int_equal(server_saw(&s, "User-Agent: thimble/"), 1);
	assert_int_equal(server_saw(&s, "Accept-Encoding"), 0);
}

static void http_send__chunks(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ "/slow",
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n"
		  "X-Trailer: t\r\n\r\n",
		  0, REPLY_SLOW, 0 },
		{ NULL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
		  0, REPLY_CLOSE, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	assert_int_equal(get(&f, &s, "/slow"), 0);
	assert_int_equal(f.rs.length, -1);
	assert_body(&f, "abcde");
	assert_null(http_header(&f.rs, "x-trailer"));
	assert_int_equal(get(&f, &s, "/bad"), 0);
	assert_int_equal(drain(&f, 100, NULL), -1);
	assert_int_equal(f.e.kind, ERR_NET);
}

static void http_send__bodies_that_end_early(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ "/short", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 0, REPLY_CLOSE, 0 },
		{ "/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 0,
		  REPLY_CLOSE, 0 },
		{ "/reset", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 0, REPLY_RESET, 0 },
		{ 0 }
	};
	static const char *const paths[] = { "/short", "/chunk", "/reset" };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (get(&f, &s, paths[i]) == 0)
			assert_int_equal(drain(&f, 100, NULL), -1);
		else
			assert_string_equal(paths[i],
					    "/reset"); /* it may come before the headers */
		assert_int_equal(f.e.kind, ERR_NET);
		assert_int_equal(f.e.sys_errno, ECONNRESET);
	}
}

static void http_send__no_answer(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ "/close", "", 0, REPLY_CLOSE, 0 },
		{ "/reset", "", 0, REPLY_RESET, 0 },
		{ "/half", "HTTP/1.1 200 OK\r\nContent-Le", 0, REPLY_CLOSE, 0 },
		{ "/garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 0, REPLY_CLOSE, 0 },
		{ "/status", "HTTP/1.1 abc OK\r\n\r\n", 0, REPLY_CLOSE, 0 },
		{ "/empty", "\r\n\r\n", 0, REPLY_CLOSE, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	for (size_t i = 0; l[i].raw; i++) {
		if (get(&f, &s, l[i].when) == 0)
			fail_msg("%s: %d", l[i].when, f.rs.status);
		assert_int_equal(f.e.kind, ERR_NET);
		assert_int_equal(f.e.sys_errno, ECONNRESET);
	}
	unsigned port = s.port;
	(void)kill(s.pid, SIGKILL);
	(void)waitpid(s.pid, NULL, 0);
	_fixture_ struct fixture fresh = begin();
	unsigned tries = 0; /* the kernel may take a moment to shut the door of a killed process */
	do
		assert_int_equal(ask(&fresh, "GET", port, "/"), -1);
	while (fresh.e.sys_errno == ECONNRESET && tries++ < 100);
	assert_int_equal(fresh.e.sys_errno, ECONNREFUSED);
	assert_true(fresh.e.hints_n > 0);
}

static void http_send__no_such_host_and_no_tls(void **state)
{
	(void)state;
	static const struct reply l[] = { { NULL, OK_EMPTY, 0, 0, 0 }, { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	/* A label of 64 bytes: no name server has to be asked. */
	struct http_request rq = {
		.method = "GET",
		.url = "http://no-such-host-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		       "aaaaaa.example/"
	};
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), -1);
	assert_int_equal(f.e.kind, ERR_NET);
	assert_int_equal(f.e.sys_errno, EHOSTUNREACH);
	assert_says(&f.e, "no-such-host");
	_free_ char *url = str_printf("https://127.0.0.1:%u/", s.port);
	rq.url = url;
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), -1);
	assert_int_equal(f.e.sys_errno, EPROTO);
	static const char *const others[] = { "file:///etc/passwd", "ftp://127.0.0.1/",
					      "gopher://h/", "dict://127.0.0.1/" };
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		rq.url = others[i];
		assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), -1);
	}
}

static void http_send__limits_headers(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf many = { 0 }, one = { 0 }, hundreds = { 0 };
	buf_str(&many, "HTTP/1.1 200 OK\r\n");
	while (many.len < 2 * HTTP_HEADERS_MAX)
		buf_str(&many,
			"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	buf_str(&many, "Content-Length: 0\r\n\r\n");
	buf_str(&one, "HTTP/1.1 200 OK\r\nX-Filler: ");
	while (one.len < 2 * HTTP_HEADERS_MAX)
		buf_str(&one, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	buf_str(&one, "\r\nContent-Length: 0\r\n\r\n");
	while (hundreds.len < 2 * HTTP_HEADERS_MAX)
		buf_str(&hundreds, "HTTP/1.1 100 Continue\r\n\r\n");
	buf_str(&hundreds, OK_EMPTY);
	const struct reply l[] = { { "/many", many.p, 0, REPLY_CLOSE, 0 },
				   { "/one", one.p, 0, REPLY_CLOSE, 0 },
				   { "/100", hundreds.p, 0, REPLY_CLOSE, 0 },
				   { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	for (size_t i = 0; l[i].raw; i++) {
		assert_int_equal(get(&f, &s, l[i].when), -1);
		assert_int_equal(f.e.kind, ERR_DATA);
		assert_says(&f.e, "header");
	}
}

static void http_send__hundreds_are_not_seen(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ NULL,
		  "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
		  "HTTP/1.1 204 No Content\r\nX-Late: 1\r\n\r\n",
		  0, 0, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	assert_int_equal(get(&f, &s, "/"), 0);
	assert_int_equal(f.rs.status, 204);
	assert_null(http_header(&f.rs, "x-early"));
	assert_null(http_header(&f.rs, "link"));
	assert_string_equal(http_header(&f.rs, "x-late"), "1");
	assert_body(&f, "");
}

static void http_send__follows_nothing(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ NULL, "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n", 0, 0,
		  0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	assert_int_equal(get(&f, &s, "/"), 0);
	assert_int_equal(f.rs.status, 302);
	assert_string_equal(http_header(&f.rs, "location"), "/else");
	assert_int_equal(s.seen->requests, 1);
}

/* Also when nobody reads what was answered. */
static void http_send__keeps_the_connection(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 123456789\r\n\r\n", 0, 0, 0 },
		{ "/chunked",
		  "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", 0,
		  REPLY_SLOW, 0 },
		{ NULL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 0, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	assert_int_equal(get(&f, &s, "/a"), 0);
	assert_body(&f, "hello");
	assert_int_equal(get(&f, &s, "/b"), 0);
	assert_int_equal(get(&f, &s, "/chunked"), 0);
	assert_int_equal(ask(&f, "HEAD", s.port, "/c"), 0);
	assert_int_equal(f.rs.length, 123456789);
	assert_body(&f, "");
	assert_int_equal(ask(&f, "DELETE", s.port, "/d"), 0);
	assert_body(&f, "hello");
	assert_int_equal(s.seen->requests, 5);
	assert_int_equal(s.seen->connections, 1);
}

/* A connection that was closed while it was idle is no failure. */
static void http_send__a_kept_connection_that_died(void **state)
{
	(void)state;
	static const struct reply l[] = { { NULL, OK_EMPTY, 0, REPLY_CLOSE, 0 }, { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(get(&f, &s, "/"), 0);
	assert_int_equal(s.seen->connections, 5);
}

/* ---- bodies that go ---- */

struct zeros {
	struct source base;
	uint64_t left, read;
	bool fail;
};

static ssize_t zeros_read(struct source *base, void *p, size_t n, struct err *e)
{
	struct zeros *z = (struct zeros *)base;
	if (z->fail && z->left < 900000)
		return err_set(e, ERR_USER, "the disk is on fire");
	if (n > z->left)
		n = (size_t)z->left;
	memset(p, 0, n);
	z->left -= n;
	z->read += n;
	return (ssize_t)n;
}

static void zeros_close(struct source *base)
{
	(void)base;
}
static const struct source_ops zeros_ops = { zeros_read, zeros_close };

static int put(struct fixture *f, const struct server *s, const char *path, struct zeros *z,
	       int64_t size)
{
	_free_ char *url = str_printf("http://127.0.0.1:%u%s", s->port, path);
	http_response_done(&f->rs);
	const struct http_request rq = {
		.method = "PUT", .url = url, .stream = &z->base, .stream_size = size
	};
	return http_send(f->h, &rq, &f->rs, &f->e);
}

static void http_send__sends_bodies(void **state)
{
	(void)state;
	static const struct reply l[] = { { NULL, OK_EMPTY, 0, 0, 0 }, { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	_free_ char *url = str_printf("http://127.0.0.1:%u/post", s.port);
	_cleanup_(strs_done) struct strs headers = { 0 };
	strs_add(&headers, "X-Mine: yes");
	struct http_request rq = {
		.method = "POST", .url = url, .headers = &headers, .body = SL("twelve bytes")
	};
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), 0);
	assert_int_equal(s.seen->body, 12);
	assert_int_equal(server_saw(&s, "POST /post HTTP/1.1\r\n"), 1);
	assert_int_equal(server_saw(&s, "Content-Length: 12\r\n"), 1);
	assert_int_equal(server_saw(&s, "X-Mine: yes\r\n"), 1);
	rq.body = SL("");
	http_response_done(&f.rs);
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), 0);
	assert_int_equal(server_saw(&s, "Content-Length: 0\r\n"), 1);
	struct zeros z = { { &zeros_ops }, 3 << 20, 0, false };
	assert_int_equal(put(&f, &s, "/known", &z, 3 << 20), 0);
	assert_int_equal(s.seen->body, 12 + (3 << 20));
	z.left = (2 << 20) + 7;
	assert_int_equal(put(&f, &s, "/chunked", &z, -1), 0);
	assert_int_equal(s.seen->body, 12 + (5 << 20) + 7);
	z.left = 0;
	assert_int_equal(put(&f, &s, "/none", &z, 0), 0);
	assert_int_equal(s.seen->connections, 1);
}

static void http_send__refuses_line_breaks(void **state)
{
	(void)state;
	_fixture_ struct fixture f = begin();
	_cleanup_(strs_done) struct strs headers = { 0 };
	strs_add(&headers, "X-A: b\r\nAuthorization: c");
	const struct http_request rq = { .method = "GET",
					 .url = "http://127.0.0.1:1/",
					 .headers = &headers };
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), -1);
	assert_int_equal(f.e.kind, ERR_USER);
	assert_says(&f.e, "a header with a line break in it");
}

static void http_send__a_stream_that_fails(void **state)
{
	(void)state;
	static const struct reply l[] = { { NULL, OK_EMPTY, 0, 0, 0 }, { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	struct zeros z = { { &zeros_ops }, 1 << 20, 0, true };
	assert_int_equal(put(&f, &s, "/", &z, 1 << 20), -1);
	assert_int_equal(f.e.kind, ERR_USER);
	assert_says(&f.e, "the disk is on fire");
}

/* The server answers at once, and closes while we are still sending. */
static void http_send__an_answer_before_all_was_sent(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ NULL,
		  "HTTP/1.1 401 No\r\nContent-Length: 4\r\nWWW-Authenticate: Basic realm=x\r\n\r\nno!!",
		  0, REPLY_EARLY | REPLY_CLOSE, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	for (unsigned i = 0; i < 20; i++) {
		_fixture_ struct fixture f = begin();
		struct zeros z = { { &zeros_ops }, UINT64_C(1) << 40, 0, false };
		if (put(&f, &s, "/", &z, i % 2 ? -1 : INT64_C(1) << 40) < 0)
			fail_msg("%s", err_words(&f.e));
		assert_int_equal(f.rs.status, 401);
		assert_non_null(http_header(&f.rs, "www-authenticate"));
		assert_body(&f, "no!!");
		assert_true(z.read < UINT64_C(1) << 30);
	}
}

/* ---- one at a time, children, speed ---- */

static void http_response__ends_with_the_next_exchange(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ NULL, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", 0, 0, 100000000 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	_free_ char *url = str_printf("http://127.0.0.1:%u/", s.port);
	const struct http_request rq = { .method = "GET", .url = url };
	struct http_response first = { 0 };
	char c;
	assert_int_equal(http_send(f.h, &rq, &first, &f.e), 0);
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), 0);
	assert_int_equal(source_read(first.body, &c, 1, &f.e), -1);
	http_response_done(&first);
	assert_int_equal(drain(&f, 1 << 20, NULL), 100000000);
}

static void http_after_fork__leaves_the_parent_alone(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ NULL, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 0, 0 }, { 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	assert_int_equal(get(&f, &s, "/parent"), 0);
	assert_body(&f, "hello");
	_server_ struct server other = server_start(l);
	pid_t pid = fork();
	if (pid == 0) {
		http_after_fork(f.h);
		int r = get(&f, &other, "/child");
		_exit(r == 0 && f.rs.status == 200 ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(get(&f, &s, "/again"), 0);
	assert_body(&f, "hello");
	assert_int_equal(s.seen->connections, 1);
	assert_int_equal(server_saw(&other, "GET /child"), 1);
}

/* A slow reader holds the sender up, instead of filling our memory. */
static void body_read__holds_the_sender_up(void **state)
{
	(void)state;
	enum { ALL = 200 << 20 };
	static const struct reply l[] = {
		{ NULL, "HTTP/1.1 200 OK\r\nContent-Length: 209715200\r\n\r\n", 0, 0, ALL }, { 0 }
	};
	static const size_t pieces[] = { 1000, 65536, 4 << 20 };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		clock_t from = clock();
		assert_int_equal(get(&f, &s, "/"), 0);
		assert_int_equal(drain(&f, pieces[i], NULL), ALL);
		print_message("# %zu bytes at once: %.2f GB a second of our processor\n", pieces[i],
			      ALL / 1e9 / ((double)(clock() - from) / CLOCKS_PER_SEC));
	}
}

static void http_send__gives_up_on_what_trickles(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf headers = { 0 }, body = { 0 };
	buf_str(&headers, "HTTP/1.1 200 OK\r\nX-Long: ");
	buf_str(&body, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
	for (int i = 0; i < 999; i++) {
		buf_char(&headers, 'x');
		buf_char(&body, 'x');
	}
	const struct reply l[] = { { "/headers", headers.p, 0, REPLY_TRICKLE, 0 },
				   { "/body", body.p, 0, REPLY_TRICKLE, 0 },
				   { 0 } };
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	assert_int_equal(setenv("THIMBLE_TEST_SILENT_S", "3", 1), 0);
	assert_int_equal(get(&f, &s, "/headers"), -1);
	assert_int_equal(f.e.sys_errno, ETIMEDOUT);
	err_done(&f.e);
	assert_int_equal(get(&f, &s, "/body"), 0);
	assert_int_equal(drain(&f, 100, NULL), -1);
	assert_int_equal(f.e.sys_errno, ETIMEDOUT);
	assert_int_equal(unsetenv("THIMBLE_TEST_SILENT_S"), 0);
}

static void proxy__that_refuses(void **state)
{
	(void)state;
	static const struct reply l[] = {
		{ "CONNECT closed", "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", 0, REPLY_CLOSE,
		  0 },
		{ "CONNECT open", "HTTP/1.1 200 Established\r\nX-Proxy: 1\r\n\r\n", 0, REPLY_CLOSE,
		  0 },
		{ "GET http://plain.invalid/x HTTP",
		  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, 0, 0 },
		{ 0 }
	};
	_server_ struct server s = server_start(l);
	_fixture_ struct fixture f = begin();
	_free_ char *proxy = str_printf("http://127.0.0.1:%u", s.port);
	assert_int_equal(setenv("https_proxy", proxy, 1), 0);
	assert_int_equal(setenv("http_proxy", proxy, 1), 0);
	struct http_request rq = { .method = "GET", .url = "https://closed.invalid/" };
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), -1);
	assert_int_equal(f.e.sys_errno, EACCES);
	assert_says(&f.e, "407");
	/* The proxy's own answer is not the registry's. */
	rq.url = "https://open.invalid/";
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), -1);
	assert_int_equal(f.e.sys_errno, EPROTO);
	rq.url = "http://plain.invalid/x";
	assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), 0);
	assert_body(&f, "hi");
	assert_int_equal(unsetenv("https_proxy"), 0);
	assert_int_equal(unsetenv("http_proxy"), 0);
}

/* What is let go in the clear because it does not leave this machine must not leave it. */
static void proxy__never_for_loopback(void **state)
{
	(void)state;
	static const struct reply proxy_l[] = {
		{ NULL, "HTTP/1.1 500 No\r\n\r\n", 0, REPLY_CLOSE, 0 }, { 0 }
	};
	static const struct reply l[] = {
		{ "GET /x HTTP", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, 0, 0 }, { 0 }
	};
	static const char *const variables[] = { "http_proxy", "all_proxy" };
	static const char *const hosts[] = { "127.0.0.1", "localhost", "a.localhost" };
	_server_ struct server proxy = server_start(proxy_l), s = server_start(l);
	_free_ char *address = str_printf("http://127.0.0.1:%u", proxy.port);
	for (size_t i = 0; i < COUNT_OF(variables); i++)
		for (size_t k = 0; k < COUNT_OF(hosts); k++) {
			_fixture_ struct fixture f = begin();
			_free_ char *url = str_printf("http://%s:%u/x", hosts[k], s.port);
			struct http_request rq = { .method = "GET", .url = url };
			assert_int_equal(setenv(variables[i], address, 1), 0);
			assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), 0);
			assert_body(&f, "hi");
			assert_int_equal(unsetenv(variables[i]), 0);
		}
	assert_int_equal(proxy.seen->connections, 0);
}

static void proxy__that_makes_no_sense(void **state)
{
	(void)state;
	static const char *const values[] = { "foo://alice:sekret-pw@127.0.0.1:1",
					      "http://alice:sekret-pw@[bad",
					      "http://alice:sekret-pw@127.0.0.1:99999" };
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		_fixture_ struct fixture f = begin();
		_cleanup_(buf_done) struct buf b = { 0 };
		struct http_request rq = { .method = "GET", .url = "https://there.invalid/" };
		assert_int_equal(setenv("https_proxy", values[i], 1), 0);
		assert_int_equal(http_send(f.h, &rq, &f.rs, &f.e), -1);
		assert_int_equal(f.e.sys_errno, EINVAL);
		err_format(&f.e, false, &b);
		assert_non_null(strstr(b.p, "https_proxy"));
		assert_null(strstr(b.p, "sekret"));
		assert_int_equal(unsetenv("https_proxy"), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_send__gives_status_headers_body),
		cmocka_unit_test(http_send__chunks),
		cmocka_unit_test(http_send__bodies_that_end_early),
		cmocka_unit_test(http_send__no_answer),
		cmocka_unit_test(http_send__no_such_host_and_no_tls),
		cmocka_unit_test(http_send__limits_headers),
		cmocka_unit_test(http_send__hundreds_are_not_seen),
		cmocka_unit_test(http_send__follows_nothing),
		cmocka_unit_test(http_send__keeps_the_connection),
		cmocka_unit_test(http_send__a_kept_connection_that_died),
		cmocka_unit_test(http_send__sends_bodies),
		cmocka_unit_test(http_send__refuses_line_breaks),
		cmocka_unit_test(http_send__a_stream_that_fails),
		cmocka_unit_test(http_send__an_answer_before_all_was_sent),
		cmocka_unit_test(http_response__ends_with_the_next_exchange),
		cmocka_unit_test(http_after_fork__leaves_the_parent_alone),
		cmocka_unit_test(body_read__holds_the_sender_up),
		cmocka_unit_test(http_send__gives_up_on_what_trickles),
		cmocka_unit_test(proxy__that_refuses),
		cmocka_unit_test(proxy__never_for_loopback),
		cmocka_unit_test(proxy__that_makes_no_sense),
	};
	static const char *const proxies[] = { "http_proxy", "https_proxy", "HTTPS_PROXY",
					       "all_proxy",  "ALL_PROXY",   "no_proxy",
					       "NO_PROXY" };
	for (size_t i = 0; i < COUNT_OF(proxies); i++)
		(void)unsetenv(proxies[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
