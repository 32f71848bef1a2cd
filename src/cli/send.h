/* SPDX-License-Identifier: Apache-2.0 */
/* cli/send.h: an image goes to a registry, and it is shown as docker shows it: `push`, `build
 * --push`. */
#pragma once
#include "cli/cli.h"
#include "cli/transfers.h"
#include "image/push.h"

/* o->events and o->begun are filled in here. */
int send_image(struct cli *c, struct store *s, const char *what, const struct reference *to,
	       const struct push_opts *o, enum progress_mode mode, struct pushed *out, struct err *e)
	_must_check_;
