// A CUDA driver for tests: memory is the host's, work is done when somebody waits for it. It notes calls, fails where it is told to, and
// notices what a real driver would not forgive: memory, code or graphs that are freed while work needs them, and handles that are gone.
//
// Kernels are known by name: "twice" (from, to, count) writes 2 x of f32, "count" (from, to, below) writes x + 1 and whether x + 1 < below,
// "mapped" (to, count, map) writes 2 x of the tensor behind a map, which holds its address first.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>

typedef int CUresult;
typedef int CUdevice;
typedef uint64_t CUdeviceptr;

enum { OK = 0, INVALID = 1, OOM = 2, NO_DEVICE = 100, BAD_PTX = 218, NOT_FOUND = 500, CAPTURE = 900, UNJOINED = 904 };
enum { MODULE, STREAM, EVENT, GRAPH, EXEC, POOL, KINDS };
enum { MAX_ARGS = 16, MAX_PIECES = 4096 };

typedef struct Module { int kind; char text[4096]; int alive; } Module;
typedef struct Function { Module *module; char name[64]; int dynamic_shared; struct Function *next; } Function;
typedef struct Graph Graph;
typedef struct Op {
    enum { COPY, FILL, LAUNCH, GRAPH_LAUNCH, MARK } kind;
    char *to, *from;
    size_t bytes;
    int value;
    Function *function;
    unsigned grid, threads, shared;
    uint64_t args[MAX_ARGS];
    int count;
    Graph *graph;
    struct Event *event;
    struct Op *next;
} Op;
struct Graph { int kind; Op *first, *last; int alive; };
typedef struct Stream { int kind; Op *first, *last; Graph *capture; int is_origin, captured, joined; int alive; struct Stream *next; } Stream;
typedef struct Event { int kind; Stream *stream; Op *mark; Graph *capture; Stream *captured_on; int captured_at; int alive; } Event;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { char *at; size_t bytes; int host; } pieces[MAX_PIECES];
static int piece_count;
static int live[KINDS];
static Stream *streams;
static char log_text[1 << 18];
static size_t log_length;
static char violation[256];
static char fail_name[64];
static int fail_after, fail_with;
static size_t capacity = (size_t)1 << 30, used;
static int initialized, contexts, device_count = 1, launches, graph_launches;

static void note(const char *text)
{
    size_t n = strlen(text);
    if (log_length + n + 2 < sizeof log_text) {
        memcpy(log_text + log_length, text, n);
        log_length += n;
        log_text[log_length++] = '\n';
        log_text[log_length] = 0;
    }
}

static void violate(const char *what) { if (!violation[0]) snprintf(violation, sizeof violation, "%s", what); }

// Every call begins here: notes it, and fails if it was told to.
static CUresult enter(const char *name)
{
    note(name);
    if (!initialized && strcmp(name, "cuInit")) { violate("a call before cuInit"); }
    if (fail_name[0] && !strcmp(fail_name, name) && fail_after-- == 0) { fail_name[0] = 0; return fail_with; }
    return OK;
}
#define ENTER(name) pthread_mutex_lock(&lock); CUresult r = enter(name); if (r) { pthread_mutex_unlock(&lock); return r; }
#define LEAVE(result) do { pthread_mutex_unlock(&lock); return (result); } while (0)

// What a test asks and tells.
void fake_fail(const char *name, int after, int result) { snprintf(fail_name, sizeof fail_name, "%s", name); fail_after = after; fail_with = result; }
void fake_capacity(uint64_t bytes) { capacity = bytes; }
void fake_devices(int count) { device_count = count; }
const char *fake_log(void) { return log_text; }
void fake_clear(void) { log_length = 0; log_text[0] = 0; }
const char *fake_violation(void) { return violation; }
int fake_live(void) { int n = contexts; for (int i = 0; i < KINDS; i++) n += live[i]; for (int i = 0; i < piece_count; i++) n += pieces[i].at != NULL; return n; }
int fake_launches(void) { return launches; }
int fake_graph_launches(void) { return graph_launches; }

