/* SPDX-License-Identifier: Apache-2.0 */
/* layer/view.c: layers merged. Below is what overlayfs does at look-up, done once for all names:
 *  - a directory over a directory: its own metadata, both contents;
 *  - anything else hides what lies below its name, for good: a directory that a higher layer puts
 *    there again does not bring the lower content back (the kernel stops at the first
 *    non-directory or whiteout, overlayfs.rst "whiteouts and opaque directories").
 * Merging keeps tree order, so all below a name is one run of the array, and one pass over both
 * arrays is enough. The bottom has no list of names: what layers hide of it is kept aside. */
#include "base/err.h"
#include "base/map.h"
#include "layer/view_in.h"

static const struct entry made_up_root = { .path = "", .type = ENTRY_DIR, .mode = 0755 };

void view_done(struct view *v)
{
	arr_done(&v->hits);
	if (v->found) {
		map_done(v->found);
		free(v->found);
	}
	index_done(&v->hidden);
	arena_done(&v->arena);
	*v = (struct view){ 0 };
}

void view_set_bottom(struct view *v, struct view_bottom *bottom)
{
	v->bottom = bottom;
	if (!v->found)
		v->found = NEW(struct map);
}

void view_copy(const struct view *from, struct view *out)
{
	*out = (struct view){ .layers = from->layers };
	if (from->bottom)
		view_set_bottom(out, from->bottom);
	arr_each(ent, &from->hidden.entries)
		index_add(&out->hidden, slice_of(ent->path), ent->type);
	if (from->hits.n) {
		arr_reserve(&out->hits, from->hits.n);
		memcpy(out->hits.p, from->hits.p, from->hits.n * sizeof(*from->hits.p));
		out->hits.n = from->hits.n;
	}
}

static bool is_strictly_below(const char *path, const char *dir, size_t dir_len)
{
	if (dir_len == 0)
		return *path != '\0';
	return strncmp(path, dir, dir_len) == 0 && path[dir_len] == '/';
}

/* What is being hidden of the lower hits: all below `dir`. The outermost one counts. */
struct hiding {
	const char *dir;
	size_t len;
};

static bool hides_below(const struct entry *ent)
{
	return ent->type != ENTRY_DIR || ent->opaque;
}

static void hide(struct hiding *h, const struct entry *ent)
{
	if (h->dir && is_strictly_below(ent->path, h->dir, h->len))
		return;
	if (hides_below(ent))
		*h = (struct hiding){ ent->path, strlen(ent->path) };
}

static void remember_hidden(struct view *v, const struct index *layer)
{
	ARRAY_OF(const struct entry *) more = { 0 };
	if (!v->bottom)
		return;
	arr_each(ent, &layer->entries) {
		const struct entry *old = index_find(&v->hidden, ent->path);
		if (hides_below(ent) &&
		    !(old && old->type == ENTRY_WHITEOUT)) /* hides more than opaque */
			arr_push(&more, ent);
	}
	arr_each(it, &more)
		index_add(&v->hidden, slice_of((*it)->path),
			  (*it)->type == ENTRY_DIR ? ENTRY_DIR : ENTRY_WHITEOUT);
	arr_done(&more);
	index_sort(&v->hidden);
}

void view_push(struct view *v, const struct index *layer)
{
	struct view_hit *old = v->hits.p;
	size_t old_n = v->hits.n, i = 0;
	struct view_hit *merged = mem_array(old_n + layer->entries.n + 1, sizeof(*merged));
	size_t n = 0;
	struct hiding h = { 0 };

	for (size_t j = 0; i < old_n || j < layer->entries.n;) {
		const struct entry *top = j < layer->entries.n ? &layer->entries.p[j] : NULL;
		int order = i == old_n ? 1
			    : !top     ? -1
				       : index_path_cmp(old[i].entry->path, top->path);
		if (order < 0) {
			if (!h.dir || !is_strictly_below(old[i].entry->path, h.dir, h.len))
				merged[n++] = old[i];
			i++;
			continue;
		}
		if (order == 0)
			i++;
		hide(&h, top);
		if (top->type != ENTRY_WHITEOUT)
			merged[n++] = (struct view_hit){ top, v->layers };
		j++;
	}
	remember_hidden(v, layer);
	arr_done(&v->hits);
	v->hits.p = merged;
	v->hits.n = n;
	v->hits.cap = old_n + layer->entries.n + 1;
	v->layers++;
}

