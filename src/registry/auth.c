/* SPDX-License-Identifier: Apache-2.0 */
/* A struct auth is bound to the first origin that asked (its registry): what another one asks for, the
 * target of a redirect say, is never answered. Tokens are kept with the scopes they were asked for. */
#include "registry/auth.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/js.h"
#include "base/log.h"
#include "registry/hosts.h"
#include "registry/retry.h"
#include "registry/secret.h"

enum {
	ANSWER_MAX = 256 << 10, /* of a token service */
	TOKEN_MAX = 64 << 10,
	LIFE_DEFAULT = 60, /* seconds, distribution's "expires_in" */
	LIFE_MAX = 24 * 3600,
	REDIRECTS_MAX = 5,
	SCOPES_MAX = 64,
	TRIES_LOST = 3, /* no answer */
	TRIES_BUSY = 5, /* 429, 5xx */
};
#define SECOND INT64_C(1000000000)

struct token {
	struct strs scopes;
	char *value;
	int64_t until; /* clock_mono_ns */
};

struct auth {
	struct creds creds;
	bool looked, has_creds;
	struct authfile_opts file;
	const char *host, *path;
	char *origin; /* NULL: nobody asked yet */
	bool basic; /* it asked for Basic, and has what we know */
	ARRAY_OF(struct token) tokens;
	char *header;
};

struct auth *auth_new(const struct auth_opts *o)
{
	struct auth *a = NEW(struct auth);
	a->file = o->file;
	a->host = o->host;
	a->path = o->path;
	if (o->creds) {
		a->looked = a->has_creds = true;
		a->creds = (struct creds){ str_dup(o->creds->user), str_dup(o->creds->password),
					   str_dup(o->creds->token), str_dup(o->creds->from),
					   NULL };
	}
	return a;
}

static void token_done(struct token *t)
{
	strs_done(&t->scopes);
	secret_free(t->value);
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	creds_done(&a->creds);
	arr_each(t, &a->tokens)
		token_done(t);
	arr_done(&a->tokens);
	free(a->origin);
	secret_free(a->header);
	free(a);
}

char *auth_who(const struct auth *a)
{
	if (!a->has_creds)
		return str_dup("without credentials");
	const char *user = a->creds.user ? a->creds.user : "<token>";
	return a->creds.from ? str_printf("as %s (from %s)", user, a->creds.from)
			     : str_printf("as %s", user);
}

static char *origin_of(const struct url *u)
{
	return str_printf("%s://%s:%u", u->scheme, u->host, u->port);
}

static bool is_ours(const struct auth *a, const struct url *at)
{
	_free_ char *origin = origin_of(at);
	return a->origin && strcmp(a->origin, origin) == 0;
}

/* Appends "Authorization: Basic …"; nothing of it is left elsewhere. */
static void basic_header(const struct creds *c, struct buf *out)
{
	_cleanup_(secret_buf_done) struct buf plain = { 0 };
	size_t n = strlen(c->user) + strlen(c->password) + 1;
	secret_room(&plain, n);
	buf_str(&plain, c->user);
	buf_char(&plain, ':');
	buf_str(&plain, c->password);
	secret_room(out, 32 + n / 3 * 4 + 4);
	buf_str(out, "Authorization: Basic ");
	base64_put(buf_view(&plain), out);
}

/* ---- tokens that are known ---- */

static bool covers(const struct token *t, const struct strs *scopes)
{
	arr_each(s, scopes)
		if (strs_find(&t->scopes, *s) < 0)
			return false;
	return true;
}

static struct token *find_token(const struct auth *a, const struct strs *scopes)
{
	int64_t now = clock_mono_ns();
	arr_each(t, &a->tokens)
		if (now < t->until && covers(t, scopes))
			return t;
	return NULL;
}

/* One that was refused, and those that are too old. */
static void drop_tokens(struct auth *a, const struct strs *scopes)
{
	int64_t now = clock_mono_ns();
	for (size_t i = a->tokens.n; i-- > 0;) {
		struct token *t = &a->tokens.p[i];
		if (now < t->until && !covers(t, scopes))
			continue;
		token_done(t);
		arr_remove(&a->tokens, i);
	}
}

const char *auth_header(struct auth *a, const struct url *at, const struct strs *scopes)
{
	_cleanup_(secret_buf_done) struct buf b = { 0 };
	const struct token *t;
	if (!is_ours(a, at))
		return NULL;
	if ((t = find_token(a, scopes))) {
		secret_room(&b, strlen(t->value) + 32);
		buf_str(&b, "Authorization: Bearer ");
		buf_str(&b, t->value);
	} else if (a->basic) {
		basic_header(&a->creds, &b);
	} else {
		return NULL;
	}
	secret_free(a->header);
	return a->header = buf_take(&b);
}

