/* SPDX-License-Identifier: Apache-2.0 */
/* cli/obtain.h: images that a command needs, pulled when the store does not have them. */
#pragma once
#include "cli/registry_args.h"
#include "cli/transfers.h"
#include "image/pull.h"

enum pull_when { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

/* "missing", "always", "never", "newer" (as always); NULL: missing. -1: cli_wrong. */
int pull_when(struct cli *c, const char *word, enum pull_when *out, struct err *e) _must_check_;

struct obtain {
	struct cli *cli;
	const struct registry_opts *registry;
	const struct platform *platform; /* or NULL */
	enum progress_mode mode;
};
/* Pulls and shows it as docker does: "latest: Pulling from …", the layers. */
int obtain_pull(const struct obtain *o, struct store *s, const struct reference *ref,
		struct pulled *out, struct err *e) _must_check_;
/* Makes sure that image_open finds `name`, or leaves it to image_open to say why it cannot be (ids,
 * scratch, names of failed builds). */
int obtain_image(const struct obtain *o, struct store *s, const char *name, enum pull_when when,
		 struct err *e) _must_check_;
