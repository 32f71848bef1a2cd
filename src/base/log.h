/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.h: `--debug`, for us; never needed to understand a failure. */
#pragma once
#include <stdbool.h>
#include "base/attr.h"

extern bool log_on; /* set once by main */
void log_debug_(const char *file, int line, const char *fmt, ...) _printf_(3, 4);
#define log_debug(...) (log_on ? log_debug_(__FILE__, __LINE__, __VA_ARGS__) : (void)0)
