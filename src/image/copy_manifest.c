/* SPDX-License-Identifier: Apache-2.0 */
/* One manifest on its way, with the blobs that it names. */
#include "image/copy_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/num.h"
#include "image/convert.h"
#include "image/dest.h"
#include "image/origin.h"
#include "oci/config.h"
#include "store/image_origin.h"

struct piece {
	struct descriptor desc; /* as it comes, then as it goes */
	const struct digest *diff_id; /* of a layer, if it is needed; in `config` */
	bool convert;
	enum compression into;
};
struct carry {
	struct copy *c;
	struct manifest m;
	struct image_config config;
	bool image, with_config; /* config has been read */
	ARRAY_OF(struct piece) pieces; /* the config, then the layers, each digest once */
	ARRAY_OF(size_t) where; /* position of each layer's piece */
};

static void carry_done(struct carry *k)
{
	manifest_done(&k->m);
	image_config_done(&k->config);
	arr_each(it, &k->pieces)
		descriptor_done(&it->desc);
	arr_done(&k->pieces);
	arr_done(&k->where);
}

/* ---- what is refused ---- */

static int foreign(const struct descriptor *d, size_t i, struct err *e)
{
	const json_t *urls = d->extra ? json_object_get(d->extra, "urls") : NULL;
	const char *url = json_string_value(json_array_get(urls, 0));
	const char *host = url ? strstr(url, "://") : NULL;
	char text[DIGEST_LEN];
	if (host)
		host += 3;
	err_set(e, ERR_DATA,
		"layer %zu (%s) is a foreign layer (%s): its bytes are not with the image but at "
		"%.*s, and may not be handed on",
		i + 1, digest_text(&d->digest, text), d->media_type,
		host ? (int)strcspn(host, "/") : 12, host ? host : "another host");
	return err_hint(e, "such images (Windows bases) cannot be copied");
}

static bool all_layers_known(const struct manifest *m)
{
	arr_each(it, &m->layers)
		if (media_kind(it->media_type) != MEDIA_LAYER)
			return false;
	return true;
}

static int check(const struct carry *k, struct err *e)
{
	for (size_t i = 0; i < k->m.layers.n; i++)
		if (media_kind(k->m.layers.p[i].media_type) == MEDIA_FOREIGN_LAYER)
			return foreign(&k->m.layers.p[i], i, e);
	if (k->image || !k->c->to->images_only)
		return 0;
	err_set(e, ERR_DATA, "it is no image but an artifact (%s), and '%s' holds images only",
		k->m.artifact_type ? k->m.artifact_type : k->m.config.media_type, k->c->to->text);
	return err_hint(e, "copy it to a registry, oci:, oci-archive: or dir:");
}

/* ---- what becomes of the layers ---- */

static enum compression compression_of(const char *media_type)
{
	struct slice t = slice_of(media_type);
	return slice_ends(t, SL("gzip"))   ? COMP_GZIP
	       : slice_ends(t, SL("zstd")) ? COMP_ZSTD
					   : COMP_NONE;
}

/* True if the layer has to be changed, into p->into. */
static bool has_to_change(const struct carry *k, struct piece *p)
{
	const struct copy *c = k->c;
	enum compression now = compression_of(p->desc.media_type);
	p->into = now;
	if (c->to->plain)
		p->into = COMP_NONE;
	else if (c->o->compress)
		p->into = c->o->compression;
	else if (c->from->made && c->to->packs && now == COMP_NONE && !c->o->preserve)
		p->into = COMP_GZIP;
	/* some say plain of what is not: the digest knows */
	if (c->to->plain && p->diff_id)
		return !digest_eq(&p->desc.digest, p->diff_id);
	return p->into != now;
}

/* The place of a digest among the pieces, or n. */
static size_t piece_of(const struct carry *k, const struct digest *d)
{
	size_t i = 0;
	while (i < k->pieces.n && !digest_eq(&k->pieces.p[i].desc.digest, d))
		i++;
	return i;
}

static int read_config(struct carry *k, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (origin_read(k->c->from, &k->m.config, &b, e) < 0 ||
	    image_config_parse(buf_view(&b), &k->config, e) < 0)
		return err_add(e, "read the config");
	if (k->config.diff_ids.n != k->m.layers.n)
		return err_set(e, ERR_DATA, "the manifest has %zu layers, the config %zu",
			       k->m.layers.n, k->config.diff_ids.n);
	k->with_config = true;
	return 0;
}

/* A single image for another platform than was asked for would be a surprise. */
static int check_platform(const struct carry *k, struct err *e)
{
	const struct platform *want = k->c->o->platform;
	if (!want || k->c->o->all || k->c->chosen || !k->with_config ||
	    platform_eq(want, &k->config.platform))
		return 0;
	_free_ char *a = platform_text(&k->config.platform), *b = platform_text(want);
	return err_set(e, ERR_ABSENT, "the image is for %s, and for no other platform (%s)", a, b);
}

