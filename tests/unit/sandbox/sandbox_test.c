/* SPDX-License-Identifier: Apache-2.0 */
/* Real runs: as whoever runs the test (root, or a user with subordinate ids). INSIDE is the path of
 * the static program of inside.c. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "sandbox/overlay.h"
#include "sandbox/sandbox.h"
#include "sandbox/userns.h"

struct world {
	char path[64];
	int dirfd;
	bool is_user;
};

static struct world w;
static const char *const lowers[] = { "l0", "l1" };

/* A spec whose program is "/inside ARGS…" and whose output is read back. */
struct job {
	struct sandbox_spec spec;
	struct sandbox_end end;
	struct err e;
	struct buf out;
};

static char *const environment[] = { "PATH=/bin:/usr/bin", "A=b", NULL };

static void job_init(struct job *j)
{
	*j = (struct job){
		.spec = { .root = { .dirfd = w.dirfd,
				    .lowers = lowers,
				    .lowers_n = 2,
				    .upper = "upper",
				    .work = "work",
				    .stubs = "stubs",
				    .is_user = w.is_user },
			  .envp = environment,
			  .cwd = "/",
			  .hostname = "box",
			  .resolv = true,
			  .init = true,
			  .stdio = { -1, -1, -1 } },
	};
	assert_int_equal(fs_remove(w.dirfd, "upper", &j->e), 0);
	assert_int_equal(mkdirat(w.dirfd, "upper", 0755), 0);
}

static void job_done(struct job *j)
{
	/* the work directory is gone whatever happened */
	assert_false(fs_exists(w.dirfd, "work"));
	sandbox_end_done(&j->end);
	err_done(&j->e);
	buf_done(&j->out);
}

static const char *line_of(const struct err *e)
{
	static struct buf b;
	buf_clear(&b);
	err_line(e, &b);
	return b.p ? b.p : "(no error)";
}

/* Runs argv; 0, or sandbox_start's -1. */
static int job_argv(struct job *j, char *const argv[])
{
	int fd[2];
	struct sandbox box = SANDBOX_INIT;
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	j->spec.argv = argv;
	j->spec.stdio[1] = j->spec.stdio[2] = fd[1];
	int r = sandbox_start(&j->spec, &box, &j->e);
	(void)close(fd[1]);
	if (r == 0) {
		assert_int_equal(fd_slurp(fd[0], &j->out, "output", &j->e), 0);
		if (sandbox_wait(&box, &j->end, &j->e) < 0)
			fail_msg("%s", line_of(&j->e));
	}
	(void)close(fd[0]);
	if (!j->out.p)
		buf_str(&j->out, "");
	return r;
}

/* Commands of inside.c, split at blanks. */
static void job_run(struct job *j, const char *text)
{
	struct strs words = { 0 };
	strs_add(&words, "/inside");
	struct slice rest = slice_of(text), word;
	while (slice_split(&rest, ' ', &word))
		strs_take(&words, slice_dup(word));
	_free_ char **argv = strs_argv(&words);
	if (job_argv(j, argv) < 0)
		fail_msg("%s", line_of(&j->e));
	strs_done(&words);
}

static void assert_output(const char *text, const char *want)
{
	struct job j;
	job_init(&j);
	job_run(&j, text);
	assert_string_equal(j.out.p, want);
	assert_int_equal(sandbox_status(&j.end), 0);
	job_done(&j);
}

static bool contains(const struct job *j, const char *text)
{
	return strstr(j->out.p, text) != NULL;
}

static void assert_contains(const struct job *j, const char *text)
{
	if (!contains(j, text))
		fail_msg("'%s' is not in:\n%s", text, j->out.p);
}

/* ---- files of the world ---- */

