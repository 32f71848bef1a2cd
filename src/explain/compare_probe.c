/* SPDX-License-Identifier: Apache-2.0 */
#include "container/run.h"
#include "explain/compare.h"

int compare_by_container(void *store, const struct image *im, int64_t ns, struct compare_run *out,
			 struct err *e)
{
	struct probe_result res = { 0 };

	if (container_probe(store, im, ns, &res, e) < 0)
		return -1;
	out->running = res.running;
	out->status = res.status;
	out->exec_errno = !res.running && res.end.kind == SANDBOX_NOT_EXECUTED ? res.end.status : 0;
	out->ns = res.ns;
	/* programs complain on stderr; some, and most shells' wrappers, on stdout */
	out->output = slice_dup(buf_view(res.err.len ? &res.err : &res.out));
	probe_result_done(&res);
	return 0;
}
