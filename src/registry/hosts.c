/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf is read anew for each reference: it is small, and a command asks a few times. The
 * rules are those of containers/image, but that "example.com" is no prefix of "example.com:5000":
 * its manual says that this is an accident. */
#include "registry/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/dirlist.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "base/log.h"
#include "registry/toml.h"

void endpoints_done(struct endpoints *l)
{
	arr_each(ep, l) {
		free(ep->host);
		free(ep->path);
	}
	arr_done(l);
}

/* ---- the files ---- */

struct conf_mirror {
	char *location;
	bool insecure;
	enum { PULL_ALL, PULL_DIGEST, PULL_TAG } pull;
};
struct conf_entry {
	char *prefix, *location, *file;
	bool insecure, blocked;
	ARRAY_OF(struct conf_mirror) mirrors;
};
struct conf {
	ARRAY_OF(struct conf_entry) entries;
};

static void entry_done(struct conf_entry *c)
{
	arr_each(m, &c->mirrors)
		free(m->location);
	arr_done(&c->mirrors);
	free(c->prefix);
	free(c->location);
	free(c->file);
	*c = (struct conf_entry){ 0 };
}

static void conf_done(struct conf *c)
{
	arr_each(entry, &c->entries)
		entry_done(entry);
	arr_done(&c->entries);
}

static int bad_place(const char *what, const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_DATA, "%s = \"%s\": %s", what, text, why);
}

/* "host[:port][/path]" without slashes at its end; *out NULL if it is absent or empty. */
static int get_place(const json_t *table, const char *what, bool tag, char **out, struct err *e)
{
	const char *text = NULL;
	if (js_str(table, what, &text, e) < 0)
		return -1;
	struct slice s = slice_of(text);
	if (slice_search(s, SL("://")) < s.n)
		return bad_place(what, text, "a host is wanted, with a path perhaps, but no URL",
				 e);
	while (s.n && s.p[s.n - 1] == '/')
		s.n--;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '?' ||
		    s.p[i] == '#')
			return bad_place(what, text, "it holds a byte that no name may hold", e);
	size_t slash = slice_find(s, '/');
	struct slice path = slash < s.n ? slice_from(s, slash + 1) : SL(""), part;
	while (slash < s.n && slice_split(&path, '/', &part))
		if (!part.n || slice_is(part, ".") || slice_is(part, ".."))
			return bad_place(what, text,
					 "its path has a part that is empty, '.' or '..'", e);
	if (s.n && (!slash || slash > 255 + 6))
		return bad_place(what, text, "there is no host", e);
	if (!tag && slash < s.n &&
	    (slice_find(part, ':') < part.n || slice_find(part, '@') < part.n))
		return bad_place(what, text,
				 "names a tag or digest; only repositories can be elsewhere", e);
	*out = s.n ? slice_dup(s) : NULL;
	return 0;
}

static int read_mirror(const json_t *table, bool digest_only, struct conf_mirror *m, struct err *e)
{
	static const char *const words[] = { "all", "digest-only", "tag-only" };
	const char *pull = NULL;
	if (!json_is_object(table))
		return err_set(e, ERR_DATA, "it is no table");
	if (get_place(table, "location", false, &m->location, e) < 0 ||
	    js_bool(table, "insecure", &m->insecure, e) < 0 ||
	    js_str(table, "pull-from-mirror", &pull, e) < 0)
		return -1;
	if (!m->location)
		return err_set(e, ERR_DATA, "it has no location");
	m->pull = digest_only ? PULL_DIGEST : PULL_ALL;
	if (!pull || !*pull)
		return 0;
	if (digest_only)
		return err_set(e, ERR_DATA,
			       "pull-from-mirror cannot stand beside mirror-by-digest-only");
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(pull, words[i]) == 0) {
			m->pull = i == 0 ? PULL_ALL : i == 1 ? PULL_DIGEST : PULL_TAG;
			return 0;
		}
	return err_set(e, ERR_DATA,
		       "pull-from-mirror = \"%s\" is none of all, digest-only, tag-only", pull);
}

