/* SPDX-License-Identifier: Apache-2.0 */
/* registry/url.h: absolute http(s) URLs, RFC 3986, as far as registries need them: parts, origin,
 * references resolved against a base (Location headers), query parameters. All hostile. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"

struct err;

#define URL_MAX 8192 /* bytes */

struct url {
	char *scheme; /* "http" or "https" */
	char *host; /* lower case, without brackets */
	unsigned port; /* always set: 80, 443 when the text has none */
	char *path; /* begins with "/" */
	char *query; /* without "?", or NULL */
};
void url_done(struct url *u);
/* Refused (ERR_DATA): another scheme, user names in it, control bytes, blanks, no host, bad port, too
 * long. A fragment is dropped. `out` is not ended first. */
int url_parse(struct slice text, struct url *out, struct err *e) _must_check_;
/* A Location header against the URL it was sent for (RFC 3986 §5.2). */
int url_resolve(const struct url *base, struct slice ref, struct url *out, struct err *e)
	_must_check_;
char *url_text(const struct url *u); /* caller frees */
char *url_host(const struct url *u); /* "host", "host:5000", "[::1]:5000"; caller frees */
/* For messages: the same without the values of query parameters that may be signatures or tokens
 * ("?X-Amz-Signature=…"), and the beginning of what is long. Caller frees. */
char *url_shown(const struct url *u);
/* Scheme, host and port are the same: what credentials are bound to. */
bool url_same_origin(const struct url *a, const struct url *b);
/* Adds "name=value", escaped, to the query. */
void url_add_query(struct url *u, const char *name, const char *value);
/* Escapes what RFC 3986 does not call unreserved; `keep`: more bytes that stay, or NULL. */
void url_escape(struct slice s, const char *keep, struct buf *out);
/* 127.0.0.0/8, ::1, localhost, *.localhost. */
bool host_is_loopback(const char *host);
