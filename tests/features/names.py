"""Names of instances and interfaces as YANG allows them and people come to choose them."""

from __future__ import annotations

from hypothesis import strategies as st

SPECIAL = (
    "a tenant",
    " leading and trailing ",
    "two  spaces",
    "Müller & Söhne <tenants>",
    "客户-七",
    "quote'd",
    'double"quoted"',
    "both ' and \"",
    "]/network-instance[name='x']",
    "a/b:c[d='e']",
    "default",
    "exit",
    "vrf red",
    "all",
    "!",
    "#",
    "br100",
    "vx100",
    "lo",
    ".",
    "..",
    "-x",
    "a" * 64,
    "customer-number-1",
    "customer-number-2",
    "{name}",
    "%s",
    "\\n",
)


def _taken_by_libyang(character: str) -> bool:
    """It refuses U+xFFE and U+xFFF beyond the first plane, where Unicode means U+xFFFE and U+xFFFF only."""
    return ord(character) < 0x10000 or ord(character) & 0xFFE != 0xFFE


NAMES = st.sampled_from(SPECIAL) | st.text(
    # What XML and YANG's string both allow on one line.
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cn", "Cc"), exclude_characters="\ufffe\uffff").filter(
        _taken_by_libyang
    ),
    min_size=1,
    max_size=64,
)
