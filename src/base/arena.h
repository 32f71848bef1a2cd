/* SPDX-License-Identifier: Apache-2.0 */
/* base/arena.h: things that end together. Zeroed is empty.
 * Memory is zeroed, aligned for any type, and valid until arena_done. */
#pragma once
#include "base/attr.h"
#include "base/slice.h"

struct arena {
	struct arena_block *head;
};

void arena_done(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);
char *arena_str(struct arena *a, struct slice s);      /* NUL-terminated copy */
struct slice arena_slice(struct arena *a, struct slice s);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
