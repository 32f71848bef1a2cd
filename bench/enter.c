/* SPDX-License-Identifier: Apache-2.0 */
/* enter DIR COMMAND [ARG…]: the floor of "run a program inside a root": chroot, fork, exec, wait,
 * and nothing of what makes a container. An ordinary user gets the one user namespace that chroot
 * needs, with one id. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: enter DIR COMMAND [ARG...]\n", stderr);
		return 2;
	}
	if (geteuid() != 0 && unshare(CLONE_NEWUSER) < 0) {
		perror("unshare");
		return 125;
	}
	if (chroot(argv[1]) < 0 || chdir("/") < 0) {
		perror(argv[1]);
		return 125;
	}
	pid_t pid = fork();
	if (pid < 0)
		return 125;
	if (pid == 0) {
		execv(argv[2], argv + 2);
		_exit(127);
	}
	int status;
	if (waitpid(pid, &status, 0) < 0)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
