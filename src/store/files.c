/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of a store, and names in tmp/, where everything is born. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "store/internal.h"

int store_passable(int r, struct err *why, struct err *e)
{
	if (r >= 0 || why->kind == ERR_DATA)
		return r < 0 ? 0 : r;
	err_move(e, why);
	return -1;
}

char *store_tmp_name(struct store *s, struct err *e)
{
	const char *lease = lease_name(s, e);
	if (!lease)
		return NULL;
	return s->within ? str_printf("tmp/%s.%u-%u", lease, s->nr, s->tmp_n++)
			 : str_printf("tmp/%s.%u", lease, s->tmp_n++);
}

int store_discard(struct store *s, const char *path, struct err *e)
{
	if (!s->within)
		return fs_remove(s->fd, path, e);
	_free_ char *name = store_tmp_name(s, e);
	_free_ char *to = name ? str_printf("%s" STORE_DISCARDED, name) : NULL;
	if (!to)
		return -1;
	if (renameat(s->fd, path, s->fd, to) == 0 || errno == ENOENT)
		return 0;
	return fs_remove(s->fd, path, e);
}

char *store_tmp_dir(struct store *s, int *dirfd, struct err *e)
{
	_free_ char *name = store_tmp_name(s, e);
	if (!name)
		return NULL;
	if (mkdirat(s->fd, name, 0700) < 0) {
		err_sys(e, "make a directory in '%s/tmp'", s->path);
		return NULL;
	}
	int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, "open '%s/%s'", s->path, name);
		(void)unlinkat(s->fd, name, AT_REMOVEDIR);
		return NULL;
	}
	*dirfd = fd;
	return take_ptr(&name);
}

char *store_tmp_file(struct store *s, int access, int *fd, struct err *e)
{
	_free_ char *name = store_tmp_name(s, e);
	if (!name)
		return NULL;
	int file = openat(s->fd, name, access | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0) {
		err_sys(e, "make a file in the store's tmp/");
		return NULL;
	}
	*fd = file;
	return take_ptr(&name);
}

int store_tmp_nameless(struct store *s, struct err *e)
{
	int fd = openat(s->tmp, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	return fd >= 0 ? fd : err_sys(e, "make a file in the store's tmp/");
}

int store_write_new(struct store *s, const char *tmp, struct slice data, bool sync, struct err *e)
{
	_close_ int fd = openat(s->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make a file in '%s/tmp'", s->path);
	if (fd_write_all(fd, data.p, data.n, e) < 0)
		return -1;
	if (sync && fsync(fd) < 0)
		return err_sys(e, "write '%s/%s' to the disk", s->path, tmp);
	return 0;
}

/* Another process may take an empty parent away between our making it and the rename. */
static int rename_into(struct store *s, const char *tmp, const char *path, struct err *e)
{
	_free_ char *parent = slice_dup(path_dir(slice_of(path)));
	for (int tries = 0; tries < 1000; tries++) {
		if (renameat(s->fd, tmp, s->fd, path) == 0)
			return 0;
		if (errno != ENOENT)
			break;
		_cleanup_(err_done) struct err why = { 0 };
		if (fs_mkdirs(s->fd, parent, 0700, &why) < 0 && !err_is_errno(&why, ENOENT)) {
			if (e)
				err_move(e, &why);
			return -1;
		}
	}
	return err_sys(e, "write '%s/%s'", s->path, path);
}

int store_write(struct store *s, const char *path, struct slice data, bool sync, struct err *e)
{
	_free_ char *tmp = store_tmp_name(s, e);
	if (!tmp)
		return -1;
	if (store_write_new(s, tmp, data, sync, e) < 0 || rename_into(s, tmp, path, e) < 0) {
		(void)unlinkat(s->fd, tmp, 0);
		return -1;
	}
	return 0;
}

int store_read(struct store *s, const char *path, size_t max, struct buf *out, struct err *e)
{
	_close_ int fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return err_sys(e, "open '%s/%s'", s->path, path);
	out->max = out->len + max;
	if (fd_slurp(fd, out, path, e) < 0)
		return err_add(e, "read '%s/%s'", s->path, path);
	return 1;
}

int store_list(struct store *s, const char *path, struct strs *names, struct err *e)
{
	int fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		err_sys(e, "open '%s/%s'", s->path, path);
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	const struct dirent *ent;
	while ((errno = 0, ent = readdir(d)))
		if (strcmp(ent->d_name, ".") != 0 && strcmp(ent->d_name, "..") != 0)
			strs_add(names, ent->d_name);
	int r = errno ? err_sys(e, "read '%s/%s'", s->path, path) : 0;
	(void)closedir(d);
	strs_sort(names);
	return r;
}
