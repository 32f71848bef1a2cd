/* SPDX-License-Identifier: Apache-2.0 */
/* layer/view_in.h: places in a view's array, for the files of this room. */
#pragma once
#include "layer/view.h"

size_t view_lower(const struct view *v, const char *key); /* first hit whose path is >= key */
size_t view_after(const struct view *v, const char *key); /* first hit behind all below key */
