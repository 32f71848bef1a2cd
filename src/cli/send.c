/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/send.h"

#include <stdio.h>

static void begun(void *ctx, const struct reference *to, size_t layers)
{
	(void)ctx;
	(void)layers;
	(void)fprintf(stderr, "The push refers to repository [%s/%s]\n", to->host, to->path);
}

int send_image(struct cli *c, struct store *s, const char *what, const struct reference *to,
	       const struct push_opts *o, enum progress_mode mode, struct pushed *out, struct err *e)
{
	struct transfers *t = transfers_new(c, mode, true);
	struct push_opts shown = *o;
	shown.events = transfers_events(t);
	shown.begun = mode == PROGRESS_QUIET ? NULL : begun;
	int r = image_push(s, what, to, &shown, out, e);
	transfers_free(t);
	return r;
}
