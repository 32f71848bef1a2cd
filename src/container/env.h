/* SPDX-License-Identifier: Apache-2.0 */
/* container/env.h: the command and the environment of a run, from the image's config and the
 * command line, as docker puts them together. Values only; nothing is run. */
#pragma once
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"
#include "oci/config.h"

struct err;

/* --env-file: a line each, "K=V" verbatim or "K" (the caller's value, left out if it has none);
 * blank lines and lines that start with '#' are skipped, blanks before a name too. What is found
 * is appended to out as "K=V". `name` is for messages. At most 1 MiB. */
int env_file_parse(struct slice text, const char *name, struct strs *out, struct err *e) _must_check_;
/* One -e argument: "K=V", or "K" (the caller's value). Later ones win. */
int env_add(struct strs *env, const char *arg, struct err *e) _must_check_;

/* entrypoint: NULL: the image's; "": none; else one word that also drops the image's CMD.
 * ERR_USER if nothing is left to run. */
int command_make(const struct image_config *cfg, const char *entrypoint, const char *const *args,
		 size_t args_n, struct strs *argv, struct err *e) _must_check_;

/* The environment: PATH if the image has none, HOSTNAME, TERM (with a terminal), the image's ENV,
 * HOME if still unset, then `more` ("K=V", each replaces). */
void environment_make(const struct image_config *cfg, const char *hostname, bool tty,
		      const char *home, const struct strs *more, struct strs *out);
