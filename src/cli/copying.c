/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/copying.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/show.h"

enum copy_format copying_format(const char *word)
{
	return strcmp(word, "keep") == 0  ? COPY_KEEP
	       : strcmp(word, "oci") == 0 ? COPY_OCI
					  : COPY_DOCKER;
}

int copying_allow(struct cli *c, const struct strs *words, bool *rootfs, struct err *e)
{
	arr_each(what, words) {
		if (strcmp(*what, "rootfs.export") != 0)
			return cli_wrong(c, e, "--allow does not know '%s' (only rootfs.export)",
					 *what);
		*rootfs = true;
	}
	return 0;
}

static json_t *json_of(const struct image_copied *done, bool counts)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, "Digest", show_id(&done->top.digest, true));
	(void)json_object_set_new(o, "MediaType", json_string(done->top.media_type));
	(void)json_object_set_new(o, "Manifests", json_integer(done->manifests));
	(void)json_object_set_new(o, "BlobsCopied", json_integer(done->blobs));
	if (!counts)
		return o;
	(void)json_object_set_new(o, "BlobsThere", json_integer(done->there));
	(void)json_object_set_new(o, "BlobsMounted", json_integer(done->mounted));
	(void)json_object_set_new(o, "BytesCopied", json_integer((json_int_t)done->bytes));
	return o;
}

void copying_show(struct cli *c, const struct image_copied *done, bool json, bool quiet, bool counts)
{
	char digest[DIGEST_LEN];
	if (json)
		show_json(c, json_of(done, counts));
	else if (!quiet)
		(void)printf("%s\n", digest_text(&done->top.digest, digest));
}
