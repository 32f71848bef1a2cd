/* SPDX-License-Identifier: Apache-2.0 */
/* registry/transport.c: libcurl behind transport.h. One easy handle, driven by a multi handle from
 * whoever reads: no thread, and a slow reader slows the sender (the write callback pauses). What
 * arrives goes straight to the reader's memory; only what does not fit there is kept. */
#include "registry/transport.h"

/* The functions themselves are wanted, not the macros that check their arguments. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>

#include "base/dlib.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/interrupt.h"
#include "base/num.h"

DLIB_NOTE("registries", "pull and push of images", "recommended", "libcurl.so.4");

#define PIECE  (512u << 10) /* what libcurl hands over at once, at most */
#define CA_MAX (4u << 20)
enum { CONNECT_S = 30, SILENT_S = 60, SILENT_SEND_S = 300, POLL_MS = 1000 };

static struct {
	DLIB_FN(curl_global_init);
	DLIB_FN(curl_version);
	DLIB_FN(curl_easy_init);
	DLIB_FN(curl_easy_reset);
	DLIB_FN(curl_easy_cleanup);
	DLIB_FN(curl_easy_setopt);
	DLIB_FN(curl_easy_getinfo);
	DLIB_FN(curl_easy_pause);
	DLIB_FN(curl_easy_strerror);
	DLIB_FN(curl_slist_append);
	DLIB_FN(curl_slist_free_all);
	DLIB_FN(curl_multi_init);
	DLIB_FN(curl_multi_cleanup);
	DLIB_FN(curl_multi_add_handle);
	DLIB_FN(curl_multi_remove_handle);
	DLIB_FN(curl_multi_perform);
	DLIB_FN(curl_multi_poll);
	DLIB_FN(curl_multi_info_read);
	DLIB_FN(curl_multi_strerror);
} lib;

static const struct dlib_fn functions[] = {
	DLIB_BIND(lib, curl_global_init),         DLIB_BIND(lib, curl_version),
	DLIB_BIND(lib, curl_easy_init),           DLIB_BIND(lib, curl_easy_reset),
	DLIB_BIND(lib, curl_easy_cleanup),        DLIB_BIND(lib, curl_easy_setopt),
	DLIB_BIND(lib, curl_easy_getinfo),        DLIB_BIND(lib, curl_easy_pause),
	DLIB_BIND(lib, curl_easy_strerror),       DLIB_BIND(lib, curl_slist_append),
	DLIB_BIND(lib, curl_slist_free_all),      DLIB_BIND(lib, curl_multi_init),
	DLIB_BIND(lib, curl_multi_cleanup),       DLIB_BIND(lib, curl_multi_add_handle),
	DLIB_BIND(lib, curl_multi_remove_handle), DLIB_BIND(lib, curl_multi_perform),
	DLIB_BIND(lib, curl_multi_poll),          DLIB_BIND(lib, curl_multi_info_read),
	DLIB_BIND(lib, curl_multi_strerror),
};

struct body {
	struct source base;
	struct http *h; /* NULL: the exchange is over */
};

