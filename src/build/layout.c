/* SPDX-License-Identifier: Apache-2.0 */
#include "build/layout.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "image/load.h"
#include "sandbox/userns.h"

int layout_open(struct store *s, const char *spec, char **ref, struct err *e)
{
	/* DIR:TAG or DIR:NAME:TAG: the directory ends at the first colon before which there is one. */
	const char *tag = NULL;
	_free_ char *path = str_dup(spec);
	for (const char *colon = strchr(spec, ':'); colon && access(path, F_OK) < 0; colon = strchr(colon + 1, ':')) {
		str_set(&path, str_ndup(spec, (size_t)(colon - spec)));
		tag = colon + 1;
	}
	_cleanup_(image_loads_done) struct image_loads loaded = { 0 };
	struct image_load_opts o = { .what = tag, .unnamed = true };
	if (userns_enter(e) < 0 || image_load(s, -1, path, &o, &loaded, e) < 0)
		return -1;
	if (loaded.n != 1) {
		err_set(e, ERR_USER, "'%s' holds %zu images", path, loaded.n);
		return err_hint(e, "say which: oci-layout://%s:TAG or oci-layout://%s:NAME:TAG", path, path);
	}
	char text[DIGEST_LEN];
	*ref = str_dup(digest_text(&loaded.p[0].manifest, text));
	return 0;
}
