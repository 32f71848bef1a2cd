/* SPDX-License-Identifier: Apache-2.0 */
/* image/multi.h: an index in the making: images of the store and of registries under one name, until
 * it is pushed. Kept by store/lists.h. */
#pragma once
#include "image/copy.h"
#include "image/locator.h"
#include "store/store.h"

struct multi_member {
	char *name; /* as it was said: "hello:arm", for annotate */
	char *from; /* a locator: "thimble:sha256:…", "docker://host/path@sha256:…" */
	struct descriptor desc; /* of its manifest there; platform and annotations as in the index */
};
struct multi {
	struct reference ref;
	ARRAY_OF(struct multi_member) members;
};
void multi_done(struct multi *m);
/* 1, 0 if there is none of this name (m->ref is set), -1. */
int multi_load(struct store *s, const char *name, struct multi *out, struct err *e) _must_check_;
int multi_save(struct store *s, const struct multi *m, struct err *e) _must_check_;
/* An image of the store, else of a registry; "docker://…" is always the latter. Of an index all that it
 * names. What is there with the same digest is replaced. */
int multi_add(struct store *s, struct multi *m, const char *image,
	      const struct registry_opts *registry, struct err *e) _must_check_;
/* By the name that was given to multi_add, or a digest. NULL: ERR_ABSENT, with those there are; of
 * several of one name: ERR_USER. Borrowed. */
struct multi_member *multi_find(struct multi *m, const char *what, struct err *e);
/* The index as it is known here: images that thimble made have another digest once they go out. */
void multi_index(const struct multi *m, struct image_index *out);
/* To a registry, a layout, an archive or a directory: first what it lacks of the images, then the index
 * on top. o: format, compression, events and registries count. */
int multi_push(struct store *s, const struct multi *m, const struct locator *to,
	       const struct image_copy_opts *o, struct image_copied *out, struct err *e)
	_must_check_;
