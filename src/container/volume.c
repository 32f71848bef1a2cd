/* SPDX-License-Identifier: Apache-2.0 */
#include "container/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/map.h"
#include "base/num.h"
#include "base/path.h"
#include "store/image.h"

#define NAME_MAX_BYTES 128

void volume_done(struct volume *v)
{
	if (!v)
		return;
	free(v->source);
	free(v->target);
	*v = (struct volume){ 0 };
}

void tmpfs_done(struct tmpfs_spec *t)
{
	if (!t)
		return;
	free(t->target);
	*t = (struct tmpfs_spec){ 0 };
}

/* Absolute, cleaned, not the root. */
static char *parse_target(struct slice s, const char *spec, struct err *e)
{
	char *clean = path_clean(s);
	if (s.n > 0 && clean[0] == '/' && clean[1])
		return clean;
	if (s.n == 0 || clean[0] != '/')
		err_set(e, ERR_USER,
			"invalid mount '%s': the path in the container, '%.*s', is not absolute",
			spec, SLF(s));
	else
		err_set(e, ERR_USER,
			"invalid mount '%s': the container's '/' cannot be mounted over", spec);
	free(clean);
	return NULL;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9');
		if (!word && (i == 0 || !strchr("_.-", c)))
			return false;
	}
	return s.n > 1 && s.n <= NAME_MAX_BYTES;
}

static int parse_options(struct slice opts, const char *spec, struct volume *v, struct err *e)
{
	struct slice o;
	while (slice_split(&opts, ',', &o)) {
		if (slice_is(o, "ro"))
			v->read_only = true;
		else if (slice_is(o, "nocopy"))
			v->no_copy = true;
		else if (!slice_is(o, "rw") && !slice_is(o, "z") && !slice_is(o, "Z"))
			return err_set(e, ERR_USER,
				       "invalid mount '%s': unknown or unsupported option '%.*s' "
				       "(there are ro, rw, nocopy)",
				       spec, SLF(o));
	}
	return 0;
}

int volume_parse(const char *spec, struct volume *out, struct err *e)
{
	struct slice rest = slice_of(spec), part[3] = { 0 };
	size_t n = 0;
	while (n < 3 && slice_split(&rest, ':', &part[n]))
		n++;
	if (rest.p)
		return err_set(e, ERR_USER, "invalid mount '%s': more than two ':'", spec);
	struct volume v = { .kind = VOLUME_ANONYMOUS };
	struct slice target = n > 1 ? part[1] : part[0];
	if (n > 1 && part[0].n == 0)
		return err_set(e, ERR_USER, "invalid mount '%s': nothing stands before the ':'",
			       spec);
	if (n > 1) {
		bool path = part[0].p[0] == '/' || part[0].p[0] == '~' ||
			    slice_find(part[0], '/') < part[0].n || slice_is(part[0], ".") ||
			    slice_is(part[0], "..");
		v.kind = path ? VOLUME_PATH : VOLUME_NAMED;
		if (!path && !is_name(part[0])) {
			err_set(e, ERR_USER,
				"'%.*s' is no name for a volume (two or more of [a-zA-Z0-9_.-], "
				"starting with a letter or digit)",
				SLF(part[0]));
			return err_hint(e, "a path of this machine starts with '/' or './'");
		}
	}
	if (n > 2 && parse_options(part[2], spec, &v, e) < 0)
		return -1;
	v.target = parse_target(target, spec, e);
	if (!v.target)
		return -1;
	v.source = n > 1 ? slice_dup(part[0]) : NULL;
	*out = v;
	return 0;
}

int tmpfs_parse(const char *spec, struct tmpfs_spec *out, struct err *e)
{
	struct slice s = slice_of(spec);
	size_t colon = slice_find(s, ':');
	struct slice opts = colon < s.n ? slice_from(s, colon + 1) : (struct slice){ NULL, 0 }, o;
	struct tmpfs_spec t = { .mode = 01777 };
	while (slice_split(&opts, ',', &o)) {
		uint64_t mode;
		if (slice_is(o, "ro"))
			t.read_only = true;
		else if (slice_is(o, "exec"))
			t.exec = true;
		else if (slice_is(o, "noexec"))
			t.exec = false;
		else if (slice_starts(o, SL("size=")) &&
			 num_parse_size(slice_from(o, 5), &t.size) == 0)
			continue;
		else if (slice_starts(o, SL("mode=")) &&
			 num_parse_octal(slice_from(o, 5), 07777, &mode) == 0)
			t.mode = (uint32_t)mode;
		else if (!slice_is(o, "rw") && !slice_is(o, "nosuid") && !slice_is(o, "nodev"))
			return err_set(
				e, ERR_USER,
				"invalid tmpfs '%s': unknown or unsupported option '%.*s' "
				"(there are ro, rw, exec, noexec, nosuid, nodev, size=, mode=)",
				spec, SLF(o));
	}
	t.target = parse_target(slice_head(s, colon), spec, e);
	if (!t.target)
		return -1;
	*out = t;
	return 0;
}

