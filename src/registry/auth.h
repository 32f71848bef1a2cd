/* SPDX-License-Identifier: Apache-2.0 */
/* registry/auth.h: from a challenge to an Authorization header: basic, and bearer tokens as the
 * distribution project's token specification has them (GET with basic, POST with a refresh token
 * as OAuth2), kept by scope until they expire.
 *
 * Credentials belong to one registry (scheme, host, port). They go there, and to the realm that this
 * registry itself named over https (or loopback), and nowhere else; a token goes only to the origin
 * that asked for it. Nothing of it is ever logged. */
#pragma once
#include "registry/authfile.h"
#include "registry/challenge.h"
#include "registry/transport.h"
#include "registry/url.h"

struct auth;

struct auth_opts {
	const struct creds *creds; /* from --creds, copied; NULL: by authfile */
	struct authfile_opts file; /* copied, strings borrowed */
	const char *host, *path; /* as authfile_get wants them; borrowed */
};
struct auth *auth_new(const struct auth_opts *o);
void auth_free(struct auth *a);
DEFINE_CLEANUP(struct auth, auth_free)

/* The header to send to `at` for these scopes ("repository:library/gcc:pull", sorted, each once), if
 * one is known from before: "Authorization: …", or NULL. Borrowed until the next call. */
const char *auth_header(struct auth *a, const struct url *at, const struct strs *scopes);
/* Answers a 401 of `at`. 1: there is a (new) header now, try again; 0: nothing more can be done, the
 * 401 stands; -1 (ERR_NET, ERR_DENIED: the token service's own words; ERR_DATA). tls_of gives the
 * TLS settings for the token service's host, ended here with hosts_tls_done. The first origin that
 * comes here is the registry: 0 for every other. */
int auth_answer(struct auth *a, struct http *h, const struct url *at, const struct strs *scopes,
		const struct challenges *l,
		int (*tls_of)(void *ctx, const struct url *u, struct http_tls *out, struct err *e),
		void *ctx, struct err *e) _must_check_;
/* Whom we are, for messages: "as alice (from ~/.docker/config.json)" or "without credentials".
 * Caller frees. */
char *auth_who(const struct auth *a);
