/* SPDX-License-Identifier: Apache-2.0 */
/* layer/entry.c: files of a tree read as entries. */
#include "layer/entry.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/num.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/sysmacros.h>

const char *entry_type_name(enum entry_type t)
{
	static const char *const names[] = {
		[ENTRY_FILE] = "file",
		[ENTRY_DIR] = "directory",
		[ENTRY_SYMLINK] = "symbolic link",
		[ENTRY_CHAR] = "character device",
		[ENTRY_BLOCK] = "block device",
		[ENTRY_FIFO] = "fifo",
		[ENTRY_WHITEOUT] = "whiteout",
	};
	return (size_t)t < COUNT_OF(names) ? names[t] : "unknown thing";
}

static const char *overlay_rest(const char *name)
{
	static const struct slice own[] = { SL("trusted.overlay."), SL("user.overlay.") };
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (strncmp(name, own[i].p, own[i].n) == 0)
			return name + own[i].n;
	return NULL;
}

bool xattr_is_hosts(const char *name)
{
	return strcmp(name, "security.selinux") == 0;
}

bool xattr_is_overlay(const char *name)
{
	return overlay_rest(name) != NULL;
}

void xattr_cap_to_v2(struct xattr *x)
{
	if (strcmp(x->name, "security.capability") != 0 || x->len != XATTR_CAPS_SZ_3)
		return;
	uint32_t magic = le32_at(x->value);
	if ((magic & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3)
		return;
	magic = VFS_CAP_REVISION_2 | (magic & VFS_CAP_FLAGS_MASK);
	for (int i = 0; i < 4; i++)
		x->value[i] = (char)(magic >> (8 * i));
	x->len = XATTR_CAPS_SZ_2;
}

static void note_mark(struct overlay_marks *m, const struct xattr *x, const char *rest)
{
	bool user = x->name[0] == 'u';
	if (strcmp(rest, "opaque") == 0 && x->len == 1 && x->value[0] == 'y')
		*(user ? &m->opaque_user : &m->opaque_trusted) = true;
	else if (strcmp(rest, "redirect") == 0)
		m->redirect = true;
	else if (strcmp(rest, "metacopy") == 0)
		m->metacopy = true;
}

static int xattr_cmp(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

static int read_xattrs(struct arena *a, int dirfd, const char *name, struct entry *out,
		       struct overlay_marks *marks, struct err *e)
{
	_cleanup_(xattrs_done) struct xattrs all = { 0 };
	if (xattrs_read(dirfd, name, &all, e) < 0)
		return -1;
	if (all.n == 0)
		return 0;
	struct xattr *list = arena_alloc(a, all.n * sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < all.n; i++) {
		const struct xattr *x = &all.p[i];
		const char *rest = overlay_rest(x->name);
		if (rest && strncmp(rest, "overlay.", 8) != 0) {
			if (marks)
				note_mark(marks, x, rest);
			continue;
		}
		if (xattr_is_hosts(x->name))
			continue;
		list[n].name = rest ? arena_printf(a, "%.*s%s", (int)(rest - x->name), x->name,
						   rest + 8)
				    : arena_str(a, slice_of(x->name));
		list[n].value = arena_alloc(a, x->len + 1);
		list[n].len = x->len;
		if (x->len)
			memcpy(list[n].value, x->value, x->len);
		xattr_cap_to_v2(&list[n]);
		n++;
	}
	qsort(list, n, sizeof(*list),
	      xattr_cmp); /* taking escapes off may have changed the order */
	out->xattrs = n ? list : NULL;
	out->xattrs_n = n;
	return 0;
}

static int read_type(struct arena *a, int dirfd, const char *name, const struct stat *st,
		     struct entry *out, struct err *e)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		out->type = ENTRY_FILE;
		out->size = (uint64_t)st->st_size;
		return 0;
	case S_IFDIR: out->type = ENTRY_DIR; return 0;
	case S_IFIFO: out->type = ENTRY_FIFO; return 0;
	case S_IFCHR:
	case S_IFBLK:
		out->type = S_ISCHR(st->st_mode) ? ENTRY_CHAR : ENTRY_BLOCK;
		out->major = major(st->st_rdev);
		out->minor = minor(st->st_rdev);
		return 0;
	case S_IFLNK: {
		_free_ char *target = fs_readlink(dirfd, name, e);
		if (!target)
			return -1;
		out->type = ENTRY_SYMLINK;
		out->link = arena_str(a, slice_of(target));
		return 0;
	}
	case S_IFSOCK:
		return err_set(e, ERR_DATA, "'%s' is a socket; a layer cannot hold one", name);
	default: return err_set(e, ERR_DATA, "'%s' is of a type that a layer cannot hold", name);
	}
}

static void read_stat(const struct stat *st, struct entry *ent)
{
	ent->mode = ent->type == ENTRY_SYMLINK ? 0777 : st->st_mode & 07777;
	ent->uid = st->st_uid;
	ent->gid = st->st_gid;
	ent->mtime = st->st_mtim.tv_sec;
	ent->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
}

void entry_from_stat(const struct stat *st, struct entry *out)
{
	*out = (struct entry){ .path = out->path, .type = ENTRY_FILE, .size = (uint64_t)st->st_size };
	read_stat(st, out);
}

int entry_read(struct arena *a, int dirfd, const char *name, const struct stat *st,
	       struct entry *out, struct overlay_marks *marks, struct err *e)
{
	struct entry ent = { .path = out->path };
	if (marks)
		*marks = (struct overlay_marks){ 0 };
	if (read_type(a, dirfd, name, st, &ent, e) < 0)
		return -1;
	read_stat(st, &ent);
	if (read_xattrs(a, dirfd, name, &ent, marks, e) < 0)
		return -1;
	*out = ent;
	return 0;
}

int entry_from_file(struct arena *a, int dirfd, const char *name, const struct stat *st,
		    struct entry *out, struct err *e)
{
	return entry_read(a, dirfd, name, st, out, NULL, e);
}

int entry_digest_fd(int fd, uint64_t *size, struct digest *out, struct err *e)
{
	struct sha256 sum;
	_free_ char *block = mem_resize(NULL, 1, 128 << 10); /* not worth zeroing */
	uint64_t total = 0;
	ssize_t n;
	sha256_begin(&sum);
	while ((n = fd_read(fd, block, 128 << 10)) > 0) {
		sha256_add(&sum, block, (size_t)n);
		total += (uint64_t)n;
	}
	if (n < 0)
		return err_sys(e, "read");
	sha256_end(&sum, out->b);
	*size = total;
	return 0;
}

int entry_digest(int dirfd, const char *name, struct digest *out, struct err *e)
{
	uint64_t size;
	_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "open '%s'", name);
	if (entry_digest_fd(fd, &size, out, e) < 0)
		return err_add(e, "digest of '%s'", name);
	return 0;
}

bool entry_same_xattrs(const struct entry *a, const struct entry *b)
{
	if (a->xattrs_n != b->xattrs_n)
		return false;
	for (size_t i = 0; i < a->xattrs_n; i++) {
		const struct xattr *x = &a->xattrs[i], *y = &b->xattrs[i];
		if (strcmp(x->name, y->name) != 0 || x->len != y->len ||
		    (x->len && memcmp(x->value, y->value, x->len) != 0))
			return false;
	}
	return true;
}
