/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tree_digest.c: a tree held against its index, and content digests filled in. Files are
 * looked at in order by one thread; hashing is spread over several when there is enough of it. */
#include "base/err.h"
#include "base/map.h"
#include "layer/entry.h"
#include "layer/place.h"
#include "layer/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/sysmacros.h>

enum { THREADS_MAX = 8 };
#define WORTH_A_THREAD (4u << 20) /* bytes; starting one costs as much as hashing some 50 KiB */

static bool type_fits(const struct entry *ent, const struct stat *st)
{
	switch (ent->type) {
	case ENTRY_FILE: return S_ISREG(st->st_mode);
	case ENTRY_DIR: return S_ISDIR(st->st_mode);
	case ENTRY_SYMLINK: return S_ISLNK(st->st_mode);
	case ENTRY_FIFO: return S_ISFIFO(st->st_mode);
	case ENTRY_WHITEOUT: return S_ISCHR(st->st_mode) && st->st_rdev == 0;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		if (S_ISREG(st->st_mode)) /* stands for a device that could not be made */
			return st->st_size == 0;
		return (ent->type == ENTRY_CHAR ? S_ISCHR(st->st_mode) : S_ISBLK(st->st_mode)) &&
		       st->st_rdev == makedev(ent->major, ent->minor);
	}
	return false;
}

/* (dirfd, name) of an entry, whose type and length are as the index says. */
static int look_at(struct place *at, const struct entry *ent, int *dirfd, const char **name,
		   struct stat *st, struct err *e)
{
	*dirfd = place_at(at, ent->path, name, e);
	if (*dirfd < 0)
		return -1;
	if (fstatat(*dirfd, *name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? err_set(e, ERR_DATA, "it is missing in the tree")
				       : err_sys(e, "look at it in the tree");
	if (!type_fits(ent, st))
		return err_set(e, ERR_DATA, "it should be a %s and is something else",
			       entry_type_name(ent->type));
	if (ent->type == ENTRY_FILE && (uint64_t)st->st_size != ent->size)
		return err_set(e, ERR_DATA, "it should have %llu bytes and has %llu",
			       (unsigned long long)ent->size, (unsigned long long)st->st_size);
	return 0;
}

/* The files to be hashed, shared by the threads. */
struct hashing {
	int treefd;
	ARRAY_OF(struct entry *) todo;
	uint64_t bytes;
	struct digest *found; /* one for each in todo */
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock; /* of err */
	struct err *err;
};

static int hash_one(struct place *at, const struct entry *ent, struct digest *out, struct err *e)
{
	const char *name;
	uint64_t size;
	int dirfd = place_at(at, ent->path, &name, e);
	if (dirfd < 0)
		return -1;
	_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open");
	if (entry_digest_fd(fd, &size, out, e) < 0)
		return -1;
	if (size != ent->size)
		return err_set(e, ERR_DATA, "it changed while it was read");
	return 0;
}

static void *hash_some(void *arg)
{
	struct hashing *h = arg;
	_cleanup_(place_done) struct place at = PLACE_INIT(h->treefd);
	size_t i;
	while (!h->failed && (i = atomic_fetch_add(&h->next, 1)) < h->todo.n) {
		_cleanup_(err_done) struct err mine = { 0 };
		if (hash_one(&at, h->todo.p[i], &h->found[i], &mine) == 0)
			continue;
		(void)err_add(&mine, "'/%s'", h->todo.p[i]->path);
		pthread_mutex_lock(&h->lock);
		if (!h->failed && h->err)
			err_move(h->err, &mine);
		h->failed = true;
		pthread_mutex_unlock(&h->lock);
	}
	return NULL;
}

static unsigned threads_for(uint64_t bytes)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	uint64_t useful = 1 + bytes / WORTH_A_THREAD;
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	return useful < (uint64_t)n ? (unsigned)useful : (unsigned)n;
}

/* Threads that cannot be started are not missed: the caller's own does what is left. */
static int hash_all(struct hashing *h, struct err *e)
{
	pthread_t threads[THREADS_MAX];
	unsigned n = threads_for(h->bytes), started = 0;

	h->found = mem_array(h->todo.n + 1, sizeof(*h->found));
	h->err = e;
	pthread_mutex_init(&h->lock, NULL);
	while (started + 1 < n && pthread_create(&threads[started], NULL, hash_some, h) == 0)
		started++;
	hash_some(h);
	while (started)
		pthread_join(threads[--started], NULL);
	pthread_mutex_destroy(&h->lock);
	for (size_t i = 0; !h->failed && i < h->todo.n; i++) {
		h->todo.p[i]->digest = h->found[i];
		h->todo.p[i]->has_digest = true;
	}
	return h->failed ? -1 : 0;
}

static void collect(struct index *x, struct hashing *h)
{
	struct map groups = { 0 };
	arr_each(ent, &x->entries) {
		struct slice key = { (char *)&ent->group, sizeof ent->group };
		if (ent->type != ENTRY_FILE || ent->has_digest ||
		    (ent->group && map_has(&groups, key)))
			continue;
		if (ent->group)
			map_put(&groups, key, ent);
		arr_push(&h->todo, ent);
		h->bytes += ent->size + 4096; /* opening costs, too */
	}
	map_done(&groups);
}

int tree_digest(int treefd, struct index *x, struct err *e)
{
	_cleanup_(place_done) struct place at = PLACE_INIT(treefd);
	arr_each(ent, &x->entries) {
		int dirfd;
		const char *name;
		struct stat st;
		if (look_at(&at, ent, &dirfd, &name, &st, e) < 0)
			return err_add(e, "'/%s'", ent->path);
	}
	index_share_digests(x);
	struct hashing h = { .treefd = treefd };
	collect(x, &h);
	int r = h.todo.n ? hash_all(&h, e) : 0;
	if (r == 0)
		index_share_digests(x);
	arr_done(&h.todo);
	free(h.found);
	return r;
}