static int check_prefix(const struct conf_entry *c, struct err *e)
{
	struct slice p = slice_of(c->prefix);
	bool wild = slice_starts(p, SL("*."));
	struct slice rest = wild ? slice_from(p, 2) : p;
	if (slice_find(rest, '*') < rest.n || (wild && slice_find(rest, '/') < rest.n) ||
	    (wild && slice_find(rest, ':') < rest.n) || (wild && !rest.n))
		return err_set(e, ERR_DATA,
			       "prefix = \"%s\": '*' may stand only as in \"*.example.com\"",
			       c->prefix);
	if (!c->location && !wild)
		return err_set(e, ERR_DATA, "prefix = \"%s\" has no location", c->prefix);
	return 0;
}

static int read_entry(const json_t *table, struct conf_entry *c, struct err *e)
{
	json_t *mirrors, *m;
	bool digest_only = false;
	size_t i;
	if (!json_is_object(table))
		return err_set(e, ERR_DATA, "it is no table");
	if (get_place(table, "prefix", true, &c->prefix, e) < 0 ||
	    get_place(table, "location", false, &c->location, e) < 0 ||
	    js_bool(table, "insecure", &c->insecure, e) < 0 ||
	    js_bool(table, "blocked", &c->blocked, e) < 0 ||
	    js_bool(table, "mirror-by-digest-only", &digest_only, e) < 0 ||
	    js_array(table, "mirror", &mirrors, e) < 0)
		return -1;
	if (!c->prefix && !c->location)
		return err_set(e, ERR_DATA, "it has neither prefix nor location");
	if (!c->prefix)
		c->prefix = str_dup(c->location);
	if (check_prefix(c, e) < 0)
		return -1;
	json_array_foreach(mirrors, i, m) if (read_mirror(m, digest_only, arr_add(&c->mirrors), e) <
					      0) return err_add(e, "mirror %zu of '%s'", i + 1,
								c->prefix);
	return 0;
}

/* A later file's table takes the place of an earlier one with the same prefix. */
static void put_entry(struct conf *conf, struct conf_entry *c)
{
	arr_each(old, &conf->entries)
		if (strcmp(old->prefix, c->prefix) == 0) {
			entry_done(old);
			*old = *c;
			*c = (struct conf_entry){ 0 };
			return;
		}
	arr_push(&conf->entries, *c);
	*c = (struct conf_entry){ 0 };
}

static int read_text(struct slice text, const char *file, struct conf *conf, struct err *e)
{
	_json_ json_t *root = toml_parse(text, file, e);
	json_t *list, *table;
	size_t i;
	if (!root)
		return -1;
	if (json_object_get(root, "registries")) {
		err_set(e, ERR_DATA, "it is of version 1 of that format ([registries.…])");
		return err_hint(
			e, "write [[registry]] tables: containers-registries.conf(5), version 2");
	}
	if (js_array(root, "registry", &list, e) < 0)
		return -1;
	json_array_foreach(list, i, table)
	{
		_cleanup_(entry_done) struct conf_entry c = { .file = str_dup(file) };
		if (read_entry(table, &c, e) < 0)
			return err_add(e, "[[registry]] number %zu", i + 1);
		put_entry(conf, &c);
	}
	return 0;
}

/* 1, 0 if there is no such file. */
static int read_file(const char *path, struct conf *conf, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	if (fs_read(AT_FDCWD, path, TOML_MAX, &text, &why) < 0) {
		if (why.kind == ERR_ABSENT || err_is_errno(&why, ENOTDIR))
			return 0;
		err_move(e, &why);
		return err_add(e, "read '%s'", path);
	}
	if (read_text(buf_view(&text), path, conf, e) < 0)
		return err_add(e, "read '%s'", path);
	return 1;
}

