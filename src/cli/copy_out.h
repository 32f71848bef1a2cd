/* SPDX-License-Identifier: Apache-2.0 */
/* cli/copy_out.h: files of an image to this machine, as `docker cp CONTAINER:SRC DEST` does it.
 * Prints nothing. */
#pragma once
#include <stdbool.h>

#include "base/array.h"
#include "base/attr.h"

struct err;
struct image_fs;
struct sink;
struct tree_opts;

struct copy_out {
	struct image_fs *fs;
	const char *src; /* in the image; "DIR/." means what is in DIR */
	bool follow; /* SRC is a link: what it leads to */
	const struct tree_opts *meta; /* -a: owners and attributes as in the image; NULL: the caller's
					 own files, modes without setuid bits */
	struct strs skipped; /* devices that could not be made, for a warning */
};

/* DEST as docker cp has it: a directory that exists takes SRC under its name; else DEST is the new
 * name, its parent must exist; a directory is never replaced by a file nor a file by a directory.
 * Links in DEST itself are the user's and followed; below it nothing is followed: a link or a file
 * in the way of a copied directory is replaced. Files appear by rename. */
int copy_out_to(struct copy_out *c, const char *dest, struct err *e) _must_check_;
/* The same as a tar stream; names begin with SRC's last component. */
int copy_out_tar(struct copy_out *c, struct sink *out, struct err *e) _must_check_;
