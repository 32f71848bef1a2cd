/* SPDX-License-Identifier: Apache-2.0 */
/* login and logout, with docker's habits and podman's --get-login, --all and HOST/PATH. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "cli/registry_args.h"
#include "registry/client.h"

struct login_args {
	struct registry_args reg;
	const char *user, *password;
	bool password_stdin, get_login;
};

static const struct opt login_opts[] = {
	OPT_STR(0, "authfile", struct login_args, reg.authfile, "FILE",
		"keep them here: $REGISTRY_AUTH_FILE, else ~/.docker/config.json"),
	REGISTRY_OPTS_TLS(struct login_args, reg),
	OPT_FLAG(0, "get-login", struct login_args, get_login, "print who is logged in"),
	OPT_STR('p', "password", struct login_args, password, "PASSWORD",
		"the password; others may see it: --password-stdin is better"),
	OPT_FLAG(0, "password-stdin", struct login_args, password_stdin,
		 "read the password from standard input"),
	OPT_STR('u', "username", struct login_args, user, "USER", "the user's name"),
	{ 0 },
};

struct logout_args {
	const char *authfile;
	bool all;
};

static const struct opt logout_opts[] = {
	OPT_FLAG('a', "all", struct logout_args, all, "of all registries"),
	OPT_STR(0, "authfile", struct logout_args, authfile, "FILE",
		"where they are kept: $REGISTRY_AUTH_FILE, else ~/.docker/config.json"),
	{ 0 },
};

static void note(void *ctx, const char *text)
{
	cli_warn(ctx, "%s", text);
}

/* ---- which registry ---- */

struct where {
	char *key; /* what credentials are kept for: "quay.io", "quay.io/team" */
	char *host;
	const char *path; /* in key, or NULL */
};

static void where_done(struct where *w)
{
	free(w->key);
	free(w->host);
}

/* docker takes a URL, too, and what follows its host means nothing. */
static int find_where(struct cli *c, const struct words *words, struct where *w, struct err *e)
{
	const char *text = words->n ? words->p[0] : "docker.io";
	struct slice s = slice_of(text);
	bool url = false;
	static const struct slice schemes[] = { SL("https://"), SL("http://") };
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (!url && slice_starts(s, schemes[i])) {
			s = slice_from(s, schemes[i].n);
			url = true;
		}
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	size_t slash = slice_find(s, '/');
	if (url)
		s = slice_head(s, slash);
	struct slice host = slice_head(s, slash);
	for (size_t i = 0; i < host.n; i++)
		if (!(host.p[i] >= 'a' && host.p[i] <= 'z') &&
		    !(host.p[i] >= 'A' && host.p[i] <= 'Z') &&
		    !(host.p[i] >= '0' && host.p[i] <= '9') && !strchr(".-:[]_", host.p[i]))
			return cli_wrong(c, e, "'%s' is no registry: HOST[:PORT] is wanted", text);
	if (!host.n || host.p[0] == '-' || host.p[0] == '.')
		return cli_wrong(c, e, "'%s' is no registry: HOST[:PORT] is wanted", text);
	if (slash < s.n) { /* "quay.io/team": what would name a repository */
		_cleanup_(reference_done) struct reference ref = { 0 };
		_free_ char *name = str_printf("host.invalid%.*s", SLF(slice_from(s, slash)));
		if (reference_parse(slice_of(name), &ref, e) < 0)
			return err_add(e, "'%s' is no registry", text);
	}
	bool hub = slice_is(host, "index.docker.io") || slice_is(host, "registry-1.docker.io");
	w->host = hub ? str_dup("docker.io") : slice_dup(host);
	w->key = str_printf("%s%.*s", w->host, SLF(slice_from(s, host.n)));
	w->path = strchr(w->key, '/') ? strchr(w->key, '/') + 1 : NULL;
	return 0;
}

/* ---- login ---- */

/* What is known already: 1, 0, -1. A file that is not there yet is no fault here. */
static int known(const struct authfile_opts *o, const struct where *w, struct creds *out,
		 struct err *e)
{
	const char *file = o->path ? o->path : getenv("REGISTRY_AUTH_FILE");
	if (file && *file && access(file, F_OK) < 0)
		return 0;
	return authfile_get(o, w->host, w->path, out, e);
}

