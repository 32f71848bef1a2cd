/* SPDX-License-Identifier: Apache-2.0 */
/* A request becomes one or more exchanges: `exchange` does one of them, and session_send decides
 * what its outcome means: another scheme, a new token, another place, another try, or the answer.
 * What an answer that is not wanted says is in refusal.c. */
#include "registry/session.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "registry/refusal.h"
#include "registry/retry.h"
#include "registry/url.h"

enum {
	REDIRECTS_MAX = 10,
	TRIES = 5, /* after the first one */
	TRIES_UNREACHED = 2, /* no such host, refused, silent: less likely to pass */
};

struct session {
	struct registry_opts o; /* strings are the caller's */
	struct endpoint at;
	char *creds_host;
	struct url base; /* scheme, host and port; the scheme is a guess until `settled` */
	bool settled;
	struct http *http;
	struct auth *auth;
	struct strs scopes; /* sorted, each once */
	struct url last; /* what answered last */
	int64_t after; /* what the last answer's Retry-After asked for, or -1 */
	bool gave_up; /* the last request was tried as often as it may be */
};

/* ---- opening ---- */

struct session *session_open(const struct registry_opts *o, const struct endpoint *at,
			     const char *creds_host, const struct strs *scopes, struct err *e)
{
	_cleanup_(session_closep) struct session *s = NEW(struct session);
	_free_ char *base = str_printf("https://%s/", at->host);
	s->o = *o;
	s->after = -1;
	if (url_parse(slice_of(base), &s->base, e) < 0)
		return NULL;
	s->at = (struct endpoint){ str_dup(at->host), str_dup(at->path), at->insecure, at->mirror };
	s->creds_host = str_dup(creds_host);
	s->auth = auth_new(&(struct auth_opts){ .creds = o->creds,
						.file = { o->authfile, o->note, o->ctx },
						.host = s->creds_host,
						.path = *s->at.path ? s->at.path : NULL });
	for (size_t i = 0; scopes && i < scopes->n; i++)
		session_scope(s, scopes->p[i]);
	return take_ptr(&s);
}

void session_close(struct session *s)
{
	if (!s)
		return;
	http_close(s->http);
	auth_free(s->auth);
	strs_done(&s->scopes);
	url_done(&s->base);
	url_done(&s->last);
	free(s->creds_host);
	free(s->at.host);
	free(s->at.path);
	free(s);
}

void session_after_fork(struct session *s)
{
	if (s->http)
		http_after_fork(s->http);
}

void session_scope(struct session *s, const char *scope)
{
	if (strs_find(&s->scopes, scope) >= 0)
		return;
	strs_add(&s->scopes, scope);
	strs_sort(&s->scopes);
}

void session_unscope(struct session *s, const char *scope)
{
	int at = strs_find(&s->scopes, scope);
	if (at < 0)
		return;
	free(s->scopes.p[at]);
	arr_remove(&s->scopes, (size_t)at);
}

bool session_gave_up(const struct session *s)
{
	return s->gave_up;
}

static void say(const struct session *s, const char *text)
{
	log_debug("%s", text);
	if (s->o.note)
		s->o.note(s->o.ctx, text);
}

/* ---- where to ---- */

static bool may_be_plain(const struct session *s, const char *host)
{
	return s->o.hosts.insecure || host_is_loopback(host) ||
	       (s->at.insecure && strcmp(host, s->base.host) == 0);
}

/* from: where a redirect or a Location comes from. */
static int check_plain(const struct session *s, const struct url *from, const struct url *to,
		       struct err *e)
{
	_free_ char *text = url_shown(to), *host = url_host(from);
	if (strcmp(to->scheme, "https") == 0)
		return 0;
	if (strcmp(from->scheme, "https") == 0) {
		err_set(e, ERR_DENIED, "'%s' leads from https: to '%s', which is not encrypted",
			host, text);
		return err_hint(e, "a registry behind a proxy that speaks https must be told so "
				   "(X-Forwarded-Proto, or its 'host' setting)");
	}
	if (may_be_plain(s, to->host))
		return 0;
	err_set(e, ERR_DENIED, "'%s' is not encrypted", text);
	return err_hint(e, "--insecure allows it");
}

