/* SPDX-License-Identifier: Apache-2.0 */
/* registry/session.c: the loops around an exchange, inside out: once (credentials for its origin),
 * through (challenges and redirects), session_send (retries). What a wrong answer means in words is
 * in answer.c. */
#include "registry/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/num.h"
#include "registry/session_in.h"

enum { TRIES = 5, TRIES_SILENT = 2, HOPS_MAX = 10, WAIT_MS = 200, WAIT_MAX_MS = 10000 };
#define PATIENCE_MAX_MS 120000

static void warn(void *ctx, const char *text)
{
	const struct session *s = ctx;
	if (s->o.note)
		s->o.note(s->o.ctx, text);
}

struct session *session_open(const struct registry_opts *o, const struct endpoint *at,
			     const char *creds_host, const struct strs *scopes, struct err *e)
{
	(void)e;
	struct session *s = NEW(struct session);
	s->o = *o;
	s->at = (struct endpoint){ str_dup(at->host), str_dup(at->path), at->insecure, at->mirror };
	s->creds_host = str_dup(creds_host);
	strs_copy(&s->scopes, scopes);
	strs_sort(&s->scopes);
	const struct auth_opts ao = {
		.creds = o->creds,
		.file = { .path = o->authfile, .warn = warn, .ctx = s },
		.host = s->creds_host,
		.path = *s->at.path ? s->at.path : NULL,
	};
	s->auth = auth_new(&ao);
	return s;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	auth_free(s->auth);
	http_close(s->http);
	http_close(s->tokens);
	strs_done(&s->scopes);
	free(s->at.host);
	free(s->at.path);
	free(s->creds_host);
	free(s);
}

void session_after_fork(struct session *s)
{
	if (s->http)
		http_after_fork(s->http);
	if (s->tokens)
		http_after_fork(s->tokens);
}

void session_scope(struct session *s, const char *scope)
{
	if (strs_find(&s->scopes, scope) < 0) {
		strs_add(&s->scopes, scope);
		strs_sort(&s->scopes);
	}
}

const struct endpoint *session_endpoint(const struct session *s)
{
	return &s->at;
}

static int need_http(struct session *s, struct err *e)
{
	if (s->http)
		return 0;
	s->http = http_open(e);
	s->tokens = s->http ? http_open(e) : NULL;
	return s->tokens ? 0 : -1;
}

/* ---- where, and whether it may be plain ---- */

/* What certs.d directories are named after. */
static char *host_port(const struct url *u)
{
	unsigned usual = strcmp(u->scheme, "https") == 0 ? 443 : 80;
	return u->port == usual ? str_dup(u->host) : str_printf("%s:%u", u->host, u->port);
}

static int tls_of(void *ctx, const struct url *u, struct http_tls *out, struct err *e)
{
	const struct session *s = ctx;
	_free_ char *host = host_port(u);
	bool insecure = s->o.hosts.insecure || (s->at.insecure && strcmp(host, s->at.host) == 0);
	return hosts_tls(&s->o.hosts, host, insecure, out, e);
}

static bool may_be_plain(const struct session *s)
{
	_cleanup_(url_done) struct url u = { 0 };
	_free_ char *text = str_printf("http://%s/", s->at.host);
	return s->at.insecure || s->o.hosts.insecure ||
	       (url_parse(slice_of(text), &u, NULL) == 0 && host_is_loopback(u.host));
}

static int url_of(struct session *s, const struct session_request *rq, struct url *out,
		  struct err *e)
{
	if (rq->url) {
		_free_ char *text = url_text(rq->url);
		return url_parse(slice_of(text), out, e);
	}
	_free_ char *text = str_printf("%s://%s%s", s->plain ? "http" : "https", s->at.host,
				       rq->path);
	return url_parse(slice_of(text), out, e);
}

/* ---- one exchange ---- */

static void log_answer(const struct session_request *rq, const struct url *u, int status)
{
	/* without the query: storage services put signatures there */
	log_debug("%s %s://%s:%u%s: %d", rq->method, u->scheme, u->host, u->port, u->path, status);
}

