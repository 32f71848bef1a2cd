/* SPDX-License-Identifier: Apache-2.0 */
#include "build/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/js.h"
#include "base/log.h"
#include "base/proc.h"
#include "build/copy_job.h"
#include "sandbox/userns.h"
#include "store/turn.h"

enum { RUNNING_MAX = 16, TAIL = 4096 };

struct running {
	struct node *node;
	pid_t pid;
	int fds[3];          /* result, stdout, stderr of the child; -1 when at their end */
	struct buf result;
	struct buf tail;     /* last output, for the error */
	int64_t since;
};

struct executor {
	struct plan *plan;
	ARRAY_OF(struct running) running;
	size_t limit, left;
	unsigned started;
};

/* ---- records of finished steps ---- */

static int recall(struct plan *p, struct node *n, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { .max = 4096 };
	int r = cache_get(p->store, "step", &n->key, &text, e);
	if (r <= 0)
		return r;
	struct err ignored = { 0 }; /* a damaged record is a record that is not there */
	_json_ json_t *rec = js_parse(buf_view(&text), "cache record", &ignored);
	const char *snap = NULL, *created = NULL;
	bool good = rec && js_str(rec, "snapshot", &snap, &ignored) == 0 && snap &&
		    js_str(rec, "created", &created, &ignored) == 0 && created && strlen(snap) < SNAP_ID &&
		    clock_parse(slice_of(created), &n->created) == 0;
	err_done(&ignored);
	if (!good || !snap_exists(p->store, snap))
		return 0;
	memcpy(n->snap, snap, strlen(snap) + 1);
	return 1;
}

static int record(struct plan *p, struct node *n, struct err *e)
{
	n->created = p->epoch >= 0 ? (struct timespec){ .tv_sec = p->epoch } : clock_now();
	char when[CLOCK_LEN];
	_json_ json_t *rec = json_pack("{s:s, s:s}", "snapshot", n->snap, "created",
				       clock_rfc3339(n->created, when));
	_cleanup_(buf_done) struct buf text = { 0 };
	js_dump(rec, &text);
	return cache_put(p->store, "step", &n->key, buf_view(&text), e);
}

/* ---- children ---- */

static int step(struct plan *p, struct node *n, int out, int err, struct err *e)
{
	if (n->kind == NODE_RUN)
		return step_run(p, n, out, err, n->snap, e);
	if (n->kind == NODE_COPY)
		return step_copy(p, n, n->snap, e);
	return step_workdir(p, n, n->snap, e);
}

static void tell_wait(void *fd)
{
	static const char text[] = "another build is at this step: waiting for what it makes\n";
	(void) !write(*(int *)fd, text, sizeof text - 1);
}

/* Makes the node's snapshot and its record, unless another build does so at this moment: then it
 * waits for that. A step that is wanted anew (--no-cache) is made in any case. */
static int make_step(struct plan *p, struct node *n, int out, int err, struct err *e)
{
	struct turn turn = TURN_INIT;
	int r = 0;
	if (!n->fresh && turn_take(p->store, &n->key, tell_wait, &err, &turn, e) < 0)
		return -1;
	if (!n->fresh)
		r = recall(p, n, e);
	if (r == 0) {
		r = step(p, n, out, err, e);
		if (r == 0)
			r = record(p, n, e);
	}
	turn_end(&turn, r >= 0);
	return r < 0 ? -1 : 0;
}

/* The answer is 'K', the snapshot's id, a blank and when it was made; or 'E' and the error. */
_noreturn_ static void child(struct plan *p, struct node *n, unsigned nr, int result, int out, int err)
{
	struct err e = { 0 };
	char when[CLOCK_LEN];
	store_after_fork_within(p->store, nr);
	struct buf answer = { 0 };
	if (make_step(p, n, out, err, &e) == 0) {
		buf_printf(&answer, "K%s %s", n->snap, clock_rfc3339(n->created, when));
	} else {
		buf_char(&answer, 'E');
		err_save(&e, &answer);
	}
	struct err lost = { 0 };
	_exit(fd_write_all(result, answer.p, answer.len, &lost) < 0);
}

