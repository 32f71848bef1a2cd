/* SPDX-License-Identifier: Apache-2.0 */
#include "image/spool.h"

#include "base/err.h"
#include "base/fs.h"

static int spool_write(struct sink *base, const void *p, size_t n, struct err *e)
{
	struct spool *s = (struct spool *)base;
	if (fd_write_all(s->fd, p, n, e) < 0)
		return -1;
	pthread_mutex_lock(&s->lock);
	s->size += n;
	bool broken = s->broken;
	pthread_cond_signal(&s->grown);
	pthread_mutex_unlock(&s->lock);
	return broken ? err_set(e, ERR_SYS, "nobody wants the rest") : 0;
}

static int spool_finish(struct sink *base, struct err *e)
{
	(void)e;
	struct spool *s = (struct spool *)base;
	pthread_mutex_lock(&s->lock);
	s->whole = true;
	pthread_cond_signal(&s->grown);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static void spool_close(struct sink *base)
{
	(void)base; /* ends with spool_done */
}

void spool_init(struct spool *s, int fd)
{
	static const struct sink_ops ops = { spool_write, spool_finish, spool_close };
	*s = (struct spool){ .base.ops = &ops, .fd = fd };
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->grown, NULL);
}

void spool_done(struct spool *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->grown);
}

void spool_break(struct spool *s)
{
	pthread_mutex_lock(&s->lock);
	s->broken = true;
	pthread_cond_signal(&s->grown);
	pthread_mutex_unlock(&s->lock);
}

ssize_t spool_pread(struct spool *s, void *p, size_t n, uint64_t at, struct err *e)
{
	pthread_mutex_lock(&s->lock);
	while (s->size <= at && !s->whole && !s->broken)
		pthread_cond_wait(&s->grown, &s->lock);
	uint64_t size = s->size;
	bool broken = s->broken;
	pthread_mutex_unlock(&s->lock);
	if (broken)
		return err_set(e, ERR_SYS, "the layer could not be compressed");
	if (at >= size)
		return 0;
	if (n > size - at)
		n = (size_t)(size - at);
	ssize_t got = fd_pread(s->fd, p, n, at);
	return got < 0 ? err_sys(e, "read a compressed layer") : got;
}
