/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy.h"

#include <fcntl.h>
#include <inttypes.h>

#include "base/err.h"
#include "base/num.h"
#include "image/convert.h"
#include "image/copy_in.h"
#include "image/origin.h"
#include "image/pick.h"
#include "image/dest.h"
#include "oci/config.h"
#include "store/image_origin.h"

/* More than any index has; but each may name others, and these others … */
#define MANIFESTS_MAX 10000

/* A manifest below an index that is at the target. */
struct carried {
	struct digest was;
	struct descriptor now;
};

struct copy {
	struct store *s;
	const struct image_copy_opts *o;
	struct origin *from;
	struct dest *to;
	struct platform want;
	bool chosen; /* the image is an index's for that platform: its word counts */
	struct image_copied *out;
	ARRAY_OF(struct carried) carried; /* each once, however often it is named */
};

/* One manifest on its way, with the blobs that it names. */
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

void image_copied_done(struct image_copied *c)
{
	descriptor_done(&c->top);
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

static int preserve(const struct copy *c, const char *why, struct err *e)
{
	err_set(e, ERR_USER, "digests cannot be preserved: %s", why);
	return err_hint(e, "leave --preserve-digests away, or copy '%s' to a place of another kind",
			c->from->text);
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
			return preserve(c, "layers would have to be compressed anew", e);
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

/* ---- manifests ---- */

static bool to_docker(const struct copy *c, const char *now)
{
	switch (c->o->format) {
	case COPY_OCI: return false;
	case COPY_DOCKER: return true;
	case COPY_KEEP: break;
	}
	if (c->from->made)
		return !c->to->prefers_oci;
	return strcmp(now, MT_DOCKER_MANIFEST) == 0 || strcmp(now, MT_DOCKER_LIST) == 0;
}

/* k->m with what its blobs are now. 1: it changed, 0: it did not. */
static int rewrite(struct carry *k, struct buf *text, struct err *e)
{
	const struct copy *c = k->c;
	bool docker = to_docker(c, k->m.media_type), was = !strcmp(k->m.media_type, MT_DOCKER_MANIFEST);
	bool changed = false;
	for (size_t i = 0; i < k->pieces.n; i++)
		changed |= k->pieces.p[i].convert;
	if (!k->image || (docker == was && !changed)) {
		if (!k->image && c->o->format == COPY_DOCKER && !was && !c->o->all)
			return err_set(e, ERR_DATA, "it is no image (%s): only OCI's manifests hold "
						    "such things",
				       k->m.config.media_type);
		return 0;
	}
	if (c->o->preserve)
		return preserve(c, "the manifest would have to be of another type", e);
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

/* d: as it comes, then as it is at the target. */
static int copy_manifest(struct copy *c, struct descriptor *d, struct slice text, bool top,
			 struct err *e)
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

static int copy_any(struct copy *c, struct descriptor *d, struct slice text, bool top,
		    unsigned depth, struct err *e);

static bool was_carried(const struct copy *c, struct descriptor *d)
{
	arr_each(it, &c->carried) {
		if (!digest_eq(&it->was, &d->digest))
			continue;
		d->digest = it->now.digest;
		d->size = it->now.size;
		str_set(&d->media_type, str_dup(it->now.media_type));
		if (it->now.artifact_type && !d->artifact_type)
			d->artifact_type = str_dup(it->now.artifact_type);
		return true;
	}
	return false;
}

static void note_carried(struct copy *c, const struct digest *was, const struct descriptor *now)
{
	struct carried *it = arr_add(&c->carried);
	it->was = *was;
	descriptor_copy(&it->now, now);
}

static int copy_entry(struct copy *c, struct descriptor *d, unsigned depth, struct err *e)
{
	struct digest was = d->digest;
	_cleanup_(buf_done) struct buf text = { 0 };
	enum media_kind kind = media_kind(d->media_type);
	char name[DIGEST_LEN];
	digest_text(&d->digest, name);
	if (kind != MEDIA_MANIFEST && kind != MEDIA_INDEX)
		return err_set(e, ERR_DATA, "the index names %s, which is neither an image nor an "
					    "index but '%s'",
			       name, d->media_type);
	if (was_carried(c, d))
		return 0;
	if (origin_manifest(c->from, d, &text, e) < 0)
		return -1;
	if (copy_any(c, d, buf_view(&text), false, depth + 1, e) < 0)
		return err_add(e, "image %s", name);
	note_carried(c, &was, d);
	return 0;
}

static int copy_index(struct copy *c, struct descriptor *d, struct slice text, bool top,
		      unsigned depth, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	if (image_index_parse(text, d->media_type, &x, e) < 0)
		return -1;
	if (x.manifests.n + c->carried.n > MANIFESTS_MAX)
		return err_set(e, ERR_DATA,
			       "the index, and the indexes that it names, have more than %d images",
			       MANIFESTS_MAX);
	bool docker = to_docker(c, x.media_type);
	bool changed = docker != !strcmp(x.media_type, MT_DOCKER_LIST);
	for (size_t i = 0; i < x.manifests.n; i++) {
		struct digest was = x.manifests.p[i].digest;
		if (copy_entry(c, &x.manifests.p[i], depth, e) < 0)
			return -1;
		changed |= !digest_eq(&was, &x.manifests.p[i].digest);
	}
	if (changed && c->o->preserve)
		return preserve(c, "the index would have to be of another type", e);
	str_set(&d->media_type, str_dup(x.media_type));
	if (changed) {
		str_set(&x.media_type, str_dup(docker ? MT_DOCKER_LIST : MT_OCI_INDEX));
		image_index_write(&x, &b);
		text = buf_view(&b);
		str_set(&d->media_type, str_dup(x.media_type));
		digest_of(text, &d->digest);
		d->size = text.n;
	}
	c->out->manifests++;
	return c->to->ops->manifest(c->to, d, text, top, e);
}

static int copy_chosen(struct copy *c, struct descriptor *d, struct slice text, unsigned depth,
		       struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	if (image_index_parse(text, d->media_type, &x, e) < 0)
		return -1;
	const struct descriptor *found = index_pick(&x, &c->want, e);
	if (!found || origin_manifest(c->from, found, &b, e) < 0)
		return -1;
	descriptor_copy(d, found);
	json_decref(d->annotations); /* they are the index's */
	d->annotations = NULL;
	c->chosen = true;
	return copy_any(c, d, buf_view(&b), true, depth + 1, e);
}

static int copy_any(struct copy *c, struct descriptor *d, struct slice text, bool top,
		    unsigned depth, struct err *e)
{
	if (depth > INDEX_DEPTH_MAX)
		return err_set(e, ERR_DATA, "indexes in indexes, %u deep", INDEX_DEPTH_MAX);
	switch (manifest_sniff(text)) {
	case MEDIA_MANIFEST: return copy_manifest(c, d, text, top, e);
	case MEDIA_INDEX: break;
	default:
		return err_set(e, ERR_DATA, "it is neither an image manifest nor an index");
	}
	if (!c->o->all)
		return copy_chosen(c, d, text, depth, e);
	if (!c->to->images_only)
		return copy_index(c, d, text, top, depth, e);
	err_set(e, ERR_USER, "'%s' holds an image for one platform, not an index", c->to->text);
	return err_hint(e, "leave --all away; --platform chooses");
}

static int copy_all(struct copy *c, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	struct descriptor *top = &c->out->top;
	if (c->o->preserve && c->to->plain)
		return preserve(c, "an archive of docker's has no manifests", e);
	if (c->o->preserve && c->from->made)
		return preserve(c, "an archive of docker's has no manifests", e);
	if (origin_top(c->from, &text, top, e) < 0)
		return -1;
	struct digest was = top->digest;
	c->to->source = c->from->repository;
	if (copy_any(c, top, buf_view(&text), true, 0, e) < 0)
		return -1;
	/* what the name stood for there: an index, when one image of it was chosen */
	struct descriptor named = *top;
	if (c->to->images_only)
		named.digest = was;
	return c->to->ops->finish(c->to, &named, e);
}

static struct origin *open_origin(struct copy *c, const struct locator *from,
				  const struct locator *to, struct err *e)
{
	const struct image_copy_opts *o = c->o;
	const struct origin_opts opts = {
		.registry = o->from_registry,
		.platform = &c->want,
		.compression = o->compress ? o->compression : COMP_GZIP,
		.level = o->level,
		/* what is packed for the way would only be unpacked again */
		.as_stored = o->preserve || to->kind == LOCATOR_STORE || to->kind == LOCATOR_DOCKER,
		.exactly = o->preserve,
		.allow_rootfs = o->allow_rootfs || to->kind == LOCATOR_STORE,
	};
	return origin_open(c->s, from, &opts, e);
}

static void copy_init(struct copy *c, struct store *s, const struct image_copy_opts *o,
		      struct image_copied *done)
{
	*c = (struct copy){ .s = s, .o = o, .out = done };
	if (o->platform)
		platform_copy(&c->want, o->platform);
	else
		platform_host(&c->want);
}

static void copy_done(struct copy *c)
{
	dest_close(c->to);
	origin_close(c->from);
	platform_done(&c->want);
	arr_each(it, &c->carried)
		descriptor_done(&it->now);
	arr_done(&c->carried);
}

int image_copy(struct store *s, const struct locator *from, const struct locator *to,
	       const struct image_copy_opts *o, struct image_copied *out, struct err *e)
{
	struct image_copied done = { 0 };
	struct copy c;
	copy_init(&c, s, o, &done);
	c.from = open_origin(&c, from, to, e);
	if (c.from)
		c.to = dest_open(s, to, &(struct dest_opts){ o->to_registry }, e);
	int r = c.to ? copy_all(&c, e) : -1;
	copy_done(&c);
	if (r < 0) {
		image_copied_done(&done);
		return err_add(e, "copy '%s' to '%s'", from->text, to->text);
	}
	*out = done;
	return 0;
}

/* ---- several to one index ---- */

static int copy_member(struct copy *c, const struct copy_member *m, const struct locator *to,
		       struct descriptor *out, struct err *e)
{
	_cleanup_(locator_done) struct locator at = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(descriptor_done) struct descriptor d = { 0 };
	if (locator_parse(m->from, &at, e) < 0)
		return -1;
	c->from = open_origin(c, &at, to, e);
	if (!c->from || origin_top(c->from, &text, &d, e) < 0 ||
	    copy_manifest(c, &d, buf_view(&text), false, e) < 0)
		return err_add(e, "copy '%s'", m->from);
	origin_close(take_ptr(&c->from));
	descriptor_copy(out, m->desc);
	out->digest = d.digest;
	out->size = d.size;
	str_set(&out->media_type, str_dup(d.media_type));
	return 0;
}

static bool all_docker(const struct image_index *x)
{
	arr_each(it, &x->manifests)
		if (strcmp(it->media_type, MT_DOCKER_MANIFEST) != 0)
			return false;
	return true;
}

static int put_index(struct copy *c, struct image_index *x, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { .max = MANIFEST_MAX };
	struct descriptor *top = &c->out->top;
	bool docker = c->o->format == COPY_KEEP ? all_docker(x) : c->o->format == COPY_DOCKER;
	x->media_type = str_dup(docker ? MT_DOCKER_LIST : MT_OCI_INDEX);
	image_index_write(x, &b);
	if (buf_check(&b, "the index", e) < 0)
		return -1;
	top->media_type = str_dup(x->media_type);
	digest_of(buf_view(&b), &top->digest);
	top->size = b.len;
	c->out->manifests++;
	if (c->to->ops->manifest(c->to, top, buf_view(&b), true, e) < 0)
		return -1;
	return c->to->ops->finish(c->to, top, e);
}

static int copy_members(struct copy *c, const struct copy_member *list, size_t n,
			const struct locator *to, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	if (c->to->images_only)
		return err_set(e, ERR_USER, "'%s' holds an image for one platform, not an index",
			       to->text);
	for (size_t i = 0; i < n; i++)
		if (copy_member(c, &list[i], to, arr_add(&x.manifests), e) < 0)
			return -1;
	return put_index(c, &x, e);
}

int image_copy_members(struct store *s, const struct copy_member *list, size_t n,
		       const struct locator *to, const struct image_copy_opts *o,
		       struct image_copied *out, struct err *e)
{
	struct image_copied done = { 0 };
	struct copy c;
	copy_init(&c, s, o, &done);
	c.to = dest_open(s, to, &(struct dest_opts){ o->to_registry }, e);
	int r = c.to ? copy_members(&c, list, n, to, e) : -1;
	copy_done(&c);
	if (r < 0) {
		image_copied_done(&done);
		return err_add(e, "write the index '%s'", to->text);
	}
	*out = done;
	return 0;
}
