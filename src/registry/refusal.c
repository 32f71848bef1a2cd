/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/refusal.h"

#include <errno.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "base/js.h"
#include "registry/retry.h"

enum { READ_MAX = 64 << 10, SHOWN_MAX = 300, ERRORS_MAX = 3 };

/* ---- a body that was read already ---- */

struct kept {
	struct source base;
	struct buf b;
	size_t at;
};

static ssize_t kept_read(struct source *base, void *p, size_t n, struct err *e)
{
	(void)e;
	struct kept *k = (struct kept *)base;
	if (n > k->b.len - k->at)
		n = k->b.len - k->at;
	if (n)
		memcpy(p, k->b.p + k->at, n);
	k->at += n;
	return (ssize_t)n;
}

static void kept_close(struct source *base)
{
	struct kept *k = (struct kept *)base;
	buf_done(&k->b);
	free(k);
}

static void read_some(struct http_response *rs, struct buf *out)
{
	_cleanup_(err_done) struct err own = { 0 }; /* the status is what counts */
	char block[4096];
	ssize_t n;
	while (out->len < READ_MAX && (n = source_read(rs->body, block, sizeof block, &own)) > 0)
		buf_add(out, block, (size_t)n);
}

int refusal_keep(struct http_response *rs, struct err *e)
{
	static const struct source_ops ops = { kept_read, kept_close };
	struct kept *k = NEW(struct kept);
	k->base.ops = &ops;
	read_some(rs, &k->b);
	source_close(rs->body);
	rs->body = &k->base;
	if (!interrupt_pending())
		return 0;
	errno = EINTR;
	return err_sys(e, "read an answer");
}

/* ---- words ---- */

/* On one line, and short. What is no text is escaped where the error is shown. */
static void put_words(struct slice s, struct buf *out)
{
	_cleanup_(buf_done) struct buf flat = { 0 };
	s = slice_trim(s);
	for (size_t i = 0; i < s.n && flat.len < SHOWN_MAX; i++) {
		bool blank = strchr(" \t\r\n\v\f", s.p[i]) != NULL && s.p[i];
		if (!blank || flat.p[flat.len - 1] != ' ')
			buf_char(&flat, blank ? ' ' : s.p[i]);
	}
	/* Never half a character. */
	while (flat.len == SHOWN_MAX && ((unsigned char)flat.p[flat.len - 1] & 0xc0) == 0x80)
		flat.len--;
	if (flat.len >= SHOWN_MAX - 4 && ((unsigned char)flat.p[flat.len - 1] & 0xc0) == 0xc0)
		flat.len--;
	buf_slice(out, buf_view(&flat));
	if (flat.len >= SHOWN_MAX - 4)
		buf_str(out, "…");
}

static void put_text(const char *text, const char *before, struct buf *out)
{
	if (!text || !*text)
		return;
	if (out->len)
		buf_str(out, before);
	put_words(slice_of(text), out);
}

/* {"errors":[{"code":…,"message":…,"detail":…}]} */
static void put_errors(json_t *list, struct buf *out)
{
	size_t i;
	json_t *v;
	json_array_foreach(list, i, v)
	{
		_cleanup_(buf_done) struct buf one = { 0 };
		const json_t *detail = json_object_get(v, "detail");
		if (i == ERRORS_MAX)
			break;
		put_text(json_string_value(json_object_get(v, "code")), "", &one);
		put_text(json_string_value(json_object_get(v, "message")), ": ", &one);
		put_text(json_string_value(detail), ": ", &one);
		if (one.len && out->len)
			buf_str(out, "; ");
		buf_slice(out, buf_view(&one));
	}
}

/* What the JSON of registries and of what stands before them has to say. */
static bool put_json(struct slice body, struct buf *out)
{
	static const char *const keys[] = { "message", "error", "details", "detail" };
	_json_ json_t *v = js_parse(body, "answer", NULL);
	if (!json_is_object(v))
		return false;
	put_errors(json_object_get(v, "errors"), out);
	for (size_t i = 0; i < COUNT_OF(keys) && out->len == 0; i++)
		put_text(json_string_value(json_object_get(v, keys[i])), "", out);
	return out->len > 0;
}