/* Names in a directory, sorted; none if it is not there, or closed to us. */
static int list_dir(const char *path, struct strs *names, struct err *e)
{
	_cleanup_(dirlist_done) struct dirlist l = { 0 };
	_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES)) {
		if (errno == EACCES)
			log_debug("'%s' cannot be read", path);
		return 0;
	}
	if (fd < 0 || dirlist_read(fd, true, &l) < 0)
		return err_sys(e, "read '%s'", path);
	arr_each(it, &l.names)
		strs_add(names, it->name);
	return 0;
}

static int read_dir(const char *dir, struct conf *conf, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (list_dir(dir, &names, e) < 0)
		return -1;
	arr_each(name, &names) {
		if (!slice_ends(slice_of(*name), SL(".conf")))
			continue;
		_free_ char *path = str_printf("%s/%s", dir, *name);
		if (read_file(path, conf, e) < 0)
			return -1;
	}
	return 0;
}

static const char *env(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? v : NULL;
}

/* "~/.config/TAIL", or NULL without a home. */
static char *user_config(const char *tail)
{
	if (env("XDG_CONFIG_HOME"))
		return str_printf("%s/%s", env("XDG_CONFIG_HOME"), tail);
	return env("HOME") ? str_printf("%s/.config/%s", env("HOME"), tail) : NULL;
}

static int conf_read(struct conf *conf, struct err *e)
{
	const char *named = env("CONTAINERS_REGISTRIES_CONF");
	_free_ char *own = user_config("containers/registries.conf");
	_free_ char *own_dir = user_config("containers/registries.conf.d");
	int r = 0;
	if (named) {
		r = read_file(named, conf, e);
		if (r == 0) {
			err_set(e, ERR_ABSENT, "there is no file '%s'", named);
			return err_hint(e, "$CONTAINERS_REGISTRIES_CONF names it");
		}
	} else if (own) {
		r = read_file(own, conf, e);
	}
	/* with a file of one's own, the system's and its drop-ins are not read */
	if (r == 0 && read_file("/etc/containers/registries.conf", conf, e) < 0)
		return -1;
	if (r >= 0 && (r == 0 || named) &&
	    read_dir("/etc/containers/registries.conf.d", conf, e) < 0)
		return -1;
	return r < 0 ? -1 : own_dir ? read_dir(own_dir, conf, e) : 0;
}

/* ---- from a name to places ---- */

/* The bytes of `name` ("host/path:tag" or "host/path@digest") that a prefix stands for; 0: no match. */
static size_t prefix_matches(struct slice name, const char *prefix)
{
	struct slice p = slice_of(prefix);
	size_t slash = slice_find(name, '/');
	if (slice_starts(p, SL("*."))) {
		struct slice host = slice_head(name, slash);
		size_t colon = slice_rfind(host, ':');
		p = slice_from(p, 1);
		if (slice_ends(slice_head(host, colon), p))
			return colon;
		return 0;
	}
	if (!slice_starts(name, p))
		return 0;
	if (name.n == p.n)
		return p.n;
	char next = name.p[p.n];
	return next == '/' || (p.n > slash && (next == ':' || next == '@')) ? p.n : 0;
}

static const struct conf_entry *choose(const struct conf *conf, struct slice name, size_t *used)
{
	const struct conf_entry *best = NULL;
	arr_each(c, &conf->entries) {
		size_t n = prefix_matches(name, c->prefix);
		if (!n || (best && strlen(c->prefix) <= strlen(best->prefix)))
			continue;
		best = c;
		*used = n;
	}
	return best;
}

/* host/path, as text, to an endpoint. */
static int add_endpoint(struct slice place, bool insecure, bool mirror, struct endpoints *out,
			struct err *e)
{
	size_t slash = slice_find(place, '/');
	if (slash + 1 >= place.n)
		return err_set(e, ERR_DATA, "'%.*s' is a registry, but no repository in it",
			       SLF(place));
	struct slice host = slice_head(place, slash);
	struct endpoint ep = {
		.host = slice_is(host, "docker.io") || slice_is(host, "index.docker.io")
				? str_dup("registry-1.docker.io")
				: slice_dup(host),
		.path = slice_dup(slice_from(place, slash + 1)),
		.insecure = insecure,
		.mirror = mirror,
	};
	arr_push(out, ep);
	return 0;
}

