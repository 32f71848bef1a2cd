/* SPDX-License-Identifier: Apache-2.0 */
/* registry/blob_put.c: blobs that go. Docker Registry HTTP API V2 "Pushing a layer", OCI
 * distribution-spec v1.1 "Pushing blobs".
 *
 * The whole rest goes in one request, PUT where the digest is known and PATCH (chunked) while it is
 * not. When that breaks, the upload's own GET tells how much arrived, and what is missing follows in
 * pieces with a Content-Range. When the registry has forgotten the upload, it begins again. */
#include <inttypes.h>

#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "registry/repo.h"

enum { TRIES = 5 };
#define PIECE     (4u << 20)
#define PIECE_MAX (64u << 20)

struct upload {
	struct url at;
	uint64_t piece; /* the least that the registry takes at once (OCI-Chunk-Min-Length) */
};

static void upload_free(struct upload *u)
{
	if (!u)
		return;
	url_done(&u->at);
	free(u);
}

/* The Location of a 202, and what comes with it. asked: the URL that was answered. */
static int upload_moves(struct upload *u, const struct url *asked, const struct http_response *rs,
			struct err *e)
{
	const char *where = http_header(rs, "location");
	const char *least = http_header(rs, "oci-chunk-min-length");
	struct url to = { 0 };
	if (!where)
		return err_set(e, ERR_DATA,
			       "the registry began an upload without saying where "
			       "(no Location)");
	if (url_resolve(asked, slice_of(where), &to, e) < 0)
		return err_add(e, "read the Location of an upload");
	url_done(&u->at);
	u->at = to;
	if (least && num_parse(slice_of(least), PIECE_MAX, &u->piece) < 0)
		return err_set(e, ERR_DATA,
			       "the registry takes uploads only in pieces of at least "
			       "%s bytes; at most %u are sent",
			       least, PIECE_MAX);
	return 0;
}

/* POST .../blobs/uploads/, with a query or "". 1: the blob is there (mounted), 0: *out is begun. */
static int upload_post(struct registry *r, const char *query, struct upload **out, struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	_cleanup_(url_done) struct url asked = { 0 };
	_cleanup_(strs_done) struct strs headers = { 0 };
	_free_ char *tail = str_printf("blobs/uploads/%s", query);
	struct session *s = repo_session(r, r->now, e);
	if (!s)
		return -1;
	_free_ char *path = repo_path(r, r->now, tail);
	strs_add(&headers, "Content-Length: 0");
	const struct session_request rq = { .method = "POST", .path = path, .headers = &headers };
	if (session_send(s, &rq, &rs, &asked, e) < 0)
		return -1;
	if (rs.status == 201)
		return 1;
	if (rs.status != 202)
		return err_add((session_failed(s, &rq, &rs, e), e), "begin an upload");
	struct upload *u = NEW(struct upload);
	if (upload_moves(u, &asked, &rs, e) < 0) {
		upload_free(u);
		return -1;
	}
	*out = u;
	return 0;
}

/* It is a favour: who may not read `from` (403, or the token service grants no such scope), or whose
 * registry knows no mounts (400, 404, 405), sends the blob. */
int registry_blob_mount(struct registry *r, const struct digest *d, const char *from,
			struct upload **u, struct err *e)
{
	char text[DIGEST_LEN];
	_cleanup_(buf_done) struct buf q = { 0 }, line = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	struct session *s = repo_session(r, r->now, e);
	if (!s)
		return -1;
	_free_ char *scope = str_printf("repository:%s:pull", from);
	session_scope(s, scope);
	buf_str(&q, "?mount=");
	url_escape(slice_of(digest_text(d, text)), NULL, &q);
	buf_str(&q, "&from=");
	url_escape(slice_of(from), NULL, &q);
	int ret = upload_post(r, q.p, u, &why);
	if (ret >= 0)
		return ret;
	session_unscope(s, scope);
	if (why.kind == ERR_SYS || why.kind == ERR_USER) {
		err_move(e, &why);
		return -1;
	}
	err_line(&why, &line);
	log_debug("not mounted from '%s': %s", from, line.p);
	return 0;
}

/* ---- the stream of one request ---- */

struct put {
	struct registry *r;
	struct session *s;
	struct upload *u;
	const struct upload_from *from;
	void (*sent)(void *ctx, int64_t n);
	void *ctx;
	uint64_t at; /* what the registry has, as far as we know */
	uint64_t far; /* the most that it took so far */
	uint64_t told; /* to `sent`: what is sent twice counts once */
	bool pieces; /* something broke: careful from now on */
	unsigned failures; /* since it took more than ever before */
};

