/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate = #challenge, challenge = scheme [ 1*SP ( token68 / #auth-param ) ]: commas part
 * both parameters and challenges. A word is a parameter if "=" and a value follow it, else it begins
 * the next challenge. */
#include "registry/challenge.h"

#include <string.h>

enum { CHALLENGES_MAX = 16, VALUE_MAX = 8 << 10 };

void challenges_done(struct challenges *l)
{
	arr_each(c, l) {
		free(c->scheme);
		free(c->realm);
		free(c->service);
		free(c->scope);
		free(c->error);
	}
	arr_done(l);
}

/* RFC 9110 §5.6.2 */
static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct slice *s)
{
	while (s->n && is_blank(*s->p))
		*s = slice_from(*s, 1);
}

static struct slice take_token(struct slice *s)
{
	size_t n = 0;
	while (n < s->n && is_token_char(s->p[n]))
		n++;
	struct slice token = slice_head(*s, n);
	*s = slice_from(*s, n);
	return token;
}

/* A quoted string (§5.6.4) without its quotes and backslashes, or a token; NULL if it is malformed or
 * holds control bytes. */
static char *take_value(struct slice *s)
{
	if (!s->n || *s->p != '"') {
		struct slice token = take_token(s);
		return token.n ? slice_dup(token) : NULL;
	}
	_free_ char *value = mem_alloc(s->n);
	size_t n = 0, i = 1;
	bool fit = true;
	for (; i < s->n && s->p[i] != '"'; i++) {
		if (s->p[i] == '\\' && i + 1 < s->n)
			i++;
		fit &= ((unsigned char)s->p[i] >= ' ' || s->p[i] == '\t') && s->p[i] != 0x7f;
		value[n++] = s->p[i];
	}
	bool closed = i < s->n;
	*s = slice_from(*s, closed ? i + 1 : i);
	return closed && fit ? take_ptr(&value) : NULL;
}

/* To the next comma that is not in a quoted string. */
static void skip_element(struct slice *s)
{
	bool quoted = false;
	size_t i = 0;
	for (; i < s->n && (quoted || s->p[i] != ','); i++) {
		if (quoted && s->p[i] == '\\' && i + 1 < s->n)
			i++;
		else if (s->p[i] == '"')
			quoted = !quoted;
	}
	*s = slice_from(*s, i);
}

static char **param_field(struct challenge *c, struct slice name)
{
	if (slice_eq_nocase(name, SL("realm")))
		return &c->realm;
	if (slice_eq_nocase(name, SL("service")))
		return &c->service;
	if (slice_eq_nocase(name, SL("scope")))
		return &c->scope;
	if (slice_eq_nocase(name, SL("error")))
		return &c->error;
	return NULL;
}

/* After a name: "= value". True if it is one, also if its value makes no sense. */
static bool take_param(struct slice *s, struct slice name, struct challenge *c)
{
	struct slice rest = *s;
	skip_blanks(&rest);
	if (!rest.n || *rest.p != '=')
		return false;
	rest = slice_from(rest, 1);
	skip_blanks(&rest);
	_free_ char *value = take_value(&rest);
	skip_blanks(&rest);
	if (rest.n && *rest.p != ',') {
		free(take_ptr(&value));
		skip_element(&rest);
	}
	char **field = c ? param_field(c, name) : NULL;
	if (field && value && !*field) /* each may occur once (§11.2); the first counts */
		*field = take_ptr(&value);
	*s = rest;
	return true;
}

static struct challenge *begin(struct challenges *out, struct slice scheme)
{
	if (out->n >= CHALLENGES_MAX)
		return NULL;
	struct challenge *c = arr_add(out);
	c->scheme = slice_dup(scheme);
	c->kind = slice_eq_nocase(scheme, SL("basic"))    ? CHALLENGE_BASIC
		  : slice_eq_nocase(scheme, SL("bearer")) ? CHALLENGE_BEARER
							  : CHALLENGE_OTHER;
	return c;
}

void challenge_parse(struct slice value, struct challenges *out)
{
	struct challenge *c = NULL;
	if (value.n > VALUE_MAX)
		return;
	while (value.n) {
		skip_blanks(&value);
		if (value.n && *value.p == ',') {
			value = slice_from(value, 1);
			continue;
		}
		struct slice word = take_token(&value);
		if (word.n && take_param(&value, word, c))
			continue;
		if (!word.n || (value.n && !is_blank(*value.p) && *value.p != ',')) {
			skip_element(&value); /* token68, or no grammar at all */
			continue;
		}
		c = begin(out, word);
		skip_blanks(&value);
		/* the first parameter stands in the same element as the scheme */
		word = take_token(&value);
		if (word.n && take_param(&value, word, c))
			continue;
		skip_element(&value); /* token68: no scheme of ours has it */
	}
}
