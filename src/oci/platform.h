/* SPDX-License-Identifier: Apache-2.0 */
/* oci/platform.h: os/arch[/variant], normalised as containerd does (x86_64 -> amd64,
 * aarch64 -> arm64, arm64/v8 -> arm64, arm -> arm/v7). */
#pragma once
#include <stdbool.h>
#include "base/attr.h"
#include "base/slice.h"

struct err;

struct platform {
	char *os, *arch, *variant, *os_version; /* variant, os_version may be NULL */
};
void platform_done(struct platform *p);
/* "linux/arm/v7"; also "linux" (this machine's architecture) and "arm64" (linux). The result is
 * normalised. ERR_USER. `out` is not ended first. */
int platform_parse(struct slice s, struct platform *out, struct err *e) _must_check_;
void platform_host(struct platform *out);
char *platform_text(const struct platform *p); /* "linux/amd64", caller frees */
/* As normalised, whatever was written; os_version is not compared. */
bool platform_eq(const struct platform *a, const struct platform *b);
/* What BuildKit's attestations say they are for: unknown/unknown. */
bool platform_is_unknown(const struct platform *p);
void platform_copy(struct platform *to, const struct platform *from); /* to is ended first */
