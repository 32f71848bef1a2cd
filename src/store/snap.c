/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots. Trees are not fsynced. In the boot in which a snapshot was made the page cache is
 * right whatever the disk holds; in a later one it is compared with its index before its first use
 * and then marked: what could be read after a boot is on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/stream.h"
#include "store/record.h"

#define SNAP_ID_DIGITS 8
#define TREE_MISSING   "its tree is missing"
#define DIFF_KIND      "diff" /* cache records: diff id -> snapshot */

bool snap_id_ok(const char *id)
{
	size_t n = 0;
	for (; id[n]; n++)
		if (n == SNAP_ID_DIGITS ||
		    !((id[n] >= 'a' && id[n] <= 'z') || (id[n] >= '2' && id[n] <= '7')))
			return false;
	return n == SNAP_ID_DIGITS;
}

const char *snap_tree_path(const char *id, char out[static SNAP_PATH])
{
	(void)snprintf(out, SNAP_PATH, "snapshots/%s/tree", id);
	return out;
}

/* ---- in the making ---- */

static void remove_tmp(struct store *s, const char *name)
{
	if (store_discard(s, name, NULL) < 0)
		log_debug("cannot remove %s; a later run sweeps it", name);
}

int snap_begin(struct store *s, struct snap_draft *d, struct err *e)
{
	_close_ int dir = -1;
	_free_ char *name = store_tmp_dir(s, &dir, e);
	if (!name)
		return err_add(e, "begin a layer");
	/* overlay shows the upper directory's own mode as that of "/" */
	if (mkdirat(dir, "tree", 0755) < 0 || fchmodat(dir, "tree", 0755, 0) < 0) {
		err_sys(e, "make '%s/%s/tree'", s->path, name);
		remove_tmp(s, name);
		return -1;
	}
	int tree = openat(dir, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0) {
		err_sys(e, "open '%s/%s/tree'", s->path, name);
		remove_tmp(s, name);
		return -1;
	}
	*d = (struct snap_draft){ .name = take_ptr(&name), .dirfd = take_fd(&dir), .treefd = tree };
	return 0;
}

static void draft_close(struct snap_draft *d)
{
	if (d->dirfd >= 0)
		(void)close(d->dirfd);
	if (d->treefd >= 0)
		(void)close(d->treefd);
	free(d->name);
	*d = (struct snap_draft)SNAP_DRAFT_INIT;
}

void snap_abort(struct store *s, struct snap_draft *d)
{
	if (d->name)
		remove_tmp(s, d->name);
	draft_close(d);
}

/* `fresh`: into a draft, where there is none. */
static int write_index(struct store *s, const char *at, const struct index *x, bool fresh,
		       bool sync, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { .max = INDEX_MAX };
	index_write(x, &b);
	if (buf_check(&b, "the index of a layer", e) < 0)
		return -1;
	_free_ char *path = str_printf("%s/index", at);
	return fresh ? store_write_new(s, path, buf_view(&b), sync, e)
		     : store_write(s, path, buf_view(&b), sync, e);
}

static int map_diff_id(struct store *s, const struct digest *diff_id, const char *id, struct err *e)
{
	return cache_put(s, DIFF_KIND, diff_id, slice_of(id), e);
}

