/* SPDX-License-Identifier: Apache-2.0 */
/* registry/challenge.h: WWW-Authenticate, RFC 9110 §11.6.1, as registries send it. */
#pragma once
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

enum challenge_kind { CHALLENGE_BASIC, CHALLENGE_BEARER, CHALLENGE_OTHER };
struct challenge {
	enum challenge_kind kind;
	char *scheme; /* as it was written */
	char *realm, *service, *scope, *error; /* or NULL */
};
struct challenges {
	struct challenge *p;
	size_t n, cap;
};
void challenges_done(struct challenges *l);
/* One header's value: several challenges in one, quoted strings, tokens; what is malformed is left
 * out, and limits are kept (16 challenges, 8 KiB). Appends. */
void challenge_parse(struct slice value, struct challenges *out);
