/* SPDX-License-Identifier: Apache-2.0 */
/* A recursive descent over the grammar of toml.io/en/v1.0.0. What a table may still become (a header
 * may not open it twice, an inline table is closed, an array of tables is no array) is kept beside
 * the values, by their address. */
#include "registry/toml_in.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"

enum { DEPTH_MAX = 64, TOKEN_MAX = 256 };

enum made { /* how a table or an array came to be; 1.. because NULL is "not known" */
	    MADE_ABOVE = 1, /* named only by a longer header: may still get its own */
	    MADE_HEADER,
	    MADE_DOTTED, /* by a.b = …: grows by such lines in the same table only */
	    MADE_CLOSED, /* inline table, array value */
	    MADE_TABLES, /* [[array of tables]] */
};

/* ---- tables ---- */

static struct slice address(json_t *const *v)
{
	return (struct slice){ (const char *)v, sizeof *v };
}

static enum made made_of(const struct toml *t, json_t *v)
{
	return (enum made)(uintptr_t)map_get(&t->made, address(&v));
}

static void mark(struct toml *t, json_t *v, enum made how)
{
	(void)map_put(&t->made, address(&v), (void *)(uintptr_t)how);
}

static json_t *add_new(struct toml *t, json_t *table, const char *key, json_t *v, enum made how)
{
	(void)json_object_set_new_nocheck(table, key, v);
	mark(t, v, how);
	return v;
}

/* The table that a header's part leads to; made if it is not there. */
static json_t *descend(struct toml *t, json_t *table, const char *key, size_t at)
{
	json_t *v = json_object_get(table, key);
	if (!v)
		return add_new(t, table, key, json_object(), MADE_ABOVE);
	if (made_of(t, v) == MADE_TABLES)
		return json_array_get(v, json_array_size(v) - 1);
	if (json_is_object(v) && made_of(t, v) != MADE_CLOSED)
		return v;
	(void)toml_bad_at(t, at, "'%s' has a value already and is no table that could be extended",
			  key);
	return NULL;
}

/* [[a.b]] */
static int open_in_array(struct toml *t, json_t *above, const char *key, size_t at)
{
	json_t *v = json_object_get(above, key);
	if (!v)
		v = add_new(t, above, key, json_array(), MADE_TABLES);
	if (made_of(t, v) != MADE_TABLES)
		return toml_bad_at(t, at, "'%s' is there already, and is no array of tables", key);
	t->table = json_object();
	(void)json_array_append_new(v, t->table);
	mark(t, t->table, MADE_HEADER);
	return 0;
}

/* [a.b] */
static int open_table(struct toml *t, json_t *above, const char *key, size_t at)
{
	json_t *v = json_object_get(above, key);
	if (v && made_of(t, v) != MADE_ABOVE)
		return toml_bad_at(t, at, "'%s' is there already", key);
	if (!v)
		v = add_new(t, above, key, json_object(), MADE_HEADER);
	mark(t, v, MADE_HEADER);
	t->table = v;
	return 0;
}

static int take_header(struct toml *t)
{
	_cleanup_(strs_done) struct strs parts = { 0 };
	size_t start = t->at++;
	bool many = toml_accept(t, '[');
	if (toml_take_key(t, &parts) < 0)
		return -1;
	if (!toml_accept(t, ']') || (many && !toml_accept(t, ']')))
		return toml_bad(t, "a table's header ends with '%s'", many ? "]]" : "]");
	json_t *above = t->root;
	for (size_t i = 0; i + 1 < parts.n; i++)
		if (!(above = descend(t, above, parts.p[i], start)))
			return -1;
	const char *key = parts.p[parts.n - 1];
	if (many ? open_in_array(t, above, key, start) : open_table(t, above, key, start))
		return -1;
	return toml_end_line(t);
}

/* ---- values ---- */

static int take_value(struct toml *t, unsigned depth, json_t **out);

/* "key = value" into table: a line of it, or of an inline table. */
static int take_pair(struct toml *t, json_t *table, unsigned depth)
{
	_cleanup_(strs_done) struct strs parts = { 0 };
	size_t start = t->at;
	json_t *v, *home = table;
	if (toml_take_key(t, &parts) < 0)
		return -1;
	if (!toml_accept(t, '='))
		return toml_bad(t, "'=' is expected after a key");
	toml_skip_blanks(t);
	for (size_t i = 0; i + 1 < parts.n; i++) {
		json_t *next = json_object_get(table, parts.p[i]);
		if (!next) {
			next = add_new(t, table, parts.p[i], json_object(), MADE_DOTTED);
			(void)map_put(&t->home, address(&next), home);
		} else if (made_of(t, next) != MADE_DOTTED ||
			   map_get(&t->home, address(&next)) != home) {
			return toml_bad_at(t, start, "'%s' is there already", parts.p[i]);
		}
		table = next;
	}
	const char *key = parts.p[parts.n - 1];
	if (json_object_get(table, key))
		return toml_bad_at(t, start, "'%s' is there already", key);
	if (take_value(t, depth, &v) < 0)
		return -1;
	(void)json_object_set_new_nocheck(table, key, v);
	return 0;
}

