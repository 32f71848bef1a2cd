/* SPDX-License-Identifier: Apache-2.0 */
/* base/attr.h: what the compiler is told about functions and variables: clean-up at the end of
 * a scope, results that must not be dropped, printf checking. See CONTRIBUTING.md, "Clean-up". */
#pragma once
#include <stdlib.h>
#include <unistd.h>

#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))

/* Runs FN(&variable) when the variable's scope ends. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))

static inline void freep_(void *p)
{
	free(*(void **)p);
}

static inline void closep_(int *fd)
{
	if (*fd >= 0)
		(void) close(*fd);
}

/* For pointers from malloc, and for descriptors (-1: nothing to close). */
#define _free_ _cleanup_(freep_)
#define _close_ _cleanup_(closep_)

/* Defines FN##p for use with _cleanup_: static inline void FNp(TYPE **p) { FN(*p); } */
#define DEFINE_CLEANUP(type, fn)                    \
	static inline _unused_ void fn##p(type **p) \
	{                                           \
		fn(*p);                             \
	}

/* Hands a descriptor or a pointer over: the variable is left empty, the value is returned. */
static inline _must_check_ int take_fd(int *fd)
{
	int v = *fd;
	*fd = -1;
	return v;
}

#define take_ptr(pp)                             \
	({                                       \
		__typeof__(*(pp)) taken_ = *(pp); \
		*(pp) = NULL;                    \
		taken_;                          \
	})

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
