/* SPDX-License-Identifier: Apache-2.0 */
/* registry/repo.h: what the files behind client.h share. */
#pragma once
#include "registry/client.h"

struct registry {
	struct registry_opts o; /* strings are the caller's */
	struct reference ref;
	enum registry_use use;
	struct endpoints at; /* where to ask, in order; the last one is the registry itself */
	struct session **sessions; /* one for each, opened when it is asked */
	size_t now; /* the endpoint that has what was asked for */
};

/* The session of the endpoint in use, or of another one. */
struct session *repo_session(struct registry *r, size_t i, struct err *e);
/* "/v2/PATH/TAIL", for endpoint i. Caller frees. */
char *repo_path(const struct registry *r, size_t i, const char *tail);
/* GET or HEAD at the endpoint in use. accept: or NULL. */
int repo_ask(struct registry *r, size_t i, const char *method, const char *tail, const char *accept,
	     struct http_response *rs, struct err *e) _must_check_;
/* A wrong answer as an error (session_failed), with what was asked for. */
int repo_failed(struct registry *r, size_t i, const char *method, const char *tail,
		struct http_response *rs, struct err *e);
/* What to do about a repository, or what was wanted of it, that is not there. */
void repo_hint(const struct registry *r, struct err *e);
/* All of a body, at most max bytes. */
int body_read(struct http_response *rs, size_t max, const char *what, struct buf *out,
	      struct err *e) _must_check_;

/* Names that come in pages with Link headers (tags, catalogue, referrers): GET of `path`, then of
 * what follows, as long as it stays at the same origin. `page` gets each page's JSON; it returns 1 to
 * go on, 0 to stop, -1. */
int pages_read(struct session *s, const char *path, const char *accept, const char *what,
	       int (*page)(void *ctx, const json_t *v, struct http_response *rs, struct err *e),
	       void *ctx, int *status, struct err *e) _must_check_;
#define PAGES_MAX 10000
