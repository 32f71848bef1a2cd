/* SPDX-License-Identifier: Apache-2.0 */
/* cli/show.h: values as the commands print them. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/attr.h"

struct cli;
struct digest;
struct image_row;

/* New references. */
json_t *show_size(uint64_t bytes); /* "1.14GB" */
json_t *show_id(const struct digest *d, bool whole); /* "sha256:…", or twelve digits of it */
json_t *show_ago(const struct timespec *t); /* "2 hours ago"; NULL or the epoch: "N/A" */
json_t *show_at(const struct timespec *t); /* "2006-01-02 15:04:05 +0000 UTC", local time */
json_t *show_rfc3339(const struct timespec *t); /* NULL: null */
/* s without what would break a line of a table: tabs and newlines become blanks. NULL: "". */
json_t *show_line(const char *s);
/* Cut to at most n characters, the last one "…". */
json_t *show_cut(const char *s, size_t n);
/* --json: pretty, takes v. */
void show_json(struct cli *c, json_t *v);
