/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/config.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/js.h"
#include "oci/members.h"

void health_done(struct health *h)
{
	if (!h)
		return;
	strs_done(&h->test);
	*h = (struct health){ 0 };
}

void kvs_done(struct kvs *l)
{
	arr_each(it, l) {
		free(it->k);
		free(it->v);
	}
	arr_done(l);
}

void kvs_set(struct kvs *l, struct slice k, struct slice v)
{
	char *value = slice_dup(v);
	arr_each(it, l) {
		if (!slice_is(k, it->k))
			continue;
		str_set(&it->v, value);
		return;
	}
	struct kv one = { slice_dup(k), value };
	arr_push(l, one);
}

const char *kvs_get(const struct kvs *l, const char *k)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->p[i].k, k) == 0)
			return l->p[i].v;
	return NULL;
}

void kvs_copy(struct kvs *to, const struct kvs *from)
{
	struct kvs copy = { 0 };
	for (size_t i = 0; i < from->n; i++) {
		struct kv one = { str_dup(from->p[i].k), str_dup(from->p[i].v) };
		arr_push(&copy, one);
	}
	kvs_done(to);
	*to = copy;
}

static bool is_env_of(const char *entry, struct slice name)
{
	return slice_starts(slice_of(entry), name) && entry[name.n] == '=';
}

const char *env_get(const struct strs *env, const char *name)
{
	/* of two with one name the last counts, as in runc */
	for (size_t i = env->n; i-- > 0;)
		if (is_env_of(env->p[i], slice_of(name)))
			return env->p[i] + strlen(name) + 1;
	return NULL;
}

void env_set(struct strs *env, struct slice name, struct slice value)
{
	char *entry = str_printf("%.*s=%.*s", SLF(name), SLF(value));
	for (size_t i = env->n; i-- > 0;) {
		if (!is_env_of(env->p[i], name))
			continue;
		str_set(&env->p[i], entry);
		return;
	}
	strs_take(env, entry);
}

static void history_done(struct history *h)
{
	free(h->created_by);
	free(h->author);
	free(h->comment);
}

void image_config_done(struct image_config *c)
{
	if (!c)
		return;
	free(c->author);
	platform_done(&c->platform);
	free(c->user);
	free(c->working_dir);
	free(c->stop_signal);
	strs_done(&c->env);
	strs_done(&c->entrypoint);
	strs_done(&c->cmd);
	strs_done(&c->shell);
	strs_done(&c->volumes);
	strs_done(&c->ports);
	kvs_done(&c->labels);
	strs_done(&c->onbuild);
	health_done(c->health);
	free(c->health);
	arr_done(&c->diff_ids);
	arr_each(h, &c->history)
		history_done(h);
	arr_done(&c->history);
	json_decref(c->extra);
	json_decref(c->extra_config);
	*c = (struct image_config){ 0 };
}

static struct health *health_dup(const struct health *from)
{
	if (!from)
		return NULL;
	struct health *h = NEW(struct health);
	*h = *from;
	h->test = (struct strs){ 0 };
	strs_copy(&h->test, &from->test);
	return h;
}

/* What holds no memory of its own is copied by the assignment; every owner follows. */
static void copy_owned(struct image_config *c, const struct image_config *from)
{
	c->author = str_dup(from->author);
	c->user = str_dup(from->user);
	c->working_dir = str_dup(from->working_dir);
	c->stop_signal = str_dup(from->stop_signal);
	c->platform = (struct platform){ 0 };
	platform_copy(&c->platform, &from->platform);
	struct strs *const to[] = { &c->env,     &c->entrypoint, &c->cmd,    &c->shell,
				    &c->volumes, &c->ports,      &c->onbuild };
	const struct strs *const of[] = { &from->env,    &from->entrypoint, &from->cmd,
					  &from->shell,  &from->volumes,    &from->ports,
					  &from->onbuild };
	for (size_t i = 0; i < COUNT_OF(to); i++) {
		*to[i] = (struct strs){ 0 };
		strs_copy(to[i], of[i]);
	}
	c->labels = (struct kvs){ 0 };
	kvs_copy(&c->labels, &from->labels);
	c->health = health_dup(from->health);
	c->extra = json_deep_copy(from->extra);
	c->extra_config = json_deep_copy(from->extra_config);
}

