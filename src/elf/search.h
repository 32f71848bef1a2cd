/* SPDX-License-Identifier: Apache-2.0 */
/* elf/search.h: where linkers look (elf/linker.c decides what they look for). Not for others. */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "elf/ldcache.h"
#include "elf/linker.h"

/* A directory that was looked at: whether it is there, and what is below it for some processors. */
struct search_dir {
	bool exists;
	struct strs variants; /* "glibc-hwcaps/x86-64-v3", "tls", "haswell/x86_64" … */
};

struct linker_search {
	struct linker_fs fs;
	char *library_path, *cwd; /* library_path NULL: none */
	struct strs defaults;     /* built-in directories, no '/' at the end */
	char *lib, *platform;     /* $LIB, $PLATFORM */
	struct buf cache_bytes;
	bool has_cache;
	struct ldcache cache;
	struct map dirs;          /* path -> struct search_dir */
	struct map names;         /* name or soname -> number of the object + 1 */
	struct map reals;         /* real path -> number of the object + 1 */
	struct map failed;        /* names that were not found */
	size_t next;              /* first object whose needs are not loaded yet */
};

/* Reads what the search needs to know about this image: built-in directories out of the loader
 * (`interp`: its real path or NULL), the cache or the path file. `head`: the program. */
int search_begin(struct linker_search *s, enum obj_libc libc, const struct obj *head, const char *interp_name,
		 const char *interp, struct err *e) _must_check_;
void search_done(struct linker_search *s);

/* dir with $ORIGIN, $LIB, $PLATFORM replaced and made absolute; NULL if it cannot be. The caller
 * frees. musl knows $ORIGIN only and drops a list that has another token. */
char *search_expand(const struct linker_search *s, enum obj_libc libc, struct slice dir, const char *object);
/* Never NULL; remembered. -1 only if reading fails. */
int search_look(struct linker_search *s, enum obj_libc libc, const char *dir, const struct search_dir **out,
		struct err *e) _must_check_;
bool search_is_default(const struct linker_search *s, struct slice path);