/* True if the answer tells of a snapshot. */
static bool take_answer(struct node *n, struct slice answer)
{
	size_t blank = slice_find(answer, ' ');
	if (answer.n < 2 || answer.p[0] != 'K' || blank == answer.n || blank < 2 || blank > SNAP_ID ||
	    clock_parse(slice_from(answer, blank + 1), &n->created) < 0)
		return false;
	memcpy(n->snap, answer.p + 1, blank - 1);
	n->snap[blank - 1] = 0;
	return true;
}

static int start(struct executor *x, struct node *n, struct err *e)
{
	int fds[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	/* What the child will look into is read here, once for all steps on top of it. */
	struct source_tree *below;
	if (userns_enter(e) < 0 || store_lease(x->plan->store, e) < 0 ||
	    (!(n->kind == NODE_COPY && n->link) && chain_tree(x->plan, n->prev, &below, e) < 0))
		return -1;
	if (n->kind == NODE_COPY && copy_job_ready(x->plan, n, e) < 0)
		return err_add(e, "%s", n->title);
	for (int i = 0; i < 3; i++)
		if (pipe2(fds[i], O_CLOEXEC) < 0)
			return err_sys(e, "make a pipe");
	x->started++;
	pid_t pid = proc_fork(e);
	if (pid < 0)
		return -1;
	if (pid == 0)
		child(x->plan, n, x->started, fds[0][1], fds[1][1], fds[2][1]);
	struct running r = { .node = n, .pid = pid, .since = clock_mono_ns() };
	for (int i = 0; i < 3; i++) {
		(void) close(fds[i][1]);
		r.fds[i] = fds[i][0];
	}
	r.result.max = 1u << 20;
	arr_push(&x->running, r);
	n->state = NODE_RUNNING;
	return 0;
}

static void keep_tail(struct buf *tail, struct slice s)
{
	buf_slice(tail, s);
	if (tail->len > 2 * TAIL) {
		memmove(tail->p, tail->p + tail->len - TAIL, TAIL);
		tail->len = TAIL;
		tail->p[TAIL] = 0;
	}
}

/* Reads what is there; closes at the end. */
static void drain(struct executor *x, struct running *r, int i)
{
	char block[16384];
	ssize_t n = read(r->fds[i], block, sizeof block);
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		(void) close(r->fds[i]);
		r->fds[i] = -1;
		return;
	}
	if (i == 0) {
		buf_add(&r->result, block, (size_t)n);
		return;
	}
	struct slice bytes = { block, (size_t)n };
	keep_tail(&r->tail, bytes);
	const struct build_events *ev = x->plan->opts->events;
	if (ev && ev->output)
		ev->output(ev->ctx, r->node->number, i == 2, bytes);
}

/* The last lines of what a step wrote: enough to see what went wrong. */
static struct slice last_lines(struct slice s)
{
	enum { LINES = 20 };
	s = slice_trim_right(s);
	size_t at = s.n, lines = 0;
	while (at > 0 && s.n - at < TAIL && (s.p[at - 1] != '\n' || ++lines < LINES))
		at--;
	return slice_from(s, at);
}

static int finish(struct executor *x, struct running *r, struct err *e)
{
	const struct build_events *ev = x->plan->opts->events;
	struct node *n = r->node;
	int status = proc_wait(r->pid);
	int64_t took = clock_mono_ns() - r->since;
	struct slice answer = buf_view(&r->result);
	int ok = -1;
	if (take_answer(n, answer)) {
		ok = 0;
		n->state = NODE_DONE;
		x->left--;
	} else if (answer.n > 1 && answer.p[0] == 'E') {
		(void) !err_load(slice_from(answer, 1), e);
		if (r->tail.len) {
			err_output(e, last_lines(buf_view(&r->tail)));
		}
	} else {
		err_set(e, ERR_SYS, "the process of this step ended without an answer (status %d)", status);
		err_hint(e, "if memory ran out the kernel may have killed it: see dmesg");
	}
	if (ok == 0 && ev && ev->done)
		ev->done(ev->ctx, n->number, took);
	if (ok < 0 && ev && ev->failed)
		ev->failed(ev->ctx, n->number, took);
	if (ok < 0)
		err_add(e, "%s", n->title);
	return ok;
}

