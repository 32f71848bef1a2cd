/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cli.h: what every command gets, and the table of commands. Commands print results to stdout
 * through stdio (main flushes it and tells of a full disk or a closed pipe); errors are returned
 * and printed by main; warnings and progress go to stderr. */
#pragma once
#include <stdbool.h>

#include "base/attr.h"
#include "base/slice.h"
#include "cli/opt.h"

struct buf;
struct err;
struct store;

struct cli {
	const char *root; /* --root, or NULL */
	bool debug;
	bool color; /* SGR sequences may go to stderr: a terminal, no NO_COLOR */
	bool out_tty; /* stdout is a terminal */
	bool wrong; /* the command line was at fault (cli_wrong) */
	const struct cmd *cmd;
	const char *said; /* how the user called it: "images", "image ls" */
	int out_errno; /* of the first write to stdout that failed, or 0 */
	struct store *store; /* opened by cli_store, closed by main */
};

/* The table, ends with NULL. */
extern const struct cmd *const cli_commands[];

/* The store, opened on the first call. With `create` it is made if it is not there, else that is
 * ERR_ABSENT. */
struct store *cli_store(struct cli *c, bool create, struct err *e);
/* The same for commands that touch the trees of snapshots: as a user the user namespace is entered
 * first (userns.h). The process must have no threads yet. */
struct store *cli_store_trees(struct cli *c, bool create, struct err *e);

/* A wrong command line: fills *e, adds where to read on, makes the exit status 2. Returns -1. */
int cli_wrong(struct cli *c, struct err *e, const char *fmt, ...) _printf_(3, 4);
/* "thimble: warning: …" on stderr, escaped. */
void cli_warn(struct cli *c, const char *fmt, ...) _printf_(2, 3);
/* Prints an error (and ends it) without ending the command: for one of several names. */
void cli_error(struct cli *c, struct err *e);
/* What a buffer holds, to stdout. If it came from an image and may hold anything, `escape`: control
 * bytes other than newline and tab are escaped when stdout is a terminal. */
void cli_print(struct cli *c, const struct buf *b, bool escape);
/* Asks a yes/no question on the terminal. 1 yes, 0 no; -1 ERR_USER if stdin is no terminal (there is
 * nobody to ask; the hint says `flag`). */
int cli_confirm(const char *question, const char *flag, struct err *e) _must_check_;
/* "scratch" (any spelling of the name without a registry): fills *e with what it is and what
 * `doing` cannot mean (NULL: it cannot be the name of an image), returns -1; else 0. */
int cli_no_scratch(const char *name, const char *doing, struct err *e) _must_check_;

/* As docker's reference.FamiliarMatch: a glob on "hello:gcc" or on "hello". 1, 0, -1: bad pattern. */
struct reference;
int cli_name_matches(const struct reference *ref, const char *pattern);

/* main.c: also used by `help`, completion and __commands. */
extern const struct opt cli_global_opts[];
const struct cmd *cli_find(const char *name); /* by its own name, or NULL */
struct alias {
	const char *words; /* "image ls" */
	const char *name; /* "images" */
};
extern const struct alias cli_aliases[]; /* ends with { 0 } */
struct strs;
/* First words of those of two, each once: "image", "manifest" … */
void cli_groups(struct strs *out);
int cli_help(const char *words, struct buf *out, struct err *e)
	_must_check_; /* NULL: the overview */

extern const struct cmd cmd_build, cmd_run, cmd_compare;
extern const struct cmd cmd_images, cmd_tag, cmd_rmi, cmd_inspect, cmd_history;
extern const struct cmd cmd_import, cmd_load, cmd_save, cmd_cp;
extern const struct cmd cmd_pull, cmd_push, cmd_copy, cmd_tags, cmd_search, cmd_referrers, cmd_attach;
extern const struct cmd cmd_manifest_create, cmd_manifest_annotate, cmd_manifest_inspect,
	cmd_manifest_push, cmd_manifest_rm;
extern const struct cmd cmd_login, cmd_logout;
extern const struct cmd cmd_prune, cmd_image_prune, cmd_builder_prune, cmd_df, cmd_info,
	cmd_version;
extern const struct cmd cmd_help, cmd_completion, cmd_complete, cmd_commands;