void image_config_copy(struct image_config *to, const struct image_config *from)
{
	struct image_config copy = *from;
	copy_owned(&copy, from);
	copy.diff_ids.p = NULL;
	copy.diff_ids.n = copy.diff_ids.cap = 0;
	for (size_t i = 0; i < from->diff_ids.n; i++)
		arr_push(&copy.diff_ids, from->diff_ids.p[i]);
	copy.history.p = NULL;
	copy.history.n = copy.history.cap = 0;
	for (size_t i = 0; i < from->history.n; i++) {
		struct history h = from->history.p[i];
		h.created_by = str_dup(h.created_by);
		h.author = str_dup(h.author);
		h.comment = str_dup(h.comment);
		arr_push(&copy.history, h);
	}
	image_config_done(to);
	*to = copy;
}

static int read_created(const json_t *obj, struct timespec *created, bool *has, struct err *e)
{
	const char *s;
	if (js_str(obj, "created", &s, e) < 0)
		return -1;
	if (s && clock_parse(slice_of(s), created) < 0)
		return err_set(e, ERR_DATA, "'created' is not a time of RFC 3339: '%.64s'", s);
	*has = s != NULL;
	return 0;
}

/* A list that may be absent (or null), which is not the same as empty. */
static int read_words(const json_t *obj, const char *key, struct strs *out, bool *has,
		      struct err *e)
{
	json_t *list;
	if (js_array(obj, key, &list, e) < 0)
		return -1;
	*has = list != NULL;
	return js_strs(obj, key, out, e);
}

/* The keys of an object whose values say nothing: {"80/tcp": {}}. */
static int read_keys(const json_t *obj, const char *key, struct strs *out, struct err *e)
{
	json_t *set, *v;
	const char *name;
	if (js_object(obj, key, &set, e) < 0)
		return -1;
	json_object_foreach(set, name, v) strs_add(out, name);
	strs_sort(out);
	return 0;
}

static int read_labels(const json_t *obj, struct kvs *out, struct err *e)
{
	json_t *labels, *v;
	const char *name;
	if (js_object(obj, "Labels", &labels, e) < 0)
		return -1;
	json_object_foreach(labels, name, v)
	{
		if (!json_is_string(v))
			return err_set(e, ERR_DATA, "the label '%s' must be a string", name);
		/* keys of an object are unique: no need to look for it */
		struct kv one = { str_dup(name), str_dup(json_string_value(v)) };
		arr_push(out, one);
	}
	return 0;
}

static int read_health(const json_t *config, struct health **out, struct err *e)
{
	json_t *obj;
	if (js_object(config, "Healthcheck", &obj, e) < 0)
		return -1;
	if (!obj)
		return 0;
	struct health *h = *out = NEW(struct health); /* ended with the config it belongs to */
	if (js_strs(obj, "Test", &h->test, e) < 0 || js_int(obj, "Interval", &h->interval, e) < 0 ||
	    js_int(obj, "Timeout", &h->timeout, e) < 0 ||
	    js_int(obj, "StartPeriod", &h->start_period, e) < 0 ||
	    js_int(obj, "StartInterval", &h->start_interval, e) < 0 ||
	    js_int(obj, "Retries", &h->retries, e) < 0)
		return err_add(e, "'Healthcheck'");
	return 0;
}

/* Members of "config" in the order they are written. */
static const char *const config_members[] = {
	"User",   "ExposedPorts", "Env",         "Entrypoint",  "Cmd",     "Volumes", "WorkingDir",
	"Labels", "StopSignal",   "Healthcheck", "ArgsEscaped", "OnBuild", "Shell"
};

static int read_config(const json_t *root, struct image_config *c, struct err *e)
{
	json_t *obj;
	if (js_object(root, "config", &obj, e) < 0)
		return -1;
	if (!obj)
		return 0;
	if (member_str(obj, "User", &c->user, e) < 0 ||
	    read_keys(obj, "ExposedPorts", &c->ports, e) < 0 ||
	    js_strs(obj, "Env", &c->env, e) < 0 ||
	    read_words(obj, "Entrypoint", &c->entrypoint, &c->has_entrypoint, e) < 0 ||
	    read_words(obj, "Cmd", &c->cmd, &c->has_cmd, e) < 0 ||
	    read_keys(obj, "Volumes", &c->volumes, e) < 0 ||
	    member_str(obj, "WorkingDir", &c->working_dir, e) < 0 ||
	    read_labels(obj, &c->labels, e) < 0 ||
	    member_str(obj, "StopSignal", &c->stop_signal, e) < 0 ||
	    read_health(obj, &c->health, e) < 0 ||
	    js_bool(obj, "ArgsEscaped", &c->args_escaped, e) < 0 ||
	    js_strs(obj, "OnBuild", &c->onbuild, e) < 0 ||
	    read_words(obj, "Shell", &c->shell, &c->has_shell, e) < 0)
		return err_add(e, "'config'");
	c->extra_config = member_extra(obj, config_members, COUNT_OF(config_members));
	return 0;
}

