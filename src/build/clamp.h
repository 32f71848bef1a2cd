/* SPDX-License-Identifier: Apache-2.0 */
/* build/clamp.h: rewrite-timestamp: no file of a new layer is younger than SOURCE_DATE_EPOCH. */
#pragma once
#include <stdint.h>
#include "layer/index.h"

/* Sets later mtimes to `epoch` (seconds), in the index and in the tree beside it. */
int clamp_times(int treefd, struct index *x, int64_t epoch, struct err *e) _must_check_;
