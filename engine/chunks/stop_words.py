"""Words that say nothing about what a question looks for."""

_WORDS = """
a an and are as at be been but by can could did do does for from had has have how i if in into is
it its may me my of on or our shall should so such than that the their them there these they this
those to was we were what when where which who whom whose why will with would you your name many
much between after before during about
"""

STOP_WORDS = frozenset(_WORDS.split())
"""Folded to lower case."""

_RUSSIAN = """
а без был была были было быть в вам вас вы где да для до его ее если есть еще же за и из или им их к
каким какие какими каких какого какое какой каком какому какая какую как когда которая которое
которой котором которые который которых кто куда ли между на над не него нее ней нем ни них но о об
он она они оно от по под при с со так также там то того том тот тем у чего чей чем через что чтобы
эта эти это этого этой этом этот этих я мы
"""

RUSSIAN_STOP_WORDS = frozenset(_RUSSIAN.split())
"""Folded to lower case, with е for ё."""
