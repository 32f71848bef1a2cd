/* SPDX-License-Identifier: Apache-2.0 */
#include "image/dest.h"

#include "base/err.h"
#include "image/transfer.h"

struct counted {
	struct source base;
	struct source *in;
	struct transfer *t;
};

static ssize_t counted_read(struct source *base, void *p, size_t n, struct err *e)
{
	struct counted *c = (struct counted *)base;
	ssize_t got = source_read(c->in, p, n, e);
	if (got > 0)
		transfer_moved(c->t, got);
	return got;
}

static void counted_close(struct source *base)
{
	struct counted *c = (struct counted *)base;
	source_close(c->in);
	free(c);
}
static const struct source_ops counted_ops = { counted_read, counted_close };

struct source *parcel_open(const struct parcel *p, struct err *e)
{
	struct source *in = NULL;
	if (p->fd < 0)
		in = origin_blob(p->from, p->desc, e);
	else if (lseek(p->fd, 0, SEEK_SET) < 0)
		err_sys(e, "read a converted layer");
	else
		in = source_fd(p->fd);
	if (!in || !p->transfer)
		return in;
	struct counted *c = NEW(struct counted);
	*c = (struct counted){ { &counted_ops }, in, p->transfer };
	return &c->base;
}

int parcel_pour(void *parcel, struct sink *out, struct err *e)
{
	_cleanup_(source_closep) struct source *in = parcel_open(parcel, e);
	_free_ char *block = mem_alloc(1 << 16);
	ssize_t n = -1;
	while (in && (n = source_read(in, block, 1 << 16, e)) > 0)
		if (sink_write(out, block, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

struct dest *dest_open(struct store *s, const struct locator *l, const struct dest_opts *o,
			   struct err *e)
{
	struct dest *made = NULL;
	switch (l->kind) {
	case LOCATOR_STORE: made = dest_of_store(s, l, e); break;
	case LOCATOR_LAYOUT: made = dest_of_layout(l, e); break;
	case LOCATOR_ARCHIVE: made = dest_of_archive(l, e); break;
	case LOCATOR_DOCKER: made = dest_of_docker(l, e); break;
	case LOCATOR_DIR: made = dest_of_dir(l, e); break;
	case LOCATOR_REGISTRY: made = dest_of_registry(l, o, e); break;
	}
	if (!made) {
		err_add(e, "write '%s'", l->text);
		return NULL;
	}
	made->store = s;
	made->text = str_dup(l->text);
	return made;
}

void dest_close(struct dest *t)
{
	if (!t)
		return;
	free(t->text);
	t->ops->close(t);
}
