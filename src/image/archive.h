/* SPDX-License-Identifier: Apache-2.0 */
/* image/archive.h: where the files of a saved image go: members of a tar stream, or files of a
 * directory. A tar is a function of what is put and in which order: times are 0, owners 0:0.
 *
 * In a directory every file appears whole, by rename. */
#pragma once
#include "base/attr.h"
#include "base/slice.h"
#include <stdint.h>

struct archive;
struct err;
struct sink;

/* Begins the names of files that are being written in a directory. */
#define ARCHIVE_TEMP ".thimble-"

struct archive *archive_to_tar(struct sink *out); /* borrowed */
struct archive *archive_to_dir(int dirfd); /* borrowed */
int archive_dir(struct archive *a, const char *name, struct err *e) _must_check_;
int archive_bytes(struct archive *a, const char *name, struct slice bytes, struct err *e)
	_must_check_;
/* A file whose size is known and whose bytes `fill` writes, exactly so many. */
int archive_stream(struct archive *a, const char *name, uint64_t size,
		   int (*fill)(void *ctx, struct sink *out, struct err *e), void *ctx,
		   struct err *e) _must_check_;
/* The end of a tar. Does not finish the sink. */
int archive_end(struct archive *a, struct err *e) _must_check_;
void archive_close(struct archive *a);
DEFINE_CLEANUP(struct archive, archive_close)
