/* SPDX-License-Identifier: Apache-2.0 */
#include "store/image_remove.h"
#include "base/err.h"
#include "store/internal.h"

/* With the gate held, so that nobody begins to use it meanwhile. */
static int is_leased(struct store *s, const struct digest *manifest, struct err *e)
{
	struct map words = { 0 };
	char hex[SHA256_HEX];
	int r = leases_read(s, &words, e);
	_free_ char *word = str_printf("%c %s", STORE_BLOB, digest_hex(manifest, hex));
	if (r == 0)
		r = map_has(&words, slice_of(word));
	map_done(&words);
	return r;
}

int image_in_use(struct store *s, const struct digest *manifest, struct err *e)
{
	if (gate_enter(s, false, e) < 0)
		return -1;
	int r = is_leased(s, manifest, e);
	gate_leave(s);
	return r;
}

int image_remove(struct store *s, const struct digest *manifest, struct prune_result *out,
		 struct err *e)
{
	if (!lease_name(s, e) || gate_enter(s, true, e) < 0)
		return -1;
	int r = is_leased(s, manifest, e);
	if (r == 1)
		r = err_set(e, ERR_DENIED, "it is in use by another process of thimble");
	else if (r == 0)
		r = cache_drop(s, IMAGE_KIND, manifest, e);
	gate_leave(s);
	return r < 0 ? -1 : store_prune(s, &(struct prune_opts){ 0 }, out, e);
}
