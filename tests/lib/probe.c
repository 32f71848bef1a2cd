/* SPDX-License-Identifier: Apache-2.0 */
/* tests/lib/probe.c: what a program in a sandbox has, and how far it gets. Static; tests/e2e/
 * sandbox-*.sh build and run it, in RUN, in run, and under crun.
 *	probe see           capabilities, ids, descriptors, namespaces, mounts, environment
 *	probe devices       device nodes that can be opened, wherever they are
 *	probe writable      what of /proc (outside of processes) and /sys can be opened for writing
 *	probe calls [32]    each system call's answer to arguments of -1; 32: by int 0x80
 *	probe outside PATH  everything that might lead to PATH, a file outside, or to its processes
 *	probe bomb N        N processes that ignore signals, and ends while they live
 *	probe fill PATH     writes to PATH until it is full
 * One line a finding. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void lines_of(const char *path, const char *prefix, const char *as)
{
	char line[4096];
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			printf("%s %s", as, line);
	if (f)
		fclose(f);
}

static void see(void)
{
	static const char *const ns[] = { "cgroup", "ipc", "mnt", "net", "pid", "user", "uts" };
	char path[64], to[4096];
	struct stat st;
	lines_of("/proc/self/status", "Cap", "caps");
	lines_of("/proc/self/status", "NoNewPrivs", "caps");
	lines_of("/proc/self/status", "Seccomp:", "caps");
	printf("ids %d %d session %s\n", (int)getuid(), (int)getgid(),
	       open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0 ? "has a terminal" : "none");
	for (int fd = 0; fd < 4096; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t n = fstat(fd, &st) < 0 ? -1 : readlink(path, to, sizeof to - 1);
		if (n < 0)
			continue;
		to[n] = 0;
		printf("fd %d %s%s\n", fd, S_ISDIR(st.st_mode) ? "directory " : "",
		       strncmp(to, "pipe:", 5) == 0 ? "pipe" : to);
	}
	for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", ns[i]);
		ssize_t n = readlink(path, to, sizeof to - 1);
		printf("ns %.*s\n", n < 0 ? 0 : (int)n, to);
	}
	lines_of("/proc/self/mountinfo", "", "mount");
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	DIR *d = opendir("/proc");
	int n = 0;
	for (struct dirent *ent; d && (ent = readdir(d));)
		n += ent->d_name[0] >= '0' && ent->d_name[0] <= '9';
	printf("processes %d\n", n);
}

/* ---- walks ---- */

static int stay_out(const char *path)
{
	const char *p = strncmp(path, "/proc/", 6) == 0 ? path + 6 : "";
	return (*p >= '0' && *p <= '9') || strcmp(path, "/proc/self") == 0 ||
	       strcmp(path, "/proc/thread-self") == 0;
}

static void walk(const char *path, void (*look)(const char *, const struct stat *))
{
	struct stat st;
	if (stay_out(path) || lstat(path, &st) < 0)
		return;
	look(path, &st);
	DIR *d = S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	for (struct dirent *ent; d && (ent = readdir(d));) {
		char below[8192];
		if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
			continue;
		snprintf(below, sizeof below, "%s/%s", strcmp(path, "/") == 0 ? "" : path,
			 ent->d_name);
		walk(below, look);
	}
	if (d)
		closedir(d);
}

static void look_device(const char *path, const struct stat *st)
{
	if (!S_ISCHR(st->st_mode) && !S_ISBLK(st->st_mode))
		return;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno != ENXIO) /* /dev/tty without a terminal */
		return;
	printf("device %s %c %u:%u\n", path, S_ISBLK(st->st_mode) ? 'b' : 'c', major(st->st_rdev),
	       minor(st->st_rdev));
	if (fd >= 0)
		close(fd);
}