/* Renames the draft to a free id, claimed before it can be seen. */
static int publish(struct store *s, struct snap_draft *d, char id[static SNAP_ID], struct err *e)
{
	for (int tries = 0; tries < 16; tries++) {
		_free_ char *random = fs_temp_name("");
		random[SNAP_ID_DIGITS] = '\0';
		_free_ char *path = str_printf("snapshots/%s", random);
		if (lease_use(s, STORE_SNAPSHOT, random, e) < 0)
			return -1;
		if (renameat2(s->fd, d->name, s->fd, path, RENAME_NOREPLACE) == 0) {
			memcpy(id, random, SNAP_ID_DIGITS + 1);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return err_sys(e, "move '%s/%s' to its place", s->path, d->name);
}

int snap_commit(struct store *s, struct snap_draft *d, const struct index *x,
		const struct digest *diff_id, char id[static SNAP_ID], struct err *e)
{
	if (diff_id && snap_by_diff_id(s, diff_id, id) == 1) {
		snap_abort(s, d);
		return 0;
	}
	struct snap_record rec = {
		.boot = s->boot,
		.size = index_size(x),
		.complete = index_is_complete(x),
		.foreign = diff_id && d->foreign,
	};
	if (diff_id) {
		rec.diff_id = *diff_id;
		rec.tar_size = d->tar_size;
	}
	_free_ char *work = str_printf("%s/work", d->name);
	if (store_discard(s, work, e) < 0 || write_index(s, d->name, x, true, false, e) < 0 ||
	    snap_record_write_new(s, d->name, &rec, e) < 0)
		return err_add(e, "write a layer");
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = publish(s, d, id, e);
	gate_leave(s);
	if (r < 0)
		return err_add(e, "write a layer");
	draft_close(d);
	return diff_id ? map_diff_id(s, diff_id, id, e) : 0;
}

/* ---- is it what it was? ---- */

static int read_index(struct store *s, const char *id, struct index *out, struct err *e)
{
	_free_ char *path = str_printf("snapshots/%s/index", id);
	_cleanup_(buf_done) struct buf b = { 0 };
	int r = store_read(s, path, INDEX_MAX, &b, e);
	if (r == 0)
		r = err_set(e, ERR_DATA, "the index of snapshot '%s' is missing", id);
	if (r < 0)
		return -1;
	if (index_read(buf_view(&b), out, e) < 0)
		return err_add(e, "read the index of snapshot '%s'", id);
	return 0;
}

static bool is_trusted(struct store *s, const struct snap_record *rec)
{
	return rec->on_disk || strcmp(rec->boot, s->boot) == 0;
}

/* A user outside of the namespace sees other owners than the index has, and cannot read all: what
 * would be found there is no damage. */
static int enter_to_verify(struct store *s, const char *id, struct err *e)
{
	if (!s->user || geteuid() == 0)
		return 0;
	if (s->enter)
		return s->enter(e) < 0 ? err_add(e, "check snapshot '%s' after a reboot", id) : 0;
	return err_set(e, ERR_DENIED, "snapshot '%s' can be checked only in the user namespace", id);
}

static int damaged(const char *id, const char *what, struct err *e)
{
	err_set(e, ERR_DATA, "snapshot '%s' is damaged: %s", id, what);
	return err_hint(
		e,
		"the machine stopped before it was on disk, or the disk is failing; build, load, "
		"pull or import the image again");
}

/* Writes down that it is damaged, and says so. */
static int mark_damaged(struct store *s, const char *id, struct snap_record *rec, const char *why,
			struct err *e)
{
	_free_ char *at = str_printf("snapshots/%s", id);
	str_set(&rec->damaged, str_dup(why));
	if (snap_record_write(s, at, rec, NULL) < 0 ||
	    store_write(s, STORE_DAMAGED, slice_of(id), false, NULL) < 0)
		log_debug("cannot mark %s as damaged", id);
	return damaged(id, why, e);
}

int snap_set_damaged(struct store *s, const char *id, const char *why, struct err *e)
{
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	if (snap_record_read(s, id, &rec, NULL) != 1)
		return damaged(id, why, e);
	return mark_damaged(s, id, &rec, why, e);
}

/* Compares tree and index; afterwards the snapshot is marked, one way or the other. An error that is
 * not about its content (no permission, no memory) marks nothing. */
static int verify(struct store *s, const char *id, int treefd, struct snap_record *rec,
		  struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	_cleanup_(index_done) struct index x;
	index_init(&x);
	log_debug("verify snapshot %s", id);
	int r = read_index(s, id, &x, &why);
	if (r == 0 && !index_is_complete(&x))
		r = err_set(&why, ERR_DATA, "it has no digests to check it by");
	if (r == 0)
		r = tree_verify(treefd, &x, &why);
	if (r < 0 && why.kind == ERR_DATA) {
		_cleanup_(buf_done) struct buf line = { 0 };
		err_line(&why, &line);
		return mark_damaged(s, id, rec, line.p ? line.p : "", e);
	}
	if (r < 0) {
		if (e)
			err_move(e, &why);
		return err_add(e, "check snapshot '%s' after a reboot", id);
	}
	_free_ char *at = str_printf("snapshots/%s", id);
	rec->on_disk = true;
	return snap_record_write(s, at, rec, e);
}

/* ---- in use ---- */

void snap_close(struct snap *sn)
{
	if (!sn)
		return;
	if (sn->dirfd >= 0)
		(void)close(sn->dirfd);
	if (sn->treefd >= 0)
		(void)close(sn->treefd);
	free(sn->blob.media_type);
	if (sn->ready)
		index_done(&sn->index);
	*sn = (struct snap)SNAP_INIT;
}

static int absent(const char *id, struct err *e)
{
	return err_set(e, ERR_ABSENT, "there is no snapshot '%s' in the store", id);
}

static void copy_record(const struct snap_record *r, struct snap_record *out)
{
	*out = *r;
	out->boot = str_dup(r->boot);
	out->damaged = NULL;
	out->blob.media_type = r->blob.media_type ? str_dup(r->blob.media_type) : NULL;
}

/* Nothing that matters to whoever uses the snapshot changes in it any more. */
static bool is_settled(struct store *s, const struct snap_record *r)
{
	return r->complete && !r->damaged && is_trusted(s, r);
}

/* Claims it, then reads its record: 1, 0 absent, -1. A settled one is read once a process, since
 * the lease keeps its snapshot; snap_record_write makes us forget it. */
static int claim(struct store *s, const char *id, struct snap_record *rec, struct err *e)
{
	if (!snap_id_ok(id))
		return err_set(e, ERR_USER, "'%s' is not the id of a snapshot", id);
	const struct snap_record *known = map_get(&s->records, slice_of(id));
	if (known) {
		copy_record(known, rec);
		return 1;
	}
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = lease_use(s, STORE_SNAPSHOT, id, e);
	if (r == 0)
		r = snap_record_read(s, id, rec, e);
	gate_leave(s);
	if (r == 1 && is_settled(s, rec)) {
		struct snap_record *copy = NEW(struct snap_record);
		copy_record(rec, copy);
		map_put(&s->records, slice_of(id), copy);
	}
	return r;
}

/* The record's facts move into out. */
static void fill(struct snap *out, const char *id, struct snap_record *rec)
{
	*out = (struct snap)SNAP_INIT;
	memcpy(out->id, id, SNAP_ID_DIGITS + 1);
	out->diff_id = rec->diff_id;
	out->tar_size = rec->tar_size;
	out->size = rec->size;
	out->foreign = rec->foreign;
	out->blob = rec->blob;
	rec->blob.media_type = NULL;
}

int snap_info(struct store *s, const char *id, struct snap *out, struct err *e)
{
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	int r = claim(s, id, &rec, e);
	if (r <= 0)
		return r < 0 ? -1 : absent(id, e);
	fill(out, id, &rec);
	return 0;
}

/* A user who has not entered the namespace may know the tree of an image whose "/" is closed only
 * by O_PATH; enough for everything but reading the directory itself. */
static int open_tree(int dirfd)
{
	int fd = openat(dirfd, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		fd = openat(dirfd, "tree", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

int snap_open(struct store *s, const char *id, struct snap *out, struct err *e)
{
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	int r = claim(s, id, &rec, e);
	if (r <= 0)
		return r < 0 ? -1 : absent(id, e);
	if (rec.damaged)
		return damaged(id, rec.damaged, e);
	if (!is_trusted(s, &rec) && enter_to_verify(s, id, e) < 0)
		return -1;
	_free_ char *path = str_printf("snapshots/%s", id);
	_close_ int dir = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_close_ int tree = dir < 0 ? -1 : open_tree(dir);
	if (dir >= 0 && tree < 0 && (errno == ENOENT || errno == ENOTDIR))
		return mark_damaged(s, id, &rec, TREE_MISSING, e);
	if (tree < 0)
		return err_sys(e, "open '%s/%s/tree'", s->path, path);
	if (!is_trusted(s, &rec) && verify(s, id, tree, &rec, e) < 0)
		return -1;
	fill(out, id, &rec);
	out->dirfd = take_fd(&dir);
	out->treefd = take_fd(&tree);
	return 0;
}

int snap_load_index(struct store *s, struct snap *sn, struct err *e)
{
	if (sn->ready)
		return 0;
	struct index x;
	index_init(&x);
	if (read_index(s, sn->id, &x, e) < 0) {
		index_done(&x);
		return -1;
	}
	sn->index = x;
	sn->ready = true;
	return 0;
}

int snap_file(const struct snap *sn, const char *path, struct err *e)
{
	/* Non-blocking: should something else lie there than the index says, opening must not wait. */
	_close_ int fd = root_open(sn->treefd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
				   e);
	struct stat st;
	if (fd < 0)
		return err_add(e, "open '/%s' in the image", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat '/%s' in the image", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_DATA, "'/%s' in the image is not a regular file", path);
	return take_fd(&fd);
}

bool snap_exists(struct store *s, const char *id)
{
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	if (claim(s, id, &rec, NULL) != 1 || rec.damaged)
		return false;
	if (is_trusted(s, &rec))
		return true;
	_cleanup_(err_done) struct err why = { 0 };
	if (enter_to_verify(s, id, &why) < 0)
		return rec.complete; /* snap_open verifies it, or says why not */
	_free_ char *path = str_printf("snapshots/%s/tree", id);
	_close_ int tree = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree < 0 && (errno == ENOENT || errno == ENOTDIR))
		return mark_damaged(s, id, &rec, TREE_MISSING, NULL) == 0;
	return tree >= 0 && verify(s, id, tree, &rec, NULL) == 0;
}

int snap_set_blob(struct store *s, const char *id, const struct digest *blob, uint64_t size,
		  const char *media_type, struct err *e)
{
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	snap_record_forget(s, id); /* what others wrote into it since is to stay */
	int r = claim(s, id, &rec, e);
	if (r <= 0)
		return r < 0 ? -1 : absent(id, e);
	if (strpbrk(media_type, "\n"))
		return err_set(e, ERR_DATA, "a media type holds a line break");
	rec.blob.digest = *blob;
	rec.blob.size = size;
	str_set(&rec.blob.media_type, str_dup(media_type));
	_free_ char *at = str_printf("snapshots/%s", id);
	return snap_record_write(s, at, &rec, e);
}

/* ---- diff ids ---- */

int snap_by_diff_id(struct store *s, const struct digest *diff_id, char id[static SNAP_ID])
{
	_cleanup_(buf_done) struct buf b = { 0 };
	if (cache_get(s, DIFF_KIND, diff_id, &b, NULL) != 1 || b.len != SNAP_ID_DIGITS ||
	    !snap_exists(s, b.p))
		return 0;
	memcpy(id, b.p, SNAP_ID_DIGITS + 1);
	return 1;
}

int snap_scan_diff_id(struct store *s, const struct digest *diff_id, char id[static SNAP_ID])
{
	_cleanup_(strs_done) struct strs ids = { 0 };
	if (store_list(s, "snapshots", &ids, NULL) < 0)
		return 0;
	for (size_t i = 0; i < ids.n; i++) {
		_cleanup_(snap_record_done) struct snap_record rec = { 0 };
		if (!snap_id_ok(ids.p[i]) || snap_record_read(s, ids.p[i], &rec, NULL) != 1 ||
		    !digest_eq(&rec.diff_id, diff_id) || !snap_exists(s, ids.p[i]))
			continue;
		memcpy(id, ids.p[i], SNAP_ID_DIGITS + 1);
		if (map_diff_id(s, diff_id, id, NULL) < 0)
			log_debug("cannot map a diff id to %s", id);
		return 1;
	}
	return 0;
}

/* The diff id, and the content digests that are missing. */
static int sum_all(struct snap *sn, struct snap_record *rec, struct err *e)
{
	struct tree_stream sum;
	if (tree_sum(sn->treefd, &sn->index, &sum, e) < 0)
		return -1;
	rec->diff_id = sum.digest;
	rec->tar_size = sum.size;
	return 0;
}

static int complete(struct store *s, struct snap *sn, struct err *e)
{
	_free_ char *at = str_printf("snapshots/%s", sn->id);
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	if (snap_record_read(s, sn->id, &rec, e) != 1)
		return err_add(e, "complete snapshot '%s'", sn->id);
	if (snap_load_index(s, sn, e) < 0)
		return -1;
	bool had_all = index_is_complete(&sn->index);
	int r = digest_is_zero(&rec.diff_id) ? sum_all(sn, &rec, e)
		: had_all		     ? 0
					     : tree_digest(sn->treefd, &sn->index, e);
	if (r < 0 || (!had_all && write_index(s, at, &sn->index, false, rec.on_disk, e) < 0))
		return err_add(e, "find the digests of snapshot '%s'", sn->id);
	rec.complete = true;
	rec.size = index_size(&sn->index);
	if (snap_record_write(s, at, &rec, e) < 0)
		return -1;
	sn->diff_id = rec.diff_id;
	sn->tar_size = rec.tar_size;
	sn->size = rec.size;
	return 0;
}

int snap_complete(struct store *s, const char *id, struct digest *diff_id, uint64_t *tar_size,
		  struct err *e)
{
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	int r = claim(s, id, &rec, e);
	if (r <= 0)
		return r < 0 ? -1 : absent(id, e);
	/* The common case, all known, opens neither tree nor index. */
	if (!digest_is_zero(&rec.diff_id) && rec.complete && !rec.damaged && is_trusted(s, &rec)) {
		*diff_id = rec.diff_id;
		*tar_size = rec.tar_size;
		return 0;
	}
	_cleanup_(snap_close) struct snap sn = SNAP_INIT;
	if (snap_open(s, id, &sn, e) < 0)
		return -1;
	if ((digest_is_zero(&rec.diff_id) || !rec.complete) && complete(s, &sn, e) < 0)
		return -1;
	*diff_id = sn.diff_id;
	*tar_size = sn.tar_size;
	char other[SNAP_ID];
	if (snap_by_diff_id(s, &sn.diff_id, other) == 1)
		return 0;
	return map_diff_id(s, &sn.diff_id, id, e);
}
