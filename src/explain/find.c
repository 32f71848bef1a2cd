/* SPDX-License-Identifier: Apache-2.0 */
/* explain/find.c: a program by its name, as execvp looks for it inside the image. */
#include "base/err.h"
#include "base/path.h"
#include "explain/job.h"
#include "explain/shell_words.h"

static const char *path_of(const struct job *j)
{
	const char *path = env_get(&j->cfg->env, "PATH");

	return path ? path : DEFAULT_PATH;
}

static char *absolute(const struct job *j, struct slice dir, const char *name)
{
	if (dir.n && dir.p[0] == '/')
		return str_printf("%.*s/%s", SLF(dir), name);
	return str_printf("%s/%.*s%s%s", strcmp(j->cwd, "/") == 0 ? "" : j->cwd, SLF(dir),
			  dir.n ? "/" : "", name);
}

/* execvp passes over what it may not execute, but remembers that there was one. */
int job_find(struct job *j, const char *name, char **path, struct err *e)
{
	struct slice rest = slice_of(path_of(j)), dir;
	_free_ char *second = NULL;

	if (strchr(name, '/')) {
		_free_ char *at = *name == '/' ? str_dup(name)
					       : absolute(j, (struct slice){ "", 0 }, name),
			    *key = NULL;
		struct view_hit hit;
		int r = look_up(j->fs, at, &key, &hit, e);
		if (r > 0)
			*path = take_ptr(&at);
		return r;
	}
	while (slice_split(&rest, ':', &dir)) {
		_free_ char *at = absolute(j, dir, name), *key = NULL;
		struct view_hit hit;
		int r = look_up(j->fs, at, &key, &hit, e);
		if (r < 0)
			return -1;
		if (r == 0 || hit.entry->type != ENTRY_FILE)
			continue;
		if (hit.entry->mode & 0111) {
			*path = take_ptr(&at);
			return 1;
		}
		if (!second)
			second = take_ptr(&at);
	}
	if (!second)
		return 0;
	*path = take_ptr(&second);
	return 1;
}

/* A link on the way that leads nowhere. */
static int tell_dangling(struct job *j, const char *at, struct err *e)
{
	_free_ char *key = NULL, *target = NULL;
	struct view_hit hit, ignored;
	_cleanup_(err_done) struct err why = { 0 };
	int r = view_resolve(j->fs->view, at, false, &key, &hit, &why);

	if (r < 0) { /* it goes through a file, or in circles: that is the reason, then */
		strs_addf(&j->x->because, "%s", why.chain[0]);
		return 0;
	}
	if (r == 0 || hit.entry->type != ENTRY_SYMLINK)
		return 0;
	if (look_up(j->fs, at, &target, &ignored, e) < 0)
		return -1;
	strs_addf(&j->x->because, "'/%s' is a link to '%s', and '/%s' is not in the image", key,
		  hit.entry->link, target);
	return 0;
}

/* ["./hello -v"]: a whole command in one string. */
static void tell_one_string(struct job *j, const char *name)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	_cleanup_(buf_done) struct buf json = { 0 };
	_free_ char *why = NULL;

	if (!strpbrk(name, " \t") || shell_split(slice_of(name), &words, &why) <= 0 || words.n < 2)
		return;
	shell_json(&words, &json);
	strs_add(&j->x->because, "in the JSON form each string is one word; no shell splits it");
	strs_addf(&j->x->mends, "write one word a string:\nCMD %s", json.p);
}

static int tell_near(struct job *j, const char *name, const char *at, struct err *e)
{
	_cleanup_(strs_done) struct strs same = { 0 }, near = { 0 };
	struct slice base = path_base(slice_of(name));
	_free_ char *dir = slice_dup(path_dir(slice_of(at))), *key = NULL;
	struct view_hit hit;

	look_same_name(j->fs->view, base, true, 3, &same);
	for (size_t i = 0; i < same.n; i++)
		strs_addf(&j->x->mends, "the image has '%s': write that path", same.p[i]);
	if (same.n > 0)
		return 0;
	if (strchr(name, '/')) {
		int r = look_up(j->fs, dir, &key, &hit, e);
		if (r < 0)
			return -1;
		if (r > 0 && hit.entry->type == ENTRY_DIR &&
		    look_near_names(j->fs->view, key, base, 3, &near, e) < 0)
			return -1;
	} else {
		struct slice rest = slice_of(path_of(j)), d;
		while (near.n < 3 && slice_split(&rest, ':', &d)) {
			_free_ char *real = NULL, *text = slice_dup(d);
			int r = look_up(j->fs, text, &real, &hit, e);
			if (r < 0)
				return -1;
			if (r > 0 && hit.entry->type == ENTRY_DIR &&
			    look_near_names(j->fs->view, real, base, 3 - near.n, &near, e) < 0)
				return -1;
		}
	}
	for (size_t i = 0; i < near.n; i++)
		/* Two directories of PATH may be one (usr-merge). */
		if (strs_find(&near, near.p[i]) == (int)i)
			strs_addf(&j->x->mends, "did you mean '%s'?", near.p[i]);
	return 0;
}

int job_not_found(struct job *j, const char *name, struct err *e)
{
	bool is_path = strchr(name, '/') != NULL;
	_free_ char *at = *name == '/' ? str_dup(name) : absolute(j, (struct slice){ "", 0 }, name);
	_free_ char *clean = path_clean(slice_of(at));

	(void)job_tell(j, CAUSE_NOT_FOUND, 127, clean, str_printf("no %s", is_path ? clean : name),
		       str_printf("'%s' is not in the image", name));
	if (!*name) {
		str_set(&j->x->brief, str_dup("empty command"));
		str_set(&j->x->headline, str_dup("the command is an empty string"));
		return 1;
	}
	if (is_path) {
		if (*name != '/')
			strs_addf(&j->x->because,
				  "looked for '%s': the command is relative to WORKDIR '%s'", clean,
				  j->cwd);
		if (tell_dangling(j, at, e) < 0)
			return -1;
	} else {
		strs_addf(&j->x->because, "looked for it in the directories of PATH: %s",
			  path_of(j));
	}
	tell_one_string(j, name);
	if (tell_near(j, name, at, e) < 0)
		return -1;
	if (j->x->mends.n == 0)
		strs_addf(&j->x->mends,
			  is_path ? "copy it there in the Dockerfile:\nCOPY %s %s"
				  : "install it, or copy it and name its path:\nCOPY %s /%s",
			  path_base(slice_of(name)).p, is_path ? clean : name);
	return 1;
}