static void devices(void)
{
	walk("/", look_device);
	/* a node of one's own making leads nowhere */
	if (mknod("/tmp/disk", S_IFBLK | 0666, makedev(254, 0)) == 0 ||
	    mknod("/tmp/mem", S_IFCHR | 0666, makedev(1, 1)) == 0)
		printf("made a node: %s\n",
		       open("/tmp/disk", O_RDONLY) >= 0 || open("/tmp/mem", O_RDONLY) >= 0
			       ? "OPENED"
			       : "cannot be opened");
	unlink("/tmp/disk");
	unlink("/tmp/mem");
}

static void look_writable(const char *path, const struct stat *st)
{
	if (S_ISDIR(st->st_mode)) {
		if (access(path, W_OK) == 0)
			printf("writable %s/\n", path);
	} else if (S_ISREG(st->st_mode)) {
		int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			return;
		printf("writable %s\n", path);
		close(fd);
	}
}

/* ---- system calls ---- */

static long call32(long nr)
{
#ifdef __x86_64__
	long r;
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(-1L), "c"(-1L), "d"(-1L), "S"(-1L), "D"(-1L)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
#else
	(void)nr;
	return -ENOSYS;
#endif
}

static void try_call(long nr, int narrow)
{
	/* the child of a vfork would return through its parent's stack */
	long vfork_nr = narrow ? 190 : SYS_vfork;
	if (nr == vfork_nr)
		return;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		pid_t self = (pid_t)syscall(SYS_getpid);
		long r = narrow ? call32(nr) : syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L);
		int no = narrow ? (r < 0 && r > -4096 ? (int)-r : 0) : r == -1 ? errno : 0;
		if (syscall(SYS_getpid) != self)
			_exit(0); /* fork and clone do work */
		_exit(no == EPERM ? 1 : no == ENOSYS ? 2 : 0);
	}
	int status = 0;
	/* some wait for ever, and one with every signal blocked */
	for (int ms = 0; waitpid(pid, &status, WNOHANG) == 0; ms++)
		if (ms == 200)
			kill(pid, SIGKILL);
		else
			usleep(ms < 20 ? 100 : 1000);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	printf("call %ld %s\n", nr, code == 1 ? "refused" : code == 2 ? "unknown" : "answered");
}

/* A machine whose kernel or hypervisor has no int 0x80 ends who tries. */
static int has_narrow(void)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(call32(20) <= 0); /* getpid */
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void calls(int narrow)
{
	if (narrow && !has_narrow()) {
		printf("none\n");
		return;
	}
	for (long nr = 0; nr < 600; nr++)
		try_call(nr, narrow);
	for (long nr = 0; !narrow && nr < 600; nr += 1)
		try_call(nr | 0x40000000, 0);
}

/* ---- ways out ---- */

static void told(const char *what, int reached)
{
	printf("%s %s\n", reached ? "REACHED" : "kept", what);
}

static int sees(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

/* The old way out of a chroot: a root below the working directory. */
static int chroot_trick(const char *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		mkdir("/tmp/jail", 0755);
		int fd = open("/", O_RDONLY | O_DIRECTORY);
		if (chroot("/tmp/jail") < 0 || fchdir(fd) < 0)
			_exit(0);
		for (int i = 0; i < 64; i++)
			if (chdir("..") < 0)
				break;
		_exit(chroot(".") == 0 && sees(path));
	}
	int status = 0;
	waitpid(pid, &status, 0);
	rmdir("/tmp/jail");
	return WEXITSTATUS(status);
}

static int by_handle(void)
{
	struct file_handle *h = calloc(1, sizeof *h + 128);
	h->handle_bytes = 8;
	h->handle_type = 1; /* FILEID_INO32_GEN: inode 2 is the root of ext4 */
	h->f_handle[0] = 2;
	int fd = (int)syscall(SYS_open_by_handle_at, AT_FDCWD, h, O_RDONLY);
	free(h);
	return fd >= 0;
}

static int reads_init(void)
{
	char word[8];
	struct iovec to = { word, 8 }, from = { (void *)0x400000, 8 };
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0 || open("/proc/1/mem", O_RDONLY) >= 0 ||
	       process_vm_readv(1, &to, 1, &from, 1, 0) > 0 ||
	       open("/proc/1/environ", O_RDONLY) >= 0;
}

