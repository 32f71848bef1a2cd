/* SPDX-License-Identifier: Apache-2.0 */
/* layer/compress.h: gzip, zstd, bzip2, xz, told apart by their first bytes. */
#pragma once
#include <stdbool.h>
#include "base/stream.h"

enum compression { COMP_NONE, COMP_GZIP, COMP_ZSTD, COMP_BZIP2, COMP_XZ };

const char *comp_name(enum compression c);
/* By magic numbers; needs up to 6 bytes. */
enum compression comp_sniff(const void *p, size_t n);
/* Looks at the first bytes of `in` (borrowed; they are not lost) and inflates it, concatenated members
 * too; what is not compressed passes through. Bounded memory; truncated or damaged input is ERR_DATA.
 * *found (may be NULL): which compression it is. */
struct source *comp_source_auto(struct source *in, enum compression *found, struct err *e);
/* Compresses into `out` (borrowed). gzip: one member, same bytes for any number of threads
 * (libdeflate on 1 MiB pieces joined, kernel.md §8); zstd with nbWorkers >= 1. level 0: default. */
struct sink *comp_sink(struct sink *out, enum compression c, int level, struct err *e);
/* True if the bytes (at least 512) look like the first block of a tar archive. */
bool tar_sniff(const void *p, size_t n);
