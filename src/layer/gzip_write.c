/* SPDX-License-Identifier: Apache-2.0 */
/* layer/gzip_write.c: gzip on all processors, in one member.
 *
 * The input is cut into pieces of 1 MiB, each compressed by itself (libdeflate) and then joined:
 * the mark "last block" (BFINAL) of each piece is cleared, and where a piece does not end on a byte
 * an empty stored block fills up to one (RFC 1951, 3.2.4). Where BFINAL and the end are, zlib's
 * inflate tells, block by block. The cuts are fixed, so the bytes are the same however many threads
 * there are; pieces go out in their order, and at most two for each thread are in memory. */
#include "base/alloc.h"
#include "base/err.h"
#include "layer/codec.h"
#include <libdeflate.h>
#include <pthread.h>
#include <sched.h>
#include <zlib.h>

enum { PIECE = 1 << 20, THREADS_MAX = 16, LEVEL = 6, DRY = 64 << 10 };

enum state { EMPTY, FULL, BUSY, DONE };

struct piece {
	enum state state; /* under the lock */
	uint8_t *in, *out;
	size_t in_len, out_len;
	uint32_t crc;
	bool failed;
};

struct gzip {
	struct sink base;
	struct sink *out;
	int level;
	unsigned threads_n, started;
	pthread_t threads[THREADS_MAX];
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool stop;
	struct piece pieces[2 * THREADS_MAX]; /* a ring of 2 * threads_n */
	unsigned ring, fill, flush; /* the one being filled, the oldest not written; mod ring */
	size_t out_cap;
	struct libdeflate_compressor *own; /* where no thread could be started */
	uint32_t crc;
	uint64_t total;
	bool begun;
};

unsigned codec_threads(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (unsigned)n;
}

/* Bit positions in a raw deflate stream: of the last block's BFINAL, and behind the last block. */
static bool find_ends(const uint8_t *p, size_t n, uint64_t *bfinal, uint64_t *end)
{
	uint8_t *dry = mem_resize(NULL, DRY, 1);
	z_stream z = { .next_in = (Bytef *)p, .avail_in = (uInt)n };
	uint64_t before = 0;
	int r = inflateInit2(&z, -15);
	bool found = false;
	while (r == Z_OK && !found) {
		z.next_out = dry;
		z.avail_out = DRY;
		r = inflate(&z, Z_BLOCK);
		if (r != Z_OK && r != Z_STREAM_END)
			break;
		if (!(z.data_type & 128))
			continue;
		uint64_t at = 8 * (uint64_t)(n - z.avail_in) - (unsigned)(z.data_type & 31);
		if (z.data_type & 64) {
			*bfinal = before;
			*end = at;
			found = true;
		}
		before = at;
	}
	inflateEnd(&z);
	free(dry);
	return found;
}

static bool join_up(uint8_t *out, size_t *n)
{
	uint64_t bfinal, end;
	if (!find_ends(out, *n, &bfinal, &end))
		return false;
	out[bfinal / 8] &= (uint8_t) ~(1u << (bfinal % 8));
	unsigned pad = (unsigned)(8 * (uint64_t)*n - end);
	static const uint8_t stored[] = { 0, 0, 0, 0xff, 0xff };
	/* three bits of header: in the padding if it holds them, else in a byte more */
	size_t skip = pad == 0 ? sizeof stored : pad < 3 ? 0 : 1;
	memcpy(out + *n, stored + skip, sizeof stored - skip);
	*n += sizeof stored - skip;
	return pad < 8;
}

static void compress_piece(const struct gzip *g, struct libdeflate_compressor *c, struct piece *p)
{
	p->crc = libdeflate_crc32(0, p->in, p->in_len);
	p->out_len = libdeflate_deflate_compress(c, p->in, p->in_len, p->out, g->out_cap - 8);
	p->failed = p->out_len == 0 || !join_up(p->out, &p->out_len);
}

static struct piece *next_full(struct gzip *g)
{
	for (unsigned i = 0, at = g->flush; i < g->ring; i++, at = (at + 1) % g->ring)
		if (g->pieces[at].state == FULL)
			return &g->pieces[at];
	return NULL;
}

static void *work(void *arg)
{
	struct gzip *g = arg;
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(g->level);
	pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		struct piece *p = next_full(g);
		if (!p) {
			pthread_cond_wait(&g->moved, &g->lock);
			continue;
		}
		p->state = BUSY;
		pthread_mutex_unlock(&g->lock);
		if (c)
			compress_piece(g, c, p);
		else
			p->failed = true;
		pthread_mutex_lock(&g->lock);
		p->state = DONE;
		pthread_cond_broadcast(&g->moved);
	}
	pthread_mutex_unlock(&g->lock);
	libdeflate_free_compressor(c);
	return NULL;
}

static int write_begin(struct gzip *g, struct err *e)
{
	/* no time, no name, system unknown: RFC 1952, 2.3 */
	static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	if (g->begun)
		return 0;
	g->begun = true;
	return sink_write(g->out, head, sizeof head, e);
}

