// Exercises the aarch64 context switch of the runtime: see run.sh.
//
// Every check that fails prints its line and the program exits with 1.

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

typedef void entry_function(void *);

// The context operations, from shim.rs.
void *shim_prepare(void *top, entry_function *entry, void *argument);
void shim_switch(void **save, void *to);
_Noreturn void shim_leave(void *to);
void shim_call_on(void *top, entry_function *function, void *argument);
void shim_call_beneath(const void *sp, entry_function *function, void *argument);

struct numbers {
    uint64_t a, b, c, d;
    double x, y, z;
};
void shim_compute(void **save, void **other, uint64_t rounds, struct numbers *numbers);

// x19 to x28, x29, d8 to d15; from registers.S.
enum { REGISTERS = 19 };
void with_patterns(void *function, void *a, void *b, void *c, const uint64_t *in, uint64_t *out);

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "FAILED main.c:%d: %s\n", __LINE__, #condition);   \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

enum { STACK_BYTES = 64 * 1024 };

static void *new_stack(void) {
    char *low = aligned_alloc(16, STACK_BYTES);
    CHECK(low != NULL);
    return low + STACK_BYTES;
}

static void free_stack(void *top) { free((char *)top - STACK_BYTES); }

static int is_on(void *top, const void *address) {
    return (const char *)address < (char *)top
        && (const char *)address >= (char *)top - STACK_BYTES;
}

// Read from the register: the compiler takes the alignment of locals for granted.
static uintptr_t stack_pointer(void) {
    uintptr_t here;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    return here;
}

// The main context and the other one, as the scheduler keeps them.
static void *main_context, *other_context;
static void *other_top;

// --- a fresh context starts with its argument on an aligned stack ---------

static int started;

static void start(void *argument) {
    CHECK(argument == &started);
    CHECK(stack_pointer() % 16 == 0);
    CHECK(is_on(other_top, (void *)stack_pointer()));
    started += 1;
    shim_leave(main_context);
}

static void a_fresh_context_starts_and_leaves(void) {
    other_top = new_stack();
    other_context = shim_prepare(other_top, start, &started);
    CHECK((uintptr_t)other_context % 16 == 0);
    shim_switch(&main_context, other_context);
    CHECK(started == 1);
    // A stack that was left for good can be used again.
    other_context = shim_prepare(other_top, start, &started);
    shim_switch(&main_context, other_context);
    CHECK(started == 2);
    free_stack(other_top);
}

// --- callee-saved registers survive a switch ------------------------------

enum { ROUNDS = 100000 };

static void fill(uint64_t *patterns, uint64_t seed) {
    for (int i = 0; i < REGISTERS; i++)
        patterns[i] = (seed + i) * UINT64_C(0x9e3779b97f4a7c15);
}

static void check_round(void **save, void **to, uint64_t seed) {
    uint64_t in[REGISTERS], out[REGISTERS];
    fill(in, seed);
    memset(out, 0, sizeof out);
    with_patterns(shim_switch, save, *to, NULL, in, out);
    CHECK(memcmp(in, out, sizeof in) == 0);
}

static int other_rounds;

static void bounce(void *argument) {
    for (uint64_t round = 0;; round++) {
        other_rounds += 1;
        check_round(&other_context, &main_context, *(uint64_t *)argument + 64 * round);
    }
}

static void callee_saved_registers_survive_a_switch(void) {
    uint64_t seed = 1000000007;
    other_top = new_stack();
    other_context = shim_prepare(other_top, bounce, &seed);
    for (uint64_t round = 0; round < ROUNDS; round++)
        check_round(&main_context, &other_context, 32 * round);
    CHECK(other_rounds == ROUNDS);
    free_stack(other_top);
}

// --- live values survive an inlined switch --------------------------------

static const struct numbers SEEDS = { 3, 5, 7, 11, 0.1, 0.2, 0.3 };
static struct numbers other_numbers;

static void compute_forever(void *argument) {
    shim_compute(&other_context, &main_context, (uintptr_t)argument, &other_numbers);
    shim_leave(main_context);
}

