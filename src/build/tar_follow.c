/* SPDX-License-Identifier: Apache-2.0 */
#include "build/tar_follow.h"

#include <pthread.h>

#include "base/err.h"
#include "layer/tree.h"

/* Telling costs a wake-up, and starting a thread as much as hashing some 50 KiB. */
enum { TELL_EVERY = 128, WORTH_A_THREAD = 1 << 20 };

struct tar_follow {
	pthread_t thread;
	int treefd;
	const struct index *index;
	size_t told;       /* by the writer, its own */
	uint64_t untold;   /* bytes since */
	pthread_mutex_t lock;
	pthread_cond_t more;
	size_t written;    /* under lock: entries before this one are there */
	bool given_up;
	int result;
	struct tree_stream sum;
	struct err err;
};

static int wait_for(void *ctx, size_t entry)
{
	struct tar_follow *f = ctx;
	pthread_mutex_lock(&f->lock);
	while (f->written <= entry && !f->given_up)
		pthread_cond_wait(&f->more, &f->lock);
	int r = f->given_up ? -1 : 0;
	pthread_mutex_unlock(&f->lock);
	return r;
}

static void *follow(void *arg)
{
	struct tar_follow *f = arg;
	struct tree_gate gate = { wait_for, f };
	f->result = tree_sum_behind(f->treefd, f->index, &gate, &f->sum, &f->err);
	return NULL;
}

struct tar_follow *tar_follow_start(int treefd, const struct index *x)
{
	if (index_size(x) < WORTH_A_THREAD)
		return NULL;
	struct tar_follow *f = NEW(struct tar_follow);
	f->treefd = treefd;
	f->index = x;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->more, NULL);
	if (pthread_create(&f->thread, NULL, follow, f) == 0)
		return f;
	free(f);
	return NULL;
}

static void tell(struct tar_follow *f, size_t entry, bool given_up)
{
	pthread_mutex_lock(&f->lock);
	f->written = entry;
	f->given_up = given_up;
	pthread_cond_signal(&f->more);
	pthread_mutex_unlock(&f->lock);
	f->told = entry;
	f->untold = 0;
}

void tar_follow_until(struct tar_follow *f, size_t entry)
{
	if (!f)
		return;
	if (entry > 0)
		f->untold += f->index->entries.p[entry - 1].size;
	if (entry - f->told >= TELL_EVERY || f->untold >= WORTH_A_THREAD)
		tell(f, entry, false);
}

int tar_follow_end(struct tar_follow *f, bool whole, struct tree_stream *out, struct err *e)
{
	tell(f, whole ? SIZE_MAX : f->told, !whole);
	(void) pthread_join(f->thread, NULL);
	int r = whole ? f->result : -1;
	if (r == 0)
		*out = f->sum;
	else if (whole && e)
		err_move(e, &f->err);
	err_done(&f->err);
	pthread_cond_destroy(&f->more);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return r;
}
