/* SPDX-License-Identifier: ISC */
/* Mail that claims to need no decoding: a reader reads the same in it. */
#include "tests/unit/plain_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *mail = g_memdup2(data, size);

    if (size > 0)
        plain_check(mail, size);
    return 0;
}
