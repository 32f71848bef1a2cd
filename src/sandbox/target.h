/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/target.h: the places in a root where something is mounted. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/array.h"
#include "base/attr.h"

struct err;

struct target_root {
	int fd;              /* of the root */
	struct strs *made;   /* real paths (keys) that had to be made in its layers */
	uint32_t uid, gid;   /* of what is made */
};

/* Opens (O_PATH) what `path` leads to inside the root, links followed without leaving it. What is
 * missing is made: directories 0755, a last component that shall be no directory as an empty file
 * 0644. Fails if there is something of the other kind. */
int target_open(const struct target_root *root, const char *path, bool dir, struct err *e) _must_check_;