static void make_file(const char *path, const char *text, mode_t mode)
{
	int fd = openat(w.dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void make_dir(const char *path)
{
	assert_int_equal(fs_mkdirs(w.dirfd, path, 0755, NULL), 0);
}

/* ---- what it is allowed ---- */

static void sandbox__has_dockers_capabilities(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	job_run(&j, "caps");
	assert_contains(
		&j,
		"CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
		"CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n");
	assert_contains(&j, "NoNewPrivs:\t0\n");
	assert_contains(&j, "Seccomp:\t2\n");
	job_done(&j);

	job_init(&j);
	j.spec.who.uid = 1000;
	j.spec.who.gid = 100;
	arr_push(&j.spec.who.groups, 100);
	arr_push(&j.spec.who.groups, 44);
	job_run(&j, "caps -- ids");
	assert_contains(&j, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
			    "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n");
	assert_contains(&j, "uid 1000 gid 100 groups 44 100\n");
	arr_done(&j.spec.who.groups);
	job_done(&j);
}

static void sandbox__refuses_what_docker_refuses(void **state)
{
	(void)state;
	assert_output("unshare -- mount", "unshare: errno 1\nmount: errno 1\n");
	/* as root with the machine's network there are no raw sockets, in a network of its own there are */
	assert_output("socket 2 3 -- socket 17 3 -- socket 2 1",
		      "socket: errno 1\nsocket: errno 1\nsocket: ok\n");
	struct job j;
	job_init(&j);
	j.spec.network = SANDBOX_NET_NONE;
	job_run(&j, "socket 2 3 -- socket 17 3 -- socket 40 1 -- list /sys/class/net");
	assert_string_equal(j.out.p, "socket: ok\nsocket: ok\nsocket: errno 1\nlo\n");
	job_done(&j);
}

static void sandbox__insecure_has_all(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	j.spec.insecure = true;
	job_run(&j, "caps -- mount");
	assert_contains(&j, "Seccomp:\t0\n");
	assert_contains(&j, "mount: ok\n");
	assert_false(contains(&j, "CapEff:\t00000000a80425fb"));
	job_done(&j);
}

static void sandbox__has_no_descriptors_but_three(void **state)
{
	(void)state;
	int extra = open("/", O_RDONLY | O_DIRECTORY); /* not even one without O_CLOEXEC */
	int high = fcntl(extra, F_DUPFD, 200);
	assert_output("fds", "fd 0\nfd 1\nfd 2\n");
	(void)close(extra);
	(void)close(high);
}

static void sandbox__init_shows_nothing(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	job_run(&j,
		"parent -- cat /proc/1/fd/3 -- cat /proc/1/environ -- list /proc/1/root -- cat /proc/1/cmdline");
	assert_contains(&j, "pid 2 parent 1\n");
	assert_contains(&j, "\ncat: errno 13\ncat: errno 13\nlist: errno 13\n"); /* not dumpable */
	assert_contains(&j, "\ninit"); /* and nothing of our own command line after it */
	for (char *p = strstr(j.out.p, "\ninit") + 5; p < j.out.p + j.out.len; p++)
		assert_int_equal(*p, 0);
	job_done(&j);
}

/* ---- namespaces and mounts ---- */

static void sandbox__has_namespaces_of_its_own(void **state)
{
	(void)state;
	static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "uts" };
	for (int net = 0; net < 2; net++) {
		struct job j;
		job_init(&j);
		j.spec.network = net ? SANDBOX_NET_NONE : SANDBOX_NET_HOST;
		job_run(&j, "ns -- cat /proc/sys/kernel/hostname");
		for (size_t i = 0; i < COUNT_OF(kinds); i++) {
			char path[64], own[64];
			snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
			ssize_t n = readlink(path, own, sizeof own - 1);
			own[n < 0 ? 0 : n] = 0;
			bool shared = strcmp(kinds[i], "net") == 0 && !net;
			assert_int_equal(contains(&j, own), shared);
		}
		assert_contains(&j, "\nbox\n");
		job_done(&j);
	}
}

/* mountinfo: id parent dev root TARGET OPTIONS … - TYPE SOURCE SUPER */
static void check_mount(char *line, unsigned *devices)
{
	char *field[16] = { 0 };
	int n = 0;
	for (char *save, *p = strtok_r(line, " ", &save); p && n < 16;
	     p = strtok_r(NULL, " ", &save))
		field[n++] = p;
	assert_true(n > 8);
	const char *target = field[4], *options = field[5];
	int dash = 6;
	while (dash < n && strcmp(field[dash], "-") != 0)
		dash++;
	const char *type = field[dash + 1];
	static const char *const nodes[] = { "/dev/null",   "/dev/zero",    "/dev/full",
					     "/dev/random", "/dev/urandom", "/dev/tty" };
	bool device = strcmp(type, "devpts") == 0;
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		if (strcmp(target, nodes[i]) == 0)
			device = true, (*devices)++;
	if (strcmp(type, "devtmpfs") == 0) /* /dev/null over a hidden file */
		device = true;
	if (!device && !strstr(options, "nodev"))
		fail_msg("%s (%s) is mounted without nodev", target, type);
	if ((strncmp(target, "/sys", 4) == 0 || strcmp(target, "/proc/sys") == 0) &&
	    strncmp(options, "ro", 2) != 0)
		fail_msg("%s can be written", target);
}

static void sandbox__mounts_are_nodev(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	_close_ int src = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct sandbox_mount mounts[] = {
		{ .kind = SANDBOX_BIND, .source_fd = src, .target = "/vol", .read_only = true },
		{ .kind = SANDBOX_TMPFS,
		  .source_fd = -1,
		  .target = "/scratch",
		  .mode = 01777,
		  .size = 1 << 20 },
		{ .kind = SANDBOX_TEXT,
		  .source_fd = -1,
		  .target = "/run/secret",
		  .text = "s",
		  .text_n = 1 },
		{ .kind = SANDBOX_BIND, .source_fd = src, .target = "/over", .scratch = true },
	};
	j.spec.mounts = mounts;
	j.spec.mounts_n = COUNT_OF(mounts);
	job_run(&j, "mounts");
	unsigned devices = 0, all = 0;
	for (char *save, *line = strtok_r(j.out.p, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), all++)
		check_mount(line, &devices);
	assert_int_equal(devices, 6);
	assert_true(all > 20);
	job_done(&j);
}

static void sandbox__hides_and_protects(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	job_run(&j,
		"cat /proc/keys -- cat /proc/timer_list -- list /sys/firmware -- write /proc/sys/kernel/hostname x "
		"-- write /proc/sysrq-trigger x -- list /proc/acpi");
	assert_false(contains(&j, "cat:"));
	assert_true(contains(&j, "write: errno 30\n") || contains(&j, "write: errno 13\n"));
	assert_false(contains(&j, "write: ok"));
	job_done(&j);
	assert_output("mknod /node -- mknod /dev/node",
		      w.is_user ? "mknod: errno 1\nmknod: errno 1\n" : "mknod: ok\nmknod: ok\n");
	if (!w.is_user)
		assert_output("mknod /node -- open /node -- mknod /dev/node -- open /dev/node",
			      "mknod: ok\nopen: errno 13\nmknod: ok\nopen: errno 13\n");
}

static void sandbox__dev_is_complete(void **state)
{
	(void)state;
	assert_output(
		"list /dev",
		"core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\n"
		"tty\nurandom\nzero\n");
	assert_output("write /dev/null x -- write /dev/shm/x y -- write /dev/stdout z",
		      "write: ok\nwrite: ok\nzwrite: ok\n");
}

/* What is masked is found by the names /proc, /sys and /dev. A link of the image in their place once
 * led the masks astray, and /proc/sys could be written. */
static void sandbox__wants_plain_directories(void **state)
{
	(void)state;
	static const char *const names[] = { "proc", "sys", "dev" };
	static const char *const links[] = { "/usr", "usr", "/", "..", "/tmp", NULL };
	static const char *const with_evil[] = { "l0", "l1", "evil" };
	static char *const argv[] = { (char *)"/inside", NULL };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		for (size_t k = 0; k < COUNT_OF(links); k++) {
			struct job j;
			job_init(&j);
			make_dir("evil");
			_free_ char *path = str_printf("evil/%s", names[i]);
			if (links[k])
				assert_int_equal(symlinkat(links[k], w.dirfd, path), 0);
			else
				make_file(path, "", 0644);
			j.spec.root.lowers = with_evil;
			j.spec.root.lowers_n = 3;
			assert_int_equal(job_argv(&j, argv), -1);
			assert_int_equal(j.e.kind, ERR_USER);
			assert_non_null(strstr(line_of(&j.e), "must be a directory"));
			assert_int_equal(fs_remove(w.dirfd, "evil", NULL), 0);
			job_done(&j);
		}
}

/* A volume on /dev brings its own `null`, which once was bound over /proc/keys: through a link that
 * was followed from this machine's root. */
static void sandbox__masks_with_its_own_null(void **state)
{
	(void)state;
	_free_ char *secret = str_printf("%s/secret", w.path);
	make_file("secret", "canary", 0644);
	make_dir("volume");
	assert_int_equal(symlinkat(secret, w.dirfd, "volume/null"), 0);
	_close_ int src = openat(w.dirfd, "volume", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct sandbox_mount mount = { .kind = SANDBOX_BIND,
					     .source_fd = src,
					     .target = "/dev" };
	struct job j;
	job_init(&j);
	j.spec.mounts = &mount;
	j.spec.mounts_n = 1;
	job_run(&j, "cat /proc/keys -- write /proc/keys x -- cat /proc/timer_list -- mounts");
	assert_false(contains(&j, "canary"));
	assert_false(contains(&j, "secret"));
	job_done(&j);
	_cleanup_(buf_done) struct buf text = { 0 };
	assert_int_equal(fs_read(w.dirfd, "secret", 100, &text, NULL), 0);
	assert_string_equal(text.p, "canary");
	assert_int_equal(fs_remove(w.dirfd, "volume", NULL), 0);
}

static void sandbox__devices_are_its_own(void **state)
{
	(void)state;
	struct stat before, after;
	assert_int_equal(stat("/dev/null", &before), 0);
	assert_output("chmod /dev/null 600 -- chmod /proc/keys 777 -- write /dev/null x",
		      w.is_user ? "chmod: errno 30\nchmod: errno 30\nwrite: ok\n"
				: "chmod: ok\nchmod: errno 30\nwrite: ok\n");
	assert_int_equal(stat("/dev/null", &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_ctime, before.st_ctime);
}

/* ---- changes ---- */

static void sandbox__changes_go_to_upper_only(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	job_run(&j, "write /new text -- rm /old -- cat /etc/hosts -- write /etc/hosts x -- list /");
	assert_contains(&j, "127.0.0.1\tlocalhost box\n");
	assert_contains(&j, "\nbin\ndenied\ndev\netc\ninside\nnew\nproc\nsys\n");
	assert_int_equal(j.end.stubs.n, 0);
	job_done(&j);
	struct stat st;
	assert_int_equal(fstatat(w.dirfd, "upper/new", &st, 0), 0);
	assert_int_equal(fstatat(w.dirfd, "upper/old", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	static const char *const absent[] = { "upper/etc", "upper/proc", "upper/dev", "upper/sys",
					      "l0/new" };
	for (size_t i = 0; i < COUNT_OF(absent); i++)
		assert_int_equal(fstatat(w.dirfd, absent[i], &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_true(fs_exists(w.dirfd, "l0/old"));
}

static void sandbox__works_by_the_old_interface(void **state)
{
	(void)state;
	assert_int_equal(setenv("THIMBLE_TEST_MOUNT", "legacy", 1), 0);
	sandbox__changes_go_to_upper_only(state);
	assert_int_equal(unsetenv("THIMBLE_TEST_MOUNT"), 0);
	char here[64];
	assert_non_null(getcwd(here, sizeof here)); /* and the caller stays where it was */
	assert_string_equal(here, "/");
}

static void sandbox__without_upper_drops_changes(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	j.spec.root.upper = j.spec.root.work = NULL;
	job_run(&j, "write /new text -- cat /new -- cat /etc/resolv.conf");
	assert_contains(&j, "write: ok\ntext");
	job_done(&j);
	assert_false(fs_exists(w.dirfd, "l0/new") || fs_exists(w.dirfd, "l1/new") ||
		     fs_exists(w.dirfd, "upper/new"));
}

static void sandbox__read_only_root(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	j.spec.root.read_only = true;
	job_run(&j, "write /new text -- write /dev/shm/x y");
	assert_string_equal(j.out.p, "write: errno 30\nwrite: ok\n");
	job_done(&j);
}

/* Layers that make mount points hard: links where files shall be, deletions, files. */
static void sandbox__mount_points_through_links(void **state)
{
	(void)state;
	static const char *const odd[] = { "l0", "odd" };
	struct job j;
	job_init(&j);
	j.spec.root.lowers = odd;
	/* odd/etc/resolv.conf -> /run/gone/resolv.conf; odd/etc/hosts is deleted; odd/dev holds a file */
	job_run(&j, "cat /etc/resolv.conf -- cat /etc/hosts -- stat /etc/resolv.conf -- list /dev");
	assert_contains(&j, "localhost box");
	assert_false(contains(&j, "cat: errno"));
	assert_contains(&j, "120777 0:0");
	assert_false(contains(&j, "leftover"));
	assert_true(strs_find(&j.end.stubs, "run") >= 0);
	assert_true(strs_find(&j.end.stubs, "run/gone") >= 0);
	assert_true(strs_find(&j.end.stubs, "run/gone/resolv.conf") >= 0);
	assert_true(strs_find(&j.end.stubs, "etc/hosts") >= 0);
	job_done(&j);
	assert_true(fs_exists(w.dirfd, "upper/run/gone/resolv.conf"));
	assert_false(fs_exists(w.dirfd, "run"));
}

static void sandbox__links_in_targets_stay_inside(void **state)
{
	(void)state;
	static const char *const odd[] = { "l0", "odd" };
	struct job j;
	job_init(&j);
	j.spec.root.lowers = odd;
	const struct sandbox_mount mounts[] = {
		/* odd/up -> ../../../../tmp/thimble-outside */
		{ .kind = SANDBOX_TEXT,
		  .source_fd = -1,
		  .target = "/up/file",
		  .text = "T",
		  .text_n = 1,
		  .mode = 0444 },
	};
	j.spec.mounts = mounts;
	j.spec.mounts_n = 1;
	job_run(&j, "cat /tmp/thimble-outside/file");
	assert_string_equal(j.out.p, "T");
	job_done(&j);
	assert_int_equal(access("/tmp/thimble-outside", F_OK), -1);
}

static void sandbox__refuses_impossible_targets(void **state)
{
	(void)state;
	static const char *const bad[] = { "/",    "relative", "/proc",        "/proc/self/x",
					   "/../", "//",       "/inside/below" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct job j;
		job_init(&j);
		const struct sandbox_mount m = { .kind = SANDBOX_TMPFS,
						 .source_fd = -1,
						 .target = bad[i] };
		char *argv[] = { "/inside", NULL };
		j.spec.mounts = &m;
		j.spec.mounts_n = 1;
		assert_int_equal(job_argv(&j, argv), -1);
		assert_true(j.e.n > 0);
		job_done(&j);
	}
}

static void sandbox__mounts_of_the_caller(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	assert_int_equal(fs_remove(w.dirfd, "shared", &j.e), 0);
	assert_int_equal(mkdirat(w.dirfd, "shared", 0755), 0);
	_close_ int src = openat(w.dirfd, "shared", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct sandbox_mount mounts[] = {
		{ .kind = SANDBOX_BIND, .source_fd = src, .target = "/rw" },
		{ .kind = SANDBOX_BIND, .source_fd = src, .target = "/ro", .read_only = true },
		{ .kind = SANDBOX_BIND, .source_fd = src, .target = "/over", .scratch = true },
		{ .kind = SANDBOX_TMPFS,
		  .source_fd = -1,
		  .target = "/deep/er/tmp",
		  .mode = 0750,
		  .uid = 3,
		  .gid = 4 },
		{ .kind = SANDBOX_TEXT,
		  .source_fd = -1,
		  .target = "/deep/er/tmp/text",
		  .text = "hi",
		  .text_n = 2,
		  .mode = 0400,
		  .uid = 7,
		  .gid = 8,
		  .read_only = true },
	};
	j.spec.mounts = mounts;
	j.spec.mounts_n = COUNT_OF(mounts);
	job_run(&j,
		"write /rw/a 1 -- write /ro/b 2 -- write /over/c 3 -- list /over -- stat /deep/er/tmp "
		"-- stat /deep/er/tmp/text -- write /deep/er/tmp/text x -- cat /deep/er/tmp/text");
	assert_string_equal(
		j.out.p, "write: ok\nwrite: errno 30\nwrite: ok\na\nc\n40750 3:4 60\n100400 7:8 2\n"
			 "write: errno 30\nhi");
	assert_int_equal(j.end.stubs.n, 0);
	job_done(&j);
	assert_true(fs_exists(w.dirfd, "shared/a"));
	assert_false(fs_exists(w.dirfd, "shared/c"));
	assert_false(fs_exists(w.dirfd, "upper/rw") || fs_exists(w.dirfd, "upper/deep"));
}

static void sandbox__host_dirs_lie_beneath(void **state)
{
	(void)state;
	static const char *const dirs[] = { "usr", "bin", "lib", "lib64", "nosuchdir" };
	static const char *const only[] = { "l1" };
	struct job j;
	job_init(&j);
	j.spec.root.lowers = only; /* it has usr/of-layer */
	j.spec.root.lowers_n = 1;
	j.spec.root.host_dirs = dirs;
	j.spec.root.host_dirs_n = COUNT_OF(dirs);
	char *argv[] = { "sh", "-c",
			 "echo made >/usr/made; cat /usr/of-layer; ls /home /root 2>&1; uname -s",
			 NULL };
	assert_int_equal(job_argv(&j, argv), 0);
	assert_contains(&j, "layer\n");
	assert_contains(&j, "Linux\n");
	assert_false(contains(&j, "/home:"));
	assert_int_equal(sandbox_status(&j.end), 0);
	job_done(&j);
	assert_true(fs_exists(w.dirfd, "upper/usr/made"));
	assert_false(fs_exists(w.dirfd, "upper/nosuchdir"));
	assert_int_equal(access("/usr/made", F_OK), -1);
	/* a run that changes nothing there leaves nothing */
	job_init(&j);
	j.spec.root.lowers = only;
	j.spec.root.lowers_n = 1;
	j.spec.root.host_dirs = dirs;
	j.spec.root.host_dirs_n = COUNT_OF(dirs);
	char *nothing[] = { "sh", "-c", ":", NULL };
	assert_int_equal(job_argv(&j, nothing), 0);
	job_done(&j);
	assert_false(fs_exists(w.dirfd, "upper/usr"));
}

static void sandbox__takes_a_layer_twice(void **state)
{
	(void)state;
	static const char *const twice[] = { "l0", "l1", "l0" };
	struct job j;
	job_init(&j);
	j.spec.root.lowers = twice;
	j.spec.root.lowers_n = 3;
	job_run(&j, "cat /which");
	assert_string_equal(j.out.p, "zero\n"); /* l0 on top of l1 */
	job_done(&j);
}

/* ---- endings ---- */

static void sandbox__tells_how_it_ended(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum sandbox_end_kind kind;
		int status, shell;
	} cases[] = {
		{ "exit 0", SANDBOX_EXITED, 0, 0 },
		{ "exit 37", SANDBOX_EXITED, 37, 37 },
		{ "exit 137", SANDBOX_EXITED, 137, 137 },
		{ "die 9", SANDBOX_SIGNALED, 9, 137 },
		{ "die 15", SANDBOX_SIGNALED, 15, 143 },
		{ "orphans -- exit 4", SANDBOX_EXITED, 4, 4 },
	};
	for (int init = 0; init < 2; init++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			if (!init && cases[i].kind == SANDBOX_SIGNALED)
				continue; /* pid 1 cannot kill itself */
			struct job j;
			job_init(&j);
			j.spec.init = init;
			job_run(&j, cases[i].text);
			assert_int_equal(j.end.kind, cases[i].kind);
			assert_int_equal(j.end.status, cases[i].status);
			assert_int_equal(sandbox_status(&j.end), cases[i].shell);
			job_done(&j);
		}
}

static void sandbox__tells_what_could_not_be_executed(void **state)
{
	(void)state;
	static const struct {
		char *program;
		int no, shell;
		const char *tried;
		const char *path; /* or NULL: the usual environment */
	} cases[] = {
		{ "nosuch", ENOENT, 127, "nosuch", NULL },
		{ "/nosuch", ENOENT, 127, "/nosuch", NULL },
		{ "/etc", EACCES, 126, "/etc", NULL },
		{ "/bin/plain", EACCES, 126, "/bin/plain", NULL },
		{ "plain", EACCES, 126, "/bin/plain", NULL },
		{ "/bin/orphan", ENOENT, 127, "/bin/orphan", NULL }, /* #!/no/interpreter */
		{ "orphan", ENOENT, 127, "/bin/orphan", NULL },
		{ "/bin/junk", ENOEXEC, 126, "/bin/junk", NULL }, /* and no shell is tried */
		{ "junk", ENOEXEC, 126, "/bin/junk", NULL },
		{ "", ENOENT, 127, "", NULL },
		{ "inside", ENOENT, 127, "inside", "PATH=/nowhere:/etc" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct job j;
		job_init(&j);
		char *argv[] = { cases[i].program, NULL };
		char *env[] = { (char *)cases[i].path, NULL };
		if (cases[i].path)
			j.spec.envp = env;
		assert_int_equal(job_argv(&j, argv), 0);
		assert_int_equal(j.end.kind, SANDBOX_NOT_EXECUTED);
		assert_int_equal(j.end.status, cases[i].no);
		assert_string_equal(j.end.program, cases[i].tried);
		assert_int_equal(sandbox_status(&j.end), cases[i].shell);
		job_done(&j);
	}
}

static void sandbox__searches_path_as_execvp(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	char *argv[] = { "tool", "pwd", NULL };
	char *env[] = { "PATH=/nowhere:/denied:/bin", NULL }; /* denied/tool is not executable */
	j.spec.envp = env;
	assert_int_equal(job_argv(&j, argv), 0);
	assert_string_equal(j.out.p, "/\n");
	job_done(&j);
}

static void sandbox__working_directory(void **state)
{
	(void)state;
	struct job j;
	char *argv[] = { "/inside", "pwd", NULL };
	job_init(&j);
	j.spec.cwd = "/no/such";
	assert_int_equal(job_argv(&j, argv), 0);
	assert_true(j.end.kind == SANDBOX_NOT_EXECUTED && j.end.cwd_failed);
	assert_int_equal(j.end.status, ENOENT);
	assert_string_equal(j.end.program, "/no/such");
	job_done(&j);

	job_init(&j);
	j.spec.cwd = "/no/such";
	j.spec.make_cwd = true;
	j.spec.who.uid = j.spec.who.gid = 1000;
	assert_int_equal(job_argv(&j, argv), 0);
	assert_string_equal(j.out.p, "/no/such\n");
	assert_int_equal(j.end.stubs.n, 0); /* it belongs to the layer */
	job_done(&j);

	job_init(&j);
	j.spec.cwd = "/bin/plain";
	j.spec.make_cwd = true;
	assert_int_equal(job_argv(&j, argv), 0);
	assert_true(j.end.cwd_failed);
	assert_int_equal(j.end.status, ENOTDIR);
	job_done(&j);
}

static void wait_for(int fd, const char *text)
{
	char b[256] = "";
	size_t n = 0;
	while (!strstr(b, text)) {
		struct pollfd p = { fd, POLLIN, 0 };
		assert_int_equal(poll(&p, 1, 10000), 1);
		ssize_t r = read(fd, b + n, sizeof b - 1 - n);
		if (r <= 0)
			fail_msg("'%s' did not come, only '%s'", text, b);
		n += (size_t)r;
		b[n] = 0;
	}
}

static void sandbox__forwards_signals(void **state)
{
	(void)state;
	static const int signals[] = {
		SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH
	};
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		struct job j;
		job_init(&j);
		char number[8];
		snprintf(number, sizeof number, "%d", signals[i]);
		char *argv[] = { "/inside", "trap", number, NULL };
		int fd[2];
		struct sandbox box = SANDBOX_INIT;
		assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
		j.spec.argv = argv;
		j.spec.stdio[1] = fd[1];
		assert_int_equal(sandbox_start(&j.spec, &box, &j.e), 0);
		(void)close(fd[1]);
		wait_for(fd[0], "ready");
		assert_int_equal(sandbox_signal(&box, signals[i]), 0);
		wait_for(fd[0], "got");
		assert_int_equal(sandbox_wait(&box, &j.end, &j.e), 0);
		assert_int_equal(sandbox_status(&j.end), 33);
		(void)close(fd[0]);
		job_done(&j);
	}
}

static void sandbox__several_at_once(void **state)
{
	(void)state;
	enum { N = 5 };
	struct sandbox box[N];
	struct job j;
	job_init(&j);
	char upper[N][16], work[N][16];
	char *argv[] = { "/inside", "sleep", NULL };
	j.spec.argv = argv;
	for (int i = 0; i < N; i++) {
		snprintf(upper[i], sizeof upper[i], "upper%d", i);
		snprintf(work[i], sizeof work[i], "work%d", i);
		(void)mkdirat(w.dirfd, upper[i], 0755);
		j.spec.root.upper = upper[i];
		j.spec.root.work = work[i];
		assert_int_equal(sandbox_start(&j.spec, &box[i], &j.e), 0);
	}
	/* ending one does not touch the others */
	sandbox_kill(&box[2]);
	for (int i = 0; i < N; i++) {
		struct sandbox_end end = { 0 };
		if (i == 2) {
			assert_int_equal(box[i].pidfd, -1);
			continue;
		}
		struct pollfd p = { box[i].pidfd, POLLIN, 0 };
		assert_int_equal(poll(&p, 1, 0), 0);
		assert_int_equal(sandbox_signal(&box[i], SIGKILL), 0);
		assert_int_equal(sandbox_wait(&box[i], &end, &j.e), 0);
		assert_int_equal(sandbox_status(&end), 137);
		sandbox_end_done(&end);
	}
	for (int i = 0; i < N; i++) {
		assert_false(fs_exists(w.dirfd, work[i]));
		assert_int_equal(fs_remove(w.dirfd, upper[i], &j.e), 0);
	}
	job_done(&j);
	struct sandbox none = SANDBOX_INIT;
	sandbox_kill(&none);
}

static void sandbox__dies_with_its_parent(void **state)
{
	(void)state;
	struct job j;
	int fd[2];
	job_init(&j);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char *argv[] = { "/inside", "sleep", NULL };
		struct sandbox box = SANDBOX_INIT;
		j.spec.argv = argv;
		j.spec.stdio[1] = fd[1];
		if (sandbox_start(&j.spec, &box, NULL) < 0)
			_exit(1);
		(void)close(fd[1]);
		pause();
		_exit(0);
	}
	(void)close(fd[1]);
	wait_for(fd[0], "ready");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	char c;
	struct pollfd p = { fd[0], POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(fd[0], &c, 1), 0); /* its end of the pipe is closed: it is gone */
	(void)close(fd[0]);
	assert_int_equal(fs_remove(w.dirfd, "work", &j.e), 0);
	job_done(&j);
}

static void sandbox__has_a_terminal_of_its_own(void **state)
{
	(void)state;
	struct job j;
	struct sandbox box = SANDBOX_INIT;
	job_init(&j);
	char *argv[] = { "/inside", "tty", "--", "list", "/dev/pts", NULL };
	j.spec.argv = argv;
	j.spec.tty = true;
	assert_int_equal(sandbox_start(&j.spec, &box, &j.e), 0);
	char b[256];
	ssize_t n;
	while ((n = read(box.pty, b, sizeof b)) > 0)
		buf_add(&j.out, b, (size_t)n);
	assert_int_equal(sandbox_wait(&box, &j.end, &j.e), 0);
	(void)close(box.pty);
	assert_string_equal(j.out.p, "tty /dev/pts/0 session yes\r\n0\r\nptmx\r\n");
	job_done(&j);
	assert_output("tty", "tty none session no\n");
}

static void sandbox__limits(void **state)
{
	(void)state;
	struct job j;
	job_init(&j);
	const struct sandbox_rlimit files = { 7 /* RLIMIT_NOFILE */, 77, 99 };
	const struct rlimit_set set = { &files, 1 };
	j.spec.rlimits = &set;
	job_run(&j, "limits");
	assert_string_equal(j.out.p, "core 0\nfiles 77\n");
	job_done(&j);
}

static void sandbox__ids_of_the_range_work(void **state)
{
	(void)state;
	assert_output("touch /mine -- chown /mine 1234 -- stat /mine",
		      "touch: ok\nchown: ok\n100644 1234:1234 0\n");
}

static void sandbox__setup_failure_leaves_nothing(void **state)
{
	(void)state;
	struct job j;
	char *argv[] = { "/inside", NULL };
	job_init(&j);
	static const char *const missing[] = { "l0", "nosuch" };
	j.spec.root.lowers = missing;
	assert_int_equal(job_argv(&j, argv), -1);
	assert_int_equal(j.e.sys_errno, ENOENT);
	job_done(&j);

	char longest[] = "./././././././././././././././././././././././././././././././././././."
			 "/././././././././././././././././././././././././././././././././././."
			 "/././././././././././././././././././././././././././././././././././."
			 "/././././././././././././././././././././././././././././././././././l1";
	const char *const far[] = { "l0", longest };
	job_init(&j);
	j.spec.root.lowers = far;
	assert_int_equal(job_argv(&j, argv), -1);
	assert_non_null(strstr(line_of(&j.e), "the path of a layer is too long to be mounted: "));
	assert_non_null(strstr(line_of(&j.e), longest));
	job_done(&j);

	/* whatever errno was, this is no kernel that should be asked by mount(2) */
	_close_ int here = open(w.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct overlay o = { .upper = { here, "upper" },
			     .work = { here, "work" },
			     .is_user = w.is_user };
	assert_int_equal(mkdirat(here, "work", 0755), 0);
	arr_push(&o.lowers, (struct overlay_dir){ here, "l0" });
	arr_push(&o.lowers, (struct overlay_dir){ here, longest });
	errno = EINVAL;
	assert_int_equal(overlay_mount(&o, &j.e), -1);
	assert_non_null(strstr(line_of(&j.e), "the path of a layer is too long to be mounted: "));
	arr_done(&o.lowers);
	assert_int_equal(fs_remove(here, "work", NULL), 0);
	job_done(&j);

	job_init(&j); /* fails inside, after the process was born */
	j.spec.hostname =
		"a-name-that-is-longer-than-the-sixty-four-bytes-which-the-kernel-has-room-for";
	assert_int_equal(job_argv(&j, argv), -1);
	assert_int_equal(j.e.sys_errno, EINVAL);
	assert_non_null(strstr(line_of(&j.e), "host name"));
	job_done(&j);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- the world ---- */

static void copy_program(const char *to)
{
	_close_ int in = open(INSIDE, O_RDONLY | O_CLOEXEC);
	_close_ int out = openat(w.dirfd, to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(in >= 0 && out >= 0);
	assert_int_equal(fd_copy(in, out, NULL, NULL), 0);
}

static int world_make(void **state)
{
	(void)state;
	(void)umask(022);
	strcpy(w.path, "/tmp/thimble-sandbox.XXXXXX");
	if (!mkdtemp(w.path) || chdir("/") < 0)
		return -1;
	/* the store is opened before the namespace is entered, as builds do */
	w.dirfd = open(w.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w.is_user = geteuid() != 0;
	make_dir("l0/bin");
	make_dir("l1/usr");
	make_dir("l0/denied");
	make_dir("odd/etc");
	make_dir("odd/dev");
	copy_program("l0/inside");
	copy_program("l0/bin/tool");
	make_file("l0/old", "old", 0644);
	make_file("l0/which", "zero\n", 0644);
	make_file("l1/which", "one\n", 0644);
	make_file("l1/usr/of-layer", "layer\n", 0644);
	make_file("l0/bin/plain", "text", 0644);
	make_file("l0/bin/junk", "neither ELF nor script\n", 0755);
	make_file("l0/bin/orphan", "#!/no/interpreter\n", 0755);
	make_file("l0/denied/tool", "text", 0644);
	make_file("odd/dev/leftover", "", 0644);
	assert_int_equal(symlinkat("/run/gone/resolv.conf", w.dirfd, "odd/etc/resolv.conf"), 0);
	assert_int_equal(symlinkat("../../../../tmp/thimble-outside", w.dirfd, "odd/up"), 0);
	struct err e = { 0 };
	if (userns_enter(&e) < 0) {
		print_message("# %s\n", line_of(&e));
		err_done(&e);
		return -1;
	}
	assert_int_equal(mknodat(w.dirfd, "odd/etc/hosts", S_IFCHR, makedev(0, 0)), 0);
	return 0;
}

static int world_end(void **state)
{
	(void)state;
	int parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)close(w.dirfd);
	int r = fs_remove(parent, w.path + strlen("/tmp/"), NULL);
	(void)close(parent);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sandbox__has_dockers_capabilities),
		cmocka_unit_test(sandbox__refuses_what_docker_refuses),
		cmocka_unit_test(sandbox__insecure_has_all),
		cmocka_unit_test(sandbox__has_no_descriptors_but_three),
		cmocka_unit_test(sandbox__init_shows_nothing),
		cmocka_unit_test(sandbox__has_namespaces_of_its_own),
		cmocka_unit_test(sandbox__mounts_are_nodev),
		cmocka_unit_test(sandbox__hides_and_protects),
		cmocka_unit_test(sandbox__dev_is_complete),
		cmocka_unit_test(sandbox__wants_plain_directories),
		cmocka_unit_test(sandbox__masks_with_its_own_null),
		cmocka_unit_test(sandbox__devices_are_its_own),
		cmocka_unit_test(sandbox__changes_go_to_upper_only),
		cmocka_unit_test(sandbox__works_by_the_old_interface),
		cmocka_unit_test(sandbox__without_upper_drops_changes),
		cmocka_unit_test(sandbox__read_only_root),
		cmocka_unit_test(sandbox__mount_points_through_links),
		cmocka_unit_test(sandbox__links_in_targets_stay_inside),
		cmocka_unit_test(sandbox__refuses_impossible_targets),
		cmocka_unit_test(sandbox__mounts_of_the_caller),
		cmocka_unit_test(sandbox__host_dirs_lie_beneath),
		cmocka_unit_test(sandbox__takes_a_layer_twice),
		cmocka_unit_test(sandbox__tells_how_it_ended),
		cmocka_unit_test(sandbox__tells_what_could_not_be_executed),
		cmocka_unit_test(sandbox__searches_path_as_execvp),
		cmocka_unit_test(sandbox__working_directory),
		cmocka_unit_test(sandbox__forwards_signals),
		cmocka_unit_test(sandbox__several_at_once),
		cmocka_unit_test(sandbox__dies_with_its_parent),
		cmocka_unit_test(sandbox__has_a_terminal_of_its_own),
		cmocka_unit_test(sandbox__limits),
		cmocka_unit_test(sandbox__ids_of_the_range_work),
		cmocka_unit_test(sandbox__setup_failure_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, world_make, world_end);
}
