/* SPDX-License-Identifier: Apache-2.0 */
/* registry/client.h: a repository of a registry: OCI distribution-spec v1.1, Docker Registry HTTP
 * API V2. What is asked for is checked before anybody sees it: digests, sizes, media types.
 *
 *	struct registry *r = registry_open(&opts, &ref, REGISTRY_PULL, e);
 *	struct registry_manifest m = { 0 };
 *	if (registry_manifest_get(r, ref_or_digest, &m, e) < 0) …
 *	struct source *in = registry_blob_get(r, &layer, e);
 */
#pragma once
#include "oci/manifest.h"
#include "oci/reference.h"
#include "registry/session.h"

struct registry;
enum registry_use { REGISTRY_PULL, REGISTRY_PUSH }; /* scopes pull; pull,push */

/* No request is sent yet. ref's tag and digest do not matter here. */
struct registry *registry_open(const struct registry_opts *o, const struct reference *ref,
			       enum registry_use use, struct err *e);
void registry_close(struct registry *r);
DEFINE_CLEANUP(struct registry, registry_close)
/* In a forked child, first thing: own connections, tokens stay known. */
void registry_after_fork(struct registry *r);

struct registry_manifest {
	struct buf bytes; /* at most MANIFEST_MAX */
	struct digest digest; /* of the bytes */
	char *media_type; /* as the answer had it, checked against the text */
};
void registry_manifest_done(struct registry_manifest *m);
/* what: a tag, or "sha256:…" which the bytes must have. Mirrors are asked first, and the first that
 * has it serves its blobs too. ERR_ABSENT: the registry has no such tag (with near ones of
 * registry_tags, if it tells) or no such repository. */
int registry_manifest_get(struct registry *r, const char *what, struct registry_manifest *out,
			  struct err *e) _must_check_;
/* HEAD: 1, 0 if it is not there, -1. d->digest, size, media_type are set (the digest by
 * Docker-Content-Digest; without it by a GET). */
int registry_manifest_head(struct registry *r, const char *what, struct descriptor *d,
			   struct err *e) _must_check_;
/* subject: NULL, or what the manifest's subject is; *indexed tells whether the registry keeps the
 * referrers itself (OCI-Subject), else the caller minds the fall-back tag. */
int registry_manifest_put(struct registry *r, const char *what, struct slice bytes,
			  const char *media_type, bool *indexed, struct err *e) _must_check_;

/* HEAD: 1, 0, -1. size may be NULL. */
int registry_blob_has(struct registry *r, const struct digest *d, uint64_t *size, struct err *e)
	_must_check_;
/* The bytes of a blob, d->size of them, as a stream: a broken connection is taken up where it broke
 * (Range), slow answers are asked again; more or other bytes than the descriptor says end it with
 * ERR_DATA. What was read is right only when the end (0) was reached. */
struct source *registry_blob_get(struct registry *r, const struct descriptor *d, struct err *e);
/* Small blobs whole, at most `max` bytes. */
int registry_blob_read(struct registry *r, const struct descriptor *d, size_t max, struct buf *out,
		       struct err *e) _must_check_;
/* Mounts it from another repository of the same registry ("team/base"): 1; 0: it could not, *u is
 * then an upload that was begun instead (or NULL), also where the registry refuses to. -1: only for
 * a signal and the like. */
struct upload;
int registry_blob_mount(struct registry *r, const struct digest *d, const char *from,
			struct upload **u, struct err *e) _must_check_;

/* Bytes that can be read again from any place: files, also while they still grow. */
struct upload_from {
	void *ctx;
	/* Up to n bytes at this offset; waits for them; 0 at the end. Called in the same thread. */
	ssize_t (*pread)(void *ctx, void *p, size_t n, uint64_t at, struct err *e);
	int64_t size; /* -1: not known before the end */
	/* Digest and size, asked once pread has given 0. */
	int (*digest)(void *ctx, struct digest *out, uint64_t *size, struct err *e);
};
/* Uploads a blob (POST, PATCH, PUT; one PUT where the size is known), goes on where a broken
 * connection ended (by the Range of the upload's own GET). u: from a mount that failed, or NULL;
 * taken. sent: called with each count of bytes that left, or NULL. */
int registry_blob_put(struct registry *r, struct upload *u, const struct upload_from *from,
		      void (*sent)(void *ctx, int64_t n), void *ctx, struct err *e) _must_check_;
int registry_blob_put_bytes(struct registry *r, struct slice bytes, struct digest *d,
			    struct err *e) _must_check_;

/* All tags, sorted as the registry has them, followed over pages (at most 100 000). */
int registry_tags(struct registry *r, struct strs *out, struct err *e) _must_check_;
/* Manifests whose subject is d (distribution-spec "Listing Referrers"): the API where there is one
 * (filtered by artifact_type if not NULL; at most 10 000), else the fall-back tag. *api: which it was. */
int registry_referrers(struct registry *r, const struct digest *d, const char *artifact_type,
		       struct image_index *out, bool *api, struct err *e) _must_check_;
/* "sha256-<hex>" */
char *registry_referrers_tag(const struct digest *d);

/* ---- a registry as a whole ---- */

/* GET /v2/ with these credentials (opts->creds or what is known): 0 if it lets us in. */
int registry_ping(const struct registry_opts *o, const char *host, struct err *e) _must_check_;
/* Names of repositories, followed over pages, at most `max`. ERR_ABSENT / ERR_DENIED where the
 * registry does not tell. */
int registry_catalog(const struct registry_opts *o, const char *host, size_t max, struct strs *out,
		     struct err *e) _must_check_;
struct search_row {
	char *name, *description;
	int64_t stars;
	bool official, automated;
};
struct search_rows {
	struct search_row *p;
	size_t n, cap;
};
void search_rows_done(struct search_rows *l);
/* Docker Hub's search (index.docker.io/v1/search); for other hosts the catalogue, filtered. */
int registry_search(const struct registry_opts *o, const char *host, const char *term, size_t max,
		    struct search_rows *out, struct err *e) _must_check_;
