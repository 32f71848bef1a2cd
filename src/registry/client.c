/* SPDX-License-Identifier: Apache-2.0 */
/* registry/client.c: a repository, its endpoints, and its manifests. Blobs are in blob_get.c and
 * blob_put.c, lists of names in lists.c. */
#include "registry/client.h"

#include <strings.h>

#include "base/err.h"
#include "base/js.h"
#include "base/log.h"
#include "registry/repo.h"

#define ACCEPT_MANIFESTS                                                                         \
	"Accept: " MT_OCI_MANIFEST ", " MT_OCI_INDEX ", " MT_DOCKER_MANIFEST ", " MT_DOCKER_LIST \
	", */*"

struct registry *registry_open(const struct registry_opts *o, const struct reference *ref,
			       enum registry_use use, struct err *e)
{
	struct registry *r = NEW(struct registry);
	r->o = *o;
	if (o->creds && !creds_are_for(o->creds, ref->host))
		r->o.creds = NULL;
	r->use = use;
	(void)reference_copy(&r->ref, ref);
	if (hosts_find(&o->hosts, ref, use == REGISTRY_PULL, &r->at, e) < 0) {
		registry_close(r);
		return NULL;
	}
	r->sessions = mem_array(r->at.n, sizeof *r->sessions);
	return r;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->sessions && i < r->at.n; i++)
		session_close(r->sessions[i]);
	free(r->sessions);
	endpoints_done(&r->at);
	reference_done(&r->ref);
	free(r);
}

void registry_after_fork(struct registry *r)
{
	for (size_t i = 0; i < r->at.n; i++)
		if (r->sessions[i])
			session_after_fork(r->sessions[i]);
}

struct session *repo_session(struct registry *r, size_t i, struct err *e)
{
	const struct endpoint *at = &r->at.p[i];
	if (r->sessions[i])
		return r->sessions[i];
	/* Credentials are kept under the name that people use; --creds are for that name alone. */
	const char *who = strcmp(at->host, "registry-1.docker.io") == 0 ? "docker.io" : at->host;
	struct registry_opts o = r->o;
	if (at->mirror)
		o.creds = NULL;
	_cleanup_(strs_done) struct strs scopes = { 0 };
	strs_addf(&scopes, "repository:%s:%s", at->path,
		  r->use == REGISTRY_PUSH ? "pull,push" : "pull");
	r->sessions[i] = session_open(&o, at, who, &scopes, e);
	return r->sessions[i];
}

char *repo_path(const struct registry *r, size_t i, const char *tail)
{
	return str_printf("/v2/%s/%s", r->at.p[i].path, tail);
}

int repo_ask(struct registry *r, size_t i, const char *method, const char *tail, const char *accept,
	     struct http_response *rs, struct err *e)
{
	struct session *s = repo_session(r, i, e);
	if (!s)
		return -1;
	_free_ char *path = repo_path(r, i, tail);
	_cleanup_(strs_done) struct strs headers = { 0 };
	if (accept)
		strs_add(&headers, accept);
	const struct session_request rq = { .method = method, .path = path, .headers = &headers };
	return session_send(s, &rq, rs, NULL, e);
}

int repo_failed(struct registry *r, size_t i, const char *method, const char *tail,
		struct http_response *rs, struct err *e)
{
	_free_ char *path = repo_path(r, i, tail);
	const struct session_request rq = { .method = method, .path = path };
	return session_failed(r->sessions[i], &rq, rs, e);
}

int body_read(struct http_response *rs, size_t max, const char *what, struct buf *out,
	      struct err *e)
{
	_free_ char *block = mem_alloc(1 << 16);
	ssize_t n = 0;
	out->max = max;
	while (!out->over && (n = source_read(rs->body, block, 1 << 16, e)) > 0)
		buf_add(out, block, (size_t)n);
	if (n < 0)
		return err_add(e, "read the %s", what);
	return buf_check(out, what, e);
}

/* ---- manifests ---- */

void registry_manifest_done(struct registry_manifest *m)
{
	buf_done(&m->bytes);
	free(m->media_type);
	*m = (struct registry_manifest){ 0 };
}

/* "type/subtype; charset=…" without what follows. Caller frees. */
static char *plain_type(const char *header)
{
	struct slice s = slice_of(header);
	const char *end = memchr(s.p, ';', s.n);
	if (end)
		s.n = (size_t)(end - s.p);
	s = slice_trim(s);
	return str_ndup(s.p, s.n);
}

