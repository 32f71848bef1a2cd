/* SPDX-License-Identifier: Apache-2.0 */
/* registry/helper.h: programs that keep passwords, docker-credential-NAME: the protocol of
 * github.com/docker/docker-credential-helpers. A server is what their users have written there:
 * "https://index.docker.io/v1/", "quay.io". One that says nothing for two minutes is ended
 * (THIMBLE_TEST_HELPER_MS: sooner). */
#pragma once
#include "registry/authfile.h"

/* Letters, digits, '-', '_', '.', not first a '.': else ERR_DATA. */
int helper_check_name(const char *name, struct err *e) _must_check_;
/* 1, 0: it has nothing for this server; -1: ERR_ABSENT if there is no such program, else what it
 * said. `out` must be empty; out->from names the helper. */
int helper_get(const char *name, const char *server, struct creds *out, struct err *e) _must_check_;
int helper_store(const char *name, const char *server, const struct creds *c, struct err *e)
	_must_check_;
/* 1, 0: it had nothing, -1. */
int helper_erase(const char *name, const char *server, struct err *e) _must_check_;
/* All servers that it knows, appended. */
int helper_list(const char *name, struct strs *servers, struct err *e) _must_check_;
