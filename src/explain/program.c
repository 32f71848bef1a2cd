/* SPDX-License-Identifier: Apache-2.0 */
/* explain/program.c: the way from a config to a running program, step by step, as the engine and
 * the kernel go it; the first step that must fail is the explanation. */
#include "base/err.h"
#include "base/path.h"
#include "explain/job.h"
#include "explain/shell_words.h"

/* ---- may it be executed ---- */

static bool in_group(const struct identity *who, uint32_t gid)
{
	if (who->gid == gid)
		return true;
	arr_each(g, &who->groups)
		if (*g == gid)
			return true;
	return false;
}

/* bit: 1 execute or search, 4 read. Root needs no bit but one x bit of a file. Access control lists
 * may say something else: then nothing is sure. */
static bool may(const struct identity *who, const struct entry *ent, uint32_t bit)
{
	for (size_t i = 0; i < ent->xattrs_n; i++)
		if (strcmp(ent->xattrs[i].name, "system.posix_acl_access") == 0)
			return true;
	if (who->uid == 0)
		return bit != 1 || ent->type == ENTRY_DIR || (ent->mode & 0111);
	if (who->uid == ent->uid)
		return ent->mode >> 6 & bit;
	return (in_group(who, ent->gid) ? ent->mode >> 3 : ent->mode) & bit;
}

static char *user_text(const struct identity *who)
{
	return who->name ? str_printf("%s (%u)", who->name, who->uid)
			 : str_printf("user %u", who->uid);
}

/* Directories above the file that the user may not search. */
static int check_parents(struct job *j, const char *key, const char *shown, struct err *e)
{
	for (const char *end = key; end; end = strchr(end > key ? end + 1 : end, '/')) {
		_free_ char *dir = str_ndup(key, (size_t)(end - key)), *user = user_text(&j->who);
		_free_ char *path = str_printf("/%s", key);
		struct view_hit hit;
		int r = view_lookup(j->fs->view, dir, &hit, e);
		if (r < 0)
			return -1;
		if (r == 0 || may(&j->who, hit.entry, 1))
			continue;
		(void)job_tell(j, CAUSE_CLOSED_PATH, 126, path,
			       str_printf("/%s is closed to %s", dir, user),
			       str_printf("'%s' cannot start: %s may not enter the directory '/%s'",
					  shown, user, dir));
		strs_addf(&j->x->because, "'/%s' has mode %04o and belongs to %u:%u", dir,
			  hit.entry->mode, hit.entry->uid, hit.entry->gid);
		strs_addf(&j->x->mends, "open it, before the USER instruction:\nRUN chmod a+x /%s",
			  dir);
		return 1;
	}
	return 0;
}

static int tell_no_x(struct job *j, const char *path, const char *shown, const struct entry *ent)
{
	_free_ char *user = user_text(&j->who);
	const char *base = path_base(slice_of(path)).p;

	(void)job_tell(j, CAUSE_NO_X_BIT, 126, path, str_printf("%s is not executable", path),
		       str_printf("'%s' cannot start: %s", shown,
				  ent->mode & 0111 ? "the user may not execute it"
						   : "it is not executable"));
	strs_addf(&j->x->because, "'%s' has mode %04o and belongs to %u:%u; it is started as %s",
		  path, ent->mode, ent->uid, ent->gid, user);
	strs_addf(&j->x->mends, "set the mode where it is copied:\nCOPY --chmod=755 %s %s", base,
		  path);
	if (!(ent->mode & 0111))
		strs_addf(&j->x->mends,
			  "or set it in the source, once:\ngit update-index --chmod=+x %s", base);
	return 1;
}

/* ---- what kind of file ---- */

static bool is_text(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && !strchr("\t\n\r\f\033", s.p[i]))
			return false;
	return true;
}