/* What the answer says the bytes are, if that can be; some registries say "text/plain" or nothing,
 * and then the text itself counts. */
static int manifest_type(const struct http_response *rs, struct registry_manifest *m, struct err *e)
{
	const char *header = http_header(rs, "content-type");
	_free_ char *type = plain_type(header);
	enum media_kind kind = media_kind(type);
	if (strstr(type, "docker.distribution.manifest.v1+")) {
		err_set(e, ERR_DATA,
			"the image has the old format of schema 1 (%s), which is not "
			"supported any more",
			type);
		return err_hint(e, "push it again with any tool of today");
	}
	if (kind == MEDIA_MANIFEST || kind == MEDIA_INDEX) {
		m->media_type = take_ptr(&type);
		return 0;
	}
	switch (manifest_sniff(buf_view(&m->bytes))) {
	case MEDIA_MANIFEST: m->media_type = str_dup(MT_OCI_MANIFEST); break;
	case MEDIA_INDEX: m->media_type = str_dup(MT_OCI_INDEX); break;
	default:
		err_set(e, ERR_DATA, "the registry's answer is not a manifest (Content-Type: %s)",
			header ? header : "none");
		return err_hint(e, "is there a proxy or a login page between? --debug shows the "
				   "requests");
	}
	/* By shape: what the text says of itself, if it does, is more exact. */
	_json_ json_t *v = js_parse(buf_view(&m->bytes), "manifest", e);
	const char *own = NULL;
	if (!v || js_str(v, "mediaType", &own, e) < 0)
		return -1;
	if (own)
		str_set(&m->media_type, str_dup(own));
	return 0;
}

static int wrong_digest(const struct digest *got, const struct digest *want, const char *what,
			struct err *e)
{
	char a[DIGEST_LEN], b[DIGEST_LEN];
	return err_set(e, ERR_DATA,
		       "the registry sent other bytes than those asked for: %s has "
		       "digest %s, not %s",
		       what, digest_text(got, a), digest_text(want, b));
}

static int manifest_check(const char *what, const struct http_response *rs,
			  struct registry_manifest *m, struct err *e)
{
	struct digest want;
	digest_of(buf_view(&m->bytes), &m->digest);
	if (strchr(what, ':')) {
		if (digest_parse(slice_of(what), &want, e) < 0)
			return -1;
		if (!digest_eq(&want, &m->digest))
			return wrong_digest(&m->digest, &want, "the manifest", e);
	}
	const char *said = http_header(rs, "docker-content-digest");
	if (said && digest_parse(slice_of(said), &want, NULL) == 0 && !digest_eq(&want, &m->digest))
		return wrong_digest(&m->digest, &want, "the manifest", e);
	return manifest_type(rs, m, e);
}

static int get_at(struct registry *r, size_t i, const char *what, struct registry_manifest *out,
		  struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	struct registry_manifest m = { 0 };
	_free_ char *tail = str_printf("manifests/%s", what);
	if (repo_ask(r, i, "GET", tail, ACCEPT_MANIFESTS, &rs, e) < 0)
		return -1;
	if (rs.status != 200)
		return repo_failed(r, i, "GET", tail, &rs, e);
	if (body_read(&rs, MANIFEST_MAX, "manifest", &m.bytes, e) < 0 ||
	    manifest_check(what, &rs, &m, e) < 0) {
		registry_manifest_done(&m);
		return -1;
	}
	*out = m;
	return 0;
}

void repo_hint(const struct registry *r, struct err *e)
{
	if (strcmp(r->ref.host, "docker.io") == 0)
		err_hint(e, "is the name right? 'thimble search TERM' looks for others");
	else
		err_hint(e, "is the name right? 'thimble search %s/' lists what is there",
			 r->ref.host);
}

/* The tags that are there, nearest first, for one that is not. A registry may have a hundred thousand:
 * each is compared once. */
