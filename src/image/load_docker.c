/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archive, as `docker save` writes it: manifest.json lists images by config and layers; the
 * form before Docker 1.10 has only `repositories` and one directory a layer. There is no manifest in
 * the sense of a registry: one is made. */
#include "base/clock.h"
#include "base/err.h"
#include "base/js.h"
#include "base/path.h"
#include "image/layer_in.h"
#include "image/load_in.h"
#include "oci/reference.h"

#define IMAGES_MAX 1024

/* A name in the archive, from text in the archive. */
static char *member_name(const json_t *text, const char *what, struct err *e)
{
	const char *s = json_string_value(text);
	if (!s || !*s) {
		err_set(e, ERR_DATA, "%s is not the name of a file", what);
		return NULL;
	}
	return path_key(slice_of(s));
}

/* The file's bytes stay a layer as they are: compressed, or plain. */
static int take_layer(struct loader *l, const char *name, const struct digest *diff_id,
		      struct manifest *m, struct err *e)
{
	struct descriptor d = { 0 };
	const char *type;
	uint64_t size;
	_close_ int fd = bundle_open(l->b, name, &size, e);
	if (fd < 0 || layer_media_type(fd, true, &type, e) < 0 ||
	    bundle_digest(l->b, name, &d.digest, e) < 0)
		return -1;
	if (load_layer(l, name, &d.digest, size, type, diff_id, e) < 0)
		return -1;
	d.size = size;
	d.media_type = str_dup(type);
	arr_push(&m->layers, d);
	return 0;
}

static int finish(struct loader *l, struct manifest *m, struct slice config, struct strs *names,
		  struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct digest d;
	m->media_type = str_dup(MT_DOCKER_MANIFEST);
	m->config.media_type = str_dup(MT_DOCKER_CONFIG);
	m->config.size = config.n;
	if (blob_put(l->s, config, &m->config.digest, e) < 0)
		return -1;
	manifest_write(m, &b);
	if (blob_put(l->s, buf_view(&b), &d, e) < 0)
		return -1;
	return load_done(l, &d, names, e);
}

/* "HEX.json" or "blobs/sha256/HEX" promises the digest. */
static int check_promise(const char *name, struct slice bytes, struct err *e)
{
	struct slice base = path_base(slice_of(name));
	struct digest said, got;
	char text[DIGEST_LEN];
	if (slice_ends(base, SL(".json")))
		base = slice_head(base, base.n - 5);
	if (sha256_unhex(base.p, base.n, said.b) < 0)
		return 0;
	digest_of(bytes, &got);
	if (digest_eq(&said, &got))
		return 0;
	return err_set(e, ERR_DATA, "'%s' has digest %s, not the one that it is named by", name,
		       digest_text(&got, text));
}

static int read_tags(struct loader *l, const json_t *entry, struct strs *names, bool *wanted,
		     struct err *e)
{
	_cleanup_(strs_done) struct strs tags = { 0 };
	if (js_strs(entry, "RepoTags", &tags, e) < 0)
		return -1;
	*wanted = !l->o->what;
	for (size_t i = 0; i < tags.n; i++) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (reference_parse(slice_of(tags.p[i]), &ref, e) < 0)
			return err_add(e, "name '%s'", tags.p[i]);
		char *text = reference_text(&ref);
		*wanted = *wanted || load_wants(l, text);
		strs_take(names, text);
	}
	return 0;
}

static int take_entry(struct loader *l, const json_t *entry, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	_cleanup_(buf_done) struct buf config = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	_cleanup_(manifest_done) struct manifest m = { 0 };
	json_t *layers = NULL;
	bool wanted;
	if (!json_is_object(entry))
		return err_set(e, ERR_DATA, "an entry of manifest.json is not an object");
	if (read_tags(l, entry, &names, &wanted, e) < 0)
		return -1;
	if (!wanted)
		return 0;
	_free_ char *config_name = member_name(json_object_get(entry, "Config"), "Config", e);
	if (!config_name || js_array(entry, "Layers", &layers, e) < 0)
		return -1;
	if (bundle_read(l->b, config_name, MANIFEST_MAX, &config, e) < 0 ||
	    check_promise(config_name, buf_view(&config), e) < 0 ||
	    image_config_parse(buf_view(&config), &cfg, e) < 0)
		return err_add(e, "read the config");
	if (json_array_size(layers) != cfg.diff_ids.n || cfg.diff_ids.n > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_DATA,
			       "manifest.json has %zu layers, the config %zu (at most %u)",
			       json_array_size(layers), cfg.diff_ids.n, MANIFEST_LAYERS_MAX);
	for (size_t i = 0; i < cfg.diff_ids.n; i++) {
		_free_ char *name = member_name(json_array_get(layers, i), "a layer", e);
		if (!name || take_layer(l, name, &cfg.diff_ids.p[i], &m, e) < 0)
			return err_add(e, "layer %zu of %zu", i + 1, cfg.diff_ids.n);
	}
	return finish(l, &m, buf_view(&config), &names, e);
}

int load_docker(struct loader *l, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (bundle_read(l->b, "manifest.json", JS_MAX, &b, e) < 0)
		return -1;
	_json_ json_t *list = js_parse(buf_view(&b), "manifest.json", e);
	if (!list)
		return -1;
	if (!json_is_array(list) || json_array_size(list) > IMAGES_MAX)
		return err_set(e, ERR_DATA, "manifest.json is not a list of images");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (take_entry(l, json_array_get(list, i), e) < 0)
			return err_add(e, "image %zu of %zu", i + 1, json_array_size(list));
	return 0;
}

