/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "base/buf.h"

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 256 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

void arena_done(struct arena *a)
{
	for (struct arena_block *b = a->head; b;) {
		struct arena_block *next = b->next;
		free(b);
		b = next;
	}
	a->head = NULL;
}

static struct arena_block *block_new(size_t size)
{
	/* size comes from arena_alloc, which leaves room for the header */
	struct arena_block *b = mem_alloc(sizeof *b + size);
	b->size = size;
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	if (n > SIZE_MAX / 2)
		return mem_array(SIZE_MAX, 2); /* ends the program as any impossible size does */
	n = (n + align - 1) / align * align;

	struct arena_block *head = a->head;
	if (head && n <= head->size - head->used) {
		void *p = head->data + head->used;
		head->used += n;
		return p;
	}

	size_t size = head ? head->size * 2 : FIRST_BLOCK;
	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
	bool alone = n > size / 4;
	struct arena_block *b = block_new(alone ? n : size);
	b->used = n;
	if (alone && head) { /* keeps what is left of the head in use */
		b->next = head->next;
		head->next = b;
	} else {
		b->next = head;
		a->head = b;
	}
	return b->data;
}

char *arena_str(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

struct slice arena_slice(struct arena *a, struct slice s)
{
	return (struct slice){ arena_str(a, s), s.n };
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return arena_str(a, buf_view(&b));
}
