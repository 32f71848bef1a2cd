/* SPDX-License-Identifier: Apache-2.0 */
/* registry/lists.c: what a registry tells of itself: tags, repositories, referrers, search. */
#include <strings.h>

#include "base/err.h"
#include "base/js.h"
#include "base/log.h"
#include "registry/repo.h"

#define TAGS_MAX        100000
#define REFERRERS_MAX   10000
#define PAGE_SIZE       (4u << 20) /* bytes of one page's JSON */
#define MT_INDEX_ACCEPT "Accept: " MT_OCI_INDEX

/* ---- pages ---- */

/* The target of rel="next" in a Link header (RFC 8288), or an empty slice. */
static struct slice link_next(const char *header)
{
	struct slice s = slice_of(header), none = { 0 };
	const char *open = memchr(s.p, '<', s.n);
	const char *close = open ? memchr(open, '>', s.n - (size_t)(open - s.p)) : NULL;
	if (!close || !strcasestr(close, "rel=\"next\""))
		return none;
	return (struct slice){ open + 1, (size_t)(close - open - 1) };
}

/* Where the next page is: 1, 0 if there is none. It stays at the registry that we asked. */
static int next_page(const struct http_response *rs, const struct url *asked, struct url *next,
		     struct err *e)
{
	const char *header = http_header(rs, "link");
	struct slice ref = link_next(header);
	if (ref.n == 0)
		return 0;
	if (url_resolve(asked, ref, next, e) < 0)
		return err_add(e, "read the link to the next page");
	if (url_same_origin(asked, next))
		return 1;
	url_done(next);
	return err_set(e, ERR_DATA, "the registry's link to the next page leads to another host");
}

int pages_read(struct session *s, const char *path, const char *accept, const char *what,
	       int (*page)(void *ctx, const json_t *v, struct http_response *rs, struct err *e),
	       void *ctx, int *status, struct err *e)
{
	_cleanup_(strs_done) struct strs headers = { 0 };
	_cleanup_(url_done) struct url at = { 0 };
	if (accept)
		strs_add(&headers, accept);
	for (unsigned n = 0; n < PAGES_MAX; n++) {
		_cleanup_(http_response_done) struct http_response rs = { 0 };
		_cleanup_(buf_done) struct buf b = { 0 };
		struct url asked = { 0 }, next = { 0 };
		const struct session_request rq = { .method = "GET",
						    .path = n ? NULL : path,
						    .url = n ? &at : NULL,
						    .headers = &headers };
		if (session_send(s, &rq, &rs, &asked, e) < 0)
			return -1;
		*status = rs.status;
		int r = rs.status == 200 ? body_read(&rs, PAGE_SIZE, what, &b, e)
					 : session_failed(s, &rq, &rs, e);
		_json_ json_t *v = r == 0 ? js_parse(buf_view(&b), what, e) : NULL;
		r = v ? page(ctx, v, &rs, e) : -1;
		if (r > 0)
			r = next_page(&rs, &asked, &next, e);
		url_done(&asked);
		if (r <= 0)
			return r;
		url_done(&at);
		at = next;
	}
	return err_set(e, ERR_DATA, "the registry's %s goes on for more than %d pages", what,
		       PAGES_MAX);
}

/* ---- tags, repositories ---- */

/* Tags as the distribution-spec has them; of repositories, which are older than it, only that no
 * byte of them is a terminal's. */
#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
static bool name_fits(const char *s, bool tag)
{
	size_t n = strlen(s);
	return n > 0 && n <= (tag ? 128 : 255) && !strchr(".-/", *s) &&
	       strspn(s, tag ? NAME_BYTES : NAME_BYTES "/") == n;
}

struct names {
	const char *key;
	bool tags;
	size_t max;
	bool stop; /* at max, else it is an error */
	struct strs *out;
};

static int names_page(void *ctx, const json_t *v, struct http_response *rs, struct err *e)
{
	(void)rs;
	struct names *n = ctx;
	size_t before = n->out->n;
	if (js_strs(v, n->key, n->out, e) < 0)
		return -1;
	if (n->out->n > n->max && !n->stop)
		return err_set(e, ERR_DATA, "the registry names more than %zu %s", n->max, n->key);
	while (n->out->n > n->max)
		free(n->out->p[--n->out->n]);
	for (size_t i = before; i < n->out->n; i++)
		if (!name_fits(n->out->p[i], n->tags))
			return err_set(e, ERR_DATA,
				       "among the registry's %s is '%.200s', which is no name",
				       n->key, n->out->p[i]);
	return n->out->n > before && n->out->n < n->max;
}