static int read_rootfs(const json_t *root, struct image_config *c, struct err *e)
{
	json_t *obj;
	const char *type;
	_cleanup_(strs_done) struct strs ids = { 0 };
	if (js_object(root, "rootfs", &obj, e) < 0)
		return -1;
	if (!obj)
		return 0;
	if (js_str(obj, "type", &type, e) < 0 || js_strs(obj, "diff_ids", &ids, e) < 0)
		return err_add(e, "'rootfs'");
	if (!type || strcmp(type, "layers") != 0)
		return err_set(e, ERR_DATA, "the type of 'rootfs' is not 'layers'");
	arr_each(id, &ids) {
		struct digest d;
		if (digest_parse(slice_of(*id), &d, e) < 0)
			return err_add(e, "'diff_ids'");
		arr_push(&c->diff_ids, d);
	}
	return 0;
}

static int read_history_entry(const json_t *obj, struct history *h, struct err *e)
{
	if (!json_is_object(obj))
		return err_set(e, ERR_DATA, "it is not an object");
	if (read_created(obj, &h->created, &h->has_created, e) < 0 ||
	    member_str(obj, "created_by", &h->created_by, e) < 0 ||
	    member_str(obj, "author", &h->author, e) < 0 ||
	    member_str(obj, "comment", &h->comment, e) < 0 ||
	    js_bool(obj, "empty_layer", &h->empty_layer, e) < 0)
		return -1;
	return 0;
}

static int read_history(const json_t *root, struct image_config *c, struct err *e)
{
	json_t *list;
	if (js_array(root, "history", &list, e) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct history *h = arr_add(&c->history);
		if (read_history_entry(json_array_get(list, i), h, e) < 0)
			return err_add(e, "entry %zu of 'history'", i + 1);
	}
	return 0;
}

static int read_all(const json_t *root, struct image_config *c, struct err *e)
{
	static const char *const known[] = { "created",      "author",  "os",
					     "architecture", "variant", "os.version",
					     "config",       "rootfs",  "history" };
	if (!json_is_object(root))
		return err_set(e, ERR_DATA, "it is not an object");
	if (read_created(root, &c->created, &c->has_created, e) < 0 ||
	    member_str(root, "author", &c->author, e) < 0 ||
	    member_platform(root, &c->platform, e) < 0 || read_config(root, c, e) < 0 ||
	    read_rootfs(root, c, e) < 0 || read_history(root, c, e) < 0)
		return -1;
	c->extra = member_extra(root, known, COUNT_OF(known));
	return 0;
}

int image_config_parse(struct slice text, struct image_config *out, struct err *e)
{
	_json_ json_t *root = js_parse(text, "the image's config", e);
	if (!root)
		return -1;
	_cleanup_(image_config_done) struct image_config c = { 0 };
	if (read_all(root, &c, e) < 0)
		return err_add(e, "the image's config is malformed");
	*out = c;
	c = (struct image_config){ 0 };
	return 0;
}

/* What is empty is left out, as Go's omitempty does. */
static void put_text(json_t *obj, const char *key, const char *s)
{
	if (s && s[0])
		put_str(obj, key, s);
}

static void put_list(json_t *obj, const char *key, const struct strs *l, bool even_empty)
{
	if (l->n || even_empty)
		json_object_set_new(obj, key, js_from_strs(l));
}

static void put_int(json_t *obj, const char *key, int64_t v)
{
	if (v)
		json_object_set_new(obj, key, json_integer(v));
}

static void put_created(json_t *obj, struct timespec t, bool has)
{
	char text[CLOCK_LEN];
	if (has)
		put_str(obj, "created", clock_rfc3339(t, text));
}

/* A member whose name may hold any bytes: jansson refuses names that are not UTF-8. */
static void put_named(json_t *obj, const char *name, json_t *v)
{
	_json_ json_t *key = js_text(slice_of(name));
	json_object_set_new(obj, json_string_value(key), v);
}

