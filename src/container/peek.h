/* SPDX-License-Identifier: Apache-2.0 */
/* container/peek.h: one small file of a stack of layers without loading their indexes, which for a
 * big image takes longer than all else of a run. */
#pragma once
#include "base/attr.h"
#include "base/buf.h"

struct err;

/* Reads DIR/NAME ("etc", "passwd") from layers (descriptors of overlay lower directories, lowest
 * first) as overlay would show it.
 * 1: it is in *out. 0: it is not there. -1: error. 2: a link or another oddity stands in the way, and
 * the image's view (store/image.h) must tell. */
int peek_file(const int *trees, size_t n, const char *dir, const char *name, bool is_user, size_t max,
	      struct buf *out, struct err *e) _must_check_;