/* What follows the prefix, behind the location; `name` has no tag. */
static int rewrite(struct slice name, size_t used, const char *location, bool insecure, bool mirror,
		   struct endpoints *out, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct slice rest = used < name.n ? slice_from(name, used) : SL("");
	struct slice loc = slice_of(location);
	/* "*.example.com" leaves the port of "a.example.com:5000/x" behind it */
	if (rest.n && *rest.p == ':' &&
	    (slice_find(loc, ':') < loc.n || slice_find(loc, '/') < loc.n))
		rest = slice_from(rest, slice_find(rest, '/'));
	buf_slice(&b, loc);
	buf_slice(&b, rest);
	if (add_endpoint(buf_view(&b), insecure, mirror, out, e) < 0)
		return err_add(e, "location = \"%s\"", location);
	return 0;
}

static int add_mirrors(const struct hosts_opts *o, const struct conf_entry *c,
		       const struct reference *ref, struct slice name, size_t used,
		       struct endpoints *out, struct err *e)
{
	arr_each(m, &c->mirrors) {
		if (m->pull != PULL_ALL && (m->pull == PULL_DIGEST) != ref->has_digest)
			continue;
		if (rewrite(name, used, m->location, m->insecure || o->insecure, true, out, e) < 0)
			return err_add(e, "a mirror of '%s' in '%s'", c->prefix, c->file);
	}
	return 0;
}

/* The place that the name itself tells. */
static int add_itself(const struct reference *ref, bool insecure, struct endpoints *out,
		      struct err *e)
{
	_free_ char *text = str_printf("%s/%s", ref->host, *ref->path ? ref->path : "-");
	if (add_endpoint(slice_of(text), insecure, false, out, e) < 0)
		return -1;
	if (!*ref->path)
		arr_last(out)->path[0] = '\0';
	return 0;
}

static int find(const struct hosts_opts *o, const struct conf *conf, const struct reference *ref,
		bool pull, struct endpoints *out, struct err *e)
{
	_free_ char *text = str_printf("%s/%s", ref->host, ref->path);
	_free_ char *whole = reference_text(ref);
	size_t used = 0;
	const struct conf_entry *c = choose(conf, slice_of(whole), &used);
	if (!c)
		return add_itself(ref, o->insecure, out, e);
	if (c->blocked) {
		err_set(e, ERR_DENIED, "'%s' is blocked by '%s' (prefix = \"%s\")", whole, c->file,
			c->prefix);
		return err_hint(e, "blocked = false there lets it pass");
	}
	bool insecure = c->insecure || o->insecure;
	/* containers-registries.conf(5): redirection and mirrors only when images are read */
	if (!pull || !*ref->path || (!c->location && !c->mirrors.n))
		return add_itself(ref, insecure, out, e);
	if (add_mirrors(o, c, ref, slice_of(text), used, out, e) < 0)
		return -1;
	if (!c->location)
		return add_itself(ref, insecure, out, e);
	if (rewrite(slice_of(text), used, c->location, insecure, false, out, e) < 0)
		return err_add(e, "prefix = \"%s\" in '%s'", c->prefix, c->file);
	return 0;
}

int hosts_find(const struct hosts_opts *o, const struct reference *ref, bool pull,
	       struct endpoints *out, struct err *e)
{
	_cleanup_(conf_done) struct conf conf = { 0 };
	_cleanup_(endpoints_done) struct endpoints found = { 0 };
	if (conf_read(&conf, e) < 0 || find(o, &conf, ref, pull, &found, e) < 0)
		return err_add(e, "find the registry of '%s/%s'", ref->host, ref->path);
	*out = found;
	found = (struct endpoints){ 0 };
	return 0;
}

