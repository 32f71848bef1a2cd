/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/init.h: the first process of a sandbox: sets everything up from inside, becomes or starts
 * the program, and stays as pid 1 that forwards signals and reaps. */
#pragma once
#include <linux/filter.h>
#include "sandbox/mounts.h"

struct inside_spec {
	const struct sandbox_spec *spec;
	const struct mounts *mounts;
	const struct sock_filter *filter; /* NULL: none */
	size_t filter_n;
	int slave;                        /* of the terminal, or -1 */
	int report;                       /* pipe to the parent (report.h) */
	int root;                         /* socket through which the root comes */
};
/* Never returns. Called in the child of clone3, whose memory is its own. */
_Noreturn void init_run(const struct inside_spec *in);