struct http {
	CURLM *multi;
	CURL *easy;
	char words[CURL_ERROR_SIZE];
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

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err open_err;
static bool there;

static void open_library(void)
{
	if (dlib_open("libcurl.so.4", "libcurl4", functions, COUNT_OF(functions), &open_err) < 0)
		return;
	CURLcode code = lib.curl_global_init(CURL_GLOBAL_DEFAULT);
	if (code != CURLE_OK)
		err_set(&open_err, ERR_SYS, "libcurl does not start: %s",
			lib.curl_easy_strerror(code));
	there = code == CURLE_OK;
}

static int need_library(struct err *e)
{
	(void)pthread_once(&once, open_library);
	if (there)
		return 0;
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(err_done) struct err copy = { 0 };
	err_save(&open_err, &b);
	if (err_load(buf_view(&b), &copy) == 0 && e)
		err_move(e, &copy);
	return err_add(e, "speak to a registry");
}

const char *http_library(void)
{
	return need_library(NULL) < 0 ? NULL : lib.curl_version();
}

static int open_handles(struct http *h, struct err *e)
{
	h->multi = lib.curl_multi_init();
	h->easy = lib.curl_easy_init();
	return h->multi && h->easy ? 0 : err_set(e, ERR_SYS, "libcurl does not start");
}

struct http *http_open(struct err *e)
{
	struct http *h = NEW(struct http);
	if (need_library(e) == 0 && open_handles(h, e) == 0)
		return h;
	http_close(h);
	return NULL;
}

static void end_exchange(struct http *h)
{
	if (h->live)
		(void)lib.curl_multi_remove_handle(h->multi, h->easy);
	h->live = false;
	if (h->sent)
		lib.curl_slist_free_all(h->sent);
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
		lib.curl_easy_cleanup(h->easy);
	if (h->multi)
		(void)lib.curl_multi_cleanup(h->multi);
	buf_done(&h->kept);
	free(h);
}

/* The handles are left as they are: to end them would say good-bye on the parent's connections. */
void http_after_fork(struct http *h)
{
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
		(void)lib.curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
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

/* ---- errors in words ---- */

static int tls_hints(struct err *e)
{
	err_hint(e,
		 "if the registry has an authority of its own: --cacert FILE, or its certificate "
		 "as /etc/docker/certs.d/HOST:PORT/ca.crt");
	return err_hint(e, "--insecure does not check it at all");
}

/* sys_errno tells the session what kind it is (transport.h). */
static int in_words(const struct http *h, CURLcode code, struct err *e)
{
	const char *text = *h->words ? h->words : lib.curl_easy_strerror(code);
	int no = ECONNRESET;
	err_set(e, ERR_NET, "%s", text);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		no = EHOSTUNREACH;
		err_hint(e, "is the name right, and is there a network? proxies are taken from "
			    "https_proxy and no_proxy");
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		no = EHOSTUNREACH;
		err_hint(e, "the proxy comes from the environment (https_proxy, all_proxy)");
		break;
	case CURLE_COULDNT_CONNECT: no = ECONNREFUSED; break;
	case CURLE_OPERATION_TIMEDOUT: no = ETIMEDOUT; break;
	case CURLE_PEER_FAILED_VERIFICATION:
		no = EKEYREJECTED;
		tls_hints(e);
		break;
	case CURLE_SSL_CACERT_BADFILE:
		no = EKEYREJECTED;
		err_hint(e, "the authorities that this machine trusts are in the package "
			    "ca-certificates");
		break;
	case CURLE_SSL_CERTPROBLEM: no = EKEYREJECTED; break;
	case CURLE_SSL_CONNECT_ERROR: no = EPROTO; break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT: no = EINVAL; break;
	default: break;
	}
	if (e)
		e->sys_errno = no;
	return -1;
}

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
	return in_words(h, h->code, e);
}

/* ---- driving ---- */

static void look_for_end(struct http *h)
{
	int left;
	CURLMsg *m;
	while ((m = lib.curl_multi_info_read(h->multi, &left)))
		if (m->msg == CURLMSG_DONE) {
			h->ended = true;
			h->code = m->data.result;
		}
}

/* One turn; waits for something to happen if nothing does. */
static int turn(struct http *h, bool (*enough)(const struct http *h), struct err *e)
{
	int running;
	CURLMcode code = lib.curl_multi_perform(h->multi, &running);
	look_for_end(h);
	if (code == CURLM_OK && !h->ended && !enough(h)) {
		struct curl_waitfd sig = { interrupt_fd(), CURL_WAIT_POLLIN, 0 };
		code = lib.curl_multi_poll(h->multi, &sig, sig.fd >= 0, POLL_MS, NULL);
	}
	if (code != CURLM_OK)
		return err_set(e, ERR_SYS, "libcurl: %s", lib.curl_multi_strerror(code));
	if (interrupt_pending()) {
		errno = EINTR;
		return err_sys(e, "speak to a registry");
	}
	return 0;
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
		(void)lib.curl_easy_pause(h->easy, CURLPAUSE_CONT);
	}
	while (r == 0 && h->got == 0 && !h->ended)
		r = turn(h, has_bytes, e);
	size_t got = h->got;
	h->to_n = h->got = 0;
	if (got)
		return (ssize_t)got;
	if (r == 0 && h->code != CURLE_OK)
		return exchange_failed(h, e);
	return r;
}

static void body_close_(struct source *base)
{
	struct body *b = (struct body *)base;
	if (b->h)
		end_exchange(b->h);
	free(b);
}

/* ---- a request ---- */

static int add_header(struct http *h, const char *text, struct err *e)
{
	if (strpbrk(text, "\r\n"))
		return err_set(e, ERR_USER, "a header with a line break in it");
	h->sent = lib.curl_slist_append(h->sent, text);
	return 0;
}

