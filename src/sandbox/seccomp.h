/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/seccomp.h: the filter of system calls (seccomp(2)). Docker's default profile, as a binary
 * search over sorted ranges: loading a filter costs number of calls times depth, and a linear one
 * costs as much as all else that a sandbox needs (kernel.md §1). */
#pragma once
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seccomp_answer {
	SECCOMP_ALLOW,
	SECCOMP_EPERM,
	SECCOMP_ENOSYS,     /* also for every number that the table does not know */
	SECCOMP_PERSONALITY,/* these look at arguments */
	SECCOMP_CLONE,
	SECCOMP_SOCKET,
	SECCOMP_SOCKETCALL,
};
struct seccomp_range {
	uint32_t first; /* up to the next range's first */
	enum seccomp_answer answer;
};
extern const struct seccomp_range seccomp_x86_64[], seccomp_i386[], seccomp_aarch64[];
extern const size_t seccomp_x86_64_n, seccomp_i386_n, seccomp_aarch64_n;

#define SECCOMP_MAX 512 /* instructions of a filter, more than it ever has */
/* Writes the filter for this machine's architecture and returns its length. On x86_64 i386 calls
 * have their own table, x32 calls are ENOSYS; other architectures are ENOSYS throughout.
 *   no_raw  refuse AF_PACKET and raw sockets: for root with the machine's network, where CAP_NET_RAW
 *           is real (design.md §6.3). The i386 socketcall(SYS_SOCKET) is refused with them, since
 *           what it asks for lies in memory. */
size_t filter_build(bool no_raw, struct sock_filter out[static SECCOMP_MAX]);
/* Loads it into the calling process, which has CAP_SYS_ADMIN. 0, or -1 with errno. */
int filter_load(const struct sock_filter *filter, size_t n);
