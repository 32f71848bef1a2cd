/* SPDX-License-Identifier: Apache-2.0 */
/* elf/linker.c: what is loaded, in which order. The objects of a closure form a list; each asks
 * for names; each name is looked for as its libc does it (elf/linker_find.c) unless an object of
 * that name is there already. Whoever comes first in the list asks first: that is breadth-first, as
 * both linkers do it. */
#include "elf/linker_in.h"

#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"

const char *linker_how_text(enum linker_how how)
{
	switch (how) {
	case LINKER_IS_PROGRAM: return "the program";
	case LINKER_IS_INTERP: return "named as its interpreter";
	case LINKER_BY_PATH: return "named by its path";
	case LINKER_BY_RPATH: return "found through DT_RPATH";
	case LINKER_BY_ENV: return "found through LD_LIBRARY_PATH";
	case LINKER_BY_RUNPATH: return "found through DT_RUNPATH";
	case LINKER_BY_CACHE: return "found through ld.so.cache";
	case LINKER_BY_DEFAULT: return "found in a built-in directory";
	}
	return "";
}

/* ---- loading ---- */

static void remember(struct linker_closure *c, size_t i)
{
	const struct linker_object *o = &c->objects.p[i];
	void *number = (void *)(i + 1); /* NOLINT: a number, not an address */
	struct map *names = &c->search->names;

	if (!map_has(names, slice_of(o->name)))
		(void)map_put(names, slice_of(o->name), number);
	if (o->obj.soname && !map_has(names, slice_of(o->obj.soname)))
		(void)map_put(names, slice_of(o->obj.soname), number);
	(void)map_put(&c->search->reals, slice_of(o->real), number);
}

static void add_object(struct linker_closure *c, struct want *w)
{
	struct linker_object *o = arr_add(&c->objects);

	o->name = str_dup(w->name);
	o->path = take_ptr(&w->path);
	o->real = take_ptr(&w->real);
	o->by = w->by;
	o->edge = w->edge;
	o->how = w->how;
	o->obj = w->obj;
	o->variants = w->variants;
	o->only_variant = w->only_variant;
	w->obj = (struct obj){ 0 };
	w->variants = (struct strs){ 0 };
	remember(c, c->objects.n - 1);
}

static bool is_optional(enum linker_edge edge)
{
	return edge == LINKER_AUXILIARY || edge == LINKER_PRELOADED || edge == LINKER_DLOPEN;
}

static void add_missing(struct linker_closure *c, struct want *w)
{
	struct linker_missing *m = arr_add(&c->missing);

	m->name = str_dup(w->name);
	m->by = w->by;
	m->edge = w->edge;
	m->optional = is_optional(w->edge);
	m->searched = w->searched;
	m->unfit = take_ptr(&w->unfit);
	m->unfit_why = take_ptr(&w->unfit_why);
	w->searched = (struct strs){ 0 };
	(void)map_put(&c->search->failed, slice_of(w->name), c);
}

/* 1 loaded, or there already; 0 missing, which is noted. */
static int load(struct linker_closure *c, size_t by, const char *name, enum linker_edge edge,
		struct err *e)
{
	_cleanup_(want_done) struct want w = { .name = name, .by = by, .edge = edge };
	int r;

	if (!*name || map_has(&c->search->names, slice_of(name)) || linker_is_loader_name(c, name))
		return 1;
	if (map_has(&c->search->failed, slice_of(name)))
		return 0;
	if (c->objects.n >= LINKER_OBJECTS_MAX)
		return err_set(e, ERR_DATA, "more than %u libraries are asked for",
			       LINKER_OBJECTS_MAX);
	r = want_find(c, &w, e);
	if (r < 0)
		return -1;
	if (r == 0) {
		add_missing(c, &w);
		return 0;
	}
	if (w.have) /* the same file under another name */
		(void)map_put(&c->search->names, slice_of(name), (void *)w.have);
	else
		add_object(c, &w);
	return 1;
}

