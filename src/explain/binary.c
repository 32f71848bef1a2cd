/* SPDX-License-Identifier: Apache-2.0 */
/* explain/binary.c: an ELF program: its machine, its loader, its libraries, their versions. */
#include "base/err.h"
#include "base/num.h"
#include "base/path.h"
#include "explain/job.h"
#include <stdio.h>

/* What is being looked at. */
struct binary {
	const char *path, *shown, *base;
	const struct obj *o;
	const struct entry *entry;
};

static char *joined(const struct strs *l, const char *nothing)
{
	return l->n ? strs_join(l, ", ") : str_dup(nothing);
}

/* ---- ways out ---- */

static void mend_static(struct job *j, const struct binary *b)
{
	if (b->o->is_go)
		strs_addf(
			&j->x->mends,
			"link it statically, in the build stage:\nRUN CGO_ENABLED=0 go build -o %s .",
			b->base);
	else
		strs_addf(&j->x->mends,
			  "link it statically, in the build stage:\nRUN %s -static -o %s %s.c",
			  obj_libc(b->o) == LIBC_MUSL ? "musl-gcc" : "gcc", b->base, b->base);
}

/* Files of one directory become one COPY line. */
struct copy_line {
	char *dir;
	struct strs files;
};
struct copy_lines {
	struct copy_line *p;
	size_t n, cap;
};

static void copy_lines_done(struct copy_lines *l)
{
	arr_each(it, l) {
		free(it->dir);
		strs_done(&it->files);
	}
	arr_done(l);
}

static void copy_lines_add(struct copy_lines *l, const char *file)
{
	_free_ char *clean = path_clean(slice_of(file));
	struct slice dir = path_dir(slice_of(clean));
	struct copy_line *line = NULL;

	arr_each(it, l)
		if (slice_is(dir, it->dir))
			line = it;
	if (!line) {
		line = arr_add(l);
		line->dir = slice_dup(dir);
	}
	if (strs_find(&line->files, clean) < 0)
		strs_add(&line->files, clean);
}

static void copy_lines_text(const struct copy_lines *l, const char *stage, struct buf *out)
{
	arr_each(it, l) {
		_free_ char *files = strs_join(&it->files, " ");
		buf_printf(out, "\nCOPY --from=%s %s %s/", stage, files,
			   strcmp(it->dir, "/") == 0 ? "" : it->dir);
	}
}

/* Where Debian keeps what is asked for: for a build stage that nobody can look into now. */
static void guess_files(const struct binary *b, struct copy_lines *l)
{
	const char *triplet = obj_machine_triplet(b->o);

	copy_lines_add(l, b->o->interp);
	if (obj_libc(b->o) == LIBC_MUSL)
		return; /* the loader is the libc; where others lie differs */
	for (size_t i = 0; i < b->o->needed.n; i++) {
		_free_ char *path = str_printf("/lib/%s/%s", triplet ? triplet : "",
					       b->o->needed.p[i]);
		if (!slice_is(path_base(slice_of(b->o->interp)), b->o->needed.p[i]))
			copy_lines_add(l, path);
	}
}

/* What the program loads there and the image does not have. *nowhere: what that one lacks, too. */
static int find_files(struct job *j, const struct binary *b, struct copy_lines *l,
		      struct strs *nowhere, struct err *e)
{
	struct look_linker look = { .fs = &j->from->fs, .program_fs = j->fs, .program = b->path };
	struct linker_fs fs = look_linker_fs(&look);
	struct linker_env env = { .library_path = env_get(&j->cfg->env, "LD_LIBRARY_PATH"),
				  .cwd = j->cwd };
	struct linker_closure c;

	if (linker_closure(&fs, b->path, &env, &c, e) < 0)
		return -1;
	for (size_t i = 1; i < c.objects.n; i++) {
		_free_ char *key = NULL;
		struct view_hit hit;
		int r = look_up(j->fs, c.objects.p[i].path, &key, &hit, e);
		if (r < 0) {
			linker_closure_done(&c);
			return -1;
		}
		if (r == 0)
			copy_lines_add(l, c.objects.p[i].path);
	}
	if (c.uses_cache)
		copy_lines_add(l, "/etc/ld.so.cache");
	if (!c.interp_found)
		strs_add(nowhere, b->o->interp);
	arr_each(m, &c.missing)
		if (!m->optional)
			strs_add(nowhere, m->name);
	linker_closure_done(&c);
	return 0;
}

