/* SPDX-License-Identifier: Apache-2.0 */
/* cli/build_input.h: what `build` reads: the Dockerfile, its ignore file, the context; each from a
 * file, from a directory or from standard input. */
#pragma once
#include "base/buf.h"
#include "oci/reference.h"
#include "store/store.h"

struct build_input {
	struct store *store;   /* borrowed */
	struct buf dockerfile, ignore;
	char *dockerfile_name; /* for messages */
	char *ignore_name;     /* NULL: there is no ignore file */
	char *context;         /* directory; NULL: empty */
	char *temp;            /* "tmp/NAME" of the store with a context that came as a tar */
	ARRAY_OF(struct reference) refs; /* names that the image gets */
};
void build_input_done(struct build_input *in);
/* context: the last argument; file: -f or NULL. */
int build_input_open(struct build_input *in, const char *context, const char *file, struct err *e) _must_check_;
