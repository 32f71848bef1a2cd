/* SPDX-License-Identifier: Apache-2.0 */
/* report/gotemplate_impl.h: what parsing, running and the functions of templates share. */
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/buf.h"
#include "report/gotemplate.h"

#define GT_TEXT_MAX  (64u << 10)
#define GT_DEPTH_MAX 100
#define GT_STEPS_MAX 2000000
#define GT_OUT_MAX   (16u << 20)
#define GT_ARGS_MAX  64

/* ---- the tree; all of it in the template's arena ---- */
enum gt_operand_kind { GT_DOT, GT_NIL, GT_FIELD, GT_VAR, GT_FUNC, GT_CONST, GT_PIPE };
struct gt_operand {
	enum gt_operand_kind kind;
	size_t at, len; /* place in the text */
	const char *name; /* VAR (without $, "" is the root), FUNC */
	const char **fields; /* taken of it: .A.B */
	size_t fields_n;
	json_t *value; /* CONST, owned by the template's pool */
	struct gt_pipe *pipe; /* PIPE: in parentheses */
};
struct gt_cmd {
	struct gt_operand *args;
	size_t n;
	size_t at;
};
struct gt_pipe {
	const char *vars[2];
	size_t vars_n;
	bool assign; /* "=" instead of ":=" */
	struct gt_cmd *cmds;
	size_t n;
	size_t at;
};
enum gt_node_kind { GT_TEXT, GT_ACTION, GT_IF, GT_RANGE, GT_WITH, GT_BREAK, GT_CONTINUE };
struct gt_node {
	enum gt_node_kind kind;
	struct slice text;
	struct gt_pipe *pipe;
	struct gt_node *body, *other; /* first of a list */
	struct gt_node *next;
};
struct gotemplate {
	struct arena arena;
	struct slice text;
	struct gt_node *nodes;
	ARRAY_OF(json_t *) pool;
};

/* ---- values while it runs ---- */
enum gt_kind { GT_V_NONE, GT_V_NULL, GT_V_JSON };
struct gt_value {
	enum gt_kind kind; /* NONE: "<no value>"; NULL: a nil of the kind `zero` */
	enum gotemplate_zero zero;
	json_t *json; /* borrowed: from the data, the template or the run's pool */
};
struct gt_run {
	const struct gotemplate *t;
	const struct gotemplate_opts *opts;
	struct buf *out;
	ARRAY_OF(json_t *) pool; /* made while running */
	ARRAY_OF(struct gt_var {
		const char *name;
		struct gt_value v;
	})
	vars;
	size_t steps, depth;
};

struct gt_func {
	const char *name;
	size_t min, max; /* arguments */
	int (*call)(struct gt_run *r, const struct gt_func *f, const struct gt_value *args,
		    size_t n, struct gt_value *out, struct err *e);
	int what; /* for functions that share code */
};
const struct gt_func *gt_func_find(const char *name);

struct gt_value gt_own(struct gt_run *r, json_t *v); /* takes v: it ends with the run */
struct gt_value gt_text(struct gt_run *r, struct slice s);
bool gt_truth(const struct gt_run *r, struct gt_value v);
bool gt_is_map(const struct gt_run *r, const json_t *v);
const char *gt_kind_name(struct gt_value v);
/* As Go's %v. */
void gt_print(const struct gt_run *r, struct gt_value v, struct buf *out);
int gt_steps(struct gt_run *r, size_t n, struct err *e) _must_check_;
/* A field of an object, or what its absence means. */
int gt_field(struct gt_run *r, struct gt_value from, const char *name, struct gt_value *out,
	     struct err *e) _must_check_;
/* Keys of an object in byte order; free() the array. */
const char **gt_keys(const json_t *obj, size_t *n);
/* Adds the place in the text to an error. Returns -1. */
int gt_at(const struct gotemplate *t, size_t at, size_t len, struct err *e);