static int add_headers(struct http *h, const struct http_request *rq, struct err *e)
{
	for (size_t i = 0; rq->headers && i < rq->headers->n; i++)
		if (add_header(h, rq->headers->p[i], e) < 0)
			return -1;
	lib.curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->sent);
	return 0;
}

/* The system's bundle with more behind it. */
static int trust_too(struct http *h, const struct strs *files, const char *bundle, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { .max = CA_MAX };
	_cleanup_(err_done) struct err own = {
		0
	}; /* without a system bundle the files alone count */
	if (bundle && fs_read(AT_FDCWD, bundle, CA_MAX, &b, &own) < 0)
		buf_clear(&b);
	arr_each(it, files) {
		buf_char(&b, '\n');
		if (fs_read(AT_FDCWD, *it, CA_MAX, &b, e) < 0)
			return err_add(e, "read the certificates in '%s'", *it);
	}
	struct curl_blob blob = { b.p, b.len, CURL_BLOB_COPY };
	lib.curl_easy_setopt(h->easy, CURLOPT_CAINFO_BLOB, &blob);
	return 0;
}

static int set_tls(struct http *h, const struct http_tls *t, struct err *e)
{
	const char *bundle = getenv("SSL_CERT_FILE");
	char *usual = NULL;
	if (bundle && *bundle)
		lib.curl_easy_setopt(h->easy, CURLOPT_CAINFO, bundle);
	else if (lib.curl_easy_getinfo(h->easy, CURLINFO_CAINFO, &usual) == CURLE_OK)
		bundle = usual;
	if (!t)
		return 0;
	if (t->insecure) {
		lib.curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYPEER, 0L);
		lib.curl_easy_setopt(h->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (t->cert_file)
		lib.curl_easy_setopt(h->easy, CURLOPT_SSLCERT, t->cert_file);
	if (t->key_file)
		lib.curl_easy_setopt(h->easy, CURLOPT_SSLKEY, t->key_file);
	return t->ca_files.n ? trust_too(h, &t->ca_files, bundle, e) : 0;
}

static void set_body(struct http *h, const struct http_request *rq)
{
	if (strcmp(rq->method, "GET") == 0)
		return;
	if (strcmp(rq->method, "HEAD") == 0) {
		lib.curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	lib.curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, rq->method);
	if (strcmp(rq->method, "DELETE") == 0 && rq->body.n == 0 && !rq->stream)
		return;
	curl_off_t size = rq->stream ? (curl_off_t)rq->stream_size : (curl_off_t)rq->body.n;
	lib.curl_easy_setopt(h->easy, CURLOPT_UPLOAD, 1L);
	lib.curl_easy_setopt(h->easy, CURLOPT_INFILESIZE_LARGE, size);
	lib.curl_easy_setopt(h->easy, CURLOPT_READFUNCTION, on_read);
	lib.curl_easy_setopt(h->easy, CURLOPT_READDATA, h);
	lib.curl_easy_setopt(h->easy, CURLOPT_SEEKFUNCTION, on_seek);
	lib.curl_easy_setopt(h->easy, CURLOPT_SEEKDATA, h);
	lib.curl_easy_setopt(h->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)PIECE);
}

static void set_rest(struct http *h, const struct http_request *rq)
{
	bool sends = rq->stream || strcmp(rq->method, "PUT") == 0;
	lib.curl_easy_setopt(h->easy, CURLOPT_URL, rq->url);
	lib.curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->words);
	lib.curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	lib.curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	lib.curl_easy_setopt(h->easy, CURLOPT_HTTP09_ALLOWED, 0L);
	lib.curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L);
	lib.curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	lib.curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "thimble");
	lib.curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	lib.curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	lib.curl_easy_setopt(h->easy, CURLOPT_LOW_SPEED_TIME,
			     (long)(sends ? SILENT_SEND_S : SILENT_S));
	lib.curl_easy_setopt(h->easy, CURLOPT_BUFFERSIZE, (long)PIECE);
	lib.curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
	lib.curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
	lib.curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	lib.curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
}

static int begin(struct http *h, const struct http_request *rq, struct err *e)
{
	end_exchange(h);
	if (!h->multi && open_handles(h, e) < 0)
		return -1;
	lib.curl_easy_reset(h->easy);
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
	if (lib.curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
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
		r = turn(h, has_headers, e);
	if (r == 0 && !h->headers_end)
		r = h->code != CURLE_OK ? exchange_failed(h, e)
					: err_set(e, ERR_NET, "the server answered nothing");
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
