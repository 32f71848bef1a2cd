/* SPDX-License-Identifier: Apache-2.0 */
/* registry/transport.c: libcurl behind transport.h. One easy handle, driven by a multi handle from
 * whoever reads: no thread, and a slow reader slows the sender (the write callback pauses). What
 * arrives goes straight to the reader's memory; only what does not fit there is kept. */
#include "registry/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/interrupt.h"
#include "base/num.h"
#include "oci/platform.h"
#include "registry/curl_lib.h"

#define PIECE  (512u << 10) /* what libcurl hands over at once, at most */
#define CA_MAX (4u << 20)
/* What is left of an answer that nobody reads is read by us, so that the connection can be used
 * again, if it is no more than this and comes at once. */
#define LEFT_MAX (64u << 10)
enum { CONNECT_S = 30, SILENT_S = 60, SILENT_SEND_S = 300, POLL_MS = 1000, LEFT_MS = 100 };
/* Bytes a second, of which libcurl counts those of bodies: who sends less for SILENT_S keeps us busy
 * without getting anywhere. */
enum { SLOWEST = 100 };

#define SET(h, option, value) (void)curl_lib.curl_easy_setopt((h)->easy, CURLOPT_##option, value)

struct body {
	struct source base;
	struct http *h; /* NULL: the exchange is over */
};

struct http {
	CURLM *multi;
	CURL *easy;
	char words[CURL_ERROR_SIZE];
	ARRAY_OF(int) sockets; /* of all connections that are open */
	/* the exchange that is on */
	bool live; /* the easy handle is in the multi handle */
	bool ended; /* libcurl is done with it, as `code` says */
	CURLcode code;
	struct curl_slist *sent;
	const struct http_request *rq; /* until http_send returns */
	size_t body_at;
	struct source *stream; /* borrowed */
	struct err stream_err;
	bool stream_failed;
	/* the answer */
	struct strs headers;
	size_t headers_n; /* bytes */
	bool headers_over, headers_end;
	int status;
	/* the reader's memory, and what did not fit */
	char *to;
	size_t to_n, got;
	struct buf kept;
	size_t kept_at;
	bool paused;
	struct body *body; /* the live one, or NULL */
};

/* ---- opening ---- */

static int open_handles(struct http *h, struct err *e)
{
	h->multi = curl_lib.curl_multi_init();
	h->easy = curl_lib.curl_easy_init();
	return h->multi && h->easy ? 0 : err_set(e, ERR_SYS, "libcurl does not start");
}

struct http *http_open(struct err *e)
{
	struct http *h = NEW(struct http);
	if (curl_need(e) == 0 && open_handles(h, e) == 0)
		return h;
	http_close(h);
	return NULL;
}

static void end_exchange(struct http *h)
{
	if (h->live)
		(void)curl_lib.curl_multi_remove_handle(h->multi, h->easy);
	h->live = false;
	if (h->sent)
		curl_lib.curl_slist_free_all(h->sent);
	h->sent = NULL;
	if (h->body)
		h->body->h = NULL;
	h->body = NULL;
	strs_done(&h->headers);
	buf_clear(&h->kept);
	h->kept_at = 0;
	err_done(&h->stream_err);
}

void http_close(struct http *h)
{
	if (!h)
		return;
	end_exchange(h);
	if (h->easy)
		curl_lib.curl_easy_cleanup(h->easy);
	if (h->multi)
		(void)curl_lib.curl_multi_cleanup(h->multi);
	buf_done(&h->kept);
	arr_done(&h->sockets);
	free(h);
}

/* The handles are left as they are: to end them would say good-bye on the parent's connections. Only
 * our descriptors of these are closed. */
void http_after_fork(struct http *h)
{
	arr_each(fd, &h->sockets)
		(void)close(*fd);
	arr_clear(&h->sockets);
	h->live = false;
	h->sent = NULL;
	end_exchange(h);
	h->multi = NULL;
	h->easy = NULL;
}

/* ---- what libcurl calls ---- */

