"""Text that LaTeX prints as it is, with no package loaded; what LaTeX cannot print appears as its code point."""

import re
import unicodedata

__all__ = ["escape"]

_TEXT = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{LATIN SMALL LETTER DOTLESS I}": r"\i{}",
    "ß": r"\ss{}",
    **dict(zip("æÆœŒøØłŁ", (r"\ae{}", r"\AE{}", r"\oe{}", r"\OE{}", r"\o{}", r"\O{}", r"\l{}", r"\L{}"), strict=True)),
}
_MATH_NAMES = {
    "\N{PLUS-MINUS SIGN}": "pm",
    "\N{MULTIPLICATION SIGN}": "times",
    "\N{MIDDLE DOT}": "cdot",
    "\N{LESS-THAN OR EQUAL TO}": "leq",
    "\N{GREATER-THAN OR EQUAL TO}": "geq",
    "\N{NOT EQUAL TO}": "neq",
    "\N{ALMOST EQUAL TO}": "approx",
    "\N{INFINITY}": "infty",
    "\N{RIGHTWARDS ARROW}": "rightarrow",
    "\N{LEFTWARDS ARROW}": "leftarrow",
    "\N{MICRO SIGN}": "mu",
}
_GREEK = "alpha beta gamma delta epsilon zeta eta theta iota kappa mu nu xi pi rho sigma tau upsilon phi chi psi omega"
_CAPITALS = "gamma delta theta xi pi sigma upsilon phi psi omega"  # the others look like Latin letters
_MATH = {
    **{sign: f"\\{name}" for sign, name in _MATH_NAMES.items()},
    "\N{MINUS SIGN}": "-",
    "\N{SUPERSCRIPT TWO}": "^2",
    "\N{SUPERSCRIPT THREE}": "^3",
    "\N{DEGREE SIGN}": r"^\circ",
    "\N{GREEK SMALL LETTER LAMDA}": r"\lambda",  # Unicode spells it without b
    "\N{GREEK CAPITAL LETTER LAMDA}": r"\Lambda",
    "\N{GREEK SMALL LETTER FINAL SIGMA}": r"\varsigma",
    **{unicodedata.lookup(f"GREEK SMALL LETTER {name}"): f"\\{name}" for name in _GREEK.split()},
    **{unicodedata.lookup(f"GREEK CAPITAL LETTER {name}"): f"\\{name.capitalize()}" for name in _CAPITALS.split()},
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING BREVE}": "u",
    "\N{COMBINING CEDILLA}": "c",
    "\N{COMBINING DOT BELOW}": "d",
}


_PARTS = re.compile(r"-+|.", re.DOTALL)  # two hyphens in a row are a dash to LaTeX


def escape(text: str) -> str:
    r"""Return text on one line that LaTeX prints as it is.

    Accented Latin letters, Greek, dashes and common signs are spelled with commands of LaTeX itself, so that any
    encoding and engine prints them; other characters appear as their code point, for instance `U+4E2D`.

    >>> escape("p_test = 10 %")
    'p\\_test = 10 \\%'
    >>> escape("café \N{GREEK SMALL LETTER ALPHA}")
    "caf\\'{e} $\\alpha$"
    """
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join("{}".join(map(_letter, part)) if part[0] == "-" else _letter(part) for part in _PARTS.findall(plain))


def _letter(letter: str) -> str:
    if letter in _TEXT:
        return _TEXT[letter]
    if letter in _MATH:
        return f"${_MATH[letter]}$"
    if letter.isascii() and letter.isprintable():
        return letter
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if base.isascii() and len(marks) == 1 and marks[0] in _ACCENTS:
        return rf"\{_ACCENTS[marks[0]]}{{{base}}}"
    return rf"\texttt{{U+{ord(letter):04X}}}"
