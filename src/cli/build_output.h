/* SPDX-License-Identifier: Apache-2.0 */
/* cli/build_output.h: `build -o`: where the result goes besides the store. */
#pragma once
#include <stdbool.h>
#include "base/array.h"
#include "base/attr.h"

struct build_result;
struct cli;
struct err;
struct reference;
struct store;

enum output_type { OUTPUT_IMAGE, OUTPUT_LOCAL, OUTPUT_TAR, OUTPUT_OCI, OUTPUT_DOCKER };
struct output {
	enum output_type type;
	char *dest;         /* NULL: none; "-": standard output */
	bool layout;        /* oci with tar=false: a directory */
	char *name;         /* name=, or NULL */
	char *compression;  /* "gzip" …, or NULL */
	bool rewrite;       /* rewrite-timestamp=true */
};
struct outputs {
	ARRAY_OF(struct output) list;
};
void outputs_done(struct outputs *o);
/* "DIR", "-", "type=local,dest=DIR" … Keys that are not supported are refused by name. */
int outputs_parse(const struct strs *specs, struct outputs *out, struct err *e) _must_check_;
bool outputs_to_stdout(const struct outputs *o);
bool outputs_want_docker(const struct outputs *o); /* the manifest is to be Docker's */
bool outputs_want_rewrite(const struct outputs *o); /* file times in new layers follow the epoch */
/* ref: the first name of the image, or NULL. */
int outputs_write(struct cli *c, const struct outputs *o, struct store *s, const struct build_result *r,
		  const struct reference *ref, struct err *e) _must_check_;
/* --metadata-file */
struct buf;
void outputs_metadata(const struct build_result *r, const struct reference *refs, size_t n, struct buf *json);
