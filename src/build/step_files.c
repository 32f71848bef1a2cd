/* SPDX-License-Identifier: Apache-2.0 */
/* COPY, ADD and WORKDIR: steps that write files without running anything. */
#include "base/err.h"
#include "base/path.h"
#include "build/copy_job.h"
#include "build/tar_follow.h"
#include "sandbox/identity.h"

int step_copy(struct plan *p, struct node *n, char id[static SNAP_ID], struct err *e)
{
	_cleanup_(copy_plan_done) struct copy_plan made = { 0 };
	_cleanup_(view_done) struct view empty = { 0 };
	struct source_tree *below = NULL;
	if (!n->link && chain_tree(p, n->prev, &below, e) < 0)
		return -1;
	if (copy_map(&n->job->spec, &n->job->sel, below ? below->view : &empty, &made, e) < 0)
		return node_err_at(e, n, NULL);
	struct snap_draft d = SNAP_DRAFT_INIT;
	if (snap_begin(p->store, &d, e) < 0)
		return -1;
	struct tree_stream sum;
	bool follows = n->exported && !chain_rewrites(p) && index_is_complete(&made.index);
	struct tar_follow *f = follows ? tar_follow_start(d.treefd, &made.index) : NULL;
	int r = copy_write(&n->job->spec, &made, d.treefd, store_tree_opts(p->store), f, e);
	if (f && tar_follow_end(f, r == 0, &sum, e) < 0)
		r = -1;
	if (r == 0)
		r = chain_commit(p, n, &d, &made.index, f ? &sum : NULL, id, e);
	snap_abort(p->store, &d);
	return r;
}

/* Directories that WORKDIR makes are owned by the current USER; a name that is not in the image's
 * passwd is root. */
static int workdir_owner(struct plan *p, struct node *n, uint32_t *uid, uint32_t *gid, struct err *e)
{
	*uid = *gid = 0;
	if (!n->user || !*n->user)
		return 0;
	_cleanup_(buf_done) struct buf passwd = { 0 }, group = { 0 };
	if (chain_read(p, n->prev, "etc/passwd", 4u << 20, &passwd, e) < 0 ||
	    chain_read(p, n->prev, "etc/group", 4u << 20, &group, e) < 0)
		return -1;
	struct err unknown = { 0 }; /* documented: root then */
	_cleanup_(identity_done) struct identity who = { 0 };
	if (identity_find(slice_of(n->user), buf_view(&passwd), buf_view(&group), &who, &unknown) == 0) {
		*uid = who.uid;
		*gid = who.gid;
	}
	err_done(&unknown);
	return 0;
}

int step_workdir(struct plan *p, struct node *n, char id[static SNAP_ID], struct err *e)
{
	struct source_tree *below;
	if (chain_tree(p, n->prev, &below, e) < 0)
		return -1;
	uint32_t uid, gid;
	if (workdir_owner(p, n, &uid, &gid, e) < 0)
		return -1;
	_free_ char *key = NULL;
	struct view_hit hit;
	int r = view_resolve(below->view, n->cwd, true, &key, &hit, e);
	if (r < 0)
		return node_err_at(e, n, NULL);
	_cleanup_(index_done) struct index x = { 0 };
	index_init(&x);
	if (r > 0 && hit.entry->type != ENTRY_DIR) {
		err_set(e, ERR_USER, "WORKDIR '%s' is not a directory in the image", n->cwd);
		return node_err_at(e, n, NULL);
	}
	struct snap_draft d = SNAP_DRAFT_INIT;
	if (snap_begin(p->store, &d, e) < 0)
		return -1;
	const struct tree_opts *o = store_tree_opts(p->store);
	struct slice rest = slice_of(key), name;
	size_t end = 0;
	int done = 0;
	/* Only when something has to be made is anything listed: the layer may be empty. */
	for (bool more = r == 0; more && done == 0;) {
		_free_ char *dir = slice_dup(slice_head(slice_of(key), end));
		struct entry ent = { .type = ENTRY_DIR, .mode = 0755, .uid = uid, .gid = gid, .mtime = p->now };
		int there = view_lookup(below->view, dir, &hit, e);
		if (there < 0)
			done = -1;
		if (there > 0)
			ent = *hit.entry;
		ent.opaque = false;
		(void) index_add_copy(&x, &ent, dir);
		if (done == 0 && *dir && tree_make(d.treefd, dir, &ent, o, e) < 0)
			done = -1;
		more = path_next(&rest, &name);
		if (more)
			end = (size_t)(name.p + name.n - key);
	}
	for (size_t i = x.entries.n; done == 0 && i-- > 0;)
		done = tree_set_meta(d.treefd, *x.entries.p[i].path ? x.entries.p[i].path : ".",
				     &x.entries.p[i], o, e);
	if (done == 0) {
		index_sort(&x);
		done = chain_commit(p, n, &d, &x, NULL, id, e);
	}
	snap_abort(p->store, &d);
	return done;
}
