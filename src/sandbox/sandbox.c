/* SPDX-License-Identifier: Apache-2.0 */
/* The parent prepares what the caller wants mounted as detached mounts (mounts_prepare), then clone3
 * makes the process that attaches them (init.c); the root is made while that one starts. Nothing is
 * executed for that: starting a C library anew costs more than all of it (kernel.md §1). */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "sandbox/init.h"
#include "sandbox/pty.h"
#include "sandbox/report.h"
#include "sandbox/seccomp.h"

struct sandbox_state {
	struct sandbox_root spec; /* upper, work: own copies; nothing else is kept */
	struct root root; /* dirfd and made */
	int report;
	bool init;
	bool started; /* the process exists and was not waited for */
	struct strs stubs;
};

static void state_free(struct sandbox_state *s)
{
	if (!s)
		return;
	root_done(&s->root);
	closep_(&s->root.dirfd);
	strs_done(&s->root.made);
	strs_done(&s->stubs);
	closep_(&s->report);
	free((char *)s->spec.upper);
	free((char *)s->spec.work);
	free(s);
}

static void box_reset(struct sandbox *box)
{
	state_free(box->state);
	if (box->pidfd >= 0)
		(void)close(box->pidfd);
	if (box->pty >= 0)
		(void)close(box->pty);
	*box = (struct sandbox)SANDBOX_INIT;
}

static int clone_inside(const struct sandbox_spec *spec, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_NEWCGROUP | CLONE_PIDFD |
			 (spec->network == SANDBOX_NET_NONE ? CLONE_NEWNET : 0),
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};
	return (int)syscall(SYS_clone3, &args, sizeof args);
}

/* Reads until set-up is done or has failed. */
static int await_ready(struct sandbox_state *s, struct err *e)
{
	_cleanup_(buf_done) struct buf data = { .max = REPORT_MAX };
	enum report_tag tag;
	int r;
	while ((r = report_read(s->report, &tag, &data)) > 0) {
		switch (tag) {
		case REPORT_READY: return 0;
		case REPORT_MADE: strs_add(&s->stubs, data.p); break;
		case REPORT_FAILED:
			if (!e)
				return -1;
			return err_load(buf_view(&data), e) < 0 ? -1
								: err_add(e, "set up the sandbox");
		default: break;
		}
	}
	if (r < 0)
		return err_sys(e, "read the report of the sandbox");
	return err_set(e, ERR_SYS, "the sandbox ended while it was set up");
}

/* clone3 and what both sides do right after it. */
static int launch(const struct sandbox_spec *spec, struct sandbox *box, struct inside_spec *in,
		  int report[2], int root[2], struct err *e)
{
	box->pid = clone_inside(spec, &box->pidfd);
	if (box->pid == 0) {
		(void)close(report[0]);
		(void)close(root[0]);
		init_run(in);
	}
	if (box->pid < 0) {
		box->pidfd = -1;
		return err_sys(e, "make the namespaces of a sandbox");
	}
	return 0;
}

static int end_process(struct sandbox *box, siginfo_t *si)
{
	int r;
	do
		r = waitid(P_PIDFD, (id_t)box->pidfd, si, WEXITED);
	while (r < 0 && errno == EINTR);
	return r;
}

int sandbox_start(const struct sandbox_spec *spec, struct sandbox *box, struct err *e)
{
	struct sock_filter filter[SECCOMP_MAX];
	struct mounts mounts = MOUNTS_INIT;
	int slave = -1, report[2] = { -1, -1 }, root[2] = { -1, -1 };
	*box = (struct sandbox)SANDBOX_INIT;
	if (!spec->argv || !spec->argv[0])
		return err_set(e, ERR_USER, "there is no command to run");
	struct sandbox_state *s = box->state = NEW(struct sandbox_state);
	*s = (struct sandbox_state){ .root = ROOT_INIT, .report = -1, .init = spec->init };
	s->spec.upper = str_dup(spec->root.upper);
	s->spec.work = str_dup(spec->root.work);
	s->spec.keep_work = spec->root.keep_work;

	int r = mounts_prepare(spec, &mounts, e);
	if (r == 0 && spec->tty) {
		mounts.tty = true;
		mounts.pts = pty_mount(e);
		r = mounts.pts < 0 ? -1 : pty_open(mounts.pts, &box->pty, &slave, e);
	}
	if (r == 0 && pipe2(report, O_CLOEXEC) < 0)
		r = err_sys(e, "make a pipe");
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, root) < 0)
		r = err_sys(e, "make a pair of sockets");
	struct inside_spec in = {
		.spec = spec, .mounts = &mounts, .slave = slave, .report = report[1], .root = root[1]
	};
	if (!spec->insecure) {
		/* CAP_NET_RAW means something only over the machine's own network, and only to real root */
		bool no_raw = !spec->root.is_user && spec->network == SANDBOX_NET_HOST;
		in.filter = filter;
		in.filter_n = filter_build(no_raw, filter);
	}
	if (r == 0)
		r = launch(spec, box, &in, report, root, e);
	s->started = r == 0;
	s->report = report[0];
	closep_(&report[1]);
	closep_(&root[1]);
	closep_(&slave);
	if (r == 0)
		r = mounts_send_root(&mounts, root[0], e);
	closep_(&root[0]);
	s->root.dirfd = mounts.root.dirfd;
	s->root.made = mounts.root.made;
	mounts_done(&mounts);
	if (r == 0)
		r = await_ready(s, e);
	if (r < 0)
		sandbox_kill(box);
	return r;
}