static void running_done(struct running *r)
{
	for (int i = 0; i < 3; i++)
		if (r->fds[i] >= 0)
			(void) close(r->fds[i]);
	buf_done(&r->result);
	buf_done(&r->tail);
}

/* A step failed: what still runs is ended; its own children die with it. They become ours then
 * (PR_SET_CHILD_SUBREAPER) and are waited for, so that nothing holds or writes files any more when
 * they are swept away. */
static void stop_all(struct executor *x)
{
	enum { PATIENCE = 2000 }; /* ms; one that the kernel cannot end is left to it */
	arr_each(r, &x->running) {
		(void) kill(r->pid, SIGKILL);
		(void) proc_wait(r->pid);
		running_done(r);
	}
	arr_done(&x->running);
	for (int i = 0; i < PATIENCE && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		(void) nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static int wait_some(struct executor *x, struct err *e)
{
	struct pollfd fds[RUNNING_MAX * 3 + 1];
	nfds_t n = 0;
	arr_each(r, &x->running)
		for (int i = 0; i < 3; i++)
			fds[n++] = (struct pollfd){ .fd = r->fds[i], .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = interrupt_fd(), .events = POLLIN };
	int ready = poll(fds, n, -1);
	if (interrupt_pending())
		return err_set(e, ERR_SYS, "the build was interrupted");
	if (ready < 0)
		return errno == EINTR ? 0 : err_sys(e, "wait for steps");
	for (size_t at = 0, k = 0; at < x->running.n; k++) {
		struct running *r = &x->running.p[at];
		for (int i = 0; i < 3; i++)
			if (r->fds[i] >= 0 && fds[k * 3 + (size_t)i].revents)
				drain(x, r, i);
		if (r->fds[0] >= 0 || r->fds[1] >= 0 || r->fds[2] >= 0) {
			at++;
			continue;
		}
		int ok = finish(x, r, e);
		running_done(r);
		arr_remove(&x->running, at);
		if (ok < 0)
			return -1;
	}
	return 0;
}

/* ---- the plan ---- */

static bool is_ready(const struct node *n)
{
	if (n->state != NODE_WAITING || (n->prev && n->prev->state != NODE_DONE))
		return false;
	for (size_t i = 0; i < n->inputs.n; i++)
		if (n->inputs.p[i]->state != NODE_DONE)
			return false;
	return true;
}

static int advance(struct executor *x, struct node *n, struct err *e)
{
	const struct build_events *ev = x->plan->opts->events;
	bool keyed = !digest_is_zero(&n->key);
	if (!keyed && node_key(x->plan, n, e) < 0)
		return err_add(e, "%s", n->title);
	if (n->kind == NODE_BASE) {
		n->state = NODE_DONE;
		x->left--;
		return 1;
	}
	if (!keyed && !n->fresh) {
		int r = recall(x->plan, n, e);
		if (r < 0)
			return -1;
		if (r > 0) {
			n->state = NODE_DONE;
			n->was_cached = true;
			x->left--;
			if (ev && ev->cached)
				ev->cached(ev->ctx, n->number, n->title);
			return 1;
		}
	}
	if (x->running.n >= x->limit)
		return 0;
	if (ev && ev->started)
		ev->started(ev->ctx, n->number, n->title);
	return start(x, n, e) < 0 ? -1 : 1;
}

int exec_plan(struct plan *p, struct err *e)
{
	struct executor x = { .plan = p, .left = p->nodes.n };
	(void) prctl(PR_SET_CHILD_SUBREAPER, 1);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	x.limit = cpus < 2 ? 4 : cpus * 2 > RUNNING_MAX ? RUNNING_MAX : (size_t)cpus * 2;
	int r = 0;
	while (x.left && r == 0) {
		bool moved = false;
		arr_each(it, &p->nodes) {
			if (!is_ready(*it))
				continue;
			int a = advance(&x, *it, e);
			if (a < 0) {
				r = -1;
				break;
			}
			moved |= a > 0;
		}
		if (r == 0 && !moved && x.running.n == 0)
			r = err_set(e, ERR_DATA, "the plan of this build cannot go on: please report it");
		else if (r == 0 && x.running.n && (!moved || x.running.n >= x.limit))
			r = wait_some(&x, e);
	}
	stop_all(&x);
	return r;
}
