/* SPDX-License-Identifier: Apache-2.0 */
/* The file: a head, then records of one size sorted by (device, inode), mapped and searched. Each
 * record carries a check of its own, so that what a crash left of the file is never believed, and
 * no time is spent on records that nobody asks for. */
#include "store/ctxcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/log.h"
#include "base/stream.h"
#include "store/internal.h"

#define MAGIC     "thimblectx2\n"
#define HEAD      16
#define KEEP_DAYS 30

struct record {
	uint64_t dev, ino, size;
	int64_t mtime, ctime, used;
	uint32_t mtime_ns, ctime_ns;
	uint64_t plain; /* 1: it has no extended attributes */
	struct digest digest;
	uint64_t check;
};
_Static_assert(sizeof(struct record) == 104, "no padding: records are written as they are");

struct ctxcache {
	struct store *store;
	char *path; /* in the store */
	const uint8_t *map;
	size_t map_len;
	const struct record *old; /* in map */
	size_t old_n;
	ARRAY_OF(struct record) fresh;
	struct timespec opened;
	bool changed;
};

static uint64_t check_of(const struct record *r)
{
	/* FNV-1a's way by words; not map_hash, which is seeded anew in each process. */
	uint64_t h = 0xcbf29ce484222325u, word;
	for (size_t i = 0; i < offsetof(struct record, check); i += sizeof word) {
		memcpy(&word, (const uint8_t *)r + i, sizeof word);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return h | 1;
}

static void map_file(struct ctxcache *c)
{
	struct stat st;
	_close_ int fd = openat(c->store->fd, c->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < HEAD || st.st_size > (1 << 30))
		return;
	/* Renamed into place and never written again: it cannot shrink under us. */
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return;
	c->map = p;
	c->map_len = (size_t)st.st_size;
	if (memcmp(p, MAGIC, sizeof MAGIC - 1) != 0)
		return;
	c->old = (const struct record *)(c->map + HEAD);
	c->old_n = (c->map_len - HEAD) / sizeof *c->old;
}

struct ctxcache *ctxcache_open(struct store *s, const char *context_path)
{
	struct ctxcache *c = NEW(struct ctxcache);
	struct digest key;
	c->store = s;
	digest_of(slice_of(context_path), &key);
	c->path = cache_path("context", &key);
	c->opened.tv_sec = time(NULL);
	(void)clock_gettime(CLOCK_REALTIME, &c->opened);
	map_file(c);
	return c;
}

static int cmp_records(const void *pa, const void *pb)
{
	const struct record *a = pa, *b = pb;
	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	return a->ino == b->ino ? 0 : a->ino < b->ino ? -1 : 1;
}

static struct record record_of(const struct stat *st)
{
	return (struct record){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.ctime = st->st_ctim.tv_sec,
		.ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
	};
}

static bool same_file(const struct record *a, const struct record *b)
{
	return cmp_records(a, b) == 0 && a->size == b->size && a->mtime == b->mtime &&
	       a->mtime_ns == b->mtime_ns && a->ctime == b->ctime && a->ctime_ns == b->ctime_ns;
}

const struct digest *ctxcache_find(struct ctxcache *c, const struct stat *st, bool *plain)
{
	struct record want = record_of(st);
	const struct record *r =
		c->old_n ? bsearch(&want, c->old, c->old_n, sizeof *c->old, cmp_records) : NULL;
	if (!r || !same_file(r, &want) || r->check != check_of(r))
		return NULL;
	if (c->opened.tv_sec - r->used > KEEP_DAYS * 86400 / 2) /* so that it is kept; seldom */
		ctxcache_put(c, st, &r->digest, r->plain == 1);
	*plain = r->plain == 1;
	return &r->digest;
}

static bool is_older(int64_t sec, uint32_t ns, const struct timespec *than)
{
	return sec < than->tv_sec || (sec == than->tv_sec && (long)ns < than->tv_nsec);
}

/* git's rule for racy files. A file that is written twice within one tick of the file system's
 * clock looks the same after the second time, so one that changed in the tick in which we read it
 * is not believed. All reading happens after ctxcache_open: what is older than that by more than
 * a tick (at most 10 ms; a second or two where times have no fraction) would show any change. */
static bool is_racy(const struct ctxcache *c, const struct record *r)
{
	struct timespec limit = c->opened;
	if (r->mtime_ns == 0 && r->ctime_ns == 0)
		limit.tv_sec -= 2;
	limit.tv_nsec -= 20 * 1000000;
	if (limit.tv_nsec < 0) {
		limit.tv_nsec += 1000000000;
		limit.tv_sec--;
	}
	return !is_older(r->ctime, r->ctime_ns, &limit);
}

void ctxcache_put(struct ctxcache *c, const struct stat *st, const struct digest *d, bool plain)
{
	struct record r = record_of(st);
	if (is_racy(c, &r))
		return;
	r.used = c->opened.tv_sec;
	r.digest = *d;
	r.plain = plain;
	r.check = check_of(&r);
	arr_push(&c->fresh, r);
	c->changed = true;
}

/* Merges what is new into what was there; new ones win, and what was not used for a month goes. */
static void merge(struct ctxcache *c, struct buf *out)
{
	size_t i = 0, k = 0;
	if (c->fresh.n > 1)
		qsort(c->fresh.p, c->fresh.n, sizeof *c->fresh.p, cmp_records);
	buf_add(out, MAGIC, sizeof MAGIC - 1);
	buf_zero(out, HEAD - (sizeof MAGIC - 1));
	while (i < c->old_n || k < c->fresh.n) {
		int cmp = i == c->old_n     ? 1
			  : k == c->fresh.n ? -1
					    : cmp_records(&c->old[i], &c->fresh.p[k]);
		const struct record *r = cmp < 0 ? &c->old[i] : &c->fresh.p[k];
		if (cmp < 0 ? r->check == check_of(r) &&
				      c->opened.tv_sec - r->used < KEEP_DAYS * 86400
			    : k + 1 == c->fresh.n || cmp_records(r, r + 1) != 0)
			buf_add(out, r, sizeof *r);
		i += cmp <= 0;
		k += cmp >= 0;
	}
}

void ctxcache_save_close(struct ctxcache *c)
{
	if (!c)
		return;
	if (c->changed) {
		_cleanup_(buf_done) struct buf b = { 0 };
		merge(c, &b);
		if (store_write(c->store, c->path, buf_view(&b), false, NULL) < 0)
			log_debug("cannot save the digests of context files");
	}
	if (c->map)
		(void)munmap((void *)c->map, c->map_len);
	arr_done(&c->fresh);
	free(c->path);
	free(c);
}
