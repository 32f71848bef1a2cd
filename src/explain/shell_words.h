/* SPDX-License-Identifier: Apache-2.0 */
/* explain/shell_words.h: is the text of a string-form command one simple command, so that the JSON
 * form does the same without a shell? POSIX.1-2017, Shell Command Language, 2.2, 2.4 and 2.9.1. */
#pragma once
#include <stdbool.h>
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct buf;

/* 1: a simple command of plain words; they are added to *out without their quotes (a leading
 * `exec` is dropped: the JSON form does that anyway). 0: a shell is needed; *why tells ("it uses
 * $HOME"), the caller frees. Empty text is 0 too. */
int shell_split(struct slice text, struct strs *out, char **why) _must_check_;
/* True if a shell does it itself and no program could (cd, export …). With `optional` also what
 * shells do themselves although programs of that name exist (echo, test …). */
bool shell_is_builtin(const char *word, bool optional);
/* ["a", "b"] as a Dockerfile takes it. */
void shell_json(const struct strs *words, struct buf *out);
