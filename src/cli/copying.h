/* SPDX-License-Identifier: Apache-2.0 */
/* cli/copying.h: what commands that copy images have in common: words of options, what is told. */
#pragma once
#include <stdbool.h>

#include "base/array.h"
#include "base/attr.h"
#include "image/copy.h"

struct cli;

/* keep, oci, docker or v2s2. */
enum copy_format copying_format(const char *word);
/* --allow: words other than rootfs.export are refused. */
int copying_allow(struct cli *c, const struct strs *words, bool *rootfs, struct err *e)
	_must_check_;
/* The digest, or with --json an object; counts: what was there already, and bytes, in it too. */
void copying_show(struct cli *c, const struct image_copied *done, bool json, bool quiet, bool counts);
