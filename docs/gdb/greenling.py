"""Greenling's tasklets in gdb: of a live process, or of its core file.

    (gdb) source docs/gdb/greenling.py
    (gdb) greenling tasklets             a line for each tasklet
    (gdb) greenling backtrace 1.3        the backtrace of tasklet 3 of scheduler 1
    (gdb) greenling backtrace            those of all

A suspended tasklet is unwound by gdb's own unwinder: while its backtrace is
printed, the innermost frame of the selected thread pretends that its caller is
the context that the tasklet has left on its stack, see
runtime/src/context/x86_64.rs and aarch64.rs. No register is changed.

Everything is found from the symbol GREENLING_DEBUG, see
runtime/src/scheduler/anchor.rs.
"""

import re
import struct

import gdb
import gdb.unwinder

VERSION = 1
STATES = ["free", "unbound", "paused", "runnable", "blocked", "dead"]
ALIVE = ("paused", "runnable", "blocked")
ID_BITS = 40
NAME_MAX = 1000

# Of a suspended context: registers by their offset from its stack pointer, and
# its size. That of the resume address is first.
CONTEXTS = {
    "x86-64": ([("rip", 0), ("rbx", 8), ("rbp", 16)], "rsp", 24),
    "aarch64": ([("pc", 16), ("x19", 0), ("x29", 8)], "sp", 32),
}


def read(address, form):
    """Fields of these kinds at this address."""
    size = struct.calcsize(form)
    memory = gdb.selected_inferior().read_memory(address, size)
    return struct.unpack(form, bytes(memory))


def text(address):
    """The string to which the pointer and the length at this address belong."""
    start, length = read(address, "<QQ")
    if start == 0 or length > NAME_MAX:
        return None
    memory = gdb.selected_inferior().read_memory(start, length) if length else b""
    return bytes(memory).decode("utf-8", "replace")


def address_of(symbol):
    """Where a symbol is; gdb knows no type for it in a release build."""
    try:
        found = gdb.execute("info address " + symbol, to_string=True)
    except gdb.error as error:
        raise gdb.GdbError("no Greenling in this program: %s" % error)
    return int(re.search(r"0x[0-9a-f]+", found).group(), 16)


class Layout:
    """Where everything is."""

    FIELDS = (
        "version block_size blocks_per_chunk older sp state flags id reason extras name"
        " started guard_apart"
    ).split()

    def __init__(self):
        start = address_of("GREENLING_DEBUG")
        form = "<%dI" % len(self.FIELDS)
        for field, value in zip(self.FIELDS, read(start, form)):
            setattr(self, field, value)
        if self.version != VERSION:
            raise gdb.GdbError("version %d of GREENLING_DEBUG is not known" % self.version)
        behind = (struct.calcsize(form) + 7) // 8 * 8
        (self.schedulers,) = read(start + behind, "<Q")


class Tasklet:
    """A control block."""

    def __init__(self, layout, block, running, thread):
        self.thread = thread
        self.is_running = block == running
        (self.sp,) = read(block + layout.sp, "<Q")
        (state,) = read(block + layout.state, "<B")
        self.state = STATES[state] if state < len(STATES) else "broken"
        (flags,) = read(block + layout.flags, "<H")
        self.has_started = flags & layout.started != 0
        (number,) = read(block + layout.id, "<Q")
        self.id = "%d.%d" % (number >> ID_BITS, number & ((1 << ID_BITS) - 1))
        self.order = number
        (reason,) = read(block + layout.reason, "<Q")
        self.reason = text(reason) if self.state == "blocked" else None
        (extras,) = read(block + layout.extras, "<Q")
        self.name = text(extras + layout.name) if extras else None

    def line(self):
        parts = [self.id, self.state]
        if self.is_running:
            parts.append("(on thread LWP %d)" % self.thread)
        if self.name is not None:
            parts.append('"%s"' % self.name)
        if self.reason is not None:
            parts.append("waits for " + self.reason)
        return " ".join(parts)


def tasklets():
    """Every live tasklet of every thread."""
    layout = Layout()
    anchor = layout.schedulers
    found = []
    while anchor:
        anchor, thread, current, apart, guarded, newest, used = read(anchor, "<QqQQQQQ")
        (guards,) = read(guarded, "<I")
        (running,) = read(apart if guards & layout.guard_apart else current, "<Q")
        (chunk,) = read(newest, "<Q")
        (blocks,) = read(used, "<I")
        # The newest chunk is the last, and not full.
        while chunk and blocks > 0:
            count = (blocks - 1) % layout.blocks_per_chunk + 1
            for index in range(count):
                block = chunk + index * layout.block_size
                tasklet = Tasklet(layout, block, running, thread)
                if tasklet.state in ALIVE:
                    found.append(tasklet)
            blocks -= count
            (chunk,) = read(chunk + layout.older, "<Q")
    return sorted(found, key=lambda tasklet: tasklet.order)


