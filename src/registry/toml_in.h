/* SPDX-License-Identifier: Apache-2.0 */
/* registry/toml_in.h: what the files of the TOML reader share. */
#pragma once
#include "base/array.h"
#include "base/buf.h"
#include "base/map.h"
#include "registry/toml.h"

struct toml {
	struct slice all;
	size_t at;
	const char *file;
	json_t *root, *table; /* borrowed: table is where lines go to */
	struct map made; /* address of a value -> enum made */
	struct map home; /* MADE_DOTTED: the table whose lines made it */
	struct err *e;
};

/* ---- toml_text.c ---- */
/* ERR_DATA with the line of a place in the text. Returns -1. */
int toml_bad_at(struct toml *t, size_t at, const char *fmt, ...) _printf_(3, 4);
#define toml_bad(t, ...) toml_bad_at(t, (t)->at, __VA_ARGS__)

bool toml_at_end(const struct toml *t);
/* 0 at the end; a NUL in the text is found as a control byte. */
char toml_peek(const struct toml *t);
bool toml_starts(const struct toml *t, const char *word);
bool toml_accept(struct toml *t, char c);
void toml_skip_blanks(struct toml *t);
/* Blanks, comments and newlines. */
int toml_skip_lines(struct toml *t) _must_check_;
int toml_end_line(struct toml *t) _must_check_;
/* 1: there is a string, it is in out. */
int toml_take_string(struct toml *t, bool may_be_lines, struct buf *out) _must_check_;
/* a."b c".d */
int toml_take_key(struct toml *t, struct strs *parts) _must_check_;
/* What a key without quotes is made of. */
static inline bool toml_is_bare(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '-';
}

/* ---- toml_scalar.c ---- */
/* A number, a date, true or false. */
bool toml_scalar(struct slice word, json_t **out);
/* The start of s has the form of `pattern`, in which '0' is any digit. */
bool toml_matches(struct slice s, const char *pattern);
