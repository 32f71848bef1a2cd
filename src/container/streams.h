/* SPDX-License-Identifier: Apache-2.0 */
/* container/streams.h: bytes between the caller's descriptors and a program's, both ways at once in
 * one poll loop. The caller's descriptors keep their flags (they are shared with other processes),
 * so nothing is read or written but what poll promises not to block. */
#pragma once
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"
#include "base/buf.h"

#define STREAM_BLOCK 16384

struct stream {
	int from, to;          /* -1: ended; to -1 with keep: kept, not written */
	bool own_from, own_to; /* closed at the end */
	struct buf *keep;      /* the last keep_max bytes go here */
	size_t keep_max;
	uint64_t count;
	size_t at, len;        /* what is read and not yet written */
	char block[STREAM_BLOCK];
};
#define STREAM_INIT { .from = -1, .to = -1 }

bool stream_ended(const struct stream *s);
/* The poll entry that it waits for. */
struct pollfd stream_poll(const struct stream *s);
/* After poll: moves what can be moved. Failures end the stream (the program then sees a closed
 * pipe, as it would without us between). */
void stream_move(struct stream *s, short revents);
void stream_done(struct stream *s);