static int write_piece(struct gzip *g, struct piece *p, struct err *e)
{
	if (p->failed)
		return err_set(e, ERR_SYS, "libdeflate did not compress a piece");
	if (write_begin(g, e) < 0 || sink_write(g->out, p->out, p->out_len, e) < 0)
		return -1;
	g->crc = (uint32_t)crc32_combine(g->crc, p->crc, (z_off_t)p->in_len);
	g->total += p->in_len;
	p->in_len = 0;
	return 0;
}

static void start_threads(struct gzip *g)
{
	while (g->started < g->threads_n &&
	       pthread_create(&g->threads[g->started], NULL, work, g) == 0)
		g->started++;
}

/* Waits for the oldest piece and writes it. */
static int flush_one(struct gzip *g, struct err *e)
{
	struct piece *p = &g->pieces[g->flush];
	if (g->started == 0) {
		if (!g->own)
			g->own = libdeflate_alloc_compressor(g->level);
		if (!g->own)
			return err_set(e, ERR_SYS, "libdeflate does not start");
		compress_piece(g, g->own, p);
	} else {
		pthread_mutex_lock(&g->lock);
		while (p->state != DONE)
			pthread_cond_wait(&g->moved, &g->lock);
		pthread_mutex_unlock(&g->lock);
	}
	int r = write_piece(g, p, e);
	pthread_mutex_lock(&g->lock);
	p->state = EMPTY;
	g->flush = (g->flush + 1) % g->ring;
	pthread_mutex_unlock(&g->lock);
	return r;
}

/* The piece being filled is ready; the next one is made free. */
static int submit(struct gzip *g, struct err *e)
{
	pthread_mutex_lock(&g->lock);
	g->pieces[g->fill].state = FULL;
	g->fill = (g->fill + 1) % g->ring;
	pthread_cond_broadcast(&g->moved);
	pthread_mutex_unlock(&g->lock);
	return g->fill == g->flush ? flush_one(g, e) : 0;
}

static int gzip_write(struct sink *s, const void *data, size_t n, struct err *e)
{
	struct gzip *g = (struct gzip *)s;
	const uint8_t *from = data;
	while (n) {
		struct piece *p = &g->pieces[g->fill];
		if (!p->in) {
			p->in = mem_resize(NULL, PIECE, 1);
			p->out = mem_resize(NULL, g->out_cap, 1);
		}
		size_t some = PIECE - p->in_len < n ? PIECE - p->in_len : n;
		memcpy(p->in + p->in_len, from, some);
		p->in_len += some;
		from += some;
		n -= some;
		if (p->in_len < PIECE)
			continue;
		if (g->started == 0 && !g->own)
			start_threads(g); /* what fits in one piece needs none */
		if (submit(g, e) < 0)
			return -1;
	}
	return 0;
}

static void put_le32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static int gzip_finish(struct sink *s, struct err *e)
{
	struct gzip *g = (struct gzip *)s;
	uint8_t tail[10] = { 3, 0 }; /* an empty last block */
	if (g->pieces[g->fill].in_len && submit(g, e) < 0)
		return -1;
	while (g->flush != g->fill) /* a full ring was flushed when it became full */
		if (flush_one(g, e) < 0)
			return -1;
	put_le32(tail + 2, g->crc);
	put_le32(tail + 6, (uint32_t)g->total);
	if (write_begin(g, e) < 0)
		return -1;
	return sink_write(g->out, tail, sizeof tail, e);
}

static void gzip_close(struct sink *s)
{
	struct gzip *g = (struct gzip *)s;
	pthread_mutex_lock(&g->lock);
	g->stop = true;
	pthread_cond_broadcast(&g->moved);
	pthread_mutex_unlock(&g->lock);
	while (g->started)
		pthread_join(g->threads[--g->started], NULL);
	for (unsigned i = 0; i < g->ring; i++) {
		free(g->pieces[i].in);
		free(g->pieces[i].out);
	}
	libdeflate_free_compressor(g->own);
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->moved);
	free(g);
}

struct sink *gzip_sink(struct sink *out, int level, unsigned threads, struct err *e)
{
	static const struct sink_ops ops = { gzip_write, gzip_finish, gzip_close };
	if (level < 0 || level > 12) {
		(void)err_set(e, ERR_USER, "gzip has no level %d (1 to 12; 0: the default)", level);
		return NULL;
	}
	struct gzip *g = NEW(struct gzip);
	g->base.ops = &ops;
	g->out = out;
	g->level = level ? level : LEVEL;
	g->threads_n = threads == 0            ? codec_threads()
		       : threads > THREADS_MAX ? THREADS_MAX
					       : threads;
	g->ring = 2 * g->threads_n;
	g->out_cap = libdeflate_deflate_compress_bound(NULL, PIECE) + 16;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->moved, NULL);
	return &g->base;
}
