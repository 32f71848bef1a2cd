/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an archive of images: refused, or images that open. Whatever comes, nothing is left
 * in tmp/ and nothing appears beside the store. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "image/load.h"
#include "store/image.h"
#include "tar_sums.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_all(struct store *s, const struct image_loads *l)
{
	for (size_t i = 0; i < l->n; i++) {
		_cleanup_(image_done) struct image im = { 0 };
		_cleanup_(err_done) struct err e = { 0 };
		assert(image_open_digest(s, &l->p[i].manifest, &im, &e) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char dir[64];
	static unsigned runs;
	static const struct image_load_opts o;
	_cleanup_(err_done) struct err e = { 0 };
	struct image_loads loads = { 0 };

	if (!*dir) {
		(void)snprintf(dir, sizeof dir, "/dev/shm/thimble-fuzz.XXXXXX");
		assert(mkdtemp(dir));
	}
	_free_ char *root = str_printf("%s/store", dir), *tmp = str_printf("%s/tmp", root);
	_close_ int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (runs++ % 256 == 0) /* what was loaded must not fill the memory */
		assert(fs_remove(top, "store", NULL) == 0);
	_cleanup_(store_closep) struct store *s =
		store_open(&(struct store_opts){ .root = root, .create = true }, &e);
	assert(s);
	_close_ int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	_free_ uint8_t *copy = mem_dup(data, size);
	tar_fix_sums(copy, size);
	assert(fd >= 0 && fd_write_all(fd, copy, size, &e) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	if (image_load(s, fd, NULL, &o, &loads, &e) < 0)
		assert(e.kind != ERR_NONE && e.n > 0);
	else
		open_all(s, &loads);
	image_loads_done(&loads);
	assert(unlinkat(AT_FDCWD, tmp, AT_REMOVEDIR) == 0 && mkdir(tmp, 0700) == 0);
	struct stat st;
	assert(stat(dir, &st) == 0 && st.st_nlink == 3);
	return 0;
}
