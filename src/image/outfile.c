/* SPDX-License-Identifier: Apache-2.0 */
#include "image/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"

void outfile_done(struct outfile *o)
{
	if (o->temp && o->fd >= 0 && !o->nameless)
		(void)unlinkat(o->dirfd, o->temp, 0);
	closep_(&o->fd);
	closep_(&o->dirfd);
	free(o->temp);
	free(o->name);
	*o = (struct outfile)OUTFILE_INIT;
}

int outfile_open(struct outfile *o, const char *path, struct err *e)
{
	struct stat st;
	if (!path || strcmp(path, "-") == 0) {
		o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		return o->fd < 0 ? err_sys(e, "write to standard output") : 0;
	}
	_free_ char *real = realpath(path, NULL); /* through the user's own links */
	struct slice text = slice_of(real ? real : path);
	if (real && stat(real, &st) == 0 && !S_ISREG(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			return err_set(e, ERR_USER, "'%s' is a directory", path);
		o->fd = open(real, O_WRONLY | O_CLOEXEC);
		return o->fd < 0 ? err_sys(e, "open '%s'", path) : 0;
	}
	_free_ char *dir = slice_dup(path_dir(text));
	o->name = slice_dup(path_base(text));
	o->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->dirfd < 0)
		return err_sys(e, "open the directory '%s'", dir);
	o->temp = fs_temp_name(".thimble-");
	o->fd = openat(o->dirfd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
	o->nameless = o->fd >= 0;
	if (o->fd < 0)
		o->fd = openat(o->dirfd, o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return o->fd < 0 ? err_sys(e, "make a file in '%s'", dir) : 0;
}

int outfile_finish(struct outfile *o, struct err *e)
{
	char proc[FS_PROC_LEN];
	if (o->nameless &&
	    linkat(AT_FDCWD, fs_proc_path(o->fd, proc), o->dirfd, o->temp, AT_SYMLINK_FOLLOW) < 0)
		return err_sys(e, "name the archive '%s'", o->name);
	o->nameless = false;
	if (o->temp && renameat(o->dirfd, o->temp, o->dirfd, o->name) < 0)
		return err_sys(e, "name the archive '%s'", o->name);
	free(take_ptr(&o->temp));
	return 0;
}
