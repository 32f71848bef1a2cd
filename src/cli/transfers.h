/* SPDX-License-Identifier: Apache-2.0 */
/* cli/transfers.h: shows on stderr how layers come and go. On a terminal what is finished scrolls
 * away and what moves is redrawn below it, a bar each, with rate and remaining time; elsewhere a line
 * for each layer that is done. */
#pragma once
#include "cli/progress.h"
#include "image/transfer.h"

struct transfers;
/* push: the words are those of docker's push, else of its pull. */
struct transfers *transfers_new(struct cli *c, enum progress_mode mode, bool push);
const struct transfer_events *transfers_events(struct transfers *t);
void transfers_free(struct transfers *t); /* takes moving lines away */
