/* SPDX-License-Identifier: Apache-2.0 */
/* cli/progress.h: shows a build on stderr while it goes on. */
#pragma once
#include "build/events.h"

struct cli;

enum progress_mode { PROGRESS_PLAIN, PROGRESS_TTY, PROGRESS_QUIET };
struct progress;
/* "auto" (or NULL), "plain", "tty", "quiet", "rawjson" is refused by the option table. */
enum progress_mode progress_mode(const char *word);
struct progress *progress_new(struct cli *c, enum progress_mode mode);
const struct build_events *progress_events(struct progress *p);
/* Takes the moving line away; warnings that were held back are printed (also in quiet mode not). */
void progress_end(struct progress *p);
void progress_free(struct progress *p);
