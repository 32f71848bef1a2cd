/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy_in.h"

#include <string.h>

#include "base/err.h"
#include "image/dest.h"
#include "image/origin.h"
#include "image/pick.h"

/* More than any index has; but each may name others, and these others … */
#define MANIFESTS_MAX 10000

void image_copied_done(struct image_copied *c)
{
	descriptor_done(&c->top);
}

int copy_preserve(const struct copy *c, const char *why, struct err *e)
{
	err_set(e, ERR_USER, "digests cannot be preserved: %s", why);
	return err_hint(e, "leave --preserve-digests away, or copy '%s' to a place of another kind",
			c->from->text);
}

bool copy_to_docker(const struct copy *c, const char *now)
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

/* ---- what a name leads to: an image, an index, one image of an index ---- */

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
	bool docker = copy_to_docker(c, x.media_type);
	bool changed = docker != !strcmp(x.media_type, MT_DOCKER_LIST);
	for (size_t i = 0; i < x.manifests.n; i++) {
		struct digest was = x.manifests.p[i].digest;
		if (copy_entry(c, &x.manifests.p[i], depth, e) < 0)
			return -1;
		changed |= !digest_eq(&was, &x.manifests.p[i].digest);
	}
	if (changed && c->o->preserve)
		return copy_preserve(c, "the index would have to be of another type", e);
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
		return copy_preserve(c, "an archive of docker's has no manifests", e);
	if (c->o->preserve && c->from->made)
		return copy_preserve(c, "an archive of docker's has no manifests", e);
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

/* ---- all of it ---- */

struct origin *copy_open_origin(struct copy *c, const struct locator *from,
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

void copy_init(struct copy *c, struct store *s, const struct image_copy_opts *o,
	       struct image_copied *done)
{
	*c = (struct copy){ .s = s, .o = o, .out = done };
	if (o->platform)
		platform_copy(&c->want, o->platform);
	else
		platform_host(&c->want);
}

void copy_done(struct copy *c)
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
	c.from = copy_open_origin(&c, from, to, e);
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
