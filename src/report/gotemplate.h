/* SPDX-License-Identifier: Apache-2.0 */
/* report/gotemplate.h: --format, a template as Go's text/template reads it, over JSON values.
 * https://pkg.go.dev/text/template, and the functions docker adds (json, join, split, lower, upper,
 * title, truncate, pad). Known: fields, variables, pipelines, parentheses, literals, comments, trim
 * markers, if/else if/else, range, with, break, continue; and or not eq ne lt le gt ge len index
 * slice print printf println. Not known, refused by name: define, template, block, html, js,
 * urlquote, call, methods.
 *
 * Objects stand for Go's structs: a field that is not there is an error that lists the known ones.
 * Objects that `maps` names stand for maps: a missing key is "<no value>".
 * Limits: 64 KiB of template, 100 deep, 2 million steps, 16 MiB of output. */
#pragma once
#include <jansson.h>

#include "base/attr.h"
#include "base/slice.h"

struct buf;
struct err;

enum gotemplate_zero { GOTEMPLATE_NIL, GOTEMPLATE_LIST, GOTEMPLATE_MAP, GOTEMPLATE_TEXT };
/* What a field is that is null, or that may be missing. */
struct gotemplate_field {
	const char *name;
	enum gotemplate_zero zero;
};
struct gotemplate_opts {
	const struct gotemplate_field *fields; /* ends with { 0 }; or NULL */
	const json_t *const *maps; /* objects that are maps */
	size_t maps_n;
	bool heading; /* for the first line of a table: json, lower, upper, title and truncate leave
			 their text as it is */
};

struct gotemplate;
/* ERR_USER with the place in the template. */
struct gotemplate *gotemplate_parse(struct slice text, struct err *e);
void gotemplate_free(struct gotemplate *t);
DEFINE_CLEANUP(struct gotemplate, gotemplate_free)
/* opts may be NULL. */
int gotemplate_run(const struct gotemplate *t, const json_t *data,
		   const struct gotemplate_opts *opts, struct buf *out, struct err *e) _must_check_;
