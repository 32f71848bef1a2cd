/* SPDX-License-Identifier: Apache-2.0 */
/* image/spool.h: a file that one thread writes while another reads it: a layer is compressed and
 * sent at the same time, and what was sent can be sent again after a broken connection. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/stream.h"

struct err;

struct spool {
	struct sink base; /* the writer's; sink_finish says that all is there */
	int fd; /* borrowed, O_RDWR */
	pthread_mutex_t lock;
	pthread_cond_t grown;
	uint64_t size;
	bool whole, broken; /* broken: the writer gave up, or the reader */
};
void spool_init(struct spool *s, int fd);
void spool_done(struct spool *s);
/* For the reader: up to n bytes at this offset, waits for them; 0 at the end; -1: the writer gave up
 * (ERR_SYS without a cause of its own: the writer has it). */
ssize_t spool_pread(struct spool *s, void *p, size_t n, uint64_t at, struct err *e) _must_check_;
/* Either side ends it early: the other one's next call fails. */
void spool_break(struct spool *s);
