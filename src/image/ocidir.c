/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ocidir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/walk.h"
#include "image/archive.h"

/* What a writer that was interrupted leaves, for the index is written last: it may be begun again. */
static bool is_unfinished(const char *name)
{
	return strcmp(name, "blobs") == 0 || strcmp(name, "oci-layout") == 0 ||
	       slice_starts(slice_of(name), SL(ARCHIVE_TEMP));
}

/* Files that it did not finish. */
static int drop_temps(int dirfd, struct err *e)
{
	struct walk_entry ent;
	_cleanup_(walk_closep) struct walk *w = walk_open(dirfd, ".", e);
	int r;
	while ((r = walk_next(w, &ent, e)) > 0)
		if (slice_starts(slice_of(ent.name), SL(ARCHIVE_TEMP)) &&
		    S_ISREG(ent.st.st_mode))
			(void)unlinkat(ent.dirfd, ent.name, 0);
	return r;
}

/* Reads the index of a layout; an empty or unfinished one has none; -1 for anything else. */
static int look(int dirfd, const char *path, struct image_index *x, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (fs_exists(dirfd, "oci-layout") && fs_exists(dirfd, "index.json")) {
		if (fs_read(dirfd, "index.json", MANIFEST_MAX, &b, e) < 0 ||
		    image_index_parse(buf_view(&b), NULL, x, e) < 0)
			return err_add(e, "read '%s/index.json'", path);
		return 0;
	}
	struct walk_entry ent;
	_cleanup_(walk_closep) struct walk *w = walk_open(dirfd, ".", e);
	int r;
	while ((r = walk_next(w, &ent, e)) > 0) {
		walk_skip(w);
		if (is_unfinished(ent.name))
			continue;
		err_set(e, ERR_USER, "'%s' is neither empty nor an OCI layout", path);
		return err_hint(e, "give a new directory");
	}
	return r;
}

int ocidir_open(struct ocidir *l, const char *path, struct err *e)
{
	_cleanup_(ocidir_done) struct ocidir made = OCIDIR_INIT;
	made.path = str_dup(path);
	if (fs_mkdirs(AT_FDCWD, path, 0755, e) < 0)
		return -1;
	made.dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (made.dirfd < 0)
		return err_sys(e, "open '%s'", path);
	/* One writer at a time: the index is read and written anew. Where the file system has no locks
	 * it goes without. */
	while (flock(made.dirfd, LOCK_EX) < 0 && errno == EINTR)
		;
	if (look(made.dirfd, path, &made.index, e) < 0 || drop_temps(made.dirfd, e) < 0)
		return -1;
	*l = made;
	made = (struct ocidir)OCIDIR_INIT;
	return 0;
}

void ocidir_done(struct ocidir *l)
{
	closep_(&l->dirfd);
	free(l->path);
	image_index_done(&l->index);
	*l = (struct ocidir)OCIDIR_INIT;
}

static const char *name_in(const struct descriptor *d, const char *key)
{
	return json_string_value(json_object_get(d->annotations, key));
}

static bool same_name(const struct descriptor *a, const struct descriptor *b)
{
	const char *x = name_in(a, OCIDIR_NAME_CONTAINERD);
	const char *y = name_in(b, OCIDIR_NAME_CONTAINERD);
	if (x && y)
		return strcmp(x, y) == 0;
	/* where a tool writes only ref.name, one tag is one image */
	const char *rx = name_in(a, OCIDIR_NAME_OCI), *ry = name_in(b, OCIDIR_NAME_OCI);
	if (x || y || (rx && ry))
		return rx && ry && strcmp(rx, ry) == 0;
	return !rx && !ry && digest_eq(&a->digest, &b->digest);
}

void ocidir_add(struct image_index *x, struct descriptor d)
{
	for (size_t i = 0; i < x->manifests.n; i++)
		if (same_name(&x->manifests.p[i], &d)) {
			descriptor_done(&x->manifests.p[i]);
			x->manifests.p[i] = d;
			return;
		}
	arr_push(&x->manifests, d);
}

int ocidir_finish(struct ocidir *l, struct err *e)
{
	_cleanup_(archive_closep) struct archive *a = archive_to_dir(l->dirfd);
	_cleanup_(buf_done) struct buf b = { 0 };
	if (!l->index.media_type)
		l->index.media_type = str_dup(MT_OCI_INDEX);
	image_index_write(&l->index, &b);
	if (archive_bytes(a, "oci-layout", SL("{\"imageLayoutVersion\":\"1.0.0\"}"), e) < 0)
		return -1;
	return archive_bytes(a, "index.json", buf_view(&b), e); /* last: before it nothing is named */
}