static void url_copy(struct url *to, const struct url *from)
{
	*to = (struct url){ str_dup(from->scheme), str_dup(from->host), from->port,
			    str_dup(from->path), str_dup(from->query) };
}

static int first_url(const struct session *s, const struct session_request *rq, struct url *out,
		     struct err *e)
{
	if (!rq->url)
		return url_resolve(&s->base, slice_of(rq->path), out, e);
	if (check_plain(s, &s->base, rq->url, e) < 0)
		return -1;
	url_copy(out, rq->url);
	return 0;
}

static void set_scheme(struct session *s, const char *scheme)
{
	bool has_port = !strchr(s->base.host, ':') ? strchr(s->at.host, ':') != NULL
						   : s->at.host[strlen(s->at.host) - 1] != ']';
	str_set(&s->base.scheme, str_dup(scheme));
	if (!has_port)
		s->base.port = strcmp(scheme, "https") == 0 ? 443 : 80;
}

/* Docker's rule: https: first, and http:, where that may be, if what is there speaks no TLS. Neither
 * is settled before it answered. */
static bool try_plain(struct session *s, struct err *why)
{
	if (s->settled || why->kind != ERR_NET)
		return false;
	if (strcmp(s->base.scheme, "http") == 0) {
		set_scheme(s, "https"); /* another try begins anew */
		return false;
	}
	if (why->sys_errno == EPROTO && !may_be_plain(s, s->base.host))
		err_hint(why,
			 "if '%s' is a registry without TLS: --insecure, or insecure = true in "
			 "registries.conf",
			 s->at.host);
	if ((why->sys_errno != EPROTO && why->sys_errno != ECONNREFUSED &&
	     why->sys_errno != ETIMEDOUT) ||
	    !may_be_plain(s, s->base.host))
		return false;
	set_scheme(s, "http");
	log_debug("%s does not speak TLS: http: is tried", s->at.host);
	return true;
}

/* ---- one exchange ---- */

static int tls_for(void *ctx, const struct url *u, struct http_tls *out, struct err *e)
{
	const struct session *s = ctx;
	bool v6 = strchr(u->host, ':') != NULL;
	_free_ char *host = str_printf("%s%s%s:%u", v6 ? "[" : "", u->host, v6 ? "]" : "", u->port);
	bool ours = strcmp(u->host, s->base.host) == 0 && u->port == s->base.port;
	/* certs.d has a directory as the reference was written: "host" for "host:443". */
	return hosts_tls(&s->o.hosts, ours ? s->at.host : host, ours && s->at.insecure, out, e);
}

/* What one request has come to. */
struct progress {
	const struct session_request *rq;
	struct url at;
	unsigned redirects, failures;
	bool abroad; /* the origin changed: nothing secret from here on */
	bool answered; /* a 401 */
};

static bool at_home(const struct session *s, const struct progress *p)
{
	return !p->abroad && s->settled && url_same_origin(&s->base, &p->at);
}

static int exchange(struct session *s, const struct progress *p, struct http_response *rs,
		    struct err *e)
{
	_cleanup_(strs_done) struct strs headers = { 0 };
	_cleanup_(hosts_tls_done) struct http_tls tls = { 0 };
	_free_ char *url = url_text(&p->at), *shown = url_shown(&p->at);
	const char *auth = at_home(s, p) ? auth_header(s->auth, &p->at, &s->scopes) : NULL;
	if (!s->http && !(s->http = http_open(e)))
		return -1;
	if (tls_for(s, &p->at, &tls, e) < 0)
		return -1;
	if (p->rq->headers)
		strs_copy(&headers, p->rq->headers);
	if (auth)
		strs_add(&headers, auth);
	const struct http_request hr = { .method = p->rq->method,
					 .url = url,
					 .headers = &headers,
					 .body = p->rq->body,
					 .stream = p->rq->stream,
					 .stream_size = p->rq->stream_size,
					 .tls = &tls };
	int r = http_send(s->http, &hr, rs, e);
	if (auth)
		explicit_bzero(*arr_last(&headers), strlen(*arr_last(&headers)));
	if (r < 0)
		return err_add(e, "%s %s", p->rq->method, shown);
	log_debug("%s %s: %d", p->rq->method, shown, rs->status);
	return 0;
}

