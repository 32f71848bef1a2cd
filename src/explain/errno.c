/* SPDX-License-Identifier: Apache-2.0 */
/* explain/errno.c: an execve that failed. The image is looked at as before; what it shows counts
 * only where it fits what the kernel said. */
#include "base/err.h"
#include "explain/job.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

/* True if execve (or the search for the program) fails with `no` for this cause. */
static bool fits(enum cause c, int no)
{
	switch (c) {
	case CAUSE_NO_SHELL:
	case CAUSE_NOT_FOUND:
	case CAUSE_CRLF:
	case CAUSE_NO_SCRIPT_INTERPRETER:
	case CAUSE_NO_LOADER:
	case CAUSE_WRONG_LIBC: return no == ENOENT || no == ENOTDIR || no == ELOOP;
	case CAUSE_IS_DIRECTORY:
	case CAUSE_NO_X_BIT:
	case CAUSE_CLOSED_PATH: return no == EACCES || no == EISDIR || no == EPERM;
	case CAUSE_EMPTY_FILE:
	case CAUSE_NOT_A_PROGRAM:
	case CAUSE_NO_SHEBANG:
	case CAUSE_WRONG_MACHINE:
		return no == ENOEXEC || no == ELIBBAD || no == EINVAL || no == EIO || no == EACCES;
	case CAUSE_WORKDIR: return no == ENOTDIR || no == EACCES;
	case CAUSE_NO_USER:
	case CAUSE_NO_COMMAND: return true; /* these stop before the kernel is asked */
	case CAUSE_NONE:
	case CAUSE_NOT_READABLE:
	case CAUSE_NO_LIBRARY:
	case CAUSE_OLD_LIBRARY:
	case CAUSE_ERRNO: break; /* these come after a successful execve */
	}
	return false;
}

enum { SHOWN_MAX = 60 }; /* bytes of a name that is too long to be read */

/* Most likely a command with its arguments in one word. */
static void tell_too_long(struct explanation *x, const char *program)
{
	struct job j = { .x = x };
	struct slice rest = slice_of(program), name;
	size_t most = 0, n = SHOWN_MAX;
	while (slice_split(&rest, '/', &name))
		most = name.n > most ? name.n : most;
	while (n && n < strlen(program) && (program[n] & 0xc0) == 0x80) /* not within a character */
		n--;
	(void)job_tell(&j, CAUSE_ERRNO, 126, program, str_dup(strerror(ENAMETOOLONG)),
		       str_printf("'%.*s%s' could not be executed: its name is too long", (int)n,
				  program, strlen(program) > n ? "…" : ""));
	if (most > NAME_MAX)
		strs_addf(&x->because, "the kernel takes names of %d bytes, this one has %zu",
			  NAME_MAX, most);
	else
		strs_addf(&x->because, "the kernel takes paths of %d bytes, this one has %zu%s",
			  PATH_MAX - 1, strlen(program),
			  strlen(program) < PATH_MAX ? ", or more where a link leads" : "");
	strs_add(&x->mends, "a command line in one word? Give each argument as a word of its own, or "
			    "write: sh -c 'COMMAND…'");
}

static void tell_errno(struct explanation *x, const char *program, int no)
{
	struct job j = { .x = x };

	if (no == ENAMETOOLONG) {
		tell_too_long(x, program);
		return;
	}
	(void)job_tell(&j, CAUSE_ERRNO, no == ENOENT ? 127 : 126, program, str_dup(strerror(no)),
		       str_printf("'%s' could not be executed: %s", program, strerror(no)));
	strs_add(&x->because, "nothing in the image itself explains it");
	switch (no) {
	case ENOENT:
	case ENOTDIR:
		strs_add(
			&x->mends,
			"look at volumes and mounts (-v, --tmpfs): they hide what the image has below them");
		break;
	case EACCES:
		strs_add(
			&x->mends,
			"look for a volume or tmpfs that is mounted noexec, or a file that a volume brings without x bit");
		break;
	case ENOEXEC:
		strs_add(
			&x->mends,
			"the program is for another machine than this one: use an image for this platform");
		break;
	case E2BIG:
		strs_add(
			&x->mends,
			"arguments and environment together are larger than the system takes: pass less");
		break;
	case ENOMEM:
	case EAGAIN:
		strs_add(
			&x->mends,
			"the system is out of memory or of processes: look at limits of this container or user");
		break;
	case EPERM:
		strs_add(
			&x->mends,
			"the file has capabilities that this container may not have, or a security module forbids it");
		break;
	case ETXTBSY:
		strs_add(&x->mends, "another process has the file open for writing: wait for it");
		break;
	default: strs_add(&x->mends, "--debug shows what was tried"); break;
	}
}

int explain_errno(const struct explain_fs *fs, const struct image_config *cfg, char *const *argv,
		  const char *cwd, int no, const struct explain_from *from, struct explanation *out,
		  struct err *e)
{
	struct explanation x = { 0 };
	const char *program = argv && argv[0]     ? argv[0]
			      : cfg->entrypoint.n ? cfg->entrypoint.p[0]
			      : cfg->cmd.n        ? cfg->cmd.p[0]
						  : "";
	int r = explain_program(fs, cfg, argv, cwd, from, &x, e);

	if (r < 0)
		return -1;
	if (r == 0 || !fits(x.cause, no)) {
		explanation_done(&x);
		tell_errno(&x, program, no);
	}
	*out = x;
	return 1;
}
