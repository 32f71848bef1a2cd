/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/fs.h"
#include "store/image.h"
#include <assert.h>

void image_fs_close(struct image_fs *f)
{
	view_done(&f->view);
	arr_each(it, &f->snaps)
		snap_close(it);
	arr_done(&f->snaps);
	*f = (struct image_fs){ 0 };
}

int image_fs_open(struct store *s, char *const *snaps, size_t n, struct image_fs *out,
		  struct err *e)
{
	_cleanup_(image_fs_close) struct image_fs f = { .store = s };
	(void)arr_reserve(&f.snaps, n); /* the view borrows the indexes: they must not move */
	for (size_t i = 0; i < n; i++) {
		arr_push(&f.snaps, (struct snap)SNAP_INIT);
		struct snap *sn = arr_last(&f.snaps);
		if (snap_open(s, snaps[i], sn, e) < 0 || snap_load_index(s, sn, e) < 0)
			return -1;
	}
	arr_each(it, &f.snaps)
		view_push(&f.view, &it->index);
	*out = f;
	f = (struct image_fs){ 0 };
	return 0;
}

int image_fs_file(struct image_fs *f, const struct view_hit *hit, struct err *e)
{
	/* of this view, which has no bottom */
	assert(hit->layer >= 0 && (size_t)hit->layer < f->snaps.n);
	return snap_file(&f->snaps.p[hit->layer], hit->entry->path, e);
}

int image_fs_file_cb(void *fs, const struct view_hit *hit, struct err *e)
{
	return image_fs_file(fs, hit, e);
}

int image_fs_read(struct image_fs *f, const char *path, size_t max, struct buf *out, struct err *e)
{
	_free_ char *key = NULL;
	struct view_hit hit;
	int r = view_resolve(&f->view, path, true, &key, &hit, e);
	if (r != 1 || hit.entry->type != ENTRY_FILE)
		return r < 0 ? -1 : 0;
	_close_ int fd = image_fs_file(f, &hit, e);
	if (fd < 0)
		return -1;
	out->max = out->len + max;
	if (fd_slurp(fd, out, key, e) < 0)
		return err_add(e, "read '/%s' in the image", key);
	return 1;
}
