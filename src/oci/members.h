/* SPDX-License-Identifier: Apache-2.0 */
/* oci/members.h: what descriptors, manifests and configs share in reading and writing JSON. */
#pragma once
#include <jansson.h>
#include "base/attr.h"
#include "oci/platform.h"

struct err;

/* A string member, copied to *out (which is freed first); NULL if absent. */
int member_str(const json_t *obj, const char *key, char **out, struct err *e) _must_check_;
/* "annotations": an object whose values are all strings, or NULL. A new reference. */
int member_annotations(const json_t *obj, json_t **out, struct err *e) _must_check_;
/* "os", "architecture" (both required), "variant" and "os.version" of obj. */
int member_platform(const json_t *obj, struct platform *out, struct err *e) _must_check_;
/* A new object with the members whose names are not among `known`; NULL if there are none. */
json_t *member_extra(const json_t *obj, const char *const *known, size_t n);
/* Adds a string member unless s is NULL. */
void put_str(json_t *obj, const char *key, const char *s);
