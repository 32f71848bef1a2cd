/* SPDX-License-Identifier: Apache-2.0 */
/* report/gotemplate_scan.h: the text of a template while it is read. */
#pragma once
#include "report/gotemplate_impl.h"

struct gt_parse {
	struct gotemplate *t;
	struct slice s;
	size_t at;
	size_t depth;
	size_t loops;
	bool trim; /* the last action ended with -}} */
	ARRAY_OF(const char *) vars; /* that are known here */
};

/* ERR_USER with a place in the text. Returns -1. */
int gt_fail(struct gt_parse *p, size_t at, struct err *e, const char *fmt, ...) _printf_(4, 5);

static inline bool gt_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool gt_is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static inline bool gt_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline char gt_peek(const struct gt_parse *p, size_t ahead)
{
	return p->at + ahead < p->s.n ? p->s.p[p->at + ahead] : '\0';
}

static inline bool gt_looking_at(const struct gt_parse *p, const char *s)
{
	return slice_starts(slice_from(p->s, p->at), slice_of(s));
}

void gt_skip_blanks(struct gt_parse *p);
/* At "}}" or at "-}}" after a blank. */
bool gt_at_close(const struct gt_parse *p);
int gt_expect_close(struct gt_parse *p, struct err *e) _must_check_;
/* Letters, digits and '_' from here on; may be empty. */
struct slice gt_word(struct gt_parse *p);

/* v lives as long as the template. */
json_t *gt_keep(struct gt_parse *p, json_t *v);
/* At its quote: "", ``, or '' (a number). */
int gt_string(struct gt_parse *p, json_t **out, struct err *e) _must_check_;
int gt_number(struct gt_parse *p, json_t **out, struct err *e) _must_check_;

/* ---- gotemplate_pipe.c ---- */
/* What stands in {{ }} or in parentheses. range: it may name two variables; decl: it may name any. */
int gt_parse_pipe(struct gt_parse *p, bool range, bool decl, struct gt_pipe **out, struct err *e)
	_must_check_;
