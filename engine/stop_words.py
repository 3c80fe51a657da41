"""English words that say nothing about what a question looks for."""

_WORDS = """
a an and are as at be been but by can could did do does for from had has have how i if in into is
it its may me my of on or our shall should so such than that the their them there these they this
those to was we were what when where which who whom whose why will with would you your name many
much between after before during about
"""

STOP_WORDS = frozenset(_WORDS.split())
"""Folded to lower case."""
