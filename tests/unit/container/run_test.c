/* SPDX-License-Identifier: Apache-2.0 */
/* Real runs of an image in a store of its own. INSIDE is the static program of
 * tests/unit/sandbox/inside.c, which tells what it sees. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/err.h"
#include "base/proc.h"
#include "base/stream.h"
#include "container/peek.h"
#include "container/run.h"
#include "image/import.h"
#include "sandbox/userns.h"

struct world {
	char path[64];
	int dirfd;
	struct store *s;
	struct image im;
};
static struct world w;

static const char *line_of(const struct err *e)
{
	static struct buf b;
	buf_clear(&b);
	err_line(e, &b);
	return b.p ? b.p : "(no error)";
}

/* One run, its output caught in a file (so that it goes through our pipe) or a pipe. */
struct job {
	struct run_opts o;
	struct run_result res;
	struct err e;
	struct buf out;
};

static int job_try(struct job *j, const char *text)
{
	struct strs words = { 0 };
	struct slice rest = slice_of(text), word;
	while (text[0] && slice_split(&rest, ' ', &word))
		strs_take(&words, slice_dup(word));
	j->o.args = (const char *const *)words.p;
	j->o.args_n = words.n;
	int out = openat(w.dirfd, "out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(out >= 0);
	if (!j->o.interactive)
		j->o.stdio[0] = -1;
	j->o.stdio[1] = j->o.stdio[2] = out;
	int r = container_run(&j->o, w.s, &w.im, &j->res, &j->e);
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	assert_int_equal(fd_slurp(out, &j->out, "output", &j->e), 0);
	if (!j->out.p)
		buf_str(&j->out, "");
	(void)close(out);
	strs_done(&words);
	return r;
}

static void job_run(struct job *j, const char *text)
{
	if (job_try(j, text) < 0)
		fail_msg("%s: %s", text, line_of(&j->e));
}

static void job_done(struct job *j)
{
	run_result_done(&j->res);
	err_done(&j->e);
	buf_done(&j->out);
	strs_done(&j->o.env);
	strs_done(&j->o.env_files);
	strs_done(&j->o.volumes);
	strs_done(&j->o.tmpfs);
	/* nothing of the run is left */
	_close_ int fd = openat(store_fd(w.s), "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_close_ int tmp = openat(store_fd(w.s), "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(fstat(tmp, &st), 0);
	assert_int_equal(st.st_nlink, 2);
}

static void assert_contains(const struct job *j, const char *text)
{
	if (!strstr(j->out.p, text))
		fail_msg("'%s' is not in:\n%s", text, j->out.p);
}

static void container_run__uses_the_images_command(void **state)
{
	(void)state;
	struct job j = { 0 };
	job_run(&j, "");
	assert_int_equal(j.res.status, 0);
	assert_string_equal(j.out.p, "/work\nuid 1000 gid 1001 groups 29 1001\n");
	assert_string_equal(j.res.cwd, "/work");
	assert_int_equal(j.res.who.uid, 1000);
	job_done(&j);
}

static void container_run__has_dockers_statuses(void **state)
{
	(void)state;
	static const struct {
		const char *entrypoint, *args;
		int status;
	} cases[] = {
		{ NULL, "exit 0", 0 },  { NULL, "exit 7", 7 },      { NULL, "exit 125", 125 },
		{ NULL, "die 9", 137 }, { NULL, "die 15", 143 },    { "nosuch", "", 127 },
		{ "/etc", "", 126 },    { "/etc/passwd", "", 126 }, { "", "/nosuch x", 127 },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct job j = { .o = { .entrypoint = cases[i].entrypoint } };
		job_run(&j, cases[i].args);
		if (j.res.status != cases[i].status)
			fail_msg("%s %s: %d", cases[i].entrypoint, cases[i].args, j.res.status);
		job_done(&j);
	}
}

static void container_run__refuses_before_it_starts(void **state)
{
	(void)state;
	static const struct {
		struct run_opts o;
		const char *words;
	} cases[] = {
		{ { .workdir = "relative" }, "it needs to be an absolute path" },
		{ { .user = "nosuch" }, "unable to find user nosuch" },
		{ { .network = "bridge" }, "the network 'bridge' is not supported" },
		{ { .name = "a/b" }, "invalid container name" },
		{ { .name = ".." }, "invalid container name" },
		{ { .hostname = "a b" }, "invalid host name" },
		{ { .entrypoint = "" }, "no command specified" },
		{ { .tty = true, .interactive = true }, "not a terminal" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct job j = { .o = cases[i].o };
		_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		j.o.stdio[0] = null;
		assert_int_equal(job_try(&j, ""), -1);
		if (!strstr(line_of(&j.e), cases[i].words))
			fail_msg("'%s' is not in: %s", cases[i].words, line_of(&j.e));
		job_done(&j);
	}
	struct job j = { 0 };
	strs_add(&j.o.volumes, "/no/such/path:/x");
	assert_int_equal(job_try(&j, "pwd"), -1);
	assert_non_null(strstr(line_of(&j.e), "/no/such/path"));
	job_done(&j);
}

static void container_run__makes_the_environment(void **state)
{
	(void)state;
	struct job j = { .o = { .hostname = "named", .network = "none" } };
	strs_add(&j.o.env, "B=2");
	strs_add(&j.o.env, "A=mine");
	job_run(&j, "env -- cat /etc/hostname -- cat /etc/hosts -- cat /proc/sys/kernel/hostname");
	assert_string_equal(j.out.p,
			    "HOSTNAME=named\nPATH=/bin\nA=mine\nB=2\nHOME=/home/app\nnamed\n"
			    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
			    "127.0.1.1\tnamed\nnamed\n");
	job_done(&j);

	struct job file = { .o = { .user = "4242:7" } };
	_free_ char *path = str_printf("%s/env", w.path);
	strs_add(&file.o.env_files, path);
	strs_add(&file.o.env, "FILE=changed");
	job_run(&file, "env -- ids");
	assert_contains(&file, "\nFILE=changed\nOTHER=of file\nHOME=/\nuid 4242 gid 7 groups 7\n");
	job_done(&file);
}

static void container_run__copies_declared_volumes(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) { /* fresh each time */
		struct job j = { .o = { .user = "0" } };
		job_run(&j,
			"list /data -- cat /data/sub/file -- stat /data -- stat /data/sub/file -- stat /data/link "
			"-- write /data/sub/file changed -- rm /data/link");
		assert_string_equal(j.out.p,
				    "link\nsub\ntext\n40751 0:0 4096\n100640 0:0 5\n120777 0:0 8\n"
				    "write: ok\nrm: ok\n");
		job_done(&j);
	}
	struct job j = { .o = { .user = "0" } };
	strs_add(&j.o.tmpfs, "/data");
	job_run(&j, "list /data -- stat /data");
	assert_string_equal(j.out.p, "41777 0:0 40\n");
	job_done(&j);
}

static void container_run__keeps_named_volumes(void **state)
{
	(void)state;
	static const char *const want[] = { "link\nsub\nwrite: ok\n",
					    "link\nmore\nsub\nwrite: ok\n" };
	for (int i = 0; i < 2; i++) {
		struct job j = { .o = { .user = "0" } };
		strs_add(&j.o.volumes, "keep:/data");
		job_run(&j, "list /data -- write /data/more x");
		assert_string_equal(j.out.p, want[i]);
		job_done(&j);
	}
	struct job j = { .o = { .user = "0" } };
	strs_add(&j.o.volumes, "keep:/elsewhere:ro");
	job_run(&j, "list /elsewhere -- write /elsewhere/x y");
	assert_string_equal(j.out.p, "link\nmore\nsub\nwrite: errno 30\n");
	job_done(&j);
}

static void container_run__mounts_paths(void **state)
{
	(void)state;
	struct job j = { .o = { .user = "0", .read_only = true } };
	strs_addf(&j.o.volumes, "%s/shared:/deep/er", w.path);
	strs_addf(&j.o.volumes, "%s/env:/deep/er/file:ro", w.path);
	job_run(&j,
		"write /deep/er/new x -- cat /deep/er/file -- write /deep/er/file x -- write /x y");
	assert_string_equal(j.out.p,
			    "write: ok\nFILE=1\nOTHER=of file\nwrite: errno 30\nwrite: errno 30\n");
	job_done(&j);
	assert_true(fs_exists(w.dirfd, "shared/new"));
}

static void container_run__passes_stdin_on(void **state)
{
	(void)state;
	struct job j = { .o = { .interactive = true } };
	/* a file: through a pipe of ours. Larger than any pipe, so both directions wait for each other */
	_close_ int in = openat(w.dirfd, "big", O_RDONLY | O_CLOEXEC);
	j.o.stdio[0] = in;
	job_run(&j, "cat /dev/stdin");
	struct stat st;
	assert_int_equal(fstat(in, &st), 0);
	assert_int_equal(j.out.len, st.st_size);
	assert_memory_equal(j.out.p + j.out.len - 9, "the end.\n", 9);
	job_done(&j);

	struct job none = { 0 };
	job_run(&none, "cat /dev/stdin -- exit 3");
	assert_string_equal(none.out.p, "");
	assert_int_equal(none.res.status, 3);
	job_done(&none);

	/* a program that does not read it does not hang */
	struct job deaf = { .o = { .interactive = true } };
	assert_int_equal(lseek(in, 0, SEEK_SET), 0);
	deaf.o.stdio[0] = in;
	job_run(&deaf, "exit 4");
	assert_int_equal(deaf.res.status, 4);
	job_done(&deaf);
}

/* In a child: its exit status is the run's, or 125. */
static pid_t spawn_run(const struct run_opts *o)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	struct run_result res = { 0 };
	struct err e = { 0 };
	store_after_fork(w.s);
	if (container_run(o, w.s, &w.im, &res, &e) < 0) {
		fprintf(stderr, "# %s\n", line_of(&e));
		_exit(125);
	}
	_exit(res.status);
}

static void wait_for(int fd, const char *text)
{
	char b[512] = "";
	size_t n = 0;
	while (!strstr(b, text)) {
		struct pollfd p = { fd, POLLIN, 0 };
		assert_int_equal(poll(&p, 1, 20000), 1);
		ssize_t r = read(fd, b + n, sizeof b - 1 - n);
		if (r <= 0)
			fail_msg("'%s' did not come, only '%s'", text, b);
		n += (size_t)r;
		b[n] = 0;
	}
}

static void container_run__forwards_signals(void **state)
{
	(void)state;
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		int fd[2];
		char number[8];
		assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
		snprintf(number, sizeof number, "%d", signals[i]);
		const char *args[] = { "trap", number };
		struct run_opts o = { .args = args, .args_n = 2, .stdio = { -1, fd[1], fd[1] } };
		pid_t pid = spawn_run(&o);
		(void)close(fd[1]);
		wait_for(fd[0], "ready");
		assert_int_equal(kill(pid, signals[i]), 0);
		wait_for(fd[0], "got");
		assert_int_equal(proc_wait(pid), 33);
		(void)close(fd[0]);
	}
	struct job j = { 0 }; /* checks that nothing is left */
	job_run(&j, "pwd");
	job_done(&j);
}

