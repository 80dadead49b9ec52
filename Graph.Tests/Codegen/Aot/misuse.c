/* What a library says to callers who do what they must not. One line for each case; the test counts them. */
#include "m.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
static int cases;

static void expect(int line, int actual, int expected)
{
    cases++;
    if (actual != expected) {
        failures++;
        printf("line %d: %d (%s), not %d (%s)\n", line, actual, m_error_message(actual), expected, m_error_message(expected));
    }
}

#define EXPECT(call, code) expect(__LINE__, (call), (code))

/* Static memory, at a multiple of 4096. */
static unsigned char memory[1 << 20];
static unsigned char *take(size_t bytes, size_t off)
{
    static size_t used;
    unsigned char *start = (unsigned char *)(((uintptr_t)memory + used + 4095) / 4096 * 4096);
    used = (size_t)(start - memory) + bytes + off;
    return used <= sizeof memory ? start + off : NULL;
}

static void *read_weights(const char *path, size_t *bytes)
{
    unsigned char *start = take(1 << 17, 0);
    FILE *file = fopen(path, "rb");
    if (file == NULL || start == NULL) {
        exit(3);
    }
    *bytes = fread(start, 1, 1 << 17, file);
    fclose(file);
    return start;
}

static void backwards(void *pool, int64_t count, m_task task, void *tasks)
{
    *(int64_t *)pool += count;
    for (int64_t i = count; i > 0; i--) {
        task(tasks, i - 1, i);
    }
}

