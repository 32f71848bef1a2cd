/* SPDX-License-Identifier: Apache-2.0 */
/* base/array.h: typed growing arrays.
 *	struct plan { ARRAY_OF(struct step *) steps; };      // zeroed is empty
 *	arr_push(&plan->steps, step);
 *	arr_each(it, &plan->steps)  (*it)->x = 1;            // it: pointer to the element
 *	plan->steps.p[i], plan->steps.n
 *	arr_done(&plan->steps);                              // frees the array, not what it points to */
#pragma once
#include <stddef.h>
#include <string.h>
#include "base/alloc.h"

#define ARRAY_OF(type)         \
	struct {               \
		type *p;       \
		size_t n, cap; \
	}

void *arr_grow_(void *p, size_t *cap, size_t need, size_t size);

#define arr_reserve(a, need)                                                                \
	((a)->p = (need) > (a)->cap ? arr_grow_((a)->p, &(a)->cap, (need), sizeof(*(a)->p)) \
				    : (a)->p)
/* The value is looked at before the array grows: it may speak of the array itself. */
#define arr_push(a, ...)                                        \
	(void)({                                                \
		__typeof__(*(a)->p) pushed_ = __VA_ARGS__;      \
		arr_reserve((a), (a)->n + 1);                   \
		(a)->p[(a)->n++] = pushed_;                     \
	})
/* A new zeroed element; its address. */
#define arr_add(a)                                                          \
	(arr_reserve((a), (a)->n + 1),                                      \
	 memset(&(a)->p[(a)->n], 0, sizeof(*(a)->p)), &(a)->p[(a)->n++])
/* `a` may be const: it is then the array that cannot be changed, not the elements. */
#define arr_each(it, a) for (__typeof__(*(a)->p) *it = (a)->p; it && it < (a)->p + (a)->n; it++)
#define arr_last(a) (&(a)->p[(a)->n - 1])
#define arr_done(a) (free((a)->p), (a)->p = NULL, (a)->n = (a)->cap = 0, (void)0)
#define arr_clear(a) ((void)((a)->n = 0))
#define arr_insert(a, at, ...)                                                              \
	(arr_reserve((a), (a)->n + 1),                                                      \
	 memmove(&(a)->p[(at) + 1], &(a)->p[at], ((a)->n - (at)) * sizeof(*(a)->p)), (a)->n++, \
	 (void)((a)->p[at] = (__VA_ARGS__)))
#define arr_remove(a, at)                                                                  \
	(memmove(&(a)->p[at], &(a)->p[(at) + 1], ((a)->n - (at) - 1) * sizeof(*(a)->p)),   \
	 (void)(a)->n--)

/* Lists of strings that own their strings. */
struct strs {
	char **p;
	size_t n, cap;
};
void strs_done(struct strs *l);
void strs_add(struct strs *l, const char *s);             /* a copy */
void strs_take(struct strs *l, char *s);                  /* s is owned by l from now on */
void strs_addf(struct strs *l, const char *fmt, ...) _printf_(2, 3);
void strs_copy(struct strs *to, const struct strs *from); /* to is emptied first */
void strs_sort(struct strs *l);
int strs_find(const struct strs *l, const char *s);       /* index or -1 */
char **strs_argv(const struct strs *l);                   /* NULL-terminated, borrowed strings; free() the array */
char *strs_join(const struct strs *l, const char *sep);
