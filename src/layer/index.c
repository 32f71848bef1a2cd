/* SPDX-License-Identifier: Apache-2.0 */
/* layer/index.c: the list in memory. Its form on disk is in index_io.c. */
#include "layer/index.h"
#include "base/map.h"
#include "layer/entry.h"

void index_init(struct index *x)
{
	*x = (struct index){ 0 };
}

void index_done(struct index *x)
{
	arr_done(&x->entries);
	arena_done(&x->arena);
}

/* '/' sorts below every other byte that a name can hold, and the end of the string below that. */
static inline int rank(unsigned char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : c + 1;
}

int index_path_cmp(const char *a, const char *b)
{
	size_t i = 0;
	while (a[i] && a[i] == b[i])
		i++;
	return rank((unsigned char)a[i]) - rank((unsigned char)b[i]);
}

struct entry *index_add(struct index *x, struct slice path, enum entry_type type)
{
	struct entry *ent = arr_add(&x->entries);
	ent->path = arena_str(&x->arena, path);
	ent->type = type;
	return ent;
}

void entry_copy(struct arena *a, const struct entry *src, const char *path, struct entry *out)
{
	*out = *src;
	out->path = arena_str(a, slice_of(path));
	if (src->link)
		out->link = arena_str(a, slice_of(src->link));
	if (src->xattrs_n == 0) {
		out->xattrs = NULL;
		return;
	}
	struct xattr *list = arena_alloc(a, src->xattrs_n * sizeof(*list));
	for (size_t i = 0; i < src->xattrs_n; i++) {
		list[i].name = arena_str(a, slice_of(src->xattrs[i].name));
		list[i].value = arena_alloc(a, src->xattrs[i].len + 1);
		list[i].len = src->xattrs[i].len;
		if (list[i].len)
			memcpy(list[i].value, src->xattrs[i].value, list[i].len);
	}
	out->xattrs = list;
}

struct entry *index_add_copy(struct index *x, const struct entry *src, const char *path)
{
	struct entry copy; /* src may lie in x itself, whose array moves */
	entry_copy(&x->arena, src, path ? path : src->path, &copy);
	arr_push(&x->entries, copy);
	return arr_last(&x->entries);
}

struct place_in {
	const char *path;
	size_t at;
};

static int place_cmp(const void *va, const void *vb)
{
	const struct place_in *a = va, *b = vb;
	int r = index_path_cmp(a->path, b->path);
	return r ? r : a->at < b->at ? -1 : 1;
}

static bool is_sorted(const struct index *x)
{
	for (size_t i = 1; i < x->entries.n; i++)
		if (index_path_cmp(x->entries.p[i - 1].path, x->entries.p[i].path) >= 0)
			return false;
	return true;
}

void index_sort(struct index *x)
{
	if (is_sorted(x))
		return;
	size_t n = x->entries.n;
	struct place_in *order = mem_array(n, sizeof(*order));
	struct entry *sorted = mem_array(n, sizeof(*sorted));
	for (size_t i = 0; i < n; i++)
		order[i] = (struct place_in){ x->entries.p[i].path, i };
	qsort(order, n, sizeof(*order), place_cmp);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && strcmp(order[i].path, order[i + 1].path) == 0)
			continue; /* one that was added later stays */
		sorted[kept++] = x->entries.p[order[i].at];
	}
	free(order);
	free(x->entries.p);
	x->entries.p = sorted;
	x->entries.n = kept;
	x->entries.cap = n;
}

size_t index_lower(const struct index *x, const char *key)
{
	size_t lo = 0, hi = x->entries.n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (index_path_cmp(x->entries.p[mid].path, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct entry *index_find(const struct index *x, const char *key)
{
	size_t at = index_lower(x, key);
	if (at == x->entries.n || strcmp(x->entries.p[at].path, key) != 0)
		return NULL;
	return &x->entries.p[at];
}

static uint32_t highest_group(const struct index *x)
{
	uint32_t max = 0;
	arr_each(ent, &x->entries)
		if (ent->group > max)
			max = ent->group;
	return max;
}

/* Groups are told by any number; a map keeps a wild one from costing memory. */
static struct slice group_key(const uint32_t *group)
{
	return (struct slice){ (const char *)group, sizeof(*group) };
}

uint64_t index_size(const struct index *x)
{
	uint64_t sum = 0;
	struct map seen = { 0 };
	arr_each(ent, &x->entries) {
		if (ent->type != ENTRY_FILE)
			continue;
		if (ent->group) {
			if (map_has(&seen, group_key(&ent->group)))
				continue;
			map_put(&seen, group_key(&ent->group), &seen);
		}
		sum += ent->size;
	}
	map_done(&seen);
	return sum;
}

void index_share_digests(struct index *x)
{
	struct map first = { 0 };
	arr_each(ent, &x->entries)
		if (ent->type == ENTRY_FILE && ent->group && ent->has_digest)
			map_put(&first, (struct slice){ (char *)&ent->group, sizeof ent->group },
				ent);
	arr_each(ent, &x->entries) {
		if (ent->type != ENTRY_FILE || !ent->group || ent->has_digest)
			continue;
		const struct entry *of =
			map_get(&first, (struct slice){ (char *)&ent->group, sizeof ent->group });
		if (!of || of->size != ent->size)
			continue;
		ent->digest = of->digest;
		ent->has_digest = true;
	}
	map_done(&first);
}

bool index_is_complete(const struct index *x)
{
	arr_each(ent, &x->entries)
		if (ent->type == ENTRY_FILE && !ent->has_digest)
			return false;
	return true;
}

void index_settle_groups(struct index *x)
{
	if (highest_group(x) == 0)
		return;
	struct map count = { 0 }, number = { 0 };
	arr_each(ent, &x->entries)
		if (ent->group) {
			uintptr_t n = (uintptr_t)map_get(&count, group_key(&ent->group));
			map_put(&count, group_key(&ent->group), (void *)(n + 1));
		}
	uintptr_t next = 0;
	arr_each(ent, &x->entries) {
		if (!ent->group)
			continue;
		struct slice key = group_key(&ent->group);
		if ((uintptr_t)map_get(&count, key) < 2) {
			ent->group = 0;
			continue;
		}
		if (!map_has(&number, key))
			map_put(&number, key, (void *)++next);
		ent->group = (uint32_t)(uintptr_t)map_get(&number, key);
	}
	map_done(&count);
	map_done(&number);
}