/* ---- what an answer asks for ---- */

/* 1: there is a new token, and the request may be sent again; 0: the 401 stands. */
static int answer_challenge(struct session *s, struct progress *p, struct http_response *rs,
			    struct err *e)
{
	_cleanup_(challenges_done) struct challenges l = { 0 };
	if (rs->status != 401 || p->answered || !at_home(s, p))
		return 0;
	p->answered = true;
	arr_each(it, &rs->headers)
		if (slice_starts(slice_of(*it), SL("www-authenticate: ")))
			challenge_parse(slice_from(slice_of(*it), 18), &l);
	/* The connection may be needed to ask the token service, and the words for session_failed. */
	if (refusal_keep(rs, e) < 0)
		return -1;
	int r = auth_answer(s->auth, s->http, &p->at, &s->scopes, &l, tls_for, s, e);
	return r > 0 && p->rq->stream ? 0 : r;
}

static bool is_redirect(const struct progress *p, const struct http_response *rs)
{
	int n = rs->status;
	return (n == 301 || n == 302 || n == 303 || n == 307 || n == 308) &&
	       http_header(rs, "location") &&
	       (strcmp(p->rq->method, "GET") == 0 || strcmp(p->rq->method, "HEAD") == 0);
}

static int follow(struct session *s, struct progress *p, const struct http_response *rs,
		  struct err *e)
{
	struct url to = { 0 };
	_free_ char *from = url_shown(&p->at);
	if (p->redirects++ == REDIRECTS_MAX)
		return err_set(e, ERR_DATA, "'%s' redirects more than %d times", from,
			       REDIRECTS_MAX);
	if (url_resolve(&p->at, slice_of(http_header(rs, "location")), &to, e) < 0)
		return err_add(e, "follow the redirect of '%s'", from);
	if (check_plain(s, &p->at, &to, e) < 0) {
		url_done(&to);
		return err_add(e, "follow the redirect of '%s'", from);
	}
	p->abroad = p->abroad || !url_same_origin(&p->at, &to);
	url_done(&p->at);
	p->at = to;
	return 0;
}

static unsigned tries(const struct err *why)
{
	if (why->kind != ERR_NET)
		return 0;
	switch (why->sys_errno) {
	case ECONNRESET: return TRIES;
	case EACCES:
	case EKEYREJECTED:
	case EINVAL: return 0;
	default: return TRIES_UNREACHED;
	}
}

/* Says why and waits. 0: try again. */
static int pause_for(struct session *s, unsigned attempt, const char *why, struct err *e)
{
	int64_t ns = retry_pause(attempt, s->after);
	_free_ char *text = str_printf("%s; again in %.1f s", why, (double)ns / 1e9);
	say(s, text);
	return retry_wait(ns, e);
}

/* No answer. 0: try again; else *e is `why`. */
static int lost(struct session *s, struct progress *p, struct err *why, struct err *e)
{
	_cleanup_(buf_done) struct buf line = { 0 };
	unsigned most = p->rq->stream ? 0 : tries(why);
	s->after = -1;
	if (p->failures >= most) {
		s->gave_up = !p->rq->stream;
		if (e)
			err_move(e, why);
		return -1;
	}
	err_line(why, &line);
	return pause_for(s, p->failures++, line.p, e);
}

