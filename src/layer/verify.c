/* SPDX-License-Identifier: Apache-2.0 */
/* layer/verify.c: is this tree what its index says? Asked once after a reboot (design.md §4). */
#include "base/err.h"
#include "base/fs.h"
#include "base/walk.h"
#include "layer/entry.h"
#include "layer/tree.h"
#include <errno.h>
#include <fcntl.h>

/* An id of 0 may stand for one that could not be set (tree_opts.uid_max). */
static bool id_fits(uint32_t want, uint32_t have)
{
	return have == want || have == 0;
}

static bool has_xattr(const struct entry *ent, const struct xattr *want)
{
	for (size_t i = 0; i < ent->xattrs_n; i++) {
		const struct xattr *x = &ent->xattrs[i];
		if (strcmp(x->name, want->name) == 0)
			return x->len == want->len &&
			       (x->len == 0 || memcmp(x->value, want->value, x->len) == 0);
	}
	return false;
}

static int check_meta(const struct entry *want, const struct entry *have, struct err *e)
{
	if (want->type == ENTRY_SYMLINK && strcmp(want->link, have->link) != 0)
		return err_set(e, ERR_DATA, "the link leads to '%s' and not to '%s'", have->link,
			       want->link);
	if (want->type != ENTRY_SYMLINK && want->mode != have->mode)
		return err_set(e, ERR_DATA, "its mode is %04o and not %04o", have->mode,
			       want->mode);
	if (!id_fits(want->uid, have->uid) || !id_fits(want->gid, have->gid))
		return err_set(e, ERR_DATA, "its owner is %u:%u and not %u:%u", have->uid,
			       have->gid, want->uid, want->gid);
	if (*want->path && (want->mtime != have->mtime || want->mtime_ns != have->mtime_ns))
		return err_set(e, ERR_DATA, "its time differs");
	for (size_t i = 0; i < have->xattrs_n; i++)
		if (!has_xattr(want, &have->xattrs[i]))
			return err_set(e, ERR_DATA, "its attribute %s differs",
				       have->xattrs[i].name);
	for (size_t i = 0; i < want->xattrs_n; i++)
		if (strcmp(want->xattrs[i].name, "security.capability") == 0 &&
		    !has_xattr(have, &want->xattrs[i]))
			return err_set(e, ERR_DATA, "its capabilities are lost");
	return 0;
}

static int check_type(const struct entry *want, const struct entry *have, struct err *e)
{
	bool device = want->type == ENTRY_CHAR || want->type == ENTRY_BLOCK;
	if (device && have->type == ENTRY_FILE && have->size == 0)
		return 0;
	if (want->type != have->type)
		return err_set(e, ERR_DATA, "it is a %s and not a %s", entry_type_name(have->type),
			       entry_type_name(want->type));
	if (device && (want->major != have->major || want->minor != have->minor))
		return err_set(e, ERR_DATA, "it is another device");
	if (want->type == ENTRY_FILE && want->size != have->size)
		return err_set(e, ERR_DATA, "it has %llu bytes and not %llu",
			       (unsigned long long)have->size, (unsigned long long)want->size);
	return 0;
}

static int check_content(const struct entry *want, int dirfd, const char *name, struct err *e)
{
	struct digest d;
	if (want->type != ENTRY_FILE)
		return 0;
	if (!want->has_digest)
		return err_set(e, ERR_DATA, "its content digest is not known");
	if (entry_digest(dirfd, name, &d, e) < 0)
		return -1;
	return digest_eq(&d, &want->digest) ? 0 : err_set(e, ERR_DATA, "its content differs");
}

static int check_entry(const struct entry *want, int dirfd, const char *name, const struct stat *st,
		       struct err *e)
{
	struct arena arena = { 0 };
	struct entry have = { 0 };
	int r = 0;
	if (want->type == ENTRY_WHITEOUT) {
		if (!S_ISCHR(st->st_mode) || st->st_rdev != 0)
			r = err_set(e, ERR_DATA, "the mark of its deletion is gone");
		return r;
	}
	struct overlay_marks marks;
	if (entry_read(&arena, dirfd, name, st, &have, &marks, e) < 0 ||
	    check_type(want, &have, e) < 0 || check_meta(want, &have, e) < 0 ||
	    check_content(want, dirfd, name, e) < 0)
		r = -1;
	else if (*want->path && want->type == ENTRY_DIR &&
		 want->opaque != (marks.opaque_trusted || marks.opaque_user))
		r = err_set(e, ERR_DATA, "its mark as a replaced directory differs");
	arena_done(&arena);
	return r;
}

static int check_root(int treefd, const struct entry *want, struct err *e)
{
	struct stat st;
	if (fstat(treefd, &st) < 0)
		return err_sys(e, "look at the tree");
	return check_entry(want, treefd, ".", &st, e) < 0 ? err_add(e, "'/'") : 0;
}

int tree_verify(int treefd, const struct index *x, struct err *e)
{
	size_t at = 0;
	if (x->entries.n && !*x->entries.p[0].path &&
	    check_root(treefd, &x->entries.p[at++], e) < 0)
		return -1;
	_cleanup_(walk_closep) struct walk *w = walk_open(treefd, ".", e);
	struct walk_entry ent;
	int r;
	while ((r = walk_next(w, &ent, e)) > 0) {
		const struct entry *want = at < x->entries.n ? &x->entries.p[at] : NULL;
		int order = want ? index_path_cmp(want->path, ent.path) : 1;
		if (order > 0)
			return err_set(e, ERR_DATA, "'/%s' should not be there", ent.path);
		if (order < 0)
			break;
		if (check_entry(want, ent.dirfd, ent.name, &ent.st, e) < 0)
			return err_add(e, "'/%s'", want->path);
		at++;
	}
	if (r < 0)
		return -1;
	if (at < x->entries.n)
		return err_set(e, ERR_DATA, "'/%s' is missing in the tree", x->entries.p[at].path);
	return 0;
}