/* "copy exactly these files" */
static int mend_copy(struct job *j, const struct binary *b, struct err *e)
{
	_cleanup_(copy_lines_done) struct copy_lines lines = { 0 };
	_cleanup_(strs_done) struct strs nowhere = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };

	if (!j->from) {
		guess_files(b, &lines);
		copy_lines_text(&lines, "build", &text);
		strs_addf(
			&j->x->mends,
			"or copy its loader and libraries from the build stage (places as on Debian; "
			"`ldd %s` there tells them):%s",
			b->path, buf_view(&text).p);
		return 0;
	}
	if (find_files(j, b, &lines, &nowhere, e) < 0)
		return -1;
	if (nowhere.n) {
		_free_ char *names = joined(&nowhere, "");
		strs_addf(&j->x->because, "'%s' does not have %s either", j->from->name, names);
	}
	if (lines.n == 0)
		return 0;
	copy_lines_text(&lines, j->from->name, &text);
	strs_addf(&j->x->mends, "or copy exactly these files:%s", buf_view(&text).p);
	return 0;
}

/* Libraries that come with glibc itself, so that busybox:glibc has them. */
static bool only_libc(const struct obj *o)
{
	static const char *const own[] = { "libc.so.",    "libm.so.",  "libpthread.so.",
					   "libdl.so.",   "librt.so.", "libresolv.so.",
					   "libutil.so.", "libnss_",   "ld-linux",
					   "ld64.so." };

	for (size_t i = 0; i < o->needed.n; i++) {
		bool found = false;
		for (size_t k = 0; k < COUNT_OF(own); k++)
			found = found || strncmp(o->needed.p[i], own[k], strlen(own[k])) == 0;
		if (!found)
			return false;
	}
	return true;
}

static void mend_base(struct job *j, const struct binary *b)
{
	switch (obj_libc(b->o)) {
	case LIBC_GLIBC:
		strs_addf(&j->x->mends, "or run it on a base that has glibc%s:\nFROM %s",
			  only_libc(b->o) ? "" : " and more libraries",
			  only_libc(b->o) ? "busybox:glibc" : "debian");
		break;
	case LIBC_MUSL:
		strs_add(&j->x->mends, "or run it on a base that has musl:\nFROM alpine");
		break;
	default: break;
	}
}

/* ---- the loader ---- */

static const char *libc_word(enum obj_libc l)
{
	return l == LIBC_UNKNOWN ? "another libc" : obj_libc_name(l);
}

/* The image has the other libc: which, and what shows it. */
static int tell_wrong_libc(struct job *j, const struct binary *b, enum obj_libc own,
			   const char *file, struct err *e)
{
	enum obj_libc want = obj_libc(b->o);
	_free_ char *os = look_os_name(j->fs);

	(void)job_tell(j, CAUSE_WRONG_LIBC, 127, b->path,
		       str_printf("wrong libc: %s program, %s image", libc_word(want),
				  libc_word(own)),
		       str_printf("'%s' cannot start: it is linked with %s, and the image has %s",
				  b->shown, libc_word(want), libc_word(own)));
	strs_addf(&j->x->because,
		  "'%s' asks for the loader %s, which is that of %s; the image does not have it",
		  b->path, b->o->interp, libc_word(want));
	strs_addf(&j->x->because, "the image has %s: %s%s%s%s", libc_word(own), file,
		  os ? " (" : "", os ? os : "", os ? ")" : "");
	mend_static(j, b);
	if (want == LIBC_GLIBC)
		strs_addf(&j->x->mends, "or build it where musl is:\nRUN musl-gcc -o %s %s.c",
			  b->base, b->base);
	else if (mend_copy(j, b, e) < 0)
		return -1;
	mend_base(j, b);
	return 1;
}

