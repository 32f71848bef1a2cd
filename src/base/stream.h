/* SPDX-License-Identifier: Apache-2.0 */
/* base/stream.h: bytes that come (source) and bytes that go (sink), one interface for files,
 * memory, hashing, compressing. Single-threaded from the caller's side.
 *
 *	struct source *in = source_fd(fd);           // or source_mem, gunzip_source (layer/compress.h) …
 *	while ((n = source_read(in, block, sizeof block, e)) > 0) …
 *	source_close(in);
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "base/attr.h"
#include "base/sha256.h"

struct err;
struct buf;

struct source;
struct source_ops {
	/* Up to n bytes (n > 0); 0 at the end; -1 and *e. Fewer than asked is fine. */
	ssize_t (*read)(struct source *s, void *p, size_t n, struct err *e);
	void (*close)(struct source *s); /* frees s too */
};
struct source {
	const struct source_ops *ops;
};

static inline ssize_t source_read(struct source *s, void *p, size_t n, struct err *e)
{
	return s->ops->read(s, p, n, e);
}
void source_close(struct source *s); /* NULL is fine */
DEFINE_CLEANUP(struct source, source_close)
/* Reads exactly n bytes unless the end comes first: the count, or -1. */
ssize_t source_full(struct source *s, void *p, size_t n, struct err *e) _must_check_;

struct source *source_fd(int fd);                            /* borrowed descriptor */
struct source *source_fd_take(int fd);                       /* closed with the source */
struct source *source_mem(const void *p, size_t n);          /* borrowed bytes */
/* Borrowed; what passes is hashed (sum) and counted (count is added to); either may be NULL. */
struct source *source_hash(struct source *in, struct sha256 *sum, uint64_t *count);

struct sink;
struct sink_ops {
	int (*write)(struct sink *s, const void *p, size_t n, struct err *e);
	int (*finish)(struct sink *s, struct err *e); /* flushes; may be NULL */
	void (*close)(struct sink *s);
};
struct sink {
	const struct sink_ops *ops;
};
static inline int sink_write(struct sink *s, const void *p, size_t n, struct err *e)
{
	return s->ops->write(s, p, n, e);
}
int sink_finish(struct sink *s, struct err *e) _must_check_;
void sink_close(struct sink *s); /* without finish: what was written is not complete */
DEFINE_CLEANUP(struct sink, sink_close)

struct sink *sink_fd(int fd);                                /* borrowed, buffered 64 KiB */
struct sink *sink_buf(struct buf *b);
/* Hashes and counts as source_hash; `out` (borrowed, and finished by its owner) may be NULL. */
struct sink *sink_hash(struct sink *out, struct sha256 *sum, uint64_t *count);
/* From now on what is written to a sink of sink_hash, which has a `sum`, is added to `also` as well
 * (sha256_add_both); NULL: no longer. */
void sink_hash_also(struct sink *s, struct sha256 *also);
