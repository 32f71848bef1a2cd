/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/authfile_in.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "registry/authkey.h"
#include "registry/helper.h"
#include "registry/secret.h"

void creds_done(struct creds *c)
{
	free(c->user);
	secret_free(c->password);
	secret_free(c->token);
	free(c->from);
	free(c->host);
	*c = (struct creds){ 0 };
}

bool creds_are_for(struct creds *c, const char *host)
{
	if (!c->host)
		c->host = str_dup(host);
	return strcmp(c->host, host) == 0;
}

static void warn(const struct authfile_opts *o, const char *fmt, ...) _printf_(2, 3);
static void warn(const struct authfile_opts *o, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (o->warn)
		o->warn(o->ctx, b.p);
}

/* ---- which files ---- */

static const char *env(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? v : NULL;
}

static void add_below(struct strs *l, const char *dir, const char *name)
{
	if (dir)
		strs_addf(l, "%s/%s", dir, name);
}

char *authfile_docker(void)
{
	const char *dir = env("DOCKER_CONFIG"), *home = env("HOME");
	if (dir)
		return str_printf("%s/config.json", dir);
	return home ? str_printf("%s/.docker/config.json", home) : NULL;
}

const char *authfile_named(const struct authfile_opts *o)
{
	return o->path ? o->path : env("REGISTRY_AUTH_FILE");
}

static void files_to_read(const struct authfile_opts *o, struct strs *l)
{
	const char *named = authfile_named(o), *run = env("XDG_RUNTIME_DIR"), *home = env("HOME");
	if (named) {
		strs_add(l, named);
		return;
	}
	if (run)
		strs_addf(l, "%s/containers/auth.json", run);
	else
		strs_addf(l, "/run/containers/%u/auth.json", (unsigned)geteuid());
	if (env("XDG_CONFIG_HOME"))
		add_below(l, env("XDG_CONFIG_HOME"), "containers/auth.json");
	else
		add_below(l, home, ".config/containers/auth.json");
	char *docker = authfile_docker();
	if (docker)
		strs_take(l, docker);
}

/* "~/.docker/config.json" */
static char *for_people(const char *path)
{
	const char *home = env("HOME");
	size_t n = home ? strlen(home) : 0;
	if (n > 1 && strncmp(path, home, n) == 0 && path[n] == '/')
		return str_printf("~%s", path + n);
	return str_dup(path);
}

/* ---- one file ---- */

void authfile_done(struct authfile *f)
{
	free(f->path);
	free(f->name);
	secret_json(f->root);
}

/* Messages of the JSON reader quote the text, which holds passwords: only the place is told. */
static int parse(struct authfile *f, const struct buf *b, struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	struct slice text = slice_trim(buf_view(b));
	json_t *v = text.n ? js_parse(text, "it", &why) : json_object();
	if (v && json_is_object(v)) {
		f->root = v;
		return 1;
	}
	const char *place = v || !why.n ? NULL : strrchr(why.chain[0], '(');
	err_set(e, ERR_DATA, "'%s' is not %s %s", f->name, v ? "a JSON object" : "valid JSON",
		place ? place : "");
	secret_json(v);
	return err_hint(e, "mend it or move it away; 'thimble login' writes a new one");
}

/* /dev/null, as a file without credentials. */
static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int authfile_load(const char *path, struct authfile *f, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf b = { 0 };
	struct stat st;
	f->path = str_dup(path);
	f->name = for_people(path);
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open '%s'", f->name);
	/* It is read anew for each registry, and a pipe without a writer is waited for. */
	if (!S_ISREG(st.st_mode) && !is_null(&st)) {
		err_set(e, ERR_USER, "'%s' is no regular file", f->name);
		return err_hint(e, "credentials are read from a file, more than once");
	}
	/* straight into memory that will be wiped */
	size_t most = st.st_size < AUTHFILE_MAX ? (size_t)st.st_size : AUTHFILE_MAX;
	ssize_t n = fd_read(fd, buf_room(&b, most + 1), most + 1);
	if (n < 0)
		return err_sys(e, "read '%s'", f->name);
	if (n > AUTHFILE_MAX)
		return err_set(e, ERR_DATA, "'%s' is larger than %d bytes", f->name, AUTHFILE_MAX);
	b.len = (size_t)n;
	f->mode = S_ISREG(st.st_mode) ? st.st_mode & 0777 : 0;
	return parse(f, &b, e);
}

