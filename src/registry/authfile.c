/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of "auths" were written by many programs: "quay.io", "quay.io/team" (podman), "https://quay.io",
 * "https://quay.io/v2/", "https://index.docker.io/v1/" (docker). With a scheme, what follows the host
 * means nothing; without, it is the path of repositories. The longest path wins, then the plainest key. */
#include "registry/authfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "base/path.h"
#include "registry/helper.h"
#include "registry/secret.h"

#define HUB_KEY "https://index.docker.io/v1/"
enum { AUTHFILE_MAX = 1 << 20 };

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

/* Docker's own, or NULL without a home. */
static char *docker_file(void)
{
	const char *dir = env("DOCKER_CONFIG"), *home = env("HOME");
	if (dir)
		return str_printf("%s/config.json", dir);
	return home ? str_printf("%s/.docker/config.json", home) : NULL;
}

static const char *named_file(const struct authfile_opts *o)
{
	return o->path ? o->path : env("REGISTRY_AUTH_FILE");
}

static void files_to_read(const struct authfile_opts *o, struct strs *l)
{
	const char *named = named_file(o), *run = env("XDG_RUNTIME_DIR"), *home = env("HOME");
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
	char *docker = docker_file();
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

struct authfile {
	char *path, *name; /* name: for people */
	json_t *root;
	mode_t mode;
};

static void authfile_done(struct authfile *f)
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

/* 1, 0 if there is no such file, -1. */
static int load(const char *path, struct authfile *f, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf b = { 0 };
	struct stat st;
	f->path = str_dup(path);
	f->name = for_people(path);
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open '%s'", f->name);
	/* straight into memory that will be wiped; what is no file (a pipe) tells no size */
	size_t most = S_ISREG(st.st_mode) && st.st_size < AUTHFILE_MAX ? (size_t)st.st_size
								       : AUTHFILE_MAX;
	ssize_t n = fd_read(fd, buf_room(&b, most + 1), most + 1);
	if (n < 0)
		return err_sys(e, "read '%s'", f->name);
	if (n > AUTHFILE_MAX)
		return err_set(e, ERR_DATA, "'%s' is larger than %d bytes", f->name, AUTHFILE_MAX);
	b.len = (size_t)n;
	f->mode = S_ISREG(st.st_mode) ? st.st_mode & 0777 : 0;
	return parse(f, &b, e);
}

/* ---- keys ---- */

static bool is_hub(struct slice host)
{
	return slice_eq_nocase(host, SL("docker.io")) ||
	       slice_eq_nocase(host, SL("index.docker.io")) ||
	       slice_eq_nocase(host, SL("registry-1.docker.io"));
}

static bool same_host(struct slice a, struct slice b)
{
	return slice_eq_nocase(a, b) || (is_hub(a) && is_hub(b));
}

struct key {
	struct slice host, path; /* path: without slashes around it */
	unsigned plain; /* 3 "host", 2 "https://host…", 1 "http://host…" */
};

static struct key key_of(const char *text)
{
	struct slice s = slice_of(text);
	struct key k = { .plain = 3 };
	if (slice_starts(s, SL("https://")))
		k.plain = 2;
	else if (slice_starts(s, SL("http://")))
		k.plain = 1;
	if (k.plain < 3)
		s = slice_from(s, k.plain == 2 ? 8 : 7);
	size_t slash = slice_find(s, '/');
	k.host = slice_head(s, slash);
	if (slash < s.n && k.plain == 3)
		k.path = slice_from(s, slash + 1);
	if (slice_is(k.path, "v1/") || slice_is(k.path, "v2/")) {
		k.plain = 1;
		k.path.n = 0;
	}
	while (k.path.n && k.path.p[k.path.n - 1] == '/')
		k.path.n--;
	return k;
}

static bool key_same(const char *a, const char *b)
{
	struct key ka = key_of(a), kb = key_of(b);
	return same_host(ka.host, kb.host) && slice_eq(ka.path, kb.path);
}

/* How well a key suits; 0: not at all. */
static size_t key_suits(const char *text, const char *host, const char *path)
{
	struct key k = key_of(text);
	struct slice p = slice_of(path);
	if (!same_host(k.host, slice_of(host)))
		return 0;
	if (k.path.n && (!slice_starts(p, k.path) || (p.n > k.path.n && p.p[k.path.n] != '/')))
		return 0;
	return 4 * k.path.n + k.plain;
}

/* What helpers know a host as, in the order to ask. */
static void server_names(const char *host, struct strs *l)
{
	if (is_hub(slice_of(host))) {
		strs_add(l, HUB_KEY);
		strs_add(l, "docker.io");
	} else {
		strs_add(l, host);
	}
}

/* The key to write. */
static const char *key_to_write(const char *host)
{
	struct key k = key_of(host);
	return is_hub(k.host) && !k.path.n ? HUB_KEY : host;
}

/* ---- entries ---- */

static bool is_empty_entry(const json_t *entry)
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
		size_t n = key_suits(key, host, path);
		if (n <= most)
			continue;
		if (!json_is_object(entry))
			return bad_entry(f, key, "is no JSON object", e);
		if (is_empty_entry(entry))
			continue; /* docker: "it is in the store" */
		most = n;
		best = entry;
		best_key = key;
	}
	return best ? read_entry(f, best_key, best, out, e) : 0;
}