/* ---- the form before Docker 1.10 ---- */

/* Ids are directory names; anything else in their place would be looked up as a path. */
static bool id_ok(const char *id)
{
	size_t n = id ? strlen(id) : 0;
	return n == 64 && strspn(id, "0123456789abcdef") == 64;
}

static json_t *read_v1(struct loader *l, const char *id, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	_free_ char *name = str_printf("%s/json", id);
	return bundle_read(l->b, name, MANIFEST_MAX, &b, e) < 0 ? NULL
								: js_parse(buf_view(&b), name, e);
}

/* The ids from the top down to the one without a parent. */
static int chain_of(struct loader *l, const char *top, struct strs *ids, struct err *e)
{
	_free_ char *id = str_dup(top);
	while (id) {
		if (!id_ok(id) || ids->n >= MANIFEST_LAYERS_MAX || strs_find(ids, id) >= 0)
			return err_set(e, ERR_DATA, "the chain of layers of '%s' is malformed",
				       top);
		const char *parent = NULL;
		_json_ json_t *v = read_v1(l, id, e);
		if (!v || js_str(v, "parent", &parent, e) < 0)
			return -1;
		strs_add(ids, id);
		str_set(&id, parent && *parent ? str_dup(parent) : NULL);
	}
	return 0;
}

static int v1_history(const json_t *v, struct image_config *cfg, struct err *e)
{
	const char *created = NULL, *comment = NULL, *author = NULL;
	json_t *cc = NULL;
	_cleanup_(strs_done) struct strs cmd = { 0 };
	if (js_str(v, "created", &created, e) < 0 || js_str(v, "comment", &comment, e) < 0 ||
	    js_str(v, "author", &author, e) < 0 || js_object(v, "container_config", &cc, e) < 0 ||
	    (cc && js_strs(cc, "Cmd", &cmd, e) < 0))
		return -1;
	struct history *h = arr_add(&cfg->history);
	h->has_created = created && clock_parse(slice_of(created), &h->created) == 0;
	h->created_by = strs_join(&cmd, " ");
	h->comment = str_dup(comment);
	h->author = str_dup(author);
	return 0;
}

/* The top layer's json is nearly a config: what belongs to the layer goes, rootfs and history come. */
static int v1_config(const json_t *top, struct image_config *out, struct err *e)
{
	static const char *const drop[] = { "id",        "parent",           "parent_id",
					    "layer_id",  "throwaway",        "Size",
					    "container", "container_config", "docker_version",
					    "comment" };
	_json_ json_t *v = json_deep_copy(top);
	_cleanup_(buf_done) struct buf b = { 0 };
	for (size_t i = 0; i < COUNT_OF(drop); i++)
		json_object_del(v, drop[i]);
	if (!json_object_get(v, "os"))
		json_object_set_new(v, "os", json_string("linux"));
	json_object_set_new(v, "rootfs", json_pack("{s:s,s:[]}", "type", "layers", "diff_ids"));
	js_dump(v, &b);
	return image_config_parse(buf_view(&b), out, e);
}

static int v1_image(struct loader *l, const char *top_id, struct strs *names, struct err *e)
{
	_cleanup_(strs_done) struct strs ids = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	_cleanup_(manifest_done) struct manifest m = { 0 };
	_cleanup_(buf_done) struct buf config = { 0 };
	if (chain_of(l, top_id, &ids, e) < 0)
		return -1;
	_json_ json_t *top = read_v1(l, top_id, e);
	if (!top || v1_config(top, &cfg, e) < 0)
		return -1;
	for (size_t i = ids.n; i-- > 0;) {
		_free_ char *name = str_printf("%s/layer.tar", ids.p[i]);
		struct digest diff;
		_json_ json_t *v = read_v1(l, ids.p[i], e);
		/* In those days nothing named the digest of a layer's stream: it is what it is. */
		if (!v || v1_history(v, &cfg, e) < 0 || bundle_digest(l->b, name, &diff, e) < 0 ||
		    take_layer(l, name, &diff, &m, e) < 0)
			return err_add(e, "layer '%s'", ids.p[i]);
		arr_push(&cfg.diff_ids, diff);
	}
	image_config_write(&cfg, &config);
	return finish(l, &m, buf_view(&config), names, e);
}

static int v1_tag(struct loader *l, const char *repo, const char *tag, const json_t *id,
		  struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	_cleanup_(reference_done) struct reference ref = { 0 };
	_free_ char *name = str_printf("%s:%s", repo, tag);
	if (!id_ok(json_string_value(id)))
		return err_set(e, ERR_DATA, "`repositories` has no id for '%s'", name);
	if (reference_parse(slice_of(name), &ref, e) < 0)
		return -1;
	strs_take(&names, reference_text(&ref));
	if (!load_wants(l, names.p[0]))
		return 0;
	return v1_image(l, json_string_value(id), &names, e) < 0 ? err_add(e, "image '%s'", name)
								 : 0;
}

int load_docker_v1(struct loader *l, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (bundle_read(l->b, "repositories", JS_MAX, &b, e) < 0)
		return -1;
	_json_ json_t *repos = js_parse(buf_view(&b), "repositories", e);
	if (!repos)
		return -1;
	const char *repo, *tag;
	json_t *tags, *id;
	json_object_foreach(repos, repo, tags)
	{
		json_object_foreach(tags, tag, id) if (v1_tag(l, repo, tag, id, e) < 0) return -1;
	}
	return 0;
}
