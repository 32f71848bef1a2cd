/* SPDX-License-Identifier: Apache-2.0 */
/* The program is started by vfork: until its execve it borrows init's memory, so everything that it
 * changes meanwhile (descriptors, ids, capabilities, handlers) is its own, and nothing is copied.
 * Ids are set by plain system calls: the C library's would touch other threads, of which a process
 * born by clone3 has none. */
#include "sandbox/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "sandbox/caps.h"
#include "sandbox/report.h"
#include "sandbox/seccomp.h"

#define BOARD_FD      4 /* what starts the program: springboard.c */
#define SIGNALS       32 /* without the real-time ones, which nobody ignores or forwards */
#define PATH_DEFAULT  "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ARG_BYTES_MAX (4 << 20)

/* ---- finding and starting the program (in the child of vfork: no allocation) ---- */

/* The arguments of the springboard: paths in the order of PATH, or argv[0] alone; ""; then the
 * program's. It tries them as execvp does, but for the fallback to a shell. Where argv[0] has a '/',
 * PATH is not used. */
static char **springboard_argv(const struct sandbox_spec *spec)
{
	struct strs list = { 0 };
	const char *name = spec->argv[0];
	if (strchr(name, '/')) {
		strs_add(&list, name);
	} else if (name[0]) {
		const char *path = PATH_DEFAULT;
		for (char *const *env = spec->envp; *env; env++)
			if (strncmp(*env, "PATH=", 5) == 0)
				path = *env + 5;
		struct slice rest = slice_of(path), dir;
		while (slice_split(&rest, ':', &dir))
			strs_addf(&list, "%.*s%s%s", SLF(dir), dir.n ? "/" : "", name);
	}
	strs_add(&list, "");
	for (char *const *arg = spec->argv; *arg; arg++)
		strs_add(&list, *arg);
	return strs_argv(&list);
}

static void default_signals(void)
{
	for (int sig = 1; sig < SIGNALS; sig++)
		(void)signal(sig, SIG_DFL); /* KILL and STOP are refused, and are so anyway */
}

/* The program may open its own /dev/stdout anew (log files that are links to it): its pipes and its
 * terminal become its user's, as runc does it. Never anything that has a name outside. */
static void give_streams(const struct sandbox_spec *spec)
{
	struct statfs fs;
	for (int fd = 0; spec->who.uid != 0 && fd < 3; fd++)
		if (fstatfs(fd, &fs) == 0 &&
		    (fs.f_type == PIPEFS_MAGIC || (spec->tty && fs.f_type == DEVPTS_SUPER_MAGIC)))
			(void)!fchown(fd, spec->who.uid, (gid_t)-1);
}

static int take_identity(const struct sandbox_spec *spec)
{
	const struct identity *who = &spec->who;
	if (syscall(SYS_setgroups, who->groups.n, who->groups.p) < 0 ||
	    syscall(SYS_setresgid, who->gid, who->gid, who->gid) < 0 ||
	    syscall(SYS_setresuid, who->uid, who->uid, who->uid) < 0)
		return -1;
	/* leaving uid 0 has emptied permitted and effective; for root this takes the bounding set's */
	return caps_limit(spec->insecure ? CAPS_ALL : SANDBOX_CAPS);
}

static _Noreturn void give_up(int no, bool cwd, const char *path)
{
	struct report_exec x = { .no = no, .cwd_failed = cwd };
	report_send2(REPORT_FD, REPORT_EXEC, &x, sizeof x, path, strnlen(path, REPORT_PATH));
	_exit(NOT_STARTED);
}

