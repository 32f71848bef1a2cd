/* SPDX-License-Identifier: Apache-2.0 */
/* cli/opt.h: what a command line may hold, as tables, and what is made from them: the arguments
 * of a command, its --help, completion and the check that the man pages name every flag.
 *
 *	struct images_args { bool quiet; const char *format; struct strs filter; };
 *	static const struct opt images_opts[] = {
 *		OPT_FLAG('q', "quiet", struct images_args, quiet, "only show image IDs"),
 *		OPT_STR(0, "format", struct images_args, format, "FORMAT", "…"),
 *		OPT_LIST('f', "filter", struct images_args, filter, "FILTER", "…"),
 *		{ 0 },
 *	};
 *
 * Habits are those of GNU and of docker (pflag): --flag=value, --flag value, -f value, -fvalue,
 * -f=value, several letters at once (-it), --flag=false, "--" ends the flags. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/attr.h"

struct err;
struct buf;
struct cli;

enum opt_kind {
	OPT_END,
	OPT_KIND_FLAG, /* bool; also --flag=true, --flag=false */
	OPT_KIND_STR, /* const char *, borrowed from argv; the last one wins */
	OPT_KIND_CHOICE, /* the same, one of the words in `value`, "a|b|c" */
	OPT_KIND_LIST, /* struct strs, one string each time it is given */
	OPT_KIND_INT, /* int64_t, decimal, may be negative */
	OPT_KIND_OPTVAL, /* const char *; without a value, `bare` */
	OPT_KIND_LATER, /* known to docker's users, refused by name; help says why and what to do */
};

struct opt {
	char letter; /* 0: none */
	const char *name;
	enum opt_kind kind;
	size_t at; /* offset of the field */
	const char *value; /* what --help calls the value; for LATER not NULL if it takes one */
	const char *help;
	const char *bare; /* OPTVAL */
	bool hidden; /* taken, but not told in --help */
};

/* Offset of a field, which must have this type. */
#define OPT_AT_(type, field, want)                                                              \
	(offsetof(type, field) +                                                                \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type *)0)->field), want) ? 1 \
											    : -1]))
#define OPT_FLAG(c, n, type, field, text)                                                \
	{                                                                                \
		c, n, OPT_KIND_FLAG, OPT_AT_(type, field, bool), NULL, text, NULL, false \
	}
#define OPT_STR(c, n, type, field, v, text)                                                  \
	{                                                                                    \
		c, n, OPT_KIND_STR, OPT_AT_(type, field, const char *), v, text, NULL, false \
	}
#define OPT_CHOICE(c, n, type, field, v, text)                                                  \
	{                                                                                       \
		c, n, OPT_KIND_CHOICE, OPT_AT_(type, field, const char *), v, text, NULL, false \
	}
#define OPT_LIST(c, n, type, field, v, text)                                                 \
	{                                                                                    \
		c, n, OPT_KIND_LIST, OPT_AT_(type, field, struct strs), v, text, NULL, false \
	}
#define OPT_INT(c, n, type, field, v, text)                                             \
	{                                                                               \
		c, n, OPT_KIND_INT, OPT_AT_(type, field, int64_t), v, text, NULL, false \
	}
#define OPT_OPTVAL(c, n, type, field, v, b, text)                                            \
	{                                                                                    \
		c, n, OPT_KIND_OPTVAL, OPT_AT_(type, field, const char *), v, text, b, false \
	}
#define OPT_FLAG_HIDDEN(c, n, type, field)                                            \
	{                                                                             \
		c, n, OPT_KIND_FLAG, OPT_AT_(type, field, bool), NULL, "", NULL, true \
	}
/* Refused by name: "TEXT". v: name of its value, NULL for a bool flag. */
#define OPT_LATER(c, n, v, text)                             \
	{                                                    \
		c, n, OPT_KIND_LATER, 0, v, text, NULL, true \
	}

/* Positional arguments, borrowed from argv. */
struct words {
	char **p;
	size_t n, cap;
};

#define ARGS_ANY SIZE_MAX

enum cmd_group { GROUP_BUILD, GROUP_IMAGES, GROUP_REGISTRY, GROUP_STORE, GROUP_HIDDEN };

struct cmd {
	const char *name; /* as users type it; may hold a blank: "image prune" */
	const char *usage; /* what follows the name: "[OPTIONS] CONTEXT" */
	const char *help; /* one line, lower case, no full stop */
	const struct opt *opts; /* ends with { 0 }; NULL: none */
	size_t args_size;
	/* Does it. args: the parsed struct (zeroed, or *defaults, before parsing). Returns the exit
	 * status, or -1 with *e filled: main prints it and ends with 1 (2 after cli_wrong; .failed
	 * if that is set). */
	int (*run)(struct cli *cli, const void *args, const struct words *words, struct err *e);
	size_t min, max; /* how many positional arguments; max ARGS_ANY: any number */
	const void *defaults; /* struct to start from, or NULL: zeroes */
	bool unwinds; /* ^C lets it take away what is half made (base/interrupt.h) */
	bool stop; /* flags end at the first positional argument (run) */
	int failed; /* exit status of our own failures, 0: 1 (and 2 for the command line) */
	enum cmd_group group;
	const char *man; /* its page is thimble-MAN.1; NULL: name; "": thimble.1 */
	const char *details; /* paragraphs for --help, or NULL */
	const char *examples; /* lines for --help, or NULL */
};

/* Parses argv[0..argc) into args (args_size bytes of the command, to be ended with opt_done) and
 * words. *help is set, and nothing else is looked at, when -h or --help comes up.
 * Errors (ERR_USER) name the flag, with the nearest known one. */
int opt_parse(const struct opt *opts, bool stop, int argc, char *const *argv, void *args,
	      struct words *words, bool *help, struct err *e) _must_check_;
/* Frees the lists in args. */
void opt_done(const struct opt *opts, void *args);

/* The text of --help; `said` is what the user called the command ("image ls"). */
void opt_help(const struct cmd *cmd, const char *said, struct buf *out);
/* The option rows alone. */
void opt_help_rows(const struct opt *opts, struct buf *out);
/* The name in a table that is nearest to word, or NULL if none is near. */
const char *opt_nearest(const char *word, const char *const *names, size_t n);