static int tell_no_format(struct job *j, const char *path, const char *shown, struct slice head)
{
	struct slice rest = head;
	const char *front = NULL;

	if (slice_starts(head, SL("\357\273\277#!"))) {
		front = "a byte order mark";
	} else {
		while (rest.n && strchr(" \t\r\n", rest.p[0]))
			rest = slice_from(rest, 1);
		if (rest.n < head.n && slice_starts(rest, SL("#!")))
			front = "white space";
	}
	if (!is_text(head)) {
		(void)job_tell(
			j, CAUSE_NOT_A_PROGRAM, 126, path, str_printf("%s is no program", path),
			str_printf("'%s' cannot start: it is neither an ELF program nor a script",
				   shown));
		if (slice_starts(head, SL("MZ")))
			strs_add(&j->x->because, "it begins as programs for Windows do");
		else if (slice_starts(head, SL("\xfe\xed\xfa")) ||
			 slice_starts(head, SL("\xcf\xfa\xed\xfe")))
			strs_add(&j->x->because, "it begins as programs for macOS do");
		strs_add(&j->x->mends, slice_starts(head, SL("MZ"))
					       ? "build it for Linux (Go: GOOS=linux)"
					       : "copy the program itself, or build it for Linux");
		return 1;
	}
	(void)job_tell(
		j, CAUSE_NO_SHEBANG, 126, path, str_printf("no #! in %s", path),
		front ? str_printf("'%s' cannot start: there is %s before its #!", shown, front)
		      : str_printf("'%s' cannot start: it is a text without a #! line", shown));
	strs_add(&j->x->because,
		 "a shell runs such a file by itself, the kernel does not (\"exec format error\")");
	strs_addf(&j->x->mends, "begin '%s' with a line that names its interpreter:\n#!/bin/sh",
		  path);
	return 1;
}

static int check_content(struct job *j, const char *path, const char *shown,
			 const struct view_hit *hit, struct err *e)
{
	_cleanup_(buf_done) struct buf head = { 0 };
	struct slice s;

	if (hit->entry->size == 0) {
		if (j->by_shell)
			return 0; /* an empty script, which does nothing */
		(void)job_tell(j, CAUSE_EMPTY_FILE, 126, path, str_printf("%s is empty", path),
			       str_printf("'%s' cannot start: the file is empty", shown));
		strs_add(&j->x->mends, "look at the step that makes or copies it");
		return 1;
	}
	if (look_head(j->fs, path, 256, &head, e) <= 0)
		return -1; /* it was there just now */
	s = buf_view(&head);
	if (slice_starts(s, SL("\177ELF")))
		return job_binary(j, path, shown, hit, e);
	if (!slice_starts(s, SL("#!")))
		return j->by_shell ? 0 : tell_no_format(j, path, shown, s);
	if (!may(&j->who, hit->entry, 4)) {
		_free_ char *user = user_text(&j->who);
		(void)job_tell(j, CAUSE_NOT_READABLE, 126, path,
			       str_printf("%s is not readable", path),
			       str_printf("'%s' cannot start: it is a script that %s may not read",
					  shown, user));
		strs_addf(&j->x->because, "'%s' has mode %04o; the interpreter has to read it",
			  path, hit->entry->mode);
		strs_addf(&j->x->mends, "let everybody read it:\nCOPY --chmod=755 %s %s",
			  path_base(slice_of(path)).p, path);
		return 1;
	}
	return job_script(j, path, shown, s, e);
}

int job_file(struct job *j, const char *path, const char *shown, struct err *e)
{
	_free_ char *key = NULL, *clean = path_clean(slice_of(path));
	struct view_hit hit;
	int r = look_up(j->fs, path, &key, &hit, e);

	if (r <= 0)
		return r < 0 ? -1 : job_not_found(j, shown, e);
	if (hit.entry->type == ENTRY_DIR) {
		(void)job_tell(j, CAUSE_IS_DIRECTORY, 126, clean,
			       str_printf("%s is a directory", clean),
			       str_printf("'%s' cannot start: it is a directory", shown));
		strs_addf(&j->x->mends, "name the program in it, as %s/PROGRAM",
			  strcmp(clean, "/") == 0 ? "" : clean);
		return 1;
	}
	if (hit.entry->type != ENTRY_FILE)
		return 0; /* a device or a pipe: nobody does that */
	r = check_parents(j, key, shown, e);
	if (r != 0)
		return r;
	if (!may(&j->who, hit.entry, 1))
		return tell_no_x(j, clean, shown, hit.entry);
	return check_content(j, clean, shown, &hit, e);
}

