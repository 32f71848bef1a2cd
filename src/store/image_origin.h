/* SPDX-License-Identifier: Apache-2.0 */
/* store/image_origin.h: where an image was pulled from or pushed to (docker's RepoDigests), and which
 * repositories have a blob (for mounts from one to another). Notes: they keep nothing alive, and a
 * lost one costs only what it saves. */
#pragma once
#include "base/array.h"
#include "store/store.h"

/* repo: "docker.io/library/gcc"; digest: what that name's tag stood for there: the manifest that went
 * over the wire, or the index that chose it. */
int image_origin_add(struct store *s, const struct digest *manifest, const char *repo,
		     const struct digest *digest, struct err *e) _must_check_;
/* "docker.io/library/gcc@sha256:…", oldest first. Nothing known: none. */
void image_origins(struct store *s, const struct digest *manifest, struct strs *out);

/* repo has this blob. At most the last 16 are kept. */
int blob_place_add(struct store *s, const struct digest *blob, const char *repo, struct err *e)
	_must_check_;
void blob_places(struct store *s, const struct digest *blob, struct strs *repos); /* newest last */
