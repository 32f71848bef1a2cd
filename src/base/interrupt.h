/* SPDX-License-Identifier: Apache-2.0 */
/* base/interrupt.h: ^C and kill end a long command in order: reads, writes and copies of base/fs.h
 * fail with EINTR from then on, so that everything unwinds and takes away what was half made. A
 * second signal ends the process at once. Commands that do not ask for this end at the first. */
#pragma once
#include <stdbool.h>

/* From now on SIGINT, SIGTERM and SIGHUP are kept, unless they were ignored when we came (nohup). */
void interrupt_catch(void);
int interrupt_pending(void); /* the signal that came, or 0 */
/* To be polled beside others: readable once a signal came. -1 without interrupt_catch. */
int interrupt_fd(void);
