/* SPDX-License-Identifier: Apache-2.0 */
/* An image of the store, as it leaves it (image/outgoing.h). */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/fs.h"
#include "image/origin.h"
#include "image/outgoing.h"
#include "store/image_origin.h"

struct from_store {
	struct origin base;
	struct image im;
	struct outgoing out;
};

static int top(struct origin *base, struct buf *text, struct descriptor *d, struct err *e)
{
	const struct from_store *o = (struct from_store *)base;
	(void)e;
	buf_add(text, o->out.manifest, o->out.manifest_n);
	d->media_type = str_dup(o->out.media_type);
	d->digest = o->out.manifest_digest;
	d->size = o->out.manifest_n;
	return 0;
}

/* Written from the tree into a file that has no name. */
static int write_out(struct store *s, const struct outgoing_layer *l, struct err *e)
{
	_close_ int fd = store_tmp_nameless(s, e);
	if (fd < 0)
		return -1;
	_cleanup_(sink_closep) struct sink *out = sink_fd(fd);
	if (outgoing_layer_write(s, l, out, e) < 0 || sink_finish(out, e) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read a layer");
	return take_fd(&fd);
}

static int open_layer(struct store *s, const struct outgoing_layer *l, struct err *e)
{
	if (l->from == OUTGOING_BLOB)
		return blob_open(s, &l->desc.digest, NULL, e);
	if (l->from == OUTGOING_TREE)
		return write_out(s, l, e);
	int fd = openat(store_fd(s), l->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(e, "open a compressed layer") : fd;
}

static struct source *blob(struct origin *base, const struct descriptor *d, struct err *e)
{
	struct from_store *o = (struct from_store *)base;
	int fd = -1;
	if (digest_eq(&d->digest, &o->out.config.digest)) {
		fd = blob_open(base->store, &d->digest, NULL, e);
		return fd < 0 ? NULL : source_fd_take(fd);
	}
	size_t i = 0;
	while (i < o->out.layers.n && !digest_eq(&o->out.layers.p[i].desc.digest, &d->digest))
		i++;
	assert(i < o->out.layers.n);
	fd = open_layer(base->store, &o->out.layers.p[i], e);
	return fd < 0 ? NULL : source_fd_take(fd);
}

/* A damaged blob is told of, and goes; what was written for the way is no blob. */
static int damaged(struct origin *base, const struct digest *d, struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	if (e && blob_check(base->store, d, &why) < 0 && why.kind == ERR_DATA)
		err_move(e, &why);
	return -1;
}

static void close_it(struct origin *base)
{
	struct from_store *o = (struct from_store *)base;
	if (base->store)
		outgoing_done(base->store, &o->out);
	image_done(&o->im);
	free(o);
}
static const struct origin_ops ops = {
	.top = top, .blob = blob, .close = close_it, .damaged = damaged
};

/* A pull would find its layers here by their diff ids, and not ask for the blobs. */
static int not_exactly(const struct from_store *o, struct err *e)
{
	_cleanup_(strs_done) struct strs places = { 0 };
	image_origins(o->base.store, &o->im.manifest_digest, &places);
	err_set(e, ERR_DATA, "the blobs that the image came as are not in the store, so its digest "
			     "cannot be preserved");
	if (places.n)
		return err_hint(e, "leave --preserve-digests away, or copy it from where it was: "
				   "docker://%s",
				places.p[places.n - 1]);
	return err_hint(e, "leave --preserve-digests away, or load the image again from an archive");
}

static int prepare(struct from_store *o, const struct origin_opts *opts, struct err *e)
{
	struct outgoing_opts out = {
		.compression = opts->as_stored ? COMP_NONE : opts->compression,
		.level = opts->level,
		.keep_types = true,
		.allow_rootfs = opts->allow_rootfs,
	};
	if (outgoing_prepare(o->base.store, &o->im, &out, &o->out, e) < 0)
		return -1;
	if (!opts->exactly || digest_eq(&o->out.manifest_digest, &o->im.manifest_digest))
		return 0;
	return not_exactly(o, e);
}

/* By the manifest's digest also what has no name and is not listed any more, but is kept for a list of
 * images (store/lists.h). */
static int open_image(struct store *s, const char *what, struct image *im, struct err *e)
{
	struct digest d;
	if (digest_parse(slice_of(what), &d, NULL) == 0 && image_open_digest(s, &d, im, NULL) == 0)
		return 0;
	return image_open(s, what, im, e);
}

struct origin *origin_of_store(struct store *s, const struct locator *l,
			       const struct origin_opts *opts, struct err *e)
{
	struct from_store *o = NEW(struct from_store);
	o->base = (struct origin){ .ops = &ops, .store = s };
	if (open_image(s, l->path, &o->im, e) < 0) {
		if (e && e->kind == ERR_ABSENT)
			locator_hint(l, e);
	} else if (prepare(o, opts, e) == 0) {
		o->base.stored = &o->im.manifest_digest;
		return &o->base;
	}
	close_it(&o->base);
	return NULL;
}
