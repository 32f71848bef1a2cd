/* SPDX-License-Identifier: Apache-2.0 */
/* store/lists.h: indexes in the making (`manifest create`): a small text under a name. What it speaks
 * of is kept by prune: every manifest of the store whose 64 hex digits are in it, with all that
 * belongs to that image. Prune never removes a list. */
#pragma once
#include "base/array.h"
#include "store/store.h"

#define LIST_MAX (4u << 20) /* bytes */

/* ref is reference_text's form. Written whole and fsynced. */
int list_put(struct store *s, const char *ref, struct slice text, struct err *e) _must_check_;
int list_get(struct store *s, const char *ref, struct buf *out, struct err *e) _must_check_; /* 1, 0, -1 */
int list_del(struct store *s, const char *ref, struct err *e) _must_check_; /* 1 removed, 0 was not there */
int lists_all(struct store *s, struct strs *refs, struct err *e) _must_check_; /* sorted */
