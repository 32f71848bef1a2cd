/* SPDX-License-Identifier: Apache-2.0 */
/* layer/view_path.c: paths resolved in a view, and going through all below a directory. */
#include "base/err.h"
#include "base/path.h"
#include "layer/view_in.h"
#include <limits.h>

enum { LINKS_MAX = 40 }; /* MAXSYMLINKS of the kernel: path_resolution(7) */

struct resolving {
	struct view *view;
	struct buf done; /* real path so far */
	char *rest; /* what is still to be resolved */
	size_t at; /* in rest */
	bool follow;
	int links;
};

static struct slice next_name(struct resolving *r)
{
	while (r->rest[r->at] == '/')
		r->at++;
	const char *p = r->rest + r->at;
	size_t n = strcspn(p, "/");
	r->at += n;
	return (struct slice){ p, n };
}

static void go_up(struct buf *done)
{
	if (done->len == 0)
		return;
	char *slash = strrchr(done->p, '/');
	done->len = slash ? (size_t)(slash - done->p) : 0;
	done->p[done->len] = '\0';
}

static bool more_names(const char *rest)
{
	for (;; rest++) {
		rest += strspn(rest, "/");
		if (!*rest)
			return false;
		size_t n = strcspn(rest, "/");
		if (!(n == 1 && rest[0] == '.'))
			return true;
		rest += n - 1;
	}
}

static int follow_link(struct resolving *r, const struct entry *link, struct err *e)
{
	if (++r->links > LINKS_MAX)
		return err_set(e, ERR_DATA, "'/%s': more than %d symbolic links on the way",
			       link->path, LINKS_MAX);
	if (link->link[0] == '/')
		buf_clear(&r->done);
	else
		go_up(&r->done);
	if (strlen(link->link) + strlen(r->rest + r->at) + 2 > 16 * PATH_MAX)
		return err_set(e, ERR_DATA, "'/%s': the path becomes too long", link->path);
	str_set(&r->rest, str_printf("%s/%s", link->link, r->rest + r->at));
	r->at = 0;
	return 0;
}

/* One component. 1: done holds it, *hit is it; 0: there is none; -1. */
static int step(struct resolving *r, struct slice name, struct view_hit *hit, struct err *e)
{
	if (slice_is(name, "."))
		return 1;
	if (slice_is(name, "..")) {
		go_up(&r->done);
		return view_lookup(r->view, r->done.len ? r->done.p : "", hit, e);
	}
	if (r->done.len)
		buf_char(&r->done, '/');
	buf_slice(&r->done, name);
	int found = view_lookup(r->view, r->done.p, hit, e);
	if (found <= 0)
		return found;
	const char *rest = r->rest + r->at;
	if (hit->entry->type == ENTRY_SYMLINK && (*rest || r->follow)) {
		if (follow_link(r, hit->entry, e) < 0)
			return -1;
		return view_lookup(r->view, r->done.len ? r->done.p : "", hit, e);
	}
	if (hit->entry->type != ENTRY_DIR && more_names(rest))
		return err_set(e, ERR_USER, "'/%s' is not a directory", r->done.p);
	return 1;
}

static int resolve(struct resolving *r, struct view_hit *hit, struct err *e)
{
	int found = view_lookup(r->view, "", hit, e);
	while (found > 0) {
		struct slice name = next_name(r);
		if (name.n == 0)
			return 1;
		found = step(r, name, hit, e);
	}
	return found;
}

int view_resolve(struct view *v, const char *path, bool follow, char **key, struct view_hit *out,
		 struct err *e)
{
	struct resolving r = { .view = v, .rest = str_dup(path), .follow = follow };
	struct view_hit hit = { 0 };
	int found = resolve(&r, &hit, e);
	if (found == 0) {
		buf_char(&r.done, '/');
		buf_str(&r.done, r.rest + r.at);
	}
	if (found >= 0)
		*key = path_key(buf_view(&r.done));
	if (found > 0)
		*out = hit;
	buf_done(&r.done);
	free(r.rest);
	return found;
}

/* Without a bottom a walk is a run of the array; with one it goes by lists of names. */
struct level {
	char *key;
	struct strs names;
	size_t at;
};

struct view_walk {
	struct view *view;
	size_t at, end;
	const struct entry *last;
	ARRAY_OF(struct level) levels;
};

static int push_level(struct view_walk *w, const char *key, struct err *e)
{
	struct level l = { .key = str_dup(key) };
	if (view_list(w->view, key, &l.names, e) < 0) {
		free(l.key);
		return -1;
	}
	arr_push(&w->levels, l);
	return 0;
}

static void pop_level(struct view_walk *w)
{
	struct level *l = arr_last(&w->levels);
	free(l->key);
	strs_done(&l->names);
	w->levels.n--;
}

struct view_walk *view_walk_open(struct view *v, const char *key, struct err *e)
{
	struct view_hit hit;
	int r = view_lookup(v, key, &hit, e);
	if (r == 0)
		(void)err_set(e, ERR_ABSENT, "there is no '/%s'", key);
	if (r <= 0)
		return NULL;
	struct view_walk *w = NEW(struct view_walk);
	w->view = v;
	if (v->bottom) {
		if (hit.entry->type == ENTRY_DIR && push_level(w, key, e) < 0) {
			view_walk_close(w);
			return NULL;
		}
		return w;
	}
	w->at = view_lower(v, key);
	w->end = view_after(v, key);
	if (w->at < w->end && strcmp(v->hits.p[w->at].entry->path, key) == 0)
		w->at++;
	return w;
}

static int next_by_names(struct view_walk *w, struct view_hit *out, struct err *e)
{
	if (w->last && w->last->type == ENTRY_DIR && push_level(w, w->last->path, e) < 0)
		return -1;
	w->last = NULL;
	while (w->levels.n && arr_last(&w->levels)->at == arr_last(&w->levels)->names.n)
		pop_level(w);
	if (w->levels.n == 0)
		return 0;
	struct level *l = arr_last(&w->levels);
	const char *name = l->names.p[l->at++];
	size_t dir = strlen(l->key);
	_free_ char *key = mem_alloc(dir + strlen(name) + 2);
	memcpy(key, l->key, dir);
	key[dir] = '/';
	memcpy(key + dir + (dir > 0), name, strlen(name) + 1);
	int r = view_lookup(w->view, key, out, e);
	if (r == 0)
		return err_set(e, ERR_DATA, "'/%s' vanished while it was being read", key);
	if (r > 0)
		w->last = out->entry;
	return r;
}

int view_walk_next(struct view_walk *w, struct view_hit *out, struct err *e)
{
	if (!w)
		return -1;
	if (w->view->bottom)
		return next_by_names(w, out, e);
	if (w->at >= w->end)
		return 0;
	*out = w->view->hits.p[w->at++];
	w->last = out->entry;
	return 1;
}

void view_walk_skip(struct view_walk *w)
{
	if (!w->view->bottom && w->last)
		w->at = view_after(w->view, w->last->path);
	w->last = NULL;
}

void view_walk_close(struct view_walk *w)
{
	if (!w)
		return;
	while (w->levels.n)
		pop_level(w);
	arr_done(&w->levels);
	free(w);
}
