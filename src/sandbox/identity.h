/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/identity.h: USER and names, from an image's own passwd and group files (passwd(5)). */
#pragma once
#include <stdint.h>
#include "base/array.h"
#include "base/slice.h"

struct err;

struct identity {
	uint32_t uid, gid;
	ARRAY_OF(uint32_t) groups;  /* supplementary */
	char *home;                 /* of the passwd row, or NULL */
	char *name;                 /* of the passwd row, or NULL */
};
void identity_done(struct identity *id);
/* spec: "", "name", "uid", "name:group", "uid:gid" as USER has it; passwd and group: the files' text,
 * empty if the image has none. Rules: dockerfile.md §3 USER. ERR_USER "unable to find user x: no
 * matching entries in passwd file". */
int identity_find(struct slice spec, struct slice passwd, struct slice group, struct identity *out,
		  struct err *e) _must_check_;
/* For COPY --chown: 1 found, 0 no such name. Numbers are always found. */
int identity_uid(struct slice name, struct slice passwd, uint32_t *uid, uint32_t *gid);
int identity_gid(struct slice name, struct slice group, uint32_t *gid);
