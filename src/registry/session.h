/* SPDX-License-Identifier: Apache-2.0 */
/* registry/session.h: requests to one registry and all that stands between a request and its answer:
 * endpoint, TLS, credentials, redirects, retries. Used by client.c; nobody else speaks HTTP.
 *
 * - http: only for loopback, or where insecure is allowed and https: does not answer.
 * - Redirects: GET and HEAD only, at most 10, to http(s) only, never from https: to http:, without
 *   Authorization once the origin changes.
 * - Retries: connection lost before an answer, 408, 429, 500, 502, 503, 504: 5 times with back-off
 *   (0.2 s doubled, with jitter, at most 10 s); Retry-After (seconds or a date, at most 120 s) is
 *   honoured. A request with a stream is repeated by its caller. Tests shorten the waits through
 *   THIMBLE_TEST_RETRY_MS.
 * - An answer of 401 is given to auth.h once for each request. */
#pragma once
#include "registry/auth.h"
#include "registry/hosts.h"

struct registry_opts {
	struct hosts_opts hosts;
	const char *authfile; /* --authfile */
	struct creds *creds; /* --creds, for the first registry that is asked; else authfile's */
	/* "the registry asks for patience: again in 5 s", warnings about files */
	void (*note)(void *ctx, const char *text);
	void *ctx;
};

struct session;
/* scopes: "repository:library/gcc:pull" …; what is asked of token services. Copied. */
struct session *session_open(const struct registry_opts *o, const struct endpoint *at,
			     const char *creds_host, const struct strs *scopes, struct err *e);
void session_close(struct session *s);
DEFINE_CLEANUP(struct session, session_close)
void session_after_fork(struct session *s);
/* One scope more, for a mount from another repository; and one less, when that was refused: a token
 * service may give nothing to who asks for too much. */
void session_scope(struct session *s, const char *scope);
void session_unscope(struct session *s, const char *scope);

struct session_request {
	const char *method;
	const char *path; /* "/v2/library/gcc/manifests/13", escaped; or: */
	const struct url *url; /* an upload's Location */
	const struct strs *headers;
	struct slice body;
	struct source *stream;
	int64_t stream_size;
	bool login; /* for session_failed: it was asked only whether the credentials are right */
};
/* Returns with any status but those that were handled here. */
int session_send(struct session *s, const struct session_request *rq, struct http_response *out,
		 struct url *final, struct err *e) _must_check_;
/* An answer that is none of those wanted, as an error: 401 and 403 ERR_DENIED (who we are, and
 * `thimble login HOST`), 404 ERR_ABSENT, 429 and 5xx ERR_NET, else ERR_DATA; with the registry's own
 * code and words from its JSON, and the beginning of the text if it is HTML or anything else
 * (escaped). Reads at most 64 KiB of the body. Returns -1. */
int session_failed(struct session *s, const struct session_request *rq, struct http_response *rs,
		   struct err *e);
/* The pause before attempt `attempt` + 1 (from 0) of something that the caller repeats: a blob's
 * download or upload that broke. Says so through note. -1: `why` stands, there were enough attempts
 * (then *e is why, moved), or a signal came. */
int session_pause(struct session *s, unsigned attempt, struct err *why, struct err *e) _must_check_;
/* The last session_send was tried as often as it may be: session_pause says no too. */
bool session_gave_up(const struct session *s);
