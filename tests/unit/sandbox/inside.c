/* SPDX-License-Identifier: Apache-2.0 */
/* The static program that the sandbox tests run: it tells what it sees.
 *	caps | fds | mounts | ids | ns | env | pwd | parent
 *	cat PATH | write PATH TEXT | touch PATH | rm PATH | mkdir PATH | list PATH | stat PATH
 *	exit N | die SIG | trap SIG | sleep | orphans | tty | limits
 *	socket FAMILY TYPE | mknod PATH | unshare | mount | chown PATH UID | chmod PATH OCTAL
 * Several commands are parted by "--". A failing one prints "NAME: errno N". */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void cat(const char *path)
{
	char b[4096];
	int fd = open(path, O_RDONLY);
	if (fd < 0) {
		printf("cat: errno %d\n", errno);
		return;
	}
	for (ssize_t n; (n = read(fd, b, sizeof b)) > 0;)
		fwrite(b, 1, (size_t)n, stdout);
	close(fd);
}

static void list(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		printf("list: errno %d\n", errno);
	for (int i = 0; i < n; i++)
		if (names[i]->d_name[0] != '.')
			printf("%s\n", names[i]->d_name);
}

static void status_lines(const char *prefix)
{
	char line[512];
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			fputs(line, stdout);
}

static void fds(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("fd %d\n", fd);
}

static void ids(void)
{
	gid_t g[64];
	int n = getgroups(64, g);
	printf("uid %d gid %d groups", (int)getuid(), (int)getgid());
	for (int i = 0; i < n; i++)
		printf(" %d", (int)g[i]);
	printf("\n");
}

static void namespaces(void)
{
	static const char *const kinds[] = { "cgroup", "ipc", "mnt", "net", "pid", "uts" };
	for (size_t i = 0; i < 6; i++) {
		char path[64], link[64];
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
		ssize_t n = readlink(path, link, sizeof link - 1);
		printf("%.*s\n", n > 0 ? (int)n : 0, link);
	}
}

static void told(const char *what, int r)
{
	if (r < 0)
		printf("%s: errno %d\n", what, errno);
	else
		printf("%s: ok\n", what);
}

static volatile int got;
static void on_signal(int sig)
{
	got = sig;
}

static void trap(int sig)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t block, old;
	sigemptyset(&block);
	sigaddset(&block, sig);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(sig, &sa, NULL);
	printf("ready\n");
	fflush(stdout);
	while (!got)
		sigsuspend(&old);
	printf("got %d\n", got);
	exit(33);
}

/* A child that outlives us, and one that init must reap. */
static void orphans(void)
{
	if (fork() == 0) {
		if (fork() == 0)
			_exit(5);
		_exit(0);
	}
	wait(NULL);
	if (fork() == 0) {
		pause();
		_exit(0);
	}
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	told("write", fd < 0 ? -1 : (int)write(fd, text, strlen(text)));
	if (fd >= 0)
		close(fd);
}

static void stat_path(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		printf("stat: errno %d\n", errno);
	else
		printf("%o %d:%d %ld\n", (unsigned)st.st_mode, (int)st.st_uid, (int)st.st_gid,
		       (long)st.st_size);
}

static void tty(void)
{
	char *name = ttyname(0);
	int fd = open("/dev/tty", O_RDWR);
	printf("tty %s session %s\n", name ? name : "none", fd >= 0 ? "yes" : "no");
}

extern char **environ;

static void command(char **a)
{
	const char *c = a[0], *x = a[0] && a[1] ? a[1] : "", *y = a[0] && a[1] && a[2] ? a[2] : "";
	struct rlimit r;
	char b[4096];
	if (!strcmp(c, "caps"))
		status_lines("Cap"), status_lines("NoNewPrivs"), status_lines("Seccomp:");
	else if (!strcmp(c, "fds"))
		fds();
	else if (!strcmp(c, "mounts"))
		cat("/proc/self/mountinfo");
	else if (!strcmp(c, "ids"))
		ids();
	else if (!strcmp(c, "ns"))
		namespaces();
	else if (!strcmp(c, "env"))
		for (char **e = environ; *e; e++)
			printf("%s\n", *e);
	else if (!strcmp(c, "pwd"))
		printf("%s\n", getcwd(b, sizeof b));
	else if (!strcmp(c, "parent"))
		printf("pid %d parent %d\n", (int)getpid(), (int)getppid());
	else if (!strcmp(c, "cat"))
		cat(x);
	else if (!strcmp(c, "write"))
		write_file(x, y);
	else if (!strcmp(c, "touch"))
		told("touch", open(x, O_WRONLY | O_CREAT, 0644));
	else if (!strcmp(c, "rm"))
		told("rm", remove(x));
	else if (!strcmp(c, "mkdir"))
		told("mkdir", mkdir(x, 0755));
	else if (!strcmp(c, "list"))
		list(x);
	else if (!strcmp(c, "stat"))
		stat_path(x);
	else if (!strcmp(c, "exit"))
		exit(atoi(x));
	else if (!strcmp(c, "die"))
		kill(getpid(), atoi(x)), pause();
	else if (!strcmp(c, "trap"))
		trap(atoi(x));
	else if (!strcmp(c, "sleep"))
		printf("ready\n"), fflush(stdout), sleep(600);
	else if (!strcmp(c, "orphans"))
		orphans();
	else if (!strcmp(c, "tty"))
		tty();
	else if (!strcmp(c, "limits"))
		getrlimit(RLIMIT_CORE, &r), printf("core %ld\n", (long)r.rlim_cur),
			getrlimit(RLIMIT_NOFILE, &r), printf("files %ld\n", (long)r.rlim_cur);
	else if (!strcmp(c, "socket"))
		told("socket", socket(atoi(x), atoi(y), atoi(x) == AF_INET && atoi(y) == SOCK_RAW));
	else if (!strcmp(c, "mknod"))
		told("mknod", mknod(x, S_IFCHR | 0666, makedev(1, 3)));
	else if (!strcmp(c, "open"))
		told("open", open(x, O_RDONLY));
	else if (!strcmp(c, "unshare"))
		told("unshare", unshare(CLONE_NEWUSER));
	else if (!strcmp(c, "mount"))
		told("mount", mount("none", "/", "tmpfs", 0, NULL));
	else if (!strcmp(c, "chown"))
		told("chown", chown(x, (uid_t)atoi(y), (gid_t)atoi(y)));
	else if (!strcmp(c, "chmod"))
		told("chmod", chmod(x, (mode_t)strtoul(y, NULL, 8)));
	else
		printf("what is %s?\n", c), exit(99);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc;) {
		char *args[8] = { 0 };
		int n = 0;
		while (i < argc && strcmp(argv[i], "--") != 0)
			if (n < 7)
				args[n++] = argv[i++];
			else
				i++;
		i++;
		command(args);
		fflush(stdout);
	}
	return 0;
}
