/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stream.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

static void free_source(struct source *s)
{
	free(s);
}

void source_close(struct source *s)
{
	if (s)
		s->ops->close(s);
}

ssize_t source_full(struct source *s, void *p, size_t n, struct err *e)
{
	size_t done = 0;
	while (done < n) {
		ssize_t got = source_read(s, (char *)p + done, n - done, e);
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

struct source_of_fd {
	struct source base;
	int fd;
	bool owned;
};

static ssize_t fd_source_read(struct source *s, void *p, size_t n, struct err *e)
{
	struct source_of_fd *f = (struct source_of_fd *)s;
	ssize_t got = fd_read_some(f->fd, p, n);
	return got < 0 ? err_sys(e, "read") : got;
}

static void fd_source_close(struct source *s)
{
	struct source_of_fd *f = (struct source_of_fd *)s;
	if (f->owned)
		(void)close(f->fd);
	free(f);
}

static struct source *fd_source(int fd, bool owned)
{
	static const struct source_ops ops = { fd_source_read, fd_source_close };
	struct source_of_fd *f = NEW(struct source_of_fd);
	*f = (struct source_of_fd){ { &ops }, fd, owned };
	return &f->base;
}

struct source *source_fd(int fd)
{
	return fd_source(fd, false);
}

struct source *source_fd_take(int fd)
{
	return fd_source(fd, true);
}

struct source_of_mem {
	struct source base;
	struct slice left;
};

static ssize_t mem_source_read(struct source *s, void *p, size_t n, _unused_ struct err *e)
{
	struct source_of_mem *m = (struct source_of_mem *)s;
	if (n > m->left.n)
		n = m->left.n;
	if (n)
		memcpy(p, m->left.p, n);
	m->left = slice_from(m->left, n);
	return (ssize_t)n;
}

struct source *source_mem(const void *p, size_t n)
{
	static const struct source_ops ops = { mem_source_read, free_source };
	struct source_of_mem *m = NEW(struct source_of_mem);
	*m = (struct source_of_mem){ { &ops }, { p ? p : "", n } };
	return &m->base;
}

struct source_hashed {
	struct source base;
	struct source *in;
	struct sha256 *sum;
	uint64_t *count;
};

static ssize_t hashed_read(struct source *s, void *p, size_t n, struct err *e)
{
	struct source_hashed *h = (struct source_hashed *)s;
	ssize_t got = source_read(h->in, p, n, e);
	if (got <= 0)
		return got;
	if (h->sum)
		sha256_add(h->sum, p, (size_t)got);
	if (h->count)
		*h->count += (uint64_t)got;
	return got;
}

struct source *source_hash(struct source *in, struct sha256 *sum, uint64_t *count)
{
	static const struct source_ops ops = { hashed_read, free_source };
	struct source_hashed *h = NEW(struct source_hashed);
	*h = (struct source_hashed){ { &ops }, in, sum, count };
	return &h->base;
}

int sink_finish(struct sink *s, struct err *e)
{
	return s->ops->finish ? s->ops->finish(s, e) : 0;
}

void sink_close(struct sink *s)
{
	if (s)
		s->ops->close(s);
}

static void free_sink(struct sink *s)
{
	free(s);
}

struct sink_to_fd {
	struct sink base;
	int fd;
	size_t n;
	char data[64 * 1024];
};

static int fd_sink_finish(struct sink *s, struct err *e)
{
	struct sink_to_fd *f = (struct sink_to_fd *)s;
	size_t n = f->n;
	f->n = 0;
	return fd_write_all(f->fd, f->data, n, e);
}

static int fd_sink_write(struct sink *s, const void *p, size_t n, struct err *e)
{
	struct sink_to_fd *f = (struct sink_to_fd *)s;
	if (n > sizeof f->data - f->n && fd_sink_finish(s, e) < 0)
		return -1;
	if (n >= sizeof f->data)
		return fd_write_all(f->fd, p, n, e);
	if (n)
		memcpy(f->data + f->n, p, n);
	f->n += n;
	return 0;
}

struct sink *sink_fd(int fd)
{
	static const struct sink_ops ops = { fd_sink_write, fd_sink_finish, free_sink };
	struct sink_to_fd *f = mem_resize(NULL, 1, sizeof *f); /* data is not worth zeroing */
	f->base.ops = &ops;
	f->fd = fd;
	f->n = 0;
	return &f->base;
}

struct sink_to_buf {
	struct sink base;
	struct buf *out;
};

static int buf_sink_write(struct sink *s, const void *p, size_t n, struct err *e)
{
	struct buf *out = ((struct sink_to_buf *)s)->out;
	buf_add(out, p, n);
	return buf_check(out, "what is written", e);
}

struct sink *sink_buf(struct buf *b)
{
	static const struct sink_ops ops = { buf_sink_write, NULL, free_sink };
	struct sink_to_buf *s = NEW(struct sink_to_buf);
	*s = (struct sink_to_buf){ { &ops }, b };
	return &s->base;
}

struct sink_hashed {
	struct sink base;
	struct sink *out;
	struct sha256 *sum, *also;
	uint64_t *count;
};

static int hashed_write(struct sink *s, const void *p, size_t n, struct err *e)
{
	struct sink_hashed *h = (struct sink_hashed *)s;
	if (h->out && sink_write(h->out, p, n, e) < 0)
		return -1;
	if (h->also)
		sha256_add_both(h->sum, h->also, p, n);
	else if (h->sum)
		sha256_add(h->sum, p, n);
	if (h->count)
		*h->count += n;
	return 0;
}

void sink_hash_also(struct sink *s, struct sha256 *also)
{
	((struct sink_hashed *)s)->also = also;
}

struct sink *sink_hash(struct sink *out, struct sha256 *sum, uint64_t *count)
{
	static const struct sink_ops ops = { hashed_write, NULL, free_sink };
	struct sink_hashed *h = NEW(struct sink_hashed);
	*h = (struct sink_hashed){ { &ops }, out, sum, NULL, count };
	return &h->base;
}
