/* SPDX-License-Identifier: Apache-2.0 */
/* OCI image-spec v1.1, image-layout.md. */
#include "base/err.h"
#include "base/js.h"
#include "base/log.h"
#include "image/load_in.h"
#include "image/pick.h"
#include "oci/reference.h"

#define NAME_CONTAINERD "io.containerd.image.name"
#define NAME_OCI        "org.opencontainers.image.ref.name"

static void blob_name(const struct digest *d, char out[static SHA256_HEX + 16])
{
	char hex[SHA256_HEX];
	(void)snprintf(out, SHA256_HEX + 16, "blobs/sha256/%s", digest_hex(d, hex));
}

static int check_layout(struct loader *l, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	const char *version = NULL;
	if (!bundle_has(l->b, "oci-layout"))
		return 0; /* "must" in the specification; some writers forget it, and nothing hangs on it */
	if (bundle_read(l->b, "oci-layout", 4096, &b, e) < 0)
		return -1;
	_json_ json_t *v = js_parse(buf_view(&b), "oci-layout", e);
	if (!v || js_str(v, "imageLayoutVersion", &version, e) < 0)
		return -1;
	if (version && !slice_starts(slice_of(version), SL("1.")))
		return err_set(e, ERR_DATA, "the layout has version '%s'; 1.0.0 is known", version);
	return 0;
}

/* A small blob that a descriptor names, verified, and put into the store as it is. */
static int take_blob(struct loader *l, const struct descriptor *d, struct buf *out, struct err *e)
{
	char name[SHA256_HEX + 16], a[DIGEST_LEN], b[DIGEST_LEN];
	struct digest got;
	blob_name(&d->digest, name);
	if (d->size > MANIFEST_MAX)
		return err_set(e, ERR_DATA, "'%s' is said to have %llu bytes; at most %u are taken",
			       name, (unsigned long long)d->size, MANIFEST_MAX);
	if (bundle_read(l->b, name, MANIFEST_MAX, out, e) < 0)
		return -1;
	if (out->len != d->size)
		return err_set(e, ERR_DATA, "'%s' has %zu bytes, not %llu", name, out->len,
			       (unsigned long long)d->size);
	digest_of(buf_view(out), &got);
	if (!digest_eq(&got, &d->digest))
		return err_set(e, ERR_DATA, "'%s' has digest %s, not %s", name,
			       digest_text(&got, a), digest_text(&d->digest, b));
	return blob_put(l->s, buf_view(out), &got, e);
}

static int take_layer(struct loader *l, const struct descriptor *d, const struct digest *diff_id,
		      struct err *e)
{
	char name[SHA256_HEX + 16];
	enum media_kind kind = media_kind(d->media_type);
	if (kind == MEDIA_FOREIGN_LAYER)
		return err_set(e, ERR_DATA,
			       "it is not in the archive: its bytes may not be handed on ('%s')",
			       d->media_type);
	if (kind != MEDIA_LAYER)
		return err_set(e, ERR_DATA, "layers of the type '%s' are not known",
			       d->media_type ? d->media_type : "");
	blob_name(&d->digest, name);
	return load_layer(l, name, &d->digest, d->size, d->media_type, diff_id, e);
}

static int take_layers(struct loader *l, const struct manifest *m, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(image_config_done) struct image_config cfg = { 0 };
	if (media_kind(m->config.media_type) != MEDIA_CONFIG)
		return err_set(e, ERR_DATA, "it is not an image: its config has the type '%s'",
			       m->config.media_type ? m->config.media_type : "");
	if (take_blob(l, &m->config, &text, e) < 0 ||
	    image_config_parse(buf_view(&text), &cfg, e) < 0)
		return err_add(e, "read the config");
	if (cfg.diff_ids.n != m->layers.n)
		return err_set(e, ERR_DATA, "the manifest has %zu layers, the config %zu",
			       m->layers.n, cfg.diff_ids.n);
	for (size_t i = 0; i < m->layers.n; i++)
		if (take_layer(l, &m->layers.p[i], &cfg.diff_ids.p[i], e) < 0)
			return err_add(e, "layer %zu of %zu", i + 1, m->layers.n);
	return 0;
}

static int take_image(struct loader *l, const struct descriptor *d, struct strs *names,
		      unsigned depth, struct err *e);