static void add_pieces(struct carry *k)
{
	struct piece p = { 0 };
	descriptor_copy(&p.desc, &k->m.config);
	arr_push(&k->pieces, p);
	for (size_t i = 0; i < k->m.layers.n; i++) {
		size_t at = piece_of(k, &k->m.layers.p[i].digest);
		arr_push(&k->where, at);
		if (at < k->pieces.n)
			continue;
		p = (struct piece){ 0 };
		descriptor_copy(&p.desc, &k->m.layers.p[i]);
		if (k->with_config)
			p.diff_id = &k->config.diff_ids.p[i];
		p.convert = k->image && has_to_change(k, &p);
		arr_push(&k->pieces, p);
	}
}

static int plan(struct carry *k, const struct descriptor *d, struct slice text, struct err *e)
{
	struct copy *c = k->c;
	if (manifest_parse(text, d->media_type, &k->m, e) < 0)
		return -1;
	bool config = media_kind(k->m.config.media_type) == MEDIA_CONFIG;
	/* BuildKit's attestations have an image's config and layers that are none: as they are. */
	k->image = config && all_layers_known(&k->m);
	if (check(k, e) < 0)
		return -1;
	bool needed = c->to->images_only || c->o->compress || c->from->made ||
		      (c->o->platform && !c->o->all);
	if (k->image && needed && (read_config(k, e) < 0 || check_platform(k, e) < 0))
		return -1;
	add_pieces(k);
	arr_each(it, &k->pieces)
		if (it->convert && c->o->preserve)
			return copy_preserve(c, "layers would have to be compressed anew", e);
	return 0;
}

/* ---- blobs ---- */

enum fate { FATE_SENT, FATE_THERE, FATE_MOUNTED };

/* What a child tells: how it went, and what the blob is now. */
static void tell(struct buf *out, enum fate fate, const struct descriptor *d)
{
	char text[DIGEST_LEN];
	buf_printf(out, "%d %s %" PRIu64 " %s", (int)fate, digest_text(&d->digest, text), d->size,
		   d->media_type);
}

static int send(struct copy *c, const struct parcel *p, struct transfer *t, struct buf *out,
		struct err *e)
{
	int has = c->to->ops->has(c->to, p, e);
	if (has < 0)
		return -1;
	if (t)
		transfer_is(t, has == DEST_HAS       ? TRANSFER_THERE
			       : has == DEST_MOUNTED ? TRANSFER_MOUNTED
						     : TRANSFER_RUNNING);
	if (has == DEST_LACKS && c->to->ops->blob(c->to, p, e) < 0)
		return -1;
	tell(out,
	     has == DEST_HAS       ? FATE_THERE
	     : has == DEST_MOUNTED ? FATE_MOUNTED
				   : FATE_SENT,
	     p->desc);
	return 0;
}

static int carry_one(struct carry *k, size_t i, struct transfer *t, struct buf *out, struct err *e)
{
	struct piece *p = &k->pieces.p[i];
	struct copy *c = k->c;
	struct parcel parcel = { &p->desc, p->diff_id, c->from, -1, t };
	char text[DIGEST_LEN];
	digest_text(&p->desc.digest, text);
	if (!p->convert)
		return send(c, &parcel, t, out, e) < 0 ? err_add(e, "copy the blob %s", text) : 0;
	if (t)
		transfer_is(t, TRANSFER_PACKING);
	_cleanup_(descriptor_done) struct descriptor made = { 0 };
	_close_ int fd = layer_convert(c->s, c->from, &p->desc, p->diff_id, p->into, c->o->level,
				       &made, e);
	parcel.desc = &made;
	parcel.fd = fd;
	if (fd < 0 || send(c, &parcel, t, out, e) < 0)
		return err_add(e, "copy the layer %s", text);
	return 0;
}

static int told(void *ctx, size_t i, struct slice bytes, struct err *e)
{
	struct carry *k = ctx;
	struct descriptor *d = &k->pieces.p[i].desc;
	struct image_copied *out = k->c->out;
	struct slice fate, digest, size;
	uint64_t n;
	if (!slice_split(&bytes, ' ', &fate) || !slice_split(&bytes, ' ', &digest) ||
	    !slice_split(&bytes, ' ', &size) || num_parse(size, UINT64_MAX, &n) < 0 ||
	    digest_parse(digest, &d->digest, e) < 0)
		return err_set(e, ERR_DATA, "a child process told nonsense");
	d->size = n;
	str_set(&d->media_type, slice_dup(bytes));
	if (slice_is(fate, "0")) {
		out->blobs++;
		out->bytes += n;
	} else {
		out->there += slice_is(fate, "1");
		out->mounted += slice_is(fate, "2");
	}
	return 0;
}

