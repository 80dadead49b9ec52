// Runs the entry function of a compiled graph on memory that files describe; what ForeignProgram links objects with.
//
//   run_plan PLAN INPUTS CONSTANTS OUTPUTS REPEATS
//
// PLAN holds numbers of 64 bits: symbols (count, values), buffers (count, then segment and offset of each), bytes of the arena, bytes
// of the results, outputs (count, then buffer and bytes of each). Prints the nanoseconds of the fastest run.
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

// Eight bytes on every machine, of which a pointer takes the first.
typedef union {
    void *address;
    int64_t slot;
} pointer;

struct context {
    pointer buffers, symbols, parallel_for, pool, cancel;
    int32_t threads, error;
    int64_t detail;
    union {
        void (*function)(struct context *, int64_t, pointer *);
        int64_t slot;
    } host_call;
    pointer host;
};

int32_t graphene_entry(struct context *);

static void host_call(struct context *context, int64_t id, pointer *arguments) { (void)context, (void)id, (void)arguments; }

static char *map(const char *path) {
    struct stat s;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &s) != 0) {
        perror(path);
        exit(2);
    }
    return s.st_size == 0 ? calloc(1, 64) : mmap(0, s.st_size, PROT_READ, MAP_PRIVATE, file, 0);
}

static char *memory(int64_t bytes) {
    char *p = 0;
    if (posix_memalign((void **)&p, 64, bytes + 64) != 0) {
        exit(3);
    }
    memset(p, 0xFF, bytes + 64);
    return p;
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int count, char **arguments) {
    if (count != 6) {
        return 4;
    }
    int64_t *plan = (int64_t *)map(arguments[1]);
    int64_t symbols = *plan++;
    int64_t *values = plan;
    plan += symbols;
    int64_t buffers = *plan++;
    int64_t *places = plan;
    plan += 2 * buffers;
    int64_t arena = *plan++, results = *plan++, outputs = *plan++;
    char *segments[] = {map(arguments[2]), memory(results), map(arguments[3]), memory(arena)};
    pointer *table = malloc(sizeof(pointer) * (buffers + 1));
    for (int64_t i = 0; i < buffers; i++) {
        table[i].address = segments[places[2 * i]] + places[2 * i + 1];
    }
    int32_t cancel = 0, error = 0;
    int64_t fastest = INT64_MAX;
    for (int i = atoi(arguments[5]); i > 0; i--) {
        struct context context = {.buffers = {table}, .symbols = {values}, .cancel = {&cancel}, .threads = 1, .host_call = {host_call}};
        int64_t start = now();
        error = graphene_entry(&context);
        int64_t time = now() - start;
        fastest = time < fastest ? time : fastest;
    }
    FILE *file = fopen(arguments[4], "wb");
    for (int64_t i = 0; i < outputs; i++) {
        fwrite(table[plan[2 * i]].address, 1, plan[2 * i + 1], file);
    }
    fclose(file);
    printf("%lld\n", (long long)fastest);
    return error == 0 ? 0 : 1;
}