static int piece_of(const char *at)
{
    for (int i = 0; i < piece_count; i++)
        if (pieces[i].at && at >= pieces[i].at && at < pieces[i].at + pieces[i].bytes) return i;
    return -1;
}

static void check(const char *at, size_t bytes)
{
    int i = piece_of(at);
    if (i < 0 || at + bytes > pieces[i].at + pieces[i].bytes) violate("work uses memory that is not there");
}

static void run_op(Op *op);
static void run_ops(Op *op) { for (; op; op = op->next) run_op(op); }

static void run_op(Op *op)
{
    switch (op->kind) {
    case COPY: memcpy(op->to, op->from, op->bytes); break;
    case FILL: check(op->to, op->bytes); memset(op->to, op->value, op->bytes); break;
    case GRAPH_LAUNCH:
        if (!op->graph->alive) violate("a graph was freed before its work was done");
        graph_launches++;
        run_ops(op->graph->first);
        break;
    case LAUNCH:
        launches++;
        if (!op->function->module->alive) violate("code was freed before its work was done");
        if (!strncmp(op->function->name, "twice", 5)) {
            float *from = (float *)op->args[0], *to = (float *)op->args[1];
            check((char *)from, op->args[2] * 4);
            check((char *)to, op->args[2] * 4);
            for (uint64_t i = 0; i < op->args[2] && i < (uint64_t)op->grid * op->threads; i++) to[i] = 2 * from[i];
        } else if (!strncmp(op->function->name, "count", 5)) {
            int *x = (int *)op->args[0];
            check((char *)x, 4);
            check((char *)op->args[1], 1);
            *x += 1;
            *(char *)op->args[1] = *x < (int)op->args[2];
        } else if (!strncmp(op->function->name, "mapped", 6)) {
            float *to = (float *)op->args[0], *from = (float *)op->args[2];
            check((char *)from, op->args[1] * 4);
            check((char *)to, op->args[1] * 4);
            for (uint64_t i = 0; i < op->args[1]; i++) to[i] = 2 * from[i];
        }
        break;
    default: break;
    }
}

static void drain(Stream *stream, Op *until)
{
    while (stream->first) {
        Op *op = stream->first;
        stream->first = op->next;
        if (!stream->first) stream->last = NULL;
        op->next = NULL;
        run_op(op);
        int done = op == until;
        if (op->event) op->event->mark = NULL;
        free(op);
        if (done) return;
    }
}

static int uses(Op *op, const char *at, size_t bytes)
{
    for (; op; op = op->next) {
        if (op->kind == GRAPH_LAUNCH && uses(op->graph->first, at, bytes)) return 1;
        if ((op->to && op->to >= at && op->to < at + bytes) || (op->from && op->from >= at && op->from < at + bytes)) return 1;
        for (int i = 0; i < op->count; i++) if (op->args[i] >= (uint64_t)at && op->args[i] < (uint64_t)at + bytes) return 1;
    }
    return 0;
}

static CUresult add(Stream *stream, Op *op)
{
    if (!stream || !stream->alive) { violate("work for a stream that is gone"); free(op); return INVALID; }
    if (stream->capture && op->kind != MARK) {
        Graph *graph = stream->capture;
        if (graph->last) graph->last->next = op; else graph->first = op;
        graph->last = op;
        stream->captured++;
        if (!stream->is_origin) stream->joined = 0;
        return OK;
    }
    if (stream->last) stream->last->next = op; else stream->first = op;
    stream->last = op;
    return OK;
}

static Op *new_op(int kind) { Op *op = calloc(1, sizeof *op); op->kind = kind; return op; }

static CUresult take(char **at, size_t bytes, int host)
{
    if (!host && bytes > capacity - used) return OOM;
    if (piece_count == MAX_PIECES) return OOM;
    char *memory = aligned_alloc(512, (bytes + 511) / 512 * 512);
    memset(memory, 0xCD, bytes);
    pieces[piece_count].at = memory;
    pieces[piece_count].bytes = bytes;
    pieces[piece_count++].host = host;
    if (!host) used += bytes;
    *at = memory;
    return OK;
}