/* What the pipe still holds after the end. */
static int read_end(struct sandbox_state *s, struct sandbox_end *out, bool *told, struct err *e)
{
	_cleanup_(buf_done) struct buf data = { .max = REPORT_MAX };
	enum report_tag tag;
	int r;
	*told = false;
	while ((r = report_read(s->report, &tag, &data)) > 0) {
		if (tag == REPORT_EXEC && data.len >= sizeof(struct report_exec)) {
			struct report_exec x;
			memcpy(&x, data.p, sizeof x);
			out->kind = SANDBOX_NOT_EXECUTED;
			out->status = x.no;
			out->cwd_failed = x.cwd_failed;
			str_set(&out->program, str_dup(data.p + sizeof x));
			*told = true;
		} else if (tag == REPORT_STATUS && data.len == sizeof(int32_t) && !*told) {
			int32_t status;
			memcpy(&status, data.p, sizeof status);
			out->kind = WIFSIGNALED(status) ? SANDBOX_SIGNALED : SANDBOX_EXITED;
			out->status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
			*told = true;
		}
	}
	return r < 0 ? err_sys(e, "read the report of the sandbox") : 0;
}

int sandbox_wait(struct sandbox *box, struct sandbox_end *out, struct err *e)
{
	struct sandbox_state *s = box->state;
	struct sandbox_end end = { 0 };
	siginfo_t si = { 0 };
	bool told = false;
	int r = end_process(box, &si);
	if (r < 0)
		r = err_sys(e, "wait for the sandbox");
	s->started = false;
	if (r == 0)
		r = read_end(s, &end, &told, e);
	if (r == 0 && !told) { /* the program was pid 1 itself, or init was killed */
		end.kind = si.si_code == CLD_EXITED ? SANDBOX_EXITED : SANDBOX_SIGNALED;
		end.status = si.si_status;
	}
	if (root_clean(&s->spec, &s->root, r < 0 ? NULL : e) < 0)
		r = -1;
	end.stubs = s->stubs;
	s->stubs = (struct strs){ 0 };
	int pty = box->pty; /* what the program wrote last may still be read */
	box->pty = -1;
	box_reset(box);
	box->pty = pty;
	if (r < 0)
		sandbox_end_done(&end);
	else
		*out = end;
	return r;
}

int sandbox_signal(struct sandbox *box, int sig)
{
	return pidfd_send_signal(box->pidfd, sig, NULL, 0);
}

void sandbox_kill(struct sandbox *box)
{
	struct sandbox_end end = { 0 };
	if (box->state && box->state->started) {
		(void)sandbox_signal(box, SIGKILL);
		if (sandbox_wait(box, &end, NULL) == 0)
			sandbox_end_done(&end);
	} else if (box->state) {
		(void)root_clean(&box->state->spec, &box->state->root, NULL);
	}
	box_reset(box);
}

void sandbox_end_done(struct sandbox_end *end)
{
	if (!end)
		return;
	free(end->program);
	strs_done(&end->stubs);
	*end = (struct sandbox_end){ 0 };
}

int sandbox_status(const struct sandbox_end *end)
{
	switch (end->kind) {
	case SANDBOX_EXITED: return end->status;
	case SANDBOX_SIGNALED: return 128 + end->status;
	default: return end->status == ENOENT ? 127 : 126;
	}
}
