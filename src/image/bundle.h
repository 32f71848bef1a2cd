/* SPDX-License-Identifier: Apache-2.0 */
/* image/bundle.h: a set of files that holds images: an OCI layout directory, or an archive (tar,
 * compressed as a whole or not, from a stream). An archive's files are spooled into the store's
 * tmp/ under numbers; their names are only keys, so no name in an archive can lead anywhere. In a
 * directory nothing outside of it is opened, whatever links it holds.
 *
 * Names are keys (base/path.h, path_key): "blobs/sha256/0123…". */
#pragma once
#include "store/store.h"

struct source;
struct bundle;

/* `what` names it in messages. Reads all of `in` (borrowed). */
struct bundle *bundle_from_stream(struct store *s, struct source *in, const char *what,
				  struct err *e);
struct bundle *bundle_from_dir(struct store *s, const char *path, const char *what, struct err *e);
/* A directory or an archive, compressed as a whole or not. path NULL: fd, a stream. */
struct bundle *bundle_from_path(struct store *s, int fd, const char *path, const char *what,
				struct err *e);
void bundle_close(struct bundle *b); /* removes what was spooled */
DEFINE_CLEANUP(struct bundle, bundle_close)

bool bundle_has(struct bundle *b, const char *name);
/* A regular file for reading; *size may be NULL. ERR_DATA if it is not there ("the archive has no
 * …") or not regular. Links inside are followed. */
int bundle_open(struct bundle *b, const char *name, uint64_t *size, struct err *e) _must_check_;
/* All of a small file. */
int bundle_read(struct bundle *b, const char *name, size_t max, struct buf *out, struct err *e)
	_must_check_;
/* Digest of a file's bytes: known for archives, else read for it. */
int bundle_digest(struct bundle *b, const char *name, struct digest *out, struct err *e)
	_must_check_;
/* Makes a file a blob of the store: renamed if it was spooled, else copied. ERR_DATA if its bytes
 * do not have this digest. The file can be opened afterwards as before. */
int bundle_to_blob(struct bundle *b, const char *name, const struct digest *want, struct err *e)
	_must_check_;
