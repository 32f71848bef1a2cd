/* SPDX-License-Identifier: Apache-2.0 */
/* elf/linker.h: which files the dynamic linker would load for a program, told without running
 * anything. The file system is a set of callbacks, so it can be an image, a stage, a directory.
 * Rules: ld.so(8), gABI chapter 5 "Shared Object Dependencies", glibc's elf/dl-load.c (2.31 to
 * 2.41), musl's ldso/dynlink.c (1.2).
 *
 *	struct linker_fs fs = { .resolve = …, .open = …, .list = …, .ctx = … };
 *	struct linker_env env = { .library_path = "/opt/lib" };
 *	struct linker_closure c;
 *	if (linker_closure(&fs, "/usr/bin/git", &env, &c, e) < 0) return -1;
 *	arr_each(o, &c.objects) …  arr_each(m, &c.missing) …
 *	linker_closure_done(&c);
 *
 * glibc and musl part ways in the search (closure.md §3); which rules hold is told by the
 * program's PT_INTERP. Sonames that are already loaded match first, objects load breadth-first.
 * $ORIGIN of a library is the directory of the path it was found by, links *not* resolved, as both
 * linkers do it; that of the program is resolved (the kernel's /proc/self/exe). */
#pragma once
#include "elf/obj.h"

#define LINKER_OBJECTS_MAX 4096u /* in one closure */

enum linker_type { LINKER_FILE, LINKER_DIR, LINKER_OTHER };

struct linker_fs {
	void *ctx;
	/* Follows all links of an absolute path inside the image. 1: *real (the caller's to free,
	 * absolute, free of links) and *type; 0: not there (a loop, or a parent that is no
	 * directory, too); -1. */
	int (*resolve)(void *ctx, const char *path, char **real, enum linker_type *type, struct err *e);
	/* O_RDONLY descriptor of a regular file by its real path; -1. */
	int (*open)(void *ctx, const char *real, struct err *e);
	/* Names in a directory by its real path, in any order. */
	int (*list)(void *ctx, const char *real, struct strs *names, struct err *e);
};

struct linker_env {
	const char *library_path; /* LD_LIBRARY_PATH, or NULL */
	const char *preload;      /* LD_PRELOAD, or NULL */
	const char *cwd;          /* for relative paths; NULL: "/" */
	bool secure;              /* setuid, or file capabilities: AT_SECURE, environment is ignored */
};

/* Which step of the search found it. */
enum linker_how {
	LINKER_IS_PROGRAM,
	LINKER_IS_INTERP,    /* PT_INTERP: opened by the kernel */
	LINKER_BY_PATH,      /* the name had a '/' */
	LINKER_BY_RPATH,
	LINKER_BY_ENV,       /* LD_LIBRARY_PATH */
	LINKER_BY_RUNPATH,
	LINKER_BY_CACHE,     /* ld.so.cache */
	LINKER_BY_DEFAULT,   /* built-in directories, or those of /etc/ld-musl-ARCH.path */
};
const char *linker_how_text(enum linker_how how); /* "found through ld.so.cache" */

enum linker_edge {
	LINKER_NEEDED,
	LINKER_FILTER,
	LINKER_AUXILIARY,    /* may be missing */
	LINKER_PRELOADED,    /* LD_PRELOAD, /etc/ld.so.preload; may be missing */
	LINKER_DLOPEN,       /* by linker_add */
};

struct linker_object {
	char *name;          /* as it was asked for (soname, path) */
	char *path;          /* as the linker opened it */
	char *real;          /* the same without links */
	size_t by;           /* index of the object that asked first; 0 for program and interpreter */
	enum linker_edge edge;
	enum linker_how how;
	struct obj obj;
	struct strs variants;/* the same name for other processors (glibc-hwcaps, tls/, haswell/ …) */
	bool only_variant;   /* path is one of those: not every processor finds it */
};

struct linker_missing {
	char *name;
	size_t by;           /* index of the object that asks */
	enum linker_edge edge;
	bool optional;       /* the program starts without it */
	struct strs searched;/* directories in the order of the search; "ld.so.cache" stands for the cache */
	char *unfit;         /* a file of this name that was found but cannot be loaded, or NULL */
	char *unfit_why;     /* "is for aarch64" … */
};

/* A version that a loaded object asks for and its provider does not define. */
struct linker_lack {
	size_t by, of;       /* who asks, of which object */
	char *version;       /* "GLIBC_2.38" */
};

struct linker_closure {
	enum obj_libc libc;  /* whose rules hold; LIBC_UNKNOWN for a static program */
	bool interp_found;   /* PT_INTERP is there (true if there is none) */
	ARRAY_OF(struct linker_object) objects; /* [0] the program, [1] the interpreter if found, then in load order */
	ARRAY_OF(struct linker_missing) missing;
	ARRAY_OF(struct linker_lack) lacks;
	bool uses_cache;     /* ld.so.cache gave a path that the built-in directories would not have given */
	/* for linker_add */
	struct linker_search *search;
};

/* 0, also when things are missing; -1: the program is not there or no ELF object (ERR_USER,
 * ERR_DATA), or reading failed. Without the interpreter the search goes on with the rules its name
 * stands for and the usual directories of its machine, so that what else is missing is told too.
 * `fs` must live as long as *out. */
int linker_closure(const struct linker_fs *fs, const char *program, const struct linker_env *env,
		   struct linker_closure *out, struct err *e) _must_check_;
/* As if objects[by] called dlopen(name): adds it and what it needs. 1 found (or there already),
 * 0 not found (told in `missing`, optional), -1. */
int linker_add(struct linker_closure *c, size_t by, const char *name, struct err *e) _must_check_;
void linker_closure_done(struct linker_closure *c);

/* linker_fs over a directory of this machine: ctx is `int *rootfd`. For tests and for root file
 * systems that are no images. */
struct linker_fs linker_fs_dir(int *rootfd);
