/* SPDX-License-Identifier: Apache-2.0 */
/* store/ctxcache.h: content digests of build context files, remembered by (device, inode, size,
 * mtime, ctime) with git's rule for racy files: an entry as young as its own record is not
 * believed. One file a context directory; rewritten only when something changed. */
#pragma once
#include <sys/stat.h>
#include "store/store.h"

struct ctxcache;
struct ctxcache *ctxcache_open(struct store *s, const char *context_path); /* never fails: starts empty */
/* The digest of this file, or NULL; it lasts as long as the cache is open. *plain: it had no extended
 * attributes then, and has none now if its file system moves ctime when they are set. */
const struct digest *ctxcache_find(struct ctxcache *c, const struct stat *st, bool *plain);
void ctxcache_put(struct ctxcache *c, const struct stat *st, const struct digest *d, bool plain);
void ctxcache_save_close(struct ctxcache *c); /* a failure to save is only logged: it is a cache */