static void outside(const char *path)
{
	char through[4096];
	static const char *const ways[] = { "/proc/1/root",
					    "/proc/1/cwd",
					    "/proc/self/root",
					    "/proc/self/cwd",
					    "/..",
					    "/../../../..",
					    "" };
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		snprintf(through, sizeof through, "%s%s", ways[i], path);
		snprintf(through + strlen(through) + 1, 256, "the file by way of '%s'", ways[i]);
		told(through + strlen(through) + 1, sees(through));
	}
	for (int fd = 0; fd < 64; fd++) {
		snprintf(through, sizeof through, "/proc/self/fd/%d/..%s", fd, path);
		if (sees(through))
			told("the file by a descriptor", 1);
		snprintf(through, sizeof through, "/proc/1/fd/%d/..%s", fd, path);
		if (sees(through))
			told("the file by a descriptor of init", 1);
	}
	told("the file by chroot", chroot_trick(path));
	told("files by handle", by_handle());
	told("the memory of init", getuid() == 0 && reads_init());
	told("the end of init", kill(1, SIGKILL) == 0 && usleep(100000) == 0 && kill(1, 0) < 0);
	told("mounts", mount("none", "/tmp", "tmpfs", 0, NULL) == 0 ||
			       umount2("/proc/sys", 0) == 0 || umount2("/", MNT_DETACH) == 0);
	told("a user namespace", unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0);
	for (int fd = 0; fd < 3; fd++)
		told("typing at a terminal (TIOCSTI)", ioctl(fd, TIOCSTI, "x") == 0);
	int cons = open("/dev/console", O_RDWR | O_NOCTTY);
	told("the console", cons >= 0);
	int core = open("/proc/sys/kernel/core_pattern", O_WRONLY);
	told("core_pattern", core >= 0);
	int trigger = open("/proc/sysrq-trigger", O_WRONLY);
	told("sysrq", trigger >= 0 && write(trigger, "", 0) < 0 && errno != EROFS);
	told("kernel messages",
	     syscall(SYS_syslog, 3, through, 100) > 0 || open("/dev/kmsg", O_RDONLY) >= 0);
	told("ids beyond its own", prctl(PR_CAPBSET_READ, 21) == 1);
	told("a way up", open("/sys/fs/cgroup/release_agent", O_WRONLY) >= 0 ||
				 mkdir("/sys/fs/cgroup/probe", 0755) == 0 ||
				 open("/sys/kernel/uevent_helper", O_WRONLY) >= 0);
}

/* ---- what takes all there is ---- */

static void bomb(int n)
{
	prctl(PR_SET_NAME, "probe-bomb");
	for (int i = 1; i < 32; i++)
		signal(i, SIG_IGN);
	int made = 0;
	for (; made < n; made++) {
		pid_t pid = fork();
		if (pid < 0)
			break;
		if (pid == 0) {
			setsid();
			close(0);
			if (made % 2) { /* half of them let go of what they write to */
				close(1);
				close(2);
			}
			for (;;)
				pause();
		}
	}
	printf("made %d\n", made);
}

static void fill(const char *path)
{
	static char block[1 << 16];
	uint64_t n = 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	memset(block, 'x', sizeof block);
	for (ssize_t k; n < 1ull << 32 && (k = write(fd, block, sizeof block)) > 0;)
		n += (uint64_t)k;
	printf("full after %llu: %s\n", (unsigned long long)n, strerror(errno));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "";
	if (strcmp(what, "see") == 0)
		see();
	else if (strcmp(what, "devices") == 0)
		devices();
	else if (strcmp(what, "writable") == 0)
		walk("/proc", look_writable), walk("/sys", look_writable);
	else if (strcmp(what, "calls") == 0)
		calls(*arg != 0);
	else if (strcmp(what, "outside") == 0)
		outside(arg);
	else if (strcmp(what, "bomb") == 0)
		bomb(atoi(arg));
	else if (strcmp(what, "fill") == 0)
		fill(arg);
	else
		return 2;
	return 0;
}