int registry_tags(struct registry *r, struct strs *out, struct err *e)
{
	int status;
	struct names n = { "tags", true, TAGS_MAX, false, out };
	struct session *s = repo_session(r, r->now, e);
	if (!s)
		return -1;
	_free_ char *path = repo_path(r, r->now, "tags/list?n=1000");
	if (pages_read(s, path, NULL, "list of tags", names_page, &n, &status, e) == 0)
		return 0;
	if (e && e->kind == ERR_ABSENT)
		repo_hint(r, e);
	return -1;
}

/* A session with a registry as a whole, at its own endpoint. */
static struct session *host_session(const struct registry_opts *o, const char *host,
				    const char *scope, struct err *e)
{
	_cleanup_(endpoints_done) struct endpoints at = { 0 };
	_cleanup_(strs_done) struct strs scopes = { 0 };
	struct reference ref = { .host = (char *)host,
				 .path = (char *)"",
				 .tag = (char *)"latest" };
	if (hosts_find(&o->hosts, &ref, false, &at, e) < 0)
		return NULL;
	if (scope)
		strs_add(&scopes, scope);
	return session_open(o, arr_last(&at), host, &scopes, e);
}

int registry_catalog(const struct registry_opts *o, const char *host, size_t max, struct strs *out,
		     struct err *e)
{
	int status = 0;
	struct names n = { "repositories", false, max, true, out };
	_cleanup_(session_closep) struct session *s = host_session(o, host, "registry:catalog:*",
								   e);
	if (!s)
		return -1;
	if (pages_read(s, "/v2/_catalog?n=1000", NULL, "catalogue", names_page, &n, &status, e) < 0)
		return status == 404 ? err_add(e, "'%s' does not tell its repositories", host) : -1;
	return 0;
}

int registry_ping(const struct registry_opts *o, const char *host, struct err *e)
{
	_cleanup_(http_response_done) struct http_response rs = { 0 };
	_cleanup_(session_closep) struct session *s = host_session(o, host, NULL, e);
	const struct session_request rq = { .method = "GET",
					    .path = "/v2/",
					    .login = o->creds != NULL };
	if (!s || session_send(s, &rq, &rs, NULL, e) < 0)
		return -1;
	const char *type = http_header(&rs, "content-type");
	if (rs.status == 200 && type && slice_starts(slice_of(type), SL("text/html")))
		return err_set(e, ERR_DATA, "'%s' answers with a web page: it is no registry",
			       host);
	return rs.status == 200 ? 0 : session_failed(s, &rq, &rs, e);
}

/* ---- referrers ---- */

char *registry_referrers_tag(const struct digest *d)
{
	char hex[SHA256_HEX];
	return str_printf("sha256-%s", digest_hex(d, hex));
}

struct referrers {
	struct image_index *out;
	const char *type;
	size_t seen;
};

static void index_take(struct image_index *x, const char *type, struct image_index *out)
{
	if (!out->media_type)
		out->media_type = str_dup(MT_OCI_INDEX);
	arr_each(it, &x->manifests) {
		if (type && (!it->artifact_type || strcmp(it->artifact_type, type) != 0))
			continue; /* the registry may have left that to us */
		struct descriptor d = { 0 };
		descriptor_copy(&d, it);
		arr_push(&out->manifests, d);
	}
}

static int referrers_page(void *ctx, const json_t *v, struct http_response *rs, struct err *e)
{
	(void)rs;
	struct referrers *f = ctx;
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(image_index_done) struct image_index x = { 0 };
	js_dump(v, &b);
	if (image_index_parse(buf_view(&b), NULL, &x, e) < 0)
		return err_add(e, "read the list of referrers");
	f->seen += x.manifests.n;
	if (f->seen > REFERRERS_MAX)
		return err_set(e, ERR_DATA, "the registry names more than %d referrers",
			       REFERRERS_MAX);
	index_take(&x, f->type, f->out);
	return x.manifests.n > 0;
}

