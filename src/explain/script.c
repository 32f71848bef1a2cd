/* SPDX-License-Identifier: Apache-2.0 */
/* explain/script.c: "#!" as Linux reads it (fs/binfmt_script.c): the first 256 bytes of the file,
 * one interpreter, at most one argument. */
#include "base/err.h"
#include "base/path.h"
#include "explain/job.h"

#define LINE_MAX_BYTES 255u

struct shebang {
	struct slice interp, arg; /* arg without blanks around it, but with a carriage return */
};

static bool parse(struct slice head, struct shebang *out)
{
	struct slice line = slice_from(head, 2);
	size_t end = slice_find(line, '\n'), n = 0;

	if (end > LINE_MAX_BYTES - 2)
		end = line.n < LINE_MAX_BYTES - 2 ? line.n : LINE_MAX_BYTES - 2;
	line = slice_head(line, end);
	while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = slice_from(line, 1);
	while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t' && line.p[n] != 0)
		n++;
	out->interp = slice_head(line, n);
	line = slice_from(line, n);
	while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = slice_from(line, 1);
	out->arg = line;
	return out->interp.n > 0;
}

static bool ends_in_cr(struct slice s)
{
	return s.n > 0 && s.p[s.n - 1] == '\r';
}

static int tell_crlf(struct job *j, const char *path, const char *shown, struct slice word)
{
	struct slice bare = slice_head(word, word.n - 1);
	const char *base = path_base(slice_of(path)).p;

	(void)job_tell(j, CAUSE_CRLF, 127, path, str_printf("CRLF line ends in %s", path),
		       str_printf("'%s' cannot start: its lines end in CR LF, as on Windows",
				  shown));
	strs_addf(
		&j->x->because,
		"the first line of '%s' ends in a carriage return, so that '%.*s\\r' is looked for, with the "
		"carriage return as part of the name",
		path, SLF(bare));
	strs_addf(
		&j->x->mends,
		"convert it in the Dockerfile (needs a shell and sed), or with `dos2unix %s` before the build:\n"
		"RUN sed -i 's/\\r$//' %s",
		base, path);
	strs_addf(&j->x->mends, "keep git from doing it again, in .gitattributes:\n%s text eol=lf",
		  base);
	return 1;
}

static int tell_no_interpreter(struct job *j, const char *path, const char *shown,
			       const char *interp, bool by_env, struct err *e)
{
	_cleanup_(strs_done) struct strs same = { 0 };
	const char *base = path_base(slice_of(interp)).p;

	(void)job_tell(
		j, CAUSE_NO_SCRIPT_INTERPRETER, 127, path,
		str_printf("no %s (for %s)", interp, path),
		str_printf("'%s' cannot start: it is a script for '%s', which is not in the image",
			   shown, interp));
	if (by_env)
		strs_addf(&j->x->because,
			  "its first line has env look for '%s' in PATH, where it is not", interp);
	else
		strs_addf(
			&j->x->because,
			"the kernel starts the program that the first line of '%s' names, '%s'; that one is "
			"missing, not the script (the kernel says \"no such file or directory\" of both)",
			path, interp);
	look_same_name(j->fs->view, slice_of(base), true, 2, &same);
	for (size_t i = 0; i < same.n; i++)
		strs_addf(&j->x->mends,
			  "the image has '%s': name it in the first line of '%s':\n#!%s", same.p[i],
			  path, same.p[i]);
	strs_addf(&j->x->mends, "install '%s' in the image, or use a base that has it", base);
	return 1;
}

/* env [-S] [NAME=VALUE...] PROGRAM; with another option nothing is sure. */
static struct slice env_program(struct slice arg)
{
	struct slice word;
	bool split = false;

	while (slice_split(&arg, ' ', &word)) {
		if (word.n == 0)
			continue;
		if (slice_is(word, "-S") || slice_is(word, "--split-string")) {
			split = true;
			continue;
		}
		if (word.p[0] == '-')
			return (struct slice){ "", 0 };
		if (split && slice_find(word, '=') < word.n)
			continue;
		/* without -S the whole rest is one word */
		return split || arg.n == 0 ? word : (struct slice){ "", 0 };
	}
	return (struct slice){ "", 0 };
}

static int look_at_env(struct job *j, const char *path, const char *shown, struct slice arg,
		       struct err *e)
{
	struct slice program = env_program(arg);
	_free_ char *name = NULL, *at = NULL;
	int r;

	if (program.n == 0)
		return 0;
	if (ends_in_cr(program))
		return tell_crlf(j, path, shown, program);
	name = slice_dup(program);
	r = job_find(j, name, &at, e);
	if (r == 0)
		return tell_no_interpreter(j, path, shown, name, true, e);
	return r < 0 ? -1 : job_file(j, at, shown, e);
}

int job_script(struct job *j, const char *path, const char *shown, struct slice head, struct err *e)
{
	struct shebang s;
	struct view_hit hit;
	_free_ char *interp = NULL, *at = NULL, *key = NULL;
	int r;

	if (!parse(head, &s)) {
		if (j->by_shell)
			return 0;
		(void)job_tell(
			j, CAUSE_NO_SHEBANG, 126, path, str_printf("empty #! in %s", path),
			str_printf("'%s' cannot start: its first line has #! and no interpreter",
				   shown));
		strs_addf(&j->x->mends, "name one in the first line of '%s':\n#!/bin/sh", path);
		return 1;
	}
	if (ends_in_cr(s.interp))
		return tell_crlf(j, path, shown, s.interp);
	interp = slice_dup(s.interp);
	at = *interp == '/' ? str_dup(interp) : str_printf("%s/%s", j->cwd, interp);
	r = look_up(j->fs, at, &key, &hit, e);
	if (r < 0)
		return -1;
	if (r == 0)
		return tell_no_interpreter(j, path, shown, interp, false, e);
	if (slice_is(path_base(s.interp), "env") && s.arg.n)
		return look_at_env(j, path, shown, s.arg, e);
	if (ends_in_cr(s.arg)) /* "-e\r" is no option of any interpreter */
		return tell_crlf(j, path, shown, s.arg);
	if (++j->depth > SCRIPT_DEPTH_MAX)
		return 0;
	return job_file(j, at, shown, e);
}
