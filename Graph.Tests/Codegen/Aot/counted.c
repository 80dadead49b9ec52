/* Counts what a run takes from the heap: nothing. */
#include "m.h"

#include <stdio.h>
#include <stddef.h>

static long taken;
static unsigned char heap[1 << 22];
static size_t used;

/* These replace the C library's in the whole program. */
void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *block, size_t bytes);
void free(void *block);

void *malloc(size_t bytes)
{
    taken++;
    used = (used + 63) / 64 * 64;
    if (bytes > sizeof heap - used) {
        return NULL;
    }
    used += bytes;
    return heap + used - bytes;
}

void *calloc(size_t count, size_t bytes)
{
    return malloc(count * bytes);
}

void *realloc(void *block, size_t bytes)
{
    (void)block;
    return malloc(bytes);
}

void free(void *block)
{
    (void)block;
}

int main(void)
{
    static float x[M_INPUT_X0_ELEMENTS];
    static float y[M_OUTPUT_Y0_ELEMENTS];
    const void *inputs[M_INPUT_COUNT];
    void *outputs[M_OUTPUT_COUNT];
    unsigned char *workspace = malloc(M_WORKSPACE_BYTES + M_WORKSPACE_ALIGNMENT);
    long before;
    int i;
    int error = 0;

    while ((uintptr_t)workspace % M_WORKSPACE_ALIGNMENT != 0) {
        workspace++;
    }
    inputs[0] = x;
    outputs[0] = y;
    before = taken;
    for (i = 0; i < 100; i++) {
        error |= m_run(inputs, outputs, workspace);
    }
    i = (int)(taken - before);
    printf("%ld before, %d taken, error %d\n", before, i, error);
    return i != 0 || error != 0 || before < 1;
}
