/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/readahead.h"
#include "base/alloc.h"
#include "base/err.h"
#include <pthread.h>

enum { SLOTS = 4, SLOT = 256 << 10 };

struct readahead {
	struct source base;
	struct source *in;
	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock;
	pthread_cond_t moved; /* full or taken has changed */
	char *slots[SLOTS];
	size_t len[SLOTS];
	unsigned full, taken; /* slots filled and emptied so far; under the lock */
	bool ended, stop; /* under the lock */
	int result; /* of the last read: 0 or -1 with err; read after `ended` */
	struct err err;
	size_t at; /* in slot taken % SLOTS; the reader's own */
};

/* A whole slot unless the end comes first: few hand-overs. */
static ssize_t fill_slot(struct readahead *r, char *slot)
{
	return source_full(r->in, slot, SLOT, &r->err);
}

static void *read_all(void *arg)
{
	struct readahead *r = arg;
	pthread_mutex_lock(&r->lock);
	while (!r->stop && !r->ended) {
		if (r->full - r->taken == SLOTS) {
			pthread_cond_wait(&r->moved, &r->lock);
			continue;
		}
		unsigned i = r->full % SLOTS;
		pthread_mutex_unlock(&r->lock);
		ssize_t n = fill_slot(r, r->slots[i]);
		pthread_mutex_lock(&r->lock);
		if (n > 0) {
			r->len[i] = (size_t)n;
			r->full++;
		}
		if (n < SLOT) {
			r->result = n < 0 ? -1 : 0;
			r->ended = true;
		}
		pthread_cond_broadcast(&r->moved);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static ssize_t take(struct readahead *r, void *p, size_t n)
{
	unsigned i = r->taken % SLOTS;
	size_t some = r->len[i] - r->at < n ? r->len[i] - r->at : n;
	memcpy(p, r->slots[i] + r->at, some);
	r->at += some;
	if (r->at < r->len[i])
		return (ssize_t)some;
	r->at = 0;
	pthread_mutex_lock(&r->lock);
	r->taken++;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
	return (ssize_t)some;
}

static ssize_t readahead_read(struct source *s, void *p, size_t n, struct err *e)
{
	struct readahead *r = (struct readahead *)s;
	if (!r->threaded)
		return source_read(r->in, p, n, e);
	pthread_mutex_lock(&r->lock);
	while (r->full == r->taken && !r->ended)
		pthread_cond_wait(&r->moved, &r->lock);
	bool some = r->full != r->taken;
	pthread_mutex_unlock(&r->lock);
	if (some)
		return take(r, p, n);
	if (r->result < 0 && e)
		err_move(e, &r->err);
	return r->result;
}

static void readahead_close(struct source *s)
{
	struct readahead *r = (struct readahead *)s;
	if (r->threaded) {
		pthread_mutex_lock(&r->lock);
		r->stop = true;
		pthread_cond_broadcast(&r->moved);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
	}
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->moved);
	for (int i = 0; i < SLOTS; i++)
		free(r->slots[i]);
	err_done(&r->err);
	free(r);
}

struct source *source_readahead(struct source *in)
{
	static const struct source_ops ops = { readahead_read, readahead_close };
	struct readahead *r = NEW(struct readahead);
	r->base.ops = &ops;
	r->in = in;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->moved, NULL);
	for (int i = 0; i < SLOTS; i++)
		r->slots[i] = mem_resize(NULL, SLOT, 1);
	r->threaded = pthread_create(&r->thread, NULL, read_all, r) == 0;
	return &r->base;
}
