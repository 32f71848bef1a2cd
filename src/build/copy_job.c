/* SPDX-License-Identifier: Apache-2.0 */
#include "build/copy_job.h"

#include <fcntl.h>

#include "base/err.h"
#include "base/num.h"
#include "base/path.h"
#include "build/archive.h"
#include "build/miss.h"
#include "sandbox/identity.h"

void copy_job_free(struct copy_job *j)
{
	if (!j)
		return;
	copy_selection_done(&j->sel);
	arr_each(t, &j->trees) {
		source_tree_done(*t);
		free(*t);
	}
	arr_done(&j->trees);
	arr_done(&j->args);
	if (j->has_exclude)
		ignore_done(&j->exclude);
	free(j);
}

/* The tree of a source: the plan's directory, or the files of a node. */
static int tree_of(struct plan *p, const struct plan_source *from, struct source_tree **out, struct err *e)
{
	if (!from->node) {
		*out = from->dir;
		return 0;
	}
	return chain_tree(p, from->node, out, e);
}

/* Names are looked up in the image as the step finds it. A name that is not there is 0, with a
 * warning, as in BuildKit; without any passwd file it is an error. */
static int find_owner(struct plan *p, struct node *n, struct copy_spec *spec, struct err *e)
{
	if (!n->chown)
		return 0;
	_cleanup_(buf_done) struct buf passwd = { 0 }, group = { 0 };
	struct slice user = slice_of(n->chown), grp = { 0 };
	size_t colon = slice_find(user, ':');
	bool has_group = colon < user.n;
	if (has_group) {
		grp = slice_from(user, colon + 1);
		user = slice_head(user, colon);
	}
	bool empty_root = n->link || (n->prev->kind == NODE_BASE && n->prev->base->kind == BASE_SCRATCH);
	if (!empty_root && (chain_read(p, n->prev, "etc/passwd", 4u << 20, &passwd, e) < 0 ||
			    chain_read(p, n->prev, "etc/group", 4u << 20, &group, e) < 0))
		return -1;
	uint32_t gid = 0;
	spec->has_owner = true;
	bool known = identity_uid(user, buf_view(&passwd), &spec->uid, &gid) == 1;
	bool group_known = true;
	uint64_t number;
	/* A number alone is both, whatever passwd says of it: dockerfile.md §4. */
	spec->gid = num_parse(user, UINT32_MAX, &number) == 0 ? (uint32_t)number : gid;
	if (has_group)
		group_known = identity_gid(grp, buf_view(&group), &spec->gid) == 1;
	if (known && group_known)
		return 0;
	struct slice name = known ? grp : user;
	if (empty_root) {
		err_set(e, ERR_USER, "invalid user index: -1: '%.*s' is a name, and there is no %s to find it in",
			SLF(name), known ? "/etc/group" : "/etc/passwd");
		return err_hint(e, "write numbers: --chown=1000:1000");
	}
	if (!known)
		spec->uid = spec->gid = 0;
	if (!group_known)
		spec->gid = 0;
	const struct build_events *ev = p->opts->events;
	if (ev && ev->warned) {
		_free_ char *text = str_printf("--chown=%s: no '%.*s' in the image's %s, so 0 is used", n->chown,
					       SLF(name), known ? "/etc/group" : "/etc/passwd");
		ev->warned(ev->ctx, &(struct build_warning){ .text = text, .span = n->instr ? &n->instr->span : NULL });
	}
	return 0;
}

/* ADD: an archive is a tree of its own, whose contents go into the destination. */
static int open_archive(struct plan *p, struct copy_job *j, size_t arg, struct err *e)
{
	struct copy_arg *a = &j->args.p[arg];
	if (!a->tree || path_has_magic(slice_of(a->path)))
		return 0;
	_free_ char *clean = path_key(slice_of(a->path)), *key = NULL;
	struct view_hit hit;
	int r = view_resolve(a->tree->view, clean, true, &key, &hit, e);
	if (r <= 0 || hit.entry->type != ENTRY_FILE)
		return r < 0 ? -1 : 0;
	struct source_tree *t = NULL;
	r = archive_open(&p->layers, a->tree, &hit, &t, e);
	if (r <= 0)
		return r;
	arr_push(&j->trees, t);
	a->tree = t;
	a->path = "/";
	a->whole = true;
	return 0;
}

int copy_job_ready(struct plan *p, struct node *n, struct err *e)
{
	if (n->job)
		return 0;
	struct copy_job *j = n->job = NEW(struct copy_job);
	for (size_t i = 0; i < n->paths.n; i++) {
		struct copy_arg *a = arr_add(&j->args);
		a->path = n->paths.p[i];
		a->text = n->texts.p[i];
		if (!a->text.p && tree_of(p, &n->from.p[i], &a->tree, e) < 0)
			return -1;
		if (n->add && !(n->unpack_set && !n->unpack) && open_archive(p, j, i, e) < 0)
			return node_err_at(e, n, n->paths.p[i]);
	}
	j->spec = (struct copy_spec){ .args = j->args.p, .args_n = j->args.n, .dest = n->dest,
				      .workdir = n->cwd, .chmod = n->chmod, .chmod_text = n->chmod_text, .parents = n->parents,
				      .now = p->now };
	j->has_exclude = n->excludes.n > 0;
	for (size_t i = 0; i < n->excludes.n; i++)
		if (ignore_add(&j->exclude, slice_of(n->excludes.p[i]), e) < 0)
			return node_err_at(e, n, n->excludes.p[i]);
	if (j->has_exclude)
		j->spec.exclude = &j->exclude;
	if (find_owner(p, n, &j->spec, e) < 0)
		return node_err_at(e, n, n->chown);
	size_t missed;
	if (copy_select(&j->spec, &j->sel, &missed, e) == 0)
		return 0;
	if (missed != SIZE_MAX)
		miss_explain(p, j->args.p[missed].tree, n, j->args.p[missed].path, &n->from.p[missed], e);
	return node_err_at(e, n, missed != SIZE_MAX ? j->args.p[missed].path : NULL);
}

int copy_job_bind(struct plan *p, const struct node *n, const struct plan_source *from, const char *path, int64_t now,
		  struct copy_job **out, struct err *e)
{
	struct copy_job *j = NEW(struct copy_job);
	*out = j;
	struct copy_arg *a = arr_add(&j->args);
	a->path = path;
	if (tree_of(p, from, &a->tree, e) < 0)
		return -1;
	/* A file keeps its name below "/", a directory's contents are the root of what is mounted. */
	j->spec = (struct copy_spec){ .args = j->args.p, .args_n = 1, .dest = "/", .workdir = "/", .now = now };
	size_t missed;
	if (copy_select(&j->spec, &j->sel, &missed, e) == 0)
		return 0;
	if (missed != SIZE_MAX)
		miss_explain(p, a->tree, n, path, from, e);
	return -1;
}

const struct entry *copy_job_top(const struct copy_job *j)
{
	const struct copy_item *it = &j->sel.items.p[0];
	bool root = it->want.hit.layer < 0 && *it->entry.path == 0;
	return j->sel.groups.p[0].is_dir && !root ? &it->entry : NULL;
}