class FrameId:
    """What gdb tells frames apart by."""

    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Suspended(gdb.unwinder.Unwinder):
    """Unwinds the innermost frame of a thread to a suspended context."""

    def __init__(self):
        super().__init__("greenling suspended tasklet")
        self.sp = None
        self.innermost = None

    def __call__(self, pending):
        if self.sp is None:
            return None
        registers, stack_pointer, size = context_of(pending.architecture())
        here = place_of(pending, stack_pointer, registers)
        if here != self.innermost:
            return None
        values = {stack_pointer: self.sp + size}
        for register, offset in registers:
            (values[register],) = read(self.sp + offset, "<Q")
        values = {
            register: gdb.Value(value).cast(pending.read_register(register).type)
            for register, value in values.items()
        }
        sp, pc = values[stack_pointer], values[registers[0][0]]
        unwound = pending.create_unwind_info(FrameId(sp, pc))
        for register, value in values.items():
            unwound.add_saved_register(register, value)
        return unwound

    def frames(self, sp):
        """The frames of the context that was suspended with this stack pointer."""
        gdb.invalidate_cached_frames()
        here = gdb.newest_frame()
        registers, stack_pointer, _ = context_of(here.architecture())
        self.innermost = place_of(here, stack_pointer, registers)
        self.sp = sp
        gdb.invalidate_cached_frames()
        try:
            # Inlined functions of the innermost frame come first.
            frame = gdb.newest_frame()
            while frame is not None and frame.type() == gdb.INLINE_FRAME:
                frame = frame.older()
            frame = frame and frame.older()
            while frame is not None:
                yield frame
                frame = frame.older()
        finally:
            self.sp = None
            gdb.invalidate_cached_frames()


def place_of(frame, stack_pointer, registers):
    """Stack pointer and program counter of a frame, as unsigned numbers."""
    names = (stack_pointer, registers[0][0])
    return tuple(int(frame.read_register(name)) & (2**64 - 1) for name in names)


def context_of(architecture):
    name = architecture.name()
    for known, context in CONTEXTS.items():
        if known in name:
            return context
    raise gdb.GdbError("tasklets on %s are not known" % name)


def describe(frame):
    name = frame.name() or "0x%x" % frame.pc()
    place = frame.find_sal()
    if place.symtab is None:
        return name
    return "%s at %s:%d" % (name, place.symtab.filename, place.line)


def frames_of(tasklet):
    """Descriptions of its frames; None for one that has not begun."""
    if tasklet.is_running:
        before = gdb.selected_thread()
        for thread in gdb.selected_inferior().threads():
            if tasklet.thread in thread.ptid:
                thread.switch()
                frame, frames = gdb.newest_frame(), []
                while frame is not None:
                    frames.append(describe(frame))
                    frame = frame.older()
                before.switch()
                return frames
        return ["(its thread is not here)"]
    if not tasklet.has_started:
        return None
    return [describe(frame) for frame in unwinder.frames(tasklet.sp)]


class Greenling(gdb.Command):
    """Greenling's tasklets: greenling tasklets, greenling backtrace [ID]."""

    def __init__(self):
        super().__init__("greenling", gdb.COMMAND_STACK, prefix=True)


class ListTasklets(gdb.Command):
    """A line for each tasklet of every thread."""

    def __init__(self):
        super().__init__("greenling tasklets", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for tasklet in tasklets():
            print(tasklet.line())


class Backtrace(gdb.Command):
    """The backtrace of the tasklet with this id, or of all."""

    def __init__(self):
        super().__init__("greenling backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = argument.strip()
        found = [tasklet for tasklet in tasklets() if wanted in ("", "all", tasklet.id)]
        if not found:
            raise gdb.GdbError("no live tasklet has the id " + wanted)
        for tasklet in found:
            print(tasklet.line())
            frames = frames_of(tasklet)
            if frames is None:
                print("    (has not begun)")
                continue
            for number, frame in enumerate(frames):
                print("    #%d %s" % (number, frame))


unwinder = Suspended()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)
Greenling()
ListTasklets()
Backtrace()