static void put_keys(json_t *obj, const char *key, const struct strs *l)
{
	if (l->n == 0)
		return;
	_cleanup_(strs_done) struct strs sorted = { 0 };
	strs_copy(&sorted, l);
	strs_sort(&sorted);
	json_t *set = json_object();
	arr_each(it, &sorted)
		put_named(set, *it, json_object());
	json_object_set_new(obj, key, set);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct kv *)a)->k, ((const struct kv *)b)->k);
}

static void put_labels(json_t *obj, const struct kvs *labels)
{
	if (labels->n == 0)
		return;
	_cleanup_(kvs_done) struct kvs sorted = { 0 };
	kvs_copy(&sorted, labels);
	qsort(sorted.p, sorted.n, sizeof *sorted.p, by_key);
	json_t *set = json_object();
	arr_each(it, &sorted)
		put_named(set, it->k, js_text(slice_of(it->v)));
	json_object_set_new(obj, "Labels", set);
}

static void put_health(json_t *obj, const struct health *h)
{
	if (!h)
		return;
	json_t *o = json_object();
	put_list(o, "Test", &h->test, false);
	put_int(o, "Interval", h->interval);
	put_int(o, "Timeout", h->timeout);
	put_int(o, "StartPeriod", h->start_period);
	put_int(o, "StartInterval", h->start_interval);
	put_int(o, "Retries", h->retries);
	json_object_set_new(obj, "Healthcheck", o);
}

json_t *image_config_json(const struct image_config *c)
{
	json_t *obj = json_object();
	put_text(obj, "User", c->user);
	put_keys(obj, "ExposedPorts", &c->ports);
	put_list(obj, "Env", &c->env, false);
	put_list(obj, "Entrypoint", &c->entrypoint, c->has_entrypoint);
	put_list(obj, "Cmd", &c->cmd, c->has_cmd);
	put_keys(obj, "Volumes", &c->volumes);
	put_text(obj, "WorkingDir", c->working_dir);
	put_labels(obj, &c->labels);
	put_text(obj, "StopSignal", c->stop_signal);
	put_health(obj, c->health);
	if (c->args_escaped)
		json_object_set_new(obj, "ArgsEscaped", json_true());
	put_list(obj, "OnBuild", &c->onbuild, false);
	put_list(obj, "Shell", &c->shell, c->has_shell);
	if (c->extra_config)
		json_object_update_missing(obj, c->extra_config);
	return obj;
}

static json_t *history_json(const struct image_config *c)
{
	json_t *list = json_array();
	for (size_t i = 0; i < c->history.n; i++) {
		const struct history *h = &c->history.p[i];
		json_t *obj = json_object();
		put_created(obj, h->created, h->has_created);
		put_text(obj, "created_by", h->created_by);
		put_text(obj, "author", h->author);
		put_text(obj, "comment", h->comment);
		if (h->empty_layer)
			json_object_set_new(obj, "empty_layer", json_true());
		json_array_append_new(list, obj);
	}
	return list;
}

static json_t *rootfs_json(const struct image_config *c)
{
	json_t *obj = json_object(), *ids = json_array();
	for (size_t i = 0; i < c->diff_ids.n; i++) {
		char text[DIGEST_LEN];
		json_array_append_new(ids, json_string(digest_text(&c->diff_ids.p[i], text)));
	}
	put_str(obj, "type", "layers");
	json_object_set_new(obj, "diff_ids", ids);
	return obj;
}

/* BuildKit writes a map, whose keys Go sorts; unknown members stand among them. */
static json_t *sorted(const json_t *obj)
{
	_cleanup_(strs_done) struct strs keys = { 0 };
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)obj, key, v) strs_add(&keys, key);
	strs_sort(&keys);
	json_t *out = json_object();
	arr_each(it, &keys)
		json_object_set(out, *it, json_object_get(obj, *it));
	return out;
}

void image_config_write(const struct image_config *c, struct buf *out)
{
	_json_ json_t *root = json_object();
	put_text(root, "architecture", c->platform.arch);
	put_text(root, "author", c->author);
	json_object_set_new(root, "config", image_config_json(c));
	put_created(root, c->created, c->has_created);
	if (c->history.n)
		json_object_set_new(root, "history", history_json(c));
	put_text(root, "os", c->platform.os);
	put_text(root, "os.version", c->platform.os_version);
	json_object_set_new(root, "rootfs", rootfs_json(c));
	put_text(root, "variant", c->platform.variant);
	if (c->extra)
		json_object_update_missing(root, c->extra);
	_json_ json_t *in_order = sorted(root);
	js_dump(in_order, out);
}