static int get_login(const struct authfile_opts *o, const struct where *w, struct err *e)
{
	_cleanup_(creds_done) struct creds found = { 0 };
	int r = known(o, w, &found, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		err_set(e, ERR_USER, "not logged in to %s", w->key);
		return err_hint(e, "thimble login %s", w->key);
	}
	(void)printf("%s\n", found.user ? found.user : "<token>");
	return 0;
}

/* All of it, but one newline at the end. */
static char *read_password(struct err *e)
{
	enum { PASSWORD_MAX = 64 << 10 };
	char *text = mem_alloc(PASSWORD_MAX + 1), *result = NULL;
	ssize_t n = fd_read(STDIN_FILENO, text, PASSWORD_MAX + 1);
	if (n < 0)
		(void)err_sys(e, "read the password from standard input");
	else if (n > PASSWORD_MAX)
		(void)err_set(e, ERR_USER, "a password is not longer than %d bytes", PASSWORD_MAX);
	else if (memchr(text, '\0', (size_t)n))
		(void)err_set(e, ERR_USER, "a password holds no NUL");
	else {
		if (n && text[n - 1] == '\n')
			n--;
		if (n && text[n - 1] == '\r')
			n--;
		result = str_ndup(text, (size_t)n);
	}
	if (n >= 0 && !result)
		(void)err_hint(e, "standard input must hold the password alone");
	explicit_bzero(text, PASSWORD_MAX + 1);
	free(text);
	return result;
}

static int check_args(struct cli *c, const struct login_args *a, struct err *e)
{
	if (a->password && a->password_stdin)
		return cli_wrong(c, e, "--password and --password-stdin are contrary");
	if (a->password_stdin && !a->user)
		return cli_wrong(c, e, "--password-stdin wants --username");
	if (a->get_login && (a->user || a->password))
		return cli_wrong(c, e,
				 "--get-login only tells; it takes no --username and --password");
	if (a->user && !*a->user)
		return cli_wrong(c, e, "--username is empty");
	if (a->user && strchr(a->user, ':'))
		return cli_wrong(c, e, "a user's name cannot hold a ':'");
	return 0;
}

/* What -u says was looked at before. */
static int check_user(const char *user, struct err *e)
{
	if (!*user)
		return err_set(e, ERR_USER, "the user's name is empty");
	if (!strchr(user, ':'))
		return 0;
	err_set(e, ERR_USER, "'%s' is no user's name: it holds a ':'", user);
	return err_hint(e, "type the name alone; the password is asked for next");
}

/* From the options, else by asking. */
static int get_creds(struct cli *c, const struct login_args *a, const char *host, struct creds *out,
		     struct err *e)
{
	if (a->password)
		cli_warn(c, "other users may see a password on the command line: --password-stdin "
			    "keeps it from them");
	out->user = a->user ? str_dup(a->user)
			    : registry_args_ask("Username: ", false,
						"--username and --password-stdin", e);
	if (!out->user || check_user(out->user, e) < 0)
		return err_add(e, "the user for '%s'", host);
	out->password = a->password ? str_dup(a->password)
			: a->password_stdin
				? read_password(e)
				: registry_args_ask("Password: ", true, "--password-stdin", e);
	if (!out->password)
		return err_add(e, "the password for '%s'", host);
	if (*out->password)
		return 0;
	err_set(e, ERR_USER, "the password is empty");
	return a->password_stdin ? err_hint(e, "write it to standard input: thimble login -u %s "
					       "--password-stdin %s <FILE",
					    out->user, host)
				 : err_hint(e, "type the password, or a token of the registry's");
}

/* 1: what is known is still good. */
static int try_known(const struct authfile_opts *file, const struct registry_opts *o,
		     const struct where *w, struct err *e)
{
	_cleanup_(creds_done) struct creds found = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	struct registry_opts with = *o;
	int r = known(file, w, &found, e);
	if (r <= 0)
		return r;
	(void)fprintf(stderr, "Authenticating with the credentials in %s\n", found.from);
	with.creds = &found;
	if (registry_ping(&with, w->host, &why) == 0)
		return 1;
	if (why.kind == ERR_DENIED) /* they are asked for, then */
		return 0;
	err_move(e, &why);
	return -1;
}

