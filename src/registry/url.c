/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/url.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/err.h"
#include "base/num.h"

void url_done(struct url *u)
{
	free(u->scheme);
	free(u->host);
	free(u->path);
	free(u->query);
	*u = (struct url){ 0 };
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void url_escape(struct slice s, const char *keep, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_unreserved(s.p[i]) || (keep && s.p[i] && strchr(keep, s.p[i])))
			buf_char(out, s.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)s.p[i]);
	}
}

static struct slice until(struct slice s, const char *ends)
{
	size_t n = 0;
	while (n < s.n && !strchr(ends, s.p[n]))
		n++;
	return slice_head(s, n);
}

static char *lower(struct slice s)
{
	char *out = str_ndup(s.p, s.n);
	for (char *p = out; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return out;
}

static int check_text(struct slice text, struct err *e)
{
	if (text.n > URL_MAX)
		return err_set(e, ERR_DATA, "a URL of %zu bytes; at most %d are taken", text.n,
			       URL_MAX);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7f ||
		    text.p[i] == '\\')
			return err_set(e, ERR_DATA, "the URL '%.*s' holds a byte that no URL holds",
				       SLF(text));
	return 0;
}

/* "http" or "https" and what follows "://". */
static int take_scheme(struct slice *rest, char **scheme, struct err *e)
{
	struct slice s = until(*rest, ":/?#");
	_free_ char *name = lower(s);
	if (!slice_starts(slice_from(*rest, s.n), SL("://")))
		return err_set(e, ERR_DATA, "'%.*s' is not an absolute URL", SLF(*rest));
	if (strcmp(name, "http") != 0 && strcmp(name, "https") != 0)
		return err_set(e, ERR_DATA,
			       "the URL '%.*s' is neither http: nor https:", SLF(*rest));
	*rest = slice_from(*rest, s.n + 3);
	*scheme = take_ptr(&name);
	return 0;
}

static bool is_host(struct slice s, bool bracketed)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			   (c >= 'A' && c <= 'F');
		if (bracketed ? !hex && c != ':' && c != '.' : !is_unreserved(c))
			return false;
	}
	return s.n > 0 && s.n <= 255;
}

/* host[:port] or [v6][:port] */
static int take_authority(struct slice text, struct url *u, struct err *e)
{
	struct slice host, port = { 0 };
	bool bracketed = slice_starts(text, SL("["));
	uint64_t n;
	if (memchr(text.p, '@', text.n))
		return err_set(e, ERR_DATA, "a URL with a user name in it");
	if (bracketed) {
		host = until(slice_from(text, 1), "]");
		if (host.n + 2 > text.n)
			return err_set(e, ERR_DATA, "the host '%.*s' has no ']'", SLF(text));
		port = slice_from(text, host.n + 2);
	} else {
		host = until(text, ":");
		port = slice_from(text, host.n);
	}
	if (!is_host(host, bracketed))
		return err_set(e, ERR_DATA, "'%.*s' is not the name of a host", SLF(text));
	u->host = lower(host);
	u->port = strcmp(u->scheme, "https") == 0 ? 443 : 80;
	if (port.n == 0 || slice_is(port, ":"))
		return 0;
	if (port.p[0] != ':' || num_parse(slice_from(port, 1), 65535, &n) < 0 || n == 0)
		return err_set(e, ERR_DATA, "'%.*s' is not the name of a host with a port",
			       SLF(text));
	u->port = (unsigned)n;
	return 0;
}

/* RFC 3986 §5.2.4. `path` begins with '/'. */
static char *remove_dots(struct slice path)
{
	ARRAY_OF(struct slice) parts = { 0 };
	struct slice rest = path, part;
	bool dir = false;
	_cleanup_(buf_done) struct buf b = { 0 };
	rest = slice_from(rest, 1);
	while (slice_split(&rest, '/', &part)) {
		bool last = rest.p == NULL;
		dir = false;
		if (slice_is(part, "..")) {
			parts.n -= parts.n > 0;
			dir = last;
		} else if (slice_is(part, ".")) {
			dir = last;
		} else {
			arr_push(&parts, part);
		}
	}
	arr_each(it, &parts)
		buf_printf(&b, "/%.*s", SLF(*it));
	if (dir || parts.n == 0)
		buf_char(&b, '/');
	arr_done(&parts);
	return buf_take(&b);
}

/* "/path?query#fragment", the path without dots. */
static void take_path(struct slice rest, struct url *u)
{
	struct slice path = until(rest, "?#");
	rest = slice_from(rest, path.n);
	u->path = path.n ? remove_dots(path) : str_dup("/");
	if (rest.n && rest.p[0] == '?') {
		struct slice query = until(slice_from(rest, 1), "#");
		u->query = str_ndup(query.p, query.n);
	}
}

int url_parse(struct slice text, struct url *out, struct err *e)
{
	struct url u = { 0 };
	struct slice rest = text;
	if (check_text(text, e) < 0 || take_scheme(&rest, &u.scheme, e) < 0)
		return -1;
	struct slice authority = until(rest, "/?#");
	if (take_authority(authority, &u, e) < 0) {
		url_done(&u);
		return err_add(e, "read the URL '%.*s'", SLF(text));
	}
	take_path(slice_from(rest, authority.n), &u);
	*out = u;
	return 0;
}