struct put_source {
	struct source base;
	struct put *p;
	uint64_t at, end;
};

static void tell(struct put *p, uint64_t at)
{
	if (p->sent && at > p->told)
		p->sent(p->ctx, (int64_t)(at - p->told));
	if (at > p->told)
		p->told = at;
}

static ssize_t put_read(struct source *base, void *to, size_t n, struct err *e)
{
	struct put_source *s = (struct put_source *)base;
	if (n > s->end - s->at)
		n = (size_t)(s->end - s->at);
	if (n == 0)
		return 0;
	ssize_t got = s->p->from->pread(s->p->from->ctx, to, n, s->at, e);
	if (got > 0) {
		s->at += (uint64_t)got;
		tell(s->p, s->at);
	}
	return got;
}

static void put_close(struct source *base)
{
	(void)base; /* lives on the stack */
}
static const struct source_ops put_ops = { put_read, put_close };

/* ---- requests ---- */

/* What came back from a request with bytes in it. */
enum outcome { OUT_DONE, OUT_BROKE, OUT_LOST, OUT_FAILED };

static enum outcome judge(struct put *p, const struct session_request *rq, int wanted,
			  struct http_response *rs, struct err *e)
{
	if (rs->status == wanted || (wanted == 201 && rs->status == 204))
		return OUT_DONE;
	(void)session_failed(p->s, rq, rs, e);
	if (rs->status == 404 && p->u)
		return OUT_LOST;
	/* 401: the session has a new token by now; 416: we were wrong about what it has. */
	if (rs->status == 401 || rs->status == 416 || rs->status == 408 || rs->status == 429 ||
	    rs->status >= 500)
		return OUT_BROKE;
	return OUT_FAILED;
}

static enum outcome send_bytes(struct put *p, const char *method, const struct url *url,
			       uint64_t end, int64_t size, bool range, int wanted, struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	_cleanup_(strs_done) struct strs headers = { 0 };
	_cleanup_(url_done) struct url asked = { 0 };
	struct put_source body = { { &put_ops }, p, p->at, end };
	strs_add(&headers, "Content-Type: application/octet-stream");
	if (range)
		strs_addf(&headers, "Content-Range: %" PRIu64 "-%" PRIu64, p->at, end - 1);
	const struct session_request rq = { .method = method,
					    .url = url,
					    .headers = &headers,
					    .stream = &body.base,
					    .stream_size = size };
	if (session_send(p->s, &rq, &rs, &asked, e) < 0)
		return e->kind == ERR_NET ? OUT_BROKE : OUT_FAILED;
	enum outcome r = judge(p, &rq, wanted, &rs, e);
	if (r != OUT_DONE)
		return r;
	p->at = body.at;
	/* Not for bytes that went once already: a registry that takes them all and forgets them at the
	 * end, each time, would get them for ever. */
	if (p->at > p->far) {
		p->far = p->at;
		p->failures = 0;
	}
	if (wanted == 202 && upload_moves(p->u, &asked, &rs, e) < 0)
		return OUT_FAILED;
	return OUT_DONE;
}

static void with_digest(const struct upload *u, const struct digest *d, struct url *out)
{
	char text[DIGEST_LEN];
	out->scheme = str_dup(u->at.scheme);
	out->host = str_dup(u->at.host);
	out->port = u->at.port;
	out->path = str_dup(u->at.path);
	out->query = str_dup(u->at.query);
	url_add_query(out, "digest", digest_text(d, text));
}

/* The end of an upload: all bytes are there, or (from offset 0, of known size) go with it. */
static enum outcome put_last(struct put *p, struct err *e)
{
	struct digest d;
	uint64_t size;
	_cleanup_(url_done) struct url url = { 0 };
	if (p->from->digest(p->from->ctx, &d, &size, e) < 0)
		return OUT_FAILED;
	with_digest(p->u, &d, &url);
	if (p->at > size) {
		err_set(e, ERR_DATA, "the registry has more bytes of the upload than were sent");
		return OUT_LOST;
	}
	return send_bytes(p, "PUT", &url, size, (int64_t)(size - p->at), p->at > 0 && p->at < size,
			  201, e);
}

/* One piece with its range, after something broke. */
static enum outcome put_piece(struct put *p, uint64_t size, struct err *e)
{
	uint64_t n = p->u->piece > PIECE ? p->u->piece : PIECE;
	uint64_t end = size - p->at > n ? p->at + n : size;
	return send_bytes(p, "PATCH", &p->u->at, end, (int64_t)(end - p->at), true, 202, e);
}

