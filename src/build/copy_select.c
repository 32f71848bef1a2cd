/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a COPY takes, and what its key is made of. */
#include <assert.h>

#include "base/err.h"
#include "base/path.h"
#include "build/copy.h"

void copy_selection_done(struct copy_selection *s)
{
	arr_each(it, &s->items)
		free(it->rel);
	arr_each(g, &s->groups)
		free(g->name);
	arr_done(&s->items);
	arr_done(&s->groups);
	arena_done(&s->arena);
}

static void add_item(struct copy_selection *s, const struct copy_spec *spec, char *rel,
		     const struct view_hit *hit)
{
	struct copy_item *it = arr_add(&s->items);
	it->group = s->groups.n - 1;
	it->arg = arr_last(&s->groups)->arg;
	it->rel = rel;
	it->entry = *hit->entry;
	it->want = (struct source_want){ .tree = spec->args[it->arg].tree, .hit = *hit };
}

/* Directories that are taken once something below them is: outermost first. */
struct held {
	ARRAY_OF(struct view_hit) hits;
	struct strs rels;
};

static void held_done(struct held *h)
{
	arr_done(&h->hits);
	strs_done(&h->rels);
}

static void held_push(struct held *h, char *rel, const struct view_hit *hit)
{
	arr_push(&h->hits, *hit);
	strs_take(&h->rels, rel);
}

static void add_held(struct copy_selection *s, const struct copy_spec *spec, struct held *h)
{
	for (size_t i = 0; i < h->hits.n; i++)
		add_item(s, spec, str_dup(h->rels.p[i]), &h->hits.p[i]);
	held_done(h);
	*h = (struct held){ 0 };
}

/* All below a directory, whose own place in the group is `at`, filtered by --exclude, whose rules
 * let a file below an excluded directory in again: a directory that is left out is told once
 * something in it is not. */
static int add_below(struct copy_selection *s, const struct copy_spec *spec, struct view *v,
		     const char *top, const char *at, struct held *held, struct err *e)
{
	_cleanup_(view_walk_closep) struct view_walk *w = view_walk_open(v, top, e);
	if (!w)
		return -1;
	size_t skip = *top ? strlen(top) + 1 : 0;
	struct view_hit hit;
	int r;
	while ((r = view_walk_next(w, &hit, e)) > 0) {
		const char *below = hit.entry->path + skip;
		_free_ char *rel = *at ? str_printf("%s/%s", at, below) : str_dup(below);
		if (!spec->exclude) {
			add_item(s, spec, take_ptr(&rel), &hit);
			continue;
		}
		while (held->rels.n && !path_is_below(slice_of(rel), slice_of(*arr_last(&held->rels)))) {
			free(held->rels.p[--held->rels.n]);
			held->hits.n--;
		}
		bool dir = hit.entry->type == ENTRY_DIR;
		if (ignore_match(spec->exclude, slice_of(rel), NULL)) {
			if (dir && ignore_may_include_below(spec->exclude, slice_of(rel)))
				held_push(held, take_ptr(&rel), &hit);
			else if (dir)
				view_walk_skip(w);
			continue;
		}
		add_held(s, spec, held);
		add_item(s, spec, take_ptr(&rel), &hit);
	}
	return r;
}

static size_t depth(struct slice path)
{
	struct slice name;
	size_t n = 0;
	while (path_next(&path, &name))
		n++;
	return n;
}

/* How many components stand before the "/./" of --parents, which are not kept. */
static size_t pivot_depth(const char *path)
{
	size_t pivot = slice_search(slice_of(path), SL("/./"));
	_free_ char *head = path_key(slice_head(slice_of(path), pivot < strlen(path) ? pivot : 0));
	return depth(slice_of(head));
}

/* A directory on the way to what was found, or that itself. */
static int held_resolve(struct held *h, struct view *v, struct slice path, char *rel, struct err *e)
{
	_free_ char *text = slice_dup(path), *key = NULL;
	struct view_hit hit;
	int r = view_resolve(v, text, true, &key, &hit, e);
	assert(r != 0); /* views remember what they told */
	if (r > 0)
		held_push(h, rel, &hit);
	else
		free(rel);
	return r < 0 ? -1 : 0;
}

/* --parents: what stands after the pivot keeps its place. The group is the directory before it,
 * with only this thing and the directories above it, which are copied as they are. */
static int add_with_parents(struct copy_selection *s, const struct copy_spec *spec, size_t arg,
			    const char *shown, const char *key, const struct view_hit *hit, struct err *e)
{
	struct view *v = spec->args[arg].tree->view;
	_cleanup_(held_done) struct held held = { 0 };
	struct slice all = slice_of(shown), rest = all, name;
	for (size_t n = pivot_depth(spec->args[arg].path); n && path_next(&rest, &name); n--)
		;
	struct slice below = rest;
	if (held_resolve(&held, v, slice_head(all, all.n - below.n), str_dup(""), e) < 0)
		return -1;
	add_held(s, spec, &held);
	_free_ char *rel = str_dup("");
	while (path_next(&rest, &name)) {
		str_set(&rel, path_key(slice_head(below, below.n - rest.n)));
		if (held_resolve(&held, v, slice_head(all, all.n - rest.n), str_dup(rel), e) < 0)
			return -1;
	}
	bool dir = hit->entry->type == ENTRY_DIR;
	if (!spec->exclude || !*rel || !ignore_match(spec->exclude, slice_of(rel), NULL))
		add_held(s, spec, &held);
	else if (!dir || !ignore_may_include_below(spec->exclude, slice_of(rel)))
		return 0;
	return dir ? add_below(s, spec, v, key, rel, &held, e) : 0;
}