/* One header line. Status lines begin a new answer (100 Continue comes before the real one). */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	struct slice line = slice_trim_right((struct slice){ p, size * n });
	if (h->headers_end) /* a trailer */
		return size * n;
	h->headers_n += size * n;
	if (h->headers_n > HTTP_HEADERS_MAX) {
		h->headers_over = true;
		return 0;
	}
	if (slice_starts(line, SL("HTTP/"))) {
		strs_done(&h->headers);
		return size * n;
	}
	if (line.n == 0) {
		long status = 0;
		(void)curl_lib.curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
		h->status = (int)status;
		h->headers_end = status >= 200;
		return size * n;
	}
	size_t colon = slice_find(line, ':');
	if (colon == line.n || memchr(line.p, '\0', line.n))
		return size * n; /* no header; nobody asks for it */
	struct slice value = slice_trim(slice_from(line, colon + 1));
	char *text = str_printf("%.*s: %.*s", (int)colon, line.p, SLF(value));
	for (size_t i = 0; i < colon; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] += 'a' - 'A';
	strs_take(&h->headers, text);
	return size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	size_t all = size * n, direct = h->to_n - h->got;
	if (h->kept.len > h->kept_at && h->kept.len - h->kept_at + all > 2 * PIECE) {
		h->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (h->kept.len > h->kept_at)
		direct = 0; /* in order */
	if (direct > all)
		direct = all;
	if (direct)
		memcpy(h->to + h->got, p, direct);
	h->got += direct;
	buf_add(&h->kept, p + direct, all - direct);
	return all;
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
	struct http *h = arg;
	size_t room = size * n;
	if (!h->rq)
		return CURL_READFUNC_ABORT; /* the answer came before all was sent, and is being read */
	if (h->stream) {
		ssize_t got = source_read(h->stream, to, room, &h->stream_err);
		h->stream_failed = got < 0;
		return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
	}
	struct slice b = h->rq->body;
	if (room > b.n - h->body_at)
		room = b.n - h->body_at;
	if (room)
		memcpy(to, b.p + h->body_at, room);
	h->body_at += room;
	return room;
}

