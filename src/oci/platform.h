/* SPDX-License-Identifier: Apache-2.0 */
/* oci/platform.h: os/arch[/variant], normalised as containerd does (x86_64 -> amd64,
 * aarch64 -> arm64, arm64/v8 -> arm64, arm -> arm/v7). */
#pragma once
#include "base/attr.h"
#include "base/slice.h"
#include <stdbool.h>

struct err;

struct platform {
	char *os, *arch, *variant, *os_version; /* variant, os_version may be NULL */
};
void platform_done(struct platform *p);
int platform_parse(struct slice s, struct platform *out, struct err *e) _must_check_;
void platform_host(struct platform *out);
char *platform_text(const struct platform *p); /* "linux/amd64", caller frees */
bool platform_eq(const struct platform *a, const struct platform *b); /* os_version not compared */
void platform_copy(struct platform *to, const struct platform *from);
