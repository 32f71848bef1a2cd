/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include "base/err.h"
#include "image/layer_in.h"
#include "image/pick.h"
#include "oci/config.h"
#include "sandbox/userns.h"
#include "store/image.h"
#include "store/image_origin.h"
#include "store/turn.h"

struct pull {
	struct store *s;
	const struct pull_opts *o;
	const struct reference *ref;
	struct registry_opts ropts; /* with our own note */
	struct registry *r;
	struct platform want;
	struct registry_manifest top; /* what the reference stands for */
	struct registry_manifest m; /* the image's; no bytes: it is `top` */
	struct manifest manifest;
	struct image_config config;
	ARRAY_OF(size_t) missing; /* positions of layers to be fetched */
	struct transfer *t; /* in a child */
};

static void pull_note(void *ctx, const char *text)
{
	struct pull *p = ctx;
	if (p->t)
		transfer_note(p->t, text);
	else if (p->o->events && p->o->events->note)
		p->o->events->note(p->o->events->ctx, text);
}

void pulled_done(struct pulled *p)
{
	platform_done(&p->platform);
}

/* ---- which manifest ---- */

static const struct registry_manifest *chosen(const struct pull *p)
{
	return p->m.bytes.len ? &p->m : &p->top;
}

/* Down through indexes to a manifest. */
static int choose(struct pull *p, struct err *e)
{
	for (unsigned depth = 0;; depth++) {
		const struct registry_manifest *at = chosen(p);
		_cleanup_(image_index_done) struct image_index x = { 0 };
		char text[DIGEST_LEN];
		if (media_kind(at->media_type) != MEDIA_INDEX)
			return 0;
		if (depth == INDEX_DEPTH_MAX)
			break;
		if (image_index_parse(buf_view(&at->bytes), at->media_type, &x, e) < 0)
			return -1;
		const struct descriptor *d = index_pick(&x, &p->want, e);
		if (!d)
			return -1;
		struct registry_manifest next = { 0 };
		if (registry_manifest_get(p->r, digest_text(&d->digest, text), &next, e) < 0)
			return -1;
		registry_manifest_done(&p->m);
		p->m = next;
		if (next.bytes.len != d->size)
			return err_set(e, ERR_DATA,
				       "the index says that %s has %llu bytes; it has "
				       "%zu",
				       text, (unsigned long long)d->size, next.bytes.len);
	}
	return err_set(e, ERR_DATA, "indexes in indexes, %u deep", INDEX_DEPTH_MAX);
}

static int check_layers(const struct pull *p, struct err *e)
{
	if (p->manifest.layers.n != p->config.diff_ids.n)
		return err_set(e, ERR_DATA, "the manifest has %zu layers, the config %zu",
			       p->manifest.layers.n, p->config.diff_ids.n);
	for (size_t i = 0; i < p->manifest.layers.n; i++) {
		const struct descriptor *d = &p->manifest.layers.p[i];
		char text[DIGEST_LEN];
		if (media_kind(d->media_type) == MEDIA_FOREIGN_LAYER) {
			err_set(e, ERR_DATA,
				"layer %zu (%s) is a foreign layer (%s), which is "
				"not in the registry but at an address of its own",
				i + 1, digest_text(&d->digest, text), d->media_type);
			return err_hint(e, "such images (Windows bases) cannot be used here");
		}
		if (media_kind(d->media_type) != MEDIA_LAYER)
			return err_set(e, ERR_DATA,
				       "layer %zu has the media type '%s', which is "
				       "none of a layer's",
				       i + 1, d->media_type);
	}
	return 0;
}

/* One image alone, without an index, where another platform was asked for by name. Below an index its
 * word counts: many configs for arm/v6 do not tell the variant. */
static int check_platform(const struct pull *p, struct err *e)
{
	if (!p->o->platform || p->m.bytes.len || platform_eq(&p->config.platform, &p->want))
		return 0;
	_free_ char *has = platform_text(&p->config.platform), *want = platform_text(&p->want);
	err_set(e, ERR_ABSENT, "the image is for %s, not for %s", has, want);
	return err_hint(e, "it is one image, not one for several platforms: pull it without "
			   "--platform");
}

static int read_config(struct pull *p, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	const struct descriptor *d = &p->manifest.config;
	struct digest put;
	if (media_kind(d->media_type) != MEDIA_CONFIG) {
		err_set(e, ERR_DATA, "it is not an image but %s",
			p->manifest.artifact_type ? p->manifest.artifact_type
			: d->media_type           ? d->media_type
						  : "something without a type");
		return err_hint(e, "'thimble copy' moves artifacts that are no images");
	}
	if (registry_blob_read(p->r, d, MANIFEST_MAX, &b, e) < 0 ||
	    image_config_parse(buf_view(&b), &p->config, e) < 0)
		return err_add(e, "read the config");
	if (check_platform(p, e) < 0 || check_layers(p, e) < 0)
		return -1;
	return blob_put(p->s, buf_view(&b), &put, e);
}

static int read_manifests(struct pull *p, struct err *e)
{
	char text[DIGEST_LEN];
	const char *what = p->ref->has_digest ? digest_text(&p->ref->digest, text) : p->ref->tag;
	if (registry_manifest_get(p->r, what, &p->top, e) < 0 || choose(p, e) < 0)
		return -1;
	const struct registry_manifest *m = chosen(p);
	return manifest_parse(buf_view(&m->bytes), m->media_type, &p->manifest, e);
}

/* ---- layers ---- */

