/* SPDX-License-Identifier: Apache-2.0 */
/* explain/job.h: what the parts of one explanation share. Not for other rooms. */
#pragma once
#include "elf/linker.h"
#include "explain/explain.h"
#include "explain/look.h"
#include "oci/config.h"
#include "sandbox/identity.h"

struct job {
	const struct explain_fs *fs;
	const struct image_config *cfg;
	const struct explain_from *from; /* or NULL */
	const char *cwd;
	struct identity who;
	bool by_shell;         /* a shell starts it: what it refuses to execute it reads as a script */
	unsigned depth;        /* scripts whose interpreter is a script … */
	struct explanation *x;
};

#define SCRIPT_DEPTH_MAX 4u /* as Linux: BINPRM_MAX_RECURSION */

/* All of these: 1 explained, 0 nothing wrong found, -1. */

/* The file at this path would be executed; `shown` is how the user knows it. */
int job_file(struct job *j, const char *path, const char *shown, struct err *e) _must_check_;
/* explain/script.c: `head` begins with "#!". */
int job_script(struct job *j, const char *path, const char *shown, struct slice head, struct err *e) _must_check_;
/* explain/binary.c */
int job_binary(struct job *j, const char *path, const char *shown, const struct view_hit *hit, struct err *e) _must_check_;
/* explain/find.c: argv[0] as execvp finds it: 1 and *path (the caller frees), 0, -1. */
int job_find(struct job *j, const char *name, char **path, struct err *e) _must_check_;
/* Nobody of this name: fills the explanation. */
int job_not_found(struct job *j, const char *name, struct err *e) _must_check_;

/* Begins the explanation; `program` may be NULL. Always 1. */
int job_tell(struct job *j, enum cause cause, int status, const char *program, char *brief, char *headline);