static int once(struct session *s, const struct session_request *rq, const struct url *u,
		struct http_response *out, struct err *e)
{
	_cleanup_(strs_done) struct strs headers = { 0 };
	_cleanup_(hosts_tls_done) struct http_tls tls = { 0 };
	_free_ char *text = url_text(u);
	const char *auth = auth_header(s->auth, u, &s->scopes);
	if (rq->headers)
		strs_copy(&headers, rq->headers);
	if (auth)
		strs_add(&headers, auth);
	if (strcmp(u->scheme, "https") == 0 && tls_of(s, u, &tls, e) < 0)
		return -1;
	const struct http_request hr = {
		.method = rq->method,
		.url = text,
		.headers = &headers,
		.body = rq->body,
		.stream = rq->stream,
		.stream_size = rq->stream_size,
		.tls = &tls,
	};
	int r = http_send(s->http, &hr, out, e);
	log_answer(rq, u, r < 0 ? 0 : out->status);
	if (r < 0)
		err_add(e, "%s %.*s", rq->method, (int)slice_find(slice_of(text), '?'), text);
	return r;
}

/* A registry without TLS: told by its first answer to a greeting. */
static int once_or_plain(struct session *s, const struct session_request *rq, struct url *u,
			 struct http_response *out, struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	bool first = !s->known && !rq->url && !rq->stream;
	if (once(s, rq, u, out, &why) == 0) {
		s->known = true;
		return 0;
	}
	bool no_tls = why.sys_errno == EPROTO || why.sys_errno == ECONNREFUSED;
	if (first && why.kind == ERR_NET && no_tls && may_be_plain(s)) {
		_cleanup_(err_done) struct err own = { 0 };
		s->plain = true;
		url_done(u);
		if (url_of(s, rq, u, e) < 0)
			return -1;
		if (once(s, rq, u, out, &own) == 0) {
			s->known = true;
			return 0;
		}
		s->plain = false;
		if (why.sys_errno == EPROTO)
			err_move(&why, &own);
	} else if (first && why.kind == ERR_NET && why.sys_errno == EPROTO) {
		err_hint(&why,
			 "if '%s' is a registry without TLS: --insecure, or insecure = true in "
			 "registries.conf",
			 s->at.host);
	}
	if (e)
		err_move(e, &why);
	return -1;
}

/* ---- challenges and redirects ---- */

static int answer_challenge(struct session *s, const struct url *u, const struct http_response *rs,
			    struct err *e)
{
	struct challenges l = { 0 };
	arr_each(it, &rs->headers)
		if (slice_starts(slice_of(*it), SL("www-authenticate: ")))
			challenge_parse(slice_of(*it + strlen("www-authenticate: ")), &l);
	int r = auth_answer(s->auth, s->tokens, u, &s->scopes, &l, tls_of, s, e);
	challenges_done(&l);
	return r;
}

