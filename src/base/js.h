/* SPDX-License-Identifier: Apache-2.0 */
/* base/js.h: JSON on jansson, with our limits and errors. json_t values are jansson's:
 * json_decref ends them. Input limit: 4 MiB unless told, depth 512, duplicate keys refused. */
#pragma once
#include <jansson.h>
#include <stdint.h>
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct err;
struct buf;

static inline void js_unrefp(json_t **p)
{
	json_decref(*p);
}
#define _json_ _cleanup_(js_unrefp)

#define JS_MAX (4u << 20)
/* `what` names the text in errors ("manifest"). New reference, or NULL. */
json_t *js_parse(struct slice text, const char *what, struct err *e) _must_check_;
/* Members of an object. Absent or null: the default (NULL, 0), and 0 is returned; of another
 * type: -1 ERR_DATA naming the key. Strings are borrowed from the object. */
int js_str(const json_t *obj, const char *key, const char **out, struct err *e) _must_check_;
int js_int(const json_t *obj, const char *key, int64_t *out, struct err *e) _must_check_;
int js_bool(const json_t *obj, const char *key, bool *out, struct err *e) _must_check_;
int js_array(const json_t *obj, const char *key, json_t **out, struct err *e) _must_check_;  /* borrowed */
int js_object(const json_t *obj, const char *key, json_t **out, struct err *e) _must_check_; /* borrowed */
/* An array of strings, appended to out. */
int js_strs(const json_t *obj, const char *key, struct strs *out, struct err *e) _must_check_;
/* Compact, keys in insertion order, "/" not escaped, UTF-8 kept. */
void js_dump(const json_t *v, struct buf *out);
void js_dump_pretty(const json_t *v, unsigned indent, struct buf *out);
json_t *js_from_strs(const struct strs *l); /* new array */
/* A string value for bytes that may not be UTF-8 (invalid ones become U+FFFD). New reference. */
json_t *js_text(struct slice s);
