/* SPDX-License-Identifier: Apache-2.0 */
#include "image/origin.h"

#include <assert.h>
#include <inttypes.h>

#include "base/err.h"

/* ---- bytes that are checked while they pass ---- */

struct checked {
	struct source base;
	struct origin *from;
	struct source *in;
	struct sha256 sum;
	uint64_t n, size;
	struct digest want;
	bool done;
};

static int wrong(struct checked *c, struct err *e)
{
	return c->from->ops->damaged ? c->from->ops->damaged(c->from, &c->want, e) : -1;
}

static int check_end(struct checked *c, struct err *e)
{
	struct digest got;
	char a[DIGEST_LEN], b[DIGEST_LEN];
	if (c->n < c->size) {
		err_set(e, ERR_DATA, "it has %" PRIu64 " bytes, not %" PRIu64, c->n, c->size);
		return wrong(c, e);
	}
	sha256_end(&c->sum, got.b);
	c->done = true;
	if (digest_eq(&got, &c->want))
		return 0;
	err_set(e, ERR_DATA, "its bytes have digest %s, not %s", digest_text(&got, a),
		digest_text(&c->want, b));
	return wrong(c, e);
}

static ssize_t checked_read(struct source *base, void *p, size_t n, struct err *e)
{
	struct checked *c = (struct checked *)base;
	if (c->done)
		return 0;
	ssize_t got = source_read(c->in, p, n, e);
	if (got < 0)
		return -1;
	if (got == 0)
		return check_end(c, e);
	c->n += (uint64_t)got;
	if (c->n > c->size) {
		err_set(e, ERR_DATA, "it has more than the %" PRIu64 " bytes that it should",
			c->size);
		return wrong(c, e);
	}
	sha256_add(&c->sum, p, (size_t)got);
	return got;
}

static void checked_close(struct source *base)
{
	struct checked *c = (struct checked *)base;
	source_close(c->in);
	free(c);
}
static const struct source_ops checked_ops = { checked_read, checked_close };

static struct source *check(struct origin *o, struct source *in, const struct descriptor *d)
{
	struct checked *c = NEW(struct checked);
	c->base.ops = &checked_ops;
	c->from = o;
	c->in = in;
	c->size = d->size;
	c->want = d->digest;
	sha256_begin(&c->sum);
	return &c->base;
}

/* ---- the interface ---- */

struct origin *origin_open(struct store *s, const struct locator *l, const struct origin_opts *o,
			   struct err *e)
{
	struct origin *made = NULL;
	switch (l->kind) {
	case LOCATOR_STORE: made = origin_of_store(s, l, o, e); break;
	case LOCATOR_LAYOUT:
	case LOCATOR_ARCHIVE: made = origin_of_layout(s, l, o, e); break;
	case LOCATOR_DOCKER: made = origin_of_docker(s, l, e); break;
	case LOCATOR_DIR: made = origin_of_dir(s, l, e); break;
	case LOCATOR_REGISTRY: made = origin_of_registry(l, o, e); break;
	}
	if (!made) {
		err_add(e, "read '%s'", l->text);
		return NULL;
	}
	made->store = s;
	made->text = str_dup(l->text);
	return made;
}

void origin_close(struct origin *o)
{
	if (!o)
		return;
	free(o->text);
	o->ops->close(o);
}

int origin_top(struct origin *o, struct buf *text, struct descriptor *d, struct err *e)
{
	if (o->ops->top(o, text, d, e) < 0)
		return err_add(e, "read '%s'", o->text);
	return 0;
}

int origin_manifest(struct origin *o, const struct descriptor *d, struct buf *text, struct err *e)
{
	struct digest got;
	char a[DIGEST_LEN], b[DIGEST_LEN];
	if (d->size > MANIFEST_MAX)
		return err_set(e, ERR_DATA,
			       "the manifest %s is said to have %" PRIu64
			       " bytes; at most %u are taken",
			       digest_text(&d->digest, a), d->size, MANIFEST_MAX);
	assert(o->ops->manifest);
	if (o->ops->manifest(o, d, text, e) < 0)
		return err_add(e, "read the manifest %s in '%s'", digest_text(&d->digest, a),
			       o->text);
	digest_of(buf_view(text), &got);
	if (text->len == d->size && digest_eq(&got, &d->digest))
		return 0;
	return err_set(e, ERR_DATA,
		       "a manifest in '%s' has %zu bytes and digest %s, not %" PRIu64 " and %s",
		       o->text, text->len, digest_text(&got, a), d->size,
		       digest_text(&d->digest, b));
}

struct source *origin_blob(struct origin *o, const struct descriptor *d, struct err *e)
{
	char text[DIGEST_LEN];
	struct source *in = o->ops->blob(o, d, e);
	if (!in) {
		err_add(e, "read the blob %s in '%s'", digest_text(&d->digest, text), o->text);
		return NULL;
	}
	return o->blobs_verified ? in : check(o, in, d);
}

int origin_read(struct origin *o, const struct descriptor *d, struct buf *out, struct err *e)
{
	char block[1 << 14], text[DIGEST_LEN];
	ssize_t n;
	if (d->size > MANIFEST_MAX)
		return err_set(e, ERR_DATA,
			       "the config is said to have %" PRIu64 " bytes; at most %u are taken",
			       d->size, MANIFEST_MAX);
	_cleanup_(source_closep) struct source *in = origin_blob(o, d, e);
	while (in && (n = source_read(in, block, sizeof block, e)) > 0)
		buf_add(out, block, (size_t)n);
	if (!in || n < 0)
		return err_add(e, "read the config %s in '%s'", digest_text(&d->digest, text),
			       o->text);
	return 0;
}
