/* SPDX-License-Identifier: Apache-2.0 */
#include "image/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "base/path.h"
#include "base/stream.h"
#include "layer/compress.h"
#include "layer/tar_read.h"

#define MEMBERS_MAX 200000
#define LINKS_MAX   8
#define HOLES_MAX   (16ull << 30) /* an archive holds them for nothing, hashing does not */

/* What else a large archive may be. */
#define IMPORT_HINT "for the files of a root file system use 'thimble import'"

/* A file of an archive. */
struct member {
	const char *link; /* key of what it stands for, or NULL */
	unsigned number; /* its name in the spool */
	uint64_t size;
	struct digest digest;
	bool is_blob; /* was handed to the store */
};

struct bundle {
	struct store *store;
	char *what;
	int dirfd; /* the layout, or the spool */
	char *spool; /* "tmp/…", NULL for a directory */
	struct map members;
	struct arena arena;
	uint64_t holes;
};

void bundle_close(struct bundle *b)
{
	if (!b)
		return;
	if (b->dirfd >= 0)
		(void)close(b->dirfd);
	if (b->spool && fs_remove(store_fd(b->store), b->spool, NULL) < 0)
		log_debug("cannot remove %s; a later run sweeps it", b->spool);
	map_done(&b->members);
	arena_done(&b->arena);
	free(b->spool);
	free(b->what);
	free(b);
}

struct bundle *bundle_from_dir(struct store *s, const char *path, const char *what, struct err *e)
{
	_cleanup_(bundle_closep) struct bundle *b = NEW(struct bundle);
	b->store = s;
	b->what = str_dup(what);
	b->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->dirfd < 0) {
		err_sys(e, "open '%s'", path);
		return NULL;
	}
	return take_ptr(&b);
}

/* ---- spooling ---- */

static int write_hole(int fd, uint64_t n, struct err *e)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	uint64_t end;
	if (at < 0 || __builtin_add_overflow((uint64_t)at, n, &end) || end > INT64_MAX ||
	    ftruncate(fd, (off_t)end) < 0 || lseek(fd, (off_t)end, SEEK_SET) < 0)
		return err_sys(e, "spool a file with holes");
	return 0;
}

static void hash_zeros(struct sha256 *sum, uint64_t n)
{
	static const char zeros[65536];
	while (n > 0) {
		size_t k = n < sizeof zeros ? (size_t)n : sizeof zeros;
		sha256_add(sum, zeros, k);
		n -= k;
	}
}

static int count_hole(struct bundle *b, uint64_t n, struct err *e)
{
	if (n <= HOLES_MAX && (b->holes += n) <= HOLES_MAX)
		return 0;
	err_set(e, ERR_DATA, "the archive's sparse files are larger than any image's");
	return err_hint(e, IMPORT_HINT);
}

static int spool_bytes(struct bundle *b, struct tar *t, int fd, struct member *m, struct err *e)
{
	struct sha256 sum;
	const void *p;
	uint64_t n;
	int r;
	sha256_begin(&sum);
	while ((r = tar_data(t, &p, &n, e)) > 0) {
		if (!p && count_hole(b, n, e) < 0)
			return -1;
		if (p)
			sha256_add(&sum, p, n);
		else
			hash_zeros(&sum, n);
		if ((p ? fd_write_all(fd, p, n, e) : write_hole(fd, n, e)) < 0)
			return -1;
		m->size += n;
	}
	sha256_end(&sum, m->digest.b);
	return r;
}

static int spool_file(struct bundle *b, struct tar *t, struct member *m, struct err *e)
{
	char name[16];
	m->number = (unsigned)b->members.n;
	(void)snprintf(name, sizeof name, "%u", m->number);
	_close_ int fd = openat(b->dirfd, name,
				O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "make a file in the store's tmp/");
	return spool_bytes(b, t, fd, m, e);
}

