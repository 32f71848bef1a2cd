/* SPDX-License-Identifier: Apache-2.0 */
/* registry/secret.h: text that is wiped from memory when it ends, and base64 (RFC 4648 §4), which is
 * how passwords are written down. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"
#include "base/slice.h"
#include <jansson.h>

/* Wipes and frees a string, a buffer. NULL and empty are fine. */
void secret_free(char *s);
DEFINE_CLEANUP(char, secret_free)
#define _secret_ _cleanup_(secret_freep)
void secret_buf_done(struct buf *b);
/* Wipes all strings in a JSON value and drops the reference, which must be the last one. */
void secret_json(json_t *v);
static inline void secret_jsonp(json_t **v)
{
	secret_json(*v);
}

/* Room for n bytes, made at once: a buffer that grows leaves copies behind. */
void secret_room(struct buf *b, size_t n);

/* Appends. Encoding makes room first. */
void base64_put(struct slice s, struct buf *out);
/* The text's bytes and a NUL; the padding may be missing, blanks at the ends do not count. NULL if it
 * is malformed. Wipe it. */
char *base64_get(struct slice s, size_t *n);