static int take_array(struct toml *t, unsigned depth, json_t **out)
{
	json_t *array = json_array(), *v;
	for (;;) {
		if (toml_skip_lines(t) < 0)
			break;
		if (toml_accept(t, ']')) {
			mark(t, array, MADE_CLOSED);
			*out = array;
			return 0;
		}
		if (take_value(t, depth, &v) < 0)
			break;
		(void)json_array_append_new(array, v);
		if (toml_skip_lines(t) < 0)
			break;
		if (!toml_accept(t, ',') && toml_peek(t) != ']') {
			(void)toml_bad(t, "',' or ']' is expected in an array");
			break;
		}
	}
	json_decref(array);
	return -1;
}

/* "a = 1, b = 2 }" */
static int take_pairs(struct toml *t, json_t *table, unsigned depth)
{
	toml_skip_blanks(t);
	if (toml_accept(t, '}'))
		return 0;
	do {
		toml_skip_blanks(t);
		if (take_pair(t, table, depth) < 0)
			return -1;
		toml_skip_blanks(t);
	} while (toml_accept(t, ','));
	return toml_accept(t, '}') ? 0 : toml_bad(t, "',' or '}' is expected in an inline table");
}

static int take_inline(struct toml *t, unsigned depth, json_t **out)
{
	json_t *table = json_object();
	if (take_pairs(t, table, depth) < 0) {
		json_decref(table);
		return -1;
	}
	mark(t, table, MADE_CLOSED);
	*out = table;
	return 0;
}

static int take_scalar(struct toml *t, json_t **out)
{
	size_t start = t->at, n = 0;
	struct slice rest = slice_from(t->all, start);
	while (n < rest.n && n < TOKEN_MAX &&
	       (toml_is_bare(rest.p[n]) || strchr("+.:", rest.p[n])) && rest.p[n])
		n++;
	/* "1979-05-27 07:32:00" is one value, too */
	if (n == 10 && toml_matches(rest, "0000-00-00 00:"))
		for (n++; n < rest.n && n < TOKEN_MAX && rest.p[n] &&
			  (toml_is_bare(rest.p[n]) || strchr("+.:", rest.p[n]));)
			n++;
	struct slice word = slice_head(rest, n);
	if (!n)
		return toml_bad(t, "a value is expected here");
	if (!toml_scalar(word, out))
		return toml_bad(t, "'%.*s' is no value: strings stand in quotes", SLF(word));
	t->at += n;
	return 0;
}

static int take_value(struct toml *t, unsigned depth, json_t **out)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (depth >= DEPTH_MAX)
		return toml_bad(t, "values are nested deeper than %d levels", DEPTH_MAX);
	int r = toml_take_string(t, true, &b);
	if (r < 0)
		return -1;
	if (r > 0) {
		*out = json_stringn_nocheck(b.p ? b.p : "", b.len);
		return 0;
	}
	if (toml_accept(t, '['))
		return take_array(t, depth + 1, out);
	if (toml_accept(t, '{'))
		return take_inline(t, depth + 1, out);
	return take_scalar(t, out);
}

static int take_all(struct toml *t)
{
	if (toml_starts(t, "\xef\xbb\xbf"))
		t->at += 3;
	for (;;) {
		if (toml_skip_lines(t) < 0)
			return -1;
		if (toml_at_end(t))
			return 0;
		if (toml_peek(t) == '[') {
			if (take_header(t) < 0)
				return -1;
		} else if (take_pair(t, t->table, 0) < 0 || toml_end_line(t) < 0) {
			return -1;
		}
	}
}

json_t *toml_parse(struct slice text, const char *file, struct err *e)
{
	if (text.n > TOML_MAX) {
		err_set(e, ERR_DATA, "%s is larger than %u bytes", file, TOML_MAX);
		return NULL;
	}
	struct toml t = { .all = text, .file = file, .e = e };
	t.root = t.table = json_object();
	int r = take_all(&t);
	map_done(&t.made);
	map_done(&t.home);
	if (r == 0)
		return t.root;
	json_decref(t.root);
	return NULL;
}
