/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_REQUIRE_H
#define TCPCONNECT_REQUIRE_H

#include <stdbool.h>
#include <stdlib.h>

/* What must hold of any input; not assert(), which NDEBUG takes out. The fuzzer keeps the input. */
static inline void require(bool holds)
{
	if (!holds)
		abort();
}

#endif
