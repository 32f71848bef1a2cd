/* SPDX-License-Identifier: Apache-2.0 */
/* layer/diff.c: from what overlayfs left in an upper directory to a canonical layer.
 *
 * One walk judges each file against the lower view. What was copied up and is as before may be
 * dropped, but not
 *  - below a directory that replaces a lower one (the lower content is hidden there),
 *  - if it shares its inode with something that stays: the link would break,
 *  - a directory with something that stays below it.
 * So dropping is decided from the leaves up, and then done, from the leaves up, to the tree. */
#include "base/err.h"
#include "base/map.h"
#include "base/walk.h"
#include "layer/entry.h"
#include "layer/meta.h"
#include "layer/place.h"
#include "layer/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

enum fate {
	KEEP,
	DROP, /* as it was below: leave it to the lower layers */
	REMOVE, /* sockets, whiteouts of nothing: no part of a layer */
};

struct found {
	struct entry ent;
	enum fate fate;
	size_t parent; /* in diff->found; the root is its own */
	bool lower_gone; /* a directory below which nothing of the lower view shows */
	bool unmark; /* overlay's opaque mark means nothing here and goes */
	bool whiteout_after; /* a removed socket hid something: a whiteout takes its place */
	bool touched; /* something is removed from this directory: its time is to be set again */
	int lower_layer; /* of the hit that it equals, with its group */
	uint32_t lower_group;
};

struct diff {
	int upperfd;
	const struct tree_opts *o;
	const struct tree_lower *lower;
	struct arena arena;
	ARRAY_OF(struct found) found;
	ARRAY_OF(size_t) dirs; /* the directories above the one being looked at, the root first */
	struct map inodes; /* of files with several names -> group */
};

static void diff_done(struct diff *d)
{
	arr_done(&d->found);
	arr_done(&d->dirs);
	map_done(&d->inodes);
	arena_done(&d->arena);
}

/* What the lower view has under this name, as seen through the directories above. */
static int find_lower(struct diff *d, size_t parent, const char *key, struct view_hit *hit,
		      struct err *e)
{
	if (!d->lower || !d->lower->view || d->found.p[parent].lower_gone)
		return 0;
	return view_lookup(d->lower->view, key, hit, e);
}

/* The lower tree could not hold all that its index does (tree_opts): what came up from there is
 * given back to the entry, or a copy-up would be taken for a change. */
static void restore_lost(const struct diff *d, const struct entry *low, struct entry *ent)
{
	if (meta_is_stand_in(low, d->o) && ent->type == ENTRY_FILE && ent->size == 0) {
		ent->type = low->type;
		ent->major = low->major;
		ent->minor = low->minor;
	}
	if (low->type != ent->type)
		return;
	if (low->uid > d->o->uid_max && ent->uid == 0)
		ent->uid = low->uid;
	if (low->gid > d->o->gid_max && ent->gid == 0)
		ent->gid = low->gid;
}

/* The same for xattrs; on files the kernel kept them in the upper as well. */
static void restore_xattrs(struct diff *d, const struct entry *low, struct entry *ent)
{
	size_t lost = 0;
	if (low->type != ent->type)
		return;
	for (size_t i = 0; i < low->xattrs_n; i++)
		lost += !meta_xattr_in_tree(low, low->xattrs[i].name, d->o);
	if (lost == 0)
		return;
	struct xattr *list = arena_alloc(&d->arena, (ent->xattrs_n + lost) * sizeof(*list));
	size_t n = 0, i = 0;
	for (size_t j = 0; j < low->xattrs_n; j++) {
		const struct xattr *x = &low->xattrs[j];
		if (meta_xattr_in_tree(low, x->name, d->o))
			continue;
		while (i < ent->xattrs_n && strcmp(ent->xattrs[i].name, x->name) < 0)
			list[n++] = ent->xattrs[i++];
		if (i == ent->xattrs_n || strcmp(ent->xattrs[i].name, x->name) != 0)
			list[n++] = *x;
	}
	while (i < ent->xattrs_n)
		list[n++] = ent->xattrs[i++];
	ent->xattrs = list;
	ent->xattrs_n = n;
}

