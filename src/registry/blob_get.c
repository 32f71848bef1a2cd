/* SPDX-License-Identifier: Apache-2.0 */
/* registry/blob_get.c: blobs that come. One source reads through as many answers as it takes: where
 * a connection breaks the next request asks for the rest (RFC 9110, 14.2), here or, when a mirror
 * fails for good, at the next endpoint. The digest is taken over all of it, so it does not matter who
 * sent which part. */
#include <inttypes.h>

#include "base/err.h"
#include "base/num.h"
#include "registry/repo.h"

int registry_blob_has(struct registry *r, const struct digest *d, uint64_t *size, struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	char text[DIGEST_LEN];
	_free_ char *tail = str_printf("blobs/%s", digest_text(d, text));
	if (repo_ask(r, r->now, "HEAD", tail, NULL, &rs, e) < 0)
		return -1;
	if (rs.status == 404)
		return 0;
	if (rs.status != 200)
		return repo_failed(r, r->now, "HEAD", tail, &rs, e);
	if (size)
		*size = rs.length < 0 ? 0 : (uint64_t)rs.length;
	return 1;
}

/* A connection that carried so much was worth making: the count of failures begins anew. */
#define FAR (64u << 10)

struct blob_source {
	struct source base;
	struct registry *r;
	struct digest want;
	uint64_t size, at; /* at: bytes that were handed out */
	uint64_t skip; /* of this answer, when the server gives all from the start */
	struct sha256 sum;
	struct http_response rs;
	bool open, ended;
	unsigned failures; /* with less than FAR between them */
	uint64_t failed_at;
	char *tail;
};

static void blob_let_go(struct blob_source *b)
{
	if (b->open)
		http_response_done(&b->rs);
	b->rs = (struct http_response){ 0 };
	b->open = false;
}

/* "bytes 100-199/200": 1 if it begins where we asked. */
static int range_fits(const char *text, uint64_t from)
{
	struct slice s = slice_of(text);
	uint64_t start;
	if (!slice_starts(s, SL("bytes ")))
		return 0;
	s = slice_from(s, 6);
	const char *dash = memchr(s.p, '-', s.n);
	if (!dash)
		return 0;
	s.n = (size_t)(dash - s.p);
	return num_parse(s, UINT64_MAX, &start) == 0 && start == from;
}

static int too_long(const struct blob_source *b, struct err *e)
{
	return err_set(e, ERR_DATA,
		       "the registry sends more than the %" PRIu64 " bytes that the manifest says",
		       b->size);
}

static int answer_check(struct blob_source *b, struct err *e)
{
	const struct http_response *rs = &b->rs;
	if (rs->status == 206) {
		if (!range_fits(http_header(rs, "content-range"), b->at))
			return err_set(e, ERR_DATA,
				       "the registry answered with another part of the "
				       "blob than was asked for");
		return 0;
	}
	if (rs->status != 200)
		return repo_failed(b->r, b->r->now, "GET", b->tail, &b->rs, e);
	b->skip = b->at; /* it does not know ranges */
	return rs->length >= 0 && (uint64_t)rs->length > b->size ? too_long(b, e) : 0;
}

static int blob_ask(struct blob_source *b, struct err *e)
{
	struct session *s = repo_session(b->r, b->r->now, e);
	_cleanup_(strs_done) struct strs headers = { 0 };
	if (!s)
		return -1;
	_free_ char *path = repo_path(b->r, b->r->now, b->tail);
	if (b->at)
		strs_addf(&headers, "Range: bytes=%" PRIu64 "-", b->at);
	const struct session_request rq = { .method = "GET", .path = path, .headers = &headers };
	if (session_send(s, &rq, &b->rs, NULL, e) < 0)
		return -1;
	b->open = true;
	b->skip = 0;
	return answer_check(b, e);
}

/* Reads from the answer that is open. 0 before the end: the connection closed early. */
static ssize_t answer_read(struct blob_source *b, void *p, size_t n, struct err *e)
{
	char block[4096];
	while (b->skip) {
		size_t want = b->skip < sizeof block ? (size_t)b->skip : sizeof block;
		ssize_t got = source_read(b->rs.body, block, want, e);
		if (got <= 0)
			return got;
		b->skip -= (uint64_t)got;
	}
	return source_read(b->rs.body, p, n, e);
}

