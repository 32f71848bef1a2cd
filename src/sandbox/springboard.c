/* SPDX-License-Identifier: Apache-2.0 */
/* The last thing before the program of an image: a program of its own, without a C library, that
 * does nothing but the execve. A process that is thimble must not execute a path of an image: what
 * that leads to may be /proc/self/exe, as a link, as "#!" or as the ELF interpreter, and the image's
 * code would then run in a process whose executable file is this machine's thimble, with the right
 * to change that file as root (CVE-2019-5736 of runc). From here on /proc/self/exe is this little
 * file, which lives as long as the sandbox and on a mount that is read-only.
 *
 * meson.build compiles it by itself, whatever the flags of the rest are, and makes its bytes a table
 * that mounts.c writes into each sandbox.
 *
 * Arguments: the paths to be tried in turn, "", then the program's own. Descriptor 3 is the report. */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/report.h"

#define AGAIN "exec: /proc/self/exe is no program to be started in a container\n"

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall spring\n");

static long call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tbl spring\n");

static long call(long nr, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}
#else
#error "no entry and no system calls for this architecture"
#endif

static long length(const char *s)
{
	long n = 0;
	while (s[n])
		n++;
	return n;
}

static void put(int fd, const char *p, long n)
{
	while (n > 0) {
		long r = call(__NR_write, fd, (long)p, n, 0);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			return;
		p += r;
		n -= r;
	}
}

static _Noreturn void end(int status)
{
	for (;;)
		call(__NR_exit_group, status, 0, 0, 0);
}

static _Noreturn void give_up(long no, const char *path)
{
	long n = length(path);
	n = n < REPORT_PATH ? n : REPORT_PATH;
	struct __attribute__((packed)) {
		char tag;
		uint32_t len;
		struct report_exec x;
	} frame = { REPORT_EXEC,
		    (uint32_t)(sizeof(struct report_exec) + (size_t)n),
		    { (int32_t)no, 0 } };
	put(REPORT_FD, (const char *)&frame, sizeof frame);
	put(REPORT_FD, path, n);
	end(NOT_STARTED);
}

static int is_there(const char *path)
{
	char st[256]; /* struct stat, whose fields do not matter */
	return call(__NR_newfstatat, AT_FDCWD, (long)path, (long)st, 0) == 0;
}

/* argc, then the arguments up to NULL, then the environment up to NULL: the ABI's stack. */
_Noreturn __attribute__((used)) void spring(char **stack);
_Noreturn void spring(char **stack)
{
	char **paths = stack + 1, **argv = paths, **envp = paths + (long)stack[0] + 1;
	const char *tried = NULL;
	long denied = 0;
	/* closed for what comes; a second time there is none */
	if (call(__NR_fcntl, REPORT_FD, F_SETFD, FD_CLOEXEC, 0) < 0) {
		put(2, AGAIN, sizeof AGAIN - 1);
		end(NOT_EXECUTABLE);
	}
	while ((*argv++)[0])
		;
	for (; (*paths)[0]; paths++) {
		long no = -call(__NR_execve, (long)*paths, (long)argv, (long)envp, 0);
		if (!tried && is_there(*paths))
			tried = *paths;
		switch (no) {
		case EACCES: denied = EACCES; break;
		case ENOENT:
		case ENOTDIR:
		case ESTALE:
		case ENODEV:
		case ETIMEDOUT: break;
		default: give_up(no, *paths);
		}
	}
	give_up(denied ? denied : ENOENT, tried ? tried : argv[0]);
}
