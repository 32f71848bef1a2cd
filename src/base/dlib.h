/* SPDX-License-Identifier: Apache-2.0 */
/* base/dlib.h: libraries that are opened on first use, since they are slow to start or seldom wanted
 * (design.md §3). An ELF .note.dlopen note (UAPI group, "ELF dlopen metadata") says which, so that
 * packagers and our own shrinker see them. One table of functions, two bindings: with
 * -DDLIB_LINKED (the static build) the table holds the linked functions and nothing is opened.
 *
 *	static struct { DLIB_FN(curl_easy_init); … } curl;
 *	static const struct dlib_fn fns[] = { DLIB_BIND(curl, curl_easy_init), … };
 *	DLIB_NOTE("http", "registries", "recommended", "libcurl.so.4");
 *	if (dlib_open("libcurl.so.4", "libcurl4", fns, COUNT_OF(fns), e) < 0) return -1;
 *	curl.curl_easy_init(); */
#pragma once
#include <stddef.h>

#include "base/attr.h"

struct err;

struct dlib_fn {
	const char *name;
	void *slot; /* of a function pointer */
	void *linked; /* with DLIB_LINKED */
};
#define DLIB_FN(fn) __typeof__(fn) *fn
#ifdef DLIB_LINKED
#define DLIB_BIND(table, fn)                 \
	{                                    \
#fn, &(table).fn, (void *)fn \
	}
#else
#define DLIB_BIND(table, fn)           \
	{                              \
#fn, &(table).fn, NULL \
	}
#endif

/* Fills the table; a second call with the same table is cheap but not free: ask once. The library is
 * never closed. ERR_ABSENT names the library and the Debian package to install; ERR_DATA: it lacks a
 * function. */
int dlib_open(const char *soname, const char *package, const struct dlib_fn *fns, size_t n,
	      struct err *e) _must_check_;

#define DLIB_JSON_(feature, text, priority, soname)                                           \
	"[{\"feature\":\"" feature "\",\"description\":\"" text "\",\"priority\":\"" priority \
	"\",\"soname\":[\"" soname "\"]}]"
#define DLIB_CONCAT_(a, b) a##b
#define DLIB_NAME_(line)   DLIB_CONCAT_(dlib_note_, line)
/* priority: "required", "recommended" or "suggested". Once a line of a file. */
#ifdef DLIB_LINKED
#define DLIB_NOTE(feature, text, priority, soname) \
	_Static_assert(sizeof(soname) > 1, "a library has a name")
#else
#define DLIB_NOTE(feature, text, priority, soname)                                           \
	__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {     \
		struct {                                                                     \
			unsigned namesz, descsz, type;                                       \
		} head;                                                                      \
		char name[4];                                                                \
		__attribute__((aligned(                                                      \
			4))) char desc[sizeof(DLIB_JSON_(feature, text, priority, soname))]; \
	} DLIB_NAME_(__LINE__) = {                                                           \
		{ 4, sizeof(DLIB_JSON_(feature, text, priority, soname)), 0x407c0c0a },      \
		"FDO",                                                                       \
		DLIB_JSON_(feature, text, priority, soname),                                 \
	}
#endif
