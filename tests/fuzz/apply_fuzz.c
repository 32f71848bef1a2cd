/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a layer: refused, or a tree that is what its index says, and whose tar gives the
 * same layer again. Nothing may appear beside the tree. */
#include "base/err.h"
#include "base/stream.h"
#include "layer/tree.h"
#include "tar_sums.h"
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int new_tree(int dirfd, const char *name)
{
	assert(fs_remove(dirfd, name, NULL) == 0 && mkdirat(dirfd, name, 0755) == 0);
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(fd >= 0);
	return fd;
}

static int apply(int fd, const void *p, size_t n, struct index *x, struct err *e)
{
	const struct tree_opts o = {
		.mode = TREE_TRUSTED,
		.uid_max = geteuid() ? 0 : UINT32_MAX,
		.gid_max = geteuid() ? 0 : UINT32_MAX,
		.max_bytes = 1 << 20,
		.max_entries = 2000,
	};
	_cleanup_(source_closep) struct source *in = source_mem(p, n);
	return tree_apply(fd, in, &o, NULL, x, e);
}

static void again(int dirfd, int fd, const struct index *x)
{
	_cleanup_(buf_done) struct buf one = { 0 }, two = { 0 };
	_cleanup_(sink_closep) struct sink *to = sink_buf(&one), *to2 = sink_buf(&two);
	_cleanup_(err_done) struct err e = { 0 };
	struct index y;
	if (tree_write_tar(fd, x, -1, to, &e) < 0) {
		assert(e.kind == ERR_DATA); /* an attribute with '=' in its name */
		return;
	}
	_close_ int fd2 = new_tree(dirfd, "again");
	assert(apply(fd2, one.p, one.len, &y, &e) == 0);
	assert(tree_write_tar(fd2, &y, -1, to2, &e) == 0);
	assert(slice_eq(buf_view(&one), buf_view(&two)));
	index_done(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[64];
	_cleanup_(err_done) struct err e = { 0 };
	struct index x;
	struct stat st;

	if (!*dir) {
		(void)snprintf(dir, sizeof dir, "/dev/shm/thimble-fuzz.XXXXXX");
		assert(mkdtemp(dir));
	}
	_close_ int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_close_ int fd = new_tree(top, "tree");
	_free_ uint8_t *copy = mem_dup(data, size);
	tar_fix_sums(copy, size);
	if (apply(fd, copy, size, &x, &e) < 0) {
		assert(e.kind == ERR_DATA || e.kind == ERR_SYS);
	} else {
		assert(tree_verify(fd, &x, &e) == 0);
		again(top, fd, &x);
		index_done(&x);
	}
	assert(fs_remove(top, "tree", NULL) == 0 && fs_remove(top, "again", NULL) == 0);
	assert(fstat(top, &st) == 0 && st.st_nlink == 2);
	assert(unlinkat(AT_FDCWD, dir, AT_REMOVEDIR) == 0); /* only if nothing else is in it */
	assert(mkdir(dir, 0700) == 0);
	return 0;
}
