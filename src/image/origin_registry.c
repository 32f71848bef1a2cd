/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "image/origin.h"
#include "registry/client.h"

struct from_registry {
	struct origin base;
	struct registry *r;
	struct reference ref;
};

static void close_it(struct origin *base)
{
	struct from_registry *o = (struct from_registry *)base;
	registry_close(o->r);
	reference_done(&o->ref);
	free(o);
}

static int get(struct from_registry *o, const char *what, struct buf *text, struct descriptor *d,
	       struct err *e)
{
	struct registry_manifest m = { 0 };
	if (registry_manifest_get(o->r, what, &m, e) < 0)
		return -1;
	buf_slice(text, buf_view(&m.bytes));
	if (d) {
		d->media_type = take_ptr(&m.media_type);
		d->digest = m.digest;
		d->size = m.bytes.len;
	}
	registry_manifest_done(&m);
	return 0;
}

static int top(struct origin *base, struct buf *text, struct descriptor *d, struct err *e)
{
	struct from_registry *o = (struct from_registry *)base;
	char digest[DIGEST_LEN];
	return get(o, o->ref.has_digest ? digest_text(&o->ref.digest, digest) : o->ref.tag, text, d,
		   e);
}

static int manifest(struct origin *base, const struct descriptor *d, struct buf *text,
		    struct err *e)
{
	char digest[DIGEST_LEN];
	return get((struct from_registry *)base, digest_text(&d->digest, digest), text, NULL, e);
}

static struct source *blob(struct origin *base, const struct descriptor *d, struct err *e)
{
	return registry_blob_get(((struct from_registry *)base)->r, d, e);
}
static void forked(struct origin *base)
{
	registry_after_fork(((struct from_registry *)base)->r);
}
static const struct origin_ops ops = { top, manifest, blob, close_it, forked };

struct origin *origin_of_registry(const struct locator *l, const struct origin_opts *opts,
				  struct err *e)
{
	if (!opts->registry) {
		err_set(e, ERR_USER, "a registry cannot be read here");
		return NULL;
	}
	struct from_registry *o = NEW(struct from_registry);
	o->base = (struct origin){ .ops = &ops, .blobs_verified = true };
	(void)reference_copy(&o->ref, &l->ref);
	o->base.repository = &o->ref;
	o->r = registry_open(opts->registry, &o->ref, REGISTRY_PULL, e);
	if (o->r)
		return &o->base;
	close_it(&o->base);
	return NULL;
}
