/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archive: manifest.json lists images by config and layers. There is no manifest in the sense
 * of a registry: one is made, which lists the layers as they lie there. */
#include <assert.h>

#include "base/err.h"
#include "base/js.h"
#include "base/num.h"
#include "base/path.h"
#include "image/bundle.h"
#include "image/layer_in.h"
#include "image/origin.h"
#include "image/pick.h"
#include "oci/config.h"

#define IMAGES_MAX 1024

struct from_docker {
	struct origin base;
	struct bundle *b;
	struct manifest m;
	struct strs names; /* of the files: the config's, then one a layer */
};

static void close_it(struct origin *base)
{
	struct from_docker *o = (struct from_docker *)base;
	bundle_close(o->b);
	manifest_done(&o->m);
	strs_done(&o->names);
	free(o);
}

static int top(struct origin *base, struct buf *text, struct descriptor *d, struct err *e)
{
	const struct from_docker *o = (struct from_docker *)base;
	(void)e;
	manifest_write(&o->m, text);
	digest_of(buf_view(text), &d->digest);
	d->media_type = str_dup(o->m.media_type);
	d->size = text->len;
	return 0;
}

static struct source *blob(struct origin *base, const struct descriptor *d, struct err *e)
{
	struct from_docker *o = (struct from_docker *)base;
	size_t at = 0;
	if (!digest_eq(&d->digest, &o->m.config.digest)) {
		size_t i = 0;
		while (i < o->m.layers.n && !digest_eq(&o->m.layers.p[i].digest, &d->digest))
			i++;
		at = i + 1;
	}
	assert(at < o->names.n);
	int fd = bundle_open(o->b, o->names.p[at], NULL, e);
	return fd < 0 ? NULL : source_fd_take(fd);
}
static const struct origin_ops ops = { .top = top, .blob = blob, .close = close_it };

/* ---- which image ---- */

static bool has_name(const json_t *entry, const char *tag)
{
	_cleanup_(strs_done) struct strs tags = { 0 };
	_cleanup_(reference_done) struct reference want = { 0 };
	if (js_strs(entry, "RepoTags", &tags, NULL) < 0 ||
	    reference_parse(slice_of(tag), &want, NULL) < 0)
		return false;
	for (size_t i = 0; i < tags.n; i++) {
		_cleanup_(reference_done) struct reference r = { 0 };
		if (reference_parse(slice_of(tags.p[i]), &r, NULL) == 0 && reference_eq(&r, &want))
			return true;
	}
	return false;
}

static void list_names(const json_t *list, struct strs *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		_cleanup_(strs_done) struct strs tags = { 0 };
		if (js_strs(json_array_get(list, i), "RepoTags", &tags, NULL) < 0 || !tags.n)
			strs_addf(out, "@%zu", i);
		for (size_t k = 0; k < tags.n; k++)
			strs_add(out, tags.p[k]);
	}
}

/* tag: a name, "@N", or NULL for the only one. Borrowed. */
static const json_t *find_entry(const json_t *list, const char *tag, struct err *e)
{
	size_t n = json_array_size(list);
	uint64_t nr;
	if (!tag && n == 1)
		return json_array_get(list, 0);
	if (tag && *tag == '@' && num_parse(slice_of(tag + 1), IMAGES_MAX, &nr) == 0 && nr < n)
		return json_array_get(list, nr);
	for (size_t i = 0; tag && i < n; i++)
		if (has_name(json_array_get(list, i), tag))
			return json_array_get(list, i);
	_cleanup_(strs_done) struct strs names = { 0 };
	list_names(list, &names);
	(void)names_lack(&names, tag, e);
	return NULL;
}

/* ---- its parts ---- */

static int add_file(struct from_docker *o, const json_t *text, struct err *e)
{
	const char *s = json_string_value(text);
	if (!s || !*s)
		return err_set(e, ERR_DATA, "manifest.json names no file where it should");
	strs_take(&o->names, path_key(slice_of(s)));
	return 0;
}

