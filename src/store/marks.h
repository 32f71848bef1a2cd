/* SPDX-License-Identifier: Apache-2.0 */
/* store/marks.h: what is in a store, and what of it is used by images, processes and cache records. */
#pragma once
#include "store/internal.h"
#include "store/record.h"

struct thing {
	char *name;
	uint64_t bytes;
	bool image, cache; /* used by an image or by a process; only by a cache record */
	struct snap_record rec;
};
struct things {
	ARRAY_OF(struct thing) list;
	struct map by_name; /* -> index + 1 */
};

struct marks {
	struct store *s;
	struct things snaps, blobs; /* by id; by hex */
	struct map diffs; /* hex of a diff id -> index of a snapshot + 1 */
	struct map leased; /* words of leases */
};

/* All snapshots and blobs, nothing marked; *m is to be ended in any case. */
int marks_list(struct marks *m, struct store *s, struct err *e) _must_check_;
/* The same, and what leases name is marked. With the gate held. */
int marks_begin(struct marks *m, struct store *s, struct err *e) _must_check_;
void marks_done(struct marks *m);

/* Marks an image with all that it consists of. What is damaged is kept, but leads to nothing. */
int marks_manifest(struct marks *m, const struct digest *d, struct err *e) _must_check_;
/* Marks what the records of the cache speak of. */
int marks_cache(struct marks *m, struct err *e) _must_check_;

/* NULL: it is not there. */
struct thing *marks_blob(struct marks *m, const struct digest *d);
/* Part of an id or of a digest in hex. */
bool marks_is_word(char c);
