/* SPDX-License-Identifier: Apache-2.0 */
/* image/load_in.h: what the files of loading share. */
#pragma once
#include "image/bundle.h"
#include "image/load.h"
#include "oci/config.h"
#include "oci/manifest.h"

struct loader {
	struct store *s;
	struct bundle *b;
	const struct image_load_opts *o;
	struct platform platform;
	struct image_loads *out;
};

/* A layer by its name in the bundle; digest and size are those of the file. */
int load_layer(struct loader *l, const char *name, const struct digest *digest, uint64_t size,
	       const char *media_type, const struct digest *diff_id, struct err *e) _must_check_;
/* The image is whole: makes it known and notes it in l->out. names: full references, to be set at the
 * end. They are taken over. */
int load_done(struct loader *l, const struct digest *manifest, struct strs *names, struct err *e)
	_must_check_;
/* o->what against a full reference. */
bool load_wants(const struct loader *l, const char *ref);

int load_oci(struct loader *l, struct err *e) _must_check_;
int load_docker(struct loader *l, struct err *e) _must_check_;
int load_docker_v1(struct loader *l, struct err *e) _must_check_;