/* ---- who and where ---- */

static int check_user(struct job *j, struct err *e)
{
	_cleanup_(buf_done) struct buf passwd = { 0 }, group = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	const char *user = j->cfg->user ? j->cfg->user : "";
	int have = look_head(j->fs, "/etc/passwd", 1u << 20, &passwd, e);

	if (have < 0 || look_head(j->fs, "/etc/group", 1u << 20, &group, e) < 0)
		return -1;
	if (identity_find(slice_of(user), buf_view(&passwd), buf_view(&group), &j->who, &why) == 0)
		return 0;
	(void)job_tell(j, CAUSE_NO_USER, 125, NULL, str_printf("no user '%s'", user),
		       str_printf("the image cannot be started as USER '%s'", user));
	strs_add(&j->x->because, why.n ? why.chain[0] : "it is not known");
	if (have == 0)
		strs_add(&j->x->because, "the image has no /etc/passwd at all");
	strs_add(&j->x->mends, "numbers need no passwd file:\nUSER 1000:1000");
	if (j->from)
		strs_addf(&j->x->mends,
			  "or bring the files along:\nCOPY --from=%s /etc/passwd /etc/group /etc/",
			  j->from->name);
	return 1;
}

static int check_workdir(struct job *j, struct err *e)
{
	_free_ char *key = NULL, *at = path_clean(slice_of(j->cwd));
	struct view_hit hit;
	int r;

	while ((r = look_up(j->fs, at, &key, &hit, e)) == 0) { /* what is missing is made */
		str_set(&key, NULL);
		str_set(&at, slice_dup(path_dir(slice_of(at))));
	}
	if (r < 0 || hit.entry->type == ENTRY_DIR)
		return r < 0 ? -1 : 0;
	(void)job_tell(
		j, CAUSE_WORKDIR, 126, NULL, str_printf("WORKDIR %s is no directory", j->cwd),
		str_printf("the program cannot be started in '%s': that is no directory", j->cwd));
	strs_addf(&j->x->because, "'/%s' is a file in the image, and WORKDIR %s", key,
		  slice_eq(slice_of(at), slice_of(j->cwd)) ? "names it" : "names what is below it");
	strs_add(&j->x->mends, "name a directory:\nWORKDIR /");
	return 1;
}

/* ---- string forms ---- */

struct string_form {
	const char *text; /* what the shell is to run; NULL: no string form */
	const char *instruction; /* "CMD", "ENTRYPOINT"; NULL: given on the command line */
};

static bool same_start(char *const *argv, const struct strs *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (!argv[i] || strcmp(argv[i], l->p[i]) != 0)
			return false;
	return l->n > 0;
}

/* SHELL + text: what the string forms make of it. */
static const char *after_shell(const struct strs *l, const struct image_config *cfg)
{
	static const char *const sh[] = { "/bin/sh", "-c" };
	size_t n = cfg->has_shell ? cfg->shell.n : 0;

	if (l->n == 3 && strcmp(l->p[0], sh[0]) == 0 && strcmp(l->p[1], sh[1]) == 0)
		return l->p[2];
	if (n == 0 || l->n != n + 1)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strcmp(l->p[i], cfg->shell.p[i]) != 0)
			return NULL;
	return l->p[n];
}

static bool is_shell_name(const char *argv0)
{
	static const char *const names[] = { "sh", "bash", "dash", "ash", "ksh", "zsh" };
	struct slice base = path_base(slice_of(argv0));

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (slice_is(base, names[i]))
			return true;
	return false;
}

static struct string_form find_string_form(char *const *argv, const struct image_config *cfg)
{
	struct string_form f = { 0 };

