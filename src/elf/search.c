/* SPDX-License-Identifier: Apache-2.0 */
#include "elf/search.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"

#define LOADER_MAX    (16u << 20)
#define PATH_FILE_MAX 65536u
#define VARIANTS_MAX  64u

/* ---- the loader's own strings ---- */

/* Length of a directory name with a slash at each end, as glibc writes its built-in ones
 * ("/lib/x86_64-linux-gnu/"), at the start of s and ended by NUL; else 0. */
static size_t dir_string(struct slice s)
{
	const char *end = s.n ? memchr(s.p, 0, s.n) : NULL;
	struct slice d = { s.p, end ? (size_t)(end - s.p) : 0 };

	if (d.n < 5 || d.n > 200 || d.p[0] != '/' || d.p[d.n - 1] != '/')
		return 0;
	for (size_t i = 0; i < d.n; i++)
		if (d.p[i] <= ' ' || d.p[i] > '~')
			return 0;
	return slice_search(d, SL("lib")) < d.n ? d.n : 0;
}

/* glibc's `system_dirs` (elf/dl-load.c, from the generated trusted-dirs.h): names one after the
 * other. The first such run is taken. */
static void find_system_dirs(struct slice loader, struct strs *out)
{
	for (size_t at = 0; at < loader.n && out->n == 0; at++) {
		if (loader.p[at] != '/' || (at > 0 && loader.p[at - 1] != 0))
			continue;
		size_t n;
		while (out->n < 16 && (n = dir_string(slice_from(loader, at))) > 0) {
			strs_take(out, str_ndup(loader.p + at, n - 1));
			at += n + 1;
		}
	}
}

static void usual_dirs(const struct obj *head, struct strs *out)
{
	const char *triplet = obj_machine_triplet(head);

	if (triplet) {
		strs_addf(out, "/lib/%s", triplet);
		strs_addf(out, "/usr/lib/%s", triplet);
	}
	if (head->is64) {
		strs_add(out, "/lib64");
		strs_add(out, "/usr/lib64");
	}
	strs_add(out, "/lib");
	strs_add(out, "/usr/lib");
}

/* A regular file of the image, if it is there: 1, 0, -1. */
static int read_file(const struct linker_fs *fs, const char *path, size_t max, struct buf *out,
		     struct err *e)
{
	_free_ char *real = NULL;
	enum linker_type type;
	int r = fs->resolve(fs->ctx, path, &real, &type, e);

	if (r <= 0 || type != LINKER_FILE)
		return r < 0 ? -1 : 0;
	_close_ int fd = fs->open(fs->ctx, real, e);
	if (fd < 0)
		return -1;
	out->max = max;
	return fd_slurp(fd, out, path, e) < 0 ? -1 : 1;
}

/* $LIB is DL_DST_LIB, which is the first built-in directory without its prefix. */
static char *lib_token(const struct strs *dirs)
{
	struct slice first = slice_of(dirs->n ? dirs->p[0] : "/lib");

	if (slice_starts(first, SL("/usr/")))
		return slice_dup(slice_from(first, 5));
	return slice_starts(first, SL("/lib")) ? slice_dup(slice_from(first, 1)) : str_dup("lib");
}

static const char *platform_token(const struct obj *o)
{
	switch (o->machine) {
	case EM_X86_64: return "x86_64";
	case EM_386: return "i686";
	case EM_AARCH64: return "aarch64";
	case EM_ARM: return "v7l";
	default: return "";
	}
}

static int begin_glibc(struct linker_search *s, const struct obj *head, const char *interp,
		       struct err *e)
{
	_cleanup_(buf_done) struct buf loader = { 0 };
	int r;

	if (interp && read_file(&s->fs, interp, LOADER_MAX, &loader, e) < 0)
		return -1;
	find_system_dirs(buf_view(&loader), &s->defaults);
	if (s->defaults.n == 0)
		usual_dirs(head, &s->defaults);
	s->lib = lib_token(&s->defaults);
	s->platform = str_dup(platform_token(head));

	r = read_file(&s->fs, "/etc/ld.so.cache", LDCACHE_MAX, &s->cache_bytes, e);
	if (r < 0)
		return -1;
	/* ld.so goes on without a cache that it cannot read, so does this */
	s->has_cache = r > 0 && ldcache_open(buf_view(&s->cache_bytes), &s->cache, NULL) == 0;
	return 0;
}

/* musl, ldso/dynlink.c, load_library: the file's prefix is what stands before the loader's last
 * two components. Names are separated by ':' or newlines. */
static char *musl_path_file(const char *interp)
{
	struct slice base = path_base(slice_of(interp)), dir = path_dir(slice_of(interp)), prefix;
	size_t dot;

	if (!slice_starts(base, SL("ld-musl-")))
		return NULL;
	base = slice_from(base, strlen("ld-musl-"));
	dot = slice_search(base, SL(".so"));
	prefix = path_dir(dir);
	if (slice_is(prefix, "/") || slice_is(prefix, "."))
		prefix = SL("");
	return str_printf("%.*s/etc/ld-musl-%.*s.path", SLF(prefix), (int)dot, base.p);
}

static int begin_musl(struct linker_search *s, const char *interp_name, struct err *e)
{
	_cleanup_(buf_done) struct buf text = { 0 };
	_free_ char *name = interp_name ? musl_path_file(interp_name) : NULL;
	struct slice rest = SL("/lib:/usr/local/lib:/usr/lib"), line, dir;
	int r = name ? read_file(&s->fs, name, PATH_FILE_MAX, &text, e) : 0;

	if (r < 0)
		return -1;
	if (r > 0)
		rest = buf_view(&text);
	while (slice_split(&rest, '\n', &line))
		while (slice_split(&line, ':', &dir))
			if (dir.n)
				strs_take(&s->defaults, slice_dup(dir));
	return 0;
}

