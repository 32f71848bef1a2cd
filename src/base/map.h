/* SPDX-License-Identifier: Apache-2.0 */
/* base/map.h: from strings to pointers, hashed, insertion order kept. Keys are copied; values are
 * the caller's. Zeroed is empty. */
#pragma once
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	char *key;
	size_t key_len;
	uint64_t hash;
	void *value;
};
struct map {
	struct map_entry *p; /* n entries in insertion order (removed ones have key == NULL) */
	size_t n, cap, live;
	uint32_t *slots;
	size_t slots_n;
};

void map_done(struct map *m);
void *map_get(const struct map *m, struct slice key); /* NULL if absent */
bool map_has(const struct map *m, struct slice key);
/* Sets; returns the value that was there, or NULL. */
void *map_put(struct map *m, struct slice key, void *value);
void *map_del(struct map *m, struct slice key); /* the value that was there, or NULL */
#define map_each(it, m)                                                       \
	for (struct map_entry *it = (m)->p; it && it < (m)->p + (m)->n; it++) \
		if (it->key)
uint64_t map_hash(struct slice key);