static int tell_no_loader(struct job *j, const struct binary *b, const struct look_libc *have,
			  struct err *e)
{
	_free_ char *needed = joined(&b->o->needed, "no other library");
	const char *file = path_base(slice_of(b->o->interp)).p, *other = NULL;
	enum obj_libc want = obj_libc(b->o);
	char machine[OBJ_MACHINE_LEN];

	(void)job_tell(j, CAUSE_NO_LOADER, 127, b->path, str_printf("no libc (%s)", file),
		       str_printf("'%s' cannot start: its loader %s is not in the image", b->shown,
				  b->o->interp));
	strs_addf(
		&j->x->because,
		"'%s' is linked dynamically (%s, %s): the kernel starts %s, which loads the libraries; without it "
		"the kernel says \"no such file or directory\", though the program is there",
		b->path, libc_word(want),
		obj_machine_name(b->o->machine, b->o->is64, b->o->big_endian, machine),
		b->o->interp);
	strs_addf(&j->x->because, "it needs %s", needed);
	other = want == LIBC_GLIBC ? have->glibc_file : want == LIBC_MUSL ? have->musl_file : NULL;
	if (other)
		strs_addf(&j->x->because,
			  "the image has the loader %s, for other programs or in another place",
			  other);
	mend_static(j, b);
	if (mend_copy(j, b, e) < 0)
		return -1;
	mend_base(j, b);
	return 1;
}