/* One thing that was named or matched: `shown` is its path as named, `key` where it really is. */
static int add_group(struct copy_selection *s, const struct copy_spec *spec, size_t arg,
		     const char *shown, const char *key, const struct view_hit *hit, struct err *e)
{
	struct copy_group *g = arr_add(&s->groups);
	g->arg = arg;
	g->is_dir = hit->entry->type == ENTRY_DIR || spec->parents;
	g->name = slice_dup(path_base(slice_of(shown)));
	if (spec->parents)
		return add_with_parents(s, spec, arg, shown, key, hit, e);
	add_item(s, spec, str_dup(""), hit);
	_cleanup_(held_done) struct held held = { 0 };
	return g->is_dir ? add_below(s, spec, spec->args[arg].tree->view, key, "", &held, e) : 0;
}

/* Goes down one component of a pattern at a time; links are not searched below, as in BuildKit. */
static int match(struct copy_selection *s, const struct copy_spec *spec, size_t arg, const char *dir,
		 struct slice rest, struct err *e)
{
	struct view *v = spec->args[arg].tree->view;
	struct slice part;
	if (!path_next(&rest, &part))
		return 0;
	struct slice after = rest, ignored;
	bool last = !path_next(&after, &ignored);
	_cleanup_(strs_done) struct strs names = { 0 };
	/* "**" is any number of directories, none too: only with --parents, and after its pivot. */
	bool any = spec->parents && slice_is(part, "**") &&
		   depth(slice_of(dir)) >= pivot_depth(spec->args[arg].path);
	if (any && !last && match(s, spec, arg, dir, rest, e) < 0)
		return -1;
	if (view_list(v, dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		int m = any ? 1 : path_match(part, slice_of(names.p[i]));
		if (m < 0) {
			err_set(e, ERR_USER, "'%s' is a malformed pattern", spec->args[arg].path);
			return err_hint(e, "'[' opens a class and '\\' escapes: write '[[]' for a bracket");
		}
		if (m == 0)
			continue;
		_free_ char *key = *dir ? str_printf("%s/%s", dir, names.p[i]) : str_dup(names.p[i]);
		struct view_hit hit;
		int r = view_lookup(v, key, &hit, e);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		if (any && !last) {
			if (hit.entry->type == ENTRY_DIR) {
				_free_ char *again = str_printf("**/%.*s", SLF(rest));
				if (match(s, spec, arg, key, slice_of(again), e) < 0)
					return -1;
			}
			continue;
		}
		if (!last) {
			if (hit.entry->type == ENTRY_DIR && match(s, spec, arg, key, rest, e) < 0)
				return -1;
			continue;
		}
		_free_ char *real = NULL;
		r = view_resolve(v, key, true, &real, &hit, e);
		if (r < 0)
			return -1;
		if (r > 0 && add_group(s, spec, arg, key, real, &hit, e) < 0)
			return -1;
	}
	return 0;
}

static int select_pattern(struct copy_selection *s, const struct copy_spec *spec, size_t arg, struct err *e)
{
	/* What stands before the first wildcard is resolved through links. */
	_free_ char *clean = path_clean(slice_of(spec->args[arg].path));
	struct slice rest = slice_of(clean), part, plain = rest;
	size_t head = 0;
	for (;;) {
		struct slice at = rest;
		if (!path_next(&rest, &part) || path_has_magic(part)) {
			rest = at;
			break;
		}
		head = (size_t)(rest.p - plain.p);
	}
	_free_ char *prefix = slice_dup(slice_head(plain, head));
	_free_ char *dir = NULL;
	struct view_hit hit;
	int r = view_resolve(spec->args[arg].tree->view, prefix, true, &dir, &hit, e);
	if (r <= 0 || hit.entry->type != ENTRY_DIR)
		return r < 0 ? -1 : 0;
	return match(s, spec, arg, dir, rest, e);
}

static int select_text(struct copy_selection *s, const struct copy_arg *a, size_t arg)
{
	struct copy_group *g = arr_add(&s->groups);
	g->arg = arg;
	g->name = str_dup(a->path);
	struct copy_item *it = arr_add(&s->items);
	it->group = s->groups.n - 1;
	it->arg = arg;
	it->rel = str_dup("");
	it->entry = (struct entry){ .path = a->path, .type = ENTRY_FILE, .mode = 0644,
				    .size = a->text.n, .has_digest = true };
	digest_of(a->text, &it->entry.digest);
	return 0;
}

static int select_arg(struct copy_selection *s, const struct copy_spec *spec, size_t arg, bool *missing,
		      struct err *e)
{
	const struct copy_arg *a = &spec->args[arg];
	if (!a->tree)
		return select_text(s, a, arg);
	if (!a->whole && path_has_magic(slice_of(a->path)))
		return select_pattern(s, spec, arg, e);
	/* ".." is taken away as text, before any link is followed: BuildKit's NormalizePath */
	_free_ char *shown = path_key(slice_of(a->path)), *key = NULL;
	struct view_hit hit;
	int r = view_resolve(a->tree->view, shown, true, &key, &hit, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		*missing = true;
		return err_set(e, ERR_ABSENT, "'%s' is not there", a->path);
	}
	return add_group(s, spec, arg, shown, key, &hit, e);
}

int copy_select(const struct copy_spec *spec, struct copy_selection *out, size_t *missed, struct err *e)
{
	*missed = SIZE_MAX;
	for (size_t i = 0; i < spec->args_n; i++) {
		bool missing = false;
		if (select_arg(out, spec, i, &missing, e) < 0) {
			if (missing)
				*missed = i;
			return -1;
		}
	}
	ARRAY_OF(struct source_want) files = { 0 };
	ARRAY_OF(size_t) where = { 0 };
	for (size_t i = 0; i < out->items.n; i++) {
		if (!out->items.p[i].want.tree || out->items.p[i].entry.type != ENTRY_FILE)
			continue;
		arr_push(&files, out->items.p[i].want);
		arr_push(&where, i);
	}
	int r = source_digests(files.p, files.n, e);
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		struct copy_item *it = &out->items.p[where.p[i]];
		it->want = files.p[i];
		it->entry.has_digest = true;
		it->entry.digest = files.p[i].digest;
	}
	arr_done(&files);
	arr_done(&where);
	return r;
}

