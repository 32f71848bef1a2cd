/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/mount.h"

#include "base/buf.h"
#include "base/num.h"
#include "base/path.h"
#include "dockerfile/expand.h"

static const char *const type_names[] = {
	[MOUNT_BIND] = "bind",	     [MOUNT_CACHE] = "cache", [MOUNT_TMPFS] = "tmpfs",
	[MOUNT_SECRET] = "secret",   [MOUNT_SSH] = "ssh",
};
static const char *const sharing_names[] = { "shared", "private", "locked" };

/* One field of a CSV line: plain, or in quotes with "" for a quote. false at the end; *bad if the
 * quotes are wrong. */
static bool next_field(struct slice *rest, struct buf *field, bool *bad)
{
	if (!rest->p)
		return false;
	buf_clear(field);
	if (rest->n == 0 || rest->p[0] != '"') {
		struct slice head;
		bool more = slice_split(rest, ',', &head);
		*bad = slice_find(head, '"') < head.n;
		buf_slice(field, head);
		return more;
	}
	size_t i = 1;
	for (; i < rest->n; i++) {
		if (rest->p[i] == '"') {
			if (i + 1 == rest->n || rest->p[i + 1] != '"')
				break;
			i++;
		}
		buf_char(field, rest->p[i]);
	}
	*bad = i >= rest->n || (i + 1 < rest->n && rest->p[i + 1] != ',');
	*rest = i + 1 < rest->n ? slice_from(*rest, i + 2) : (struct slice){ NULL, 0 };
	return true;
}

static int bad_csv(struct slice text, struct err *e)
{
	err_set(e, ERR_USER, "--mount=%.*s: the quotes do not match", SLF(text));
	return err_hint(e, "a field with a comma in it is quoted as a whole: '\"target=/a,b\"'");
}

/* Cuts "key=value"; value->p is NULL without '='. The key is in lower case. */
static void cut(struct buf *field, struct slice *key, struct slice *value)
{
	struct slice f = buf_view(field);
	size_t at = slice_find(f, '=');
	for (size_t i = 0; i < at; i++)
		if (field->p[i] >= 'A' && field->p[i] <= 'Z')
			field->p[i] = (char)(field->p[i] + 32);
	*key = slice_head(f, at);
	*value = at < f.n ? slice_from(f, at + 1) : (struct slice){ NULL, 0 };
}

static int refuse_variable(struct slice value, struct err *e)
{
	err_set(e, ERR_USER, "'%.*s' doesn't support variable expansion, define alias stage instead",
		SLF(value));
	return err_hint(e, "FROM %.*s AS deps, and then from=deps", SLF(value));
}

int mount_check(struct slice text, struct err *e)
{
	_cleanup_(buf_done) struct buf field = { 0 };
	struct slice rest = text, key, value;
	for (bool bad = false; next_field(&rest, &field, &bad);) {
		if (bad)
			return bad_csv(text, e);
		cut(&field, &key, &value);
		size_t dollar = value.p ? slice_find(value, '$') : 0;
		if (value.p && slice_is(key, "from") && dollar + 1 < value.n)
			return refuse_variable(value, e);
	}
	return 0;
}

enum key {
	K_TYPE, K_FROM, K_SOURCE, K_TARGET, K_RO, K_RW, K_ID, K_SHARING, K_REQUIRED, K_SIZE, K_MODE,
	K_UID, K_GID, K_ENV,
};
static const char *const key_names[] = {
	"type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro",
	"readwrite", "rw", "id", "sharing", "required", "size", "mode", "uid", "gid", "env",
};
static const enum key keys[COUNT_OF(key_names)] = {
	K_TYPE, K_FROM, K_SOURCE, K_SOURCE, K_TARGET, K_TARGET, K_TARGET, K_RO, K_RO,
	K_RW, K_RW, K_ID, K_SHARING, K_REQUIRED, K_SIZE, K_MODE, K_UID, K_GID, K_ENV,
};

struct parser {
	struct mount_opt *m;
	struct arena *arena;
	struct err *e;
	bool has_source, has_access;
	bool env_given;
};

static int one_of(struct parser *p, const char *what, struct slice v, const char *const *names,
		  size_t n, int *out)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_eq_nocase(v, slice_of(names[i]))) {
			*out = (int)i;
			return 0;
		}
	}
	const char *near = nearest_name(v, names, n);
	if (near)
		err_set(p->e, ERR_USER, "unsupported mount %s \"%.*s\" (did you mean %s?)", what, SLF(v), near);
	else
		err_set(p->e, ERR_USER, "unsupported mount %s \"%.*s\"", what, SLF(v));
	_free_ char *all = strs_join(&(struct strs){ .p = (char **)names, .n = n }, ", ");
	return err_hint(p->e, "there are %s", all);
}

