/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "explain/job.h"

const char *cause_name(enum cause c)
{
	switch (c) {
	case CAUSE_NONE: return "none";
	case CAUSE_NO_COMMAND: return "no-command";
	case CAUSE_NO_USER: return "no-user";
	case CAUSE_WORKDIR: return "workdir";
	case CAUSE_NO_SHELL: return "no-shell";
	case CAUSE_NOT_FOUND: return "not-found";
	case CAUSE_IS_DIRECTORY: return "is-directory";
	case CAUSE_NO_X_BIT: return "no-x-bit";
	case CAUSE_CLOSED_PATH: return "closed-path";
	case CAUSE_NOT_READABLE: return "not-readable";
	case CAUSE_EMPTY_FILE: return "empty-file";
	case CAUSE_NOT_A_PROGRAM: return "not-a-program";
	case CAUSE_NO_SHEBANG: return "no-shebang";
	case CAUSE_CRLF: return "crlf";
	case CAUSE_NO_SCRIPT_INTERPRETER: return "no-script-interpreter";
	case CAUSE_WRONG_MACHINE: return "wrong-machine";
	case CAUSE_NO_LOADER: return "no-loader";
	case CAUSE_WRONG_LIBC: return "wrong-libc";
	case CAUSE_NO_LIBRARY: return "no-library";
	case CAUSE_OLD_LIBRARY: return "old-library";
	case CAUSE_ERRNO: return "errno";
	}
	return "unknown";
}

void explanation_done(struct explanation *x)
{
	free(x->program);
	free(x->brief);
	free(x->headline);
	strs_done(&x->because);
	strs_done(&x->mends);
	*x = (struct explanation){ 0 };
}

/* The chain of an error begins with the cause: so the last reason comes first. */
int explanation_to_err(const struct explanation *x, struct err *e)
{
	for (size_t i = x->because.n; i-- > 0;)
		if (i + 1 == x->because.n)
			(void)err_set(e, ERR_USER, "%s", x->because.p[i]);
		else
			(void)err_add(e, "%s", x->because.p[i]);
	if (x->because.n == 0)
		(void)err_set(e, ERR_USER, "%s", x->headline);
	else
		(void)err_add(e, "%s", x->headline);
	for (size_t i = 0; i < x->mends.n; i++)
		(void)err_hint(e, "%s", x->mends.p[i]);
	return -1;
}

int job_tell(struct job *j, enum cause cause, int status, const char *program, char *brief,
	     char *headline)
{
	j->x->cause = cause;
	j->x->status = status;
	str_set(&j->x->program, str_dup(program));
	str_set(&j->x->brief, brief);
	str_set(&j->x->headline, headline);
	return 1;
}