/* 0, 1, 2 are in place, 3 is the report, 4 (closed by execve) the springboard. argv: its arguments. */
static _Noreturn void become_program(const struct inside_spec *in, char **argv)
{
	const struct sandbox_spec *spec = in->spec;
	const char *cwd = spec->cwd && spec->cwd[0] ? spec->cwd : "/";
	sigset_t none;
	(void)setsid(); /* fails for pid 1 that leads its session already */
	if (in->slave >= 0)
		(void)ioctl(0, TIOCSCTTY, 0);
	default_signals();
	(void)umask(022);
	/* as docker: root may enter where the user may not, and the user where root (squashed) may not */
	bool entered = chdir(cwd) == 0;
	give_streams(spec);
	if (take_identity(spec) < 0)
		give_up(errno, false, spec->argv[0]);
	if (!entered && chdir(cwd) < 0)
		give_up(errno, true, cwd);
	if (!spec->init)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing ids has cleared it */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)fcntl(REPORT_FD, F_SETFD, 0); /* the springboard closes it for what it starts */
	(void)syscall(SYS_execveat, BOARD_FD, "", argv, spec->envp, AT_EMPTY_PATH);
	give_up(errno, false, spec->argv[0]);
}

/* ---- set-up ---- */

static int loopback_up(struct err *e)
{
	_close_ int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo" };
	if (s < 0 || ioctl(s, SIOCGIFFLAGS, &lo) < 0)
		return err_sys(e, "look at the loopback device");
	lo.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &lo) < 0)
		return err_sys(e, "switch the loopback device on");
	return 0;
}

static int set_limits(const struct sandbox_spec *spec, struct err *e)
{
	struct rlimit core = { 0, 0 };
	struct rlimit old;
	if (getrlimit(RLIMIT_CORE, &old) == 0)
		core.rlim_max = old.rlim_max;
	if (setrlimit(RLIMIT_CORE, &core) < 0)
		return err_sys(e, "set the limit of core files");
	for (size_t i = 0; spec->rlimits && i < spec->rlimits->n; i++) {
		const struct sandbox_rlimit *l = &spec->rlimits->p[i];
		struct rlimit r = { l->soft, l->hard };
		if (setrlimit((__rlimit_resource_t)l->resource, &r) < 0)
			return err_sys(e, "set the resource limit %d to %llu:%llu", l->resource,
				       (unsigned long long)l->soft, (unsigned long long)l->hard);
	}
	return 0;
}

/* Descriptors 0, 1, 2, the report at 3 and the springboard at 4; every other one is closed. */
static int arrange_descriptors(struct inside_spec *in, int null, int board, struct err *e)
{
	int fd[5];
	for (int i = 0; i < 3; i++) {
		int from = in->slave >= 0 ? in->slave : in->spec->stdio[i];
		fd[i] = fcntl(from >= 0 ? from : null, F_DUPFD_CLOEXEC, 10);
		if (fd[i] < 0)
			return err_sys(e, "open descriptor %d", i);
	}
	fd[3] = fcntl(in->report, F_DUPFD_CLOEXEC, 10);
	fd[4] = fcntl(board, F_DUPFD_CLOEXEC, 10);
	if (fd[3] < 0 || fd[4] < 0)
		return err_sys(e, "keep the report");
	for (int i = 0; i < 3; i++)
		if (dup2(fd[i], i) < 0)
			return err_sys(e, "place descriptor %d", i);
	if (dup3(fd[3], REPORT_FD, O_CLOEXEC) < 0 || dup3(fd[4], BOARD_FD, O_CLOEXEC) < 0)
		return err_sys(e, "place the report");
	in->report = REPORT_FD;
	if (close_range(BOARD_FD + 1, ~0U, 0) < 0)
		return err_sys(e, "close descriptors");
	return 0;
}

static int set_up(struct inside_spec *in, struct strs *made, struct err *e)
{
	const struct sandbox_spec *spec = in->spec;
	if (spec->network == SANDBOX_NET_NONE && loopback_up(e) < 0)
		return -1;
	int null = -1, board = -1;
	if (mounts_enter(in->mounts, in->root, made, &null, &board, e) < 0)
		return -1;
	if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return err_sys(e, "set the host name '%s'", spec->hostname);
	if (set_limits(spec, e) < 0 || arrange_descriptors(in, null, board, e) < 0)
		return -1;
	if (!spec->insecure && caps_bound(SANDBOX_CAPS) < 0)
		return err_sys(e, "limit the capabilities");
	/* last, while CAP_SYS_ADMIN is still there: setuid programs shall go on to work, so without
	 * no_new_privs */
	if (in->filter && filter_load(in->filter, in->filter_n) < 0)
		return err_sys(e, "load the filter of system calls");
	return 0;
}

