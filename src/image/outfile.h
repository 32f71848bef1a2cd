/* SPDX-License-Identifier: Apache-2.0 */
/* image/outfile.h: a file that appears whole: it is born without a name where the file system can do
 * that, so that nothing is left of a writer that was killed, else under another one.
 *
 *	_cleanup_(outfile_done) struct outfile f = OUTFILE_INIT;
 *	if (outfile_open(&f, path, e) < 0) …
 *	write to f.fd
 *	return outfile_finish(&f, e);
 */
#pragma once
#include <stdbool.h>

#include "base/attr.h"

struct err;

struct outfile {
	int fd, dirfd;
	char *temp, *name; /* in dirfd; name NULL: written in place (standard output, a device) */
	bool nameless; /* temp is not there yet */
};
#define OUTFILE_INIT { -1, -1, NULL, NULL, false }
/* path: NULL or "-" is standard output; a pipe or a device is written in place; links are followed.
 * ERR_USER for a directory. */
int outfile_open(struct outfile *o, const char *path, struct err *e) _must_check_;
/* Gives it its name, over what has it. */
int outfile_finish(struct outfile *o, struct err *e) _must_check_;
void outfile_done(struct outfile *o); /* without finish: nothing is left */
