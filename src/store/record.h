/* SPDX-License-Identifier: Apache-2.0 */
/* store/record.h: snapshots/ID/record, what the store knows about a snapshot besides its index.
 * Lines "key value", the last one "end": it is not fsynced, and a short one has to show. */
#pragma once
#include "store/internal.h"

struct snap_record {
	struct digest diff_id; /* zero: not known */
	uint64_t tar_size, size;
	bool complete; /* the index has all digests */
	bool on_disk; /* was read and found right in a later boot than that of its making */
	bool foreign;
	char *boot; /* boot id of its making */
	char *damaged; /* what is wrong with it, or NULL */
	struct snap_blob blob;
};
void snap_record_done(struct snap_record *r);
/* 1, 0 if there is no such snapshot, -1 (ERR_DATA: its record is damaged). */
int snap_record_read(struct store *s, const char *id, struct snap_record *out, struct err *e)
	_must_check_;
/* `at`: path of the snapshot's directory, relative to the store. */
int snap_record_write(struct store *s, const char *at, const struct snap_record *r, struct err *e)
	_must_check_;
/* Into a draft, which has none. */
int snap_record_write_new(struct store *s, const char *at, const struct snap_record *r,
			  struct err *e) _must_check_;
/* What this process remembers of the record; of all records. */
void snap_record_forget(struct store *s, const char *id);
void snap_records_forget(struct store *s);
