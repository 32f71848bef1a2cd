/* SPDX-License-Identifier: Apache-2.0 */
#include "container/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/err.h"
#include "container/console.h"
#include "container/prepare.h"
#include "container/streams.h"

enum { IN, OUT, ERR, STREAMS };

struct session {
	struct sandbox box;
	struct console console;
	struct stream streams[STREAMS];
	const int *stdio; /* the caller's */
	int inside[3]; /* what the program gets; -1: nothing of ours to close */
	int64_t until; /* clock_mono_ns; 0: no limit */
	bool killed; /* the time was over */
};

void run_result_done(struct run_result *r)
{
	sandbox_end_done(&r->end);
	strs_done(&r->argv);
	identity_done(&r->who);
	free(r->cwd);
	*r = (struct run_result){ 0 };
}

void probe_result_done(struct probe_result *r)
{
	sandbox_end_done(&r->end);
	buf_done(&r->out);
	buf_done(&r->err);
	strs_done(&r->argv);
	free(r->cwd);
	*r = (struct probe_result){ 0 };
}

/* May the program have this very descriptor? Pipes, and /dev/null. Not terminals (what is written
 * into one can be made input), and not files: as root it could open them anew for writing. */
static bool can_pass(int fd)
{
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	return S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

/* Sets one of the program's descriptors: the caller's own, or a pipe with a stream behind it. */
static int connect_stream(struct session *s, int i, struct err *e)
{
	int fd[2];
	if (can_pass(s->stdio[i])) {
		s->inside[i] = fcntl(s->stdio[i], F_DUPFD_CLOEXEC, 3);
		return s->inside[i] < 0 ? err_sys(e, "duplicate descriptor %d", s->stdio[i]) : 0;
	}
	if (s->stdio[i] < 0)
		return 0;
	if (pipe2(fd, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	struct stream *st = &s->streams[i];
	st->from = i == IN ? s->stdio[i] : fd[0];
	st->to = i == IN ? fd[1] : s->stdio[i];
	st->own_from = i != IN;
	st->own_to = i == IN;
	s->inside[i] = i == IN ? fd[0] : fd[1];
	/* the program may not read: then writing must not wait for it, poll or not */
	if (i == IN && fcntl(fd[1], F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "set up a pipe");
	return 0;
}

static void close_inside(struct session *s)
{
	for (int i = 0; i < 3; i++) {
		closep_(&s->inside[i]);
		s->inside[i] = -1;
	}
}

/* The pty's master is read by one stream and written by another: two descriptors, one each. */
static int connect_pty(struct session *s, bool interactive, struct err *e)
{
	int out = fcntl(s->box.pty, F_DUPFD_CLOEXEC, 3);
	if (out < 0)
		return err_sys(e, "duplicate the terminal");
	s->streams[OUT] = (struct stream){ .from = out, .to = s->stdio[1], .own_from = true };
	console_size(s->stdio, s->box.pty);
	if (!interactive)
		return 0;
	int in = fcntl(s->box.pty, F_DUPFD_CLOEXEC, 3);
	if (in < 0)
		return err_sys(e, "duplicate the terminal");
	s->streams[IN] = (struct stream){ .from = s->stdio[0], .to = in, .own_to = true };
	return console_raw(&s->console, s->stdio[0], e);
}

static void forward_signals(struct session *s)
{
	int sig;
	while ((sig = console_next(&s->console)) > 0) {
		if (sig != SIGWINCH)
			(void)sandbox_signal(&s->box, sig);
		else if (s->box.pty >= 0)
			console_size(s->stdio, s->box.pty);
	}
}

static int time_left(const struct session *s)
{
	if (!s->until)
		return -1;
	int64_t ms = (s->until - clock_mono_ns() + 999999) / 1000000;
	return ms <= 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms;
}

/* One round: waits until something can be done, and does it. */
static int turn(struct session *s, bool *ended, struct err *e)
{
	struct pollfd fds[STREAMS + 2];
	for (int i = 0; i < STREAMS; i++)
		fds[i] = stream_poll(&s->streams[i]);
	fds[STREAMS] = (struct pollfd){ s->console.signals, POLLIN, 0 };
	fds[STREAMS + 1] = (struct pollfd){ *ended ? -1 : s->box.pidfd, POLLIN, 0 };
	int n = poll(fds, COUNT_OF(fds), *ended ? -1 : time_left(s));
	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, "wait for the program");
	if (n == 0 && s->until && !s->killed && time_left(s) == 0) {
		s->killed = true;
		s->until = 0;
		(void)sandbox_signal(&s->box, SIGKILL);
	}
	for (int i = 0; i < STREAMS; i++)
		stream_move(&s->streams[i], fds[i].revents);
	if (fds[STREAMS].revents)
		forward_signals(s);
	if (fds[STREAMS + 1].revents)
		*ended = true;
	return 0;
}

/* Until the program has ended and all that it wrote is passed on. */
static int attend(struct session *s, struct err *e)
{
	bool ended = false;
	while (!ended || !stream_ended(&s->streams[OUT]) || !stream_ended(&s->streams[ERR])) {
		if (turn(s, &ended, e) < 0)
			return -1;
		if (ended) { /* nobody is left to read it */
			stream_done(&s->streams[IN]);
			s->streams[IN] = (struct stream)STREAM_INIT;
		}
	}
	return 0;
}

static void session_done(struct session *s)
{
	console_restore(&s->console);
	for (int i = 0; i < STREAMS; i++)
		stream_done(&s->streams[i]);
	close_inside(s);
	if (s->box.pty >= 0)
		(void)close(s->box.pty);
	s->box.pty = -1;
}

/* Starts, attends, waits. The session is ended in any case. */
static int session_run(struct session *s, struct prepared *p, bool interactive,
		       struct sandbox_end *end, struct err *e)
{
	struct sandbox_spec *spec = &p->spec;
	memcpy(spec->stdio, s->inside, sizeof spec->stdio);
	int r = console_signals(&s->console, e);
	if (r == 0)
		r = sandbox_start(spec, &s->box, e);
	close_inside(s);
	if (r == 0) {
		place_tidy(&p->place);
		if (spec->tty)
			r = connect_pty(s, interactive, e);
		if (r == 0)
			r = attend(s, e);
		if (r < 0)
			sandbox_kill(&s->box);
		else
			r = sandbox_wait(&s->box, end, e);
	}
	session_done(s);
	return r;
}

static struct session *session_new(const int stdio[3])
{
	struct session *s = NEW(struct session);
	s->box = (struct sandbox)SANDBOX_INIT;
	s->console = (struct console)CONSOLE_INIT;
	s->stdio = stdio;
	for (int i = 0; i < STREAMS; i++) {
		s->streams[i].from = s->streams[i].to = -1;
		s->inside[i] = -1;
	}
	return s;
}

int container_run(const struct run_opts *o, struct store *s, const struct image *im,
		  struct run_result *res, struct err *e)
{
	if (o->tty && o->interactive && !isatty(o->stdio[0])) {
		err_set(e, ERR_USER,
			"the input device is not a terminal, and -t with -i needs one");
		return err_hint(e, "leave out -t");
	}
	struct prepared p;
	_free_ struct session *se = session_new(o->stdio);
	int r = prepare(o, s, im, &p, e);
	for (int i = 0; i < 3 && r == 0 && !o->tty; i++)
		if (i != IN || o->interactive)
			r = connect_stream(se, i, e);
	if (r == 0) {
		p.spec.tty = o->tty;
		r = session_run(se, &p, o->interactive, &res->end, e);
	} else {
		session_done(se);
	}
	if (r == 0) {
		res->status = sandbox_status(&res->end);
		strs_copy(&res->argv, &p.argv);
		res->cwd = str_dup(p.cwd);
		res->who = p.who;
		p.who = (struct identity){ 0 };
	}
	if (prepared_done(&p, r < 0 ? NULL : e) < 0 && r == 0) {
		run_result_done(res);
		r = err_add(e, "clean up after the run");
	}
	struct err ignored = { 0 }; /* leftovers of dead runs are the next sweep's too */
	if (container_sweep(s, &ignored) < 0)
		err_done(&ignored);
	return r;
}

int container_probe(struct store *s, const struct image *im, int64_t limit_ns,
		    struct probe_result *res, struct err *e)
{
	static const int nowhere[3] = { -1, -1, -1 };
	struct run_opts o = { .network = "none" };
	struct prepared p;
	_free_ struct session *se = session_new(nowhere);
	struct buf *const keep[3] = { NULL, &res->out, &res->err };
	int r = prepare(&o, s, im, &p, e);
	for (int i = OUT; i <= ERR && r == 0; i++) {
		int fd[2];
		if (pipe2(fd, O_CLOEXEC) < 0) {
			r = err_sys(e, "make a pipe");
			break;
		}
		se->streams[i] = (struct stream){ .from = fd[0],
						  .to = -1,
						  .own_from = true,
						  .keep = keep[i],
						  .keep_max = PROBE_TAIL };
		se->inside[i] = fd[1];
	}
	int64_t begin = clock_mono_ns();
	if (r == 0) {
		se->until = begin + limit_ns;
		r = session_run(se, &p, false, &res->end, e);
	} else {
		session_done(se);
	}
	if (r == 0) {
		res->ns = clock_mono_ns() - begin;
		res->running = se->killed;
		res->status = se->killed ? 0 : sandbox_status(&res->end);
		res->out_bytes = se->streams[OUT].count;
		res->err_bytes = se->streams[ERR].count;
		strs_copy(&res->argv, &p.argv);
		res->cwd = str_dup(p.cwd);
	}
	if (prepared_done(&p, r < 0 ? NULL : e) < 0 && r == 0) {
		probe_result_done(res);
		r = err_add(e, "clean up after the run");
	}
	return r;
}
