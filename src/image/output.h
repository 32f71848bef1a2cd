/* SPDX-License-Identifier: Apache-2.0 */
/* image/output.h: the merged file system of an image, written out: `build -o` with type=local and
 * type=tar, and `cp`. OCI and Docker archives are in image/save.h. */
#pragma once
#include "store/image.h"

struct sink;

/* Writes what lies below `strip` (key; "": everything) into the directory dest, which is made if it
 * is missing. As BuildKit's local exporter: what is there already stays unless it has the name of
 * something new; everything belongs to the caller; modes, times and links as in the image; devices
 * and pipes are left out. Links that are in dest already are replaced, never followed. */
int image_output_dir(struct image_fs *fs, const char *strip, const char *dest, struct err *e)
	_must_check_;
/* The same as a tar stream, with owners and devices as they are in the image. clamp >= 0: later
 * mtimes become it. */
int image_output_tar(struct image_fs *fs, const char *strip, int64_t clamp, struct sink *out,
		     struct err *e) _must_check_;