/* ---- entries ---- */

bool authfile_entry_is_empty(const json_t *entry)
{
	static const char *const members[] = { "auth", "identitytoken", "username", "password" };
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const json_t *v = json_object_get(entry, members[i]);
		if (v && !json_is_null(v) && !(json_is_string(v) && !json_string_length(v)))
			return false;
	}
	return true;
}

/* base64("user:password"); docker fills up with NULs here and there, and drops them on reading. */
static int decode_auth(const char *auth, struct creds *out)
{
	size_t n;
	char *text = base64_get(slice_of(auth), &n);
	if (!text)
		return -1;
	size_t all = n;
	while (n && text[n - 1] == '\0')
		n--;
	char *colon = memchr(text, ':', n);
	int r = -1;
	if (colon && colon > text && !memchr(text, '\0', n)) {
		out->user = str_ndup(text, (size_t)(colon - text));
		out->password = str_ndup(colon + 1, n - (size_t)(colon + 1 - text));
		r = 0;
	}
	explicit_bzero(text, all);
	free(text);
	return r;
}

static int bad_entry(const struct authfile *f, const char *key, const char *what, struct err *e)
{
	err_set(e, ERR_DATA, "the entry '%s' in '%s' %s", key, f->name, what);
	return err_hint(e, "'thimble login %s' writes it anew", key);
}

static int read_entry(const struct authfile *f, const char *key, const json_t *entry,
		      struct creds *out, struct err *e)
{
	const char *auth = NULL, *token = NULL, *user = NULL, *password = NULL;
	if (js_str(entry, "auth", &auth, e) < 0 || js_str(entry, "identitytoken", &token, e) < 0 ||
	    js_str(entry, "username", &user, e) < 0 || js_str(entry, "password", &password, e) < 0)
		return err_add(e, "the entry '%s' in '%s'", key, f->name);
	if (auth && *auth) {
		if (decode_auth(auth, out) < 0)
			return bad_entry(f, key,
					 "has an 'auth' that is not base64 of USER:PASSWORD", e);
	} else if (user && *user) {
		out->user = str_dup(user);
		out->password = str_dup(password ? password : "");
	}
	if (token && *token) {
		secret_free(out->password);
		out->password = NULL;
		out->token = str_dup(token);
	} else if (!out->user) {
		return bad_entry(f, key, "has a password without a user", e);
	} else if (strcmp(out->user, "<token>") == 0) {
		out->token = take_ptr(&out->password);
	}
	out->from = str_dup(f->name);
	return 1;
}

static int find_entry(const struct authfile *f, const char *host, const char *path,
		      struct creds *out, struct err *e)
{
	json_t *auths, *entry, *best = NULL;
	const char *key, *best_key = NULL;
	size_t most = 0;
	if (js_object(f->root, "auths", &auths, e) < 0)
		return err_add(e, "'%s'", f->name);
	json_object_foreach(auths, key, entry)
	{
		size_t n = auth_key_suits(key, host, path);
		if (n <= most)
			continue;
		if (!json_is_object(entry))
			return bad_entry(f, key, "is no JSON object", e);
		if (authfile_entry_is_empty(entry))
			continue; /* docker: "it is in the store" */
		most = n;
		best = entry;
		best_key = key;
	}
	return best ? read_entry(f, best_key, best, out, e) : 0;
}

