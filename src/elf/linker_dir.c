/* SPDX-License-Identifier: Apache-2.0 */
/* elf/linker_dir.c: a directory of this machine as the linker's file system. */
#include "base/dirlist.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "elf/linker.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The path of a descriptor below the root's own, as the kernel tells it. */
static char *path_in_root(int rootfd, int fd, struct err *e)
{
	char name[FS_PROC_LEN];
	_free_ char *root = fs_readlink(AT_FDCWD, fs_proc_path(rootfd, name), e);
	_free_ char *path = root ? fs_readlink(AT_FDCWD, fs_proc_path(fd, name), e) : NULL;

	if (!path)
		return NULL;
	if (strcmp(root, "/") == 0)
		return take_ptr(&path);
	if (!path_is_below(slice_of(path), slice_of(root))) {
		(void)err_set(e, ERR_DATA, "'%s' is not below '%s'", path, root);
		return NULL;
	}
	return str_dup(path[strlen(root)] ? path + strlen(root) : "/");
}

static int dir_resolve(void *ctx, const char *path, char **real, enum linker_type *type,
		       struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	_close_ int fd = root_open(*(int *)ctx, path, O_PATH, &why);
	struct stat st;

	if (fd < 0) {
		if (why.sys_errno == ENOENT || why.sys_errno == ENOTDIR || why.sys_errno == ELOOP ||
		    why.sys_errno == ENAMETOOLONG)
			return 0;
		if (e)
			err_move(e, &why);
		return -1;
	}
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat '%s'", path);
	*type = S_ISREG(st.st_mode) ? LINKER_FILE : S_ISDIR(st.st_mode) ? LINKER_DIR : LINKER_OTHER;
	*real = path_in_root(*(int *)ctx, fd, e);
	return *real ? 1 : -1;
}

static int dir_open(void *ctx, const char *real, struct err *e)
{
	return root_open(*(int *)ctx, real, O_RDONLY, e);
}

static int dir_list(void *ctx, const char *real, struct strs *names, struct err *e)
{
	_close_ int fd = root_open(*(int *)ctx, real, O_RDONLY | O_DIRECTORY, e);
	struct dirlist l = { 0 };

	if (fd < 0)
		return -1;
	if (dirlist_read(fd, true, &l) < 0)
		return err_sys(e, "read the directory '%s'", real);
	arr_each(it, &l.names)
		strs_add(names, it->name);
	dirlist_done(&l);
	return 0;
}

struct linker_fs linker_fs_dir(int *rootfd)
{
	return (struct linker_fs){
		.ctx = rootfd, .resolve = dir_resolve, .open = dir_open, .list = dir_list
	};
}