	if (cfg->entrypoint.n && same_start(argv, &cfg->entrypoint) &&
	    (f.text = after_shell(&cfg->entrypoint, cfg)))
		f.instruction = "ENTRYPOINT";
	else if (cfg->entrypoint.n == 0 && cfg->cmd.n && same_start(argv, &cfg->cmd) &&
		 !argv[cfg->cmd.n] && (f.text = after_shell(&cfg->cmd, cfg)))
		f.instruction = "CMD";
	else if (is_shell_name(argv[0]) && argv[1] && strcmp(argv[1], "-c") == 0)
		f.text = argv[2];
	return f;
}

enum trouble { TROUBLE_NONE, TROUBLE_GONE, TROUBLE_TOLD };

/* The first word of the command by itself: would it start? What is wrong with it is added. */
static int add_trouble_of_program(struct job *j, const struct strs *words, enum trouble *trouble,
				  struct err *e)
{
	struct explanation x = { 0 };
	struct job inner = {
		.fs = j->fs, .cfg = j->cfg, .from = j->from, .cwd = j->cwd, .who = j->who, .x = &x
	};
	_free_ char *path = NULL;
	int r = job_find(&inner, words->p[0], &path, e);

	*trouble = r == 0 ? TROUBLE_GONE : TROUBLE_NONE;
	if (r > 0)
		r = job_file(&inner, path, words->p[0], e);
	if (r > 0) {
		*trouble = TROUBLE_TOLD;
		strs_addf(&j->x->because, "and without the shell: %s", x.headline);
		for (size_t i = 0; i < x.because.n; i++)
			strs_add(&j->x->because, x.because.p[i]);
		for (size_t i = 0; i < x.mends.n; i++)
			strs_add(&j->x->mends, x.mends.p[i]);
	}
	explanation_done(&x);
	return r < 0 ? -1 : 0;
}

static void mend_shell(struct job *j, const char *shell, const char *front)
{
	bool is_sh = slice_is(path_base(slice_of(shell)), "sh");

	strs_addf(&j->x->mends, "%suse a base that has %s:\nFROM %s", front, shell,
		  is_sh ? "busybox" : "debian");
}

static int tell_no_shell(struct job *j, const char *shell, const struct string_form *f,
			 struct err *e)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	_cleanup_(buf_done) struct buf json = { 0 };
	_free_ char *why = NULL;
	const char *what = f->instruction;
	bool simple = shell_split(slice_of(f->text), &words, &why);
	enum trouble trouble;

	(void)job_tell(
		j, CAUSE_NO_SHELL, 127, shell, str_printf("no %s", shell),
		what ? str_printf(
			       "%s %s is in string form, which runs %s -c, and the image has no %s",
			       what, f->text, shell, shell)
		     : str_printf("the image has no %s to run '%s'", shell, f->text));
	if (!simple) {
		strs_addf(&j->x->because, "the command needs a shell: %s", why);
		mend_shell(j, shell, "");
		return 1;
	}
	shell_json(&words, &json);
	if (what)
		strs_addf(&j->x->mends, "write the JSON form, which needs no shell:\n%s %s", what,
			  json.p);
	else
		strs_addf(&j->x->mends, "run the program itself: %s", f->text);
	if (add_trouble_of_program(j, &words, &trouble, e) < 0)
		return -1;
	if (trouble == TROUBLE_GONE) {
		strs_addf(&j->x->because,
			  "nor does it have a program '%s': the JSON form alone does not help",
			  words.p[0]);
		strs_done(&j->x->mends);
		strs_addf(&j->x->mends, "copy '%s' into the image, then:\n%s %s", words.p[0],
			  what ? what : "CMD", json.p);
	}
	/* a shell alone does not help a program that would not start either */
	if (trouble != TROUBLE_TOLD)
		mend_shell(j, shell, "or ");
	return 1;
}

