/* SPDX-License-Identifier: Apache-2.0 */
/* OCI layouts: a directory that may hold images already, or an archive that is new. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/stream.h"
#include "image/archive.h"
#include "image/ocidir.h"
#include "image/outfile.h"
#include "image/dest.h"
#include "layer/entry.h"

#define NAME_LEN (SHA256_HEX + 16)

struct to_layout {
	struct dest base;
	struct ocidir dir; /* a directory; of an archive the index */
	struct outfile file;
	struct sink *sink;
	struct archive *a;
	struct map written; /* names in an archive */
	char *tag;
};

static void close_it(struct dest *base)
{
	struct to_layout *t = (struct to_layout *)base;
	archive_close(t->a);
	sink_close(t->sink);
	outfile_done(&t->file);
	ocidir_done(&t->dir);
	map_done(&t->written);
	free(t->tag);
	free(t);
}

static void blob_name(const struct digest *d, char out[static NAME_LEN])
{
	char hex[SHA256_HEX];
	(void)snprintf(out, NAME_LEN, "blobs/sha256/%s", digest_hex(d, hex));
}

/* By its bytes, not only by its size: others write into layouts without care, and what a crash left may
 * have the right length and hold zeroes. What the index names is whole. */
static bool has_name(struct to_layout *t, const struct descriptor *d)
{
	char name[NAME_LEN];
	struct stat st;
	struct digest got;
	uint64_t size;
	blob_name(&d->digest, name);
	if (t->dir.dirfd < 0)
		return map_has(&t->written, slice_of(name));
	_close_ int fd = openat(t->dir.dirfd, name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == d->size && entry_digest_fd(fd, &size, &got, NULL) == 0 &&
	       digest_eq(&got, &d->digest);
}

static int has(struct dest *base, const struct parcel *p, struct err *e)
{
	(void)e;
	return has_name((struct to_layout *)base, p->desc) ? DEST_HAS : DEST_LACKS;
}

static int blob(struct dest *base, const struct parcel *p, struct err *e)
{
	struct to_layout *t = (struct to_layout *)base;
	char name[NAME_LEN];
	blob_name(&p->desc->digest, name);
	map_put(&t->written, slice_of(name), t);
	return archive_stream(t->a, name, p->desc->size, parcel_pour, (void *)p, e);
}

static int manifest(struct dest *base, const struct descriptor *d, struct slice text, bool top,
		    struct err *e)
{
	struct to_layout *t = (struct to_layout *)base;
	char name[NAME_LEN];
	(void)top;
	if (has_name(t, d))
		return 0;
	blob_name(&d->digest, name);
	map_put(&t->written, slice_of(name), t);
	return archive_bytes(t->a, name, text, e);
}

static void add_top(struct to_layout *t, const struct descriptor *top)
{
	struct descriptor d = { 0 };
	descriptor_copy(&d, top);
	if (t->tag) {
		if (!d.annotations)
			d.annotations = json_object();
		json_object_set_new(d.annotations, OCIDIR_NAME_OCI, json_string(t->tag));
	}
	ocidir_add(&t->dir.index, d);
}

static int finish_archive(struct to_layout *t, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	t->dir.index.media_type = str_dup(MT_OCI_INDEX);
	image_index_write(&t->dir.index, &b);
	if (archive_bytes(t->a, "index.json", buf_view(&b), e) < 0 ||
	    archive_bytes(t->a, "oci-layout", SL("{\"imageLayoutVersion\":\"1.0.0\"}"), e) < 0 ||
	    archive_end(t->a, e) < 0 || sink_finish(t->sink, e) < 0)
		return -1;
	return outfile_finish(&t->file, e);
}

static int finish(struct dest *base, const struct descriptor *top, struct err *e)
{
	struct to_layout *t = (struct to_layout *)base;
	add_top(t, top);
	return t->sink ? finish_archive(t, e) : ocidir_finish(&t->dir, e);
}
static const struct dest_ops ops = { has, blob, manifest, finish, close_it, NULL };

static struct to_layout *begin(const struct locator *l)
{
	struct to_layout *t = NEW(struct to_layout);
	t->base = (struct dest){ .ops = &ops, .prefers_oci = true, .packs = true };
	t->dir = (struct ocidir)OCIDIR_INIT;
	t->file = (struct outfile)OUTFILE_INIT;
	t->tag = str_dup(l->tag);
	return t;
}

struct dest *dest_of_layout(const struct locator *l, struct err *e)
{
	struct to_layout *t = begin(l);
	if (ocidir_open(&t->dir, l->path, e) == 0) {
		t->a = archive_to_dir(t->dir.dirfd);
		if (archive_dir(t->a, "blobs/sha256", e) == 0)
			return &t->base;
	}
	close_it(&t->base);
	return NULL;
}

struct dest *dest_of_archive(const struct locator *l, struct err *e)
{
	struct to_layout *t = begin(l);
	if (outfile_open(&t->file, l->path, e) == 0) {
		t->base.serial = true;
		t->sink = sink_fd(t->file.fd);
		t->a = archive_to_tar(t->sink);
		if (archive_dir(t->a, "blobs", e) == 0 && archive_dir(t->a, "blobs/sha256", e) == 0)
			return &t->base;
	}
	close_it(&t->base);
	return NULL;
}