static bool is_redirect(const struct session_request *rq, int status)
{
	bool reads = strcmp(rq->method, "GET") == 0 || strcmp(rq->method, "HEAD") == 0;
	return reads &&
	       (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static int redirect(const struct http_response *rs, struct url *u, struct err *e)
{
	const char *where = http_header(rs, "location");
	struct url to = { 0 };
	if (!where)
		return err_set(e, ERR_DATA, "the answer %d has no Location", rs->status);
	if (url_resolve(u, slice_of(where), &to, e) < 0)
		return err_add(e, "follow a redirect of %s", u->host);
	if (strcmp(u->scheme, "https") == 0 && strcmp(to.scheme, "http") == 0) {
		err_set(e, ERR_DATA, "%s redirects from https: to http: (%s), which is refused",
			u->host, to.host);
		url_done(&to);
		return -1;
	}
	url_done(u);
	*u = to;
	return 0;
}

static int through(struct session *s, const struct session_request *rq, struct url *u,
		   struct http_response *out, struct err *e)
{
	bool asked = false;
	for (unsigned hops = 0; hops <= HOPS_MAX;) {
		if (once_or_plain(s, rq, u, out, e) < 0)
			return -1;
		if (out->status == 401 && !asked) {
			asked = true;
			int r = answer_challenge(s, u, out, e);
			if (r < 0)
				http_response_done(out);
			if (r < 0 || r == 0 || rq->stream)
				return r < 0 ? -1 : 0; /* a stream is begun again by its owner */
			http_response_done(out);
			continue;
		}
		if (!is_redirect(rq, out->status))
			return 0;
		hops++;
		int r = redirect(out, u, e);
		http_response_done(out);
		if (r < 0)
			return -1;
	}
	return err_set(e, ERR_DATA, "%s redirects more than %d times", s->at.host, HOPS_MAX);
}

/* ---- patience ---- */

static int64_t test_limit(void)
{
	const char *v = getenv("THIMBLE_TEST_RETRY_MS");
	uint64_t ms;
	return v && num_parse(slice_of(v), PATIENCE_MAX_MS, &ms) == 0 ? (int64_t)ms
								      : PATIENCE_MAX_MS;
}

static int64_t back_off(unsigned attempt)
{
	int64_t ms = attempt > 10 ? WAIT_MAX_MS : (int64_t)WAIT_MS << attempt;
	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	return ms * 3 / 4 + clock_mono_ns() / 1000 % (ms / 2 + 1); /* not all clients at once */
}

/* Retry-After: seconds or a date (RFC 9110 §10.2.3); -1: not told. */
static int64_t asked_for(const struct http_response *rs)
{
	const char *v = http_header(rs, "retry-after");
	struct tm tm = { 0 };
	uint64_t s;
	if (!v)
		return -1;
	if (num_parse(slice_of(v), UINT32_MAX, &s) == 0)
		return (int64_t)s * 1000;
	const char *end = strptime(v, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (!end || *end)
		return -1;
	int64_t left = (int64_t)timegm(&tm) - clock_now().tv_sec;
	return left > 0 ? left * 1000 : 0;
}

static int rest(struct session *s, int64_t ms, const char *why, struct err *e)
{
	_free_ char *text = str_printf("%s; again in %.1f s", why, (double)ms / 1000);
	warn(s, text);
	int64_t limit = test_limit();
	int64_t until = clock_mono_ns() + (ms < limit ? ms : limit) * 1000000;
	while (clock_mono_ns() < until) {
		struct pollfd p = { interrupt_fd(), POLLIN, 0 };
		(void)poll(&p, 1, (int)((until - clock_mono_ns()) / 1000000) + 1);
		if (interrupt_pending()) {
			errno = EINTR;
			return err_sys(e, "wait for a registry");
		}
	}
	return 0;
}

int session_pause(struct session *s, unsigned attempt, struct err *why, struct err *e)
{
	_cleanup_(buf_done) struct buf line = { 0 };
	if (attempt + 1 >= TRIES) {
		if (e)
			err_move(e, why);
		return -1;
	}
	err_line(why, &line);
	return rest(s, back_off(attempt), line.p, e);
}

static bool is_passing(int status)
{
	return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
	       status == 504;
}

/* How often this may be tried in all. */
static unsigned tries_for(const struct err *why)
{
	if (why->kind != ERR_NET)
		return 1;
	return why->sys_errno == ECONNRESET  ? TRIES
	       : why->sys_errno == ETIMEDOUT ? TRIES_SILENT
					     : 1;
}

/* 1: try again, 0: what came stands, -1: *e. */
static int again(struct session *s, unsigned attempt, int r, struct http_response *rs,
		 struct err *why, struct err *e)
{
	_cleanup_(buf_done) struct buf line = { 0 };
	if (r < 0 && attempt + 1 >= tries_for(why)) {
		if (e)
			err_move(e, why);
		return -1;
	}
	if (r < 0) {
		err_line(why, &line);
		return rest(s, back_off(attempt), line.p, e) < 0 ? -1 : 1;
	}
	int64_t ms = asked_for(rs);
	if (attempt + 1 >= TRIES || ms > PATIENCE_MAX_MS)
		return 0;
	_free_ char *text = str_printf("%s answered %d", s->at.host, rs->status);
	http_response_done(rs);
	return rest(s, ms >= 0 ? ms : back_off(attempt), text, e) < 0 ? -1 : 1;
}

int session_send(struct session *s, const struct session_request *rq, struct http_response *out,
		 struct url *final, struct err *e)
{
	if (need_http(s, e) < 0)
		return -1;
	for (unsigned attempt = 0;; attempt++) {
		_cleanup_(err_done) struct err why = { 0 };
		_cleanup_(url_done) struct url u = { 0 };
		struct http_response rs = { 0 };
		if (url_of(s, rq, &u, e) < 0)
			return -1;
		int r = through(s, rq, &u, &rs, &why);
		bool stands = rq->stream || (r == 0 && !is_passing(rs.status));
		int more = stands && r == 0 ? 0 : stands ? -1 : again(s, attempt, r, &rs, &why, e);
		if (more > 0)
			continue;
		if (more < 0) {
			if (stands && e)
				err_move(e, &why);
			return -1;
		}
		if (final) {
			*final = u;
			u = (struct url){ 0 };
		}
		*out = rs;
		return 0;
	}
}
