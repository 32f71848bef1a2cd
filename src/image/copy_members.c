/* SPDX-License-Identifier: Apache-2.0 */
#include "image/copy_members.h"

#include <string.h>

#include "base/err.h"
#include "image/copy_in.h"
#include "image/dest.h"
#include "image/origin.h"

static int copy_member(struct copy *c, const struct copy_member *m, const struct locator *to,
		       struct descriptor *out, struct err *e)
{
	_cleanup_(locator_done) struct locator at = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	_cleanup_(descriptor_done) struct descriptor d = { 0 };
	if (locator_parse(m->from, &at, e) < 0)
		return -1;
	c->from = copy_open_origin(c, &at, to, e);
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
