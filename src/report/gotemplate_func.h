/* SPDX-License-Identifier: Apache-2.0 */
/* report/gotemplate_func.h: what the files with the functions of templates share. */
#pragma once
#include "report/gotemplate_impl.h"

#define WIDTH_MAX 4096 /* of what is padded */

/* The parameters of a function (struct gt_func). */
#define CALL                                                                           \
	struct gt_run *r, const struct gt_func *f, const struct gt_value *a, size_t n, \
		struct gt_value *out, struct err *e
#define VALUE_BUF                     \
	{                             \
		.max = GT_OUT_MAX / 4 \
	}

/* ---- arguments; ERR_USER names the function ---- */
bool gt_is_text(struct gt_value v);
int gt_arg_text(const struct gt_func *f, struct gt_value v, struct slice *s, struct err *e)
	_must_check_;
int gt_arg_int(const struct gt_func *f, struct gt_value v, int64_t *i, struct err *e) _must_check_;
bool gt_is_list(struct gt_value v);
size_t gt_list_len(struct gt_value v);

/* A text as the result. ERR_DATA, ERR_USER: too long, or too much work. */
int gt_give(struct gt_run *r, struct buf *b, struct gt_value *out, struct err *e) _must_check_;

/* As strconv.FormatFloat(v, 'g', -1, 64): the shortest digits that read back the same, an exponent
 * below -4 and from 6 digits on. e: 'e' or 'E'. */
void gt_print_real(double v, char e, struct buf *out);

/* ---- gotemplate_text.c: docker's ---- */
int gt_call_json(CALL);
int gt_call_case(CALL); /* lower, upper, title: ASCII letters; others stay */
int gt_call_split(CALL);
int gt_call_join(CALL);
int gt_call_truncate(CALL);
int gt_call_pad(CALL);

/* ---- gotemplate_printf.c ---- */
int gt_call_printf(CALL);