static CUresult give(char *at, int host)
{
    int i = piece_of(at);
    if (i < 0 || pieces[i].at != at || pieces[i].host != host) { violate("memory is freed that is not there"); return INVALID; }
    for (Stream *s = streams; s; s = s->next) if (s->alive && uses(s->first, at, pieces[i].bytes)) violate("memory is freed while work uses it");
    if (!host) used -= pieces[i].bytes;
    free(at);
    pieces[i].at = NULL;
    return OK;
}

CUresult cuInit(unsigned flags) { pthread_mutex_lock(&lock); CUresult r = enter("cuInit"); if (!r) { initialized = 1; r = flags ? INVALID : OK; } LEAVE(r); }
CUresult cuDriverGetVersion(int *version) { ENTER("cuDriverGetVersion"); *version = 12040; LEAVE(OK); }
CUresult cuDeviceGetCount(int *count) { ENTER("cuDeviceGetCount"); *count = device_count; LEAVE(OK); }
CUresult cuDeviceGet(CUdevice *device, int number) { ENTER("cuDeviceGet"); *device = number; LEAVE(number < device_count ? OK : 101); }
CUresult cuDeviceGetName(char *name, int length, CUdevice device) { ENTER("cuDeviceGetName"); snprintf(name, length, "Fake %d", device); LEAVE(OK); }
CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device)
{
    ENTER("cuDeviceGetAttribute");
    (void)device;
    *value = attribute == 16 ? 132 : attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 115 ? 1 : -1;
    LEAVE(*value < 0 ? INVALID : OK);
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) { ENTER("cuDeviceTotalMem"); (void)device; *bytes = capacity; LEAVE(OK); }
CUresult cuDevicePrimaryCtxRetain(void **context, CUdevice device) { ENTER("cuDevicePrimaryCtxRetain"); (void)device; contexts++; *context = &contexts; LEAVE(OK); }
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) { ENTER("cuDevicePrimaryCtxRelease"); (void)device; contexts--; LEAVE(OK); }
CUresult cuCtxSetCurrent(void *context) { (void)context; return OK; }

CUresult cuModuleLoadDataEx(Module **module, const char *image, unsigned count, int *options, void **values)
{
    ENTER("cuModuleLoadDataEx");
    char *errors = NULL;
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) { if (options[i] == 5) errors = values[i]; if (options[i] == 6) size = (size_t)values[i]; }
    if (!strstr(image, ".version")) {
        if (errors) snprintf(errors, size, "ptxas fatal   : Missing .version directive at start of file");
        LEAVE(BAD_PTX);
    }
    *module = calloc(1, sizeof **module);
    snprintf((*module)->text, sizeof (*module)->text, "%s", image);
    (*module)->alive = 1;
    live[MODULE]++;
    LEAVE(OK);
}
CUresult cuModuleUnload(Module *module)
{
    ENTER("cuModuleUnload");
    if (!module->alive) violate("a module is freed twice");
    for (Stream *s = streams; s; s = s->next)
        for (Op *op = s->first; op; op = op->next) if (op->function && op->function->module == module) violate("code is freed while work uses it");
    module->alive = 0;
    live[MODULE]--;
    LEAVE(OK);
}
CUresult cuModuleGetFunction(Function **function, Module *module, const char *name)
{
    ENTER("cuModuleGetFunction");
    if (!strstr(module->text, name)) LEAVE(NOT_FOUND);
    *function = calloc(1, sizeof **function);
    (*function)->module = module;
    snprintf((*function)->name, sizeof (*function)->name, "%s", name);
    LEAVE(OK);
}
CUresult cuFuncSetAttribute(Function *function, int attribute, int value) { ENTER("cuFuncSetAttribute"); if (attribute == 8) function->dynamic_shared = value; LEAVE(attribute == 8 && value <= 232448 ? OK : INVALID); }
CUresult cuFuncGetAttribute(int *value, int attribute, Function *function) { ENTER("cuFuncGetAttribute"); (void)function; *value = attribute == 0 ? 1024 : 0; LEAVE(OK); }
CUresult cuLaunchKernel(Function *function, unsigned x, unsigned y, unsigned z, unsigned tx, unsigned ty, unsigned tz, unsigned shared,
    Stream *stream, void **parameters, void **extra)
{
    ENTER("cuLaunchKernel");
    if (!x || y != 1 || z != 1 || !tx || tx > 1024 || ty != 1 || tz != 1 || extra) LEAVE(INVALID);
    if (shared > 48 * 1024 && (int)shared > function->dynamic_shared) LEAVE(INVALID);
    Op *op = new_op(LAUNCH);
    op->function = function;
    op->grid = x;
    op->threads = tx;
    op->shared = shared;
    op->count = 3;
    for (int i = 0; i < op->count; i++) op->args[i] = *(uint64_t *)parameters[i];
    LEAVE(add(stream, op));
}