/* ---- the token service ---- */

struct asking {
	struct auth *a;
	struct http *h;
	const struct url *at; /* the registry */
	const struct challenge *c;
	struct strs scopes; /* ours and the challenge's */
	struct url realm;
	struct http_tls tls;
};

static void asking_done(struct asking *q)
{
	strs_done(&q->scopes);
	url_done(&q->realm);
	hosts_tls_done(&q->tls);
}

/* A realm is what the registry says; it must not get a password out of us in the clear. */
static int check_realm(const struct asking *q, const struct url *to, struct err *e)
{
	if (strcmp(to->scheme, "https") == 0 || q->tls.insecure ||
	    (host_is_loopback(to->host) && host_is_loopback(q->at->host)))
		return 0;
	_free_ char *text = url_text(to);
	err_set(e, ERR_DENIED, "its token service is asked without encryption: '%s'", text);
	return err_hint(e, "no credentials were sent; --insecure allows it");
}

static void take_scopes(struct asking *q, const struct strs *ours)
{
	struct slice rest = slice_of(q->c->scope), word;
	strs_copy(&q->scopes, ours);
	while (q->c->scope && q->scopes.n < SCOPES_MAX && slice_split(&rest, ' ', &word)) {
		_free_ char *scope = slice_dup(word);
		if (*scope && strs_find(&q->scopes, scope) < 0)
			strs_add(&q->scopes, scope);
	}
}

/* distribution's "Token Authentication Specification", "Requesting a Token" */
static void make_get(struct asking *q, struct url *to)
{
	const struct creds *c = &q->a->creds;
	if (q->c->service)
		url_add_query(to, "service", q->c->service);
	arr_each(s, &q->scopes)
		url_add_query(to, "scope", *s);
	if (q->a->has_creds && c->user)
		url_add_query(to, "account", c->user);
	url_add_query(to, "client_id", "thimble");
}

static void put_field(struct buf *b, const char *name, const char *value)
{
	buf_str(b, b->len ? "&" : "");
	buf_str(b, name);
	buf_char(b, '=');
	url_escape(slice_of(value), NULL, b);
}

/* distribution's "Docker Registry v2 authentication using OAuth2", "Refresh Token" */
static void make_form(const struct asking *q, struct buf *b)
{
	_free_ char *scopes = strs_join(&q->scopes, " ");
	const char *service = q->c->service ? q->c->service : "", *token = q->a->creds.token;
	secret_room(b, 3 * (strlen(scopes) + strlen(service) + strlen(token)) + 256);
	put_field(b, "grant_type", "refresh_token");
	put_field(b, "client_id", "thimble");
	put_field(b, "service", service);
	put_field(b, "scope", scopes);
	put_field(b, "refresh_token", token);
}

static int read_body(struct http_response *rs, struct buf *out, struct err *e)
{
	char block[4096];
	ssize_t n = 0;
	while (rs->body && !out->over && (n = source_read(rs->body, block, sizeof block, e)) > 0)
		buf_add(out, block, (size_t)n);
	explicit_bzero(block, sizeof block);
	return n < 0 ? -1 : buf_check(out, "the answer of the token service", e);
}

/* Whether it may help to ask again, and after how long. Names that are unknown and certificates that
 * are wrong stay so. */
static bool may_retry(unsigned attempt, const struct err *why, const struct http_response *rs,
		      int64_t *pause)
{
	int64_t after = why->kind ? -1 : retry_after(http_header(rs, "retry-after"));
	*pause = retry_pause(attempt, after);
	if (why->kind)
		return why->kind == ERR_NET && why->sys_errno == ECONNRESET &&
		       attempt + 1 < TRIES_LOST;
	return retry_status(rs->status) && attempt + 1 < TRIES_BUSY &&
	       after <= INT64_C(1000000000) * RETRY_PATIENCE;
}

/* One request, again where that may help. Its body is in *out, the status is returned; *location
 * (caller frees) is set for 3xx. */
static int exchange(struct asking *q, const struct http_request *rq, struct buf *out,
		    char **location, struct err *e)
{
	for (unsigned attempt = 0;; attempt++) {
		_cleanup_(http_response_done) struct http_response rs = { 0 };
		_cleanup_(err_done) struct err why = { 0 };
		int64_t pause;
		int r = http_send(q->h, rq, &rs, &why);
		if (may_retry(attempt, &why, &rs, &pause)) {
			log_debug("the token service is asked again in %lld ms",
				  (long long)pause / 1000000);
			http_response_done(&rs);
			if (retry_wait(pause, e) < 0)
				return -1;
			continue;
		}
		if (r < 0) {
			err_move(e, &why);
			return -1;
		}
		const char *to = http_header(&rs, "location");
		*location = rs.status / 100 == 3 ? str_dup(to) : NULL;
		return read_body(&rs, out, e) < 0 ? -1 : rs.status;
	}
}

