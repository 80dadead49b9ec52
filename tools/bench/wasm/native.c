/* A model as machine code of this processor, on one thread, for bench.mjs, which starts it and tells it when to measure.
 *
 *     graphene compile mlp.onnx -o OUT/mlp.o
 *     cc -O2 -DMODEL=mlp -I OUT tools/bench/wasm/native.c OUT/mlp.o -o OUT/mlp
 *
 * Reads a number of seconds from each line, runs as often as fits them (at least three times), and writes the milliseconds of each run.
 * A run copies its input in and its output out, as in the module for WebAssembly. Sizes must be fixed.
 */
#define _POSIX_C_SOURCE 200809L
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#include TEXT(MODEL.h)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 16, MOST_RUNS = 1 << 20 };

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static void *memory(size_t bytes)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, bytes + 64) != 0) {
        exit(2);
    }
    memset(p, 0, bytes + 64);
    return p;
}

int main(void)
{
    const JOIN(MODEL, _signature) *model = JOIN(MODEL, _describe)();
    const void *inputs[MOST];
    void *outputs[MOST], *from[MOST], *to[MOST];
    if (model->dim_count > 0 || model->input_count > MOST || model->output_count > MOST) {
        return 3;
    }
    for (int i = 0; i < model->input_count; i++) {
        size_t bytes = model->inputs[i].bytes;
        inputs[i] = memory(bytes);
        from[i] = memory(bytes);
        for (size_t e = 0; model->inputs[i].alignment == sizeof(float) && e < bytes / sizeof(float); e++) {
            ((float *)from[i])[e] = (float)(e % 251) / 251 - 0.5f; /* ordinary numbers: denormals slow processors down */
        }
    }
    for (int i = 0; i < model->output_count; i++) {
        outputs[i] = memory(model->outputs[i].bytes);
        to[i] = memory(model->outputs[i].bytes);
    }
    void *workspace = memory(model->workspace_bytes);
    double *times = malloc(MOST_RUNS * sizeof *times);
    char line[64];
    while (times != NULL && fgets(line, sizeof line, stdin) != NULL) {
        int runs = 0;
        for (double end = milliseconds() + 1e3 * atof(line); runs < 3 || (milliseconds() < end && runs < MOST_RUNS); runs++) {
            double start = milliseconds();
            for (int i = 0; i < model->input_count; i++) {
                memcpy((void *)inputs[i], from[i], model->inputs[i].bytes);
            }
            if (JOIN(MODEL, _run)(inputs, outputs, workspace) != 0) {
                return 4;
            }
            for (int i = 0; i < model->output_count; i++) {
                memcpy(to[i], outputs[i], model->outputs[i].bytes);
            }
            times[runs] = milliseconds() - start;
        }
        for (int i = 0; i < runs; i++) {
            printf("%.6f%c", times[i], i + 1 < runs ? ' ' : '\n');
        }
        fflush(stdout);
    }
    return 0;
}
