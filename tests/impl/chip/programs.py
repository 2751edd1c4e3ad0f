"""Hypothesis strategies for small programs."""

from hypothesis import strategies as st

from impl.chip import assembly as asm

POINTER = 5
"""The register that points to the data of a program; nothing else is written to it."""

_sources = st.sampled_from((0, 1, 2, 3, 4))
_targets = st.sampled_from((0, 1, 2, 3, 4))


def operations() -> st.SearchStrategy[int]:
    """Instructions that only compute."""
    return st.one_of(
        st.builds(asm.register, st.sampled_from(sorted(asm.REGISTER)), _targets, _sources, _sources),
        st.builds(asm.immediate, st.sampled_from(sorted(asm.IMMEDIATE)), _targets, _sources, st.integers(-5, 5)),
        st.builds(asm.shift, st.sampled_from(sorted(asm.SHIFT)), _targets, _sources, st.integers(0, 31)),
    )


def loads(words: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    """Loads of these words, counted from `POINTER`."""
    return st.builds(
        lambda name, rd, word, within: asm.load(
            name, rd, POINTER, 4 * word + within % 4 // (1 << (asm.LOAD[name] & 3)) * (1 << (asm.LOAD[name] & 3))
        ),
        st.sampled_from(sorted(asm.LOAD)),
        _targets,
        words,
        st.integers(0, 3),
    )


def stores(words: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    """Stores to these words, counted from `POINTER`."""
    return st.builds(
        lambda name, rs2, word, within: asm.store(
            name, rs2, POINTER, 4 * word + within % 4 // (1 << asm.STORE[name]) * (1 << asm.STORE[name])
        ),
        st.sampled_from(sorted(asm.STORE)),
        _sources,
        words,
        st.integers(0, 3),
    )


def branches(length: int) -> st.SearchStrategy[int]:
    """Branches and jumps by at most so many instructions; they may lead out of the program."""
    distances = st.integers(-length, length).map(lambda words: 4 * words)
    return st.one_of(
        st.builds(asm.branch, st.sampled_from(sorted(asm.BRANCH)), _sources, _sources, distances),
        st.builds(asm.jal, st.sampled_from((0, 1)), distances),
    )


def clocks() -> st.SearchStrategy[int]:
    """Reads of the counters of cycles and instructions."""
    return st.builds(asm.csr, st.just("csrrs"), _targets, st.sampled_from((0xC00, 0xC01, 0xC02)), st.just(0))