/* 1: *to is where to ask instead. Never another origin once there is something to lose. */
static int redirect(const struct asking *q, int status, const char *location, bool secret,
		    struct url *to, struct err *e)
{
	_cleanup_(url_done) struct url next = { 0 };
	if ((status != 301 && status != 302 && status != 303 && status != 307 && status != 308) ||
	    !location)
		return 0;
	if (url_resolve(to, slice_of(location), &next, e) < 0 || check_realm(q, &next, e) < 0)
		return err_add(e, "follow a redirect of the token service");
	if (!url_same_origin(to, &next) && (secret || strcmp(next.scheme, to->scheme) != 0)) {
		_free_ char *text = origin_of(&next);
		err_set(e, ERR_DENIED, "the token service redirects to '%s'", text);
		return err_hint(e, "credentials are not sent to where a redirect points");
	}
	url_done(to);
	*to = next;
	next = (struct url){ 0 };
	return 1;
}

static int ask(struct asking *q, struct buf *out, struct err *e)
{
	const struct creds *c = &q->a->creds;
	bool form = q->a->has_creds && c->token, secret = q->a->has_creds;
	_cleanup_(secret_buf_done) struct buf body = { 0 }, header = { 0 };
	_cleanup_(url_done) struct url to = { 0 };
	char *lines[] = { (char *)"Accept: application/json", NULL };
	struct strs headers = { .p = lines, .n = 1, .cap = COUNT_OF(lines) };
	_free_ char *start = url_text(&q->realm);
	if (url_parse(slice_of(start), &to, e) < 0)
		return -1;
	if (form) {
		make_form(q, &body);
		lines[headers.n++] = (char *)"Content-Type: application/x-www-form-urlencoded";
	} else {
		make_get(q, &to);
		if (secret) {
			basic_header(c, &header);
			lines[headers.n++] = header.p;
		}
	}
	for (int hops = 0; hops < REDIRECTS_MAX; hops++) {
		_free_ char *text = url_text(&to), *location = NULL;
		struct http_request rq = { .method = form ? "POST" : "GET",
					   .url = text,
					   .headers = &headers,
					   .body = buf_view(&body),
					   .tls = &q->tls };
		int status = exchange(q, &rq, out, &location, e);
		int r = status < 0 || form ? 0 : redirect(q, status, location, secret, &to, e);
		if (status < 0 || r < 0)
			return -1;
		if (r == 0)
			return status;
		buf_clear(out);
	}
	return err_set(e, ERR_DATA, "the token service redirects more than %d times",
		       REDIRECTS_MAX);
}

/* ---- its answer ---- */

/* {"errors":[{"message":…}]}, {"details":…}, OAuth2's {"error_description":…}; borrowed or NULL. */
static const char *words_of(const json_t *v)
{
	static const char *const keys[] = { "error_description", "details", "message", "error" };
	const char *text = json_string_value(
		json_object_get(json_array_get(json_object_get(v, "errors"), 0), "message"));
	for (size_t i = 0; !text && i < COUNT_OF(keys); i++)
		text = json_string_value(json_object_get(v, keys[i]));
	return text && *text ? text : NULL;
}

static int refused(const struct asking *q, int status, struct slice body, struct err *e)
{
	_json_ json_t *v = js_parse(body, "it", NULL);
	const char *words = words_of(v);
	body = words ? slice_of(words) : slice_trim(body);
	if (body.n > 300)
		body.n = 300;
	_free_ char *text = body.n && (words || *body.p != '<') ? slice_dup(body) : NULL;
	bool denied = status == 400 || status == 401 || status == 403;
	err_set(e,
		denied                 ? ERR_DENIED
		: retry_status(status) ? ERR_NET
				       : ERR_DATA,
		"the token service answers %d%s%s", status, text ? ": " : "", text ? text : "");
	if (q->a->has_creds && q->a->creds.token && (status == 404 || status == 405))
		(void)err_hint(e, "it may know no identity tokens: log in with a password");
	return denied ? err_hint(e,
				 q->a->has_creds ? "'thimble login %s' with other credentials"
						 : "'thimble login %s'",
				 q->a->host)
		      : -1;
}

static bool is_token(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return n > 0 && n <= TOKEN_MAX;
}

/* In seconds from now. A token may have lain in the service's cache; a clock that disagrees by more
 * than its life is wrong. */