/* *name: the helper for this host, or NULL (borrowed); *own: named for just this host. */
static int find_helper(const struct authfile *f, const char *host, const char **name, bool *own,
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
		struct key k = key_of(key);
		if (k.path.n || !same_host(k.host, slice_of(host)))
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
	server_names(host, &servers);
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
	if (find_helper(f, host, &helper, &own, e) < 0)
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
		int r = load(*file, &f, &why);
		if (r < 0 && !named_file(o) && err_is_errno(&why, EACCES)) {
			warn(o, "'%s' cannot be read: its credentials are not used", f.name);
			continue;
		}
		if (r == 0 && o->path) {
			err_set(e, ERR_ABSENT, "there is no file '%s'", *file);
			return err_hint(e, "'thimble login --authfile %s' makes it", *file);
		}
		if (r == 0 && named_file(o))
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

/* ---- writing ---- */

struct target {
	struct authfile f;
	int dirfd; /* locked: two logins at once must not lose one */
	char *base;
	struct stat st; /* st_nlink 0: there was no file */
};
#define TARGET_INIT         \
	{                   \
		.dirfd = -1 \
	}

static void target_done(struct target *t)
{
	authfile_done(&t->f);
	closep_(&t->dirfd);
	free(t->base);
}

/* With `make` its directory is made (0700). 1; 0: it is not there (with `make`: it is empty). */
static int target_open(const struct authfile_opts *o, bool make, struct target *t, struct err *e)
{
	_free_ char *path = named_file(o) ? str_dup(named_file(o)) : docker_file();
	if (!path) {
		err_set(e, ERR_USER, "there is no file for credentials: $HOME is not set");
		return err_hint(e, "--authfile FILE names one");
	}
	_free_ char *real = realpath(path, NULL); /* a link stays one */
	struct slice whole = slice_of(real ? real : path);
	_free_ char *dir = slice_dup(path_dir(whole));
	t->base = slice_dup(path_base(whole));
	if (make && fs_mkdirs(AT_FDCWD, dir, 0700, e) < 0)
		return err_add(e, "make the directory of '%s'", path);
	t->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dirfd < 0 && errno == ENOENT && !make)
		return 0;
	if (t->dirfd < 0)
		return err_sys(e, "open '%s'", dir);
	(void)flock(t->dirfd, LOCK_EX); /* a file system without locks is no reason to stop */
	if (fstatat(t->dirfd, t->base, &t->st, 0) < 0)
		t->st.st_nlink = 0;
	int r = load(path, &t->f, e);
	if (r == 0)
		t->f.root = json_object();
	return r;
}