/* 1: a status that another try may mend, and the pause is over; 0: it stands. */
static int busy(struct session *s, struct progress *p, struct http_response *rs, struct err *e)
{
	s->after = retry_after(http_header(rs, "retry-after"));
	if (!retry_status(rs->status) || p->rq->stream)
		return 0;
	s->gave_up = p->failures >= TRIES || s->after > RETRY_PATIENCE * INT64_C(1000000000);
	if (s->gave_up)
		return 0;
	_free_ char *host = url_host(&p->at);
	_free_ char *why = str_printf("%s answers %d", host, rs->status);
	return pause_for(s, p->failures++, why, e) < 0 ? -1 : 1;
}

/* 1: once more (p says where), 0: it is the answer. */
static int judge(struct session *s, struct progress *p, struct http_response *rs, struct err *e)
{
	int r = answer_challenge(s, p, rs, e);
	if (r)
		return r;
	if (is_redirect(p, rs))
		return follow(s, p, rs, e) < 0 ? -1 : 1;
	return busy(s, p, rs, e);
}

/* One exchange after the other. 1: once more, 0: *rs is the answer. */
static int step(struct session *s, struct progress *p, struct http_response *rs, struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	if (exchange(s, p, rs, &why) < 0) {
		bool home = p->redirects == 0 && !p->rq->url;
		if (!(home && try_plain(s, &why)) && lost(s, p, &why, e) < 0)
			return -1;
		if (!home)
			return 1;
		url_done(&p->at);
		return first_url(s, p->rq, &p->at, e) < 0 ? -1 : 1;
	}
	s->settled = s->settled || url_same_origin(&s->base, &p->at);
	url_done(&s->last);
	url_copy(&s->last, &p->at);
	return judge(s, p, rs, e);
}

int session_send(struct session *s, const struct session_request *rq, struct http_response *out,
		 struct url *final, struct err *e)
{
	struct progress p = { .rq = rq };
	s->gave_up = false;
	s->after = -1;
	struct http_response rs = { 0 };
	int r = first_url(s, rq, &p.at, e);
	if (r == 0)
		while ((r = step(s, &p, &rs, e)) > 0) {
			/* Read to its end, a connection can be used again. */
			r = rs.body ? refusal_keep(&rs, e) : 0;
			http_response_done(&rs);
			if (r < 0)
				break;
		}
	if (r == 0)
		*out = rs;
	else
		http_response_done(&rs);
	if (r == 0 && final)
		*final = p.at;
	else
		url_done(&p.at);
	return r;
}

/* ---- when it did not go well ---- */

int session_failed(struct session *s, const struct session_request *rq, struct http_response *rs,
		   struct err *e)
{
	struct url at = { 0 };
	_free_ char *who = auth_who(s->auth), *shown = NULL, *last = NULL, *host = NULL;
	bool own = !s->last.scheme || url_same_origin(&s->base, &s->last);
	if (!own)
		host = url_host(&s->last);
	const struct refusal r = { own ? s->at.host : host, own ? s->creds_host : NULL, who,
				   rq->login, s->after };
	refusal_read(&r, rs, e);
	if (!own) {
		last = url_shown(&s->last);
		err_add(e, "redirected to %s", last);
	}
	if (first_url(s, rq, &at, NULL) == 0)
		shown = url_shown(&at);
	url_done(&at);
	return err_add(e, "%s %s", rq->method, shown ? shown : s->at.host);
}

int session_pause(struct session *s, unsigned attempt, struct err *why, struct err *e)
{
	_cleanup_(buf_done) struct buf line = { 0 };
	if (s->gave_up || attempt >= TRIES || s->after > RETRY_PATIENCE * INT64_C(1000000000)) {
		if (e)
			err_move(e, why);
		return -1;
	}
	err_line(why, &line);
	int r = pause_for(s, attempt, line.p, e);
	s->after = -1;
	return r;
}
