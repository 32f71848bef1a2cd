/* SPDX-License-Identifier: Apache-2.0 */
#include "build/miss.h"

#include <fcntl.h>

#include "base/err.h"
#include "base/path.h"

/* Names in the directory where it was looked for that are near to the one that is missing. */
static void near_names(struct source_tree *t, const char *path, struct err *e)
{
	_free_ char *dir = NULL, *parent = slice_dup(path_dir(slice_of(path)));
	struct view_hit hit;
	struct err ignored = { 0 }; /* the advice is only as good as what can be read */
	_cleanup_(strs_done) struct strs names = { 0 }, found = { 0 };
	if (view_resolve(t->view, parent, true, &dir, &hit, &ignored) == 1 && hit.entry->type == ENTRY_DIR &&
	    view_list(t->view, dir, &names, &ignored) == 0) {
		struct slice base = path_base(slice_of(path));
		for (size_t i = 0; i < names.n && found.n < 3; i++) {
			struct view_hit there;
			_free_ char *key = *dir ? str_printf("%s/%s", dir, names.p[i]) : str_dup(names.p[i]);
			if ((slice_distance(slice_of(names.p[i]), base, 2) <= 2 ||
			     slice_eq_nocase(slice_of(names.p[i]), base)) &&
			    view_lookup(t->view, key, &there, &ignored) == 1)
				strs_addf(&found, "'%s'", key);
		}
	}
	err_done(&ignored);
	if (found.n) {
		_free_ char *list = strs_join(&found, ", ");
		err_hint(e, "there is %s", list);
	}
}

static void miss_in_dir(struct source_tree *t, const char *path, struct err *e)
{
	_free_ char *key = path_key(slice_of(path));
	err_set(e, ERR_USER, "\"/%s\": not found: there is no such file in the build context '%s'", key, t->path);
	const struct ignore_rule *rule = NULL;
	struct stat st;
	if (t->ignore && ignore_match(t->ignore, slice_of(key), &rule) && rule &&
	    fstatat(t->dirfd, key, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		err_set(e, ERR_USER, "\"/%s\": not found: '%s' leaves it out of the build context", key,
			t->ignore_name);
		err_hint(e, "%s:%u ('%s') leaves it out; add '!%s' after it", t->ignore_name, rule->line, rule->text, key);
		return;
	}
	if (*path == '/' && fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		err_hint(e, "paths start at the build context, not at this machine's root: copy '%s' into "
			    "the context, or pass its directory with --build-context", path);
	if (strncmp(path, "../", 3) == 0)
		err_hint(e, "'..' cannot leave the build context: build with a context that holds the file, "
			    "and name the Dockerfile with -f");
	near_names(t, key, e);
}

void miss_explain(struct plan *p, struct source_tree *t, const struct node *n, const char *path,
		  const struct plan_source *from, struct err *e)
{
	if (!from->node) {
		miss_in_dir(t, path, e);
		return;
	}
	struct build_miss m = { .view = t->view, .path = path, .stage = from->stage, .workdir = from->workdir,
				.instruction = n->instr ? n->instr->original : NULL, .dest = n->dest };
	(void) p->opts->explain_miss(&m, e);
}
