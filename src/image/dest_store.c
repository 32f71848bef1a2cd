/* SPDX-License-Identifier: Apache-2.0 */
/* The store: layers are unpacked, and kept as they came besides, so that they can go on unchanged. */
#include "base/err.h"
#include "image/layer_in.h"
#include "image/dest.h"
#include "store/image.h"
#include "store/image_origin.h"

struct to_store {
	struct dest base;
	struct reference ref;
	struct manifest m;
	struct digest manifest;
};

static void close_it(struct dest *base)
{
	struct to_store *t = (struct to_store *)base;
	reference_done(&t->ref);
	manifest_done(&t->m);
	free(t);
}

static int has(struct dest *base, const struct parcel *p, struct err *e)
{
	(void)e;
	if (!p->diff_id)
		return DEST_LACKS; /* small; written anew it is right, whatever a crash left */
	return layer_is_there(base->store, p->diff_id) ? DEST_HAS : DEST_LACKS;
}

static int put_config(struct dest *base, const struct parcel *p, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct digest d;
	if (origin_read(p->from, p->desc, &b, e) < 0)
		return -1;
	return blob_put(base->store, buf_view(&b), &d, e);
}

static int blob(struct dest *base, const struct parcel *p, struct err *e)
{
	char id[SNAP_ID];
	if (!p->diff_id)
		return put_config(base, p, e);
	_cleanup_(source_closep) struct source *in = parcel_open(p, e);
	if (!in)
		return -1;
	const struct layer_stream l = { in, p->desc->digest, p->desc->size, p->desc->media_type,
					*p->diff_id };
	return layer_take_stream(base->store, &l, id, e);
}

static int manifest(struct dest *base, const struct descriptor *d, struct slice text, bool top,
		    struct err *e)
{
	struct to_store *t = (struct to_store *)base;
	(void)top;
	manifest_done(&t->m);
	if (manifest_parse(text, d->media_type, &t->m, e) < 0 ||
	    blob_put(base->store, text, &t->manifest, e) < 0)
		return -1;
	return image_adopt(base->store, &t->manifest, e);
}

/* For RepoDigests, and for mounts when it is pushed. */
static int note_source(struct to_store *t, const struct descriptor *top, struct err *e)
{
	const struct reference *from = t->base.source;
	if (!from)
		return 0;
	_free_ char *repo = str_printf("%s/%s", from->host, from->path);
	if (image_origin_add(t->base.store, &t->manifest, repo, &top->digest, e) < 0)
		return -1;
	arr_each(it, &t->m.layers)
		if (blob_place_add(t->base.store, &it->digest, repo, e) < 0)
			return -1;
	return 0;
}

static int finish(struct dest *base, const struct descriptor *top, struct err *e)
{
	struct to_store *t = (struct to_store *)base;
	_free_ char *name = reference_text(&t->ref);
	if (note_source(t, top, e) < 0)
		return -1;
	return name_set(base->store, name, &t->manifest, e);
}
static const struct dest_ops ops = { has, blob, manifest, finish, close_it, NULL };

struct dest *dest_of_store(struct store *s, const struct locator *l, struct err *e)
{
	struct to_store *t = NEW(struct to_store);
	t->base = (struct dest){ .ops = &ops, .store = s, .images_only = true };
	if (reference_parse(slice_of(l->path), &t->ref, e) == 0) {
		if (!t->ref.has_digest)
			return &t->base;
		err_set(e, ERR_USER, "a new name cannot have a digest");
		err_hint(e, "leave out what follows '@'");
	} else {
		locator_hint(l, e);
	}
	close_it(&t->base);
	return NULL;
}