static bool is_busybox(struct job *j, const char *shell)
{
	_free_ char *key = NULL;
	struct view_hit hit;

	/* an applet is often a hard link: then its name does not tell, but its group does */
	if (look_up(j->fs, shell, &key, &hit, NULL) <= 0)
		return false;
	return slice_search(path_base(slice_of(key)), SL("busybox")) < path_base(slice_of(key)).n ||
	       hit.entry->group != 0;
}

/* The shell is there: does it find what it is to run? */
static int follow_shell(struct job *j, const char *shell, const char *text, struct err *e)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	_free_ char *why = NULL, *path = NULL;
	int r;

	if (!shell_split(slice_of(text), &words, &why) || shell_is_builtin(words.p[0], true))
		return 0;
	r = job_find(j, words.p[0], &path, e);
	if (r < 0)
		return -1;
	j->by_shell = true;
	if (r > 0)
		return job_file(j, path, words.p[0], e);
	/* busybox's shell has its programs in itself */
	if (!strchr(words.p[0], '/') && is_busybox(j, shell))
		return 0;
	return job_not_found(j, words.p[0], e);
}

/* ---- all of it ---- */

static int explain_argv(struct job *j, char *const *argv, struct err *e)
{
	struct string_form f = find_string_form(argv, j->cfg);
	_free_ char *path = NULL;
	int r = check_user(j, e);

	if (r == 0)
		r = check_workdir(j, e);
	if (r == 0)
		r = job_find(j, argv[0], &path, e);
	else
		return r;
	if (r == 0)
		return f.text ? tell_no_shell(j, argv[0], &f, e) : job_not_found(j, argv[0], e);
	if (r > 0)
		r = job_file(j, path, argv[0], e);
	if (r == 0 && f.text)
		r = follow_shell(j, path, f.text, e);
	return r;
}

static int tell_no_command(struct job *j)
{
	(void)job_tell(
		j, CAUSE_NO_COMMAND, 125, NULL, str_dup("no command"),
		str_dup("the image does not say what to run: it has neither ENTRYPOINT nor CMD"));
	strs_add(&j->x->mends, "say it in the Dockerfile:\nCMD [\"/program\"]");
	strs_add(&j->x->mends, "or give a command after the image's name");
	return 1;
}

int explain_program(const struct explain_fs *fs, const struct image_config *cfg, char *const *argv,
		    const char *cwd, const struct explain_from *from, struct explanation *out,
		    struct err *e)
{
	struct explanation x = { 0 };
	struct job j = { .fs = fs, .cfg = cfg, .from = from, .cwd = cwd, .x = &x };
	_cleanup_(strs_done) struct strs all = { 0 };
	_free_ char **own = NULL;
	int r;

	if (!j.cwd)
		j.cwd = cfg->working_dir && *cfg->working_dir ? cfg->working_dir : "/";
	if (!argv) {
		for (size_t i = 0; i < cfg->entrypoint.n; i++)
			strs_add(&all, cfg->entrypoint.p[i]);
		for (size_t i = 0; i < cfg->cmd.n; i++)
			strs_add(&all, cfg->cmd.p[i]);
		argv = own = strs_argv(&all);
	}
	r = argv[0] ? explain_argv(&j, argv, e) : tell_no_command(&j);
	identity_done(&j.who);
	if (r > 0)
		*out = x;
	else
		explanation_done(&x);
	return r;
}

static bool below_volume(const struct image_config *cfg, const char *path)
{
	for (size_t i = 0; i < cfg->volumes.n; i++) {
		_free_ char *v = path_clean(slice_of(cfg->volumes.p[i]));
		if (path_is_below(slice_of(path), slice_of(v)))
			return true;
	}
	return false;
}

int explain_image(const struct explain_fs *fs, const struct image_config *cfg,
		  const struct explain_from *from, struct explanation *out, struct err *e)
{
	struct explanation x = { 0 };
	int r = explain_program(fs, cfg, NULL, NULL, from, &x, e);

	if (r > 0 && (x.cause == CAUSE_NO_COMMAND || (x.program && below_volume(cfg, x.program)))) {
		explanation_done(&x);
		return 0;
	}
	if (r > 0)
		*out = x;
	return r;
}