static bool has_scheme(struct slice ref)
{
	struct slice s = until(ref, ":/?#");
	return s.n < ref.n && ref.p[s.n] == ':' && s.n > 0 &&
	       ((s.p[0] >= 'a' && s.p[0] <= 'z') || (s.p[0] >= 'A' && s.p[0] <= 'Z'));
}

int url_resolve(const struct url *base, struct slice ref, struct url *out, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	bool v6 = strchr(base->host, ':') != NULL;
	ref = slice_trim(ref);
	if (check_text(ref, e) < 0)
		return -1;
	if (has_scheme(ref))
		return url_parse(ref, out, e);
	if (slice_starts(ref, SL("//"))) {
		buf_printf(&b, "%s:%.*s", base->scheme, SLF(ref));
		return url_parse(buf_view(&b), out, e);
	}
	buf_printf(&b, "%s://%s%s%s:%u", base->scheme, v6 ? "[" : "", base->host, v6 ? "]" : "",
		   base->port);
	if (ref.n == 0 || ref.p[0] == '?' || ref.p[0] == '#') {
		buf_str(&b, base->path);
		if ((ref.n == 0 || ref.p[0] == '#') && base->query)
			buf_printf(&b, "?%s", base->query);
	} else if (ref.p[0] != '/') {
		buf_printf(&b, "%.*s", (int)(strrchr(base->path, '/') - base->path + 1),
			   base->path);
	}
	buf_slice(&b, ref);
	return url_parse(buf_view(&b), out, e);
}

char *url_host(const struct url *u)
{
	bool v6 = strchr(u->host, ':') != NULL;
	unsigned usual = strcmp(u->scheme, "https") == 0 ? 443 : 80;
	_free_ char *host = str_printf("%s%s%s", v6 ? "[" : "", u->host, v6 ? "]" : "");
	return u->port == usual ? take_ptr(&host) : str_printf("%s:%u", host, u->port);
}

char *url_text(const struct url *u)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	_free_ char *host = url_host(u);
	buf_printf(&b, "%s://%s%s", u->scheme, host, u->path);
	if (u->query)
		buf_printf(&b, "?%s", u->query);
	return buf_take(&b);
}

enum { PART_MAX = 80, PART_SHOWN = 20, QUERY_SHOWN = 80 }; /* bytes; a digest in a path is whole */

/* Known to be harmless, and of use in a message. */
static bool is_plain_value(struct slice name)
{
	static const char *const names[] = {
		"n", "last", "digest", "mount", "from", "artifactType"
	};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (slice_is(name, names[i]))
			return true;
	return false;
}

/* Uploads have names that the registry makes up, of hundreds of letters at some: their beginning tells
 * as much. */
static void show_path(const char *path, struct buf *out)
{
	struct slice rest = slice_from(slice_of(path), 1), part;
	while (slice_split(&rest, '/', &part)) {
		buf_char(out, '/');
		buf_slice(out, slice_head(part, part.n > PART_MAX ? PART_SHOWN : part.n));
		buf_str(out, part.n > PART_MAX ? "…" : "");
	}
}

/* "digest=sha256%3A" and 64 digits: the first of them, as in lists. */
static void show_parameter(struct slice part, struct buf *out)
{
	struct slice name = slice_head(part, slice_find(part, '='));
	bool plain = is_plain_value(name) || name.n == part.n;
	struct slice head = SL("digest=sha256%3A");
	if (slice_starts(part, head) && part.n > head.n + 12)
		buf_printf(out, "digest=sha256:%.12s…", part.p + head.n);
	else
		buf_printf(out, "%.*s%s", SLF(plain ? part : name), plain ? "" : "=…");
}

char *url_shown(const struct url *u)
{
	struct slice rest = slice_of(u->query), part;
	_cleanup_(buf_done) struct buf b = { 0 };
	_free_ char *host = url_host(u);
	buf_printf(&b, "%s://%s", u->scheme, host);
	show_path(u->path, &b);
	size_t most = b.len + QUERY_SHOWN;
	char sep = '?';
	while (u->query && slice_split(&rest, '&', &part)) {
		buf_char(&b, sep);
		if (b.len > most) {
			buf_str(&b, "…");
			break;
		}
		show_parameter(part, &b);
		sep = '&';
	}
	return buf_take(&b);
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0 &&
	       a->port == b->port;
}

void url_add_query(struct url *u, const char *name, const char *value)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (u->query && *u->query)
		buf_printf(&b, "%s&", u->query);
	url_escape(slice_of(name), NULL, &b);
	buf_char(&b, '=');
	url_escape(slice_of(value), NULL, &b);
	str_set(&u->query, buf_take(&b));
}

bool host_is_loopback(const char *host)
{
	struct slice s = slice_of(host), part;
	unsigned parts = 0;
	uint64_t n, first = 0;
	if (strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0 ||
	    slice_ends(s, SL(".localhost")))
		return true;
	while (slice_split(&s, '.', &part)) {
		if (num_parse(part, 255, &n) < 0)
			return false;
		if (parts++ == 0)
			first = n;
	}
	return parts == 4 && first == 127;
}
