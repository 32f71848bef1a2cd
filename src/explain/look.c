/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/look.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "store/image.h"
#include <sys/stat.h>

struct explain_fs explain_fs_image(struct image_fs *f)
{
	return (struct explain_fs){ .view = &f->view, .open = image_fs_file_cb, .ctx = f };
}

int look_up(const struct explain_fs *fs, const char *path, char **key, struct view_hit *hit,
	    struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 };
	int r = view_resolve(fs->view, path, true, key, hit, &why);

	if (r >= 0)
		return r;
	if (why.kind == ERR_USER ||
	    why.kind == ERR_DATA) { /* what layer/view.h says of such paths */
		*key = path_key(slice_of(path));
		return 0;
	}
	if (e)
		err_move(e, &why);
	return -1;
}

int look_head(const struct explain_fs *fs, const char *path, size_t max, struct buf *out,
	      struct err *e)
{
	_free_ char *key = NULL;
	struct view_hit hit;
	int r = look_up(fs, path, &key, &hit, e);

	if (r <= 0 || hit.entry->type != ENTRY_FILE)
		return r < 0 ? -1 : 0;
	_close_ int fd = fs->open(fs->ctx, &hit, e);
	if (fd < 0)
		return -1;
	size_t n = hit.entry->size < max ? (size_t)hit.entry->size : max;
	out->max = 0;
	ssize_t got = fd_read(fd, buf_room(out, n), n);
	if (got < 0)
		return err_sys(e, "read '/%s' in the image", key);
	out->len += (size_t)got;
	out->p[out->len] = 0;
	return 1;
}

int look_object(const struct explain_fs *fs, const struct view_hit *hit, struct obj *out,
		struct err *e)
{
	_close_ int fd = fs->open(fs->ctx, hit, e);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat '/%s' in the image", hit->entry->path);
	struct obj_bytes b = obj_bytes_fd(fd, (uint64_t)st.st_size);
	return obj_read(&b, out, e);
}

/* ---- as the linker's file system ---- */

static const struct explain_fs *side(const struct look_linker *l, const char *real)
{
	return l->program_fs && strcmp(real, l->program) == 0 ? l->program_fs : l->fs;
}

static int linker_resolve(void *ctx, const char *path, char **real, enum linker_type *type,
			  struct err *e)
{
	const struct look_linker *l = ctx;
	_free_ char *key = NULL;
	struct view_hit hit;
	int r = look_up(side(l, path), path, &key, &hit, e);

	if (r <= 0)
		return r;
	*type = hit.entry->type == ENTRY_FILE  ? LINKER_FILE
		: hit.entry->type == ENTRY_DIR ? LINKER_DIR
					       : LINKER_OTHER;
	*real = str_printf("/%s", key);
	return 1;
}

static int linker_open(void *ctx, const char *real, struct err *e)
{
	const struct look_linker *l = ctx;
	const struct explain_fs *fs = side(l, real);
	_free_ char *key = NULL;
	struct view_hit hit;
	int r = look_up(fs, real, &key, &hit, e);

	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_ABSENT, "'%s' is not in the image", real);
	return fs->open(fs->ctx, &hit, e);
}

static int linker_list(void *ctx, const char *real, struct strs *names, struct err *e)
{
	const struct look_linker *l = ctx;

	return view_list(l->fs->view, real + strspn(real, "/"), names, e);
}

struct linker_fs look_linker_fs(struct look_linker *l)
{
	return (struct linker_fs){
		.ctx = l, .resolve = linker_resolve, .open = linker_open, .list = linker_list
	};
}

/* ---- what an image is ---- */

