/* SPDX-License-Identifier: Apache-2.0 */
/* registry/transport.h: one HTTP exchange. transport.c alone knows the HTTP library (libcurl), which
 * is opened on first use (it costs 5 to 8 ms to load); an ELF .note.dlopen note says so.
 *
 * No redirect is followed, nothing is tried again and no credential is added here: that is the
 * session's (registry/session.h). Only http: and https: are spoken, HTTP/1.1. Proxies come from the
 * environment (http_proxy, https_proxy, HTTPS_PROXY, all_proxy, no_proxy), as curl reads them, but
 * loopback is never asked through one.
 *
 *	struct http_response rs = { 0 };
 *	if (http_send(h, &(struct http_request){ .method = "GET", .url = url }, &rs, e) < 0) …
 *	while ((n = source_read(rs.body, block, sizeof block, e)) > 0) …
 *	http_response_done(&rs);
 *
 * A struct http keeps connections and uses them again. One exchange at a time; one thread. */
#pragma once
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"
#include "base/stream.h"

struct err;
struct http;

/* ERR_SYS, with the package to install, where the library is not there. */
struct http *http_open(struct err *e);
void http_close(struct http *h);
DEFINE_CLEANUP(struct http, http_close)
/* In a forked child: forgets the connections, which are its parent's, without a word on them. */
void http_after_fork(struct http *h);

struct http_tls {
	bool insecure; /* certificate and name are not checked */
	/* PEM files whose certificates are trusted besides the system's. */
	struct strs ca_files;
	const char *cert_file, *key_file; /* client certificate (PEM), or NULL */
};

struct http_request {
	const char *method; /* GET HEAD POST PUT PATCH DELETE */
	const char *url; /* absolute */
	const struct strs *headers; /* "Name: value"; CR, LF or NUL in one is ERR_USER */
	struct slice body; /* small and whole; or: */
	struct source *stream; /* borrowed, read while it is sent */
	int64_t stream_size; /* bytes of `stream`; -1: not known, sent chunked */
	const struct http_tls *tls; /* NULL: the system's trust */
};

#define HTTP_HEADERS_MAX (256u << 10) /* bytes of all headers of an answer, else ERR_DATA */

struct http_response {
	int status; /* 100s are never seen */
	struct strs headers; /* "name: value", names in lower case */
	int64_t length; /* Content-Length, or -1 */
	struct source *body; /* read before the next exchange; ends with http_response_done */
};
/* Sends and reads up to the end of the headers. Connecting takes at most 30 s, a peer that says
 * nothing for 60 s, or less than 100 bytes a second, of a body, has gone (300 s while or after
 * something is sent). An answer that comes before all
 * was sent ends the sending. ERR_NET: no answer, with the cause in words (no such host, refused,
 * certificate not trusted and by which authority …), a hint, and sys_errno for code: EHOSTUNREACH no
 * such host, ECONNREFUSED, ETIMEDOUT, EKEYREJECTED a certificate, EPROTO no TLS, EACCES the proxy
 * refuses, EINVAL a proxy's address that is
 * none, ECONNRESET anything that broke later. A failed read of `stream` gives its own error. The
 * body's read gives ERR_NET when the connection breaks before its end. Waiting ends at a signal
 * (base/interrupt.h). */
int http_send(struct http *h, const struct http_request *rq, struct http_response *out,
	      struct err *e) _must_check_;
/* The first header of this name (lower case), or NULL. Borrowed. */
const char *http_header(const struct http_response *rs, const char *name);
void http_response_done(struct http_response *rs);
