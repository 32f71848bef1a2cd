/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tree_make.c: one file of a tree from its entry. The order owner, mode, xattrs, times is
 * the only one that works: chown clears set-id bits and capabilities, all else moves no mtime. */
#include "base/err.h"
#include "base/fs.h"
#include "layer/entry.h"
#include "layer/meta.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

uint32_t meta_uid(const struct entry *ent, const struct tree_opts *o)
{
	return ent->uid > o->uid_max ? 0 : ent->uid;
}

uint32_t meta_gid(const struct entry *ent, const struct tree_opts *o)
{
	return ent->gid > o->gid_max ? 0 : ent->gid;
}

bool meta_is_stand_in(const struct entry *ent, const struct tree_opts *o)
{
	return !o->devices && (ent->type == ENTRY_CHAR || ent->type == ENTRY_BLOCK);
}

bool meta_xattr_in_tree(const struct entry *ent, const char *name, const struct tree_opts *o)
{
	if (strncmp(name, "user.", 5) == 0)
		return ent->type == ENTRY_FILE || ent->type == ENTRY_DIR;
	if (o->mode == TREE_TRUSTED)
		return true;
	return strcmp(name, "security.capability") == 0 || strncmp(name, "system.", 7) == 0;
}

const char *meta_overlay_name(const struct tree_opts *o, const char *what, struct buf *out)
{
	buf_clear(out);
	buf_printf(out, "%s.overlay.%s", o->mode == TREE_USER ? "user" : "trusted", what);
	return out->p;
}

/* A nested overlay's own names are escaped, or ours would take them for its marks. */
static void escape_name(const char *name, struct buf *out)
{
	const char *dot = strchr(name, '.');
	buf_clear(out);
	if (xattr_is_overlay(name) && dot)
		buf_printf(out, "%.*s.overlay%s", (int)(dot - name), name, dot);
	else
		buf_str(out, name);
}

struct meta_file { /* either a descriptor or a path that ends in the name itself */
	int fd;
	const char *path;
};

static int set_xattr(const struct meta_file *f, const char *name, const struct xattr *x)
{
	return f->fd >= 0 ? fsetxattr(f->fd, name, x->value, x->len, 0)
			  : lsetxattr(f->path, name, x->value, x->len, 0);
}

static int set_xattrs(const struct meta_file *f, const struct entry *ent, const struct tree_opts *o,
		      struct err *e)
{
	_cleanup_(buf_done) struct buf name = { 0 };
	for (size_t i = 0; i < ent->xattrs_n; i++) {
		const struct xattr *x = &ent->xattrs[i];
		if (!meta_xattr_in_tree(ent, x->name, o))
			continue;
		escape_name(x->name, &name);
		if (set_xattr(f, name.p, x) == 0)
			continue;
		if (errno == EOPNOTSUPP || errno == EPERM) {
			(void)err_sys(e, "set the extended attribute %s", x->name);
			return err_hint(
				e, "the file system of the store must support extended attributes");
		}
		return err_sys(e, "set the extended attribute %s", x->name);
	}
	return 0;
}

static void entry_times(const struct entry *ent, struct timespec out[static 2])
{
	out[0] = out[1] = (struct timespec){ .tv_sec = ent->mtime, .tv_nsec = ent->mtime_ns };
}

int meta_set_fd(int fd, const struct entry *ent, const struct tree_opts *o, struct err *e)
{
	struct timespec times[2];
	entry_times(ent, times);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at it");
	bool owned = st.st_uid == meta_uid(ent, o) && st.st_gid == meta_gid(ent, o);
	if (!owned && fchown(fd, meta_uid(ent, o), meta_gid(ent, o)) < 0)
		return err_sys(e, "set the owner %u:%u", ent->uid, ent->gid);
	if (fchmod(fd, ent->mode & 07777) < 0)
		return err_sys(e, "set the mode %04o", ent->mode);
	if (set_xattrs(&(struct meta_file){ .fd = fd }, ent, o, e) < 0)
		return -1;
	if (futimens(fd, times) < 0)
		return err_sys(e, "set the time");
	return 0;
}

int tree_set_meta(int dirfd, const char *name, const struct entry *ent, const struct tree_opts *o,
		  struct err *e)
{
	struct timespec times[2];
	if (ent->type == ENTRY_WHITEOUT)
		return 0;
	entry_times(ent, times);
	if (fchownat(dirfd, name, meta_uid(ent, o), meta_gid(ent, o), AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the owner of '%s' to %u:%u", name, ent->uid, ent->gid);
	/* never through a link: glibc's emulation refuses one (EOPNOTSUPP) */
	if (ent->type != ENTRY_SYMLINK &&
	    fchmodat(dirfd, name, ent->mode & 07777, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the mode of '%s' to %04o", name, ent->mode);
	if (ent->xattrs_n) {
		char dir[FS_PROC_LEN];
		_free_ char *path = str_printf("%s/%s", fs_proc_path(dirfd, dir), name);
		if (set_xattrs(&(struct meta_file){ .fd = -1, .path = path }, ent, o, e) < 0)
			return err_add(e, "attributes of '%s'", name);
	}
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the time of '%s'", name);
	return 0;
}

static int make_empty_file(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int make_node(int dirfd, const char *name, const struct entry *ent,
		     const struct tree_opts *o, struct err *e)
{
	if (ent->major == 0 && ent->minor == 0)
		return err_set(e, ERR_DATA,
			       "'%s' is a device 0:0, which overlayfs takes for a deletion", name);
	mode_t type = ent->type == ENTRY_CHAR ? S_IFCHR : S_IFBLK;
	int r = o->devices ? mknodat(dirfd, name, type | 0600, makedev(ent->major, ent->minor))
			   : make_empty_file(dirfd, name);
	return r < 0 ? err_sys(e, "create the device '%s'", name) : 0;
}

int tree_make(int dirfd, const char *name, const struct entry *ent, const struct tree_opts *o,
	      struct err *e)
{
	int r = -1;
	switch (ent->type) {
	case ENTRY_DIR: r = mkdirat(dirfd, name, 0700); break;
	case ENTRY_SYMLINK: r = symlinkat(ent->link, dirfd, name); break;
	case ENTRY_FIFO: r = mknodat(dirfd, name, S_IFIFO | 0600, 0); break;
	case ENTRY_WHITEOUT: r = mknodat(dirfd, name, S_IFCHR, 0); break;
	case ENTRY_CHAR:
	case ENTRY_BLOCK: return make_node(dirfd, name, ent, o, e);
	case ENTRY_FILE: return err_set(e, ERR_DATA, "'%s' is a file; its bytes are wanted", name);
	}
	return r < 0 ? err_sys(e, "create the %s '%s'", entry_type_name(ent->type), name) : 0;
}

int tree_set_opaque(int dirfd, const char *name, const struct tree_opts *o, struct err *e)
{
	char dir[FS_PROC_LEN];
	_cleanup_(buf_done) struct buf attr = { 0 };
	_free_ char *path = str_printf("%s/%s", fs_proc_path(dirfd, dir), name);
	if (lsetxattr(path, meta_overlay_name(o, "opaque", &attr), "y", 1, 0) < 0)
		return err_sys(e, "mark '%s' as replaced (%s)", name, attr.p);
	return 0;
}
