/* SPDX-License-Identifier: Apache-2.0 */
/* store/ctxcache.h: content digests of build context files, remembered by (device, inode, size,
 * mtime, ctime) with git's rule for racy files: an entry as young as its own record is not
 * believed. One file a context directory; rewritten only when something changed. */
#pragma once
#include <sys/stat.h>
#include "store/store.h"

struct ctxcache;
struct ctxcache *ctxcache_open(struct store *s, const char *context_path); /* never fails: starts empty */
bool ctxcache_get(struct ctxcache *c, const struct stat *st, struct digest *out);
void ctxcache_put(struct ctxcache *c, const struct stat *st, const struct digest *d);
void ctxcache_save_close(struct ctxcache *c); /* a failure to save is only logged: it is a cache */