static void container_run__names_are_for_one(void **state)
{
	(void)state;
	int fd[2];
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	const char *args[] = { "trap", "15" };
	struct run_opts o = {
		.args = args, .args_n = 2, .name = "mine", .stdio = { -1, fd[1], fd[1] }
	};
	pid_t pid = spawn_run(&o);
	(void)close(fd[1]);
	wait_for(fd[0], "ready");
	struct run_opts second = { .name = "mine", .stdio = { -1, -1, -1 } };
	struct run_result res = { 0 };
	struct err e = { 0 };
	assert_int_equal(container_run(&second, w.s, &w.im, &res, &e), -1);
	assert_non_null(strstr(line_of(&e), "already in use"));
	err_done(&e);
	assert_int_equal(container_sweep(w.s, &e), 0); /* does not touch it */
	/* killed without a chance to clean up: the next of that name takes it over */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(proc_wait(pid), 137);
	(void)close(fd[0]);
	assert_true(fs_exists(store_fd(w.s), "containers/mine"));
	struct job j = { .o = { .name = "mine" } };
	job_run(&j, "pwd");
	assert_int_equal(j.res.status, 0);
	job_done(&j);
}

static void container_run__sweeps_dead_runs(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_int_equal(fs_mkdirs(store_fd(w.s), "containers/dead/tree/x", 0755, &e), 0);
	assert_int_equal(container_sweep(w.s, &e), 0);
	assert_false(fs_exists(store_fd(w.s), "containers/dead"));
}

