/* SPDX-License-Identifier: Apache-2.0 */
/* build/events.h: what a build tells while it goes on. The room prints nothing; a caller that
 * wants to show progress fills this in. Every callback may be NULL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/slice.h"

struct build_warning {
	const char *rule;            /* "JSONArgsRecommended", or NULL */
	const char *text;
	const struct err_span *span; /* or NULL */
};

struct build_events {
	void *ctx;
	/* Steps are numbered from 1 in the order in which they are planned. */
	void (*planned)(void *ctx, unsigned steps);
	void (*started)(void *ctx, unsigned step, const char *title);
	void (*cached)(void *ctx, unsigned step, const char *title);
	void (*output)(void *ctx, unsigned step, bool is_stderr, struct slice bytes); /* raw bytes */
	void (*done)(void *ctx, unsigned step, int64_t ns);
	void (*failed)(void *ctx, unsigned step, int64_t ns);
	void (*note)(void *ctx, const char *text); /* "exporting layers" … */
	void (*warned)(void *ctx, const struct build_warning *w);
};