/* Symbolic links are relative to where they stand, hard links to the archive's root. */
static const char *link_key(struct bundle *b, const char *key, const struct tar_entry *ent)
{
	_free_ char *at = ent->type == TAR_SYMLINK
				  ? path_join(path_dir(slice_of(key)), slice_of(ent->link))
				  : str_dup(ent->link);
	_free_ char *to = path_key(slice_of(at));
	return arena_str(&b->arena, slice_of(to));
}

static int spool_member(struct bundle *b, struct tar *t, const struct tar_entry *ent, struct err *e)
{
	if (ent->type != TAR_FILE && ent->type != TAR_SYMLINK && ent->type != TAR_HARDLINK)
		return 0;
	if (b->members.n >= MEMBERS_MAX) {
		err_set(e, ERR_DATA,
			"the archive has more than %d files, so it is not one of images",
			MEMBERS_MAX);
		return err_hint(e, IMPORT_HINT);
	}
	_free_ char *key = path_key(slice_of(ent->path));
	struct member *m = ARENA_NEW(&b->arena, struct member);
	if (ent->type != TAR_FILE)
		m->link = link_key(b, key, ent);
	else if (spool_file(b, t, m, e) < 0)
		return -1;
	map_put(&b->members, slice_of(key),
		m); /* as when unpacking, the last one of a name counts */
	return 0;
}

static int spool_all(struct bundle *b, struct source *in, struct err *e)
{
	_cleanup_(tar_closep) struct tar *t = tar_open(in);
	struct tar_entry ent;
	int r;
	while ((r = tar_next(t, &ent, e)) > 0)
		if (spool_member(b, t, &ent, e) < 0)
			return err_add(e, "read '%s' in %s", ent.path, b->what);
	return r < 0 ? err_add(e, "read %s", b->what) : 0;
}

struct bundle *bundle_from_stream(struct store *s, struct source *in, const char *what,
				  struct err *e)
{
	_cleanup_(bundle_closep) struct bundle *b = NEW(struct bundle);
	b->store = s;
	b->dirfd = -1;
	b->what = str_dup(what);
	b->spool = store_tmp_dir(s, &b->dirfd, e);
	if (!b->spool || spool_all(b, in, e) < 0)
		return NULL;
	return take_ptr(&b);
}

static struct bundle *from_fd(struct store *s, int fd, const char *what, struct err *e)
{
	enum compression comp;
	_cleanup_(source_closep) struct source *file = source_fd(fd);
	_cleanup_(source_closep) struct source *plain = comp_source_auto(file, &comp, e);
	return plain ? bundle_from_stream(s, plain, what, e) : NULL;
}

struct bundle *bundle_from_path(struct store *s, int fd, const char *path, const char *what,
				struct err *e)
{
	if (!path)
		return from_fd(s, fd, what, e);
	struct stat st;
	_close_ int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) < 0) {
		err_sys(e, "open '%s'", path);
		return NULL;
	}
	return S_ISDIR(st.st_mode) ? bundle_from_dir(s, path, what, e) : from_fd(s, file, what, e);
}

/* ---- looking up ---- */

/* NULL if there is none, or only a link to nothing. */
static struct member *find(struct bundle *b, const char *name)
{
	struct member *m = map_get(&b->members, slice_of(name));
	for (int i = 0; m && m->link; i++)
		m = i < LINKS_MAX ? map_get(&b->members, slice_of(m->link)) : NULL;
	return m;
}

bool bundle_has(struct bundle *b, const char *name)
{
	if (b->spool)
		return find(b, name) != NULL;
	_close_ int fd = root_open(b->dirfd, name, O_PATH | O_CLOEXEC, NULL);
	return fd >= 0;
}