#ifndef WITHOUT_TENSOR_MAPS
static char last_map[512];
const char *fake_map(void) { return last_map; }
CUresult cuTensorMapEncodeTiled(uint64_t *map, int type, unsigned rank, void *at, const uint64_t *sizes, const uint64_t *strides, const unsigned *box,
    const unsigned *steps, int interleave, int swizzle, int promotion, int fill)
{
    ENTER("cuTensorMapEncodeTiled");
    if ((uintptr_t)map % 64 || (uintptr_t)at % 16 || !rank || rank > 5 || interleave || fill || swizzle < 0 || swizzle > 3 || promotion > 3) LEAVE(INVALID);
    size_t n = (size_t)snprintf(last_map, sizeof last_map, "type %d swizzle %d sizes", type, swizzle);
    for (unsigned d = 0; d < rank; d++) {
        if (!sizes[d] || !box[d] || box[d] > 256 || steps[d] != 1 || (d + 1 < rank && strides[d] % 16)) LEAVE(INVALID);
        if (d > 0 && d + 1 < rank && strides[d] % strides[d - 1]) LEAVE(INVALID);
        n += (size_t)snprintf(last_map + n, sizeof last_map - n, " %llu", (unsigned long long)sizes[d]);
    }
    for (unsigned d = 0; d + 1 < rank; d++) n += (size_t)snprintf(last_map + n, sizeof last_map - n, "%s%llu", d ? " " : " strides ", (unsigned long long)strides[d]);
    for (unsigned d = 0; d < rank; d++) n += (size_t)snprintf(last_map + n, sizeof last_map - n, "%s%u", d ? " " : " box ", box[d]);
    memset(map, 0, 128);
    map[0] = (uint64_t)at;
    LEAVE(OK);
}
#endif

CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total) { ENTER("cuMemGetInfo"); *free_bytes = capacity - used; *total = capacity; LEAVE(OK); }
CUresult cuMemAlloc_v2(CUdeviceptr *memory, size_t bytes) { ENTER("cuMemAlloc"); char *at = 0; r = take(&at, bytes, 0); *memory = (CUdeviceptr)at; LEAVE(r); }
CUresult cuMemFree_v2(CUdeviceptr memory) { ENTER("cuMemFree"); LEAVE(give((char *)memory, 0)); }
CUresult cuMemPoolCreate(int **pool, int *properties) { ENTER("cuMemPoolCreate"); if (properties[0] != 1 || properties[2] != 1) LEAVE(INVALID); *pool = &live[POOL]; live[POOL]++; LEAVE(OK); }
CUresult cuMemPoolDestroy(int *pool) { ENTER("cuMemPoolDestroy"); (*pool)--; LEAVE(OK); }
CUresult cuMemPoolTrimTo(int *pool, size_t keep) { ENTER("cuMemPoolTrimTo"); (void)pool; (void)keep; LEAVE(OK); }
CUresult cuMemAllocFromPoolAsync(CUdeviceptr *memory, size_t bytes, int *pool, Stream *stream)
{
    ENTER("cuMemAllocFromPoolAsync");
    if (pool != &live[POOL] || !stream->alive || stream->capture) LEAVE(INVALID);
    char *at = 0;
    r = take(&at, bytes, 0);
    *memory = (CUdeviceptr)at;
    LEAVE(r);
}
CUresult cuMemFreeAsync(CUdeviceptr memory, Stream *stream) { ENTER("cuMemFreeAsync"); if (!stream->alive) violate("a stream that is gone frees"); LEAVE(give((char *)memory, 0)); }
CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) { ENTER("cuMemHostAlloc"); char *at = 0; r = flags ? INVALID : take(&at, bytes, 1); *memory = at; LEAVE(r); }
CUresult cuMemFreeHost(void *memory) { ENTER("cuMemFreeHost"); LEAVE(give(memory, 1)); }

