/* SPDX-License-Identifier: Apache-2.0 */
#include "container/streams.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

bool stream_ended(const struct stream *s)
{
	return s->from < 0 && s->len == 0;
}

struct pollfd stream_poll(const struct stream *s)
{
	if (s->len > 0)
		return (struct pollfd){ s->to, POLLOUT, 0 };
	return (struct pollfd){ s->from, POLLIN, 0 };
}

static void end_from(struct stream *s)
{
	if (s->own_from && s->from >= 0)
		(void)close(s->from);
	s->from = -1;
}

static void end_to(struct stream *s)
{
	if (s->own_to && s->to >= 0)
		(void)close(s->to);
	s->to = -1;
}

static void keep_tail(struct stream *s, const char *p, size_t n)
{
	struct buf *b = s->keep;
	buf_add(b, p, n);
	if (b->len > 2 * s->keep_max) {
		memmove(b->p, b->p + b->len - s->keep_max, s->keep_max + 1);
		b->len = s->keep_max;
	}
}

static void fill(struct stream *s)
{
	ssize_t n = read(s->from, s->block, sizeof s->block);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* a pty whose last slave was closed says EIO */
		end_from(s);
		end_to(s);
		return;
	}
	s->count += (uint64_t)n;
	if (s->keep)
		keep_tail(s, s->block, (size_t)n);
	if (s->to >= 0) {
		s->at = 0;
		s->len = (size_t)n;
	}
}

void stream_move(struct stream *s, short revents)
{
	if (!revents)
		return;
	if (s->len == 0) {
		fill(s);
		return;
	}
	/* POLLOUT of a pipe promises room for PIPE_BUF bytes, not more: pipe(7) */
	size_t want = s->len < PIPE_BUF ? s->len : PIPE_BUF;
	ssize_t n = write(s->to, s->block + s->at, want);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		s->len = 0;
		end_to(s);
		end_from(s);
		return;
	}
	s->at += (size_t)n;
	s->len -= (size_t)n;
}

void stream_done(struct stream *s)
{
	end_from(s);
	end_to(s);
	s->len = 0;
	if (s->keep && s->keep->len > s->keep_max) {
		struct buf *b = s->keep;
		memmove(b->p, b->p + b->len - s->keep_max, s->keep_max + 1);
		b->len = s->keep_max;
	}
}