static int check_loader(struct job *j, const struct binary *b, struct err *e)
{
	struct look_libc have = { 0 };
	_free_ char *key = NULL, *at = *b->o->interp == '/'
					       ? str_dup(b->o->interp)
					       : str_printf("%s/%s", j->cwd, b->o->interp);
	struct view_hit hit;
	enum obj_libc want = obj_libc(b->o);
	int r = look_up(j->fs, at, &key, &hit, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	if (look_libc(j->fs, &have, e) < 0)
		return -1;
	if (want == LIBC_GLIBC && have.musl && !have.glibc)
		r = tell_wrong_libc(j, b, LIBC_MUSL, have.musl_file, e);
	else if (want == LIBC_MUSL && have.glibc && !have.musl)
		r = tell_wrong_libc(j, b, LIBC_GLIBC, have.glibc_file, e);
	else
		r = tell_no_loader(j, b, &have, e);
	look_libc_done(&have);
	return r;
}

/* ---- libraries ---- */

static int tell_missing(struct job *j, const struct binary *b, const struct linker_closure *c,
			struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	const struct linker_missing *first = NULL;

	arr_each(m, &c->missing) {
		_cleanup_(strs_done) struct strs same = { 0 };
		if (m->optional)
			continue;
		first = first ? first : m;
		strs_add(&names, m->name);
		if (names.n > 8)
			continue; /* the names are all told, the details of eight are enough */
		_free_ char *where = strs_join(&m->searched, ", ");
		strs_addf(&j->x->because, "'%s' needs %s; looked for it in %s",
			  c->objects.p[m->by].path, m->name,
			  m->searched.n ? where : "the place it names");
		if (m->unfit)
			strs_addf(&j->x->because, "'%s' %s", m->unfit, m->unfit_why);
		look_same_name(j->fs->view, path_base(slice_of(m->name)), false, 1, &same);
		if (same.n && !m->unfit) {
			_free_ char *dir = slice_dup(path_dir(slice_of(same.p[0])));
			strs_addf(
				&j->x->mends,
				"the image has '%s', where the loader does not look; tell it:\nENV LD_LIBRARY_PATH=%s",
				same.p[0], dir);
		}
	}
	if (!first)
		return 0;
	_free_ char *all = joined(&names, "");
	(void)job_tell(j, CAUSE_NO_LIBRARY, 127, b->path,
		       names.n == 1 ? str_printf("no %s", names.p[0])
				    : str_printf("no %s and %zu more", names.p[0], names.n - 1),
		       str_printf("'%s' cannot start: the image lacks %s %s", b->shown,
				  names.n == 1 ? "the library" : "the libraries", all));
	if (j->from && mend_copy(j, b, e) < 0)
		return -1;
	if (!j->from)
		strs_addf(
			&j->x->mends,
			"install the package that has %s, or copy it from the build stage, where\n"
			"ldd %s\ntells its place",
			names.n == 1 ? "it" : "them", b->path);
	mend_static(j, b);
	return 1;
}

/* "GLIBC_2.38" by its numbers, so that 2.4 is below 2.38. */
static uint64_t version_rank(struct slice v)
{
	uint64_t rank = 0;

	for (int i = 0; i < 3; i++) {
		uint64_t n = 0;
		size_t dot = slice_find(v, '.');
		if (num_parse(slice_head(v, dot), 0xfffff, &n) < 0)
			n = 0;
		rank = rank << 20 | n;
		v = slice_from(v, dot < v.n ? dot + 1 : v.n);
	}
	return rank;
}

/* The highest version of the same family that an object defines, or NULL. */
static const char *highest(const struct obj *o, struct slice family)
{
	const char *best = NULL;
	uint64_t rank = 0;

	for (size_t i = 0; i < o->version_defs.n; i++) {
		struct slice v = slice_of(o->version_defs.p[i]);
		/* GLIBC_PRIVATE and the like have no number */
		if (!slice_starts(v, family) || v.n == family.n || v.p[family.n] < '0' ||
		    v.p[family.n] > '9')
			continue;
		uint64_t r = version_rank(slice_from(v, family.n));
		if (!best || r > rank) {
			best = v.p;
			rank = r;
		}
	}
	return best;
}

static struct slice family_of(const char *version)
{
	struct slice v = slice_of(version);
	size_t at = slice_rfind(v, '_');

	return slice_head(v, at < v.n ? at + 1 : v.n);
}

static int tell_old(struct job *j, const struct binary *b, const struct linker_closure *c)
{
	const struct linker_lack *worst = NULL;
	_free_ char *os = look_os_name(j->fs);

	arr_each(l, &c->lacks) {
		struct slice family = family_of(l->version);
		if (!worst ||
		    (slice_eq(family, family_of(worst->version)) &&
		     version_rank(slice_from(slice_of(l->version), family.n)) >
			     version_rank(slice_from(slice_of(worst->version), family.n))))
			worst = l;
	}
	if (!worst)
		return 0;
	const struct linker_object *by = &c->objects.p[worst->by], *of = &c->objects.p[worst->of];
	const char *have = highest(&of->obj, family_of(worst->version));
	(void)job_tell(
		j, CAUSE_OLD_LIBRARY, 1, b->path,
		str_printf("%s is too old: %s is needed", of->name, worst->version),
		str_printf("'%s' cannot start: it was built with a newer %s than the image has",
			   b->shown, of->name));
	strs_addf(&j->x->because, "'%s' needs %s of %s", by->path, worst->version, of->name);
	if (have)
		strs_addf(&j->x->because, "'%s' of the image goes up to %s%s%s%s", of->path, have,
			  os ? " (" : "", os ? os : "", os ? ")" : "");
	else
		strs_addf(&j->x->because, "'%s' of the image does not define it", of->path);
	strs_add(&j->x->mends, "build it on the base it runs on, or an older one");
	strs_add(&j->x->mends, "or run it on a newer base");
	mend_static(j, b);
	return 1;
}

static bool is_secure(const struct entry *ent)
{
	for (size_t i = 0; i < ent->xattrs_n; i++)
		if (strcmp(ent->xattrs[i].name, "security.capability") == 0)
			return true;
	return ent->mode & 06000;
}

static int check_libraries(struct job *j, const struct binary *b, struct err *e)
{
	struct look_linker look = { .fs = j->fs };
	struct linker_fs fs = look_linker_fs(&look);
	struct linker_env env = { .library_path = env_get(&j->cfg->env, "LD_LIBRARY_PATH"),
				  .preload = env_get(&j->cfg->env, "LD_PRELOAD"),
				  .cwd = j->cwd,
				  .secure = is_secure(b->entry) };
	struct linker_closure c;
	_cleanup_(err_done) struct err why = { 0 };
	int r;

	if (linker_closure(&fs, b->path, &env, &c, &why) < 0) {
		if (why.kind == ERR_DATA) /* a damaged library: nothing is sure */
			return 0;
		if (e)
			err_move(e, &why);
		return -1;
	}
	/* what stands in glibc's place (gcompat's loader, a link to musl) has rules of its own */
	bool foreign = c.libc == LIBC_GLIBC && c.objects.n > 1 &&
		       c.objects.p[1].obj.version_defs.n == 0;
	r = foreign ? 0 : tell_missing(j, b, &c, e);
	if (r == 0 && !foreign)
		r = tell_old(j, b, &c);
	linker_closure_done(&c);
	return r;
}

/* ---- the program itself ---- */

static int tell_machine(struct job *j, const struct binary *b, const char *arch)
{
	char name[OBJ_MACHINE_LEN];
	const char *machine = obj_machine_name(b->o->machine, b->o->is64, b->o->big_endian, name);
	const char *own = obj_machine_goarch(b->o);

	(void)job_tell(
		j, CAUSE_WRONG_MACHINE, 126, b->path,
		str_printf("wrong machine: %s program, %s image", machine, arch),
		str_printf("'%s' cannot start: it is a program for %s, and the image is for %s",
			   b->shown, machine, arch));
	strs_addf(&j->x->because,
		  "its ELF header says machine %u; the image's config says architecture '%s'",
		  b->o->machine, arch);
	if (b->o->is_go)
		strs_addf(&j->x->mends,
			  "build it for the image's platform:\nRUN GOARCH=%s go build -o %s .",
			  arch, b->base);
	else
		strs_addf(&j->x->mends, "build it for the image's platform (%s)", arch);
	if (own)
		strs_addf(
			&j->x->mends,
			"or build the image for the program's:\nthimble build --platform linux/%s …",
			own);
	return 1;
}

static int check_kind(struct job *j, const struct binary *b)
{
	bool runs = b->o->kind == OBJ_STATIC || b->o->kind == OBJ_STATIC_PIE ||
		    b->o->kind == OBJ_PROGRAM ||
		    /* a loader, or a static PIE of an old linker, has an entry point */
		    (b->o->kind == OBJ_LIBRARY && (b->o->entry != 0 || b->o->interp));

	if (runs)
		return 0;
	(void)job_tell(j, CAUSE_NOT_A_PROGRAM, 126, b->path,
		       str_printf("%s is no program", b->path),
		       str_printf("'%s' cannot start: it is an ELF %s, not a program", b->shown,
				  obj_kind_name(b->o->kind)));
	if (b->o->kind == OBJ_RELOCATABLE)
		strs_addf(&j->x->mends, "link it (no -c):\nRUN gcc -o %s %s.c", b->base, b->base);
	else
		strs_add(&j->x->mends, "name the program, not one of its parts");
	return 1;
}

static int tell_damaged(struct job *j, const char *path, const char *shown, const char *why)
{
	(void)job_tell(j, CAUSE_NOT_A_PROGRAM, 126, path, str_printf("%s is damaged", path),
		       str_printf("'%s' cannot start: the file is damaged", shown));
	strs_addf(&j->x->because, "%s", why);
	strs_add(&j->x->mends, "copy it again from where it was built; it may have been cut short");
	return 1;
}

int job_binary(struct job *j, const char *path, const char *shown, const struct view_hit *hit,
	       struct err *e)
{
	_cleanup_(obj_done) struct obj o = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	_free_ char *real = str_printf("/%s", hit->entry->path);
	struct binary b = { .path = real,
			    .shown = shown,
			    .base = path_base(slice_of(path)).p,
			    .o = &o,
			    .entry = hit->entry };
	const char *arch = j->cfg->platform.arch;
	int r = look_object(j->fs, hit, &o, &why);

	if (r < 0 && why.kind != ERR_DATA) {
		if (e)
			err_move(e, &why);
		return -1;
	}
	if (r <= 0)
		return tell_damaged(j, path, shown,
				    r < 0 ? why.chain[0] : "it ends within its ELF header");
	if (arch && *arch && !obj_runs_on(&o, arch))
		return tell_machine(j, &b, arch);
	r = check_kind(j, &b);
	if (r != 0 || !o.interp)
		return r;
	r = check_loader(j, &b, e);
	return r != 0 ? r : check_libraries(j, &b, e);
}
