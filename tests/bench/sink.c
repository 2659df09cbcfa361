/* SPDX-License-Identifier: ISC */
/* The baseline: what pipe(8) could start at the least. Reads its mail to the end and says so. */
#include <unistd.h>

int
main(void)
{
    static char buffer[65536];
    ssize_t count;

    while ((count = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
        ;
    return count < 0 ? 75 : 0;
}