// What shim_compute does, without switching.
static struct numbers expected(uint64_t rounds) {
    struct numbers n = SEEDS;
    for (uint64_t i = 0; i < rounds; i++) {
        n.a = n.a * n.a + 1;
        n.b = n.b * n.b + n.a;
        n.c = n.c * n.c + n.b;
        n.d = n.d * n.d + n.c;
        n.x = 3.7 * n.x * (1.0 + -n.x);
        n.y = 3.8 * n.y * (1.0 + -n.y);
        n.z = 3.9 * n.z * (1.0 + -n.z);
    }
    return n;
}

static void live_values_survive_an_inlined_switch(void) {
    struct numbers mine = SEEDS, want = expected(ROUNDS);
    other_numbers = SEEDS;
    other_top = new_stack();
    other_context = shim_prepare(other_top, compute_forever, (void *)(uintptr_t)ROUNDS);
    shim_compute(&main_context, &other_context, ROUNDS, &mine);
    CHECK(memcmp(&mine, &want, sizeof want) == 0);
    // The other one has its last step still to finish.
    shim_switch(&main_context, other_context);
    CHECK(memcmp(&other_numbers, &want, sizeof want) == 0);
    free_stack(other_top);
}

// --- call_on --------------------------------------------------------------

static int calls;

static void note_stack(void *argument) {
    CHECK(argument == &calls);
    CHECK(stack_pointer() % 16 == 0);
    CHECK(is_on(other_top, (void *)stack_pointer()));
    calls += 1;
}

static void call_on_runs_there_and_keeps_registers(void) {
    uint64_t in[REGISTERS], out[REGISTERS];
    other_top = new_stack();
    for (uint64_t round = 0; round < ROUNDS; round++) {
        fill(in, round);
        memset(out, 0, sizeof out);
        with_patterns(shim_call_on, other_top, note_stack, &calls, in, out);
        CHECK(memcmp(in, out, sizeof in) == 0);
    }
    CHECK(calls == ROUNDS);
    free_stack(other_top);
}

// --- backtraces -----------------------------------------------------------

enum { FRAMES_MAX = 64 };

struct trace {
    uintptr_t functions[FRAMES_MAX];
    int length;
    _Unwind_Reason_Code ending;
};

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *argument) {
    struct trace *trace = argument;
    // libgcc also reports the end of the stack itself, as a frame at 0.
    if (_Unwind_GetIP(context) == 0)
        return _URC_NO_REASON;
    if (trace->length == FRAMES_MAX)
        return _URC_NORMAL_STOP;
    trace->functions[trace->length++] = _Unwind_GetRegionStart(context);
    return _URC_NO_REASON;
}

static __attribute__((noinline)) void take(void *argument) {
    struct trace *trace = argument;
    trace->length = 0;
    trace->ending = _Unwind_Backtrace(note_frame, trace);
}

// How deep in the trace a function is; -1 when it is not.
static int depth(const struct trace *trace, void *function) {
    for (int i = 0; i < trace->length; i++)
        if (trace->functions[i] == (uintptr_t)function)
            return i;
    return -1;
}

static void trace_from_here(void *argument) {
    take(argument);
    shim_leave(main_context);
}

static void a_backtrace_of_a_context_ends_at_its_root(void) {
    struct trace trace;
    other_top = new_stack();
    other_context = shim_prepare(other_top, trace_from_here, &trace);
    shim_switch(&main_context, other_context);
    CHECK(trace.ending == _URC_END_OF_STACK);
    int entry = depth(&trace, trace_from_here);
    CHECK(entry >= 0);
    // Below the entry function there is the root and nothing else.
    CHECK(trace.length == entry + 2);
    free_stack(other_top);
}

int main(void);

static __attribute__((noinline)) void a_backtrace_passes_through_call_on(void) {
    struct trace trace;
    other_top = new_stack();
    shim_call_on(other_top, take, &trace);
    CHECK(trace.ending == _URC_END_OF_STACK);
    int callee = depth(&trace, take), caller = depth(&trace, a_backtrace_passes_through_call_on);
    CHECK(callee >= 0 && caller > callee);
    CHECK(depth(&trace, main) > caller);
    free_stack(other_top);
}

// What a tasklet does with on_system_stack: the callee's frames lie above the
// caller's, against the usual direction.
static void *native_top;

static void trace_from_native(void *argument) {
    shim_call_on(native_top, take, argument);
    shim_leave(main_context);
}

