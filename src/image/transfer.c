/* SPDX-License-Identifier: Apache-2.0 */
#include "image/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/interrupt.h"
#include "base/num.h"
#include "base/proc.h"

#define ANSWER_MAX (1u << 20)
enum { TICK_MS = 100, HEAD = 5 };

/* A child's words: a letter, the length (le32), the bytes. */
enum { SAY_NOTE = 'n', SAY_DONE = 'd', SAY_FAILED = 'f' };

struct transfer {
	struct transfer_row *row;
	int fd;
};

struct child {
	pid_t pid; /* 0: none */
	int fd;
	size_t i;
	struct buf said;
	bool answered;
};

struct runner {
	struct store *s;
	const struct transfer_work *w;
	struct transfer_row *rows;
	ARRAY_OF(struct child) children;
	size_t next;
	unsigned running;
};

/* ---- in the child ---- */

static int say(int fd, char what, struct slice bytes, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_char(&b, what);
	buf_le32(&b, (uint32_t)bytes.n);
	buf_slice(&b, bytes);
	return fd_write_all(fd, b.p, b.len, e);
}

void transfer_moved(struct transfer *t, int64_t bytes)
{
	t->row->done += bytes;
}

void transfer_total(struct transfer *t, int64_t bytes)
{
	t->row->total = bytes;
}

void transfer_is(struct transfer *t, enum transfer_state state)
{
	t->row->state = state;
}

void transfer_note(struct transfer *t, const char *text)
{
	(void)say(t->fd, SAY_NOTE, slice_of(text), NULL);
}

_noreturn_ static void run_child(struct runner *r, size_t i, unsigned nr, int fd)
{
	struct err e = { 0 };
	struct buf out = { 0 };
	struct transfer t = { &r->rows[i], fd };
	store_after_fork_within(r->s, nr);
	t.row->state = TRANSFER_RUNNING;
	bool ok = r->w->work(r->w->ctx, i, &t, &out, &e) == 0;
	if (!ok) {
		buf_clear(&out);
		err_save(&e, &out);
	} else if (t.row->state < TRANSFER_THERE) {
		t.row->state = TRANSFER_DONE;
	}
	_exit(say(fd, ok ? SAY_DONE : SAY_FAILED, buf_view(&out), NULL) < 0);
}

/* ---- in the parent ---- */

static void tick(struct runner *r)
{
	const struct transfer_events *ev = r->w->events;
	if (ev && ev->moved)
		ev->moved(ev->ctx, r->rows, r->w->n);
}

static int start(struct runner *r, size_t i, struct err *e)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	unsigned nr = store_child(r->s);
	pid_t pid = proc_fork(e);
	if (pid == 0)
		run_child(r, i, nr, fds[1]);
	(void)close(fds[1]);
	if (pid < 0) {
		(void)close(fds[0]);
		return -1;
	}
	arr_push(&r->children, (struct child){ .pid = pid, .fd = fds[0], .i = i });
	r->running++;
	return 0;
}

/* One message of the child's, if it is whole. 1: there was one. */
static int hear(struct runner *r, struct child *c, struct err *e)
{
	const struct transfer_events *ev = r->w->events;
	uint32_t n;
	if (c->said.len < HEAD)
		return 0;
	n = le32_at(c->said.p + 1);
	if (n > ANSWER_MAX)
		return err_set(e, ERR_DATA, "a transfer's answer is damaged");
	if (c->said.len < HEAD + (size_t)n)
		return 0;
	struct slice bytes = { c->said.p + HEAD, n };
	char what = c->said.p[0];
	int ret = 1;
	if (what == SAY_NOTE && ev && ev->note) {
		_free_ char *text = slice_dup(bytes);
		ev->note(ev->ctx, text);
	} else if (what == SAY_DONE) {
		c->answered = true;
		if (r->w->result && r->w->result(r->w->ctx, c->i, bytes, e) < 0)
			ret = -1;
	} else if (what == SAY_FAILED) {
		c->answered = true;
		ret = -1;
		if (err_load(bytes, e) < 0)
			(void)err_add(e, "read why a transfer failed");
	}
	memmove(c->said.p, c->said.p + HEAD + n, c->said.len - HEAD - n + 1);
	c->said.len -= HEAD + (size_t)n;
	return ret;
}

static int end_child(struct runner *r, struct child *c, struct err *e)
{
	(void)close(c->fd);
	c->fd = -1;
	int status = proc_wait(c->pid);
	c->pid = 0;
	r->running--;
	buf_done(&c->said);
	if (c->answered)
		return 0;
	if (interrupt_pending()) {
		errno = EINTR;
		return err_sys(e, "move a layer");
	}
	return err_set(e, ERR_SYS,
		       "the process that moved a layer ended without a word (status %d)", status);
}

static int listen_to(struct runner *r, struct child *c, struct err *e)
{
	char block[4096];
	ssize_t n = fd_read_some(c->fd, block, sizeof block);
	if (n < 0 && errno != EINTR)
		return err_sys(e, "hear from a transfer");
	if (n < 0)
		return 0;
	if (n == 0)
		return end_child(r, c, e);
	buf_add(&c->said, block, (size_t)n);
	int got;
	while ((got = hear(r, c, e)) > 0)
		;
	return got;
}

static int wait_once(struct runner *r, struct err *e)
{
	ARRAY_OF(struct pollfd) fds = { 0 };
	arr_each(it, &r->children)
		arr_push(&fds, (struct pollfd){ it->fd, POLLIN, 0 });
	arr_push(&fds, (struct pollfd){ interrupt_fd(), POLLIN, 0 });
	int n = poll(fds.p, fds.n, TICK_MS);
	int ret = 0;
	if (n < 0 && errno != EINTR)
		ret = err_sys(e, "wait for transfers");
	if (interrupt_pending()) {
		errno = EINTR;
		ret = err_sys(e, "wait for transfers");
	}
	for (size_t i = 0; ret == 0 && n > 0 && i < r->children.n; i++)
		if (fds.p[i].revents)
			ret = listen_to(r, &r->children.p[i], e);
	arr_done(&fds);
	tick(r);
	return ret;
}

static void stop_all(struct runner *r)
{
	arr_each(it, &r->children) {
		if (it->pid) {
			(void)kill(it->pid, SIGKILL);
			(void)proc_wait(it->pid);
			(void)close(it->fd);
		}
		buf_done(&it->said);
	}
	arr_done(&r->children);
}

static int run_all(struct runner *r, struct err *e)
{
	unsigned at_once = r->w->at_once ? r->w->at_once : TRANSFERS;
	while (r->next < r->w->n || r->running) {
		while (r->next < r->w->n && r->running < at_once)
			if (start(r, r->next++, e) < 0)
				return -1;
		if (wait_once(r, e) < 0)
			return -1;
	}
	return 0;
}

int transfers_run(struct store *s, const struct transfer_work *w, struct err *e)
{
	struct runner r = { .s = s, .w = w };
	if (w->n == 0)
		return 0;
	size_t bytes;
	if (ckd_mul(&bytes, w->n, sizeof *r.rows) || store_lease(s, e) < 0)
		return -1;
	r.rows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r.rows == MAP_FAILED)
		return err_sys(e, "share memory with transfers");
	for (size_t i = 0; i < w->n; i++) {
		int64_t total = -1;
		w->describe(w->ctx, i, r.rows[i].name, &total);
		r.rows[i].total = total;
	}
	int ret = run_all(&r, e);
	stop_all(&r);
	tick(&r);
	(void)munmap(r.rows, bytes);
	return ret;
}
