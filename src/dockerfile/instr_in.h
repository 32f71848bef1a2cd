/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/instr_in.h: what the files that parse instructions share. */
#pragma once
#include "dockerfile/instr.h"

enum flag_id {
	F_PLATFORM, F_MOUNT, F_NETWORK, F_SECURITY, F_DEVICE, F_FROM, F_CHOWN, F_CHMOD, F_LINK,
	F_PARENTS, F_EXCLUDE, F_CHECKSUM, F_KEEP_GIT_DIR, F_UNPACK, F_INTERVAL, F_TIMEOUT,
	F_START_PERIOD, F_START_INTERVAL, F_RETRIES, F_COUNT,
};
#define BIT(f) (1u << (f))

/* What an instruction is parsed with. */
struct parse {
	struct instr *in;
	struct arena *arena;
	struct err *e;
	struct slice rest;         /* behind keyword and flags, trimmed */
	unsigned given;            /* flags, as bits */
	const char *value[F_COUNT];
	bool on[F_COUNT];
	struct strs lists[F_COUNT];
	struct strs words;
};

/* ---- instr.c ---- */
/* Adds the place of a word of the instruction, or of all of it (NULL), to the error. Returns -1. */
int parse_fail(struct parse *p, const char *word);
int parse_need_args(struct parse *p, const char *hint) _must_check_;
/* Exec form: args and json are set. Else the text is the shell form. */
int parse_exec_or_shell(struct parse *p) _must_check_;
/* JSON or words; appended to p->words. */
int parse_list_form(struct parse *p) _must_check_;
void parse_plain_words(struct parse *p);

/* ---- instr_flags.c ---- */
/* Takes them off p->rest. */
int parse_flags(struct parse *p) _must_check_;
const char *parse_flag_name(int f); /* without the two dashes */

/* ---- instr_files.c ---- */
int parse_run(struct parse *p) _must_check_;
int parse_copy(struct parse *p) _must_check_; /* ADD too */
