/* SPDX-License-Identifier: Apache-2.0 */
#include "build/clamp.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/path.h"

static int set_time(int treefd, const struct entry *ent, struct err *e)
{
	const char *name = "";
	_close_ int dir = -1;
	int at = treefd;
	if (*ent->path) {
		dir = root_open_parent(treefd, ent->path, &name, e);
		if (dir < 0)
			return -1;
		at = dir;
	}
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = ent->mtime } };
	int flags = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
	if (utimensat(at, name, t, flags) < 0)
		return err_sys(e, "set the time of '/%s'", ent->path);
	return 0;
}

/* From the end, so that a directory comes after what is in it; setting the time of a file does not
 * touch its directory's, but the order costs nothing. */
int clamp_times(int treefd, struct index *x, int64_t epoch, struct err *e)
{
	for (size_t i = x->entries.n; i-- > 0;) {
		struct entry *ent = &x->entries.p[i];
		if (ent->type == ENTRY_WHITEOUT ||
		    !(ent->mtime > epoch || (ent->mtime == epoch && ent->mtime_ns > 0)))
			continue;
		ent->mtime = epoch;
		ent->mtime_ns = 0;
		if (set_time(treefd, ent, e) < 0)
			return -1;
	}
	return 0;
}
