/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/userns.h: how this process gets the right to mount and chown (design.md §3): as root
 * with CAP_SYS_ADMIN, a private mount namespace; as a user, one user and mount namespace with
 * subordinate ids (newuidmap and newgidmap, started together). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"

struct err;
struct buf;

struct userns_ids {
	uint32_t uid, gid;              /* of the caller, outside */
	uint32_t sub_uid, sub_uid_n;    /* /etc/subuid range mapped to 1.. */
	uint32_t sub_gid, sub_gid_n;
};
/* Looks up the caller's ranges. ERR_USER says which line of /etc/subuid or package is missing. */
int userns_find(struct userns_ids *out, struct err *e) _must_check_;
/* Enters, once a process (a second call is nothing). The process must have no other threads.
 * Errors say what is missing and the command that mends it (no subordinate ids, uidmap package,
 * kernel.apparmor_restrict_unprivileged_userns, user.max_user_namespaces …). */
int userns_enter(struct err *e) _must_check_;
bool userns_inside(void);
/* For `thimble info`: one line each about the way that is used and why. */
void userns_describe(struct buf *out);
