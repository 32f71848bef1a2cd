/* SPDX-License-Identifier: Apache-2.0 */
/* registry/refusal.h: an answer that nobody wanted, as an error: the codes and words of
 * distribution-spec v1.1 "Error Codes", or the beginning of whatever else was sent. All of it is
 * hostile: at most 64 KiB are read, and what is shown is short and escaped. */
#pragma once
#include <stdint.h>

#include "base/attr.h"
#include "registry/transport.h"

struct err;

/* Reads the body now (at most 64 KiB of it), so that the connection can be used for something else;
 * rs->body gives the same bytes again. A body that breaks off counts as far as it came. -1: a signal
 * came. */
int refusal_keep(struct http_response *rs, struct err *e) _must_check_;

struct refusal {
	const char *from; /* host[:port] that answered */
	const char *host; /* as `thimble login` wants it; NULL: another server than the registry */
	const char *who; /* auth_who */
	bool login; /* it was asked only whether these credentials are right */
	int64_t after; /* what Retry-After asks for in ns, or -1 */
};
/* Returns -1 with *e: 401 and 403 ERR_DENIED, 404 ERR_ABSENT, 408, 429 and 5xx ERR_NET, else ERR_DATA. */
int refusal_read(const struct refusal *r, struct http_response *rs, struct err *e);