static bool is_page(const struct http_response *rs, struct slice body)
{
	const char *type = http_header(rs, "content-type");
	return body.n && ((type && slice_starts(slice_of(type), SL("text/html"))) ||
			  slice_starts(slice_trim_left(body), SL("<")));
}

/* The title, else the text between the tags. */
static void put_page(struct slice s, struct buf *out)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	size_t open = slice_search(s, SL("<title>")), end = slice_search(s, SL("</title>"));
	bool tag = false;
	if (open < end && end < s.n) {
		put_words((struct slice){ s.p + open + 7, end - open - 7 }, out);
		return;
	}
	for (size_t i = 0; i < s.n && text.len < SHOWN_MAX; i++) {
		tag = tag || s.p[i] == '<';
		if (!tag)
			buf_char(&text, s.p[i]);
		if (s.p[i] == '>') {
			tag = false;
			buf_char(&text, ' ');
		}
	}
	put_words(buf_view(&text), out);
}

static enum err_kind kind_of(int status)
{
	if (status == 401 || status == 403)
		return ERR_DENIED;
	if (status == 404)
		return ERR_ABSENT;
	return status == 408 || status == 429 || status >= 500 ? ERR_NET : ERR_DATA;
}

static const char *reason(int status)
{
	switch (status) {
	case 400: return "bad request";
	case 401: return "unauthorized";
	case 403: return "forbidden";
	case 404: return "not found";
	case 405: return "method not allowed";
	case 407: return "the proxy wants credentials";
	case 408: return "request timeout";
	case 413: return "too large";
	case 415: return "unsupported media type";
	case 416: return "range not satisfiable";
	case 429: return "too many requests";
	case 500: return "internal server error";
	case 502: return "bad gateway";
	case 503: return "service unavailable";
	case 504: return "gateway timeout";
	default:
		return status / 100 == 3   ? "a redirect"
		       : status / 100 == 2 ? "where the protocol has something else"
					   : "unexpected";
	}
}

static void add_hints(const struct refusal *r, int status, struct err *e)
{
	if (status == 401 && r->host && r->login)
		err_hint(e,
			 "you are asking %s: are name and password right? some registries want a "
			 "token in the place of the password",
			 r->who);
	else if ((status == 401 || status == 403) && r->host)
		err_hint(
			e,
			"you are asking %s; 'thimble login %s' logs in, and where there is no such "
			"repository many registries say the same",
			r->who, r->host);
	else if (status == 401 || status == 403)
		err_hint(e, "this came from where the registry redirected to, not from itself");
	if (status == 429 && r->host)
		err_hint(e,
			 "registries give more to those who are logged in: 'thimble login %s'; or "
			 "name a mirror in registries.conf",
			 r->host);
	if (status == 413)
		err_hint(e, "a proxy before the registry may limit the size of requests");
	if (status == 407)
		err_hint(e,
			 "put them into the proxy's address: https_proxy=http://USER:PASSWORD@…");
	if (r->after > RETRY_PATIENCE * INT64_C(1000000000))
		err_hint(e, "it asks not to come back for %lld s",
			 (long long)(r->after / 1000000000));
}

int refusal_read(const struct refusal *r, struct http_response *rs, struct err *e)
{
	_cleanup_(buf_done) struct buf body = { 0 }, words = { 0 };
	enum err_kind kind = kind_of(rs->status);
	if (rs->body)
		read_some(rs, &body);
	if (!put_json(buf_view(&body), &words) && is_page(rs, buf_view(&body))) {
		buf_str(&words, "a web page, not a registry's answer: '");
		put_page(buf_view(&body), &words);
		buf_char(&words, '\'');
	} else if (words.len == 0) {
		put_words(buf_view(&body), &words);
	}
	err_set(e, kind, "%s answered %d, %s%s%s", r->from, rs->status, reason(rs->status),
		words.len ? ": " : "", words.len ? words.p : "");
	add_hints(r, rs->status, e);
	return -1;
}
