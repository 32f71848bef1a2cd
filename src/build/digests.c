/* SPDX-License-Identifier: Apache-2.0 */
/* Content digests of many files at once. Opening and looking up is done by one thread; hashing by
 * as many as there are processors, each taking the next file. All threads have ended when this
 * returns: a process with threads could not enter a user namespace. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "build/source.h"

enum { THREADS_MAX = 8, BLOCK = 1 << 18, INLINE_BYTES = 1 << 18 };

struct job {
	struct source_want *want;
	ARRAY_OF(size_t) todo;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock;
	struct err err; /* the first one */
};

static int read_digest(int fd, struct digest *out, uint64_t *size)
{
	_free_ char *block = malloc(BLOCK);
	if (!block)
		return -1;
	struct sha256 sum;
	sha256_begin(&sum);
	*size = 0;
	ssize_t n;
	while ((n = fd_read(fd, block, BLOCK)) > 0) {
		sha256_add(&sum, block, (size_t)n);
		*size += (uint64_t)n;
	}
	if (n < 0)
		return -1;
	sha256_end(&sum, out->b);
	return 0;
}

static int hash_one(struct source_want *w, struct err *e)
{
	_close_ int fd = source_tree_open(w->tree, &w->hit, e);
	if (fd < 0)
		return -1;
	uint64_t size;
	if (read_digest(fd, &w->digest, &size) < 0)
		return err_sys(e, "read '%s'", w->hit.entry->path);
	if (size != w->hit.entry->size || !source_unchanged(w, fd)) {
		err_set(e, ERR_USER, "'%s' changed while it was read", w->hit.entry->path);
		return err_hint(e, "build again when nothing writes to the context");
	}
	return 0;
}

static void *worker(void *arg)
{
	struct job *j = arg;
	size_t at;
	while (!j->failed && (at = atomic_fetch_add(&j->next, 1)) < j->todo.n) {
		struct err e = { 0 };
		if (hash_one(&j->want[j->todo.p[at]], &e) == 0)
			continue;
		pthread_mutex_lock(&j->lock);
		if (!j->failed)
			err_move(&j->err, &e);
		j->failed = true;
		pthread_mutex_unlock(&j->lock);
		err_done(&e);
	}
	return NULL;
}

/* The store remembers digests of files of layers by snapshot and path. */
static void layer_key(const struct source_want *w, struct digest *key)
{
	struct sha256 sum;
	sha256_begin(&sum);
	const char *id = w->tree->layers.p[w->hit.layer]->id;
	sha256_field(&sum, id, strlen(id));
	sha256_field(&sum, w->hit.entry->path, strlen(w->hit.entry->path));
	sha256_end(&sum, key->b);
}

static struct source_tree *dir_of(const struct source_want *w)
{
	if (w->hit.layer >= 0)
		return NULL;
	return w->tree->under ? w->tree->under : w->tree;
}

static bool known(struct source_want *w)
{
	if (w->hit.entry->has_digest) {
		w->digest = w->hit.entry->digest;
		return true;
	}
	if (w->hit.entry->size == 0) { /* nothing to read; sockets are told so, and cannot be opened */
		digest_of((struct slice){ "", 0 }, &w->digest);
		return true;
	}
	struct source_tree *dir = dir_of(w);
	if (dir) {
		const struct digest *d = source_recalled(w->hit.entry);
		if (d)
			w->digest = *d;
		return d;
	}
	struct digest key;
	layer_key(w, &key);
	return cache_get_digest(w->tree->store, "file", &key, &w->digest);
}

static int remember(struct source_want *w, struct err *e)
{
	struct source_tree *dir = dir_of(w);
	if (dir) {
		struct stat st;
		source_seen(w->hit.entry, &st);
		ctxcache_put(dir->digests, &st, &w->digest, w->hit.entry->xattrs_n == 0);
		return 0;
	}
	struct digest key;
	layer_key(w, &key);
	return cache_put_digest(w->tree->store, "file", &key, &w->digest, e);
}

int source_digests(struct source_want *want, size_t n, struct err *e)
{
	struct job j = { .want = want, .lock = PTHREAD_MUTEX_INITIALIZER };
	uint64_t bytes = 0;
	for (size_t i = 0; i < n; i++) {
		if (want[i].hit.entry->type != ENTRY_FILE || known(&want[i]))
			continue;
		arr_push(&j.todo, i);
		bytes += want[i].hit.entry->size;
	}
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (size_t)cpus;
	if (bytes < INLINE_BYTES || j.todo.n < 2)
		threads = 1;
	pthread_t ids[THREADS_MAX];
	size_t started = 0;
	while (started + 1 < threads && pthread_create(&ids[started], NULL, worker, &j) == 0)
		started++;
	(void) worker(&j);
	for (size_t i = 0; i < started; i++)
		(void) pthread_join(ids[i], NULL);

	int r = 0;
	if (j.failed) {
		err_move(e, &j.err);
		r = -1;
	}
	for (size_t i = 0; r == 0 && i < j.todo.n; i++)
		r = remember(&want[j.todo.p[i]], e);
	err_done(&j.err);
	arr_done(&j.todo);
	return r;
}

bool source_unchanged(const struct source_want *w, int fd)
{
	struct stat st;
	if (!dir_of(w))
		return true; /* snapshots are immutable */
	return fstat(fd, &st) == 0 && source_is_same(w->hit.entry, &st);
}
