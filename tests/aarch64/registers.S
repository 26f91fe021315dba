// with_patterns(f, a, b, c, in, out): calls f(a, b, c) with every callee-saved
// register of AAPCS64 holding a value of `in`, and stores what they hold
// afterwards in `out`: x19 to x28, x29, d8 to d15.
    .text
    .global with_patterns
    .type with_patterns, %function
with_patterns:
    // 176 bytes: x19-x30, d8-d15, then `out` and the stack pointer's check.
    sub  sp, sp, #176
    stp  x19, x20, [sp, #0]
    stp  x21, x22, [sp, #16]
    stp  x23, x24, [sp, #32]
    stp  x25, x26, [sp, #48]
    stp  x27, x28, [sp, #64]
    stp  x29, x30, [sp, #80]
    stp  d8,  d9,  [sp, #96]
    stp  d10, d11, [sp, #112]
    stp  d12, d13, [sp, #128]
    stp  d14, d15, [sp, #144]
    str  x5,       [sp, #160]

    ldp  x19, x20, [x4, #0]
    ldp  x21, x22, [x4, #16]
    ldp  x23, x24, [x4, #32]
    ldp  x25, x26, [x4, #48]
    ldp  x27, x28, [x4, #64]
    ldr  x29,      [x4, #80]
    ldp  d8,  d9,  [x4, #88]
    ldp  d10, d11, [x4, #104]
    ldp  d12, d13, [x4, #120]
    ldp  d14, d15, [x4, #136]

    mov  x9, x0
    mov  x0, x1
    mov  x1, x2
    mov  x2, x3
    blr  x9

    ldr  x5, [sp, #160]
    stp  x19, x20, [x5, #0]
    stp  x21, x22, [x5, #16]
    stp  x23, x24, [x5, #32]
    stp  x25, x26, [x5, #48]
    stp  x27, x28, [x5, #64]
    str  x29,      [x5, #80]
    stp  d8,  d9,  [x5, #88]
    stp  d10, d11, [x5, #104]
    stp  d12, d13, [x5, #120]
    stp  d14, d15, [x5, #136]

    ldp  x19, x20, [sp, #0]
    ldp  x21, x22, [sp, #16]
    ldp  x23, x24, [sp, #32]
    ldp  x25, x26, [sp, #48]
    ldp  x27, x28, [sp, #64]
    ldp  x29, x30, [sp, #80]
    ldp  d8,  d9,  [sp, #96]
    ldp  d10, d11, [sp, #112]
    ldp  d12, d13, [sp, #128]
    ldp  d14, d15, [sp, #144]
    add  sp, sp, #176
    ret
    .size with_patterns, .-with_patterns
    .section .note.GNU-stack,"",%progbits
