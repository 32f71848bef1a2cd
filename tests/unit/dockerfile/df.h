/* SPDX-License-Identifier: Apache-2.0 */
/* Short forms for the tests of src/dockerfile. Ids in comments (LEX01 …) are those of
 * dockerfile.md §13. */
#pragma once
#include "../unit.h"

#include "base/err.h"
#include "base/map.h"
#include "dockerfile/dockerfile.h"

/* A parsed text, with what went wrong. */
struct parsed {
	struct dockerfile df;
	struct err e;
	int r;
	struct buf line; /* the error on one line, "" */
};

static inline void parsed_done(struct parsed *p)
{
	dockerfile_done(&p->df);
	err_done(&p->e);
	buf_done(&p->line);
}

static inline struct parsed parse_n(const char *text, size_t n)
{
	struct parsed p = { 0 };
	p.r = dockerfile_parse((struct slice){ text, n }, "Dockerfile", &p.df, &p.e);
	if (p.r < 0)
		err_line(&p.e, &p.line);
	else
		buf_str(&p.line, "");
	return p;
}

static inline struct parsed parse(const char *text)
{
	return parse_n(text, strlen(text));
}
#define PARSED _cleanup_(parsed_done) struct parsed
#define IN(x, i) (&(x).df.instrs.p[i])

/* The text is refused, and the message holds `word`. */
#define assert_refused(text, word)                                                        \
	do {                                                                              \
		PARSED refused_ = parse(text);                                            \
		if (refused_.r == 0)                                                      \
			fail_msg("accepted: %s", text);                                   \
		if (!strstr(refused_.line.p, word))                                       \
			fail_msg("%s: said '%s' and not '%s'", text, refused_.line.p, word); \
	} while (0)

static inline bool hinted(const struct err *e, const char *word)
{
	for (size_t i = 0; i < e->hints_n; i++)
		if (strstr(e->hints[i], word))
			return true;
	return false;
}

/* Variables for expansion: "a=1\0b=\0" style list. */
struct vars {
	const char *const *p; /* "name=value", NULL at the end */
	struct strs unset;
};

static inline const char *vars_get(void *ctx, struct slice name)
{
	struct vars *v = ctx;
	for (const char *const *it = v->p; *it; it++)
		if (!strncmp(*it, name.p, name.n) && (*it)[name.n] == '=')
			return *it + name.n + 1;
	return NULL;
}

static inline void vars_unset(void *ctx, struct slice name)
{
	struct vars *v = ctx;
	strs_take(&v->unset, slice_dup(name));
}

#define VARS(...) ((const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })
