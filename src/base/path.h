/* SPDX-License-Identifier: Apache-2.0 */
/* base/path.h: paths as text. No file is looked at. */
#pragma once
#include <stdbool.h>
#include "base/slice.h"

/* Lexically clean as Go's path.Clean: no "//", ".", inner ".."; ".." above "/" vanishes;
 * "" gives ".". The caller frees. */
char *path_clean(struct slice p);
/* b if it is absolute, else a/b; cleaned. */
char *path_join(struct slice a, struct slice b);
struct slice path_base(struct slice p); /* last component without trailing slashes; "/" for "/" */
struct slice path_dir(struct slice p);  /* what is before it, "." or "/" if nothing */
bool path_is_below(struct slice p, struct slice dir); /* both cleaned; p == dir counts */
/* Next component of p, skipping slashes; false at the end:
 *	while (path_next(&rest, &name)) */
bool path_next(struct slice *p, struct slice *name);
/* The form used as key in indexes and views: cleaned, no leading or trailing '/', "" for the root;
 * ".." cannot climb above the root. The caller frees. */
char *path_key(struct slice p);

/* Go's filepath.Match on whole strings: * ? [a-z] [^x] \\c; * does not cross '/'.
 * 1 match, 0 none, -1 the pattern is malformed. */
int path_match(struct slice pattern, struct slice name);
bool path_has_magic(struct slice pattern); /* * ? [ or a backslash */
