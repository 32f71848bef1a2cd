/* SPDX-License-Identifier: Apache-2.0 */
/* A server for tests: a child on a loopback port of its own that answers each request with the first
 * of its replies that fits and is not used up. What it was asked is kept in shared memory. */
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "../unit.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

enum {
	REPLY_CLOSE = 1, /* and the connection ends */
	REPLY_EARLY = 2, /* before the request's body is read */
	REPLY_SLOW = 4, /* a byte each 2 ms */
	REPLY_RESET = 8, /* ends with RST */
	REPLY_SEND = 16, /* `more` bytes of zeros follow */
	REPLY_TRICKLE = 32, /* a byte each 20 ms */
};
struct reply {
	const char *when; /* in the request's line or headers; NULL: always */
	const char *raw; /* "": nothing is sent. "$PORT" is the server's own */
	unsigned times; /* 0: always */
	int flags;
	uint64_t more;
};

struct seen {
	_Atomic unsigned connections, requests;
	_Atomic uint64_t body; /* bytes of all requests' bodies */
	_Atomic unsigned used[64]; /* replies */
	atomic_size_t n;
	char text[1 << 16]; /* request lines and headers, one after the other */
};

struct server {
	pid_t pid;
	unsigned port;
	struct seen *seen;
};

struct conn {
	int fd;
	char b[1 << 16];
	size_t n;
};

static inline bool conn_fill(struct conn *c)
{
	ssize_t got = c->n < sizeof c->b ? read(c->fd, c->b + c->n, sizeof c->b - c->n) : 0;
	c->n += got > 0 ? (size_t)got : 0;
	return got > 0;
}

static inline void conn_drop(struct conn *c, size_t n)
{
	memmove(c->b, c->b + n, c->n - n);
	c->n -= n;
}

/* n bytes that are counted only. */
static inline bool conn_skip(struct conn *c, uint64_t n, struct seen *seen)
{
	seen->body += n;
	while (n) {
		if (c->n == 0 && !conn_fill(c))
			return false;
		size_t some = c->n < n ? c->n : (size_t)n;
		conn_drop(c, some);
		n -= some;
	}
	return true;
}

static inline bool conn_chunks(struct conn *c, struct seen *seen)
{
	for (;;) {
		char *end;
		while (!(end = memmem(c->b, c->n, "\r\n", 2)))
			if (!conn_fill(c))
				return false;
		uint64_t n = strtoull(c->b, NULL, 16);
		conn_drop(c, (size_t)(end + 2 - c->b));
		if (!conn_skip(c, n + 2, seen))
			return false;
		seen->body -= 2;
		if (n == 0)
			return true;
	}
}

static inline void conn_send(struct conn *c, const struct reply *r, unsigned port)
{
	static char zeros[1 << 16];
	const char *var = strstr(r->raw, "$PORT");
	_free_ char *text = var ? str_printf("%.*s%u%s", (int)(var - r->raw), r->raw, port, var + 5)
				: str_dup(r->raw);
	size_t n = strlen(text), step = r->flags & (REPLY_SLOW | REPLY_TRICKLE) ? 1 : n;
	const struct timespec gap = { 0, r->flags & REPLY_TRICKLE ? 20000000 : 2000000 };
	for (size_t i = 0; i < n; i += step) {
		if (write(c->fd, text + i, step) < 0)
			return;
		if (step == 1)
			(void)nanosleep(&gap, NULL);
	}
	for (uint64_t left = r->more; left;) {
		ssize_t got = write(c->fd, zeros,
				    left < sizeof zeros ? (size_t)left : sizeof zeros);
		if (got < 0)
			return;
		left -= (uint64_t)got;
	}
}

static inline const struct reply *reply_find(const struct reply *l, _Atomic unsigned *used,
					     const char *head)
{
	for (size_t i = 0; l[i].raw; i++)
		if ((!l[i].when || strstr(head, l[i].when)) &&
		    (!l[i].times || used[i] < l[i].times)) {
			used[i]++;
			return &l[i];
		}
	return NULL;
}

/* One request; false: the connection is over. */
static inline bool conn_turn(struct conn *c, const struct reply *l, const struct server *s)
{
	char *end;
	while (!(end = memmem(c->b, c->n, "\r\n\r\n", 4)))
		if (!conn_fill(c) || c->b[0] == 0x16) /* a greeting in TLS */
			return false;
	_free_ char *head = str_ndup(c->b, (size_t)(end + 4 - c->b));
	conn_drop(c, strlen(head));
	s->seen->requests++;
	if (s->seen->n + strlen(head) < sizeof s->seen->text) {
		memcpy(s->seen->text + s->seen->n, head, strlen(head));
		s->seen->n += strlen(head);
	}
	const struct reply *r = reply_find(l, s->seen->used, head);
	if (!r)
		return false;
	if (!(r->flags & REPLY_EARLY)) {
		const char *size = strcasestr(head, "\r\nContent-Length: ");
		if (strcasestr(head, "\r\nExpect: 100"))
			(void)!write(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		if (size ? !conn_skip(c, strtoull(size + 18, NULL, 10), s->seen)
			 : strcasestr(head, "\r\nTransfer-Encoding: chunked") &&
				    !conn_chunks(c, s->seen))
			return false;
	}
	conn_send(c, r, s->port);
	if (r->flags & REPLY_RESET)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 },
				 sizeof(struct linger));
	return !(r->flags & (REPLY_CLOSE | REPLY_RESET));
}

/* A child for each connection, which ends with the server. */
static inline void server_loop(int listener, const struct reply *l, const struct server *s)
{
	struct conn *c = NEW(struct conn);
	while ((c->fd = accept(listener, NULL, NULL)) >= 0) {
		s->seen->connections++;
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (conn_turn(c, l, s))
				;
			_exit(0);
		}
		(void)close(c->fd);
	}
}

/* `l` ends with a reply whose raw is NULL. */
static inline struct server server_start(const struct reply *l)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	struct server s = { .port = ntohs(a.sin_port) };
	s.seen = mmap(NULL, sizeof *s.seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(s.seen, MAP_FAILED);
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (s.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGPIPE, SIG_IGN);
		(void)signal(SIGCHLD, SIG_IGN);
		server_loop(fd, l, &s);
		_exit(0);
	}
	(void)close(fd);
	return s;
}

static inline void server_stop(struct server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)munmap(s->seen, sizeof *s->seen);
}
#define _server_ _cleanup_(server_stop)

/* How often this stands in what the server was sent. */
static inline _unused_ unsigned server_saw(const struct server *s, const char *text)
{
	unsigned n = 0;
	for (const char *p = s->seen->text; (p = strstr(p, text)); p++)
		n++;
	return n;
}