static CUresult copy(char *to, const char *from, size_t bytes, Stream *stream, int snapshot)
{
    Op *op = new_op(COPY);
    op->to = to;
    op->from = (char *)from;
    op->bytes = bytes;
    if (snapshot && piece_of(from) < 0) { // the driver copies what it cannot reach later
        if (stream->capture) { violate("a graph reads memory of the host that may change"); }
        op->from = malloc(bytes);
        memcpy(op->from, from, bytes);
    }
    return add(stream, op);
}
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, Stream *stream) { ENTER("cuMemcpyHtoDAsync"); check((char *)to, bytes); LEAVE(copy((char *)to, from, bytes, stream, 1)); }
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, Stream *stream) { ENTER("cuMemcpyDtoHAsync"); check((char *)from, bytes); LEAVE(copy(to, (char *)from, bytes, stream, 0)); }
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, Stream *stream) { ENTER("cuMemcpyDtoDAsync"); check((char *)to, bytes); check((char *)from, bytes); LEAVE(copy((char *)to, (char *)from, bytes, stream, 0)); }
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, Stream *stream) { ENTER("cuMemsetD8Async"); Op *op = new_op(FILL); op->to = (char *)to; op->value = value; op->bytes = bytes; LEAVE(add(stream, op)); }

CUresult cuStreamCreate(Stream **stream, unsigned flags)
{
    ENTER("cuStreamCreate");
    *stream = calloc(1, sizeof **stream);
    (*stream)->alive = 1;
    (*stream)->joined = 1;
    (*stream)->next = streams;
    streams = *stream;
    live[STREAM]++;
    LEAVE(flags == 1 ? OK : INVALID);
}
CUresult cuStreamDestroy_v2(Stream *stream)
{
    ENTER("cuStreamDestroy");
    if (!stream->alive) violate("a stream is freed twice");
    if (stream->first) violate("a stream is freed that nobody waited for");
    stream->alive = 0;
    live[STREAM]--;
    LEAVE(OK);
}
CUresult cuStreamSynchronize(Stream *stream)
{
    ENTER("cuStreamSynchronize");
    if (stream->capture) LEAVE(CAPTURE);
    drain(stream, NULL);
    LEAVE(OK);
}
CUresult cuStreamWaitEvent(Stream *stream, Event *event, unsigned flags)
{
    ENTER("cuStreamWaitEvent");
    if (event->capture && event->captured_on->capture == event->capture) {
        if (event->captured_on->is_origin) { stream->capture = event->capture; stream->captured = 0; stream->joined = 0; }
        else if (stream->is_origin && event->captured_on->captured == event->captured_at) event->captured_on->joined = 1;
        LEAVE(flags ? INVALID : OK);
    }
    if (event->mark) drain(event->stream, event->mark);
    LEAVE(flags ? INVALID : OK);
}
CUresult cuStreamBeginCapture_v2(Stream *stream, int mode)
{
    ENTER("cuStreamBeginCapture");
    if (mode != 1 || stream->capture) LEAVE(INVALID);
    stream->capture = calloc(1, sizeof(Graph));
    stream->capture->alive = 1;
    stream->is_origin = 1;
    live[GRAPH]++;
    LEAVE(OK);
}
CUresult cuStreamEndCapture(Stream *stream, Graph **graph)
{
    pthread_mutex_lock(&lock);
    CUresult r = enter("cuStreamEndCapture");
    *graph = NULL;
    if (!stream->capture || !stream->is_origin) LEAVE(INVALID);
    Graph *captured = stream->capture;
    int unjoined = 0;
    for (Stream *s = streams; s; s = s->next) {
        if (s->capture == captured) {
            unjoined |= !s->is_origin && !s->joined;
            s->capture = NULL;
            s->is_origin = 0;
            s->joined = 1;
        }
    }
    if (r || unjoined) { live[GRAPH]--; LEAVE(r ? r : UNJOINED); } // the capture is over in any case
    *graph = captured;
    LEAVE(OK);
}