static int load_all(struct linker_closure *c, size_t by, enum linker_edge edge, struct err *e)
{
	/* the list moves with the objects while loading, so it is looked up anew each time */
	for (size_t i = 0;; i++) {
		const struct obj *o = &c->objects.p[by].obj;
		const struct strs *names = edge == LINKER_FILTER      ? &o->filters
					   : edge == LINKER_AUXILIARY ? &o->auxiliary
								      : &o->needed;
		if (i >= names->n)
			return 0;
		_free_ char *name = str_dup(names->p[i]);
		if (load(c, by, name, edge, e) < 0)
			return err_add(e, "libraries of '%s'", c->objects.p[by].path);
	}
}

static int load_rest(struct linker_closure *c, struct err *e)
{
	for (; c->search->next < c->objects.n; c->search->next++) {
		size_t i = c->search->next;
		if (load_all(c, i, LINKER_NEEDED, e) < 0)
			return -1;
		if (c->libc != LIBC_MUSL && (load_all(c, i, LINKER_FILTER, e) < 0 ||
					     load_all(c, i, LINKER_AUXILIARY, e) < 0))
			return -1;
	}
	return 0;
}

static int load_list(struct linker_closure *c, struct slice text, const char *separators,
		     struct err *e)
{
	size_t at = 0;

	while (at < text.n) {
		size_t n = 0;
		while (at + n < text.n && !strchr(separators, text.p[at + n]))
			n++;
		_free_ char *name = slice_dup((struct slice){ text.p + at, n });
		if (load(c, 0, name, LINKER_PRELOADED, e) < 0)
			return -1;
		at += n + 1;
	}
	return 0;
}

static int load_preloads(struct linker_closure *c, const struct linker_env *env, struct err *e)
{
	static const char file[] = "/etc/ld.so.preload";
	const struct linker_fs *fs = &c->search->fs;
	_free_ char *real = NULL;
	enum linker_type type;
	int r;

	if (env->preload && !env->secure &&
	    load_list(c, slice_of(env->preload), c->libc == LIBC_MUSL ? ":" : ": ", e) < 0)
		return -1;
	if (c->libc == LIBC_MUSL)
		return 0;
	r = fs->resolve(fs->ctx, file, &real, &type, e);
	if (r <= 0 || type != LINKER_FILE)
		return r < 0 ? -1 : 0;
	_cleanup_(buf_done) struct buf text = { .max = 65536 };
	_close_ int fd = fs->open(fs->ctx, real, e);
	if (fd < 0 || fd_slurp(fd, &text, file, e) < 0)
		return -1;
	return load_list(c, buf_view(&text), ": \t\n", e);
}

/* ---- versions: glibc's elf/dl-version.c ---- */

static bool provides(const struct linker_object *o, const char *file)
{
	return strcmp(o->name, file) == 0 || (o->obj.soname && strcmp(o->obj.soname, file) == 0);
}

static void check_versions(struct linker_closure *c)
{
	for (size_t by = 0; by < c->objects.n; by++)
		arr_each(need, &c->objects.p[by].obj.version_needs)
			for (size_t of = 1; of < c->objects.n && !need->weak; of++) {
				const struct linker_object *o = &c->objects.p[of];
				if (!provides(o, need->file))
					continue;
				/* an object without any version is only warned about */
				if (o->obj.version_defs.n > 0 &&
				    strs_find(&o->obj.version_defs, need->version) < 0) {
					struct linker_lack *l = arr_add(&c->lacks);
					*l = (struct linker_lack){ by, of, str_dup(need->version) };
				}
				break;
			}
}

/* ---- all of it ---- */

static int add_program(struct linker_closure *c, const char *path, struct err *e)
{
	const struct linker_fs *fs = &c->search->fs;
	struct linker_object o = { 0 };
	_free_ char *real = NULL, *why = NULL;
	enum linker_type type;
	int r = fs->resolve(fs->ctx, path, &real, &type, e);

	if (r < 0)
		return -1;
	if (r == 0 || type != LINKER_FILE)
		return err_set(e, ERR_USER, "'%s' is %s", path,
			       r == 0 ? "not in the image" : "no regular file");
	r = linker_open(fs, real, &o.obj, &why, e);
	if (r <= 0)
		return r < 0 ? -1 : err_set(e, ERR_DATA, "'%s' %s", path, why);
	o.name = str_dup(path);
	o.path = str_dup(real); /* $ORIGIN of a program: /proc/self/exe has no links */
	o.real = take_ptr(&real);
	o.how = LINKER_IS_PROGRAM;
	arr_push(&c->objects, o);
	remember(c, 0);
	return 0;
}