static int not_for(struct parser *p, struct slice key)
{
	err_set(p->e, ERR_USER, "unexpected key '%.*s' for mount type '%s'", SLF(key),
		type_names[p->m->type]);
	return err_hint(p->e, "'type=' must stand before it if another type is meant");
}

static int number(struct parser *p, struct slice key, struct slice v, bool octal, uint64_t max,
		  uint32_t *out)
{
	uint64_t n;
	if ((octal ? num_parse_octal(v, max, &n) : num_parse(v, max, &n)) < 0)
		return err_set(p->e, ERR_USER, "invalid value \"%.*s\" for %.*s: %s", SLF(v), SLF(key),
			       octal ? "an octal mode is wanted" : "a number is wanted");
	*out = (uint32_t)n;
	return 0;
}

static int boolean(struct parser *p, struct slice key, struct slice v, bool *out)
{
	if (bool_parse(v, out) == 0)
		return 0;
	return err_set(p->e, ERR_USER, "invalid value for %.*s: \"%.*s\" (true or false)", SLF(key),
		       SLF(v));
}

static int set_access(struct parser *p, struct slice key, struct slice v, bool writable)
{
	bool b = true;
	if (v.p && boolean(p, key, v, &b) < 0)
		return -1;
	p->m->readonly = writable ? !b : b;
	p->has_access = true;
	return 0;
}

static int set_required(struct parser *p, struct slice key, struct slice v)
{
	if (p->m->type != MOUNT_SECRET && p->m->type != MOUNT_SSH)
		return not_for(p, key);
	p->m->required = true;
	return v.p ? boolean(p, key, v, &p->m->required) : 0;
}

static int set_value(struct parser *p, enum key k, struct slice key, struct slice v)
{
	struct mount_opt *m = p->m;
	bool owns = m->type == MOUNT_CACHE || m->type == MOUNT_SECRET || m->type == MOUNT_SSH;
	int n = 0;
	switch (k) {
	case K_TYPE:
		if (one_of(p, "type", v, type_names, COUNT_OF(type_names), &n) < 0)
			return -1;
		m->type = (enum mount_type)n;
		return 0;
	case K_SHARING:
		if (m->type != MOUNT_CACHE)
			return not_for(p, key);
		if (one_of(p, "sharing", v, sharing_names, COUNT_OF(sharing_names), &n) < 0)
			return -1;
		m->sharing = (enum mount_sharing)n;
		return 0;
	case K_FROM: m->from = arena_str(p->arena, v); return 0;
	case K_SOURCE:
		m->source = arena_str(p->arena, v);
		p->has_source = true;
		return 0;
	case K_TARGET: m->target = arena_str(p->arena, v); return 0;
	case K_ID: m->id = arena_str(p->arena, v); return 0;
	case K_ENV:
		m->env = arena_str(p->arena, v);
		p->env_given = true;
		return 0;
	case K_SIZE:
		if (m->type != MOUNT_TMPFS)
			return not_for(p, key);
		if (num_parse_size(v, &m->size) == 0)
			return 0;
		err_set(p->e, ERR_USER, "invalid value for size: %.*s", SLF(v));
		return err_hint(p->e, "write bytes, or a number with k, m or g");
	case K_MODE:
		if (!owns)
			return not_for(p, key);
		m->has_mode = true;
		return number(p, key, v, true, 07777, &m->mode);
	case K_UID:
		if (!owns)
			return not_for(p, key);
		m->has_uid = true;
		return number(p, key, v, false, UINT32_MAX - 1, &m->uid);
	case K_GID:
		if (!owns)
			return not_for(p, key);
		m->has_gid = true;
		return number(p, key, v, false, UINT32_MAX - 1, &m->gid);
	case K_RO: return set_access(p, key, v, false);
	case K_RW: return set_access(p, key, v, true);
	case K_REQUIRED: return set_required(p, key, v);
	}
	return -1;
}

static int set_field(struct parser *p, struct slice key, struct slice v)
{
	size_t i = 0;
	while (i < COUNT_OF(key_names) && !slice_is(key, key_names[i]))
		i++;
	if (i == COUNT_OF(key_names)) {
		const char *near = nearest_name(key, key_names, COUNT_OF(key_names));
		if (near)
			err_set(p->e, ERR_USER, "unexpected key '%.*s' in --mount (did you mean %s?)",
				SLF(key), near);
		else
			err_set(p->e, ERR_USER, "unexpected key '%.*s' in --mount", SLF(key));
		return err_hint(p->e, "keys are type from source target readonly rw id sharing required size mode uid gid env");
	}
	enum key k = keys[i];
	if (!v.p && k != K_RO && k != K_RW && k != K_REQUIRED)
		return err_set(p->e, ERR_USER, "invalid field '%.*s' must be a key=value pair", SLF(key));
	return set_value(p, k, key, v);
}

