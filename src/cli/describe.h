/* SPDX-License-Identifier: Apache-2.0 */
/* cli/describe.h: what `inspect` shows of an image, in the store or elsewhere. */
#pragma once
#include "cli/registry_args.h"
#include "oci/config.h"

/* Comment, Created, Author, Config, Architecture, Variant, Os; and for RootFS. */
void describe_config(json_t *o, const struct image_config *c);
json_t *describe_rootfs(const struct image_config *c);

/* Elsewhere: a name is docker://NAME, other places as `copy` has them (image/locator.h). Nothing is
 * pulled but manifest and config. */
struct remote_args {
	const struct registry_opts *registry;
	const struct platform *platform; /* or NULL */
};
/* New reference, or NULL. */
json_t *describe_remote(struct cli *c, const char *what, const struct remote_args *a,
			struct err *e);
/* The bytes of what the name stands for (index or manifest), or of the config. */
int remote_bytes(struct cli *c, const char *what, const struct remote_args *a, bool config,
		 struct buf *out, struct err *e) _must_check_;