/* The place of a run that changed nothing is the next one's; any other is not, whoever changed it. */
static void container_run__reuses_only_what_is_new(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct strs volumes = w.im.config.volumes; /* what is made for them is no new place */
	w.im.config.volumes = (struct strs){ 0 };
	struct run_opts o = { .user = "0", .workdir = "/" }; /* which need not be made */
	struct job first = { .o = o }, writes = { .o = o }, closes = { .o = o }, looks = { .o = o };
	job_run(&first, "pwd");
	job_done(&first);
	assert_true(fs_exists(store_fd(w.s), "spare/tree"));
	assert_int_equal(fs_write(store_fd(w.s), store_fd(w.s), "spare/tree/planted", SL("x"), 0644, false, &e), 0);
	job_run(&looks, "list /");
	assert_null(strstr(looks.out.p, "planted"));
	job_done(&looks);
	assert_true(fs_exists(store_fd(w.s), "spare/tree"));
	job_run(&writes, "write /left x");
	assert_int_equal(writes.res.status, 0);
	job_done(&writes);
	assert_false(fs_exists(store_fd(w.s), "spare"));
	job_run(&closes, "pwd");
	job_done(&closes);
	assert_true(fs_exists(store_fd(w.s), "spare/tree"));
	assert_int_equal(fchmodat(store_fd(w.s), "spare/tree", 0700, 0), 0);
	struct job user = { .o = { .user = "1000", .workdir = "/" } };
	job_run(&user, "list /");
	assert_int_equal(user.res.status, 0);
	job_done(&user);
	w.im.config.volumes = volumes;
}