static void find_missing(struct pull *p)
{
	for (size_t i = 0; i < p->config.diff_ids.n; i++) {
		bool twice = false;
		for (size_t k = 0; k < i; k++)
			twice |= digest_eq(&p->config.diff_ids.p[k], &p->config.diff_ids.p[i]);
		if (!twice && !layer_is_there(p->s, &p->config.diff_ids.p[i]))
			arr_push(&p->missing, i);
	}
}

struct counted {
	struct source base;
	struct source *in;
	struct transfer *t;
};

static ssize_t counted_read(struct source *base, void *to, size_t n, struct err *e)
{
	struct counted *c = (struct counted *)base;
	ssize_t got = source_read(c->in, to, n, e);
	if (got > 0)
		transfer_moved(c->t, got);
	return got;
}

static void counted_close(struct source *base)
{
	(void)base; /* lives on the stack */
}
static const struct source_ops counted_ops = { counted_read, counted_close };

static void describe(void *ctx, size_t i, char name[static 16], int64_t *total)
{
	struct pull *p = ctx;
	const struct descriptor *d = &p->manifest.layers.p[p->missing.p[i]];
	char hex[SHA256_HEX];
	(void)snprintf(name, 16, "%.12s", digest_hex(&d->digest, hex));
	*total = (int64_t)d->size;
}

/* In a child. */
static int fetch(void *ctx, size_t i, struct transfer *t, struct buf *out, struct err *e)
{
	struct pull *p = ctx;
	(void)out;
	size_t at = p->missing.p[i];
	const struct descriptor *d = &p->manifest.layers.p[at];
	char id[SNAP_ID], text[DIGEST_LEN];
	p->t = t;
	registry_after_fork(p->r);
	_cleanup_(source_closep) struct source *blob = registry_blob_get(p->r, d, e);
	if (!blob)
		return -1;
	struct counted in = { { &counted_ops }, blob, t };
	const struct layer_stream l = { &in.base, d->digest, d->size, d->media_type,
					p->config.diff_ids.p[at] };
	if (layer_take_stream(p->s, &l, id, e) < 0)
		return err_add(e, "layer %zu of %zu (%s)", at + 1, p->manifest.layers.n,
			       digest_text(&d->digest, text));
	return 0;
}

static int fetch_layers(struct pull *p, struct err *e)
{
	find_missing(p);
	if (p->o->begun)
		p->o->begun(p->o->ctx, p->ref, p->missing.n);
	if (p->missing.n == 0)
		return 0;
	const struct transfer_work w = {
		.n = p->missing.n,
		.events = p->o->events,
		.ctx = p,
		.describe = describe,
		.work = fetch,
	};
	return userns_enter(e) < 0 ? -1 : transfers_run(p->s, &w, e);
}

/* ---- the end ---- */

static char *repo_name(const struct reference *ref)
{
	return str_printf("%s/%s", ref->host, ref->path);
}

static int set_name(struct pull *p, const struct digest *manifest, bool *fresh, struct err *e)
{
	_cleanup_(name_record_done) struct name_record had = { 0 };
	_free_ char *name = reference_text(p->ref);
	int r = name_get(p->s, name, &had, e);
	if (r < 0)
		return -1;
	*fresh = r == 0 || !digest_eq(&had.manifest, manifest);
	return *fresh || had.failed ? name_set(p->s, name, manifest, e) : 0;
}

static int adopt(struct pull *p, struct pulled *out, struct err *e)
{
	const struct registry_manifest *m = chosen(p);
	_free_ char *repo = repo_name(p->ref);
	struct digest put;
	if (blob_put(p->s, buf_view(&m->bytes), &put, e) < 0 ||
	    image_adopt(p->s, &m->digest, e) < 0 ||
	    image_origin_add(p->s, &m->digest, repo, &p->top.digest, e) < 0 ||
	    set_name(p, &m->digest, &out->fresh, e) < 0)
		return -1;
	arr_each(it, &p->manifest.layers)
		if (blob_place_add(p->s, &it->digest, repo, e) < 0)
			return -1;
	out->manifest = m->digest;
	out->id = p->manifest.config.digest;
	out->named = p->top.digest;
	out->other_platform = !platform_eq(&p->config.platform, &p->want);
	platform_copy(&out->platform, &p->config.platform);
	return 0;
}

/* Another process may be at the same image: what it makes is then waited for. */
static int pull_all(struct pull *p, struct pulled *out, struct err *e)
{
	struct turn turn = TURN_INIT;
	if (read_manifests(p, e) < 0)
		return -1;
	if (turn_take(p->s, &chosen(p)->digest, NULL, NULL, &turn, e) < 0)
		return -1;
	int r = read_config(p, e) < 0 || fetch_layers(p, e) < 0 || adopt(p, out, e) < 0 ? -1 : 0;
	turn_end(&turn, r == 0);
	return r;
}

static void pull_done(struct pull *p)
{
	registry_close(p->r);
	platform_done(&p->want);
	registry_manifest_done(&p->top);
	registry_manifest_done(&p->m);
	manifest_done(&p->manifest);
	image_config_done(&p->config);
	arr_done(&p->missing);
}

int image_pull(struct store *s, const struct reference *ref, const struct pull_opts *o,
	       struct pulled *out, struct err *e)
{
	struct pull p = { .s = s, .o = o, .ref = ref, .ropts = *o->registry };
	_free_ char *name = reference_familiar(ref);
	p.ropts.note = pull_note;
	p.ropts.ctx = &p;
	if (o->platform)
		platform_copy(&p.want, o->platform);
	else
		platform_host(&p.want);
	p.r = registry_open(&p.ropts, ref, REGISTRY_PULL, e);
	int r = p.r ? pull_all(&p, out, e) : -1;
	pull_done(&p);
	return r < 0 ? err_add(e, "pull '%s'", name) : 0;
}