/* BuildKit leaves these out of its content checksum, since they differ from machine to machine. */
static bool counts(const char *xattr)
{
	if (strncmp(xattr, "security.", 9) == 0)
		return strcmp(xattr, "security.capability") == 0;
	return strncmp(xattr, "system.", 7) != 0;
}

static void hash_number(struct sha256 *key, uint64_t v)
{
	uint8_t b[8];
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	sha256_add(key, b, sizeof b);
}

static void hash_text(struct sha256 *key, const char *s)
{
	sha256_field(key, s ? s : "", s ? strlen(s) : 0);
}

/* Which earlier item a file is another name of, counted from 1: the copy has the same links. 0: none. As
 * link_group of copy_map.c has it. */
static uint64_t linked_to(struct map *first, const struct copy_selection *sel, const struct copy_item *it)
{
	char hex[SHA256_HEX];
	if (!it->entry.group || it->entry.type != ENTRY_FILE)
		return 0;
	_free_ char *link = str_printf("%u %zu %s", it->entry.group, it->group, digest_hex(&it->entry.digest, hex));
	uintptr_t known = (uintptr_t)map_get(first, slice_of(link));
	if (!known)
		map_put(first, slice_of(link), (void *)((uintptr_t)(it - sel->items.p) + 1));
	return known;
}

void copy_key(const struct copy_spec *spec, const struct copy_selection *sel, struct sha256 *key)
{
	struct map first = { 0 };
	hash_text(key, spec->dest);
	hash_text(key, spec->workdir);
	hash_number(key, spec->has_owner);
	hash_number(key, spec->uid);
	hash_number(key, spec->gid);
	hash_text(key, spec->chmod_text);
	hash_number(key, spec->parents);
	hash_number(key, sel->groups.n);
	arr_each(g, &sel->groups) {
		hash_text(key, g->name);
		hash_number(key, g->is_dir);
		hash_number(key, spec->args[g->arg].whole);
	}
	arr_each(it, &sel->items) {
		const struct entry *ent = &it->entry;
		hash_number(key, it->group);
		hash_text(key, it->rel);
		hash_number(key, ent->type);
		/* The top of a directory gives only its time, which never counts. */
		if (sel->groups.p[it->group].is_dir && !*it->rel)
			continue;
		hash_number(key, ent->mode);
		hash_number(key, ent->uid);
		hash_number(key, ent->gid);
		hash_number(key, ent->type == ENTRY_FILE ? ent->size : 0);
		hash_number(key, ent->major);
		hash_number(key, ent->minor);
		hash_text(key, ent->link);
		uint64_t other = linked_to(&first, sel, it);
		if (other)
			hash_number(key, other);
		if (ent->type == ENTRY_FILE)
			sha256_add(key, ent->digest.b, sizeof ent->digest.b);
		for (size_t i = 0; i < ent->xattrs_n; i++) {
			if (!counts(ent->xattrs[i].name))
				continue;
			hash_text(key, ent->xattrs[i].name);
			sha256_field(key, ent->xattrs[i].value, ent->xattrs[i].len);
		}
		hash_text(key, "");
	}
	map_done(&first);
}
