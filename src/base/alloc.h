/* SPDX-License-Identifier: Apache-2.0 */
/* base/alloc.h: memory that is always there. Out of memory ends the program with status 125 and
 * one line on stderr; nobody writes that branch. Sizes that come from input are limited by the
 * caller before it allocates. What these return is freed with free(). */
#pragma once
#include <stddef.h>
#include "base/attr.h"

/* For main, before anything is allocated: the first 64 MiB of memory's addresses are taken at once, and
 * all but the first MiB or two are huge pages where the kernel gives them (madvise(2)) when they are
 * touched. In a virtual machine the first touch of a small page can cost 20 µs, of a huge one as much
 * as ten of them. */
void mem_start(void);

void *mem_alloc(size_t n) __attribute__((malloc));                    /* zeroed; n 0 gives 1 byte */
void *mem_array(size_t count, size_t size) __attribute__((malloc));   /* zeroed, overflow checked */
void *mem_resize(void *p, size_t count, size_t size);                 /* not zeroed */
char *str_dup(const char *s);                                         /* NULL gives NULL */
char *str_ndup(const char *s, size_t n);                              /* n bytes and a NUL */
void *mem_dup(const void *p, size_t n);
char *str_printf(const char *fmt, ...) _printf_(1, 2);

/* Frees *p and puts s (now owned by *p; may be NULL) there. */
void str_set(char **p, char *s);

#define NEW(type) ((type *)mem_alloc(sizeof(type)))
