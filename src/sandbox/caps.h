/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/caps.h: capabilities (capabilities(7)) of the calling process, by plain system calls:
 * they are used between clone and exec. Sets are masks, bit N for capability N. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define CAPS_ALL UINT64_MAX

bool caps_have(int cap); /* in the effective set */
/* Takes everything that is not in `keep` out of the bounding set, and clears the ambient set. */
int caps_bound(uint64_t keep);
/* Permitted and effective become what of `keep` is permitted now; inheritable becomes empty. */
int caps_limit(uint64_t keep);
/* Both return 0, or -1 with errno. */