static int finish_secret(struct parser *p)
{
	struct mount_opt *m = p->m;
	if (p->has_source && m->id)
		return err_set(p->e, ERR_USER, "both source and id are set for a secret mount; they mean the same");
	if (p->has_source)
		m->id = m->source;
	m->source = "";
	if (!m->id) {
		if (!m->target) {
			err_set(p->e, ERR_USER, "invalid secret mount: neither id nor target is set");
			return err_hint(p->e, "write --mount=type=secret,id=NAME");
		}
		m->id = arena_str(p->arena, path_base(slice_of(m->target)));
	}
	if (!m->target && !m->env)
		m->target = arena_printf(p->arena, "/run/secrets/%.*s", SLF(path_base(slice_of(m->id))));
	return 0;
}

static int finish(struct parser *p)
{
	struct mount_opt *m = p->m;
	if (p->env_given && m->type != MOUNT_SECRET)
		return not_for(p, SL("env"));
	if (m->type == MOUNT_SSH && p->has_source)
		return not_for(p, SL("source"));
	if (m->type == MOUNT_SECRET && finish_secret(p) < 0)
		return -1;
	if (m->type == MOUNT_SSH && (!m->id || !*m->id))
		m->id = "default";
	if (!m->target && m->type != MOUNT_SECRET && m->type != MOUNT_SSH) {
		err_set(p->e, ERR_USER, "invalid %s mount: no target", type_names[m->type]);
		return err_hint(p->e, "say where it is to appear: target=/path");
	}
	if (m->target) {
		_free_ char *clean = path_join(SL("/"), slice_of(m->target));
		if (!strcmp(clean, "/") && m->target[0] == '/')
			return err_set(p->e, ERR_USER, "invalid mount target \"%s\": it is the root itself",
				       m->target);
	}
	if (!p->has_access)
		m->readonly = m->type == MOUNT_BIND || m->type == MOUNT_SECRET;
	if (!m->has_mode)
		m->mode = m->type == MOUNT_CACHE ? 0755 : m->type == MOUNT_SECRET ? 0400 : 0600;
	if (m->type == MOUNT_TMPFS && m->from)
		return not_for(p, SL("from"));
	return 0;
}

int mount_parse(struct slice text, const struct expand_env *env, struct arena *arena,
		struct mount_opt *out, struct err *e)
{
	struct mount_opt m = { .source = "" };
	struct parser p = { .m = &m, .arena = arena, .e = e };
	_cleanup_(buf_done) struct buf field = { 0 };
	struct slice rest = text, key, value;
	for (bool bad = false; next_field(&rest, &field, &bad);) {
		if (bad)
			return bad_csv(text, e);
		cut(&field, &key, &value);
		if (value.p && slice_is(key, "from") && slice_find(value, '$') + 1 < value.n)
			return refuse_variable(value, e);
		if (value.p) {
			char *v = expand_word(value, env, arena, e);
			if (!v)
				return -1;
			value = slice_of(v);
		}
		if (set_field(&p, key, value) < 0)
			return -1;
	}
	if (finish(&p) < 0)
		return -1;
	*out = m;
	return 0;
}

int device_parse(struct slice text, struct arena *arena, struct device_opt *out, struct err *e)
{
	struct device_opt d = { 0 };
	_cleanup_(buf_done) struct buf field = { 0 };
	struct slice rest = text, key, value;
	for (bool bad = false, first = true; next_field(&rest, &field, &bad); first = false) {
		if (bad)
			return err_set(e, ERR_USER, "--device=%.*s: the quotes do not match", SLF(text));
		struct slice whole = buf_view(&field);
		/* CDI names hold '=' too: vendor.com/class=name */
		if (first && !slice_starts(whole, SL("name=")) && !slice_starts(whole, SL("required"))) {
			d.name = arena_str(arena, whole);
			continue;
		}
		cut(&field, &key, &value);
		d.required = d.required || slice_is(key, "required");
		if (slice_is(key, "name") && value.p && !d.name)
			d.name = arena_str(arena, value);
		else if (!slice_is(key, "required") || (value.p && bool_parse(value, &d.required) < 0))
			return err_set(e, ERR_USER, "unexpected field '%.*s' in --device", SLF(whole));
	}
	if (!d.name || !*d.name)
		return err_set(e, ERR_USER, "--device needs the name of a device");
	*out = d;
	return 0;
}
