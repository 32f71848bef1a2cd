/* SPDX-License-Identifier: Apache-2.0 */
/* cli/cmd_manifest_in.h: what the commands on lists of images share. */
#pragma once
#include "base/attr.h"

struct err;
struct multi;
struct store;

/* A list of the store. ERR_ABSENT tells which lists there are. */
int manifest_list_load(struct store *s, const char *name, struct multi *m, struct err *e)
	_must_check_;