static bool same_meta(const struct entry *a, const struct entry *b)
{
	if (a->type != b->type || a->uid != b->uid || a->gid != b->gid || a->mtime != b->mtime ||
	    a->mtime_ns != b->mtime_ns || !entry_same_xattrs(a, b))
		return false;
	switch (a->type) {
	case ENTRY_SYMLINK: return strcmp(a->link, b->link) == 0;
	case ENTRY_CHAR:
	case ENTRY_BLOCK: return a->mode == b->mode && a->major == b->major && a->minor == b->minor;
	case ENTRY_FILE: return a->mode == b->mode && a->size == b->size;
	default: return a->mode == b->mode;
	}
}

static int same_bytes(int a, int b, struct err *e)
{
	enum { PIECE = 64 << 10 };
	_free_ char *p = mem_resize(NULL, 2, PIECE);
	for (;;) {
		ssize_t n = fd_read(a, p, PIECE), m = fd_read(b, p + PIECE, PIECE);
		if (n < 0 || m < 0)
			return err_sys(e, "read");
		if (n != m || memcmp(p, p + PIECE, (size_t)n) != 0)
			return 0;
		if (n == 0)
			return 1;
	}
}

/* 1 the same, 0 not, -1. A digest that was computed stays in ent. */
static int same_content(const struct diff *d, const struct walk_entry *at, struct entry *ent,
			const struct view_hit *low, struct err *e)
{
	if (low->entry->has_digest) {
		if (entry_digest(at->dirfd, at->name, &ent->digest, e) < 0)
			return -1;
		ent->has_digest = true;
		return digest_eq(&ent->digest, &low->entry->digest);
	}
	_close_ int mine = openat(at->dirfd, at->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (mine < 0)
		return err_sys(e, "open");
	_close_ int theirs = d->lower->open(d->lower->ctx, low, e);
	if (theirs < 0)
		return -1;
	return same_bytes(mine, theirs, e);
}

static struct found *add_found(struct diff *d, const struct walk_entry *at)
{
	struct found f = {
		.ent = { .path = arena_str(&d->arena, slice_of(at->path)) },
		.parent = d->dirs.p[at->depth - 1],
	};
	arr_push(&d->found, f);
	return arr_last(&d->found);
}

/* Something that no layer can hold; what it hid below stays hidden. */
static void judge_gone(struct found *f, int has_lower)
{
	f->ent.type = ENTRY_WHITEOUT;
	f->fate = has_lower ? KEEP : REMOVE;
}

static uint32_t group_of(struct diff *d, const struct stat *st)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	struct slice key = { (const char *)&st->st_ino, sizeof st->st_ino };
	uintptr_t n = (uintptr_t)map_get(&d->inodes, key);
	if (!n) {
		n = d->inodes.n + 1;
		map_put(&d->inodes, key, (void *)n);
	}
	return (uint32_t)n;
}

static void judge_dir(struct found *f, const struct overlay_marks *m, const struct tree_opts *o,
		      const struct entry *low)
{
	bool marked = o->mode == TREE_USER ? m->opaque_user : m->opaque_trusted;
	bool over_dir = low && low->type == ENTRY_DIR;
	f->ent.opaque = marked && over_dir;
	f->unmark = marked && !over_dir;
	f->lower_gone = !over_dir || marked;
}

static int check_whole(const struct overlay_marks *m, struct err *e)
{
	if (!m->redirect && !m->metacopy)
		return 0;
	return err_set(e, ERR_DATA,
		       "overlayfs left a %s here, so this directory is no layer by itself",
		       m->redirect ? "redirect" : "metacopy");
}