int main(int argc, char **argv)
{
    size_t weights_bytes;
    unsigned char *weights;
    int64_t dims[M_DIM_COUNT];
    float *x = (float *)take(64 * 1024, 0);
    int32_t *flag = (int32_t *)take(64, 0);
    float *r = (float *)take(64 * 1024, 0);
    float *y = (float *)take(64 * 1024, 0);
    int32_t *z = (int32_t *)take(64, 0);
    const void *inputs[M_INPUT_COUNT];
    void *outputs[M_OUTPUT_COUNT];
    void *workspace;
    size_t workspace_bytes;
    int cancel = 0;
    int64_t tasks = 0;
    int i;

    if (argc != 2) {
        return 3;
    }
    weights = read_weights(argv[1], &weights_bytes);
    dims[M_DIM_BATCH] = 4;
    dims[M_DIM_ROWS] = 4;
    workspace_bytes = m_workspace_size(dims);
    workspace = take(workspace_bytes, 0);
    for (i = 0; i < 4 * 16; i++) {
        x[i] = (float)i / 64;
    }
    flag[0] = 1;
    inputs[M_INPUT_X] = x;
    inputs[M_INPUT_FLAG] = flag;
    inputs[M_INPUT_R] = r;
    outputs[M_OUTPUT_Y] = y;
    outputs[M_OUTPUT_Z] = z;

    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_OK);
    EXPECT(m_weights_check(weights, weights_bytes), M_OK);

    EXPECT(m_run(NULL, outputs, workspace, dims, weights), M_ERROR_NULL_INPUT);
    EXPECT(m_run(inputs, NULL, workspace, dims, weights), M_ERROR_NULL_OUTPUT);
    EXPECT(m_run(inputs, outputs, NULL, dims, weights), M_ERROR_NULL_WORKSPACE);
    EXPECT(m_run(inputs, outputs, workspace, NULL, weights), M_ERROR_NULL_DIMS);
    EXPECT(m_run(inputs, outputs, workspace, dims, NULL), M_ERROR_NULL_WEIGHTS);

    inputs[M_INPUT_X] = NULL;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_NULL_INPUT);
    inputs[M_INPUT_X] = (const char *)x + 2;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_MISALIGNED_INPUT);
    inputs[M_INPUT_X] = x;
    inputs[M_INPUT_FLAG] = (const char *)flag + 1;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_MISALIGNED_INPUT);
    inputs[M_INPUT_FLAG] = NULL;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_NULL_INPUT);
    inputs[M_INPUT_FLAG] = flag;

    outputs[M_OUTPUT_Y] = NULL;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_NULL_OUTPUT);
    outputs[M_OUTPUT_Y] = (char *)y + 1;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_MISALIGNED_OUTPUT);
    outputs[M_OUTPUT_Y] = y;
    outputs[M_OUTPUT_Z] = (char *)z + 3;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_MISALIGNED_OUTPUT);
    outputs[M_OUTPUT_Z] = z;

    for (i = 1; i < M_WORKSPACE_ALIGNMENT; i *= 2) {
        EXPECT(m_run(inputs, outputs, (char *)workspace + i, dims, weights), M_ERROR_MISALIGNED_WORKSPACE);
    }
    EXPECT(m_run(inputs, outputs, workspace, dims, weights + 32), M_ERROR_MISALIGNED_WEIGHTS);

    EXPECT(m_run_parallel(inputs, outputs, workspace, dims, weights, 0, NULL, NULL, NULL), M_ERROR_SHORT_WORKSPACE);
    EXPECT(m_run_parallel(inputs, outputs, workspace, dims, weights, workspace_bytes - 1, NULL, NULL, NULL), M_ERROR_SHORT_WORKSPACE);
    EXPECT(m_run_parallel(inputs, outputs, workspace, dims, weights, workspace_bytes, NULL, NULL, NULL), M_OK);
    EXPECT(m_run_parallel(inputs, outputs, workspace, dims, weights, workspace_bytes, backwards, &tasks, &cancel), M_OK);
    cancel = 1;
    EXPECT(m_run_parallel(inputs, outputs, workspace, dims, weights, workspace_bytes, NULL, NULL, &cancel), M_ERROR_CANCELLED);

    dims[M_DIM_BATCH] = 0;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_DIM_RANGE);
    EXPECT((int)m_workspace_size(dims), 0);
    dims[M_DIM_BATCH] = 9;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_DIM_RANGE);
    dims[M_DIM_BATCH] = -1;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_DIM_RANGE);
    dims[M_DIM_BATCH] = INT64_MAX;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_DIM_RANGE);
    dims[M_DIM_BATCH] = 5; /* in range, but not equal to the other one */
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_SHAPE);
    EXPECT((int)m_output_size(M_OUTPUT_Y, dims), 0);
    dims[M_DIM_BATCH] = 4;
    EXPECT((int)m_output_size(M_OUTPUT_Y, dims), 4 * 16 * 4);
    EXPECT((int)m_output_size(7, dims), 0);
    EXPECT((int)m_output_size(-1, dims), 0);

    flag[0] = 0;
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_ERROR_ASSERTION);
    flag[0] = 1;

    EXPECT(m_weights_check(NULL, weights_bytes), M_ERROR_NULL_WEIGHTS);
    EXPECT(m_weights_check(weights + 8, weights_bytes - 8), M_ERROR_MISALIGNED_WEIGHTS);
    EXPECT(m_weights_check(weights, M_WEIGHTS_BYTES - 1), M_ERROR_BAD_WEIGHTS);
    EXPECT(m_weights_check(weights, 0), M_ERROR_BAD_WEIGHTS);
    weights[M_WEIGHTS_BYTES - 1] ^= 1;
    EXPECT(m_weights_check(weights, weights_bytes), M_ERROR_BAD_WEIGHTS);
    weights[M_WEIGHTS_BYTES - 1] ^= 1;
    weights[0] ^= 1;
    EXPECT(m_weights_check(weights, weights_bytes), M_ERROR_BAD_WEIGHTS);
    weights[0] ^= 1;

    EXPECT(strcmp(m_error_message(-1), m_error_message(1000)), 0);
    EXPECT(m_run(inputs, outputs, workspace, dims, weights), M_OK);
    printf("%d cases, %d failures\n", cases, failures);
    return failures != 0;
}
