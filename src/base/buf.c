/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/num.h"

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

/* Room for n bytes and a NUL after len; false (and over) if that is past max. */
static bool grow(struct buf *b, size_t n)
{
	size_t need;
	if (b->over || ckd_add(&need, b->len, n) || (b->max && need > b->max) ||
	    ckd_add(&need, need, 1)) {
		b->over = true;
		return false;
	}
	if (need > b->cap) {
		size_t cap = b->cap < 32 ? 64 : b->cap * 2;
		b->cap = cap > need ? cap : need;
		b->p = mem_resize(b->p, b->cap, 1);
		b->p[b->len] = '\0';
	}
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!grow(b, n))
		return;
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_slice(b, slice_of(s));
}

void buf_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.n);
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_zero(struct buf *b, size_t n)
{
	if (!grow(b, n))
		return;
	memset(b->p + b->len, 0, n + 1);
	b->len += n;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	char few[256];
	int n = vsnprintf(few, sizeof few, fmt, ap);
	if (n >= 0 && (size_t)n < sizeof few) {
		buf_add(b, few, (size_t)n);
	} else if (n >= 0 && grow(b, (size_t)n)) {
		(void)vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	} else if (n < 0) {
		b->over = true; /* longer than INT_MAX */
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->over = false;
	if (b->p)
		b->p[0] = '\0';
}

void *buf_room(struct buf *b, size_t n)
{
	return grow(b, n) ? b->p + b->len : NULL;
}

char *buf_take(struct buf *b)
{
	char *s = b->p ? b->p : str_dup("");
	*b = (struct buf){ .max = b->max };
	return s;
}

struct slice buf_view(const struct buf *b)
{
	return (struct slice){ b->p ? b->p : "", b->len };
}

int buf_check(const struct buf *b, const char *what, struct err *e)
{
	if (!b->over)
		return 0;
	return err_set(e, ERR_DATA, "%s is larger than %zu bytes", what, b->max);
}

void buf_le16(struct buf *b, uint16_t v)
{
	uint8_t raw[2] = { (uint8_t)v, (uint8_t)(v >> 8) };
	buf_add(b, raw, sizeof raw);
}

void buf_le32(struct buf *b, uint32_t v)
{
	buf_le16(b, (uint16_t)v);
	buf_le16(b, (uint16_t)(v >> 16));
}

void buf_le64(struct buf *b, uint64_t v)
{
	buf_le32(b, (uint32_t)v);
	buf_le32(b, (uint32_t)(v >> 32));
}
