"""Whether a question leans on the one before it, decided by its words alone.

A question that names what it is about stands alone. One leans if it points at something it does
not name ("does it …?"), begins in the middle ("and on Windows?", "why?"), or says nothing of its
own ("tell me more"). English, Russian, German, French, Spanish and Chinese are known; a question
in another language stands alone unless it is made of what is known here.
"""

import re
from collections.abc import Sequence

from engine.chunks.lexical import is_han
from engine.chunks.stop_words import RUSSIAN_STOP_WORDS, STOP_WORDS

FEW = 3
"""Words of its own that a question may have which begins with a connective or a preposition."""
SHORT_HAN = 12
"""Chinese characters up to which a question is short."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONNECTIVES = _words(
    "and but or so then also plus however because instead "
    "а и но или тогда значит также тоже "
    "und aber oder dann also außerdem sondern "
    "et mais ou donc alors aussi "
    "y e pero o entonces también"
)
"""A question that begins with one of these goes on from another."""
_WHY = _words("why почему зачем отчего warum wieso weshalb pourquoi")
"""And with one of these, if it asks for the reason of one thing only."""
_OPENINGS = (
    *("what about", "how about", "what if", "how so", "how come", "what else", "who else"),
    *("а если", "а как", "а что", "что насчет", "как насчет", "что еще"),
    *("was ist mit", "wie sieht es", "wie steht es", "was noch", "wie ist es mit"),
    *("et si", "qu en est il", "quoi d autre", "y si", "qué hay de", "por qué", "qué pasa con"),
)
_PREPOSITIONS = _words(
    "on in for with without from to at by under over using via than "
    "на в во для с со без от к у под через при "
    "auf in im für mit ohne von zu bei unter über per "
    "sur dans pour avec sans de sous chez en para con sin por"
)
_POINTING = _words(
    "it its itself they them their theirs he him his she her hers this that these those "
    "former latter same such above previous "
    "он она оно они его ее их ему ей им нем ней них ним нею ними него нее этот эта это эти этого "
    "этой этому этом этим этих этими тот та те того той тому том тем тех такой такая такое такие "
    "там туда оттуда "
    "ihn ihm ihnen dessen deren dies diese dieser dieses diesem diesen dafür damit davon dazu "
    "darin daran darauf darüber dabei dagegen dort er sie es derselbe dieselbe dasselbe "
    "il elle ils elles lui leur leurs cela ça celui celle ceux celles ceci "
    "eso esto ese esa esos esas ello aquello él ella ellos ellas su sus"
)
"""Words that stand for something which is named elsewhere."""
_ASKING = _words(
    "what which who whom whose where when why how is are was were do does did can could will "
    "would should has have had may must "
    "что какой какая какое какие каких каком кто где когда почему как сколько чем "
    "was welche welcher welches welchen wer wen wem wo wann wie wieviel ist sind hat kann "
    "quel quelle quels quelles qui que où quand comment combien est "
    "qué cuál cuáles quién dónde cuándo cómo cuánto cuánta"
)
_SAYING_NOTHING = (
    STOP_WORDS
    | RUSSIAN_STOP_WORDS
    | _CONNECTIVES
    | _PREPOSITIONS
    | _POINTING
    | _ASKING
    | _WHY
    | _words(
        "please tell me more explain elaborate example examples detail details mean means meaning "
        "give show say said go continue again else other others another one ones first second "
        "third last next exactly really sure correct right wrong true no not yes ok okay thanks "
        "long often fast far big large high old soon just only well work works happen happens "
        "difference instead thing things t s re ve ll d m don doesn isn "
        "about some any each both all there here let us "
        "расскажи подробнее объясни поясни пример примеры еще больше значит означает не нет да ли "
        "другой другие другая первый второй третий последний покажи продолжай точно бы же ну "
        "erzähl erkläre erklär mehr genauer beispiel beispiele bedeutet heißt nicht nein ja noch "
        "andere anderen anderes erste zweite letzte der die das den dem des ein eine einen einem "
        "einer darf dürfen muss müssen soll groß klein viel viele "
        "ich du wir ihr man ist sind war hat haben kann kannst können wird werden auch denn "
        "mal bitte mir zeig genau "
        "le la les un une des du au aux je tu nous vous on et plus exemple explique dis donne moi "
        "encore autre autres ce cette ces ne pas est sont "
        "el los las una unos unas del al yo tú más ejemplo explica dime dame otro otra otros "
        "es son no sí se lo"
    )
)
_BEFORE_THAT = _ASKING | _PREPOSITIONS | _CONNECTIVES
_THE_ONE = re.compile(r"\b(?:the|der|die|das|den|dem|le|la|les|el|los|las)\s", re.IGNORECASE)
_THERE_IS = re.compile(
    r"\b(?:gibt es|es gibt|il y a|y a t il|is it possible|it is possible|ist es möglich|что такое|"
    r"this (?:folder|documentation|collection)|these (?:documents|notes|files))\b",
    re.IGNORECASE,
)
"""What points at nothing although a word of it looks so."""
_SUBORDINATE = re.compile(r"\b(?:so|such|given|note|means?|know|sure|fact|say|says) that\b", re.I)

_HAN_BEGINS = re.compile(
    r"^(?:那么?|还有|另外|然后|但是?|可是|不过|所以|而且|而|并且|如果是|换成|为什么[呢啊]?[？?]?$|"
    r"怎么办|再说|继续|详细|举个?例|比如)"
)
_HAN_POINTS = re.compile(
    r"它们?|他们?|她们?|这个|那个|这些|那些|这种|那种|这样|那样|上述|上面|前者|后者|其中|该|此"
)
_HAN_ENDS = re.compile(r"呢[？?。]?$")

_WORD = re.compile(r"[^\W_]+")


def leans(question: str) -> bool:
    """Return whether ``question`` can only be understood from what was asked before it."""
    text = question.strip()
    if is_han(text):
        return _leans_in_chinese(text)
    plain = _THERE_IS.sub(" is ", _SUBORDINATE.sub(" ", text))
    words = [word.casefold().replace("ё", "е") for word in _WORD.findall(plain)]
    own = own_words(words)
    if not own:
        return True
    if _begins_in_the_middle(words) and len(own) <= FEW:
        return True
    if any(_points_back(words, at) for at, word in enumerate(words) if word in _POINTING):
        return True
    names_one = bool(_THE_ONE.search(plain)) and words[0] in _ASKING
    return len(own) == 1 and (names_one or words[0] in _WHY or "one" in words)


def own_words(words: Sequence[str]) -> list[str]:
    """Return those of ``words``, in lower case, that say what a question is about."""
    return [word for word in words if word not in _SAYING_NOTHING]


def _begins_in_the_middle(words: list[str]) -> bool:
    opening = " ".join(words[:4]) + " "
    if words[0] in _CONNECTIVES or opening.startswith(tuple(f"{each} " for each in _OPENINGS)):
        return True
    return words[0] in _PREPOSITIONS and not any(word in _ASKING for word in words[1:])


def _points_back(words: list[str], at: int) -> bool:
    """Whether what the word at ``at`` stands for is likely not named before it.

    Two words of the question's own before it are taken for what it stands for. Within a question
    ``that`` mostly begins a clause.
    """
    if words[at] == "that" and 0 < at < len(words) - 1 and words[at - 1] not in _BEFORE_THAT:
        return False
    return len(own_words(words[:at])) < 2


def _leans_in_chinese(text: str) -> bool:
    if _HAN_BEGINS.search(text) or _HAN_ENDS.search(text):
        return True
    pointing = _HAN_POINTS.search(text)
    return pointing is not None and (pointing.start() <= 4 or len(text) <= SHORT_HAN)
