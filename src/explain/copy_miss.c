/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/copy_miss.h"
#include "base/err.h"
#include "base/path.h"
#include "explain/look.h"

/* The instruction with another source: its own text where the word stands alone in it. */
static char *line_with(const struct copy_miss *m, const char *path)
{
	struct slice text = slice_of(m->instruction), word = slice_of(m->path), rest = text;

	while (m->instruction && word.n) {
		size_t at = slice_search(rest, word);
		if (at == rest.n)
			break;
		const char *p = rest.p + at, *end = p + word.n;
		bool starts = p > text.p && strchr(" \t\"", p[-1]),
		     ends = !*end || strchr(" \t\"", *end);
		if (starts && ends)
			return str_printf("%.*s%s%s", (int)(p - text.p), text.p, path, end);
		rest = slice_from(rest, at + 1);
	}
	return str_printf("COPY --from=%s %s %s", m->stage, path, m->dest ? m->dest : ".");
}

/* 1 and the real place, if there is something. An unreadable bottom makes advice, not an error. */
static bool is_there(struct view *v, const char *path)
{
	_free_ char *key = NULL;
	struct view_hit hit;
	struct explain_fs fs = { .view = v };

	return look_up(&fs, path, &key, &hit, NULL) > 0;
}

static void tell_near(struct view *v, const struct copy_miss *m, const char *at, struct err *e)
{
	_cleanup_(strs_done) struct strs found = { 0 };
	struct slice base = path_base(slice_of(at));
	_free_ char *dir = slice_dup(path_dir(slice_of(at))), *key = NULL;
	struct explain_fs fs = { .view = v };
	struct view_hit hit;

	look_same_name(v, base, false, 3, &found);
	if (found.n == 0 && look_up(&fs, dir, &key, &hit, NULL) > 0 &&
	    hit.entry->type == ENTRY_DIR && look_near_names(v, key, base, 3, &found, NULL) < 0)
		return;
	for (size_t i = 0; i < found.n; i++) {
		_free_ char *line = line_with(m, found.p[i]);
		(void)err_hint(e, "there is '%s':\n%s", found.p[i], line);
	}
}

/* The deepest directory of the path that is there. */
static char *nearest_parent(struct view *v, const char *at)
{
	char *dir = slice_dup(path_dir(slice_of(at)));

	while (strcmp(dir, "/") != 0 && !is_there(v, dir))
		str_set(&dir, slice_dup(path_dir(slice_of(dir))));
	return dir;
}

int explain_copy_miss(struct view *v, const struct copy_miss *m, struct err *e)
{
	const char *workdir = m->workdir && *m->workdir ? m->workdir : "/";
	_free_ char *at = path_join(SL("/"), slice_of(m->path)),
		    *there = path_join(slice_of(workdir), slice_of(m->path));
	bool relative = m->path[0] != '/', in_workdir;
	_free_ char *parent = nearest_parent(v, at);

	if (strcmp(workdir, "/") == 0)
		str_set(&there, str_dup(at));
	else if (!relative) /* COPY --from=build /hello, where it is /go/hello */
		str_set(&there, str_printf("%s%s", workdir, at));
	in_workdir = strcmp(there, at) != 0 && is_there(v, there);

	if (strcmp(workdir, "/") != 0 && (relative || in_workdir)) {
		(void)err_set(
			e, ERR_USER,
			"paths of COPY --from start at the stage's /, not at its WORKDIR, which is '%s'%s",
			workdir, in_workdir ? "" : "; nor is it there");
		(void)err_add(e, "'%s' is not in stage '%s': looked for '%s'", m->path, m->stage,
			      at);
	} else {
		if (!slice_is(path_dir(slice_of(at)), parent) && strcmp(parent, "/") != 0)
			(void)err_set(e, ERR_USER, "'%s' is there, what follows is not", parent);
		else
			(void)err_set(e, ERR_USER, "looked for '%s' in its file system", at);
		(void)err_add(e, "'%s' is not in stage '%s'", m->path, m->stage);
	}
	if (in_workdir) {
		_free_ char *line = line_with(m, there);
		return err_hint(e, "it is at '%s':\n%s", there, line);
	}
	tell_near(v, m, at, e);
	if (e && e->hints_n == 0)
		(void)err_hint(
			e,
			"list what the stage has: build it alone (--target %s) and look with `thimble cp`, or add "
			"RUN ls -la to it",
			m->stage);
	return -1;
}
