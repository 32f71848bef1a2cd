/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/checks.h: the build checks (warnings), and the check directive. dockerfile_parse runs
 * those that need only the text; UndefinedVar and CopyIgnoredFile come from the builder by
 * dockerfile_warn. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

struct dockerfile;

enum check_rule {
	CHECK_STAGE_NAME_CASING, CHECK_FROM_AS_CASING, CHECK_NO_EMPTY_CONTINUATION,
	CHECK_CONSISTENT_INSTRUCTION_CASING, CHECK_DUPLICATE_STAGE_NAME, CHECK_RESERVED_STAGE_NAME,
	CHECK_JSON_ARGS_RECOMMENDED, CHECK_MAINTAINER_DEPRECATED, CHECK_UNDEFINED_ARG_IN_FROM,
	CHECK_WORKDIR_RELATIVE_PATH, CHECK_UNDEFINED_VAR, CHECK_MULTIPLE_INSTRUCTIONS_DISALLOWED,
	CHECK_LEGACY_KEY_VALUE_FORMAT, CHECK_INVALID_BASE_IMAGE_PLATFORM,
	CHECK_REDUNDANT_TARGET_PLATFORM, CHECK_SECRETS_USED_IN_ARG_OR_ENV,
	CHECK_INVALID_DEFAULT_ARG_IN_FROM, CHECK_FROM_PLATFORM_FLAG_CONST_DISALLOWED,
	CHECK_COPY_IGNORED_FILE, CHECK_EXPOSE_PROTO_CASING, CHECK_EXPOSE_INVALID_FORMAT,
	CHECK_INVALID_DEFINITION_DESCRIPTION,
	CHECK_COUNT,
};
const char *check_name(enum check_rule r); /* "StageNameCasing" */

struct check_opts {
	uint32_t skip;          /* bit 1u << rule */
	uint32_t experimental;  /* likewise */
	bool error;             /* error=true */
};
/* "skip=A,B;error=true" (the directive's value). ERR_DATA: unknown key. Unknown rules are allowed. */
int check_opts_parse(struct slice s, struct check_opts *out, struct err *e) _must_check_;
/* "A,B" or "all" as bits. */
uint32_t check_rules_parse(struct slice list);

#define CHECK_WARNINGS_MAX 256 /* of one file; what comes after them is dropped */
struct check_warning {
	enum check_rule rule;
	const char *detail;     /* one sentence; in the Dockerfile's arena */
	struct err_span span;   /* likewise */
	int stage;              /* -1: none; a build shows those of the stages it needs */
};

/* The rules that need only the text; called by dockerfile_parse. */
void checks_run(struct dockerfile *df);
/* With error=true and warnings (of all stages, or those for which needed[index]): -1, "lint
 * violation found for rules: …". */
int checks_verdict(const struct dockerfile *df, const bool *needed, struct err *e) _must_check_;
