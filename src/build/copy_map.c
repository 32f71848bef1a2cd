/* SPDX-License-Identifier: Apache-2.0 */
/* Where each file of a COPY goes: the index of the new layer, from the selection and the image as
 * it is below. Directories above a change are listed as the image has them. */
#include "base/err.h"
#include "base/path.h"
#include "build/copy.h"

struct mapper {
	const struct copy_spec *spec;
	struct view *below;
	struct copy_plan *out;
	struct map made;    /* path -> struct entry *: what this layer has so far */
	struct arena arena; /* of those entries */
	struct map links;   /* source group, named thing and digest -> number of the hard-link group */
};

void copy_plan_done(struct copy_plan *p)
{
	index_done(&p->index);
	map_done(&p->items);
}

static struct entry *put(struct mapper *m, const char *path, const struct entry *like)
{
	struct entry *ent = map_get(&m->made, slice_of(path));
	if (!ent) {
		ent = arena_alloc(&m->arena, sizeof *ent);
		map_put(&m->made, slice_of(path), ent);
	}
	const char *kept = arena_str(&m->arena, slice_of(path));
	*ent = *like;
	ent->path = kept;
	return ent;
}

/* What stands at a real path now: in the new layer, else below. 1, 0, -1. */
static int now_at(struct mapper *m, const char *path, const struct entry **out, struct err *e)
{
	const struct entry *ent = map_get(&m->made, slice_of(path));
	if (ent) {
		*out = ent;
		return 1;
	}
	struct view_hit hit;
	int r = view_lookup(m->below, path, &hit, e);
	if (r > 0)
		*out = hit.entry;
	return r;
}

static struct entry new_dir(const struct mapper *m)
{
	struct entry d = { .type = ENTRY_DIR, .mode = 0755, .mtime = m->spec->now };
	if (m->spec->chmod && m->spec->chmod->is_octal)
		d.mode = m->spec->chmod->mode;
	if (m->spec->has_owner) {
		d.uid = m->spec->uid;
		d.gid = m->spec->gid;
	}
	return d;
}

/* Makes sure that all directories up to `path` (a real path) are listed; new ones are made. */
static int need_dirs(struct mapper *m, struct slice path, struct err *e)
{
	struct slice rest = path, name;
	size_t end = 0;
	for (bool more = true; more;) {
		_free_ char *dir = slice_dup(slice_head(path, end));
		const struct entry *there;
		if (!map_has(&m->made, slice_of(dir))) {
			int r = now_at(m, dir, &there, e);
			if (r < 0)
				return -1;
			struct entry fresh = new_dir(m);
			if (r > 0 && there->type != ENTRY_DIR) {
				err_set(e, ERR_USER, "cannot copy to non-directory: /%s", dir);
				return err_hint(e, there->type == ENTRY_SYMLINK ?
						"it is a link to '%s' in the image: copy to where it points" :
						"it is a file in the image; choose another destination than below '%s'",
						there->type == ENTRY_SYMLINK ? there->link : dir);
			}
			struct entry as = r > 0 ? *there : fresh;
			as.opaque = false;
			put(m, dir, &as);
		}
		more = path_next(&rest, &name);
		if (more)
			end = (size_t)(name.p + name.n - path.p);
	}
	return 0;
}

/* Links of one inode stay together within one source item. A directory's inode numbers are told
 * shortened, so two may meet by chance: the digest keeps different files apart. */
static uint32_t link_group(struct mapper *m, const struct copy_item *it)
{
	char hex[SHA256_HEX];
	_free_ char *key = str_printf("%u %zu %s", it->entry.group, it->group,
				      digest_hex(&it->entry.digest, hex));
	uintptr_t number = (uintptr_t)map_get(&m->links, slice_of(key));
	if (!number) {
		number = m->links.n + 1;
		map_put(&m->links, slice_of(key), (void *)number);
	}
	return (uint32_t)number;
}

/* With --chmod and --chown, and with the times the source has. */
static struct entry as_copied(struct mapper *m, const struct copy_item *it)
{
	struct entry ent = it->entry;
	const struct copy_spec *s = m->spec;
	ent.opaque = false;
	if (ent.group)
		ent.group = link_group(m, it);
	if (s->has_owner) {
		ent.uid = s->uid;
		ent.gid = s->gid;
	}
	if (s->chmod && ent.type != ENTRY_SYMLINK && !s->args[it->arg].whole)
		ent.mode = chmod_apply(s->chmod, ent.mode, ent.type == ENTRY_DIR);
	if (!s->args[it->arg].tree)
		ent.mtime = s->now;
	return ent;
}

/* A directory that is merged into what is there. `path` is changed to the real place if it leads
 * through a link and that is allowed (archives). */
static int put_dir(struct mapper *m, char **path, const struct copy_item *it, struct err *e)
{
	const struct entry *there;
	int r = now_at(m, *path, &there, e);
	if (r < 0)
		return -1;
	if (r > 0 && there->type == ENTRY_SYMLINK && m->spec->args[it->arg].whole) {
		_free_ char *real = NULL;
		struct view_hit hit;
		r = view_resolve(m->below, *path, true, &real, &hit, e);
		if (r < 0)
			return -1;
		str_set(path, take_ptr(&real));
		return need_dirs(m, slice_of(*path), e);
	}
	if (r > 0 && there->type != ENTRY_DIR) {
		err_set(e, ERR_USER, "cannot copy to non-directory: /%s", *path);
		if (there->type == ENTRY_SYMLINK)
			return err_hint(e, "the image has a link there, to '%s': a directory cannot replace it; "
					"copy to '%s' instead", there->link, there->link);
		return err_hint(e, "the image has a file there: remove it in an earlier RUN, "
				   "or choose another destination");
	}
	struct entry ent = as_copied(m, it);
	put(m, *path, &ent);
	return 0;
}

