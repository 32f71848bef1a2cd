/* SPDX-License-Identifier: Apache-2.0 */
/* registry/session_in.h: what session.c and answer.c share. */
#pragma once
#include "registry/session.h"

struct session {
	struct registry_opts o; /* strings are the caller's */
	struct endpoint at;
	char *creds_host;
	struct strs scopes; /* sorted */
	struct auth *auth;
	struct http *http;
	struct http *tokens; /* for token services: the answer with the challenge is still open then */
	bool plain; /* http: */
	bool known; /* it has answered, so `plain` is right */
};
