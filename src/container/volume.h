/* SPDX-License-Identifier: Apache-2.0 */
/* container/volume.h: what -v and --tmpfs ask for. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/array.h"
#include "base/attr.h"

struct err;
struct image_fs;
struct store;

enum volume_kind {
	VOLUME_PATH,      /* source: a path of this machine (made absolute by whoever opens it) */
	VOLUME_NAMED,     /* source: a name; lives in the store's volumes/ */
	VOLUME_ANONYMOUS, /* no source: fresh for this run */
};
struct volume {
	enum volume_kind kind;
	char *source;     /* or NULL */
	char *target;     /* absolute, cleaned, not "/" */
	bool read_only;
	bool no_copy;     /* a new named volume is not filled from the image */
};
void volume_done(struct volume *v);
/* "SRC:DST[:opts]" or "DST"; opts: ro rw nocopy, and z Z (accepted: no SELinux labels here);
 * others are refused by name. A source with a '/' or that is "." or ".." is a path. */
int volume_parse(const char *spec, struct volume *out, struct err *e) _must_check_;

struct tmpfs_spec {
	char *target;
	uint64_t size;    /* 0: no limit */
	uint32_t mode;    /* 01777 if not told */
	bool read_only, exec;
};
void tmpfs_done(struct tmpfs_spec *t);
int tmpfs_parse(const char *spec, struct tmpfs_spec *out, struct err *e) _must_check_;

/* Fills an empty directory (dirfd, name), made here, with the image's content at `path` (absolute):
 * owner, modes, times and attributes as the image has them. A path that the image does not have, or
 * that is no directory there, gives an empty directory 0755 0:0. */
int volume_fill(struct store *s, struct image_fs *fs, const char *path, int dirfd, const char *name,
		struct err *e) _must_check_;
/* The directory of a named volume, made (and filled unless no_copy) if there is none. Returns a
 * descriptor (O_PATH) or -1. Names: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128 bytes. */
int volume_open(struct store *s, struct image_fs *fs, const struct volume *v, struct err *e) _must_check_;