static int put_file(struct mapper *m, const char *path, const struct copy_item *it, struct err *e)
{
	const struct entry *there;
	int r = now_at(m, path, &there, e);
	if (r < 0)
		return -1;
	if (r > 0 && there->type == ENTRY_DIR) {
		err_set(e, ERR_USER, "cannot replace to directory /%s with file", path);
		return err_hint(e, "the image has a directory there; end the destination with '/' to copy into it");
	}
	struct entry ent = as_copied(m, it);
	put(m, path, &ent);
	if (ent.type == ENTRY_FILE)
		map_put(&m->out->items, slice_of(path), (void *)it);
	else
		map_del(&m->out->items, slice_of(path));
	return 0;
}

/* The key of the directory that a path lies in: "" for the root. */
static struct slice parent_of(const char *path)
{
	struct slice dir = path_dir(slice_of(path));
	return slice_is(dir, ".") ? SL("") : dir;
}

/* Real places of directories of a source whose own place leads through links (archives). */
static char *place_of(struct map *moved, const char *dest, const char *rel)
{
	struct slice dir = path_dir(slice_of(rel));
	if (!slice_is(dir, ".")) {
		const char *to = map_get(moved, dir);
		if (to)
			return str_printf("%s%s%.*s", to, *to ? "/" : "", SLF(path_base(slice_of(rel))));
	}
	return *dest ? str_printf("%s/%s", dest, rel) : str_dup(rel);
}

static int map_dir_group(struct mapper *m, const struct copy_selection *sel, size_t from, size_t to,
			 const char *dest, struct err *e)
{
	const struct entry *there;
	int r = now_at(m, dest, &there, e);
	if (r < 0)
		return -1;
	if (need_dirs(m, slice_of(dest), e) < 0)
		return -1;
	/* Whether it was there or was made: its time becomes that of the source's directory. */
	struct entry *top = map_get(&m->made, slice_of(dest));
	const struct copy_item *it0 = &sel->items.p[from];
	/* An archive without an entry for its root says nothing. */
	if (!m->spec->args[it0->arg].whole || it0->entry.mtime) {
		top->mtime = it0->entry.mtime;
		top->mtime_ns = it0->entry.mtime_ns;
	}

	struct map moved = { 0 };
	for (size_t i = from + 1; i < to && r >= 0; i++) {
		const struct copy_item *it = &sel->items.p[i];
		_free_ char *path = place_of(&moved, dest, it->rel);
		if (it->entry.type == ENTRY_DIR) {
			r = put_dir(m, &path, it, e);
			if (r == 0)
				free(map_put(&moved, slice_of(it->rel), str_dup(path)));
		} else {
			/* An archive need not hold the directories above its members. */
			if (m->spec->args[it->arg].whole && need_dirs(m, parent_of(path), e) < 0)
				r = -1;
			else
				r = put_file(m, path, it, e);
		}
	}
	map_each(mv, &moved)
		free(mv->value);
	map_done(&moved);
	return r < 0 ? -1 : 0;
}

static int map_group(struct mapper *m, const struct copy_selection *sel, size_t from, size_t to,
		     const char *dest, bool dest_is_dir, struct err *e)
{
	const struct copy_group *g = &sel->groups.p[sel->items.p[from].group];
	_free_ char *place = str_dup(dest);
	if (g->is_dir)
		return map_dir_group(m, sel, from, to, place, e);

	const struct entry *there;
	int r = now_at(m, place, &there, e);
	if (r < 0)
		return -1;
	if (dest_is_dir || m->spec->parents || (r > 0 && there->type == ENTRY_DIR))
		str_set(&place, *place ? str_printf("%s/%s", place, g->name) : str_dup(g->name));
	if (need_dirs(m, parent_of(place), e) < 0)
		return -1;
	return put_file(m, place, &sel->items.p[from], e);
}

static bool ends_as_dir(struct slice dest)
{
	return dest.n == 0 || slice_is(dest, ".") || slice_ends(dest, SL("/")) || slice_ends(dest, SL("/."));
}

int copy_map(const struct copy_spec *spec, const struct copy_selection *sel, struct view *below,
	     struct copy_plan *out, struct err *e)
{
	struct mapper m = { .spec = spec, .below = below, .out = out };
	index_init(&out->index);
	bool dest_is_dir = ends_as_dir(slice_of(spec->dest));
	_free_ char *full = path_join(slice_of(spec->workdir), slice_of(spec->dest));
	_free_ char *dest = NULL;
	struct view_hit hit;
	int r = view_resolve(below, full, true, &dest, &hit, e);
	if (r >= 0)
		r = 0;
	/* Even a COPY that matches nothing leaves its directory (--parents), as BuildKit does. */
	if (r == 0 && spec->parents)
		r = need_dirs(&m, slice_of(dest), e);
	for (size_t i = 0; r == 0 && i < sel->items.n;) {
		size_t end = i + 1;
		while (end < sel->items.n && sel->items.p[end].group == sel->items.p[i].group)
			end++;
		r = map_group(&m, sel, i, end, dest, dest_is_dir, e);
		i = end;
	}
	if (r == 0) {
		arr_reserve(&out->index.entries, m.made.n);
		map_each(it, &m.made) {
			const struct entry *ent = it->value;
			(void) index_add_copy(&out->index, ent, ent->path);
		}
		index_sort(&out->index);
	}
	map_done(&m.made);
	map_done(&m.links);
	arena_done(&m.arena);
	return r;
}
