/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fs.h"
#include "image/referrers.h"
#include "image/dest.h"
#include "registry/client.h"

struct to_registry {
	struct dest base;
	struct registry *r;
	struct reference ref;
	/* begun where a mount did not come about */
	struct upload *upload;
	struct digest upload_for;
};

static void close_it(struct dest *base)
{
	struct to_registry *t = (struct to_registry *)base;
	registry_close(t->r);
	reference_done(&t->ref);
	free(t);
}

static void forked(struct dest *base)
{
	registry_after_fork(((struct to_registry *)base)->r);
}

/* ---- blobs ---- */

static int has(struct dest *base, const struct parcel *p, struct err *e)
{
	struct to_registry *t = (struct to_registry *)base;
	const struct reference *from = p->from->repository;
	int r = registry_blob_has(t->r, &p->desc->digest, NULL, e);
	if (r != 0)
		return r < 0 ? -1 : DEST_HAS;
	if (p->fd >= 0 || !from || strcmp(from->host, t->ref.host) != 0 ||
	    strcmp(from->path, t->ref.path) == 0)
		return DEST_LACKS;
	r = registry_blob_mount(t->r, &p->desc->digest, from->path, &t->upload, e);
	t->upload_for = p->desc->digest;
	return r < 0 ? -1 : r ? DEST_MOUNTED : DEST_LACKS;
}

/* What comes once can be sent again from a file without a name. */
struct spooled {
	struct source *in;
	const struct descriptor *desc;
	int fd;
	uint64_t have;
	bool whole;
};

static int spool_more(struct spooled *s, struct err *e)
{
	char block[1 << 16];
	ssize_t n = source_read(s->in, block, sizeof block, e);
	if (n < 0)
		return -1;
	s->whole = n == 0;
	s->have += (uint64_t)n;
	return n > 0 ? fd_write_all(s->fd, block, (size_t)n, e) : 0;
}

/* The end is told only when all was verified; the last bytes are, when they were read. */
static ssize_t spool_read(void *ctx, void *p, size_t n, uint64_t at, struct err *e)
{
	struct spooled *s = ctx;
	while (!s->whole && (s->have <= at || s->have == s->desc->size))
		if (spool_more(s, e) < 0)
			return -1;
	ssize_t got = at < s->have ? fd_pread(s->fd, p, n, at) : 0;
	return got < 0 ? err_sys(e, "read a blob that was put by") : got;
}

static int spool_digest(void *ctx, struct digest *out, uint64_t *size, struct err *e)
{
	const struct spooled *s = ctx;
	(void)e;
	*out = s->desc->digest;
	*size = s->desc->size;
	return 0;
}

static int blob(struct dest *base, const struct parcel *p, struct err *e)
{
	struct to_registry *t = (struct to_registry *)base;
	_cleanup_(source_closep) struct source *in = parcel_open(p, e);
	_close_ int fd = in ? store_tmp_nameless(base->store, e) : -1;
	if (fd < 0)
		return -1;
	struct spooled s = { .in = in, .desc = p->desc, .fd = fd };
	const struct upload_from from = { &s, spool_read, (int64_t)p->desc->size, spool_digest };
	struct upload *u = NULL;
	if (t->upload && digest_eq(&t->upload_for, &p->desc->digest))
		u = take_ptr(&t->upload);
	return registry_blob_put(t->r, u, &from, NULL, NULL, e);
}

/* ---- manifests ---- */

static int manifest(struct dest *base, const struct descriptor *d, struct slice text, bool top,
		    struct err *e)
{
	struct to_registry *t = (struct to_registry *)base;
	_cleanup_(manifest_done) struct manifest m = { 0 };
	char digest[DIGEST_LEN];
	bool indexed = false;
	const char *what = digest_text(&d->digest, digest);
	if (top && t->ref.tag)
		what = t->ref.tag;
	if (top && t->ref.has_digest && !digest_eq(&t->ref.digest, &d->digest)) {
		err_set(e, ERR_USER, "what is copied has digest %s, not the one that was named",
			digest_text(&d->digest, digest));
		return err_hint(e, "leave out what follows '@'");
	}
	if (registry_manifest_put(t->r, what, text, d->media_type, &indexed, e) < 0)
		return -1;
	if (indexed || media_kind(d->media_type) != MEDIA_MANIFEST)
		return 0;
	if (manifest_parse(text, d->media_type, &m, e) < 0)
		return -1;
	return m.subject ? referrers_tag_add(t->r, &m, d, e) : 0;
}

static int finish(struct dest *base, const struct descriptor *top, struct err *e)
{
	(void)base, (void)top, (void)e;
	return 0; /* the tag was set with the top manifest, the last that went */
}
static const struct dest_ops ops = { has, blob, manifest, finish, close_it, forked };

struct dest *dest_of_registry(const struct locator *l, const struct dest_opts *o,
				  struct err *e)
{
	if (!o->registry) {
		err_set(e, ERR_USER, "a registry cannot be written here");
		return NULL;
	}
	struct to_registry *t = NEW(struct to_registry);
	t->base = (struct dest){ .ops = &ops, .packs = true };
	(void)reference_copy(&t->ref, &l->ref);
	t->base.repository = &t->ref;
	t->r = registry_open(o->registry, &t->ref, REGISTRY_PUSH, e);
	if (t->r)
		return &t->base;
	close_it(&t->base);
	return NULL;
}
