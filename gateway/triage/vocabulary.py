"""Writes out what rules say by name: word groups of a language, and rules that hold in every language.

Checks nothing; `rule_tree` has said before whether every name is known.
"""

from collections.abc import Iterator, Mapping

from gateway.triage.ruleset_schema import SEVERAL, Nearness, PhrasesShape, RuleShape, Wording

LANGUAGE = "{language}"
"""In the id of a rule of SEVERAL languages: the rule is made for each language that has the words it names."""

Languages = Mapping[str, PhrasesShape]


def written_out(languages: Languages) -> Iterator[tuple[str, RuleShape]]:
    """Language and rule, in the order of the files, every word group replaced by its words."""
    for language, phrases in languages.items():
        for rule in phrases.rules:
            for of_language in made_for(rule, language, languages):
                yield of_language, _rule(rule, of_language, languages)


def made_for(rule: RuleShape, language: str, languages: Languages) -> tuple[str, ...]:
    """The languages a rule of this file is made for: its own, or all that have what it looks for and what must be near."""
    if LANGUAGE not in rule.id:
        return (language,)
    asked = [one for one in (rule, rule.near) if one is not None]
    return tuple(
        one for one in languages if one != SEVERAL and all(_has_words(wording, one, languages) for wording in asked)
    )


def groups_known(language: str, languages: Languages) -> frozenset[str]:
    """Names a rule of that file may use: the groups of its language, or those of any."""
    of = languages.values() if language == SEVERAL else (languages[language],)
    return frozenset(name for phrases in of for name in phrases.words)


def _has_words(wording: Wording, language: str, languages: Languages) -> bool:
    return bool(wording.phrases or wording.regex or not languages[language].words.keys().isdisjoint(wording.words))


def _rule(rule: RuleShape, language: str, languages: Languages) -> RuleShape:
    return rule.model_copy(
        update={
            "id": rule.id.replace(LANGUAGE, language),
            **_words(rule, language, languages),
            "near": _nearness(rule.near, language, languages),
            "not_near": _nearness(rule.not_near, language, languages),
            "unless": _wording(rule.unless, language, languages),
        }
    )


def _nearness(shape: Nearness | None, language: str, languages: Languages) -> Nearness | None:
    """None also where the language has none of the words: nothing can stand near then."""
    if shape is None or not _has_words(shape, language, languages):
        return None
    return shape.model_copy(update=_words(shape, language, languages))


def _wording(shape: Wording | None, language: str, languages: Languages) -> Wording | None:
    if shape is None or not _has_words(shape, language, languages):
        return None
    return shape.model_copy(update=_words(shape, language, languages))


def _words(wording: Wording, language: str, languages: Languages) -> dict[str, tuple[str, ...]]:
    known = languages[language].words
    groups = [known[name] for name in wording.words if name in known]
    return {
        "words": (),
        "phrases": (*wording.phrases, *(word for group in groups for word in group.phrases)),
        "regex": (*wording.regex, *(pattern for group in groups for pattern in group.regex)),
    }