/* ---- pid 1 ---- */

static volatile pid_t program; /* for the handler, which has nothing else to look at */

static void forward(int sig)
{
	int no = errno;
	if (program > 0)
		(void)kill(program, sig);
	errno = no;
}

static void forward_signals(void)
{
	struct sigaction sa = { .sa_handler = forward, .sa_flags = SA_RESTART };
	(void)sigfillset(&sa.sa_mask);
	for (int sig = 1; sig < SIGNALS; sig++) {
		switch (sig) {
		case SIGCHLD: /* ours */
		case SIGSEGV:
		case SIGBUS:
		case SIGFPE:
		case SIGILL:
		case SIGTRAP:
		case SIGSYS: /* own faults */ (void)signal(sig, SIG_DFL); break;
		default: (void)sigaction(sig, &sa, NULL);
		}
	}
}

/* Ends when the program does; the kernel then kills what else is left in the namespace. */
static _Noreturn void reap(void)
{
	for (;;) {
		int status;
		pid_t pid = wait4(-1, &status, __WALL, NULL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			_exit(NOT_STARTED);
		if (pid != program)
			continue;
		int32_t told = status;
		report_send(REPORT_FD, REPORT_STATUS, &told, sizeof told);
		_exit(0);
	}
}

/* /proc/1/cmdline and environ are those of the program that called us: nothing of the inside. The
 * argument and environment strings lie in one piece on the stack, up to the one of AT_EXECFN. */
static void forget_arguments(void)
{
	char *start = program_invocation_name, *end = (char *)getauxval(AT_EXECFN);
	if (start && end > start && end - start < ARG_BYTES_MAX) {
		memset(start, 0, (size_t)(end - start));
		if (end - start > (ptrdiff_t)sizeof "init")
			memcpy(start, "init", sizeof "init");
	}
	(void)prctl(PR_SET_NAME, "init");
}

static char **copy_strings(char *const *list)
{
	struct strs copy = { 0 };
	for (; *list; list++)
		strs_add(&copy, *list);
	return strs_argv(&copy);
}

static _Noreturn void failed(int report, const struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	err_save(e, &b);
	report_send(report, REPORT_FAILED, b.p, b.len);
	_exit(NOT_STARTED);
}

_Noreturn void init_run(const struct inside_spec *given)
{
	struct inside_spec in = *given;
	struct err e = { 0 };
	struct strs made = { 0 };
	sigset_t all;
	struct pollfd alive = { .fd = in.report };
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	/* a parent that died before prctl is seen by its end of the pipe being closed */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&alive, 1, 0) != 0)
		_exit(NOT_STARTED);
	(void)setsid();
	if (set_up(&in, &made, &e) < 0)
		failed(in.report, &e);
	for (size_t i = 0; i < made.n; i++)
		report_send(REPORT_FD, REPORT_MADE, made.p[i], strlen(made.p[i]));
	/* nothing inside may look into this process, which still holds more than it (design.md §6.5) */
	if (prctl(PR_SET_DUMPABLE, 0) < 0) {
		err_sys(&e, "hide the memory of init");
		failed(REPORT_FD, &e);
	}
	/* the caller's strings may be those that are forgotten */
	struct sandbox_spec spec = *in.spec;
	spec.argv = copy_strings(spec.argv);
	spec.envp = copy_strings(spec.envp);
	spec.cwd = str_dup(spec.cwd);
	in.spec = &spec;
	char **argv = springboard_argv(&spec);
	forget_arguments();
	report_send(REPORT_FD, REPORT_READY, NULL, 0);
	if (!in.spec->init)
		become_program(&in, argv);
	forward_signals();
	pid_t pid = vfork();
	if (pid == 0)
		become_program(&in, argv);
	if (pid < 0)
		give_up(errno, false, in.spec->argv[0]);
	program = pid;
	(void)close_range(0, 2, 0);
	(void)close(BOARD_FD);
	(void)caps_limit(1ull << CAP_KILL);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	reap();
}
