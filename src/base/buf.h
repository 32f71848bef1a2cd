/* SPDX-License-Identifier: Apache-2.0 */
/* base/buf.h: growing bytes, always NUL-terminated once something was added.
 *	_cleanup_(buf_done) struct buf b = { .max = LIMIT };  // max 0: no limit
 * Past max nothing is added and b.over is set, so one buf_check at the end is enough. */
#pragma once
#include <stdarg.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/slice.h"

struct err;

struct buf {
	char *p;
	size_t len, cap, max;
	bool over;
};

void buf_done(struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_slice(struct buf *b, struct slice s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) _printf_(2, 0);
void buf_zero(struct buf *b, size_t n);   /* n zero bytes */
void buf_clear(struct buf *b);            /* keeps the memory */
/* n writable bytes after len; add to len oneself (and end with p[len] = 0). NULL, and over, past max. */
void *buf_room(struct buf *b, size_t n);
char *buf_take(struct buf *b);            /* the string ("" if nothing was added); b is empty then */
struct slice buf_view(const struct buf *b);
/* -1 (ERR_DATA, "WHAT is larger than N bytes") if b->over. */
int buf_check(const struct buf *b, const char *what, struct err *e) _must_check_;

/* little-endian numbers in binary formats */
void buf_le16(struct buf *b, uint16_t v);
void buf_le32(struct buf *b, uint32_t v);
void buf_le64(struct buf *b, uint64_t v);