static void hint_tags(struct registry *r, const char *what, struct err *e)
{
	enum { TOLD = 5, FAR = 64 };
	_cleanup_(strs_done) struct strs tags = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	struct near {
		size_t far;
		const char *tag;
	} best[TOLD + 1];
	size_t n = 0;
	if (strchr(what, ':') || registry_tags(r, &tags, NULL) < 0)
		return;
	arr_each(it, &tags) {
		struct near one = { slice_distance(slice_of(what), slice_of(*it), FAR), *it };
		size_t at = n;
		if (one.far > FAR)
			continue;
		for (; at > 0 && best[at - 1].far > one.far; at--)
			best[at] = best[at - 1];
		best[at] = one;
		n += n < TOLD;
	}
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", best[i].tag);
	if (n)
		err_hint(e, "tags that are there: %s%s", b.p, tags.n > n ? ", …" : "");
}

int registry_manifest_get(struct registry *r, const char *what, struct registry_manifest *out,
			  struct err *e)
{
	_cleanup_(strs_done) struct strs mirrors = { 0 };
	for (size_t i = 0; i + 1 < r->at.n; i++) {
		_cleanup_(err_done) struct err own = { 0 }; /* the next endpoint may have it */
		_cleanup_(buf_done) struct buf line = { 0 };
		if (get_at(r, i, what, out, &own) == 0) {
			r->now = i;
			return 0;
		}
		err_line(&own, &line);
		log_debug("mirror %s: %s", r->at.p[i].host, line.p);
		strs_addf(&mirrors, "the mirror %s did not have it either: %s", r->at.p[i].host,
			  line.p);
	}
	r->now = r->at.n - 1;
	if (get_at(r, r->now, what, out, e) == 0)
		return 0;
	if (e && e->kind == ERR_ABSENT) {
		hint_tags(r, what, e);
		if (!e->hints_n)
			repo_hint(r, e);
	}
	arr_each(it, &mirrors)
		err_hint(e, "%s", *it);
	return -1;
}

static int head_fill(const struct http_response *rs, struct descriptor *d)
{
	struct digest got;
	const char *said = http_header(rs, "docker-content-digest");
	_free_ char *type = plain_type(http_header(rs, "content-type"));
	enum media_kind kind = media_kind(type);
	if (!said || digest_parse(slice_of(said), &got, NULL) < 0 || rs->length < 0 ||
	    (kind != MEDIA_MANIFEST && kind != MEDIA_INDEX))
		return 0;
	str_set(&d->media_type, take_ptr(&type));
	d->digest = got;
	d->size = (uint64_t)rs->length;
	return 1;
}

int registry_manifest_head(struct registry *r, const char *what, struct descriptor *d,
			   struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	_cleanup_(registry_manifest_done) struct registry_manifest m = { 0 };
	_free_ char *tail = str_printf("manifests/%s", what);
	if (repo_ask(r, r->now, "HEAD", tail, ACCEPT_MANIFESTS, &rs, e) < 0)
		return -1;
	if (rs.status == 404)
		return 0;
	if (rs.status != 200)
		return repo_failed(r, r->now, "HEAD", tail, &rs, e);
	if (head_fill(&rs, d))
		return 1;
	http_response_done(&rs);
	if (get_at(r, r->now, what, &m, e) < 0)
		return -1;
	str_set(&d->media_type, take_ptr(&m.media_type));
	d->digest = m.digest;
	d->size = m.bytes.len;
	return 1;
}

int registry_manifest_put(struct registry *r, const char *what, struct slice bytes,
			  const char *media_type, bool *indexed, struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	_cleanup_(strs_done) struct strs headers = { 0 };
	_free_ char *tail = str_printf("manifests/%s", what);
	struct session *s = repo_session(r, r->now, e);
	struct digest own, said;
	if (!s)
		return -1;
	_free_ char *path = repo_path(r, r->now, tail);
	strs_addf(&headers, "Content-Type: %s", media_type);
	const struct session_request rq = {
		.method = "PUT", .path = path, .headers = &headers, .body = bytes
	};
	if (session_send(s, &rq, &rs, NULL, e) < 0)
		return -1;
	if (rs.status != 201 && rs.status != 200 && rs.status != 202)
		return err_add((session_failed(s, &rq, &rs, e), e), "put the manifest '%s'", what);
	digest_of(bytes, &own);
	const char *text = http_header(&rs, "docker-content-digest");
	if (text && digest_parse(slice_of(text), &said, NULL) == 0 && !digest_eq(&own, &said))
		return err_set(e, ERR_DATA,
			       "the registry took the manifest as %s, which is not its "
			       "digest",
			       text);
	if (indexed)
		*indexed = http_header(&rs, "oci-subject") != NULL;
	return 0;
}
