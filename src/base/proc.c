/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"

#define STDERR_KEPT ((size_t)8 * 1024)

pid_t proc_fork(struct err *e)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "start a child process");
	if (pid > 0)
		return pid;
	/* the parent may have ended before prctl: then its signal never comes */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(125);
	return 0;
}

int proc_wait(pid_t pid)
{
	int status;
	pid_t r;
	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool is_program(int dirfd, const char *path)
{
	struct stat st;
	return fstatat(dirfd, path, &st, 0) == 0 && S_ISREG(st.st_mode) &&
	       faccessat(dirfd, path, X_OK, AT_EACCESS) == 0;
}

bool proc_has(const char *name)
{
	if (strchr(name, '/'))
		return is_program(AT_FDCWD, name);
	const char *path = getenv("PATH");
	struct slice rest = slice_of(path ? path : "/usr/local/bin:/usr/bin:/bin"), dir;
	while (name[0] && slice_split(&rest, ':', &dir)) {
		_free_ char *full = str_printf("%.*s/%s", dir.n ? (int)dir.n : 1,
					       dir.n ? dir.p : ".", name);
		if (is_program(AT_FDCWD, full))
			return true;
	}
	return false;
}

/* In the child. `report` is closed by a successful exec; else it carries errno. */
static _noreturn_ void exec_child(char *const argv[], int in, int out, int err, int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0 && dup2(in >= 0 ? in : null, 0) >= 0 && dup2(out >= 0 ? out : null, 1) >= 0 &&
	    dup2(err, 2) >= 0) {
		sigset_t none;
		/* Libraries (libcurl wakes itself through a pair of sockets) and whoever started us are
		 * not as careful as we are. What cannot be closed before Linux 5.11 is passed on. */
		(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)signal(SIGPIPE, SIG_DFL);
		execvp(argv[0], argv);
	}
	int no = errno;
	ssize_t n = write(report, &no, sizeof no);
	(void)n; /* without a reader nobody is left to tell */
	_exit(127);
}

/* Keeps the last STDERR_KEPT bytes. */
static void keep_tail(struct buf *b, const char *p, size_t n)
{
	buf_add(b, p, n);
	if (b->len > 2 * STDERR_KEPT) {
		memmove(b->p, b->p + b->len - STDERR_KEPT, STDERR_KEPT + 1);
		b->len = STDERR_KEPT;
	}
}

/* Reads both pipes until both end, or nothing came for so long. */
static int drain_by(char *block, int outfd, int errfd, int patience_ms, struct buf *out,
		    struct buf *words, struct err *e)
{
	struct pollfd fds[2] = { { outfd, POLLIN, 0 }, { errfd, POLLIN, 0 } };
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int ready = poll(fds, 2, patience_ms);
		if (ready < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "wait for its output");
		}
		if (ready == 0)
			return err_set(e, ERR_PROG, "it does not end, and has written nothing for %g s",
				       patience_ms / 1000.0);
		for (int i = 0; i < 2; i++) {
			if (fds[i].fd < 0 || fds[i].revents == 0)
				continue;
			ssize_t n = fd_read_some(fds[i].fd, block, STDERR_KEPT);
			if (n < 0)
				return err_sys(e, "read its output");
			if (n == 0)
				fds[i].fd = -1;
			else if (i == 0)
				buf_add(out, block, (size_t)n); /* past max it only drains */
			else
				keep_tail(words, block, (size_t)n);
		}
	}
	return 0;
}

static int drain(int outfd, int errfd, int patience_ms, struct buf *out, struct buf *words,
		 struct err *e)
{
	_free_ char *block = mem_alloc(STDERR_KEPT);
	int r = drain_by(block, outfd, errfd, patience_ms, out, words, e);
	explicit_bzero(block, STDERR_KEPT);
	return r;
}

struct pipes {
	int out[2], err[2], report[2];
};

static void close_now(int *fd)
{
	closep_(fd);
	*fd = -1;
}

static void pipes_done(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close_now(&p->out[i]);
		close_now(&p->err[i]);
		close_now(&p->report[i]);
	}
}

static int pipes_open(struct pipes *p, bool want_out, struct err *e)
{
	if ((want_out && pipe2(p->out, O_CLOEXEC) < 0) || pipe2(p->err, O_CLOEXEC) < 0 ||
	    pipe2(p->report, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	return 0;
}

/* What its status says; words is what it wrote to stderr. */
static int judge(const char *name, int status, struct slice words, struct err *e)
{
	if (status == 0)
		return 0;
	if (status > 128)
		err_set(e, ERR_PROG, "'%s' was ended by signal %d (%s)", name, status - 128,
			strsignal(status - 128));
	else
		err_set(e, ERR_PROG, "'%s' failed with status %d", name, status);
	if (e)
		e->sys_errno = status;
	words = slice_trim_right(words);
	if (words.n > STDERR_KEPT)
		words = slice_from(words, words.n - STDERR_KEPT);
	return words.n ? err_output(e, words) : -1;
}

int proc_run(char *const argv[], struct buf *out, struct err *e)
{
	return proc_run_in(argv, -1, -1, out, e);
}

int proc_run_in(char *const argv[], int in, int patience_ms, struct buf *out, struct err *e)
{
	_cleanup_(pipes_done) struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipes_open(&p, out != NULL, e) < 0)
		return -1;
	pid_t pid = proc_fork(e);
	if (pid < 0)
		return err_add(e, "run '%s'", argv[0]);
	if (pid == 0)
		exec_child(argv, in, p.out[1], p.err[1], p.report[1]);
	close_now(&p.out[1]);
	close_now(&p.err[1]);
	close_now(&p.report[1]);

	int no = 0;
	if (fd_read(p.report[0], &no, sizeof no) == sizeof no) {
		(void)proc_wait(pid);
		errno = no;
		err_sys(e, "run '%s'", argv[0]);
		if (e && (no == ENOENT || no == ENOTDIR))
			e->kind = ERR_ABSENT;
		return -1;
	}

	_cleanup_(buf_done) struct buf words = { 0 };
	int drained = drain(p.out[0], p.err[0], patience_ms, out, &words, e);
	pipes_done(&p); /* before the wait: if drain failed, the child must not block on us */
	if (drained < 0)
		(void)kill(pid, SIGKILL); /* nor we on it */
	int status = proc_wait(pid);
	if (drained < 0)
		return err_add(e, "run '%s'", argv[0]);
	if (status < 0)
		return err_sys(e, "wait for '%s'", argv[0]);
	if (judge(argv[0], status, buf_view(&words), e) < 0)
		return -1;
	if (out && out->over)
		return err_set(e, ERR_DATA, "'%s' writes more than %zu bytes", argv[0], out->max);
	return 0;
}
