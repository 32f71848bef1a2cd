/* SPDX-License-Identifier: Apache-2.0 */
/* explain/explain.h: why a program does not start in an image, told by looking into the image,
 * never by matching messages. Nothing is run. The symptoms, causes and mends are those of
 * docs/architecture.md, "Explaining failures".
 *
 *	struct explain_fs fs = explain_fs_image(&image_fs);
 *	struct explanation x = { 0 };
 *	if (explain_program(&fs, &im.config, NULL, NULL, NULL, &x, e) > 0)
 *		return explanation_to_err(&x, e);
 *	explanation_done(&x);
 */
#pragma once
#include <stdbool.h>
#include "base/array.h"
#include "base/attr.h"
#include "layer/view.h"

struct err;
struct image_config;
struct image_fs;

/* What can be looked into: the merged view of an image or of a build stage, and the bytes of its
 * files. A source_tree of build/ fits too: { &t.view, source_tree_open_cb, &t }. */
struct explain_fs {
	struct view *view;
	int (*open)(void *ctx, const struct view_hit *hit, struct err *e); /* O_RDONLY descriptor, -1 */
	void *ctx;
};
struct explain_fs explain_fs_image(struct image_fs *f);

/* Where missing files could be copied from: the stage (or image) a program was built in. */
struct explain_from {
	struct explain_fs fs;
	const char *name;    /* as it stands after --from= ("build", "gcc:12") */
};

enum cause {
	CAUSE_NONE,
	CAUSE_NO_COMMAND,      /* neither ENTRYPOINT nor CMD, and no arguments */
	CAUSE_NO_USER,         /* USER by a name that passwd or group does not have */
	CAUSE_WORKDIR,         /* WORKDIR is no directory (a missing one is made) */
	CAUSE_NO_SHELL,        /* string form of CMD or ENTRYPOINT, no shell */
	CAUSE_NOT_FOUND,       /* no such program */
	CAUSE_IS_DIRECTORY,
	CAUSE_NO_X_BIT,
	CAUSE_CLOSED_PATH,     /* a directory above it that the user may not search */
	CAUSE_NOT_READABLE,    /* a script that the user may not read */
	CAUSE_EMPTY_FILE,
	CAUSE_NOT_A_PROGRAM,   /* neither ELF nor #!, or a damaged ELF file */
	CAUSE_NO_SHEBANG,      /* text without #! (also: something before it, as a byte order mark) */
	CAUSE_CRLF,            /* #! line ends in a carriage return */
	CAUSE_NO_SCRIPT_INTERPRETER,
	CAUSE_WRONG_MACHINE,
	CAUSE_NO_LOADER,       /* PT_INTERP is not there, and no other libc is either */
	CAUSE_WRONG_LIBC,      /* PT_INTERP is not there; the image has another libc */
	CAUSE_NO_LIBRARY,      /* the loader is there, a library is not */
	CAUSE_OLD_LIBRARY,     /* a symbol version is not defined: GLIBC_2.38 */
	CAUSE_ERRNO,           /* explain_errno: only what the kernel said is known */
};
const char *cause_name(enum cause c); /* "no-shell" …, for JSON */

struct explanation {
	enum cause cause;
	int status;            /* exit status that `run` gives for it: 127 or 126 */
	char *program;         /* path in the image that fails, or NULL */
	char *brief;           /* for a table cell: "no /bin/sh", "wrong libc: glibc program, musl image" */
	char *headline;        /* one sentence, what happens */
	struct strs because;   /* why, from what one sees to what is behind it */
	struct strs mends;     /* ways out; what can be pasted stands alone on its line */
};
void explanation_done(struct explanation *x);
/* Headline, because and try lines of an ERR_USER error (headline outermost). Always -1. */
int explanation_to_err(const struct explanation *x, struct err *e);

/* Would this start?
 *   cfg   config of the image; its Entrypoint, Cmd, Env, User, WorkingDir, architecture
 *   argv  what would run (NULL-terminated), or NULL: Entrypoint + Cmd
 *   cwd   or NULL: cfg's WorkingDir
 *   from  or NULL; its files are named in the mends
 * 0: nothing wrong was found. 1: *out is filled, the caller ends it. -1: the image cannot be read.
 * Only what is sure is told: what a program does once it runs is not looked at. A string form whose
 * shell is there is followed into its first word where it is a simple command. */
int explain_program(const struct explain_fs *fs, const struct image_config *cfg, char *const *argv,
		    const char *cwd, const struct explain_from *from, struct explanation *out,
		    struct err *e) _must_check_;

/* After a real execve failed with `no`: as explain_program, but an explanation that cannot be the
 * reason for this errno is dropped, and where nothing in the image tells, what the errno means is
 * (CAUSE_ERRNO). Always 1 or -1. */
int explain_errno(const struct explain_fs *fs, const struct image_config *cfg, char *const *argv,
		  const char *cwd, int no, const struct explain_from *from, struct explanation *out,
		  struct err *e) _must_check_;

/* At the end of a build: what the image will run into. As explain_program for Entrypoint + Cmd, but
 * silent on an image without a command (a base) and on a program below a VOLUME. */
int explain_image(const struct explain_fs *fs, const struct image_config *cfg, const struct explain_from *from,
		  struct explanation *out, struct err *e) _must_check_;