static int judge(struct diff *d, const struct walk_entry *at, struct err *e)
{
	struct found *f = add_found(d, at);
	struct view_hit low = { 0 };
	int has_lower = find_lower(d, f->parent, f->ent.path, &low, e);
	if (has_lower < 0)
		return -1;
	if ((S_ISCHR(at->st.st_mode) && at->st.st_rdev == 0) || S_ISSOCK(at->st.st_mode)) {
		judge_gone(f, has_lower);
		f->whiteout_after = S_ISSOCK(at->st.st_mode) && has_lower;
		return 0;
	}
	struct overlay_marks marks;
	if (entry_read(&d->arena, at->dirfd, at->name, &at->st, &f->ent, &marks, e) < 0 ||
	    check_whole(&marks, e) < 0)
		return -1;
	f->ent.group = group_of(d, &at->st);
	if (has_lower) {
		restore_lost(d, low.entry, &f->ent);
		restore_xattrs(d, low.entry, &f->ent);
	}
	if (f->ent.type == ENTRY_DIR) {
		judge_dir(f, &marks, d->o, has_lower ? low.entry : NULL);
		arr_reserve(&d->dirs, at->depth + 1);
		d->dirs.p[at->depth] = d->found.n - 1;
	}
	if (!has_lower || f->ent.opaque || !same_meta(&f->ent, low.entry))
		return 0;
	int same = f->ent.type == ENTRY_FILE ? same_content(d, at, &f->ent, &low, e) : 1;
	if (same < 0)
		return -1;
	f->fate = same ? DROP : KEEP;
	f->lower_layer = low.layer;
	f->lower_group = low.entry->group;
	return 0;
}

/* The root's time alone is no change: every mount point and every step moves it. */
static int judge_root(struct diff *d, struct err *e)
{
	struct found f = { .ent.path = "" };
	struct view_hit low;
	struct stat st;
	struct overlay_marks marks;
	if (fstat(d->upperfd, &st) < 0)
		return err_sys(e, "look at the upper directory");
	if (entry_read(&d->arena, d->upperfd, ".", &st, &f.ent, &marks, e) < 0)
		return -1;
	int r = d->lower && d->lower->view ? view_lookup(d->lower->view, "", &low, e) : 0;
	if (r < 0)
		return -1;
	static const struct entry plain = { .path = "", .type = ENTRY_DIR, .mode = 0755 };
	const struct entry *was = r ? low.entry : &plain;
	restore_lost(d, was, &f.ent);
	restore_xattrs(d, was, &f.ent);
	struct entry same_time = f.ent;
	same_time.mtime = was->mtime;
	same_time.mtime_ns = was->mtime_ns;
	f.fate = same_meta(&same_time, was) ? DROP : KEEP;
	f.lower_gone = r == 0;
	arr_push(&d->found, f);
	arr_push(&d->dirs, (size_t)0);
	return 0;
}

static int judge_all(struct diff *d, struct err *e)
{
	if (judge_root(d, e) < 0)
		return -1;
	_cleanup_(walk_closep) struct walk *w = walk_open(d->upperfd, ".", e);
	struct walk_entry at;
	int r;
	while ((r = walk_next(w, &at, e)) > 0)
		if (judge(d, &at, e) < 0)
			return err_add(e, "'/%s'", at.path);
	return r;
}

/* Names of one inode go together, and only if one lower inode stands below all of them. */
static void keep_linked(struct diff *d)
{
	size_t groups = d->inodes.n;
	if (groups == 0)
		return;
	struct found **first = mem_array(groups + 1, sizeof(struct found *));
	unsigned *members = mem_array(groups + 1, sizeof(*members));
	bool *stays = mem_array(groups + 1, sizeof(*stays));
	arr_each(f, &d->found) {
		uint32_t g = f->ent.group;
		if (!g)
			continue;
		members[g]++;
		if (!first[g])
			first[g] = f;
		if (f->fate == KEEP || f->lower_layer != first[g]->lower_layer ||
		    f->lower_group != first[g]->lower_group || (f != first[g] && !f->lower_group))
			stays[g] = true;
	}
	arr_each(f, &d->found)
		if (f->ent.group && stays[f->ent.group] && members[f->ent.group] > 1)
			f->fate = KEEP;
	free(first);
	free(members);
	free(stays);
}

