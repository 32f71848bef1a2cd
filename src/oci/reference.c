/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar is distribution/reference's (reference.go, normalize.go, regexp.go):
 *	reference = [ host "/" ] path [ ":" tag ] [ "@" digest ]
 * Where Docker says "invalid reference format" we say which part and why. */
#include "oci/reference.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"

enum { PATH_LONGEST = 255, TAG_LONGEST = 128, HOST_LONGEST = 255, SHOWN = 300 };

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || is_upper(c);
}

static bool has_upper(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_upper(s.p[i]))
			return true;
	return false;
}

void reference_done(struct reference *r)
{
	if (!r)
		return;
	free(r->host);
	free(r->path);
	free(r->tag);
	*r = (struct reference){ 0 };
}

/* Length of the separator between two alphanumeric runs of a path component: one '.' or '_',
 * two '_', or any number of '-'. 0: none. */
static size_t separator(struct slice s)
{
	if (s.n == 0)
		return 0;
	if (s.p[0] == '.')
		return 1;
	if (s.p[0] == '_')
		return s.n > 1 && s.p[1] == '_' ? 2 : 1;
	size_t n = 0;
	while (n < s.n && s.p[n] == '-')
		n++;
	return n;
}

static bool is_component(struct slice s)
{
	for (;;) {
		size_t n = 0;
		while (n < s.n && is_lower_alnum(s.p[n]))
			n++;
		if (n == 0)
			return false;
		s = slice_from(s, n);
		if (s.n == 0)
			return true;
		n = separator(s);
		if (n == 0)
			return false;
		s = slice_from(s, n);
	}
}

static int check_path(struct slice path, struct err *e)
{
	if (path.n == 0)
		return err_set(e, ERR_USER, "the name is empty");
	if (has_upper(path)) {
		err_set(e, ERR_USER, "the name '%.*s' has upper-case letters", SLF(path));
		_free_ char *lower = slice_dup(path);
		for (char *p = lower; *p; p++)
			*p = (char)(is_upper(*p) ? *p + 32 : *p);
		return err_hint(e, "write '%s'", lower);
	}
	if (path.n > PATH_LONGEST)
		return err_set(e, ERR_USER, "the name is longer than %d bytes", PATH_LONGEST);

	struct slice rest = path, part;
	while (slice_split(&rest, '/', &part)) {
		if (part.n == 0)
			return err_set(e, ERR_USER,
				       "the name '%.*s' has an empty part between slashes",
				       SLF(path));
		if (is_component(part))
			continue;
		err_set(e, ERR_USER, "'%.*s' cannot be part of a name", SLF(part));
		return err_hint(e, "use lower-case letters and digits, with single '.', '_', '__' "
				   "or dashes between them");
	}
	return 0;
}

/* "a.b-c", or an IPv6 address in brackets. */
static bool is_host_name(struct slice host)
{
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		for (size_t i = 1; i < host.n - 1; i++)
			if (!is_alnum(host.p[i]) && host.p[i] != ':')
				return false;
		return true;
	}
	struct slice label;
	while (slice_split(&host, '.', &label)) {
		if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (!is_alnum(label.p[i]) && label.p[i] != '-')
				return false;
	}
	return true;
}

static int check_host(struct slice host, struct err *e)
{
	struct slice name = host, port = SL("0");
	size_t colon = slice_rfind(host, ':');
	if (colon < host.n && slice_find(slice_from(host, colon), ']') == host.n - colon) {
		name = slice_head(host, colon);
		port = slice_from(host, colon + 1);
	}
	bool digits = port.n > 0 && port.n < 6;
	for (size_t i = 0; i < port.n; i++)
		digits = digits && port.p[i] >= '0' && port.p[i] <= '9';
	if (host.n > HOST_LONGEST || name.n == 0 || !digits || !is_host_name(name))
		return err_set(e, ERR_USER, "'%.*s' is not a registry's HOST[:PORT]", SLF(host));
	return 0;
}

static int check_tag(struct slice tag, struct err *e)
{
	if (tag.n == 0) {
		err_set(e, ERR_USER, "the tag after ':' is empty");
		return err_hint(e, "leave the ':' away for the tag 'latest'");
	}
	if (tag.n > TAG_LONGEST)
		return err_set(e, ERR_USER, "the tag is longer than %d bytes", TAG_LONGEST);
	for (size_t i = 0; i < tag.n; i++) {
		char c = tag.p[i];
		if (is_alnum(c) || c == '_' || (i > 0 && (c == '.' || c == '-')))
			continue;
		err_set(e, ERR_USER, "the tag '%.*s' has a character that tags cannot have",
			SLF(tag));
		return err_hint(e, "use letters, digits, '_', '.' and '-'; the first one neither "
				   "'.' nor '-'");
	}
	return 0;
}

static bool is_bare_id(struct slice s)
{
	uint8_t unused[SHA256_LEN];
	return sha256_unhex(s.p, s.n, unused) == 0;
}

