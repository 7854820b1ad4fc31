"""Addresses of people who are made up."""

NUMBERS_OF_NOBODY = ("+999", "+155501")
"""No country has 999, and no area 555: the numbers of the simulator and of the demo."""
USER_IDS_OF_NOBODY = "ZZ."


def is_made_up(address: str) -> bool:
    """Is this an address that nobody outside can have?"""
    return address.startswith((*NUMBERS_OF_NOBODY, USER_IDS_OF_NOBODY))