static void container_run__has_a_terminal(void **state)
{
	(void)state;
	int master, slave;
	struct winsize size = { .ws_row = 33, .ws_col = 77 };
	struct termios before, now;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	const char *args[] = { "tty", "--", "trap", "2" };
	struct run_opts o = { .args = args,
			      .args_n = 4,
			      .tty = true,
			      .interactive = true,
			      .stdio = { slave, slave, slave } };
	pid_t pid = spawn_run(&o);
	wait_for(master, "ready");
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_false(now.c_lflag & ICANON); /* raw while it runs */
	/* ^C is a byte for us, and a signal inside */
	assert_int_equal(write(master, "\003", 1), 1);
	wait_for(master, "got 2");
	assert_int_equal(proc_wait(pid), 33);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_int_equal(now.c_lflag, before.c_lflag);
	assert_int_equal(now.c_oflag, before.c_oflag);
	assert_int_equal(now.c_iflag, before.c_iflag);
	(void)close(slave);
	(void)close(master);
}

static void container_run__never_shows_the_callers_terminal(void **state)
{
	(void)state;
	int master, slave;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	const char *args[] = { "tty" };
	struct run_opts o = {
		.args = args, .args_n = 1, .interactive = true, .stdio = { slave, slave, slave }
	};
	pid_t pid = spawn_run(&o);
	wait_for(master, "tty none session no");
	/* its stdin is a pipe that ends when the terminal says so; the program did not wait for it */
	assert_int_equal(proc_wait(pid), 0);
	(void)close(slave);
	(void)close(master);
}