int authfile_helper(const struct authfile *f, const char *host, const char **name, bool *own,
		    struct err *e)
{
	json_t *helpers, *v;
	const char *key;
	*name = NULL;
	*own = false;
	if (js_object(f->root, "credHelpers", &helpers, e) < 0)
		return err_add(e, "'%s'", f->name);
	json_object_foreach(helpers, key, v)
	{
		struct auth_key k = auth_key_of(key);
		if (k.path.n || !auth_host_same(k.host, slice_of(host)))
			continue;
		if (!json_is_string(v))
			return bad_entry(f, key, "of credHelpers is no string", e);
		*name = json_string_value(v);
		*own = true;
	}
	if (!*own && js_str(f->root, "credsStore", name, e) < 0)
		return err_add(e, "'%s'", f->name);
	if (*name && !**name) /* docker: "" takes a host out of the store */
		*name = NULL;
	if (*name && helper_check_name(*name, e) < 0)
		return err_add(e, "'%s'", f->name);
	return 0;
}

static int ask_helper(const char *name, const char *host, struct creds *out, struct err *e)
{
	_cleanup_(strs_done) struct strs servers = { 0 };
	auth_key_servers(host, &servers);
	arr_each(server, &servers) {
		int r = helper_get(name, *server, out, e);
		if (r != 0)
			return r;
	}
	return 0;
}

static int get_from(const struct authfile_opts *o, const struct authfile *f, const char *host,
		    const char *path, struct creds *out, struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	const char *helper;
	bool own;
	if (authfile_helper(f, host, &helper, &own, e) < 0)
		return -1;
	int r = helper ? ask_helper(helper, host, out, &why) : 0;
	if (r < 0 && (own || why.kind != ERR_ABSENT)) {
		err_move(e, &why);
		return err_add(
			e, "the credentials for '%s', kept by docker-credential-%s ('%s' says so)",
			host, helper, f->name);
	}
	/* A config.json that came from a desktop, in a container without its store: docker goes on
	 * without a word; who wants only public images must not be stopped by it. */
	if (r < 0)
		warn(o,
		     "'%s' names the credential store '%s', but there is no program docker-credential-%s",
		     f->name, helper, helper);
	/* containers-auth.json(5): with a helper of its own the file's entry is not used */
	if (r > 0 || (helper && own))
		return r;
	r = find_entry(f, host, path, out, e);
	if (r > 0 && f->mode & 077)
		warn(o, "'%s' holds passwords and others can read it: chmod 600 it", f->name);
	return r;
}

int authfile_get(const struct authfile_opts *o, const char *host, const char *path,
		 struct creds *out, struct err *e)
{
	_cleanup_(strs_done) struct strs files = { 0 };
	files_to_read(o, &files);
	arr_each(file, &files) {
		_cleanup_(authfile_done) struct authfile f = { 0 };
		_cleanup_(creds_done) struct creds found = { 0 };
		_cleanup_(err_done) struct err why = { 0 };
		int r = authfile_load(*file, &f, &why);
		if (r < 0 && !authfile_named(o) && err_is_errno(&why, EACCES)) {
			warn(o, "'%s' cannot be read: its credentials are not used", f.name);
			continue;
		}
		if (r == 0 && o->path) {
			err_set(e, ERR_ABSENT, "there is no file '%s'", *file);
			return err_hint(e, "'thimble login --authfile %s' makes it", *file);
		}
		if (r == 0 && authfile_named(o))
			warn(o,
			     "$REGISTRY_AUTH_FILE names '%s', which is not there: no credentials are used",
			     f.name);
		if (r < 0)
			err_move(e, &why);
		else if (r > 0)
			r = get_from(o, &f, host, path, &found, e);
		if (r < 0)
			return err_add(e, "find out who you are at '%s'", host);
		if (r > 0) {
			*out = found;
			found = (struct creds){ 0 };
			return 1;
		}
	}
	return 0;
}
