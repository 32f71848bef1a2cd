/* SPDX-License-Identifier: Apache-2.0 */
/* registry/toml.h: TOML v1.0.0, as registries.conf is written in it, made into JSON values: tables
 * are objects, dates and times strings as they stand, "inf" and "nan" strings.
 * Limits: TOML_MAX bytes, 32 parts in a key, values nested 64 deep. Keys with U+0000 are refused
 * (jansson has none). */
#pragma once
#include "base/attr.h"
#include "base/slice.h"
#include <jansson.h>

struct err;

#define TOML_MAX (1u << 20)
/* A new object. NULL: ERR_DATA with the place in `file` (a name for people). */
json_t *toml_parse(struct slice text, const char *file, struct err *e) _must_check_;
