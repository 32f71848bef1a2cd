/* SPDX-License-Identifier: Apache-2.0 */
/* base/utf8.h: one character at a time, as Go's utf8.DecodeRune reads them. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

struct buf;

#define UTF8_BAD 0xFFFDu /* what an invalid byte is told as; its length is 1, the real U+FFFD's 3 */

/* The first character of s (s.n > 0) and its length in bytes, 1..4. Overlong forms, surrogates
 * and what is above U+10FFFF are invalid: UTF8_BAD and 1. */
size_t utf8_decode(struct slice s, uint32_t *rune);
/* Adds a character, which is at most U+10FFFF and no surrogate. */
void utf8_put(struct buf *out, uint32_t rune);
