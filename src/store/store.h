/* SPDX-License-Identifier: Apache-2.0 */
/* store/store.h: what is on disk (design.md §4). One struct store a process. All names that appear
 * are complete: things are born in tmp/ and renamed. Concurrent processes are normal. */
#pragma once
#include "base/array.h"
#include "base/attr.h"
#include "layer/tree.h"
#include "oci/digest.h"

struct err;
struct store;

struct store_opts {
	const char *root;   /* --root, or NULL: $THIMBLE_ROOT, /var/lib/thimble for root,
			       $XDG_DATA_HOME/thimble, ~/.local/share/thimble */
	bool create;        /* make it if it is not there (else ERR_ABSENT) */
};

/* Opens (makes) the store, checks owner, mode 0700 and stamp (a store of another user, mode or id
 * range is refused with the way to copy its images), takes a lease. Cheap: no scan.
 * May be called before or after the user namespace is entered. */
struct store *store_open(const struct store_opts *o, struct err *e);
void store_close(struct store *s);
DEFINE_CLEANUP(struct store, store_close)

const char *store_path(const struct store *s);  /* absolute */
int store_fd(const struct store *s);            /* its root directory, borrowed */
int store_tmp(const struct store *s);           /* tmp/, borrowed */
bool store_is_user(const struct store *s);      /* made by an ordinary user: user.overlay.* and an id range */
const struct tree_opts *store_tree_opts(const struct store *s);

/* A new directory tmp/NAME; removed by store_sweep in a later run if its maker died. The name
 * ("tmp/NAME") is the caller's to free. */
char *store_tmp_dir(struct store *s, int *dirfd, struct err *e);

/* ---- blobs: immutable bytes under their digest ---- */
struct blob_writer; /* bytes for a blob that is not there yet */
bool blob_has(struct store *s, const struct digest *d);
int blob_open(struct store *s, const struct digest *d, uint64_t *size, struct err *e) _must_check_; /* descriptor */
/* Small blobs (manifests, configs): whole, digest checked, at most MANIFEST_MAX. */
int blob_read(struct store *s, const struct digest *d, struct buf *out, struct err *e) _must_check_;
int blob_put(struct store *s, struct slice bytes, struct digest *out, struct err *e) _must_check_; /* fsynced */
struct blob_writer *blob_begin(struct store *s, struct err *e);
struct sink *blob_sink(struct blob_writer *w);  /* borrowed */
/* want: digest it must have, or NULL; limit of size is the caller's. Frees w in any case. */
int blob_commit(struct blob_writer *w, const struct digest *want, struct digest *got, uint64_t *size,
		struct err *e) _must_check_;
void blob_abort(struct blob_writer *w);

/* ---- snapshots: a layer as a tree with its index ---- */
#define SNAP_ID 16
struct snap_draft {          /* a snapshot in the making, below tmp/ */
	char *name;          /* "tmp/NAME" relative to the store; NULL: none */
	int dirfd, treefd;   /* NAME/, NAME/tree/ (mode 0755) */
};
#define SNAP_DRAFT_INIT { NULL, -1, -1 }
int snap_begin(struct store *s, struct snap_draft *d, struct err *e) _must_check_;
void snap_abort(struct store *s, struct snap_draft *d); /* removes; fine on an empty or committed one */
/* Publishes tree and index; id is new. diff_id: of its tar stream, or NULL when not known yet. If a
 * snapshot with this diff_id is there already, the draft is dropped and that one's id told.
 * The directory NAME/work, if any, is removed first. */
int snap_commit(struct store *s, struct snap_draft *d, const struct index *x, const struct digest *diff_id,
		char id[static SNAP_ID], struct err *e) _must_check_;

struct snap {
	char id[SNAP_ID];
	int dirfd, treefd;
	struct digest diff_id;  /* zero: not known */
	uint64_t tar_size;      /* of its stream, when diff_id is known */
	bool ready;             /* index loaded */
	struct index index;
};
/* Opens and, on the first use in this boot of one that is not marked as on disk, verifies it
 * (design.md "Durability without waiting"). ERR_ABSENT if there is none, ERR_DATA if damaged. */
int snap_open(struct store *s, const char *id, struct snap *out, struct err *e) _must_check_;
int snap_load_index(struct store *s, struct snap *sn, struct err *e) _must_check_;
void snap_close(struct snap *sn);
bool snap_exists(struct store *s, const char *id);   /* one stat; for cache hits */
/* Digests and diff id filled in and written down (reads the tree only if they were missing). */
int snap_complete(struct store *s, const char *id, struct digest *diff_id, uint64_t *tar_size,
		  struct err *e) _must_check_;
int snap_by_diff_id(struct store *s, const struct digest *diff_id, char id[static SNAP_ID]); /* 1 or 0 */
/* "snapshots/ID/tree", relative to store_fd. */
#define SNAP_PATH (SNAP_ID + 24)
const char *snap_tree_path(const char *id, char out[static SNAP_PATH]);

/* ---- names ---- */
struct name_record {
	struct digest manifest;  /* zero for a failed build without an earlier image */
	char *failed;            /* error of the last build of this name (err_save bytes, hex), or NULL */
};
void name_record_done(struct name_record *r);
/* `ref` is reference_text's form. */
int name_set(struct store *s, const char *ref, const struct digest *manifest, struct err *e) _must_check_;
int name_set_failed(struct store *s, const char *ref, const struct err *why, struct err *e) _must_check_;
int name_get(struct store *s, const char *ref, struct name_record *out, struct err *e) _must_check_; /* 1, 0, -1 */
int name_del(struct store *s, const char *ref, struct err *e) _must_check_; /* 1 removed, 0 was not there */
int names_list(struct store *s, struct strs *refs, struct err *e) _must_check_; /* sorted */

/* ---- cache records: small values under a digest ---- */
int cache_get(struct store *s, const char *kind, const struct digest *key, struct buf *out, struct err *e) _must_check_; /* 1, 0, -1 */
int cache_put(struct store *s, const char *kind, const struct digest *key, struct slice value, struct err *e) _must_check_;

/* ---- collection ---- */
struct prune_opts {
	bool images;      /* untagged images too are kept unless set */
	bool all;         /* images that have a name and failed records as well: everything unused */
	bool cache;       /* cache records, the snapshots that only they hold, cache mounts */
	bool volumes;     /* volumes not in use */
};
struct prune_result {
	uint64_t bytes;   /* freed, apparent size */
	unsigned snapshots, blobs, names, records, volumes;
	struct strs what; /* a line each: "untagged: …", "deleted: …" as docker prints */
};
int store_prune(struct store *s, const struct prune_opts *o, struct prune_result *out, struct err *e) _must_check_;
/* Removes what dead processes left in tmp/ and leases/. Cheap when there is nothing. */
int store_sweep(struct store *s, struct err *e) _must_check_;
struct store_usage { uint64_t images, cache, volumes, mounts; unsigned images_n, cache_n, volumes_n; };
int store_usage(struct store *s, struct store_usage *out, struct err *e) _must_check_;
