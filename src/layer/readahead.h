/* SPDX-License-Identifier: Apache-2.0 */
/* layer/readahead.h: a source read by a thread of its own, so that inflating goes on while what
 * came before is hashed and written. At most 1 MiB is kept ahead. */
#pragma once
#include "base/stream.h"

/* `in` is borrowed and belongs to the thread until source_close, which waits for it. If no thread
 * can be started the bytes come all the same. */
struct source *source_readahead(struct source *in);