/* Cuts "name[:tag]"; a colon before the last slash belongs to a port. */
static bool cut_tag(struct slice *name, struct slice *tag)
{
	size_t slash = slice_rfind(*name, '/'), colon = slice_rfind(*name, ':');
	if (colon == name->n || (slash < name->n && colon < slash))
		return false;
	*tag = slice_from(*name, colon + 1);
	*name = slice_head(*name, colon);
	return true;
}

/* The first component is a host if it looks like one; Docker's splitDockerDomain. */
static struct slice cut_host(struct slice *name)
{
	struct slice first = slice_head(*name, slice_find(*name, '/'));
	bool is_host = first.n < name->n &&
		       (slice_find(first, '.') < first.n || slice_find(first, ':') < first.n ||
			slice_is(first, "localhost") || has_upper(first));
	if (!is_host)
		return SL("docker.io");
	*name = slice_from(*name, first.n + 1);
	return slice_is(first, "index.docker.io") ? SL("docker.io") : first;
}

static int parse(struct slice s, struct reference *out, struct err *e)
{
	size_t at = slice_find(s, '@');
	struct slice name = slice_head(s, at), tag = SL("");
	if (at < s.n) {
		if (digest_parse(slice_from(s, at + 1), &out->digest, e) < 0)
			return -1;
		out->has_digest = true;
	}
	if (!out->has_digest && is_bare_id(name)) /* Docker refuses them too: they are ids of images */
		return err_set(e, ERR_USER, "64 hex digits are an image's id, not a name");
	if (cut_tag(&name, &tag)) {
		if (check_tag(tag, e) < 0)
			return -1;
	} else if (!out->has_digest) {
		tag = SL("latest");
	}

	struct slice host = cut_host(&name);
	if (check_host(host, e) < 0 || check_path(name, e) < 0)
		return -1;
	bool official = slice_is(host, "docker.io") && slice_find(name, '/') == name.n;
	if (official && name.n + strlen("library/") > PATH_LONGEST)
		return err_set(e, ERR_USER,
			       "the name is longer than %d bytes with the 'library/' that stands "
			       "before it at docker.io",
			       PATH_LONGEST);
	out->host = slice_dup(host);
	out->path = str_printf("%s%.*s", official ? "library/" : "", SLF(name));
	out->tag = tag.n ? slice_dup(tag) : NULL;
	return 0;
}

int reference_parse(struct slice s, struct reference *out, struct err *e)
{
	struct reference r = { 0 };
	struct slice shown = slice_head(s, s.n < SHOWN ? s.n : SHOWN);
	if (parse(s, &r, e) < 0) {
		if (e)
			e->kind = ERR_USER; /* also for the digest: it was typed */
		return err_add(e, "'%.*s' is not the name of an image", SLF(shown));
	}
	*out = r;
	return 0;
}

static char *text_of(const struct reference *r, const char *name)
{
	char digest[DIGEST_LEN] = "";
	if (r->has_digest)
		digest_text(&r->digest, digest);
	return str_printf("%s%s%s%s%s", name, r->tag ? ":" : "", r->tag ? r->tag : "",
			  r->has_digest ? "@" : "", digest);
}

char *reference_text(const struct reference *r)
{
	_free_ char *name = str_printf("%s/%s", r->host, r->path);
	return text_of(r, name);
}

char *reference_familiar_name(const struct reference *r)
{
	const char *official = "library/";
	if (strcmp(r->host, "docker.io") != 0)
		return str_printf("%s/%s", r->host, r->path);
	struct slice path = slice_of(r->path);
	if (slice_starts(path, slice_of(official))) {
		struct slice rest = slice_from(path, strlen(official));
		if (slice_find(rest, '/') == rest.n)
			return slice_dup(rest);
	}
	/* "docker.io/localhost/x" would be read as a host's "x" */
	struct slice rest = path, host = cut_host(&rest);
	if (!slice_is(host, "docker.io") || rest.n != path.n)
		return str_printf("docker.io/%s", r->path);
	return str_dup(r->path);
}

char *reference_familiar(const struct reference *r)
{
	_free_ char *name = reference_familiar_name(r);
	return text_of(r, name);
}

int reference_copy(struct reference *to, const struct reference *from)
{
	struct reference copy = *from;
	copy.host = str_dup(from->host);
	copy.path = str_dup(from->path);
	copy.tag = str_dup(from->tag);
	reference_done(to);
	*to = copy;
	return 0;
}

bool reference_eq(const struct reference *a, const struct reference *b)
{
	return slice_eq(slice_of(a->host), slice_of(b->host)) &&
	       slice_eq(slice_of(a->path), slice_of(b->path)) && !a->tag == !b->tag &&
	       slice_eq(slice_of(a->tag), slice_of(b->tag)) && a->has_digest == b->has_digest &&
	       (!a->has_digest || digest_eq(&a->digest, &b->digest));
}