/* ---- contents ---- */

struct filler {
	struct store *s;
	struct image_fs *fs;
	int dirfd; /* of the new directory */
	size_t skip; /* length of the key of what is copied, with its '/' */
	struct map links; /* "layer.group" -> path of the first one */
	ARRAY_OF(struct view_hit) dirs; /* their times are set when all is in */
};

static const char *below(const struct filler *f, const struct entry *ent)
{
	return ent->path + f->skip;
}

static int fill_file(struct filler *f, const struct view_hit *hit, struct err *e)
{
	const struct entry *ent = hit->entry;
	_free_ char *group = str_printf("%d.%u", hit->layer, ent->group);
	if (ent->group) {
		const char *first = map_get(&f->links, slice_of(group));
		if (first)
			return linkat(f->dirfd, first, f->dirfd, below(f, ent), 0) < 0
				       ? err_sys(e, "link '%s'", ent->path)
				       : 0;
		(void)map_put(&f->links, slice_of(group), (void *)below(f, ent));
	}
	_close_ int in = image_fs_file(f->fs, hit, e);
	if (in < 0)
		return -1;
	_close_ int out = openat(f->dirfd, below(f, ent), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				 0600);
	if (out < 0)
		return err_sys(e, "create '%s'", ent->path);
	if (fd_copy(in, out, NULL, e) < 0)
		return err_add(e, "copy '%s'", ent->path);
	return tree_set_meta(f->dirfd, below(f, ent), ent, store_tree_opts(f->s), e);
}

static int fill_entry(struct filler *f, const struct view_hit *hit, struct err *e)
{
	const struct entry *ent = hit->entry;
	const struct tree_opts *o = store_tree_opts(f->s);
	if (ent->type == ENTRY_FILE)
		return fill_file(f, hit, e);
	if (tree_make(f->dirfd, below(f, ent), ent, o, e) < 0)
		return -1;
	if (ent->type == ENTRY_DIR) {
		arr_push(&f->dirs, *hit);
		return 0;
	}
	return tree_set_meta(f->dirfd, below(f, ent), ent, o, e);
}

static int fill_all(struct filler *f, const char *key, struct err *e)
{
	_cleanup_(view_walk_closep) struct view_walk *w = view_walk_open(&f->fs->view, key, e);
	struct view_hit hit;
	int r;
	if (!w)
		return -1;
	while ((r = view_walk_next(w, &hit, e)) > 0)
		if (fill_entry(f, &hit, e) < 0)
			return -1;
	for (size_t i = f->dirs.n; r == 0 && i-- > 0;)
		if (tree_set_meta(f->dirfd, below(f, f->dirs.p[i].entry), f->dirs.p[i].entry,
				  store_tree_opts(f->s), e) < 0)
			return -1;
	return r;
}

int volume_fill(struct store *s, struct image_fs *fs, const char *path, int dirfd, const char *name,
		struct err *e)
{
	struct filler f = { .s = s, .fs = fs, .dirfd = -1 };
	_free_ char *key = NULL;
	struct view_hit hit;
	static const struct entry plain = { .type = ENTRY_DIR, .mode = 0755 };
	const struct entry *top = &plain;
	if (mkdirat(dirfd, name, 0755) < 0)
		return err_sys(e, "make the directory of a volume");
	int r = view_resolve(&fs->view, path, true, &key, &hit, e);
	if (r > 0 && hit.entry->type == ENTRY_DIR) {
		top = hit.entry;
		f.skip = key[0] ? strlen(key) + 1 : 0;
		f.dirfd = fs_open_dir(dirfd, name, e);
		r = f.dirfd < 0 ? -1 : fill_all(&f, key, e);
	}
	if (r >= 0)
		r = tree_set_meta(dirfd, name, top, store_tree_opts(s), e);
	map_done(&f.links);
	arr_done(&f.dirs);
	closep_(&f.dirfd);
	return r < 0 ? err_add(e, "fill the volume '%s'", path) : 0;
}

int volume_open(struct store *s, struct image_fs *fs, const struct volume *v, struct err *e)
{
	_free_ char *path = str_printf("volumes/%s", v->source);
	if (store_use(s, STORE_VOLUME, v->source, e) < 0)
		return -1;
	int fd = openat(store_fd(s), path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : err_sys(e, "open the volume '%s'", v->source);
	_close_ int tmp = -1;
	_free_ char *dir = store_tmp_dir(s, &tmp, e);
	if (!dir)
		return -1;
	if (v->no_copy) {
		if (mkdirat(tmp, "v", 0755) < 0)
			return err_sys(e, "make the volume '%s'", v->source);
	} else if (volume_fill(s, fs, v->target, tmp, "v", e) < 0) {
		return -1;
	}
	/* one that appeared meanwhile stays */
	if (renameat(tmp, "v", store_fd(s), path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		return err_sys(e, "make the volume '%s'", v->source);
	if (fs_remove(store_fd(s), dir, e) < 0)
		return -1;
	fd = openat(store_fd(s), path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open the volume '%s'", v->source);
}
