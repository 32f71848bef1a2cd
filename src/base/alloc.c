/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Written with one write(2): stdio may want memory itself. */
static _noreturn_ void out_of_memory(void)
{
	static const char words[] = "thimble: out of memory\n";
	ssize_t n = write(STDERR_FILENO, words, sizeof words - 1);
	(void)n;
	_exit(125);
}

/* The small pages up to the first huge one, at least SMALL of them, are what short commands need. */
void mem_start(void)
{
	enum { FIRST = 64 << 20, LATER = 128 << 10, LARGEST_IN_HEAP = 32 << 20, SMALL = 1 << 20,
	       HUGE_PAGE = 2 << 20 };
	(void)mallopt(M_MMAP_THRESHOLD, LARGEST_IN_HEAP);
	(void)mallopt(M_TRIM_THRESHOLD, 2 * FIRST);
	(void)mallopt(M_TOP_PAD, FIRST);
	char *start = sbrk(0);
	void *volatile p = malloc(SMALL); /* more than there is: the heap grows, unless a limit forbids */
	char *end = sbrk(0);
	free(p);
	(void)mallopt(M_TOP_PAD, LATER);
	if ((uintptr_t)start == UINTPTR_MAX || (uintptr_t)end == UINTPTR_MAX)
		return;
	size_t skip = SMALL + (HUGE_PAGE - ((uintptr_t)start + SMALL) % HUGE_PAGE) % HUGE_PAGE;
	if (end > start && (size_t)(end - start) > skip)
		(void)madvise(start + skip, (size_t)(end - start) - skip, MADV_HUGEPAGE);
}

void *mem_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *mem_array(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		return mem_alloc(1);
	void *p = calloc(count, size);
	if (!p)
		out_of_memory();
	return p;
}

void *mem_resize(void *p, size_t count, size_t size)
{
	size_t n;
	if (__builtin_mul_overflow(count, size, &n))
		out_of_memory();
	p = realloc(p, n ? n : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *str_dup(const char *s)
{
	return s ? mem_dup(s, strlen(s) + 1) : NULL;
}

char *str_ndup(const char *s, size_t n)
{
	char *p = mem_resize(NULL, n + 1, 1);
	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

void *mem_dup(const void *p, size_t n)
{
	void *copy = mem_resize(NULL, n, 1);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *str_printf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return s;
}

void str_set(char **p, char *s)
{
	free(*p);
	*p = s;
}