/* Docker indents by a tab; so that a diff shows what changed, we do too. */
static void dump(const json_t *root, struct buf *out)
{
	_cleanup_(secret_buf_done) struct buf b = { 0 };
	size_t n = json_dumpb(root, NULL, 0, JSON_INDENT(1)) + 2;
	secret_room(&b, n);
	secret_room(out, n);
	js_dump_pretty(root, 1, &b);
	struct slice rest = slice_trim(buf_view(&b)), line;
	while (slice_split(&rest, '\n', &line)) {
		struct slice text = slice_trim_left(line);
		for (size_t i = 0; i < line.n - text.n; i++)
			buf_char(out, '\t');
		buf_slice(out, text);
		buf_char(out, '\n');
	}
}

static int target_write(struct target *t, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf b = { 0 };
	dump(t->f.root, &b);
	if (b.len > AUTHFILE_MAX)
		return err_set(e, ERR_DATA, "'%s' would become larger than %d bytes", t->f.name,
			       AUTHFILE_MAX);
	if (t->st.st_nlink && !S_ISREG(t->st.st_mode))
		return err_set(e, ERR_USER, "'%s' is no regular file", t->f.name);
	if (fs_write(t->dirfd, t->dirfd, t->base, buf_view(&b), 0600, true, e) < 0)
		return err_add(e, "write '%s'", t->f.name);
	/* root in a user's home (sudo): the file stays the user's */
	if (geteuid() == 0 && t->st.st_nlink && t->st.st_uid != 0 &&
	    fchownat(t->dirfd, t->base, t->st.st_uid, t->st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "give '%s' back to its owner", t->f.name);
	return 0;
}

/* "auths", made if it is not there. */
static json_t *auths_of(struct target *t, struct err *e)
{
	json_t *auths;
	if (js_object(t->f.root, "auths", &auths, e) < 0) {
		(void)err_add(e, "'%s'", t->f.name);
		return NULL;
	}
	if (!auths) {
		auths = json_object();
		(void)json_object_set_new(t->f.root, "auths", auths);
	}
	return auths;
}

/* 1 if there was one (that was not an empty mark). */
static int drop_entries(json_t *auths, const char *host)
{
	const char *key;
	json_t *entry;
	void *next;
	int found = 0;
	json_object_foreach_safe(auths, next, key, entry)
	{
		if (!key_same(key, host))
			continue;
		found |= !json_is_object(entry) || !is_empty_entry(entry);
		(void)json_object_del(auths, key);
	}
	return found;
}

static json_t *make_entry(const struct creds *c)
{
	_cleanup_(secret_buf_done) struct buf plain = { 0 }, coded = { 0 };
	const char *password = c->token ? "" : c->password;
	const char *user = c->user ? c->user : "<token>";
	json_t *entry = json_object();
	secret_room(&plain, strlen(user) + strlen(password) + 1);
	buf_str(&plain, user);
	buf_char(&plain, ':');
	buf_str(&plain, password);
	base64_put(buf_view(&plain), &coded);
	(void)json_object_set_new(entry, "auth", json_string(coded.p));
	if (c->token)
		(void)json_object_set_new(entry, "identitytoken", js_text(slice_of(c->token)));
	return entry;
}

int authfile_put(const struct authfile_opts *o, const char *host, const struct creds *c,
		 char **where, bool *plain, struct err *e)
{
	_cleanup_(target_done) struct target t = TARGET_INIT;
	const char *helper = NULL;
	bool own;
	if (c->user && strchr(c->user, ':') && !c->token)
		return err_set(e, ERR_USER, "a user's name cannot hold a ':' (RFC 7617)");
	if (target_open(o, true, &t, e) < 0)
		return -1;
	json_t *auths = auths_of(&t, e);
	if (!auths || (!strchr(host, '/') && find_helper(&t.f, host, &helper, &own, e) < 0))
		return -1;
	if (helper) {
		_cleanup_(strs_done) struct strs servers = { 0 };
		server_names(host, &servers);
		if (helper_store(helper, servers.p[0], c, e) < 0)
			return err_add(e,
				       "keep the password with docker-credential-%s ('%s' says so)",
				       helper, t.f.name);
	}
	(void)drop_entries(auths, host);
	(void)json_object_set_new(auths, key_to_write(host),
				  helper ? json_object() : make_entry(c));
	if (target_write(&t, e) < 0)
		return -1;
	*where = helper ? str_printf("docker-credential-%s", helper) : str_dup(t.f.name);
	*plain = !helper;
	return 0;
}

/* 1, 0, -1. Helpers are content to erase what they do not have, so they are asked before. */
static int erase(const char *helper, const char *host, struct err *e)
{
	_cleanup_(strs_done) struct strs servers = { 0 };
	int found = 0;
	server_names(host, &servers);
	arr_each(server, &servers) {
		_cleanup_(creds_done) struct creds had = { 0 };
		int r = helper_get(helper, *server, &had, e);
		if (r > 0)
			r = helper_erase(helper, *server, e);
		if (r < 0)
			return -1;
		found |= r;
	}
	return found;
}

int authfile_del(const struct authfile_opts *o, const char *host, char **where, struct err *e)
{
	_cleanup_(target_done) struct target t = TARGET_INIT;
	const char *helper = NULL;
	bool own;
	int r = target_open(o, false, &t, e), erased = 0;
	if (r <= 0)
		return r;
	json_t *auths = auths_of(&t, e);
	if (!auths || (!strchr(host, '/') && find_helper(&t.f, host, &helper, &own, e) < 0))
		return -1;
	if (helper && (erased = erase(helper, host, e)) < 0)
		return err_add(e, "take it out of docker-credential-%s ('%s' says so)", helper,
			       t.f.name);
	size_t before = json_object_size(auths);
	int dropped = drop_entries(auths, host);
	if (json_object_size(auths) < before && target_write(&t, e) < 0)
		return -1;
	if (!dropped && !erased)
		return 0;
	*where = erased ? str_printf("docker-credential-%s", helper) : str_dup(t.f.name);
	return 1;
}

/* "https://index.docker.io/v1/" is "docker.io" to people. */
static void add_host(struct strs *hosts, const char *key)
{
	struct key k = key_of(key);
	_free_ char *name = is_hub(k.host) ? str_dup("docker.io") : slice_dup(k.host);
	if (k.path.n)
		str_set(&name, str_printf("%s/%.*s", name, SLF(k.path)));
	if (*name && strs_find(hosts, name) < 0)
		strs_add(hosts, name);
}

int authfile_hosts(const struct authfile_opts *o, struct strs *hosts, struct err *e)
{
	_cleanup_(target_done) struct target t = TARGET_INIT;
	_cleanup_(strs_done) struct strs servers = { 0 };
	json_t *auths, *helpers, *v;
	const char *key, *store = NULL;
	int r = target_open(o, false, &t, e);
	if (r <= 0)
		return r;
	if (!(auths = auths_of(&t, e)) || js_object(t.f.root, "credHelpers", &helpers, e) < 0 ||
	    js_str(t.f.root, "credsStore", &store, e) < 0)
		return -1;
	if (store && *store && helper_list(store, &servers, e) < 0)
		return err_add(e, "ask docker-credential-%s for all ('%s' says so)", store,
			       t.f.name);
	json_object_foreach(auths, key, v) add_host(hosts, key);
	json_object_foreach(helpers, key, v) add_host(hosts, key);
	arr_each(server, &servers)
		add_host(hosts, *server);
	return 0;
}