static int open_member(struct bundle *b, const struct member *m, struct err *e)
{
	char name[16];
	if (m->is_blob)
		return blob_open(b->store, &m->digest, NULL, e);
	(void)snprintf(name, sizeof name, "%u", m->number);
	int fd = openat(b->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(e, "open a spooled file") : fd;
}

static int missing(struct bundle *b, const char *name, struct err *e)
{
	return err_set(e, ERR_DATA, "%s has no '%s'", b->what, name);
}

int bundle_open(struct bundle *b, const char *name, uint64_t *size, struct err *e)
{
	_close_ int fd = -1;
	struct stat st;
	if (b->spool) {
		const struct member *m = find(b, name);
		if (!m)
			return missing(b, name, e);
		fd = open_member(b, m, e);
		if (fd < 0)
			return -1;
	} else {
		_cleanup_(err_done) struct err why = { 0 };
		/* Non-blocking, since it may be a fifo. */
		fd = root_open(b->dirfd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, &why);
		if (fd < 0 && (err_is_errno(&why, ENOENT) || why.kind == ERR_ABSENT))
			return missing(b, name, e);
		if (fd < 0) {
			if (e)
				err_move(e, &why);
			return err_add(e, "open '%s' in %s", name, b->what);
		}
	}
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_DATA, "'%s' in %s is not a regular file", name, b->what);
	if (size)
		*size = (uint64_t)st.st_size;
	return take_fd(&fd);
}

int bundle_read(struct bundle *b, const char *name, size_t max, struct buf *out, struct err *e)
{
	_close_ int fd = bundle_open(b, name, NULL, e);
	if (fd < 0)
		return -1;
	out->max = out->len + max;
	return fd_slurp(fd, out, name, e) < 0 ? err_add(e, "read %s", b->what) : 0;
}

/* Reads all of fd; `to` may be NULL. */
static int pump(int fd, struct sink *to, struct digest *out, struct err *e)
{
	_cleanup_(source_closep) struct source *in = source_fd(fd);
	_free_ char *block = mem_alloc(1 << 16);
	struct sha256 sum;
	ssize_t n;
	sha256_begin(&sum);
	while ((n = source_read(in, block, 1 << 16, e)) > 0) {
		sha256_add(&sum, block, (size_t)n);
		if (to && sink_write(to, block, (size_t)n, e) < 0)
			return -1;
	}
	sha256_end(&sum, out->b);
	return n < 0 ? -1 : 0;
}

int bundle_digest(struct bundle *b, const char *name, struct digest *out, struct err *e)
{
	if (b->spool) {
		const struct member *m = find(b, name);
		if (!m)
			return missing(b, name, e);
		*out = m->digest;
		return 0;
	}
	_close_ int fd = bundle_open(b, name, NULL, e);
	if (fd < 0)
		return -1;
	return pump(fd, NULL, out, e) < 0 ? err_add(e, "read '%s' in %s", name, b->what) : 0;
}

static int spool_to_blob(struct bundle *b, const char *name, const struct digest *want,
			 struct err *e)
{
	struct member *m = find(b, name);
	char number[16], got_text[DIGEST_LEN], want_text[DIGEST_LEN];
	if (!m)
		return missing(b, name, e);
	if (!digest_eq(&m->digest, want))
		return err_set(e, ERR_DATA, "'%s' in %s has digest %s, not %s", name, b->what,
			       digest_text(&m->digest, got_text), digest_text(want, want_text));
	(void)snprintf(number, sizeof number, "%u", m->number);
	if (!m->is_blob && blob_adopt(b->store, b->dirfd, number, want, e) < 0)
		return -1;
	m->is_blob = true;
	return 0;
}

int bundle_to_blob(struct bundle *b, const char *name, const struct digest *want, struct err *e)
{
	if (b->spool)
		return spool_to_blob(b, name, want, e);
	_close_ int fd = bundle_open(b, name, NULL, e);
	struct digest got;
	if (fd < 0)
		return -1;
	struct blob_writer *w = blob_begin(b->store, e);
	if (!w)
		return -1;
	if (pump(fd, blob_sink(w), &got, e) < 0) {
		blob_abort(w);
		return err_add(e, "read '%s' in %s", name, b->what);
	}
	if (blob_commit(w, want, NULL, NULL, e) < 0)
		return err_add(e, "'%s' in %s", name, b->what);
	return 0;
}
