/* SPDX-License-Identifier: Apache-2.0 */
/* elf/linker_in.h: what loading and finding share. */
#pragma once
#include "elf/linker.h"
#include "elf/search.h"

/* One name being looked for. */
struct want {
	const char *name;
	size_t by;
	enum linker_edge edge;
	struct strs searched;
	char *unfit, *unfit_why;
	bool stop; /* an unfit file that ends the search */
	/* when found: */
	size_t have; /* number of an object that is there already + 1 */
	char *path, *real;
	struct obj obj;
	enum linker_how how;
	struct strs variants;
	bool only_variant;
};

void want_done(struct want *w);
/* The rules of c->libc. 1: found, *w tells what; 0: nowhere; -1. */
int want_find(struct linker_closure *c, struct want *w, struct err *e) _must_check_;

/* 1: an ELF object; 0: a file that is none, *why tells; -1: it cannot be read. */
int linker_open(const struct linker_fs *fs, const char *real, struct obj *out, char **why,
		struct err *e) _must_check_;
/* True if the missing loader would answer this name itself. */
bool linker_is_loader_name(const struct linker_closure *c, const char *name);
