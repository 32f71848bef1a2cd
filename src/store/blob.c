/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/stream.h"
#include "layer/entry.h"
#include "oci/manifest.h"
#include "store/internal.h"

const char *blob_path(const struct digest *d, char out[static BLOB_PATH])
{
	char hex[SHA256_HEX];
	(void)snprintf(out, BLOB_PATH, "blobs/sha256/%s", digest_hex(d, hex));
	return out;
}

static int use(struct store *s, const struct digest *d, struct err *e)
{
	char hex[SHA256_HEX];
	return lease_use(s, STORE_BLOB, digest_hex(d, hex), e);
}

bool blob_has(struct store *s, const struct digest *d)
{
	char path[BLOB_PATH];
	if (gate_enter(s, false, NULL) < 0)
		return false;
	bool has = use(s, d, NULL) == 0 &&
		   faccessat(s->fd, blob_path(d, path), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	gate_leave(s);
	return has;
}

static int absent(const struct digest *d, struct err *e)
{
	char text[DIGEST_LEN];
	return err_set(e, ERR_ABSENT, "blob %s is not in the store", digest_text(d, text));
}

int blob_open(struct store *s, const struct digest *d, uint64_t *size, struct err *e)
{
	char path[BLOB_PATH];
	struct stat st;
	_close_ int fd = openat(s->fd, blob_path(d, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return absent(d, e);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open '%s/%s'", s->path, path);
	if (size)
		*size = (uint64_t)st.st_size;
	return take_fd(&fd);
}

static int damaged(const struct digest *d, struct err *e)
{
	char text[DIGEST_LEN];
	err_set(e, ERR_DATA, "blob %s in the store is damaged", digest_text(d, text));
	return err_hint(e, "build, load or pull the image again: the blob is then written anew");
}

int blob_peek(struct store *s, const struct digest *d, struct buf *out, struct err *e)
{
	char path[BLOB_PATH];
	size_t at = out->len;
	int r = store_read(s, blob_path(d, path), MANIFEST_MAX, out, e);
	if (r != 1)
		return r;
	struct digest got;
	digest_of((struct slice){ out->p + at, out->len - at }, &got);
	if (digest_eq(&got, d))
		return 1;
	return damaged(d, e);
}

int blob_check(struct store *s, const struct digest *d, struct err *e)
{
	char path[BLOB_PATH];
	uint64_t size;
	struct digest got;
	_close_ int fd = blob_open(s, d, NULL, e);
	if (fd < 0 || entry_digest_fd(fd, &size, &got, e) < 0)
		return -1;
	if (digest_eq(&got, d))
		return 0;
	(void)unlinkat(s->fd, blob_path(d, path), 0);
	return damaged(d, e);
}

int blob_read(struct store *s, const struct digest *d, struct buf *out, struct err *e)
{
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = use(s, d, e);
	gate_leave(s);
	if (r == 0)
		r = blob_peek(s, d, out, e);
	return r == 0 ? absent(d, e) : r < 0 ? -1 : 0;
}

/* Over what is there already: the same bytes, unless a crash damaged them. */
static int publish(struct store *s, int dirfd, const char *name, const struct digest *d,
		   struct err *e)
{
	char path[BLOB_PATH];
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = use(s, d, e);
	if (r == 0 && renameat(dirfd, name, s->fd, blob_path(d, path)) < 0)
		r = err_sys(e, "write '%s/%s'", s->path, path);
	gate_leave(s);
	return r;
}

int blob_put(struct store *s, struct slice bytes, struct digest *out, struct err *e)
{
	struct digest d;
	digest_of(bytes, &d);
	if (blob_has(s, &d)) {
		_cleanup_(buf_done) struct buf old = { 0 };
		if (blob_peek(s, &d, &old, NULL) == 1) {
			*out = d;
			return 0;
		}
	}
	char path[BLOB_PATH];
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = use(s, &d, e);
	if (r == 0)
		r = store_write(s, blob_path(&d, path), bytes, true, e);
	gate_leave(s);
	if (r == 0)
		*out = d;
	return r;
}

struct blob_writer {
	struct store *store;
	char *tmp;
	int fd;
	struct sha256 sum;
	uint64_t size;
	struct sink *file, *sink;
};

struct blob_writer *blob_begin(struct store *s, struct err *e)
{
	struct blob_writer *w = NEW(struct blob_writer);
	w->store = s;
	w->fd = -1;
	w->tmp = store_tmp_name(s, e);
	if (w->tmp)
		w->fd = openat(s->fd, w->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w->tmp && w->fd < 0)
		err_sys(e, "make a file in '%s/tmp'", s->path);
	if (w->fd < 0) {
		free(take_ptr(&w->tmp));
		blob_abort(w);
		return NULL;
	}
	w->file = sink_fd(w->fd);
	sha256_begin(&w->sum);
	w->sink = sink_hash(w->file, &w->sum, &w->size);
	return w;
}

struct sink *blob_sink(struct blob_writer *w)
{
	return w->sink;
}

static int finish(struct blob_writer *w, const struct digest *want, struct digest *got,
		  struct err *e)
{
	if (sink_finish(w->sink, e) < 0 || sink_finish(w->file, e) < 0)
		return -1;
	sha256_end(&w->sum, got->b);
	if (!want || digest_eq(want, got))
		return 0;
	char a[DIGEST_LEN], b[DIGEST_LEN];
	return err_set(e, ERR_DATA, "the bytes have digest %s, not %s", digest_text(got, a),
		       digest_text(want, b));
}

int blob_commit(struct blob_writer *w, const struct digest *want, struct digest *got,
		uint64_t *size, struct err *e)
{
	struct digest d;
	int r = finish(w, want, &d, e);
	if (r == 0)
		r = publish(w->store, w->store->fd, w->tmp, &d, e);
	if (r == 0) {
		free(take_ptr(&w->tmp));
		if (got)
			*got = d;
		if (size)
			*size = w->size;
	}
	blob_abort(w);
	return r;
}

void blob_abort(struct blob_writer *w)
{
	if (!w)
		return;
	sink_close(w->sink);
	sink_close(w->file);
	if (w->tmp)
		(void)unlinkat(w->store->fd, w->tmp, 0);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w->tmp);
	free(w);
}

int blob_adopt(struct store *s, int dirfd, const char *name, const struct digest *d, struct err *e)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat '%s'", name);
	/* A second link would let its bytes be changed later under the blob's name. */
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return err_set(e, ERR_DATA, "'%s' is not a plain file", name);
	if (fchownat(dirfd, name, geteuid(), getegid(), AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(dirfd, name, 0600, 0) < 0)
		return err_sys(e, "take over '%s'", name);
	return publish(s, dirfd, name, d, e);
}