CUresult cuEventCreate(Event **event, unsigned flags) { ENTER("cuEventCreate"); *event = calloc(1, sizeof **event); (*event)->alive = 1; live[EVENT]++; LEAVE(flags == 0 || flags == 2 ? OK : INVALID); }
CUresult cuEventDestroy_v2(Event *event) { ENTER("cuEventDestroy"); if (!event->alive) violate("an event is freed twice"); if (event->mark) event->mark->event = NULL; event->alive = 0; live[EVENT]--; LEAVE(OK); }
CUresult cuEventRecord(Event *event, Stream *stream)
{
    ENTER("cuEventRecord");
    if (!event->alive || !stream->alive) violate("an event or stream that is gone");
    if (event->mark) event->mark->event = NULL;
    event->mark = NULL;
    event->capture = stream->capture;
    event->captured_on = stream;
    event->captured_at = stream->captured;
    if (stream->capture) LEAVE(OK);
    Op *op = new_op(MARK);
    op->event = event;
    event->stream = stream;
    event->mark = op;
    LEAVE(add(stream, op));
}
CUresult cuEventSynchronize(Event *event) { ENTER("cuEventSynchronize"); if (event->mark) drain(event->stream, event->mark); LEAVE(OK); }
CUresult cuEventElapsedTime(float *milliseconds, Event *from, Event *to) { ENTER("cuEventElapsedTime"); *milliseconds = 0.5f; LEAVE(from->mark || to->mark ? 600 : OK); }

CUresult cuGraphInstantiateWithFlags(Graph **exec, Graph *graph, uint64_t flags)
{
    ENTER("cuGraphInstantiate");
    *exec = calloc(1, sizeof **exec);
    **exec = *graph;
    live[EXEC]++;
    LEAVE(flags ? INVALID : OK);
}
CUresult cuGraphLaunch(Graph *exec, Stream *stream) { ENTER("cuGraphLaunch"); if (!exec->alive) violate("a graph that is gone is started"); Op *op = new_op(GRAPH_LAUNCH); op->graph = exec; LEAVE(add(stream, op)); }
CUresult cuGraphExecDestroy(Graph *exec)
{
    ENTER("cuGraphExecDestroy");
    for (Stream *s = streams; s; s = s->next)
        for (Op *op = s->first; op; op = op->next) if (op->graph == exec) violate("a graph is freed while it runs");
    exec->alive = 0;
    live[EXEC]--;
    LEAVE(OK);
}
CUresult cuGraphDestroy(Graph *graph) { ENTER("cuGraphDestroy"); (void)graph; live[GRAPH]--; LEAVE(OK); }

CUresult cuGetErrorName(CUresult result, const char **name)
{
    *name = result == OOM ? "CUDA_ERROR_OUT_OF_MEMORY" : result == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : result == BAD_PTX ? "CUDA_ERROR_INVALID_PTX"
        : result == NO_DEVICE ? "CUDA_ERROR_NO_DEVICE" : NULL;
    return *name ? OK : INVALID;
}
CUresult cuGetErrorString(CUresult result, const char **text) { (void)result; *text = NULL; return INVALID; }
