/* Classifies handwritten digits with a compiled model: no .NET, no LLVM, no runtime.
 *
 *     graphene compile tools/cli/demo/digits.onnx -o digits.o
 *     gcc -std=c99 digits.c digits.o -o digits
 *     ./digits digit.pgm        a grey image of 28 by 28 (P5), white on black
 *     ./digits images.npy       many of them, as NumPy writes u8[n,28,28] or u8[n,28,28,1]
 *
 * Prints the class of each image, one a line.
 */
#include "digits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10, MOST_IMAGES = 4096 };

static int fail(const char *what)
{
    fprintf(stderr, "digits: %s\n", what);
    return 1;
}

/* Where the pixels begin; 0 when the file is none that we know. */
static size_t start_of_pixels(const unsigned char *file, size_t length)
{
    if (length > 10 && memcmp(file, "\x93NUMPY", 6) == 0) {
        return 10 + file[8] + 256 * (size_t)file[9];
    }
    if (length > PIXELS && memcmp(file, "P5", 2) == 0) {
        return length - PIXELS;
    }
    return 0;
}

/* Memory at a multiple of the alignment; *block is what free takes. */
static void *aligned(size_t bytes, size_t alignment, void **block)
{
    *block = malloc(bytes + alignment);
    return *block == NULL ? NULL : (void *)(((uintptr_t)*block + alignment - 1) / alignment * alignment);
}

static int classify(const unsigned char *pixels, int64_t images)
{
    int64_t dims[DIGITS_DIM_COUNT];
    dims[DIGITS_DIM_BATCH] = images;

    void *block;
    void *workspace = aligned(digits_workspace_size(dims), DIGITS_WORKSPACE_ALIGNMENT, &block);
    float *logits = malloc(digits_output_size(DIGITS_OUTPUT_LOGITS, dims));
    if (workspace == NULL || logits == NULL) {
        return fail("no memory");
    }

    const void *inputs[DIGITS_INPUT_COUNT];
    void *outputs[DIGITS_OUTPUT_COUNT];
    inputs[DIGITS_INPUT_IMAGE] = pixels;
    outputs[DIGITS_OUTPUT_LOGITS] = logits;
    int error = digits_run(inputs, outputs, workspace, dims);
    if (error != DIGITS_OK) {
        return fail(digits_error_message(error));
    }

    for (int64_t i = 0; i < images; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++) {
            best = logits[i * CLASSES + c] > logits[i * CLASSES + best] ? c : best;
        }
        printf("%d\n", best);
    }
    free(logits);
    free(block);
    return 0;
}

int main(int argc, char **argv)
{
    static unsigned char file[256 + MOST_IMAGES * PIXELS];
    if (argc != 2) {
        return fail("pass one file, .pgm or .npy");
    }
    if (digits_processor_check() != DIGITS_OK) {
        return fail(digits_error_message(digits_processor_check()));
    }
    FILE *stream = fopen(argv[1], "rb");
    if (stream == NULL) {
        return fail("the file cannot be opened");
    }
    size_t length = fread(file, 1, sizeof file, stream);
    fclose(stream);
    size_t start = start_of_pixels(file, length);
    if (start == 0 || start >= length || (length - start) % PIXELS != 0) {
        return fail("the file holds no images of 28 by 28");
    }
    return classify(file + start, (int64_t)((length - start) / PIXELS));
}
