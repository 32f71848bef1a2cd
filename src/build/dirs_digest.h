/* SPDX-License-Identifier: Apache-2.0 */
/* build/dirs_digest.h: has anything below a directory of this machine changed? Told from lstat
 * alone: inode, size, mode and change time. */
#pragma once
#include "oci/digest.h"

struct err;

/* What is added, removed or renamed shows in the change time of its directory, and a link cannot
 * change in place, so only files are looked at one by one. Large trees are divided among threads,
 * all of which have ended when this returns. Nothing there (or not readable) is a digest too. */
int dirs_digest(int dirfd, const char *path, struct digest *out, struct err *e) _must_check_;
