/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/lex.h: the text of a Dockerfile as logical lines: directives read, comments dropped,
 * continuations glued, here-documents taken. What the lines mean is instr.c's business.
 *
 *	struct lex lex;
 *	if (lex_open(&lex, text, "Dockerfile", &arena, e) < 0) return -1;
 *	struct lex_line line;
 *	while ((r = lex_next(&lex, &line, e)) > 0) …
 *
 * Everything handed out lies in the arena. Work and memory are linear in the text. */
#pragma once
#include <stdbool.h>
#include "base/arena.h"
#include "base/array.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#define DOCKERFILE_MAX (4u << 20)   /* bytes of text */
#define DOCKERFILE_LINE_MAX 65535   /* bytes of one physical line */
#define DOCKERFILE_INSTRS_MAX 65536
#define DOCKERFILE_STAGES_MAX 8192
#define HEREDOCS_MAX 1024           /* of one instruction */

/* "# name = value" at the top of the file. */
struct lex_directives {
	const char *syntax;   /* NULL: none */
	const char *check;    /* NULL: none */
	char escape;          /* '\\' or '`' */
	unsigned syntax_line, check_line, escape_line; /* 0: not given */
};

struct heredoc {
	const char *name;     /* terminator, unquoted */
	int fd;               /* as written before "<<", -1: none */
	bool expand;          /* the name was not quoted */
	bool strip;           /* "<<-" */
	struct slice body;    /* final newline included; tabs stripped if `strip` */
	struct slice raw;     /* as it is in the file */
};
struct heredocs {
	struct heredoc *p;
	size_t n;
};

struct lex_line {
	struct slice text;    /* glued; no blanks at either end */
	struct err_span span; /* all its lines, here-documents too; strings in the arena */
	unsigned text_last;   /* last line of the text proper */
	struct heredocs heredocs;
	const char *doc;      /* comment block above, '#' and one blank removed; NULL: none */
	const char *skip;     /* value of "# check=skip=" in the comment block above; NULL: none */
	unsigned empty_line;  /* first blank line inside a continuation, 0: none */
};

struct lex {
	struct arena *arena;
	const char *file;
	struct slice text;    /* in the arena, without BOM */
	struct lex_directives directives;
	size_t at;            /* in text: start of line number `line` */
	unsigned line;        /* from 1 */
	char escape;
	const char *frontend; /* JSON form of syntax: the whole file is no Dockerfile */
};

/* Checks the size, refuses zero bytes (UTF-16 is named), reads the directives. */
int lex_open(struct lex *l, struct slice text, const char *file, struct arena *arena, struct err *e)
	_must_check_;
/* As lex_open, but nothing is a directive and the escape character is given: for ONBUILD triggers
 * and --change. */
int lex_open_fragment(struct lex *l, struct slice text, const char *file, char escape,
		      struct arena *arena, struct err *e) _must_check_;
/* The next instruction: 1, 0 at the end, -1. */
int lex_next(struct lex *l, struct lex_line *out, struct err *e) _must_check_;

/* Span of the physical lines first..last, for messages (strings in the arena). */
struct err_span lex_span(struct lex *l, unsigned first, unsigned last);

/* The next here-document word ("3<<-'EOF'") of a shell-like text that starts at *rest, which is
 * moved behind it; quotes are respected. 1, 0 if there is none, -1 (ERR_DATA: unbalanced quotes).
 * body and raw are left empty. */
int lex_heredoc_word(struct slice *rest, struct arena *arena, struct heredoc *out, struct err *e)
	_must_check_;
/* True if the whole word is one here-document operator with its name. */
bool lex_is_heredoc(struct slice word);
