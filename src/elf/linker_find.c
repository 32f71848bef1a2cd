/* SPDX-License-Identifier: Apache-2.0 */
/* elf/linker_find.c: where a name is looked for: along the directories (elf/search.c) in the order of
 * the libc, until a file is one that this program can load. */
#include "elf/linker_in.h"

#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/path.h"

void want_done(struct want *w)
{
	strs_done(&w->searched);
	strs_done(&w->variants);
	free(w->unfit);
	free(w->unfit_why);
	free(w->path);
	free(w->real);
	obj_done(&w->obj);
}

int linker_open(const struct linker_fs *fs, const char *real, struct obj *out, char **why,
		struct err *e)
{
	_cleanup_(err_done) struct err bad = { 0 };
	_close_ int fd = fs->open(fs->ctx, real, e);
	struct stat st;
	int r;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat '%s' inside the image", real);
	struct obj_bytes b = obj_bytes_fd(fd, (uint64_t)st.st_size);
	r = obj_read(&b, out, &bad);
	if (r > 0)
		return 1;
	if (r < 0 && bad.kind != ERR_DATA) {
		if (e)
			err_move(e, &bad);
		return -1;
	}
	*why = r == 0 ? str_dup("is no ELF object") : str_printf("is damaged: %s", bad.chain[0]);
	return 0;
}

static void note_unfit(struct want *w, const char *path, char *why, bool stop)
{
	if (!w->unfit) {
		w->unfit = str_dup(path);
		w->unfit_why = why;
	} else {
		free(why);
	}
	w->stop = w->stop || stop;
}

/* glibc passes over an object of another machine (elf/dl-load.c, open_verify) and gives up at what is
 * no object; musl gives up at either. */
static int try_path(struct linker_closure *c, struct want *w, const char *path, enum linker_how how,
		    struct err *e)
{
	struct linker_search *s = c->search;
	_free_ char *real = NULL, *why = NULL;
	char machine[OBJ_MACHINE_LEN];
	enum linker_type type;
	struct obj o = { 0 };
	int r = s->fs.resolve(s->fs.ctx, path, &real, &type, e);

	if (r <= 0 || type != LINKER_FILE)
		return r < 0 ? -1 : 0;
	w->have = (size_t)map_get(&s->reals, slice_of(real));
	if (w->have)
		return 1;
	r = linker_open(&s->fs, real, &o, &why, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		note_unfit(w, path, take_ptr(&why), true);
		return 0;
	}
	if (!obj_same_machine(&o, &c->objects.p[0].obj)) {
		why = str_printf("is for %s",
				 obj_machine_name(o.machine, o.is64, o.big_endian, machine));
		note_unfit(w, path, take_ptr(&why), c->libc == LIBC_MUSL);
	} else if (o.type != ET_DYN) {
		note_unfit(w, path,
			   str_printf("is an %s, not a shared library", obj_kind_name(o.kind)),
			   true);
	} else {
		w->obj = o;
		w->path = str_dup(path);
		w->real = take_ptr(&real);
		w->how = how;
		return 1;
	}
	obj_done(&o);
	return 0;
}

static int find_variants(struct linker_closure *c, struct want *w, const struct search_dir *d,
			 const char *dir, struct err *e)
{
	for (size_t i = 0; i < d->variants.n; i++) {
		_free_ char *path = str_printf("%s/%s/%s", dir, d->variants.p[i], w->name),
			    *real = NULL;
		enum linker_type type;
		int r = c->search->fs.resolve(c->search->fs.ctx, path, &real, &type, e);
		if (r < 0)
			return -1;
		if (r > 0 && type == LINKER_FILE && strs_find(&w->variants, path) < 0)
			strs_add(&w->variants, path);
	}
	return 0;
}

static const char *dir_slash(const char *dir)
{
	return strcmp(dir, "/") == 0 ? "" : dir;
}

static int try_dir(struct linker_closure *c, struct want *w, const char *dir, enum linker_how how,
		   struct err *e)
{
	const struct search_dir *d = NULL;

	if (strs_find(&w->searched, dir) >= 0)
		return 0;
	strs_add(&w->searched, dir);
	if (search_look(c->search, c->libc, dir, &d, e) < 0)
		return -1;
	if (!d->exists)
		return 0;
	if (find_variants(c, w, d, dir_slash(dir), e) < 0)
		return -1;
	_free_ char *path = str_printf("%s/%s", dir_slash(dir), w->name);
	int r = try_path(c, w, path, how, e);
	if (r == 0 && !w->stop && w->variants.n > 0) {
		/* there only for some processors: the least demanding one stands for it */
		r = try_path(c, w, w->variants.p[0], how, e);
		w->only_variant = r > 0 && !w->have;
	}
	return r;
}

/* A list of directories as it stands in an object or in the environment. */
static int try_list(struct linker_closure *c, struct want *w, const char *list,
		    const char *separators, const char *object, enum linker_how how, struct err *e)
{
	const char *at = list;

	/* glibc takes an empty element for the working directory, but not an empty list */
	for (int r = 0; *list && r == 0 && !w->stop; at++) {
		size_t n = strcspn(at, separators);
		_free_ char *dir = search_expand(c->search, c->libc, (struct slice){ at, n },
						 object);
		if (!dir)
			return 0;
		r = try_dir(c, w, dir, how, e);
		at += n;
		if (r != 0 || !*at)
			return r;
	}
	return 0;
}