static void container_probe__tells_all(void **state)
{
	(void)state;
	static const struct {
		const char *cmd[4];
		int64_t limit_ms;
		bool running;
		int status;
		const char *out;
	} cases[] = {
		{ { "pwd" }, 20000, false, 0, "/work\n" },
		{ { "exit", "5" }, 20000, false, 5, "" },
		{ { "sleep" }, 300, true, 0, "ready\n" },
		{ { "list", "/sys/class/net" }, 20000, false, 0, "lo\n" },
		{ { "socket", "2", "1" }, 20000, false, 0, "socket: ok\n" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct image im = w.im; /* its command another one */
		struct strs cmd = { 0 };
		struct probe_result res = { 0 };
		struct err e = { 0 };
		for (size_t k = 0; cases[i].cmd[k]; k++)
			strs_add(&cmd, cases[i].cmd[k]);
		im.config.cmd = cmd;
		if (container_probe(w.s, &im, cases[i].limit_ms * 1000000, &res, &e) < 0)
			fail_msg("%s", line_of(&e));
		assert_int_equal(res.running, cases[i].running);
		assert_int_equal(res.status, cases[i].status);
		assert_string_equal(res.out.p ? res.out.p : "", cases[i].out);
		assert_int_equal(res.err_bytes, 0);
		assert_true(res.ns > 0 && res.ns < 20000000000);
		probe_result_done(&res);
		strs_done(&cmd);
	}
}

static void container_probe__keeps_the_tail(void **state)
{
	(void)state;
	struct image im = w.im;
	struct strs cmd = { 0 };
	struct probe_result res = { 0 };
	struct err e = { 0 };
	struct stat st;
	assert_int_equal(fstatat(w.dirfd, "big", &st, 0), 0);
	strs_add(&cmd, "cat");
	strs_add(&cmd, "/big");
	im.config.cmd = cmd;
	assert_int_equal(container_probe(w.s, &im, 20000000000, &res, &e), 0);
	assert_int_equal(res.out.len, PROBE_TAIL);
	assert_int_equal(res.out_bytes, st.st_size);
	assert_memory_equal(res.out.p + PROBE_TAIL - 9, "the end.\n", 10);
	probe_result_done(&res);
	strs_done(&cmd);
}

/* ---- peek ---- */

static void peek_file__sees_what_overlay_shows(void **state)
{
	(void)state;
	struct err e = { 0 };
	assert_int_equal(fs_mkdirs(w.dirfd, "p/a/etc", 0755, &e), 0);
	assert_int_equal(fs_mkdirs(w.dirfd, "p/b/etc", 0755, &e), 0);
	assert_int_equal(fs_mkdirs(w.dirfd, "p/c", 0755, &e), 0);
	int trees[] = { openat(w.dirfd, "p/a", O_PATH), openat(w.dirfd, "p/b", O_PATH),
			openat(w.dirfd, "p/c", O_PATH) };
	struct buf out = { 0 };
	bool user = store_is_user(w.s);
#define PEEK(n) (buf_clear(&out), peek_file(trees, n, "etc", "f", user, 100, &out, &e))
	assert_int_equal(PEEK(3), 0);
	int fd = openat(w.dirfd, "p/a/etc/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "low", 3), 3);
	(void)close(fd);
	assert_int_equal(PEEK(3), 1);
	assert_string_equal(out.p, "low");
	assert_int_equal(mknodat(w.dirfd, "p/b/etc/f", S_IFCHR, 0), 0); /* deleted */
	assert_int_equal(PEEK(3), 0);
	assert_int_equal(PEEK(1), 1);
	assert_int_equal(unlinkat(w.dirfd, "p/b/etc/f", 0), 0);
	assert_int_equal(tree_set_opaque(w.dirfd, "p/b/etc", store_tree_opts(w.s), &e), 0);
	assert_int_equal(PEEK(3), 0);
	assert_int_equal(symlinkat("x", w.dirfd, "p/c/etc"), 0); /* somebody else must tell */
	assert_int_equal(PEEK(3), 2);
	assert_int_equal(unlinkat(w.dirfd, "p/c/etc", 0), 0);
	assert_int_equal(mknodat(w.dirfd, "p/c/etc", S_IFCHR, 0), 0);
	assert_int_equal(PEEK(3), 0);
	buf_done(&out);
	for (int i = 0; i < 3; i++)
		(void)close(trees[i]);
}

/* ---- the world ---- */

static void make_file(const char *path, const char *text, mode_t mode)
{
	int fd = openat(w.dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void copy_file(const char *from, const char *to)
{
	_close_ int in = openat(w.dirfd, from, O_RDONLY | O_CLOEXEC);
	_close_ int out = openat(w.dirfd, to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(in >= 0 && out >= 0);
	assert_int_equal(fd_copy(in, out, NULL, NULL), 0);
}

static void make_tree(struct err *e)
{
	static const char *const dirs[] = { "root/bin", "root/etc", "root/data/sub", "shared" };
	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		assert_int_equal(fs_mkdirs(w.dirfd, dirs[i], 0755, e), 0);
	copy_file(INSIDE, "root/bin/inside");
	make_file("root/etc/passwd", "root:x:0:0::/root:\napp:x:1000:1001::/home/app:\n", 0644);
	make_file("root/etc/group", "root:x:0:\naudio:x:29:app\n", 0644);
	make_file("root/data/sub/file", "text\n", 0640);
	assert_int_equal(symlinkat("sub/file", w.dirfd, "root/data/link"), 0);
	assert_int_equal(fchmodat(w.dirfd, "root/data", 0751, 0), 0);
	make_file("env", "FILE=1\nOTHER=of file\n", 0644);
	struct buf big = { 0 };
	for (int i = 0; i < 20000; i++)
		buf_printf(&big, "line %d of a file that no pipe holds\n", i);
	buf_str(&big, "the end.\n");
	make_file("big", big.p, 0644);
	make_file("root/big", big.p, 0644);
	buf_done(&big);
}

static int import_image(struct err *e)
{
	_free_ char *root = str_printf("%s/root", w.path), *tar = str_printf("%s/root.tar", w.path);
	char *argv[] = { "tar", "--owner=0", "--group=0", "-C", root, "-cf", tar, ".", NULL };
	struct digest manifest, id;
	struct image_config cfg = { .has_cmd = true, .has_entrypoint = true };
	platform_host(&cfg.platform);
	cfg.user = str_dup("app");
	cfg.working_dir = str_dup("/work");
	strs_add(&cfg.env, "PATH=/bin");
	strs_add(&cfg.env, "A=image");
	strs_add(&cfg.entrypoint, "inside");
	static const char *const cmd[] = { "pwd", "--", "ids" };
	for (size_t i = 0; i < COUNT_OF(cmd); i++)
		strs_add(&cfg.cmd, cmd[i]);
	strs_add(&cfg.volumes, "/data");
	if (proc_run(argv, NULL, e) < 0)
		return -1;
	_cleanup_(source_closep) struct source *in =
		source_fd_take(open(tar, O_RDONLY | O_CLOEXEC));
	int r = image_import(w.s, in, &cfg, false, &manifest, &id, e);
	image_config_done(&cfg);
	return r < 0 ? -1 : image_open_digest(w.s, &manifest, &w.im, e);
}

static int world_make(void **state)
{
	(void)state;
	struct err e = { 0 };
	(void)umask(022);
	strcpy(w.path, "/tmp/thimble-container.XXXXXX");
	if (!mkdtemp(w.path))
		return -1;
	w.dirfd = open(w.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_tree(&e);
	_free_ char *root = str_printf("%s/store", w.path);
	w.s = store_open(&(struct store_opts){ .root = root, .create = true }, &e);
	if (!w.s || userns_enter(&e) < 0 || import_image(&e) < 0) {
		print_message("# %s\n", line_of(&e));
		return -1;
	}
	return 0;
}

static int world_end(void **state)
{
	(void)state;
	image_done(&w.im);
	store_close(w.s);
	(void)close(w.dirfd);
	int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fs_remove(parent, w.path + strlen("/tmp/"), NULL);
	(void)close(parent);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(container_run__uses_the_images_command),
		cmocka_unit_test(container_run__has_dockers_statuses),
		cmocka_unit_test(container_run__refuses_before_it_starts),
		cmocka_unit_test(container_run__makes_the_environment),
		cmocka_unit_test(container_run__copies_declared_volumes),
		cmocka_unit_test(container_run__keeps_named_volumes),
		cmocka_unit_test(container_run__mounts_paths),
		cmocka_unit_test(container_run__passes_stdin_on),
		cmocka_unit_test(container_run__forwards_signals),
		cmocka_unit_test(container_run__names_are_for_one),
		cmocka_unit_test(container_run__sweeps_dead_runs),
		cmocka_unit_test(container_run__reuses_only_what_is_new),
		cmocka_unit_test(container_run__has_a_terminal),
		cmocka_unit_test(container_run__never_shows_the_callers_terminal),
		cmocka_unit_test(container_probe__tells_all),
		cmocka_unit_test(container_probe__keeps_the_tail),
		cmocka_unit_test(peek_file__sees_what_overlay_shows),
	};
	return cmocka_run_group_tests(tests, world_make, world_end);
}