static int blob_end(struct blob_source *b, struct err *e)
{
	struct digest got;
	char a[DIGEST_LEN], w[DIGEST_LEN], more;
	_cleanup_(err_done) struct err own = {
		0
	}; /* all bytes are there: how it ends is no matter */
	if (b->open && source_read(b->rs.body, &more, 1, &own) > 0)
		return too_long(b, e);
	blob_let_go(b);
	b->ended = true;
	sha256_end(&b->sum, got.b);
	if (digest_eq(&got, &b->want))
		return 0;
	err_set(e, ERR_DATA,
		"the registry sent other bytes than those asked for: digest %s, not %s",
		digest_text(&got, a), digest_text(&b->want, w));
	return err_hint(e,
			"try again; if it stays so, the registry's storage or a proxy is damaged");
}

/* After an error: 0 if it is worth another try. An answer that did not come at all has been asked for
 * again by the session. */
static int blob_again(struct blob_source *b, struct err *why, struct err *e)
{
	struct registry *r = b->r;
	bool broke = b->open && why->kind == ERR_NET && !session_gave_up(r->sessions[r->now]);
	blob_let_go(b);
	bool last = r->now + 1 == r->at.n;
	if (b->at - b->failed_at >= FAR)
		b->failures = 0;
	b->failed_at = b->at;
	if (broke && (b->failures < 5 || last))
		return session_pause(r->sessions[r->now], b->failures++, why, e);
	if (!last && why->kind != ERR_SYS) {
		r->now++;
		b->failures = 0;
		return 0;
	}
	err_move(e, why);
	return -1;
}

static ssize_t blob_step(struct blob_source *b, void *p, size_t n, struct err *e)
{
	if (!b->open && blob_ask(b, e) < 0)
		return -1;
	ssize_t got = answer_read(b, p, n, e);
	if (got == 0)
		return err_set(e, ERR_NET,
			       "the registry closed the connection after %" PRIu64 " of %" PRIu64
			       " bytes",
			       b->at, b->size);
	return got;
}

static ssize_t blob_read_(struct source *base, void *p, size_t n, struct err *e)
{
	struct blob_source *b = (struct blob_source *)base;
	if (b->ended)
		return 0;
	if (b->at == b->size)
		return blob_end(b, e);
	if (n > b->size - b->at)
		n = (size_t)(b->size - b->at);
	for (;;) {
		_cleanup_(err_done) struct err why = { 0 };
		ssize_t got = blob_step(b, p, n, &why);
		if (got > 0) {
			sha256_add(&b->sum, p, (size_t)got);
			b->at += (uint64_t)got;
			return got;
		}
		if (blob_again(b, &why, e) < 0)
			return err_add(e, "download %s", b->tail);
	}
}

static void blob_close_(struct source *base)
{
	struct blob_source *b = (struct blob_source *)base;
	blob_let_go(b);
	free(b->tail);
	free(b);
}

static const struct source_ops blob_ops = { blob_read_, blob_close_ };

struct source *registry_blob_get(struct registry *r, const struct descriptor *d, struct err *e)
{
	(void)e;
	char text[DIGEST_LEN];
	struct blob_source *b = NEW(struct blob_source);
	b->base.ops = &blob_ops;
	b->r = r;
	b->want = d->digest;
	b->size = d->size;
	b->tail = str_printf("blobs/%s", digest_text(&d->digest, text));
	sha256_begin(&b->sum);
	return &b->base;
}

int registry_blob_read(struct registry *r, const struct descriptor *d, size_t max, struct buf *out,
		       struct err *e)
{
	if (d->size > max)
		return err_set(e, ERR_DATA,
			       "a blob of %" PRIu64 " bytes where at most %zu are taken", d->size,
			       max);
	_cleanup_(source_closep) struct source *in = registry_blob_get(r, d, e);
	_free_ char *block = mem_alloc(1 << 16);
	ssize_t n;
	out->max = max;
	while ((n = source_read(in, block, 1 << 16, e)) > 0)
		buf_add(out, block, (size_t)n);
	return n < 0 ? -1 : buf_check(out, "blob", e);
}
