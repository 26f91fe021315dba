/* Frames of a given size, as C makes them: without touching the pages between. */

#include <stddef.h>

/* Calls itself `depth` times; touches only the far end of each 12 KB frame. */
size_t frames_of_12_kilobytes(size_t depth)
{
    volatile char frame[12 * 1024];
    frame[0] = (char)depth;
    if (depth == 0)
        return (size_t)&frame[0];
    size_t deepest = frames_of_12_kilobytes(depth - 1);
    return deepest + (size_t)frame[0] * 0;
}

/* Calls back, for frames that an unwind must not cross. */
void call_back(void (*function)(void *), void *argument)
{
    function(argument);
}
