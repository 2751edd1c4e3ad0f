"""Interrupts between cores, timers, and waiting for either."""

from impl.chip import assembly as asm
from impl.chip.running import HANDLER, START, cores_with
from kmigrate.impl.chip import Csr, Reason

SOFTWARE = 0x02000000
TIMER = 0x02004000


def test_an_interrupt_from_another_core_stops_user_code_until_it_is_acknowledged() -> None:
    cores = cores_with(asm.jal(0, 0))
    cores.set_user(1, True)
    cores.let_through(1, others=True, timer=False)
    assert cores.run(1, 10).reason is Reason.BUDGET
    cores.interrupt(1)
    for _ in range(2):
        stop = cores.run(1, 10)
        assert (stop.reason, stop.pc, stop.cycles) == (Reason.INTERRUPT, START, 0)
    cores.acknowledge(1)
    assert not cores.interrupted(1)
    assert cores.run(1, 10).reason is Reason.BUDGET


def test_interrupts_wait_while_they_are_not_let_through() -> None:
    cores = cores_with(asm.jal(0, 0))
    cores.interrupt(0)
    cores.set_timer(0, 0)
    assert cores.run(0, 10).reason is Reason.BUDGET
    cores.let_through(0, others=True, timer=True)
    assert cores.run(0, 10).reason is Reason.BUDGET
    cores.set_csr(0, Csr.MSTATUS, 8)
    assert cores.run(0, 10).reason is Reason.INTERRUPT
    cores.acknowledge(0)
    assert cores.run(0, 10).reason is Reason.TIMER
    cores.set_timer(0, None)
    assert cores.run(0, 10).reason is Reason.BUDGET


def test_the_timer_stops_a_core_at_its_cycle() -> None:
    cores = cores_with(asm.immediate("addi", 1, 1, 1), asm.jal(0, -4))
    cores.set_user(0, True)
    cores.let_through(0, others=False, timer=True)
    cores.set_timer(0, 1234)
    stop = cores.run(0, 10_000)
    assert (stop.reason, stop.cycles) == (Reason.TIMER, 1234)


def test_an_interrupt_is_delivered_to_its_place_in_a_vector() -> None:
    cores = cores_with(asm.jal(0, 0))
    cores.set_csr(0, Csr.MTVEC, HANDLER | 1)
    cores.set_csr(0, Csr.MSTATUS, 8)
    cores.let_through(0, others=False, timer=True)
    cores.set_timer(0, 100)
    cores.run(0, 99)
    assert cores.pc(0) == START
    cores.run(0, 1)
    assert (cores.pc(0), cores.csr(0, Csr.MCAUSE), cores.cycle(0)) == (HANDLER + 28, 0x80000007, 100)


def test_waiting_ends_with_the_timer() -> None:
    cores = cores_with(asm.WFI, asm.csr("csrrs", 1, 0xC00, 0))
    cores.let_through(0, others=True, timer=True)
    cores.set_timer(0, 500)
    assert cores.run(0, 501).reason is Reason.BUDGET
    assert (cores.register(0, 1), cores.retired(0)) == (500, 2)


def test_waiting_for_other_cores_is_idleness() -> None:
    cores = cores_with(asm.WFI, asm.ECALL)
    cores.let_through(0, others=True, timer=False)
    stop = cores.run(0, 10)
    assert (stop.reason, stop.pc, stop.cycles) == (Reason.IDLE, START + 4, 1)
    assert cores.run(0, 10).reason is Reason.IDLE
    assert cores.cycle(0) == 1
    cores.interrupt(0)
    assert cores.run(0, 10).reason is Reason.MACHINE_CALL


def test_a_waiting_core_that_is_sent_elsewhere_waits_no_more() -> None:
    cores = cores_with(asm.WFI, asm.ECALL)
    assert cores.run(0, 10).reason is Reason.IDLE
    cores.set_pc(0, START + 4)
    assert cores.run(0, 10).reason is Reason.MACHINE_CALL


def test_code_interrupts_other_cores_and_sets_its_timer_through_devices() -> None:
    cores = cores_with(
        *asm.li(1, SOFTWARE),
        *asm.li(2, TIMER),
        asm.immediate("addi", 3, 0, 1),
        asm.store("sw", 3, 1, 8),
        asm.store("sw", 0, 2, 4),
        asm.store("sw", 3, 2, 0),
        asm.load("lw", 4, 1, 8),
        asm.load("lw", 6, 2, 0),
        *asm.li(2, 0x0200BFF8),
        asm.load("lw", 7, 2, 0),
        asm.csr("csrrs", 8, 0x344, 0),
        asm.store("sw", 0, 1, 8),
        asm.store("sh", 0, 1, 8),
    )
    stop = cores.run(0, 13)
    assert [cores.interrupted(core) for core in range(3)] == [False, False, True]
    stop = cores.run(0, 10)
    assert (cores.registers(0)[4], *cores.registers(0)[6:9]) == (1, 1, 13, 0x80)
    assert not cores.interrupted(2)
    assert (stop.reason, stop.address) == (Reason.OUT_OF_RANGE_STORE, SOFTWARE + 8)


def test_a_core_that_interrupts_itself_is_interrupted_at_once() -> None:
    cores = cores_with(*asm.li(1, SOFTWARE), asm.immediate("addi", 3, 0, 1), asm.store("sw", 3, 1, 0), asm.NOP)
    cores.let_through(0, others=True, timer=False)
    cores.set_csr(0, Csr.MSTATUS, 8)
    stop = cores.run(0, 100)
    assert (stop.reason, stop.pc) == (Reason.INTERRUPT, START + 16)