static int look_for_loaders(const struct explain_fs *fs, const char *dir, struct look_libc *out,
			    struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	_free_ char *key = NULL;
	struct view_hit hit;
	int r = look_up(fs, dir, &key, &hit, e);

	if (r <= 0 || hit.entry->type != ENTRY_DIR)
		return r < 0 ? -1 : 0;
	if (view_list(fs->view, key, &names, e) < 0)
		return -1;
	strs_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		enum obj_libc l = obj_libc_of_interp(names.p[i]);
		_free_ char *path = str_printf("%s/%s", dir, names.p[i]), *real = NULL;
		/* a name that leads nowhere is no loader; nor are ld-linux's neighbours ("ld.so.conf") */
		if (l != LIBC_GLIBC && l != LIBC_MUSL)
			continue;
		if ((r = look_up(fs, path, &real, &hit, e)) < 0)
			return -1;
		if (r == 0 || hit.entry->type != ENTRY_FILE)
			continue;
		if (slice_starts(path_base(slice_of(real)), SL("ld-musl-")))
			l = LIBC_MUSL; /* a link ld-linux -> ld-musl, as gcompat makes it */
		char **file = l == LIBC_GLIBC ? &out->glibc_file : &out->musl_file;
		if (!*file)
			*file = take_ptr(&path);
	}
	return 0;
}

int look_libc(const struct explain_fs *fs, struct look_libc *out, struct err *e)
{
	static const char *const dirs[] = { "/lib64", "/lib", "/usr/lib64", "/usr/lib", "/libx32" };

	for (size_t i = 0; i < COUNT_OF(dirs); i++)
		if (look_for_loaders(fs, dirs[i], out, e) < 0) {
			look_libc_done(out);
			return -1;
		}
	out->glibc = out->glibc_file != NULL;
	out->musl = out->musl_file != NULL;
	return 0;
}

void look_libc_done(struct look_libc *l)
{
	free(l->glibc_file);
	free(l->musl_file);
	*l = (struct look_libc){ 0 };
}

char *look_os_name(const struct explain_fs *fs)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	struct slice rest, line;

	/* only a name to show: an image that cannot be read fails elsewhere */
	if (look_head(fs, "/etc/os-release", 4096, &text, NULL) <= 0)
		return NULL;
	rest = buf_view(&text);
	while (slice_split(&rest, '\n', &line)) {
		if (!slice_starts(line, SL("PRETTY_NAME=")))
			continue;
		line = slice_trim(slice_from(line, strlen("PRETTY_NAME=")));
		if (line.n >= 2 && (line.p[0] == '"' || line.p[0] == '\'') &&
		    line.p[line.n - 1] == line.p[0])
			line = slice_head(slice_from(line, 1), line.n - 2);
		return line.n ? slice_dup(line) : NULL;
	}
	return NULL;
}

/* ---- near matches ---- */

void look_same_name(const struct view *v, struct slice base, bool programs, size_t max,
		    struct strs *out)
{
	/* one pass a layer, the highest first: what the stage itself made lies there */
	for (int layer = v->layers - 1; layer >= 0 && out->n < max; layer--)
		arr_each(hit, &v->hits) {
			const struct entry *ent = hit->entry;
			if (hit->layer != layer || out->n >= max ||
			    (programs ? ent->type != ENTRY_FILE || !(ent->mode & 0111)
				      : ent->type != ENTRY_FILE && ent->type != ENTRY_SYMLINK &&
						ent->type != ENTRY_DIR))
				continue;
			if (slice_eq(path_base(slice_of(ent->path)), base))
				strs_addf(out, "/%s", ent->path);
		}
}

int look_near_names(struct view *v, const char *dir, struct slice base, size_t max,
		    struct strs *out, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	size_t start = out->n;

	if (view_list(v, dir, &names, e) < 0)
		return -1;
	/* two edits are far for a short name: "sh" is not "ls" */
	size_t far = base.n < 3 ? 0 : base.n < 5 ? 1 : 2;
	for (size_t d = 0; d <= far; d++)
		for (size_t i = 0; i < names.n && out->n - start < max; i++) {
			struct slice name = slice_of(names.p[i]);
			size_t got = slice_eq_nocase(name, base) ? 0
								 : slice_distance(name, base, far);
			if (got == d && !slice_eq(name, base))
				strs_addf(out, "/%s%s%s", dir, *dir ? "/" : "", names.p[i]);
		}
	return 0;
}