static int add_interp(struct linker_closure *c, struct err *e)
{
	const struct linker_fs *fs = &c->search->fs;
	_free_ char *name = str_dup(c->objects.p[0].obj.interp), *real = NULL, *why = NULL;
	enum linker_type type;
	struct linker_object o = { 0 };
	int r = name && *name ? fs->resolve(fs->ctx, name, &real, &type, e) : 0;

	if (r < 0)
		return -1;
	c->interp_found = !name;
	if (r == 0 || type != LINKER_FILE)
		return 0;
	r = linker_open(fs, real, &o.obj, &why, e);
	if (r <= 0)
		return r;
	o.name = take_ptr(&name);
	o.path = str_dup(o.name);
	o.real = take_ptr(&real);
	o.how = LINKER_IS_INTERP;
	c->interp_found = true;
	arr_push(&c->objects, o);
	remember(c, 1);
	/* its soname is its file name; libc.so.6 asks for it by that */
	(void)map_put(&c->search->names, path_base(slice_of(o.name)), (void *)2);
	return 0;
}

static int fill(struct linker_closure *c, const char *program, const struct linker_env *env,
		struct err *e)
{
	const struct obj *head;

	if (add_program(c, program, e) < 0 || add_interp(c, e) < 0)
		return -1;
	head = &c->objects.p[0].obj;
	if (head->kind == OBJ_STATIC || head->kind == OBJ_STATIC_PIE || !head->has_dynamic) {
		c->search->next = c->objects.n;
		return 0;
	}
	c->libc = obj_libc(head);
	/* a link ld-linux -> ld-musl, as some make it on Alpine: musl it is */
	if (c->objects.n > 1 && obj_libc_of_interp(c->objects.p[1].real) == LIBC_MUSL)
		c->libc = LIBC_MUSL;
	if (c->libc == LIBC_UNKNOWN)
		c->libc = LIBC_GLIBC;
	if (search_begin(c->search, c->libc, head, head->interp,
			 c->objects.n > 1 ? c->objects.p[1].real : NULL, e) < 0)
		return -1;
	if (load_preloads(c, env, e) < 0 || load_rest(c, e) < 0)
		return -1;
	if (c->libc == LIBC_GLIBC)
		check_versions(c);
	return 0;
}

int linker_closure(const struct linker_fs *fs, const char *program, const struct linker_env *env,
		   struct linker_closure *out, struct err *e)
{
	static const struct linker_env none = { 0 };
	struct linker_closure c = { 0 };

	if (!env)
		env = &none;
	c.search = NEW(struct linker_search);
	c.search->fs = *fs;
	c.search->cwd = str_dup(env->cwd ? env->cwd : "/");
	if (env->library_path && *env->library_path && !env->secure)
		c.search->library_path = str_dup(env->library_path);
	if (fill(&c, program, env, e) < 0) {
		linker_closure_done(&c);
		return -1;
	}
	*out = c;
	return 0;
}

int linker_add(struct linker_closure *c, size_t by, const char *name, struct err *e)
{
	int r = load(c, by, name, LINKER_DLOPEN, e);

	if (r <= 0)
		return r;
	return load_rest(c, e) < 0 ? -1 : 1;
}

void linker_closure_done(struct linker_closure *c)
{
	arr_each(o, &c->objects) {
		free(o->name);
		free(o->path);
		free(o->real);
		obj_done(&o->obj);
		strs_done(&o->variants);
	}
	arr_done(&c->objects);
	arr_each(m, &c->missing) {
		free(m->name);
		strs_done(&m->searched);
		free(m->unfit);
		free(m->unfit_why);
	}
	arr_done(&c->missing);
	arr_each(l, &c->lacks)
		free(l->version);
	arr_done(&c->lacks);
	if (c->search)
		search_done(c->search);
	free(c->search);
	*c = (struct linker_closure){ 0 };
}