static void a_backtrace_passes_from_the_native_stack_to_a_context(void) {
    _Alignas(16) char native[STACK_BYTES];
    struct trace trace;
    native_top = native + STACK_BYTES;
    other_top = new_stack();
    other_context = shim_prepare(other_top, trace_from_native, &trace);
    shim_switch(&main_context, other_context);
    CHECK(trace.ending == _URC_END_OF_STACK);
    int callee = depth(&trace, take), caller = depth(&trace, trace_from_native);
    CHECK(callee >= 0 && caller > callee);
    CHECK(trace.length == caller + 2);
    free_stack(other_top);
}

// --- a suspended context is traced on the stack of whoever asks ------------

static __attribute__((noinline)) void suspends(void) {
    shim_switch(&other_context, main_context);
    __asm__ volatile("");
}

static __attribute__((noinline)) void calls_one_that_suspends(void *argument) {
    suspends();
    CHECK(argument == &other_context);
    shim_leave(main_context);
}

static void a_suspended_context_is_traced_from_elsewhere(void) {
    struct trace trace;
    uint64_t in[REGISTERS], out[REGISTERS];
    other_top = new_stack();
    other_context = shim_prepare(other_top, calls_one_that_suspends, &other_context);
    shim_switch(&main_context, other_context);
    fill(in, 5);
    memset(out, 0, sizeof out);
    with_patterns(shim_call_beneath, other_context, take, &trace, in, out);
    CHECK(memcmp(in, out, sizeof in) == 0);
    CHECK(trace.ending == _URC_END_OF_STACK);
    int asker = depth(&trace, take), inner = depth(&trace, suspends);
    int outer = depth(&trace, calls_one_that_suspends);
    CHECK(asker >= 0 && inner > asker && outer == inner + 1);
    // Below there is the root, and nothing of the asker.
    CHECK(trace.length == outer + 2);
    CHECK(depth(&trace, main) == -1);
    // It goes on as if nothing had been.
    shim_switch(&main_context, other_context);
    free_stack(other_top);
}

// --- an unwind passes through call_on and runs clean-up on both sides ------

static int cleanups;
static jmp_buf caught;

static void clean_up(int *amount) { cleanups += *amount; }

static _Unwind_Reason_Code stop(int version, _Unwind_Action actions,
                                _Unwind_Exception_Class class,
                                struct _Unwind_Exception *exception,
                                struct _Unwind_Context *context, void *argument) {
    (void)version, (void)class, (void)exception;
    CHECK(!(actions & _UA_END_OF_STACK));
    if (_Unwind_GetRegionStart(context) == (uintptr_t)argument)
        longjmp(caught, 1);
    return _URC_NO_REASON;
}

static void catcher(void *top);

static void thrower(void *argument) {
    __attribute__((cleanup(clean_up))) int amount = 1;
    _Unwind_ForcedUnwind(argument, stop, catcher);
    CHECK(!"the unwind came back");
}

static __attribute__((noinline)) void passes_on(void *top, void *exception) {
    __attribute__((cleanup(clean_up))) int amount = 10;
    shim_call_on(top, thrower, exception);
    CHECK(!"the unwind was swallowed");
}

static __attribute__((noinline)) void catcher(void *top) {
    static struct _Unwind_Exception exception;
    memset(&exception, 0, sizeof exception);
    if (setjmp(caught) == 0)
        passes_on(top, &exception);
}

static void an_unwind_passes_through_call_on(void) {
    void *top = new_stack();
    catcher(top);
    CHECK(cleanups == 11);
    free_stack(top);
}

int main(void) {
    struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        { "a fresh context starts and leaves", a_fresh_context_starts_and_leaves },
        { "callee-saved registers survive a switch", callee_saved_registers_survive_a_switch },
        { "live values survive an inlined switch", live_values_survive_an_inlined_switch },
        { "call_on runs there and keeps registers", call_on_runs_there_and_keeps_registers },
        { "a backtrace of a context ends at its root", a_backtrace_of_a_context_ends_at_its_root },
        { "a backtrace passes through call_on", a_backtrace_passes_through_call_on },
        { "a backtrace passes from the native stack to a context",
          a_backtrace_passes_from_the_native_stack_to_a_context },
        { "a suspended context is traced from elsewhere",
          a_suspended_context_is_traced_from_elsewhere },
        { "an unwind passes through call_on", an_unwind_passes_through_call_on },
    };
    for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tests[i].run();
        printf("ok %s\n", tests[i].name);
    }
    return 0;
}
