/* SPDX-License-Identifier: Apache-2.0 */
/* build/result.h: from a finished plan to config, history and manifest. */
#pragma once
#include "build/plan.h"

int result_make(struct plan *p, struct build_result *out, struct err *e) _must_check_;