static int login(struct cli *c, const struct login_args *a, const struct where *w,
		 const struct registry_opts *base, struct err *e)
{
	_cleanup_(creds_done) struct creds creds = { 0 };
	_free_ char *kept = NULL;
	struct authfile_opts file = { .path = a->reg.authfile, .warn = note, .ctx = c };
	struct registry_opts o = *base;
	bool plain;
	int r = a->user || a->password ? 0 : try_known(&file, &o, w, e);
	if (r < 0 || (r == 0 && get_creds(c, a, w->host, &creds, e) < 0))
		return -1;
	if (r == 0) {
		o.creds = &creds;
		if (registry_ping(&o, w->host, e) < 0 ||
		    authfile_put(&file, w->key, &creds, &kept, &plain, e) < 0)
			return -1;
		if (plain)
			cli_warn(c,
				 "the password is kept unencrypted in '%s'; a credential helper "
				 "(docker-credential-*) would keep it safe",
				 kept);
	}
	(void)printf("Login Succeeded\n");
	return 0;
}

static int login_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct login_args *a = args;
	_cleanup_(where_done) struct where w = { 0 };
	_cleanup_(creds_done) struct creds none = { 0 };
	struct authfile_opts file = { .path = a->reg.authfile, .warn = note, .ctx = c };
	struct registry_opts o;
	if (check_args(c, a, e) < 0 || find_where(c, words, &w, e) < 0 ||
	    registry_args_opts(c, &a->reg, &o, &none, e) < 0)
		return -1;
	if (a->get_login)
		return get_login(&file, &w, e);
	if (login(c, a, &w, &o, e) < 0)
		return err_add(e, "cannot log in to %s", w.key);
	return 0;
}

/* ---- logout ---- */

static int logout_one(const struct authfile_opts *o, const char *key, struct err *e)
{
	_free_ char *kept = NULL;
	int r = authfile_del(o, key, &kept, e);
	if (r > 0)
		(void)printf("Removing login credentials for %s\n", key);
	return r;
}

/* We write to one file and read from several. */
static void tell_rest(struct cli *c, const struct authfile_opts *o, const struct where *w)
{
	_cleanup_(creds_done) struct creds rest = { 0 };
	/* what cannot be asked keeps nothing that this command could speak of */
	if (known(o, w, &rest, NULL) > 0)
		cli_warn(c, "there are still credentials for %s in '%s'", w->key, rest.from);
}

static int logout_all(const struct authfile_opts *o, struct err *e)
{
	_cleanup_(strs_done) struct strs hosts = { 0 };
	int removed = 0;
	if (authfile_hosts(o, &hosts, e) < 0)
		return -1;
	arr_each(host, &hosts) {
		int r = logout_one(o, *host, e);
		if (r < 0)
			return -1;
		removed += r;
	}
	if (!removed)
		(void)printf("Not logged in to any registry\n");
	return 0;
}

static int logout_run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct logout_args *a = args;
	_cleanup_(where_done) struct where w = { 0 };
	struct authfile_opts o = { .path = a->authfile, .warn = note, .ctx = c };
	if (a->authfile && !*a->authfile)
		return cli_wrong(c, e, "--authfile wants a path, not an empty word");
	if (a->all && words->n)
		return cli_wrong(c, e, "--all and '%s' are contrary", words->p[0]);
	if (a->all)
		return logout_all(&o, e) < 0 ? err_add(e, "cannot log out everywhere") : 0;
	if (find_where(c, words, &w, e) < 0)
		return -1;
	int r = logout_one(&o, w.key, e);
	if (r < 0)
		return err_add(e, "cannot log out of %s", w.key);
	if (r == 0)
		(void)printf("Not logged in to %s\n", w.key);
	tell_rest(c, &o, &w);
	return 0;
}

const struct cmd cmd_login = {
	"login",
	"[OPTIONS] [REGISTRY]",
	"log in to a registry",
	login_opts,
	sizeof(struct login_args),
	login_run,
	.max = 1,
	.group = GROUP_REGISTRY,
	.details =
		"REGISTRY is HOST[:PORT], or HOST[:PORT]/PATH for the repositories below a path; "
		"docker.io if\nit is not there. The registry is asked whether they are right "
		"before they are kept.\n",
	.examples = "  thimble login -u alice registry.example\n"
		    "  thimble login -u ci --password-stdin registry.example <token\n",
};

const struct cmd cmd_logout = {
	"logout",    "[OPTIONS] [REGISTRY]",     "forget the credentials for a registry",
	logout_opts, sizeof(struct logout_args), logout_run,
	.max = 1,    .group = GROUP_REGISTRY,    .examples = "  thimble logout registry.example\n",
};