static int64_t life_of(const json_t *v)
{
	const json_t *n = json_object_get(v, "expires_in");
	const char *issued = json_string_value(json_object_get(v, "issued_at"));
	struct timespec t;
	int64_t life = json_is_number(n) && json_number_value(n) >= 1
			       ? (json_number_value(n) > LIFE_MAX ? LIFE_MAX
								  : (int64_t)json_number_value(n))
			       : LIFE_DEFAULT;
	if (issued && clock_parse(slice_of(issued), &t) == 0) {
		int64_t age = clock_now().tv_sec - t.tv_sec;
		if (age > 0 && age < life)
			life -= age;
	}
	return life;
}

static int take_token(struct asking *q, const struct buf *b, struct err *e)
{
	_cleanup_(secret_jsonp) json_t *v = js_parse(buf_view(b), "it", NULL);
	const char *text = json_string_value(json_object_get(v, "token"));
	if (!text || !*text)
		text = json_string_value(json_object_get(v, "access_token"));
	if (!json_is_object(v) || !text)
		return err_set(e, ERR_DATA, "the token service answers without a token");
	if (!is_token(text))
		return err_set(e, ERR_DATA, "the token service answers with a token that is none");
	int64_t life = life_of(v) * SECOND;
	struct token t = { .value = str_dup(text),
			   .until = clock_mono_ns() + life -
				    (life / 10 < 10 * SECOND ? life / 10 : 10 * SECOND) };
	strs_copy(&t.scopes, &q->scopes);
	arr_push(&q->a->tokens, t);
	log_debug("a token of '%s' for %zu scopes, %lld s", q->realm.host, t.scopes.n,
		  (long long)(life / SECOND));
	return 0;
}

static int fetch(struct asking *q, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf b = { .max = ANSWER_MAX };
	secret_room(&b, ANSWER_MAX / 4);
	int status = ask(q, &b, e);
	if (status < 0)
		return -1;
	if (status != 200)
		return refused(q, status, buf_view(&b), e);
	return take_token(q, &b, e);
}

/* ---- challenges ---- */

static int look_up(struct auth *a, struct err *e)
{
	if (a->looked)
		return 0;
	int r = authfile_get(&a->file, a->host, a->path, &a->creds, e);
	if (r < 0)
		return -1;
	a->has_creds = r > 0;
	a->looked = true;
	return 0;
}

static const struct challenge *pick(const struct challenges *l, enum challenge_kind kind)
{
	arr_each(c, l)
		if (c->kind == kind && (kind == CHALLENGE_BASIC || c->realm))
			return c;
	return NULL;
}

static int no_scheme(const struct challenges *l, struct err *e)
{
	if (!l->n)
		return 0;
	bool bearer = l->p[0].kind == CHALLENGE_BEARER;
	(void)err_set(e, ERR_DENIED, "it wants authentication by '%s'%s", l->p[0].scheme,
		      bearer ? " and does not say where to get a token"
			     : ", which thimble does not speak");
	return err_hint(e, bearer ? "its challenge must name a realm: tell who runs the registry"
				  : "thimble speaks Basic and Bearer: ask who runs the registry "
				    "for a way in with a password or a token");
}

int auth_answer(struct auth *a, struct http *h, const struct url *at, const struct strs *scopes,
		const struct challenges *l,
		int (*tls_of)(void *ctx, const struct url *u, struct http_tls *out, struct err *e),
		void *ctx, struct err *e)
{
	const struct challenge *bearer = pick(l, CHALLENGE_BEARER),
			       *basic = pick(l, CHALLENGE_BASIC);
	if (!a->origin)
		a->origin = origin_of(at);
	if (!is_ours(a, at))
		return 0;
	if (!bearer && !basic)
		return no_scheme(l, e);
	if (look_up(a, e) < 0)
		return -1;
	drop_tokens(a, scopes);
	if (!bearer) {
		bool was_tried = a->basic;
		a->basic = a->has_creds && a->creds.user && a->creds.password;
		return a->basic && !was_tried;
	}
	_cleanup_(asking_done) struct asking q = { .a = a, .h = h, .at = at, .c = bearer };
	take_scopes(&q, scopes);
	if (url_parse(slice_of(bearer->realm), &q.realm, e) < 0)
		return err_add(e, "the registry's token service");
	if (tls_of(ctx, &q.realm, &q.tls, e) == 0 && check_realm(&q, &q.realm, e) == 0 &&
	    fetch(&q, e) == 0)
		return 1;
	_free_ char *service = url_host(&q.realm);
	return err_add(e, "get a token from '%s' for '%s'", service, a->host);
}
