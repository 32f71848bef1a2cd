/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tar_write.h: entries as tar headers, in one fixed form: ustar where the values fit, else
 * pax records (only those needed, keys in byte order) in front. POSIX.1-2017, pax, "ustar
 * Interchange Format" and "pax Extended Header". */
#pragma once
#include "layer/index.h"

struct sink;

/* Writes header and padding of one member. For an ENTRY_FILE the caller writes exactly ent->size
 * bytes and then calls tar_write_padding.
 *   name    as the archive shall name it, without the final '/' of directories
 *   target  not NULL: a hard link to that name; no bytes follow
 *   clamp   >= 0: a later mtime becomes it
 * ENTRY_WHITEOUT is not for here: see tar_write_whiteout. */
int tar_write_entry(struct sink *out, const struct entry *ent, const char *name, const char *target,
		    int64_t clamp, struct err *e) _must_check_;
int tar_write_padding(struct sink *out, uint64_t size, struct err *e) _must_check_;
/* An empty file of mode 0 and time 0 at `name` (whose last part begins with ".wh."). */
int tar_write_whiteout(struct sink *out, const char *name, struct err *e) _must_check_;
/* The two zero blocks; does not finish the sink. */
int tar_write_end(struct sink *out, struct err *e) _must_check_;