/* A connection that was kept may turn out to be dead: then libcurl begins again, where it can. */
static int on_seek(void *arg, curl_off_t at, int origin)
{
	struct http *h = arg;
	if (!h->rq || h->stream || origin != SEEK_SET || at < 0 || (size_t)at > h->rq->body.n)
		return CURL_SEEKFUNC_CANTSEEK;
	h->body_at = (size_t)at;
	return CURL_SEEKFUNC_OK;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	(void)purpose;
	struct http *h = arg;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	if (fd >= 0)
		arr_push(&h->sockets, fd);
	return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static int on_close(void *arg, curl_socket_t fd)
{
	struct http *h = arg;
	for (size_t i = h->sockets.n; i-- > 0;)
		if (h->sockets.p[i] == fd)
			arr_remove(&h->sockets, i);
	return close(fd);
}

/* ---- errors ---- */

static int exchange_failed(struct http *h, struct err *e)
{
	if (h->stream_failed) {
		if (e)
			err_move(e, &h->stream_err);
		return -1;
	}
	if (h->headers_over)
		return err_set(e, ERR_DATA, "the headers of the answer are larger than %u bytes",
			       HTTP_HEADERS_MAX);
	if (h->code == CURLE_OK) { /* the end came within the headers */
		err_set(e, ERR_NET, "the connection ended before the answer did");
		if (e)
			e->sys_errno = ECONNRESET;
		return -1;
	}
	if (h->code == CURLE_OUT_OF_MEMORY && !h->headers_end) /* libcurl's limit for one line */
		return err_set(e, ERR_DATA, "a header of the answer is too large");
	return curl_words(h->easy, h->code, h->words, e);
}

/* ---- driving ---- */

static void look_for_end(struct http *h)
{
	int left;
	CURLMsg *m;
	while ((m = curl_lib.curl_multi_info_read(h->multi, &left)))
		if (m->msg == CURLMSG_DONE) {
			h->ended = true;
			h->code = m->data.result;
		}
}

/* One turn; waits for something to happen if nothing does. */
static int turn(struct http *h, bool (*enough)(const struct http *h), int wait_ms, struct err *e)
{
	int running;
	CURLMcode code = curl_lib.curl_multi_perform(h->multi, &running);
	look_for_end(h);
	if (code == CURLM_OK && !h->ended && !enough(h)) {
		struct curl_waitfd sig = { interrupt_fd(), CURL_WAIT_POLLIN, 0 };
		code = curl_lib.curl_multi_poll(h->multi, &sig, sig.fd >= 0, wait_ms, NULL);
	}
	if (code != CURLM_OK)
		return err_set(e, ERR_SYS, "libcurl: %s", curl_lib.curl_multi_strerror(code));
	if (interrupt_pending()) {
		errno = EINTR;
		return err_sys(e, "speak to a registry");
	}
	return 0;
}

/* Tests shorten the wait. */
static long silent_s(void)
{
	const char *test = getenv("THIMBLE_TEST_SILENT_S");
	uint64_t s;
	return test && num_parse(slice_of(test), SILENT_S, &s) == 0 && s ? (long)s : SILENT_S;
}

static bool has_headers(const struct http *h)
{
	return h->headers_end;
}

static bool has_bytes(const struct http *h)
{
	return h->got > 0;
}

static ssize_t body_read_(struct source *base, void *p, size_t n, struct err *e)
{
	struct http *h = ((struct body *)base)->h;
	if (!h)
		return err_set(e, ERR_SYS, "the answer was let go of");
	size_t have = h->kept.len - h->kept_at;
	if (have) {
		size_t some = have < n ? have : n;
		memcpy(p, h->kept.p + h->kept_at, some);
		h->kept_at += some;
		if (h->kept_at == h->kept.len) {
			buf_clear(&h->kept);
			h->kept_at = 0;
		}
		return (ssize_t)some;
	}
	h->to = p;
	h->to_n = n;
	h->got = 0;
	int r = 0;
	if (h->paused && !h->ended) {
		h->paused = false;
		(void)curl_lib.curl_easy_pause(h->easy, CURLPAUSE_CONT);
	}
	while (r == 0 && h->got == 0 && !h->ended)
		r = turn(h, has_bytes, POLL_MS, e);
	size_t got = h->got;
	h->to_n = h->got = 0;
	if (got)
		return (ssize_t)got;
	if (r == 0 && h->code != CURLE_OK)
		return exchange_failed(h, e);
	return r;
}

static bool never(const struct http *h)
{
	(void)h;
	return false;
}

static void read_left(struct http *h)
{
	_cleanup_(err_done) struct err own = { 0 }; /* then the connection is lost, no more */
	curl_off_t all = -1, got = 0;
	(void)curl_lib.curl_easy_getinfo(h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &all);
	(void)curl_lib.curl_easy_getinfo(h->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
	if (h->paused || all - got > (curl_off_t)LEFT_MAX)
		return;
	int64_t until = clock_mono_ns() + LEFT_MS * INT64_C(1000000);
	h->to_n = h->got = 0;
	while (!h->ended && !h->paused && h->kept.len <= LEFT_MAX && clock_mono_ns() < until)
		if (turn(h, never, LEFT_MS, &own) < 0)
			return;
}

static void body_close_(struct source *base)
{
	struct body *b = (struct body *)base;
	if (b->h && !b->h->ended)
		read_left(b->h);
	if (b->h)
		end_exchange(b->h);
	free(b);
}

/* ---- a request ---- */

static int add_header(struct http *h, const char *text, struct err *e)
{
	if (strpbrk(text, "\r\n"))
		return err_set(e, ERR_USER, "a header with a line break in it");
	h->sent = curl_lib.curl_slist_append(h->sent, text);
	return 0;
}

static int add_headers(struct http *h, const struct http_request *rq, struct err *e)
{
	for (size_t i = 0; rq->headers && i < rq->headers->n; i++)
		if (add_header(h, rq->headers->p[i], e) < 0)
			return -1;
	SET(h, HTTPHEADER, h->sent);
	return 0;
}

/* The system's bundle, if there is one, with more behind it. */
static int trust_too(struct http *h, const struct strs *files, const char *bundle, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { .max = CA_MAX };
	if (bundle && fs_read(AT_FDCWD, bundle, CA_MAX, &b, NULL) < 0)
		buf_clear(&b);
	arr_each(it, files) {
		buf_char(&b, '\n');
		size_t before = b.len;
		if (fs_read(AT_FDCWD, *it, CA_MAX, &b, e) < 0)
			return err_add(e, "read the certificates in '%s'", *it);
		if (!memmem(b.p + before, b.len - before, SL("-----BEGIN ").p, 11)) {
			err_set(e, ERR_DATA, "there is no certificate in '%s'", *it);
			return err_hint(e, "PEM is wanted: openssl x509 -inform der -in FILE "
					   "writes one of DER");
		}
	}
	struct curl_blob blob = { b.p, b.len, CURL_BLOB_COPY };
	SET(h, CAINFO_BLOB, &blob);
	return 0;
}

static int set_tls(struct http *h, const struct http_tls *t, struct err *e)
{
	const char *bundle = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
	char *usual = NULL;
	if (bundle && *bundle)
		SET(h, CAINFO, bundle);
	else if (curl_lib.curl_easy_getinfo(h->easy, CURLINFO_CAINFO, &usual) == CURLE_OK)
		bundle = usual;
	if (dir && *dir)
		SET(h, CAPATH, dir);
	if (!t)
		return 0;
	if (t->insecure) {
		SET(h, SSL_VERIFYPEER, 0L);
		SET(h, SSL_VERIFYHOST, 0L);
	}
	if (t->cert_file)
		SET(h, SSLCERT, t->cert_file);
	if (t->key_file)
		SET(h, SSLKEY, t->key_file);
	return t->ca_files.n ? trust_too(h, &t->ca_files, bundle, e) : 0;
}

static void set_body(struct http *h, const struct http_request *rq)
{
	if (strcmp(rq->method, "GET") == 0)
		return;
	if (strcmp(rq->method, "HEAD") == 0) {
		SET(h, NOBODY, 1L);
		return;
	}
	SET(h, CUSTOMREQUEST, rq->method);
	if (strcmp(rq->method, "DELETE") == 0 && rq->body.n == 0 && !rq->stream)
		return;
	curl_off_t size = rq->stream ? (curl_off_t)rq->stream_size : (curl_off_t)rq->body.n;
	SET(h, UPLOAD, 1L);
	SET(h, INFILESIZE_LARGE, size);
	SET(h, READFUNCTION, on_read);
	SET(h, READDATA, h);
	SET(h, SEEKFUNCTION, on_seek);
	SET(h, SEEKDATA, h);
	SET(h, UPLOAD_BUFFERSIZE, (long)PIECE);
}

/* "thimble/0.1.0 (linux; amd64)" */
static void set_agent(struct http *h)
{
	_cleanup_(platform_done) struct platform host = { 0 };
	platform_host(&host);
	_free_ char *text = str_printf("thimble/" THIMBLE_VERSION " (%s; %s)", host.os, host.arch);
	SET(h, USERAGENT, text);
}

static void set_rest(struct http *h, const struct http_request *rq)
{
	bool sends = rq->stream || strcmp(rq->method, "PUT") == 0;
	SET(h, URL, rq->url);
	curl_set_proxy(h->easy, rq->url);
	SET(h, ERRORBUFFER, h->words);
	SET(h, PROTOCOLS_STR, "http,https");
	SET(h, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(h, HTTP09_ALLOWED, 0L);
	SET(h, FOLLOWLOCATION, 0L);
	SET(h, NOSIGNAL, 1L);
	SET(h, SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's */
	set_agent(h);
	SET(h, OPENSOCKETFUNCTION, on_open);
	SET(h, OPENSOCKETDATA, h);
	SET(h, CLOSESOCKETFUNCTION, on_close);
	SET(h, CLOSESOCKETDATA, h);
	SET(h, CONNECTTIMEOUT, (long)CONNECT_S);
	SET(h, LOW_SPEED_LIMIT, sends ? 1L : (long)SLOWEST);
	SET(h, LOW_SPEED_TIME, sends ? (long)SILENT_SEND_S : silent_s());
	SET(h, BUFFERSIZE, (long)PIECE);
	SET(h, HEADERFUNCTION, on_header);
	SET(h, HEADERDATA, h);
	SET(h, WRITEFUNCTION, on_body);
	SET(h, WRITEDATA, h);
}

static int begin(struct http *h, const struct http_request *rq, struct err *e)
{
	end_exchange(h);
	if (!h->multi && open_handles(h, e) < 0)
		return -1;
	curl_lib.curl_easy_reset(h->easy);
	*h->words = '\0';
	h->ended = h->headers_over = h->headers_end = h->paused = h->stream_failed = false;
	h->code = CURLE_OK;
	h->headers_n = h->body_at = h->to_n = h->got = 0;
	h->status = 0;
	h->rq = rq;
	h->stream = rq->stream;
	set_rest(h, rq);
	set_body(h, rq);
	if (set_tls(h, rq->tls, e) < 0 || add_headers(h, rq, e) < 0)
		return -1;
	if (curl_lib.curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return err_set(e, ERR_SYS, "libcurl takes no request");
	h->live = true;
	return 0;
}

static int64_t length_of(const struct http_response *rs)
{
	const char *text = http_header(rs, "content-length");
	uint64_t n;
	return text && num_parse(slice_of(text), INT64_MAX, &n) == 0 ? (int64_t)n : -1;
}

int http_send(struct http *h, const struct http_request *rq, struct http_response *out,
	      struct err *e)
{
	static const struct source_ops ops = { body_read_, body_close_ };
	int r = begin(h, rq, e);
	while (r == 0 && !h->headers_end && !h->ended)
		r = turn(h, has_headers, POLL_MS, e);
	if (r == 0 && !h->headers_end)
		r = exchange_failed(h, e);
	h->rq = NULL;
	h->stream = NULL;
	if (r < 0) {
		end_exchange(h);
		return -1;
	}
	h->body = NEW(struct body);
	h->body->base.ops = &ops;
	h->body->h = h;
	*out = (struct http_response){ .status = h->status,
				       .headers = h->headers,
				       .body = &h->body->base };
	h->headers = (struct strs){ 0 };
	out->length = length_of(out);
	return 0;
}

const char *http_header(const struct http_response *rs, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < rs->headers.n; i++)
		if (strncmp(rs->headers.p[i], name, n) == 0 &&
		    strncmp(rs->headers.p[i] + n, ": ", 2) == 0)
			return rs->headers.p[i] + n + 2;
	return NULL;
}

void http_response_done(struct http_response *rs)
{
	source_close(rs->body);
	strs_done(&rs->headers);
	*rs = (struct http_response){ 0 };
}
