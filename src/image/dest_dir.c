/* SPDX-License-Identifier: Apache-2.0 */
/* dir: as skopeo has it (containers-transports(5)): manifest.json, blobs under the hex digits of their
 * digests, manifests below an index as HEX.manifest.json, and `version`. The directory appears by
 * rename; one that is there and is of this kind is replaced, its blobs are used again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "base/stream.h"
#include "base/walk.h"
#include "image/archive.h"
#include "image/dest.h"

#define VERSION "Directory Transport Version: 1.1\n"

struct to_dir {
	struct dest base;
	char *path;
	int parent, dir, old; /* old: what is there already, or -1 */
	char *name, *temp; /* in parent */
	struct archive *a;
};

static void close_it(struct dest *base)
{
	struct to_dir *t = (struct to_dir *)base;
	archive_close(t->a);
	closep_(&t->dir);
	closep_(&t->old);
	if (t->temp && fs_remove(t->parent, t->temp, NULL) < 0)
		log_debug("cannot remove '%s' beside '%s'", t->temp, t->path);
	closep_(&t->parent);
	free(t->path);
	free(t->name);
	free(t->temp);
	free(t);
}

static bool has_file(int dirfd, const char *name, uint64_t size)
{
	struct stat st;
	return dirfd >= 0 && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

/* Its digest, not only its name: others write into such directories without care. */
static bool has_blob(int dirfd, const char *name, const struct descriptor *d)
{
	char block[1 << 14];
	struct sha256 sum;
	struct digest got;
	ssize_t n;
	_close_ int fd = has_file(dirfd, name, d->size)
				 ? openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
				 : -1;
	if (fd < 0)
		return false;
	sha256_begin(&sum);
	while ((n = fd_read(fd, block, sizeof block)) > 0)
		sha256_add(&sum, block, (size_t)n);
	sha256_end(&sum, got.b);
	return n == 0 && digest_eq(&got, &d->digest);
}

static int has(struct dest *base, const struct parcel *p, struct err *e)
{
	struct to_dir *t = (struct to_dir *)base;
	char hex[SHA256_HEX];
	(void)e;
	digest_hex(&p->desc->digest, hex);
	if (has_file(t->dir, hex, p->desc->size))
		return DEST_HAS;
	if (!has_blob(t->old, hex, p->desc) || linkat(t->old, hex, t->dir, hex, 0) < 0)
		return DEST_LACKS;
	return DEST_HAS;
}

static int blob(struct dest *base, const struct parcel *p, struct err *e)
{
	struct to_dir *t = (struct to_dir *)base;
	char hex[SHA256_HEX];
	return archive_stream(t->a, digest_hex(&p->desc->digest, hex), p->desc->size, parcel_pour,
			      (void *)p, e);
}

static int manifest(struct dest *base, const struct descriptor *d, struct slice text, bool top,
		    struct err *e)
{
	struct to_dir *t = (struct to_dir *)base;
	char hex[SHA256_HEX], name[SHA256_HEX + 16];
	(void)snprintf(name, sizeof name, "%s.manifest.json", digest_hex(&d->digest, hex));
	return archive_bytes(t->a, top ? "manifest.json" : name, text, e);
}

/* Where two directories cannot change places: for a moment there is none. */
static int replace_slowly(struct to_dir *t, struct err *e)
{
	char *aside = fs_temp_name(ARCHIVE_TEMP);
	if (renameat(t->parent, t->name, t->parent, aside) < 0 ||
	    renameat(t->parent, t->temp, t->parent, t->name) < 0) {
		free(aside);
		return err_sys(e, "name the directory '%s'", t->path);
	}
	str_set(&t->temp, aside);
	return 0;
}

static int finish(struct dest *base, const struct descriptor *top, struct err *e)
{
	struct to_dir *t = (struct to_dir *)base;
	(void)top;
	if (archive_bytes(t->a, "version", SL(VERSION), e) < 0)
		return -1;
	if (t->old < 0) {
		if (renameat(t->parent, t->temp, t->parent, t->name) < 0)
			return err_sys(e, "name the directory '%s'", t->path);
		free(take_ptr(&t->temp));
		return 0;
	}
	/* From then on `temp` holds what was there, and close takes it away. */
	if (renameat2(t->parent, t->temp, t->parent, t->name, RENAME_EXCHANGE) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS ? replace_slowly(t, e)
						  : err_sys(e, "name the directory '%s'", t->path);
}
static const struct dest_ops ops = { has, blob, manifest, finish, close_it, NULL };

/* Empty, or written by skopeo or us: 0. */
static int check_old(struct to_dir *t, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct walk_entry ent;
	if (fs_exists(t->old, "version") && fs_exists(t->old, "manifest.json") &&
	    fs_read(t->old, "version", 4096, &b, NULL) == 0 &&
	    slice_starts(buf_view(&b), SL("Directory Transport Version: ")))
		return 0;
	_cleanup_(walk_closep) struct walk *w = walk_open(t->old, ".", e);
	int r = walk_next(w, &ent, e);
	if (r <= 0)
		return r;
	err_set(e, ERR_USER, "'%s' is there, and is no directory of an image", t->path);
	return err_hint(e, "give a new directory");
}

static int begin(struct to_dir *t, struct err *e)
{
	_free_ char *real = realpath(t->path, NULL); /* through the user's own links */
	_free_ char *full = real ? str_dup(real) : path_clean(slice_of(t->path));
	_free_ char *above = slice_dup(path_dir(slice_of(full)));
	t->name = slice_dup(path_base(slice_of(full)));
	t->parent = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->parent < 0)
		return err_sys(e, "open the directory '%s'", above);
	if (real) {
		t->old = openat(t->parent, t->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (t->old < 0)
			return err_sys(e, "open '%s'", t->path);
		if (check_old(t, e) < 0)
			return -1;
	}
	t->temp = fs_temp_name(ARCHIVE_TEMP);
	if (mkdirat(t->parent, t->temp, 0755) < 0)
		return err_sys(e, "make a directory in '%s'", above);
	t->dir = openat(t->parent, t->temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dir < 0)
		return err_sys(e, "open a directory in '%s'", above);
	t->a = archive_to_dir(t->dir);
	return 0;
}

struct dest *dest_of_dir(const struct locator *l, struct err *e)
{
	struct to_dir *t = NEW(struct to_dir);
	t->base.ops = &ops;
	t->parent = t->dir = t->old = -1;
	t->path = str_dup(l->path);
	if (begin(t, e) == 0)
		return &t->base;
	close_it(&t->base);
	return NULL;
}
