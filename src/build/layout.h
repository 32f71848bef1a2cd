/* SPDX-License-Identifier: Apache-2.0 */
/* build/layout.h: --build-context NAME=oci-layout://DIR[:[NAME:]TAG]. */
#pragma once
#include "store/store.h"

/* Loads the image of a layout into the store, without a name. *ref ("sha256:…") names it for
 * image_open; the caller frees. */
int layout_open(struct store *s, const char *spec, char **ref, struct err *e) _must_check_;
