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

/* Who the caller is and which ids it may use (sandbox/userns.h finds them). */
struct store_ids {
	uint32_t uid, gid;          /* outside of the user namespace */
	uint32_t sub_uid, sub_uid_n; /* mapped to 1.. */
	uint32_t sub_gid, sub_gid_n;
};

struct store_opts {
	const char *root;   /* --root, or NULL: $THIMBLE_ROOT, /var/lib/thimble for root,
			       $XDG_DATA_HOME/thimble, ~/.local/share/thimble */
	bool create;        /* make it if it is not there (else ERR_ABSENT) */
	const struct store_ids *ids; /* of an ordinary user; NULL or sub_uid_n 0: not known, then the
			       range in the stamp is believed. Inside the namespace it is known anyway. */
	/* Enters the user namespace (sandbox/userns.h, which is above this room): called when a snapshot
	 * has to be verified, whose tree a user cannot read from outside. NULL: that is refused then. */
	int (*enter)(struct err *e);
};

/* Opens (makes) the store, checks owner, mode 0700 and stamp (a store of another user, mode or id
 * range is refused with the way to copy its images), takes a lease. Cheap: no scan.
 * May be called before or after the user namespace is entered. */
struct store *store_open(const struct store_opts *o, struct err *e);
void store_close(struct store *s);   /* sweeps too, when that is cheap or wanted: see store_sweep */
/* In a forked child, first thing: lets go of the parent's lease (a child would keep it locked).
 * What the child uses from then on is in a lease of its own. */
void store_after_fork(struct store *s);
/* The same in a child that does not live longer than its parent (PR_SET_PDEATHSIG): it goes on
 * under the parent's lease, so that what it makes is held until the parent ends. `nr`: another one
 * for each child of this process. */
void store_after_fork_within(struct store *s, unsigned nr);
/* A number for such a child that no other child of this process has: from STORE_CHILDREN upwards, for
 * those whose parent does not count its children itself. */
#define STORE_CHILDREN 1000000u
unsigned store_child(struct store *s);
/* Takes the lease now if there is none yet: before such a fork. */
int store_lease(struct store *s, struct err *e) _must_check_;
DEFINE_CLEANUP(struct store, store_close)

const char *store_path(const struct store *s);  /* absolute */
int store_fd(const struct store *s);            /* its root directory, borrowed */
bool store_is_user(const struct store *s);      /* made by an ordinary user: user.overlay.* and an id range */
const struct tree_opts *store_tree_opts(const struct store *s);

/* Says that this process uses something until it ends, so that no prune takes it; say so first,
 * then look whether it is there. Snapshots and blobs do this in the functions below. */
enum store_kind { STORE_SNAPSHOT = 's', STORE_BLOB = 'b', STORE_VOLUME = 'v', STORE_MOUNT = 'm' };
int store_use(struct store *s, enum store_kind kind, const char *name, struct err *e) _must_check_;

/* A new directory tmp/NAME; removed by store_sweep in a later run if its maker died. The name
 * ("tmp/NAME") is the caller's to free. */
char *store_tmp_name(struct store *s, struct err *e); /* the name alone, for a file */
char *store_tmp_dir(struct store *s, int *dirfd, struct err *e);
/* A new file and its name; access: O_RDWR or O_WRONLY. */
char *store_tmp_file(struct store *s, int access, int *fd, struct err *e);
/* O_RDWR descriptor of a file without a name. */
int store_tmp_nameless(struct store *s, struct err *e) _must_check_;
/* Removes something of the store. A child (store_after_fork_within) only moves it out of sight, into
 * tmp/, and its parent's store_close removes it, after the work: some file systems are slow to make
 * files while they remember removed ones. */
int store_discard(struct store *s, const char *path, struct err *e) _must_check_;

/* ---- blobs: immutable bytes under their digest ---- */
struct blob_writer; /* bytes for a blob that is not there yet */
bool blob_has(struct store *s, const struct digest *d); /* and holds it until the process ends */
int blob_open(struct store *s, const struct digest *d, uint64_t *size, struct err *e) _must_check_; /* descriptor */
/* Small blobs (manifests, configs): whole, digest checked, at most MANIFEST_MAX. */
int blob_read(struct store *s, const struct digest *d, struct buf *out, struct err *e) _must_check_;
/* Reads all of one, for who doubts it: ERR_DATA if its bytes are others. It is removed then, so that the
 * next load or pull does not take it for what is there already. */
int blob_check(struct store *s, const struct digest *d, struct err *e) _must_check_;
int blob_put(struct store *s, struct slice bytes, struct digest *out, struct err *e) _must_check_; /* fsynced */
struct blob_writer *blob_begin(struct store *s, struct err *e);
struct sink *blob_sink(struct blob_writer *w);  /* borrowed */
/* want: digest it must have, or NULL; limit of size is the caller's. Frees w in any case. */
int blob_commit(struct blob_writer *w, const struct digest *want, struct digest *got, uint64_t *size,
		struct err *e) _must_check_;
