/* SPDX-License-Identifier: Apache-2.0 */
/* oci/reference.h: names of images, read as Docker reads them (distribution/reference): missing
 * registry is docker.io, missing namespace there library/, missing tag (when no digest) latest. */
#pragma once
#include "oci/digest.h"

struct buf;

struct reference {
	char *host;  /* "docker.io", "localhost:5000" */
	char *path;  /* "library/hello" */
	char *tag;   /* NULL if a digest stands alone */
	bool has_digest;
	struct digest digest;
};

/* `out` is not ended first. Errors (ERR_USER) say which part is invalid and why (upper case, empty tag, too long …). */
int reference_parse(struct slice s, struct reference *out, struct err *e) _must_check_;
void reference_done(struct reference *r);
/* "docker.io/library/hello:gcc" — the canonical text, also the name on disk. Caller frees. */
char *reference_text(const struct reference *r);
/* What people see: "hello:gcc"; and without the tag or digest: "hello". Caller frees. */
char *reference_familiar(const struct reference *r);
char *reference_familiar_name(const struct reference *r);
int reference_copy(struct reference *to, const struct reference *from); /* to is ended first; 0 */
bool reference_eq(const struct reference *a, const struct reference *b);
