/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"

void *arr_grow_(void *p, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap < 8 ? 8 : *cap + *cap / 2;
	if (n < need)
		n = need;
	p = mem_resize(p, n, size);
	*cap = n;
	return p;
}

void strs_done(struct strs *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->p[i]);
	arr_done(l);
}

void strs_add(struct strs *l, const char *s)
{
	strs_take(l, str_dup(s));
}

void strs_take(struct strs *l, char *s)
{
	arr_push(l, s);
}

void strs_addf(struct strs *l, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	strs_take(l, buf_take(&b));
}

void strs_copy(struct strs *to, const struct strs *from)
{
	struct strs copy = { 0 };
	for (size_t i = 0; i < from->n; i++)
		strs_add(&copy, from->p[i]);
	strs_done(to);
	*to = copy;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strs_sort(struct strs *l)
{
	if (l->n > 1)
		qsort(l->p, l->n, sizeof *l->p, by_bytes);
}

int strs_find(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->p[i], s) == 0)
			return (int)i;
	return -1;
}

char **strs_argv(const struct strs *l)
{
	char **argv = mem_array(l->n + 1, sizeof *argv);
	if (l->n)
		memcpy(argv, l->p, l->n * sizeof *argv);
	return argv;
}

char *strs_join(const struct strs *l, const char *sep)
{
	struct buf b = { 0 };
	for (size_t i = 0; i < l->n; i++) {
		if (i)
			buf_str(&b, sep);
		buf_str(&b, l->p[i]);
	}
	return buf_take(&b);
}