static int take_index(struct loader *l, const struct descriptor *d, struct slice text,
		      struct strs *names, unsigned depth, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	if (image_index_parse(text, d->media_type, &x, e) < 0)
		return -1;
	const struct descriptor *chosen = index_pick(&x, &l->platform, e);
	if (!chosen)
		return -1;
	return take_image(l, chosen, names, depth + 1, e);
}

static int take_image(struct loader *l, const struct descriptor *d, struct strs *names,
		      unsigned depth, struct err *e)
{
	char text[DIGEST_LEN];
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(manifest_done) struct manifest m = { 0 };
	if (depth > INDEX_DEPTH_MAX)
		return err_set(e, ERR_DATA, "indexes are nested too deeply");
	if (take_blob(l, d, &b, e) < 0)
		return err_add(e, "read the manifest %s", digest_text(&d->digest, text));
	if (manifest_sniff(buf_view(&b)) == MEDIA_INDEX)
		return take_index(l, d, buf_view(&b), names, depth, e);
	if (manifest_parse(buf_view(&b), d->media_type, &m, e) < 0 || take_layers(l, &m, e) < 0)
		return err_add(e, "image %s", digest_text(&d->digest, text));
	return load_done(l, &d->digest, names, e);
}

static const char *annotation(const struct descriptor *d, const char *key)
{
	return json_string_value(json_object_get(d->annotations, key));
}

/* The full reference of an entry of index.json, or NULL. containerd and Docker write all of it and,
 * as ref.name, the tag; skopeo and buildah write what they were told as ref.name; a bare tag there
 * names nothing by itself. */
static char *name_of(const struct descriptor *d)
{
	const char *full = annotation(d, NAME_CONTAINERD), *ref = annotation(d, NAME_OCI);
	_cleanup_(reference_done) struct reference r = { 0 };
	if (!full && ref && strpbrk(ref, ":/@"))
		full = ref;
	if (!full)
		return NULL;
	if (reference_parse(slice_of(full), &r, NULL) < 0) {
		log_debug("'%s' in index.json is not a reference", full);
		return NULL;
	}
	return reference_text(&r);
}

static bool wants(const struct loader *l, const struct descriptor *d, const char *name)
{
	const char *ref = annotation(d, NAME_OCI);
	return load_wants(l, name) || (ref && strcmp(ref, l->o->what) == 0);
}

static bool is_attestation(const struct descriptor *d)
{
	return d->platform && strcmp(d->platform->os, "unknown") == 0;
}

/* Of several entries with one name (or none, but platforms) the one for our platform counts. */
static bool is_better_elsewhere(struct loader *l, const struct image_index *x, size_t at,
				const char *name)
{
	struct image_index same = { 0 };
	if (!x->manifests.p[at].platform)
		return false;
	arr_each(it, &x->manifests) {
		_free_ char *other = name_of(it);
		if (it->platform && (name ? other && strcmp(name, other) == 0 : !other))
			arr_push(&same.manifests, *it); /* borrowed: only this array is freed */
	}
	const struct descriptor *best = same.manifests.n > 1
						? image_index_choose(&same, &l->platform)
						: NULL;
	bool elsewhere = best && !digest_eq(&best->digest, &x->manifests.p[at].digest);
	arr_done(&same.manifests);
	return elsewhere;
}

static int take_entries(struct loader *l, const struct image_index *x, struct err *e)
{
	for (size_t i = 0; i < x->manifests.n; i++) {
		const struct descriptor *d = &x->manifests.p[i];
		enum media_kind kind = media_kind(d->media_type);
		_free_ char *name = name_of(d);
		_cleanup_(strs_done) struct strs names = { 0 };
		if ((kind != MEDIA_MANIFEST && kind != MEDIA_INDEX) || is_attestation(d) ||
		    d->artifact_type || !wants(l, d, name) || is_better_elsewhere(l, x, i, name))
			continue;
		if (name)
			strs_add(&names, name);
		if (take_image(l, d, &names, 0, e) < 0)
			return name ? err_add(e, "image '%s'", name) : -1;
	}
	return 0;
}

int load_oci(struct loader *l, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(image_index_done) struct image_index x = { 0 };
	if (check_layout(l, e) < 0 || bundle_read(l->b, "index.json", MANIFEST_MAX, &b, e) < 0)
		return -1;
	if (image_index_parse(buf_view(&b), NULL, &x, e) < 0)
		return err_add(e, "read index.json");
	return take_entries(l, &x, e);
}