/* The fall-back: an index under a tag made of the digest. Not there: nobody refers to it. */
static int referrers_by_tag(struct registry *r, const struct digest *d, const char *type,
			    struct image_index *out, struct err *e)
{
	_cleanup_(registry_manifest_done) struct registry_manifest m = { 0 };
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_free_ char *tag = registry_referrers_tag(d);
	_cleanup_(descriptor_done) struct descriptor head = { 0 };
	str_set(&out->media_type, str_dup(MT_OCI_INDEX));
	int r2 = registry_manifest_head(r, tag, &head, e);
	if (r2 <= 0)
		return r2;
	if (registry_manifest_get(r, tag, &m, e) < 0 ||
	    image_index_parse(buf_view(&m.bytes), m.media_type, &x, e) < 0)
		return err_add(e, "read the referrers' tag '%s'", tag);
	index_take(&x, type, out);
	return 0;
}

int registry_referrers(struct registry *r, const struct digest *d, const char *artifact_type,
		       struct image_index *out, bool *api, struct err *e)
{
	_cleanup_(buf_done) struct buf tail = { 0 };
	_cleanup_(err_done) struct err own = { 0 };
	char text[DIGEST_LEN];
	int status = 0;
	struct referrers f = { .out = out, .type = artifact_type };
	struct session *s = repo_session(r, r->now, e);
	if (!s)
		return -1;
	buf_printf(&tail, "referrers/%s", digest_text(d, text));
	if (artifact_type) {
		buf_str(&tail, "?artifactType=");
		url_escape(slice_of(artifact_type), NULL, &tail);
	}
	_free_ char *path = repo_path(r, r->now, tail.p);
	*api = true;
	if (pages_read(s, path, MT_INDEX_ACCEPT, "list of referrers", referrers_page, &f, &status,
		       &own) == 0) {
		if (!out->media_type)
			out->media_type = str_dup(MT_OCI_INDEX);
		return 0;
	}
	/* A registry without the API says 404, some 400 or 405 (unknown path). */
	if (status != 404 && status != 400 && status != 405) {
		err_move(e, &own);
		return -1;
	}
	*api = false;
	return referrers_by_tag(r, d, artifact_type, out, e);
}

/* ---- search ---- */

void search_rows_done(struct search_rows *l)
{
	arr_each(it, l) {
		free(it->name);
		free(it->description);
	}
	arr_done(l);
}

struct search {
	struct search_rows *out;
	size_t max;
};

static int search_page(void *ctx, const json_t *v, struct http_response *rs, struct err *e)
{
	(void)rs;
	struct search *f = ctx;
	json_t *list = NULL, *it;
	size_t i;
	if (js_array(v, "results", &list, e) < 0)
		return -1;
	json_array_foreach(list, i, it)
	{
		const char *name = NULL, *text = NULL;
		struct search_row row = { 0 };
		if (f->out->n >= f->max)
			break;
		if (js_str(it, "name", &name, e) < 0 || js_str(it, "description", &text, e) < 0 ||
		    js_int(it, "star_count", &row.stars, e) < 0 ||
		    js_bool(it, "is_official", &row.official, e) < 0 ||
		    js_bool(it, "is_automated", &row.automated, e) < 0)
			return -1;
		if (!name)
			return err_set(e, ERR_DATA, "a result of the search has no name");
		row.name = str_dup(name);
		row.description = str_dup(text ? text : "");
		arr_push(f->out, row);
	}
	return 0;
}

static int search_hub(const struct registry_opts *o, const char *term, size_t max,
		      struct search_rows *out, struct err *e)
{
	int status;
	struct search f = { out, max };
	_cleanup_(buf_done) struct buf path = { 0 };
	_cleanup_(session_closep) struct session *s = NULL;
	struct endpoint hub = { .host = (char *)"index.docker.io", .path = (char *)"" };
	const struct strs none = { 0 };
	buf_str(&path, "/v1/search?q=");
	url_escape(slice_of(term), NULL, &path);
	buf_printf(&path, "&n=%zu", max < 100 ? max : 100);
	s = session_open(o, &hub, "docker.io", &none, e);
	if (!s)
		return -1;
	return pages_read(s, path.p, NULL, "answer to the search", search_page, &f, &status, e);
}

int registry_search(const struct registry_opts *o, const char *host, const char *term, size_t max,
		    struct search_rows *out, struct err *e)
{
	_cleanup_(strs_done) struct strs all = { 0 };
	if (strcmp(host, "docker.io") == 0)
		return search_hub(o, term, max, out, e);
	if (registry_catalog(o, host, TAGS_MAX, &all, e) < 0)
		return -1;
	arr_each(it, &all) {
		if (out->n >= max)
			break;
		if (!strcasestr(*it, term))
			continue;
		struct search_row row = { .name = str_printf("%s/%s", host, *it),
					  .description = str_dup("") };
		arr_push(out, row);
	}
	return 0;
}