/* ---- certificates ---- */

void hosts_tls_done(struct http_tls *t)
{
	strs_done(&t->ca_files);
	free((char *)t->cert_file);
	free((char *)t->key_file);
	*t = (struct http_tls){ 0 };
}

/* One directory: *.crt are authorities; *.cert and *.key of one name are who we are. */
static int add_certs(const char *dir, struct http_tls *out, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	if (list_dir(dir, &names, e) < 0)
		return -1;
	arr_each(name, &names) {
		struct slice s = slice_of(*name);
		bool cert = slice_ends(s, SL(".cert")), key = slice_ends(s, SL(".key"));
		if (slice_ends(s, SL(".crt")))
			strs_addf(&out->ca_files, "%s/%s", dir, *name);
		if (!cert && !key)
			continue;
		struct slice stem = slice_head(s, s.n - (cert ? 5 : 4));
		_free_ char *other = str_printf("%.*s.%s", SLF(stem), cert ? "key" : "cert");
		if (strs_find(&names, other) < 0) {
			err_set(e, ERR_USER, "'%s/%s' stands without '%s'", dir, *name, other);
			return err_hint(
				e, cert ? "authorities end in .crt, client certificates in .cert "
					  "with a .key beside"
					: "a key needs its certificate, of the same name in .cert");
		}
		if (cert && !out->cert_file) {
			out->cert_file = str_printf("%s/%s", dir, *name);
			out->key_file = str_printf("%s/%s", dir, other);
		}
	}
	return 0;
}

/* The directories' names for a host: with port 443 it may be left out. */
static void dir_names(const char *host, struct strs *names)
{
	struct slice s = slice_of(host);
	size_t colon = slice_rfind(s, ':');
	bool port = colon < s.n && (*s.p != '[' || (colon && s.p[colon - 1] == ']'));
	strs_add(names, host);
	if (port && slice_is(slice_from(s, colon), ":443"))
		strs_take(names, slice_dup(slice_head(s, colon)));
	else if (!port)
		strs_addf(names, "%s:443", host);
	if (slice_is(slice_head(s, port ? colon : s.n), "registry-1.docker.io"))
		strs_add(names, "docker.io");
}

static int find_certs(const char *host, struct http_tls *out, struct err *e)
{
	_cleanup_(strs_done) struct strs dirs = { 0 }, names = { 0 };
	_free_ char *own = user_config("containers/certs.d"),
		    *docker = user_config("docker/certs.d");
	if (!*host || *host == '.' || strchr(host, '/'))
		return err_set(e, ERR_DATA, "'%s' is no host", host);
	if (own)
		strs_add(&dirs, own);
	if (docker)
		strs_add(&dirs, docker);
	strs_add(&dirs, "/etc/containers/certs.d");
	strs_add(&dirs, "/etc/docker/certs.d");
	dir_names(host, &names);
	arr_each(dir, &dirs)
		arr_each(name, &names) {
			_free_ char *path = str_printf("%s/%s", *dir, *name);
			if (add_certs(path, out, e) < 0)
				return -1;
		}
	return 0;
}

int hosts_tls(const struct hosts_opts *o, const char *host, bool insecure, struct http_tls *out,
	      struct err *e)
{
	_cleanup_(hosts_tls_done) struct http_tls t = { .insecure = insecure || o->insecure };
	if (o->cacert) {
		if (access(o->cacert, R_OK) < 0)
			return err_sys(e, "read the certificates in '%s'", o->cacert);
		strs_add(&t.ca_files, o->cacert);
	}
	if (o->cert_dir && access(o->cert_dir, R_OK | X_OK) < 0)
		return err_sys(e, "read the certificates in '%s'", o->cert_dir);
	if (o->cert_dir ? add_certs(o->cert_dir, &t, e) : find_certs(host, &t, e))
		return -1;
	*out = t;
	t = (struct http_tls){ 0 };
	return 0;
}
