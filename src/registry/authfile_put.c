/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: what login and logout do to a file of credentials, or to the helper it names. */
#include "registry/authfile_in.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "base/path.h"
#include "registry/authkey.h"
#include "registry/helper.h"
#include "registry/secret.h"

enum { LINKS_MAX = 40 };

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

/* Where a link leads, and the next one, though nothing is there yet. */
static char *follow_links(const char *path)
{
	char *at = str_dup(path);
	for (unsigned n = 0; n < LINKS_MAX; n++) {
		_free_ char *to = fs_readlink(AT_FDCWD, at, NULL);
		if (!to)
			break;
		_free_ char *dir = slice_dup(path_dir(slice_of(at)));
		str_set(&at, *to == '/' ? str_dup(to) : str_printf("%s/%s", dir, to));
	}
	return at; /* of a loop any of its links: to open it says so */
}

/* With `make` its directory is made (0700). 1; 0: it is not there (with `make`: it is empty). */
static int target_open(const struct authfile_opts *o, bool make, struct target *t, struct err *e)
{
	_free_ char *path = authfile_named(o) ? str_dup(authfile_named(o)) : authfile_docker();
	if (!path) {
		err_set(e, ERR_USER, "there is no file for credentials: $HOME is not set");
		return err_hint(e, "--authfile FILE names one");
	}
	_free_ char *real = follow_links(path); /* a link stays one */
	struct slice whole = slice_of(real);
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
	int r = authfile_load(path, &t->f, e);
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
		if (!auth_key_same(key, host))
			continue;
		found |= !json_is_object(entry) || !authfile_entry_is_empty(entry);
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
	if (!auths || (!strchr(host, '/') && authfile_helper(&t.f, host, &helper, &own, e) < 0))
		return -1;
	if (helper) {
		_cleanup_(strs_done) struct strs servers = { 0 };
		auth_key_servers(host, &servers);
		if (helper_store(helper, servers.p[0], c, e) < 0)
			return err_add(e,
				       "keep the password with docker-credential-%s ('%s' says so)",
				       helper, t.f.name);
	}
	(void)drop_entries(auths, host);
	(void)json_object_set_new(auths, auth_key_to_write(host),
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
	auth_key_servers(host, &servers);
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
	if (!auths || (!strchr(host, '/') && authfile_helper(&t.f, host, &helper, &own, e) < 0))
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
	struct auth_key k = auth_key_of(key);
	_free_ char *name = auth_host_is_hub(k.host) ? str_dup("docker.io") : slice_dup(k.host);
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
