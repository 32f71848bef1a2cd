/* SPDX-License-Identifier: Apache-2.0 */
/* Entries stand in an array in the order they came; `slots` is an open-addressed table of their
 * positions + 1. A removed entry keeps its slot (as TAKEN_AWAY) until the next rehash, which also
 * closes the gaps in the array. */
#include "base/map.h"

#include <sys/auxv.h>

#include "base/alloc.h"

#define TAKEN_AWAY UINT32_MAX

static uint64_t rotl(uint64_t v, int by)
{
	return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1], v[1] = rotl(v[1], 13), v[1] ^= v[0], v[0] = rotl(v[0], 32);
	v[2] += v[3], v[3] = rotl(v[3], 16), v[3] ^= v[2];
	v[0] += v[3], v[3] = rotl(v[3], 21), v[3] ^= v[0];
	v[2] += v[1], v[1] = rotl(v[1], 17), v[1] ^= v[2], v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 with the 16 random bytes that the kernel gives each process: keys come from images
 * and contexts, and an unkeyed hash could be made to collide. */
uint64_t map_hash(struct slice key)
{
	uint64_t k[2] = { 0, 0 };
	const void *random =
		(const void *)getauxval(AT_RANDOM); /* NOLINT: how the kernel hands it */
	if (random)
		memcpy(k, random, sizeof k);
	uint64_t v[4] = { k[0] ^ 0x736f6d6570736575u, k[1] ^ 0x646f72616e646f6du,
			  k[0] ^ 0x6c7967656e657261u, k[1] ^ 0x7465646279746573u };
	uint64_t m;
	size_t left = key.n;
	for (const char *p = key.p; left >= 8; p += 8, left -= 8) {
		memcpy(&m, p, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	m = (uint64_t)key.n << 56;
	for (size_t i = 0; i < left; i++)
		m |= (uint64_t)(unsigned char)key.p[key.n - left + i] << (8 * i);
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_done(struct map *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->p[i].key);
	free(m->p);
	free(m->slots);
	*m = (struct map){ 0 };
}

/* The slot that holds key, or NULL. */
static uint32_t *find(const struct map *m, struct slice key, uint64_t hash)
{
	if (m->slots_n == 0)
		return NULL;
	for (size_t i = (size_t)hash & (m->slots_n - 1);; i = (i + 1) & (m->slots_n - 1)) {
		uint32_t at = m->slots[i];
		if (at == 0)
			return NULL;
		if (at == TAKEN_AWAY)
			continue;
		const struct map_entry *ent = &m->p[at - 1];
		if (ent->hash == hash && ent->key_len == key.n &&
		    memcmp(ent->key, key.p ? key.p : "", key.n) == 0)
			return &m->slots[i];
	}
}

static void place(struct map *m, size_t entry)
{
	size_t i = (size_t)m->p[entry].hash & (m->slots_n - 1);
	while (m->slots[i] != 0)
		i = (i + 1) & (m->slots_n - 1);
	m->slots[i] = (uint32_t)entry + 1;
}

static void rehash(struct map *m)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->n; i++)
		if (m->p[i].key)
			m->p[kept++] = m->p[i];
	m->n = kept;

	size_t slots_n = 16;
	while (slots_n < 2 * (m->n + 1))
		slots_n *= 2;
	free(m->slots);
	m->slots = mem_array(slots_n, sizeof *m->slots);
	m->slots_n = slots_n;
	for (size_t i = 0; i < m->n; i++)
		place(m, i);
}

void *map_get(const struct map *m, struct slice key)
{
	const uint32_t *slot = m->live ? find(m, key, map_hash(key)) : NULL;
	return slot ? m->p[*slot - 1].value : NULL;
}

bool map_has(const struct map *m, struct slice key)
{
	return m->live && find(m, key, map_hash(key)) != NULL;
}

void *map_put(struct map *m, struct slice key, void *value)
{
	uint64_t hash = map_hash(key);
	const uint32_t *slot = find(m, key, hash);
	if (slot) {
		void *before = m->p[*slot - 1].value;
		m->p[*slot - 1].value = value;
		return before;
	}

	if (4 * (m->n + 1) > 3 * m->slots_n)
		rehash(m);
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 8;
		m->p = mem_resize(m->p, m->cap, sizeof *m->p);
	}
	m->p[m->n] = (struct map_entry){ str_ndup(key.p, key.n), key.n, hash, value };
	place(m, m->n++);
	m->live++;
	return NULL;
}

void *map_del(struct map *m, struct slice key)
{
	uint32_t *slot = m->live ? find(m, key, map_hash(key)) : NULL;
	if (!slot)
		return NULL;
	struct map_entry *ent = &m->p[*slot - 1];
	void *value = ent->value;
	free(ent->key);
	*ent = (struct map_entry){ 0 };
	*slot = TAKEN_AWAY;
	m->live--;
	return value;
}
