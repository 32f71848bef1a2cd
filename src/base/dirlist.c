/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dirlist.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/buf.h"

static int by_name(const void *a, const void *b)
{
	const struct dirlist_name *x = a, *y = b;
	return strcmp(x->name, y->name);
}

void dirlist_done(struct dirlist *l)
{
	arr_done(&l->names);
	free(l->text);
	l->text = NULL;
}

/* Names and types one after the other: a type byte, the name, NUL. */
static void collect(struct buf *text, const char *block, size_t n, size_t *count)
{
	for (size_t at = 0; at < n;) {
		const struct dirent64 *ent = (const void *)(block + at);
		at += ent->d_reclen;
		if (strcmp(ent->d_name, ".") == 0 || strcmp(ent->d_name, "..") == 0)
			continue;
		buf_char(text, (char)ent->d_type);
		buf_add(text, ent->d_name, strlen(ent->d_name) + 1);
		(*count)++;
	}
}

int dirlist_read(int fd, bool sorted, struct dirlist *out)
{
	enum { BLOCK = 32 * 1024 };
	_Alignas(struct dirent64) char block[BLOCK];
	_cleanup_(buf_done) struct buf text = { 0 };
	size_t count = 0;
	ssize_t n;
	while ((n = getdents64(fd, block, sizeof block)) > 0)
		collect(&text, block, (size_t)n, &count);
	if (n < 0)
		return -1;

	*out = (struct dirlist){ 0 };
	arr_reserve(&out->names, count);
	out->text = buf_take(&text);
	const char *p = out->text;
	for (size_t i = 0; i < count; i++) {
		struct dirlist_name name = { p + 1, (unsigned char)p[0] };
		arr_push(&out->names, name);
		p += strlen(p + 1) + 2;
	}
	if (sorted && count > 1)
		qsort(out->names.p, count, sizeof *out->names.p, by_name);
	return 0;
}

int dirlist_open(int dirfd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};
	int fd;
	do
		fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

int descent_push(struct descent *d, int fd, dev_t dev, ino_t ino, bool sorted)
{
	struct descent_dir dir = { .fd = fd, .dev = dev, .ino = ino };
	if (dirlist_read(fd, sorted, &dir.list) < 0) {
		int no = errno;
		(void)close(fd);
		errno = no;
		return -1;
	}
	arr_push(&d->dirs, dir);
	if (d->dirs.n > DESCENT_OPEN) {
		struct descent_dir *far = &d->dirs.p[d->dirs.n - 1 - DESCENT_OPEN];
		closep_(&far->fd);
		far->fd = -1;
	}
	return 0;
}

static int reopen(struct descent_dir *parent, int child)
{
	_close_ int fd = openat(child, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (st.st_dev != parent->dev || st.st_ino != parent->ino) {
		errno = ESTALE; /* the child was moved elsewhere meanwhile */
		return -1;
	}
	parent->fd = take_fd(&fd);
	return 0;
}

int descent_pop(struct descent *d)
{
	struct descent_dir last = *arr_last(&d->dirs);
	d->dirs.n--;
	int r = 0, no = 0;
	if (d->dirs.n && arr_last(&d->dirs)->fd < 0) {
		r = reopen(arr_last(&d->dirs), last.fd);
		no = errno;
	}
	closep_(&last.fd);
	dirlist_done(&last.list);
	if (r < 0)
		errno = no;
	return r;
}

void descent_done(struct descent *d)
{
	arr_each(dir, &d->dirs) {
		closep_(&dir->fd);
		dirlist_done(&dir->list);
	}
	arr_done(&d->dirs);
}
