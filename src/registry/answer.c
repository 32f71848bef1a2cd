/* SPDX-License-Identifier: Apache-2.0 */
/* registry/answer.c: an answer that nobody wanted, in words: the registry's own from its JSON
 * (distribution-spec "Error Codes"), and what to do next. */
#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "registry/session_in.h"

#define BODY_MAX  (64u << 10)
#define WORDS_MAX 300

static const char *status_words(int status)
{
	static const struct {
		int status;
		const char *words;
	} table[] = {
		{ 400, "bad request" },
		{ 401, "unauthorized" },
		{ 403, "forbidden" },
		{ 404, "not found" },
		{ 405, "method not allowed" },
		{ 407, "the proxy wants credentials" },
		{ 408, "request timeout" },
		{ 413, "too large" },
		{ 415, "unsupported media type" },
		{ 416, "range not satisfiable" },
		{ 429, "too many requests" },
		{ 500, "internal server error" },
		{ 502, "bad gateway" },
		{ 503, "service unavailable" },
		{ 504, "gateway timeout" },
	};
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].status == status)
			return table[i].words;
	return "unexpected";
}

static enum err_kind kind_of(int status)
{
	if (status == 401 || status == 403)
		return ERR_DENIED;
	if (status == 404)
		return ERR_ABSENT;
	if (status == 408 || status == 429 || status >= 500)
		return ERR_NET;
	return ERR_DATA;
}

static void add_words(struct buf *b, const char *text)
{
	size_t n = strlen(text);
	buf_printf(b, "%.*s%s", (int)(n < WORDS_MAX ? n : WORDS_MAX), text,
		   n > WORDS_MAX ? "…" : "");
}

/* {"errors":[{"code":"…","message":"…","detail":…}]}: true if it was that. */
static bool json_words(struct slice body, struct buf *out)
{
	_json_ json_t *v = js_parse(body, "error", NULL);
	json_t *list = NULL, *it;
	size_t i;
	if (!json_is_object(v) || js_array(v, "errors", &list, NULL) < 0 || !list)
		return false;
	json_array_foreach(list, i, it)
	{
		const char *code = NULL, *message = NULL;
		if (!json_is_object(it) || js_str(it, "code", &code, NULL) < 0 ||
		    js_str(it, "message", &message, NULL) < 0 || out->len > WORDS_MAX)
			break;
		if (out->len)
			buf_str(out, "; ");
		if (message)
			add_words(out, message);
		if (code)
			buf_printf(out, message ? " (%.64s)" : "%.64s", code);
	}
	return out->len > 0;
}

static bool is_page(struct slice body, const char *type)
{
	struct slice s = slice_trim_left(body);
	return (type && strstr(type, "html")) || slice_starts(s, SL("<!")) ||
	       slice_starts(s, SL("<html")) || slice_starts(s, SL("<HTML"));
}

static void body_words(struct http_response *rs, struct buf *out)
{
	_cleanup_(buf_done) struct buf b = { .max = BODY_MAX };
	_cleanup_(err_done) struct err own = { 0 }; /* what came is enough */
	char block[4096];
	ssize_t n;
	while (rs->body && !b.over && (n = source_read(rs->body, block, sizeof block, &own)) > 0)
		buf_add(&b, block, (size_t)n);
	if (b.len == 0 || json_words(buf_view(&b), out))
		return;
	if (is_page(buf_view(&b), http_header(rs, "content-type"))) {
		buf_str(out, "a web page, not a registry's answer");
		return;
	}
	struct slice first = slice_trim(buf_view(&b));
	size_t line = slice_find(first, '\n');
	_free_ char *text = slice_dup(slice_head(first, line));
	add_words(out, text);
}

static void hints(const struct session *s, int status, struct err *e)
{
	_free_ char *who = auth_who(s->auth);
	if (status == 401 || status == 403)
		err_hint(
			e,
			"you are asking %s; 'thimble login %s' logs in, and where there is no such "
			"repository many registries say the same",
			who, s->creds_host);
	if (status == 429)
		err_hint(e,
			 "registries give more to those who are logged in: 'thimble login %s'; or "
			 "name a mirror in registries.conf",
			 s->creds_host);
	if (status == 407)
		err_hint(e,
			 "put them into the proxy's address: https_proxy=http://USER:PASSWORD@…");
}

int session_failed(struct session *s, const struct session_request *rq, struct http_response *rs,
		   struct err *e)
{
	_cleanup_(buf_done) struct buf words = { 0 };
	int status = rs->status;
	if (strcmp(rq->method, "HEAD") != 0)
		body_words(rs, &words);
	if (status >= 200 && status < 300)
		err_set(e, ERR_DATA, "%s answered %d where the protocol has something else%s%s",
			s->at.host, status, words.len ? ": " : "", words.len ? words.p : "");
	else
		err_set(e, kind_of(status), "%s answered %d, %s%s%s", s->at.host, status,
			status_words(status), words.len ? ": " : "", words.len ? words.p : "");
	hints(s, status, e);
	if (rq->path)
		return err_add(e, "%s %.*s", rq->method, (int)slice_find(slice_of(rq->path), '?'),
			       rq->path);
	return err_add(e, "%s %s", rq->method, rq->url ? rq->url->path : "");
}