int search_begin(struct linker_search *s, enum obj_libc libc, const struct obj *head,
		 const char *interp_name, const char *interp, struct err *e)
{
	return libc == LIBC_MUSL ? begin_musl(s, interp_name, e) : begin_glibc(s, head, interp, e);
}

void search_done(struct linker_search *s)
{
	free(s->library_path);
	free(s->cwd);
	free(s->lib);
	free(s->platform);
	strs_done(&s->defaults);
	buf_done(&s->cache_bytes);
	map_each(it, &s->dirs)
	{
		struct search_dir *d = it->value;
		strs_done(&d->variants);
		free(d);
	}
	map_done(&s->dirs);
	map_done(&s->names);
	map_done(&s->reals);
	map_done(&s->failed);
}

/* ---- tokens: ld.so(8), "Dynamic string tokens" ---- */

/* "NAME" or "{NAME}" at the start of s (what follows the '$'): its length, or 0. */
static size_t token(struct slice s, const char *name)
{
	size_t n = strlen(name);
	bool curly = s.n > 0 && s.p[0] == '{';

	if (curly)
		s = slice_from(s, 1);
	if (!slice_starts(s, slice_of(name)))
		return 0;
	if (!curly)
		return n;
	return s.n > n && s.p[n] == '}' ? n + 2 : 0;
}

char *search_expand(const struct linker_search *s, enum obj_libc libc, struct slice dir,
		    const char *object)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct slice origin = path_dir(slice_of(object));

	if (dir.n == 0 || (dir.p[0] != '/' && dir.p[0] != '$')) {
		buf_str(&b, s->cwd);
		buf_char(&b, '/');
	}
	for (size_t i = 0; i < dir.n; i++) {
		struct slice rest = slice_from(dir, i + 1);
		size_t n;
		if (dir.p[i] != '$') {
			buf_char(&b, dir.p[i]);
			continue;
		}
		if ((n = token(rest, "ORIGIN")) > 0)
			buf_slice(&b, origin);
		else if (libc == LIBC_MUSL)
			return NULL;
		else if ((n = token(rest, "LIB")) > 0)
			buf_str(&b, s->lib);
		else if ((n = token(rest, "PLATFORM")) > 0)
			buf_str(&b, s->platform);
		else
			buf_char(&b, '$');
		i += n;
	}
	while (b.len > 1 && b.p[b.len - 1] == '/')
		b.p[--b.len] = 0;
	return buf_take(&b);
}

/* ---- directories ---- */

static int is_dir(const struct linker_fs *fs, const char *path, char **real, struct err *e)
{
	enum linker_type type;
	int r = fs->resolve(fs->ctx, path, real, &type, e);

	return r > 0 && type != LINKER_DIR ? 0 : r;
}

/* glibc >= 2.33: every directory below glibc-hwcaps. */
static int find_hwcaps(const struct linker_fs *fs, const char *dir, struct search_dir *out,
		       struct err *e)
{
	_free_ char *path = str_printf("%s/glibc-hwcaps", dir), *real = NULL;
	struct strs names = { 0 };
	int r = is_dir(fs, path, &real, e);

	if (r <= 0)
		return r;
	if (fs->list(fs->ctx, real, &names, e) < 0)
		return -1;
	strs_sort(&names);
	for (size_t i = 0; i < names.n && out->variants.n < VARIANTS_MAX; i++)
		strs_addf(&out->variants, "glibc-hwcaps/%s", names.p[i]);
	strs_done(&names);
	return 0;
}

/* glibc <= 2.36: dl_platform and hwcap names, nested in any selection of them. */
static int find_legacy(const struct linker_fs *fs, const char *dir, const char *below, int depth,
		       struct search_dir *out, struct err *e)
{
	static const char *const names[] = { "tls",  "haswell", "xeon_phi", "avx512_1", "x86_64",
					     "i686", "i586",    "sse2",     "nosegneg", "atomics",
					     "v7l",  "neon",    "vfp" };

	for (size_t i = 0; i < COUNT_OF(names) && out->variants.n < VARIANTS_MAX; i++) {
		_free_ char *sub = str_printf("%s%s%s", below, *below ? "/" : "", names[i]);
		_free_ char *path = str_printf("%s/%s", dir, sub), *real = NULL;
		int r = is_dir(fs, path, &real, e);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		strs_add(&out->variants, sub);
		if (depth < 3 && find_legacy(fs, dir, sub, depth + 1, out, e) < 0)
			return -1;
	}
	return 0;
}

int search_look(struct linker_search *s, enum obj_libc libc, const char *dir,
		const struct search_dir **out, struct err *e)
{
	struct search_dir *d = map_get(&s->dirs, slice_of(dir));

	if (!d) {
		_free_ char *real = NULL;
		int r = is_dir(&s->fs, dir, &real, e);
		if (r < 0)
			return -1;
		d = NEW(struct search_dir);
		d->exists = r > 0;
		(void)map_put(&s->dirs, slice_of(dir), d);
		if (d->exists && libc != LIBC_MUSL &&
		    (find_hwcaps(&s->fs, dir, d, e) < 0 ||
		     find_legacy(&s->fs, dir, "", 1, d, e) < 0))
			return -1;
	}
	*out = d;
	return 0;
}

bool search_is_default(const struct linker_search *s, struct slice path)
{
	struct slice dir = path_dir(path);

	for (size_t i = 0; i < s->defaults.n; i++)
		if (slice_is(dir, s->defaults.p[i]))
			return true;
	return false;
}