static int try_defaults(struct linker_closure *c, struct want *w, struct err *e)
{
	const struct strs *dirs = &c->search->defaults;
	int r = 0;

	for (size_t i = 0; i < dirs->n && r == 0 && !w->stop; i++)
		r = try_dir(c, w, dirs->p[i], LINKER_BY_DEFAULT, e);
	return r;
}

/* ---- glibc: elf/dl-load.c, _dl_map_object ---- */

static int try_rpaths(struct linker_closure *c, struct want *w, struct err *e)
{
	for (size_t i = w->by;; i = c->objects.p[i].by) {
		const struct linker_object *o = &c->objects.p[i];
		if (o->obj.rpath && !o->obj.runpath) {
			int r = try_list(c, w, o->obj.rpath, ":", o->path, LINKER_BY_RPATH, e);
			if (r != 0 || w->stop)
				return r;
		}
		if (i == 0)
			return 0;
	}
}

static int try_cache(struct linker_closure *c, struct want *w, bool no_defaults, struct err *e)
{
	struct linker_search *s = c->search;
	struct ldcache_entry x;

	if (!s->has_cache)
		return 0;
	strs_add(&w->searched, "ld.so.cache");
	for (uint32_t i = 0; ldcache_find(&s->cache, slice_of(w->name), &i, &x);) {
		_free_ char *path = slice_dup(x.path);
		bool built_in = search_is_default(s, x.path);
		int r;
		if (no_defaults && built_in)
			continue;
		if (x.hwcap) {
			if (strs_find(&w->variants, path) < 0)
				strs_add(&w->variants, path);
			continue;
		}
		r = try_path(c, w, path, LINKER_BY_CACHE, e);
		if (r > 0 && !w->have)
			c->uses_cache = c->uses_cache || !built_in;
		if (r != 0 || w->stop)
			return r;
	}
	return 0;
}

static int find_glibc(struct linker_closure *c, struct want *w, struct err *e)
{
	const struct linker_object *by = &c->objects.p[w->by];
	bool no_defaults = by->obj.dt_flags_1 & DF_1_NODEFLIB;
	int r = 0;

	if (!by->obj.runpath)
		r = try_rpaths(c, w, e);
	if (r == 0 && !w->stop && c->search->library_path)
		r = try_list(c, w, c->search->library_path, ":;", c->objects.p[0].real,
			     LINKER_BY_ENV, e);
	if (r == 0 && !w->stop && by->obj.runpath)
		r = try_list(c, w, by->obj.runpath, ":", by->path, LINKER_BY_RUNPATH, e);
	if (r == 0 && !w->stop)
		r = try_cache(c, w, no_defaults, e);
	if (r == 0 && !w->stop && !no_defaults)
		r = try_defaults(c, w, e);
	return r;
}

/* ---- musl: ldso/dynlink.c, load_library ---- */

/* Names that the loader answers itself, as it is the libc. */
static bool is_musl_own(const char *name)
{
	static const char *const own[] = { "c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet." };

	if (strncmp(name, "lib", 3) != 0)
		return false;
	for (size_t i = 0; i < COUNT_OF(own); i++)
		if (strncmp(name + 3, own[i], strlen(own[i])) == 0)
			return true;
	return false;
}

static int find_musl(struct linker_closure *c, struct want *w, struct err *e)
{
	int r = 0;

	if (c->search->library_path)
		r = try_list(c, w, c->search->library_path, ":\n", c->objects.p[0].real,
			     LINKER_BY_ENV, e);
	for (size_t i = w->by; r == 0 && !w->stop; i = c->objects.p[i].by) {
		const struct linker_object *o = &c->objects.p[i];
		const char *list = o->obj.runpath ? o->obj.runpath : o->obj.rpath;
		if (list)
			r = try_list(c, w, list, ":\n", o->path,
				     o->obj.runpath ? LINKER_BY_RUNPATH : LINKER_BY_RPATH, e);
		if (i == 0)
			break;
	}
	return r == 0 && !w->stop ? try_defaults(c, w, e) : r;
}

/* ---- either ---- */

bool linker_is_loader_name(const struct linker_closure *c, const char *name)
{
	const char *interp = c->objects.p[0].obj.interp;

	if (c->libc == LIBC_MUSL)
		return is_musl_own(name);
	return interp && slice_is(path_base(slice_of(interp)), name);
}

int want_find(struct linker_closure *c, struct want *w, struct err *e)
{
	if (strchr(w->name, '/')) {
		_free_ char *path = search_expand(c->search, c->libc, slice_of(w->name),
						  c->objects.p[w->by].path);
		return path ? try_path(c, w, path, LINKER_BY_PATH, e) : 0;
	}
	return c->libc == LIBC_MUSL ? find_musl(c, w, e) : find_glibc(c, w, e);
}