static int take_config(struct from_docker *o, const json_t *entry, struct image_config *cfg,
		       struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	if (add_file(o, json_object_get(entry, "Config"), e) < 0 ||
	    bundle_read(o->b, o->names.p[0], MANIFEST_MAX, &text, e) < 0 ||
	    image_config_parse(buf_view(&text), cfg, e) < 0)
		return err_add(e, "read the config");
	o->m.media_type = str_dup(MT_DOCKER_MANIFEST);
	o->m.config.media_type = str_dup(MT_DOCKER_CONFIG);
	o->m.config.size = text.len;
	digest_of(buf_view(&text), &o->m.config.digest);
	return 0;
}

static int take_layer(struct from_docker *o, const json_t *name, const struct digest *diff_id,
		      struct err *e)
{
	const char *type;
	char a[DIGEST_LEN], b[DIGEST_LEN];
	if (add_file(o, name, e) < 0)
		return -1;
	const char *file = *arr_last(&o->names);
	struct descriptor *d = arr_add(&o->m.layers);
	_close_ int fd = bundle_open(o->b, file, &d->size, e);
	if (fd < 0 || layer_media_type(fd, true, &type, e) < 0 ||
	    bundle_digest(o->b, file, &d->digest, e) < 0)
		return -1;
	d->media_type = str_dup(type);
	if (strcmp(type, MT_DOCKER_LAYER) == 0 && !digest_eq(&d->digest, diff_id))
		return err_set(e, ERR_DATA, "'%s' has digest %s, the config says %s", file,
			       digest_text(&d->digest, a), digest_text(diff_id, b));
	return 0;
}

static int take_image(struct from_docker *o, const json_t *entry, struct err *e)
{
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	json_t *layers = NULL;
	if (!json_is_object(entry))
		return err_set(e, ERR_DATA, "an entry of manifest.json is not an object");
	if (take_config(o, entry, &cfg, e) < 0 || js_array(entry, "Layers", &layers, e) < 0)
		return -1;
	size_t n = json_array_size(layers);
	if (n != cfg.diff_ids.n || n > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_DATA,
			       "manifest.json has %zu layers, the config %zu (at most %u)", n,
			       cfg.diff_ids.n, MANIFEST_LAYERS_MAX);
	for (size_t i = 0; i < n; i++)
		if (take_layer(o, json_array_get(layers, i), &cfg.diff_ids.p[i], e) < 0)
			return err_add(e, "layer %zu of %zu", i + 1, n);
	return 0;
}

static int read_archive(struct from_docker *o, struct store *s, const struct locator *l,
			struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_free_ char *what = str_printf("'%s'", l->path);
	o->b = bundle_from_path(s, -1, l->path, what, e);
	if (!o->b)
		return -1;
	if (!bundle_has(o->b, "manifest.json")) {
		err_set(e, ERR_DATA, "'%s' is no docker-archive: it has no manifest.json", l->path);
		if (bundle_has(o->b, "index.json"))
			return err_hint(e, "it may be oci-archive:%s", l->path);
		return bundle_has(o->b, "repositories")
			       ? err_hint(e, "'thimble load' takes archives of that age")
			       : -1;
	}
	if (bundle_read(o->b, "manifest.json", JS_MAX, &text, e) < 0)
		return -1;
	_json_ json_t *list = js_parse(buf_view(&text), "manifest.json", e);
	if (!list)
		return -1;
	if (!json_is_array(list) || json_array_size(list) > IMAGES_MAX)
		return err_set(e, ERR_DATA, "manifest.json is not a list of images");
	const json_t *entry = find_entry(list, l->tag, e);
	return entry ? take_image(o, entry, e) : -1;
}

struct origin *origin_of_docker(struct store *s, const struct locator *l, struct err *e)
{
	struct from_docker *o = NEW(struct from_docker);
	o->base.ops = &ops;
	o->base.made = true;
	if (read_archive(o, s, l, e) == 0)
		return &o->base;
	close_it(&o->base);
	return NULL;
}
