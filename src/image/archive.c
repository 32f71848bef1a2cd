/* SPDX-License-Identifier: Apache-2.0 */
#include "image/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/stream.h"
#include "layer/tar_write.h"

struct archive {
	struct sink *tar; /* or NULL */
	int dirfd;
};

struct archive *archive_to_tar(struct sink *out)
{
	struct archive *a = NEW(struct archive);
	a->tar = out;
	a->dirfd = -1;
	return a;
}

struct archive *archive_to_dir(int dirfd)
{
	struct archive *a = NEW(struct archive);
	a->dirfd = dirfd;
	return a;
}

void archive_close(struct archive *a)
{
	free(a);
}

int archive_dir(struct archive *a, const char *name, struct err *e)
{
	if (!a->tar)
		return fs_mkdirs(a->dirfd, name, 0755, e);
	const struct entry ent = { .path = name, .type = ENTRY_DIR, .mode = 0755 };
	return tar_write_entry(a->tar, &ent, name, NULL, -1, e);
}

static int put_member(struct archive *a, const char *name, uint64_t size,
		      int (*fill)(void *, struct sink *, struct err *), void *ctx, struct err *e)
{
	const struct entry ent = { .path = name, .type = ENTRY_FILE, .mode = 0644, .size = size };
	uint64_t n = 0;
	_cleanup_(sink_closep) struct sink *count = sink_hash(a->tar, NULL, &n);
	if (tar_write_entry(a->tar, &ent, name, NULL, -1, e) < 0 || fill(ctx, count, e) < 0)
		return -1;
	if (n != size)
		return err_set(e, ERR_DATA,
			       "'%s' has %llu bytes, not %llu as was written before it", name,
			       (unsigned long long)n, (unsigned long long)size);
	return tar_write_padding(a->tar, size, e);
}

static int put_file(struct archive *a, const char *name,
		    int (*fill)(void *, struct sink *, struct err *), void *ctx, struct err *e)
{
	_free_ char *tmp = fs_temp_name(ARCHIVE_TEMP);
	_close_ int fd = openat(a->dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				0644);
	if (fd < 0)
		return err_sys(e, "make a file for '%s'", name);
	_cleanup_(sink_closep) struct sink *out = sink_fd(fd);
	int r = fill(ctx, out, e);
	if (r == 0)
		r = sink_finish(out, e);
	if (r == 0 && renameat(a->dirfd, tmp, a->dirfd, name) < 0)
		r = err_sys(e, "write '%s'", name);
	if (r < 0)
		(void)unlinkat(a->dirfd, tmp, 0);
	return r;
}

int archive_stream(struct archive *a, const char *name, uint64_t size,
		   int (*fill)(void *ctx, struct sink *out, struct err *e), void *ctx,
		   struct err *e)
{
	int r = a->tar ? put_member(a, name, size, fill, ctx, e) : put_file(a, name, fill, ctx, e);
	return r < 0 ? err_add(e, "write '%s'", name) : 0;
}

static int fill_bytes(void *ctx, struct sink *out, struct err *e)
{
	const struct slice *s = ctx;
	return sink_write(out, s->p, s->n, e);
}

int archive_bytes(struct archive *a, const char *name, struct slice bytes, struct err *e)
{
	return archive_stream(a, name, bytes.n, fill_bytes, &bytes, e);
}

int archive_end(struct archive *a, struct err *e)
{
	return a->tar ? tar_write_end(a->tar, e) : 0;
}