size_t view_lower(const struct view *v, const char *key)
{
	size_t lo = 0, hi = v->hits.n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (index_path_cmp(v->hits.p[mid].entry->path, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t view_after(const struct view *v, const char *key)
{
	if (!*key)
		return v->hits.n;
	/* byte 1 is the lowest that can follow a name without being '/' */
	_free_ char *next = str_printf("%s\x01", key);
	return view_lower(v, next);
}

/* Some layer hides this name, or a directory above it, from the bottom. */
static bool is_hidden(const struct view *v, const char *key)
{
	if (v->hidden.entries.n == 0)
		return false;
	_free_ char *at = str_dup(key);
	for (bool itself = true;; itself = false) {
		const struct entry *ent = index_find(&v->hidden, at);
		if (ent && (!itself || ent->type == ENTRY_WHITEOUT))
			return true;
		if (!*at)
			return false;
		char *slash = strrchr(at, '/');
		*(slash ? slash : at) = '\0';
	}
}

/* Answers of the bottom are kept, misses too (a hit without an entry). */
static int lookup_bottom(struct view *v, const char *key, struct view_hit *out, struct err *e)
{
	if (!v->bottom || is_hidden(v, key))
		return 0;
	struct view_hit *memo = map_get(v->found, slice_of(key));
	if (!memo) {
		const struct entry *ent = NULL;
		if (v->bottom->lookup(v->bottom->ctx, key, &v->arena, &ent, e) < 0)
			return -1;
		memo = ARENA_NEW(&v->arena, struct view_hit);
		*memo = (struct view_hit){ ent, -1 };
		map_put(v->found, slice_of(key), memo);
	}
	if (!memo->entry)
		return 0;
	*out = *memo;
	return 1;
}

int view_lookup(struct view *v, const char *key, struct view_hit *out, struct err *e)
{
	size_t at = view_lower(v, key);
	if (at < v->hits.n && strcmp(v->hits.p[at].entry->path, key) == 0) {
		*out = v->hits.p[at];
		return 1;
	}
	int r = lookup_bottom(v, key, out, e);
	if (r != 0 || *key)
		return r;
	*out = (struct view_hit){ &made_up_root, -1 };
	return 1;
}

static void list_layers(const struct view *v, const char *key, struct strs *names)
{
	size_t skip = *key ? strlen(key) + 1 : 0;
	size_t at = view_lower(v, key), end = view_after(v, key);
	if (at < end && strcmp(v->hits.p[at].entry->path, key) == 0)
		at++;
	while (at < end) {
		const char *name = v->hits.p[at].entry->path + skip;
		const char *slash = strchr(name, '/');
		if (!slash) {
			strs_add(names, name);
			at = v->hits.p[at].entry->type == ENTRY_DIR
				     ? view_after(v, v->hits.p[at].entry->path)
				     : at + 1;
			continue;
		}
		at++; /* below a directory that no layer lists: the bottom's, told by it */
	}
}

static int list_bottom(struct view *v, const char *key, struct strs *names, struct err *e)
{
	_cleanup_(strs_done) struct strs more = { 0 };
	struct view_hit hit;
	int r = lookup_bottom(v, key, &hit, e);
	if (r < 0)
		return -1;
	if (*key && (r == 0 || hit.entry->type != ENTRY_DIR)) /* a bottom need not name its root */
		return 0;
	const struct entry *hidden = index_find(&v->hidden, key);
	if (hidden)
		return 0;
	if (v->bottom->list(v->bottom->ctx, key, &more, e) < 0)
		return -1;
	for (size_t i = 0; i < more.n; i++) {
		_free_ char *name = take_ptr(&more.p[i]), *child = NULL;
		if (v->hidden.entries.n)
			child = *key ? str_printf("%s/%s", key, name) : str_dup(name);
		if (!child || !is_hidden(v, child))
			strs_take(names, take_ptr(&name));
	}
	more.n = 0;
	return 0;
}

static void drop_doubles(struct strs *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (n && strcmp(l->p[n - 1], l->p[i]) == 0)
			free(l->p[i]);
		else
			l->p[n++] = l->p[i];
	}
	l->n = n;
}

int view_list(struct view *v, const char *key, struct strs *names, struct err *e)
{
	_cleanup_(strs_done) struct strs found = { 0 };
	struct view_hit hit;
	int r = view_lookup(v, key, &hit, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_ABSENT, "there is no directory '/%s'", key);
	if (hit.entry->type != ENTRY_DIR)
		return err_set(e, ERR_USER, "'/%s' is not a directory", key);
	list_layers(v, key, &found);
	if (v->bottom && list_bottom(v, key, &found, e) < 0)
		return -1;
	strs_sort(&found);
	drop_doubles(&found);
	for (size_t i = 0; i < found.n; i++)
		strs_take(names, take_ptr(&found.p[i]));
	found.n = 0;
	return 0;
}