/* Waits until all of it can be read, so that its size is known. */
static int put_wait(struct put *p, uint64_t *size, struct err *e)
{
	_free_ char *block = mem_alloc(1 << 16);
	struct digest d;
	uint64_t at = p->at;
	ssize_t n;
	while ((n = p->from->pread(p->from->ctx, block, 1 << 16, at, e)) > 0)
		at += (uint64_t)n;
	return n < 0 ? -1 : p->from->digest(p->from->ctx, &d, size, e);
}

static enum outcome put_rest(struct put *p, struct err *e)
{
	uint64_t size;
	if (!p->pieces && p->from->size >= 0)
		return put_last(p, e);
	if (!p->pieces) {
		enum outcome r = send_bytes(p, "PATCH", &p->u->at, UINT64_MAX, -1, false, 202, e);
		return r == OUT_DONE ? put_last(p, e) : r;
	}
	if (put_wait(p, &size, e) < 0)
		return OUT_FAILED;
	while (p->at < size) {
		enum outcome r = put_piece(p, size, e);
		if (r != OUT_DONE)
			return r;
	}
	return put_last(p, e);
}

/* How much the registry has: its Range "0-99" is 100 bytes; "0-0" is told for none as well as for
 * one, so that one is sent again. */
static enum outcome ask_offset(struct put *p, struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	_cleanup_(url_done) struct url asked = { 0 };
	const struct session_request rq = { .method = "GET", .url = &p->u->at };
	uint64_t last = 0;
	if (session_send(p->s, &rq, &rs, &asked, e) < 0)
		return OUT_FAILED;
	if (rs.status != 204 && rs.status != 202)
		return OUT_LOST;
	const char *range = http_header(&rs, "range");
	struct slice s = slice_of(range);
	const char *dash = range ? memchr(s.p, '-', s.n) : NULL;
	if (dash && num_parse(slice_of(dash + 1), INT64_MAX, &last) < 0)
		return OUT_LOST;
	if (http_header(&rs, "location") && upload_moves(p->u, &asked, &rs, e) < 0)
		return OUT_FAILED;
	p->at = last ? last + 1 : 0;
	log_debug("the registry has %" PRIu64 " bytes of the upload", p->at);
	return OUT_DONE;
}

static int put_begin(struct put *p, struct err *e)
{
	upload_free(p->u);
	p->u = NULL;
	p->at = 0;
	int r = upload_post(p->r, "", &p->u, e);
	if (r > 0)
		return err_set(e, ERR_DATA, "the registry called an upload done before it began");
	return r;
}

/* After a failure: 0 when the next try may start. */
static int put_again(struct put *p, enum outcome what, struct err *why, struct err *e)
{
	if (what == OUT_FAILED || p->failures >= TRIES) {
		err_move(e, why);
		return -1;
	}
	if (session_pause(p->s, p->failures++, why, e) < 0)
		return -1;
	p->pieces = true;
	_cleanup_(err_done) struct err own = { 0 }; /* a new upload is begun instead */
	if (what == OUT_BROKE && ask_offset(p, &own) == OUT_DONE)
		return 0;
	p->pieces = false;
	return put_begin(p, e);
}

int registry_blob_put(struct registry *r, struct upload *u, const struct upload_from *from,
		      void (*sent)(void *ctx, int64_t n), void *ctx, struct err *e)
{
	struct put p = { .r = r, .u = u, .from = from, .sent = sent, .ctx = ctx };
	p.s = repo_session(r, r->now, e);
	int ret = p.s && (p.u || put_begin(&p, e) == 0) ? 0 : -1;
	while (ret == 0) {
		_cleanup_(err_done) struct err why = { 0 };
		enum outcome o = put_rest(&p, &why);
		if (o == OUT_DONE)
			break;
		ret = put_again(&p, o, &why, e);
	}
	upload_free(p.u);
	return ret;
}

/* ---- bytes in memory ---- */

static ssize_t bytes_pread(void *ctx, void *p, size_t n, uint64_t at, struct err *e)
{
	(void)e;
	const struct slice *s = ctx;
	if (at >= s->n)
		return 0;
	if (n > s->n - at)
		n = s->n - (size_t)at;
	memcpy(p, s->p + at, n);
	return (ssize_t)n;
}

static int bytes_digest(void *ctx, struct digest *out, uint64_t *size, struct err *e)
{
	(void)e;
	const struct slice *s = ctx;
	digest_of(*s, out);
	*size = s->n;
	return 0;
}

int registry_blob_put_bytes(struct registry *r, struct slice bytes, struct digest *d, struct err *e)
{
	const struct upload_from from = { &bytes, bytes_pread, (int64_t)bytes.n, bytes_digest };
	digest_of(bytes, d);
	return registry_blob_put(r, NULL, &from, NULL, NULL, e);
}