static void keep_parents(struct diff *d)
{
	for (size_t i = d->found.n; i-- > 1;) {
		struct found *f = &d->found.p[i], *parent = &d->found.p[f->parent];
		if (f->fate == KEEP && f->parent != 0)
			parent->fate = KEEP;
		if (f->fate != KEEP || f->whiteout_after || f->unmark)
			parent->touched = true;
	}
}

/* A directory that is dropped takes with it what is below: all of that is dropped or removed. */
static int remove_one(struct diff *d, struct place *at, const struct found *f, struct err *e)
{
	const char *name;
	int dirfd = place_at(at, f->ent.path, &name, e);
	if (dirfd < 0)
		return -1;
	bool dir = f->ent.type == ENTRY_DIR;
	if (unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0) < 0)
		return err_sys(e, "remove what did not change");
	if (f->whiteout_after)
		return tree_make(dirfd, name, &f->ent, d->o, e);
	return 0;
}

static int unmark_one(struct diff *d, struct place *at, const struct found *f, struct err *e)
{
	const char *name;
	char dir[FS_PROC_LEN];
	_cleanup_(buf_done) struct buf attr = { 0 };
	int dirfd = place_at(at, f->ent.path, &name, e);
	if (dirfd < 0)
		return -1;
	_free_ char *path = str_printf("%s/%s", fs_proc_path(dirfd, dir), name);
	if (lremovexattr(path, meta_overlay_name(d->o, "opaque", &attr)) < 0 && errno != ENODATA)
		return err_sys(e, "remove overlayfs's mark");
	return 0;
}

static int reset_time(struct diff *d, struct place *at, const struct found *f, struct err *e)
{
	const char *name;
	int dirfd = place_at(at, f->ent.path, &name, e);
	struct timespec t = { f->ent.mtime, f->ent.mtime_ns };
	if (dirfd < 0)
		return -1;
	if (utimensat(dirfd, name, (struct timespec[]){ t, t }, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the time");
	return 0;
}

/* From the leaves up, so that directories are empty and their times are set last. */
static int change_tree(struct diff *d, struct err *e)
{
	_cleanup_(place_done) struct place at = PLACE_INIT(d->upperfd);
	for (size_t i = d->found.n; i-- > 0;) {
		const struct found *f = &d->found.p[i];
		int r = 0;
		if (i && (f->fate != KEEP || f->whiteout_after))
			r = remove_one(d, &at, f, e);
		else if (f->unmark)
			r = unmark_one(d, &at, f, e);
		if (r == 0 && f->touched && (i == 0 || f->fate == KEEP))
			r = reset_time(d, &at, f, e);
		if (r < 0)
			return err_add(e, "'/%s'", f->ent.path);
		if (f->ent.type == ENTRY_DIR && f->fate != KEEP)
			place_forget(&at);
	}
	return 0;
}

int tree_diff(int upperfd, const struct tree_opts *o, const struct tree_lower *lower,
	      struct index *out, struct err *e)
{
	_cleanup_(diff_done) struct diff d = { .upperfd = upperfd, .o = o, .lower = lower };
	if (judge_all(&d, e) < 0)
		return -1;
	keep_linked(&d);
	keep_parents(&d);
	if (change_tree(&d, e) < 0)
		return -1;
	struct index x;
	index_init(&x);
	arr_each(f, &d.found)
		if (f->fate == KEEP)
			index_add_copy(&x, &f->ent, NULL);
	index_sort(&x);
	index_settle_groups(&x);
	*out = x;
	return 0;
}