void blob_abort(struct blob_writer *w);
/* Takes over a finished file (dirfd, name) of the store's own file system, whose bytes the caller
 * knows to have this digest: it is renamed, not copied. */
int blob_adopt(struct store *s, int dirfd, const char *name, const struct digest *d, struct err *e) _must_check_;

/* ---- snapshots: a layer as a tree with its index ---- */
#define SNAP_ID 16
struct snap_draft {          /* a snapshot in the making, below tmp/ */
	char *name;          /* "tmp/NAME" relative to the store; NULL: none */
	int dirfd, treefd;   /* NAME/, NAME/tree/ (mode 0755) */
	/* With a diff_id given to snap_commit: the size of the stream, and whether the stream was made
	 * by others, so that tree_write_tar cannot make it again and its blob has to be kept. */
	uint64_t tar_size;
	bool foreign;
};
#define SNAP_DRAFT_INIT { NULL, -1, -1, 0, false }
int snap_begin(struct store *s, struct snap_draft *d, struct err *e) _must_check_;
void snap_abort(struct store *s, struct snap_draft *d); /* removes; fine on an empty or committed one */
/* Publishes tree and index; id is new. diff_id: of its tar stream, or NULL when not known yet. If a
 * snapshot with this diff_id is there already, the draft is dropped and that one's id told.
 * The directory NAME/work, if any, is discarded first. */
int snap_commit(struct store *s, struct snap_draft *d, const struct index *x, const struct digest *diff_id,
		char id[static SNAP_ID], struct err *e) _must_check_;

struct snap {
	char id[SNAP_ID];
	int dirfd, treefd;
	struct digest diff_id;  /* zero: not known */
	uint64_t tar_size;      /* of its stream, when diff_id is known */
	uint64_t size;          /* index_size */
	bool foreign;           /* the stream cannot be made from the tree; the blob below is it */
	struct snap_blob {      /* the layer as it came, kept to be handed on unchanged */
		struct digest digest; /* zero: none */
		uint64_t size;
		char *media_type;
	} blob;
	bool ready;             /* index loaded */
	struct index index;
};
/* Opens and, on the first use in this boot of one that is not marked as on disk, verifies it
 * (design.md "Durability without waiting"). ERR_ABSENT if there is none, ERR_DATA if damaged. */
int snap_open(struct store *s, const char *id, struct snap *out, struct err *e) _must_check_;
int snap_load_index(struct store *s, struct snap *sn, struct err *e) _must_check_;
/* O_RDONLY descriptor of a regular file of the tree. */
int snap_file(const struct snap *sn, const char *path, struct err *e) _must_check_;
void snap_close(struct snap *sn);   /* fine on SNAP_INIT */
#define SNAP_INIT { .dirfd = -1, .treefd = -1 }
/* For cache hits: it is there and fit for use, and is held until the process ends. One small read,
 * but for the first use after a boot, which verifies (as snap_open does; where the namespace cannot
 * be entered, that is left to snap_open). */
bool snap_exists(struct store *s, const char *id);
/* What its record says, without opening tree or index (out->dirfd, treefd stay -1). */
int snap_info(struct store *s, const char *id, struct snap *out, struct err *e) _must_check_;
/* For who finds that its stream is not what it should be: writes down why, so that it is not used any
 * more but made again. Returns -1, and says so in *e (ERR_DATA). */
int snap_set_damaged(struct store *s, const char *id, const char *why, struct err *e);
/* Remembers the blob that this layer came as. */
int snap_set_blob(struct store *s, const char *id, const struct digest *blob, uint64_t size,
		  const char *media_type, struct err *e) _must_check_;
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

/* ---- cache records: small values under a digest ----
 * kind: letters a-z and '-'. Values are at most 1 MiB of text; a damaged or half-written one is as
 * if it were not there. What a value speaks of is kept by prune: every word in it that is the id of
 * a snapshot or the 64 hex digits of a blob counts as a use. */
int cache_get(struct store *s, const char *kind, const struct digest *key, struct buf *out, struct err *e) _must_check_; /* 1, 0, -1 */
int cache_put(struct store *s, const char *kind, const struct digest *key, struct slice value, struct err *e) _must_check_;
/* A digest as the value. What cannot be read is not known. */
bool cache_get_digest(struct store *s, const char *kind, const struct digest *key, struct digest *out);
int cache_put_digest(struct store *s, const char *kind, const struct digest *key, const struct digest *value, struct err *e) _must_check_;

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
/* Moves what nobody uses away under one short lock, then deletes it. As a user: inside the
 * namespace only (files of subordinate ids). */
int store_prune(struct store *s, const struct prune_opts *o, struct prune_result *out, struct err *e) _must_check_;
/* Removes what dead processes left in tmp/ and leases/. Cheap when there is nothing. store_close
 * calls it (after the work: fresh deletes make creates slow, design.md §4), as a user only inside
 * the namespace, where it can. */
int store_sweep(struct store *s, struct err *e) _must_check_;
struct store_usage { uint64_t images, cache, volumes, mounts; unsigned images_n, cache_n, volumes_n; };
int store_usage(struct store *s, struct store_usage *out, struct err *e) _must_check_;
