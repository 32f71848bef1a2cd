/* SPDX-License-Identifier: Apache-2.0 */
/* oci/digest.h: content digests. OCI image-spec v1.1, descriptor.md, "Digests". Only sha256 is
 * known; sha512 and others are refused by name. */
#pragma once
#include <stdbool.h>
#include "base/attr.h"
#include "base/sha256.h"
#include "base/slice.h"

struct err;

struct digest {
	uint8_t b[SHA256_LEN];
};
#define DIGEST_LEN 72 /* "sha256:" + 64 + NUL */

int digest_parse(struct slice s, struct digest *out, struct err *e) _must_check_; /* "sha256:hex" */
const char *digest_text(const struct digest *d, char out[static DIGEST_LEN]);
const char *digest_hex(const struct digest *d, char out[static SHA256_HEX]); /* without the prefix */
void digest_of(struct slice bytes, struct digest *out);
static inline bool digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}
bool digest_is_zero(const struct digest *d); /* all zero: "not known" */