static void describe(void *ctx, size_t i, char name[static 16], int64_t *total)
{
	const struct carry *k = ctx;
	char hex[SHA256_HEX];
	(void)snprintf(name, 16, "%.12s", digest_hex(&k->pieces.p[i].desc.digest, hex));
	*total = (int64_t)k->pieces.p[i].desc.size;
}

static int work(void *ctx, size_t i, struct transfer *t, struct buf *out, struct err *e)
{
	struct carry *k = ctx;
	if (k->c->from->ops->forked)
		k->c->from->ops->forked(k->c->from);
	if (k->c->to->ops->forked)
		k->c->to->ops->forked(k->c->to);
	return carry_one(k, i, t, out, e);
}

/* The config first: a target may want it, and a registry that we may not write to says so early. */
static int carry_blobs(struct carry *k, struct err *e)
{
	for (size_t i = 0; i < k->pieces.n; i++) {
		_cleanup_(buf_done) struct buf b = { 0 };
		if (i > 0 && !k->c->to->serial)
			break;
		if (carry_one(k, i, NULL, &b, e) < 0 || told(k, i, buf_view(&b), e) < 0)
			return -1;
	}
	if (k->c->to->serial || k->pieces.n < 2)
		return 0;
	struct carry rest = *k;
	rest.pieces.p++;
	rest.pieces.n--;
	const struct transfer_work w = {
		.n = rest.pieces.n,
		.events = k->c->o->events,
		.ctx = &rest,
		.describe = describe,
		.work = work,
		.result = told,
	};
	return transfers_run(k->c->s, &w, e);
}

/* ---- the manifest ---- */

/* k->m with what its blobs are now. 1: it changed, 0: it did not. */
static int rewrite(struct carry *k, struct buf *text, struct err *e)
{
	const struct copy *c = k->c;
	bool docker = copy_to_docker(c, k->m.media_type),
	     was = !strcmp(k->m.media_type, MT_DOCKER_MANIFEST);
	bool changed = false;
	for (size_t i = 0; i < k->pieces.n; i++)
		changed |= k->pieces.p[i].convert;
	if (!k->image || (docker == was && !changed)) {
		if (!k->image && c->o->format == COPY_DOCKER && !was && !c->o->all)
			return err_set(e, ERR_DATA,
				       "it is no image (%s): only OCI's manifests hold "
				       "such things",
				       k->m.config.media_type);
		return 0;
	}
	if (c->o->preserve)
		return copy_preserve(c, "the manifest would have to be of another type", e);
	if (docker && k->m.subject)
		return err_set(e, ERR_DATA, "Docker's manifests cannot name a subject");
	manifest_convert(&k->m, docker);
	manifest_write(&k->m, text);
	return 1;
}

static void take_over(struct carry *k)
{
	struct manifest was = k->m; /* borrowed, but for the list that is replaced */
	memset(&k->m.layers, 0, sizeof k->m.layers);
	for (size_t i = 0; i < was.layers.n; i++) {
		const struct piece *p = &k->pieces.p[k->where.p[i]];
		struct descriptor d = { 0 };
		descriptor_copy(&d, &was.layers.p[i]);
		d.digest = p->desc.digest;
		d.size = p->desc.size;
		str_set(&d.media_type, str_dup(p->desc.media_type));
		arr_push(&k->m.layers, d);
	}
	arr_each(it, &was.layers)
		descriptor_done(it);
	arr_done(&was.layers);
}

/* What a registry has of an image of the store, for RepoDigests and for mounts (as push does). */
static int note_place(const struct carry *k, const struct descriptor *d, struct err *e)
{
	const struct copy *c = k->c;
	const struct reference *to = c->to->repository;
	if (!c->from->stored || !to)
		return 0;
	_free_ char *repo = str_printf("%s/%s", to->host, to->path);
	if (image_origin_add(c->s, c->from->stored, repo, &d->digest, e) < 0)
		return -1;
	arr_each(it, &k->m.layers)
		if (blob_place_add(c->s, &it->digest, repo, e) < 0)
			return -1;
	return 0;
}

int copy_manifest(struct copy *c, struct descriptor *d, struct slice text, bool top, struct err *e)
{
	_cleanup_(carry_done) struct carry k = { .c = c };
	_cleanup_(buf_done) struct buf b = { 0 };
	if (plan(&k, d, text, e) < 0 || carry_blobs(&k, e) < 0)
		return -1;
	take_over(&k);
	int r = rewrite(&k, &b, e);
	if (r < 0)
		return -1;
	if (r > 0) {
		text = buf_view(&b);
		digest_of(text, &d->digest);
		d->size = text.n;
	}
	str_set(&d->media_type, str_dup(k.m.media_type));
	if (k.m.artifact_type && !d->artifact_type)
		d->artifact_type = str_dup(k.m.artifact_type);
	c->out->manifests++;
	if (c->to->ops->manifest(c->to, d, text, top, e) < 0)
		return -1;
	return note_place(&k, d, e);
}
