"""What is wrong with a rule book beyond the form of its parts. Pure; run when the settings are loaded.

Names must exist, texts must be usable, conditions must be able to hold, and rules must neither fight over a field nor
set each other off for ever. Each problem names the place by its path in the settings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.rules.alert_texts import OF_ALERTS
from hub.rules.book import PRIORITIES, calendar_of, target_of
from hub.rules.boxes import Box, Domain, boxes, impossible
from hub.rules.calendars import CalendarError
from hub.rules.placeholders import OF_TICKETS, PlaceholderError, Vocabulary, check_text
from hub.settings.model import Settings
from hub.settings.problems import Path, suggest
from hub.settings.rules import Actions, Condition, Rule
from hub.ticket import Category, Priority, Status


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake in the rule book: where in the settings, what, and what to do."""

    path: Path
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rule book may name that stands elsewhere: custom fields by tracker, and what plugins bring."""

    fields: Mapping[str, Collection[str]]
    actions: Collection[str]
    conditions: Collection[str] = ()

    @property
    def all_fields(self) -> list[str]:
        return sorted({name for names in self.fields.values() for name in names})


def check_rules(settings: Settings, around: Surroundings) -> list[Finding]:
    """Everything that is wrong, in no order."""
    return list(_Checks(settings, around).run())


class _Checks:
    """One look at a rule book."""

    def __init__(self, settings: Settings, around: Surroundings) -> None:
        self._settings, self._around = settings, around
        self._domain = Domain.of(around.fields, settings.lines)

    def run(self) -> Iterator[Finding]:
        yield from self._calendars()
        yield from self._lines()
        yield from self._agreements()
        yield from self._macros()
        for index, link in enumerate(self._settings.links):
            if link.when is not None:
                yield from self._condition(link.when, ("links", index, "when"))
            if link.template:
                yield from self._text(link.template, ("links", index, "template"))
        yield from self._languages()
        yield from self._alerts()
        for index, to in enumerate(self._settings.failures.notify):
            yield from self._exists(to, self._settings.notifiers, ("failures", "notify", index), "notifier")
        yield from self._rules()
        yield from self._tests()

    def _calendars(self) -> Iterator[Finding]:
        for name, given in self._settings.calendars.items():
            try:
                calendar_of(name, given)
            except CalendarError as error:
                yield Finding(("calendars", name), str(error), "")

    def _lines(self) -> Iterator[Finding]:
        titles = [link.title for link in self._settings.links]
        for number, line in self._settings.lines.items():
            path: Path = ("lines", str(number))
            yield from self._exists(line.calendar, self._settings.calendars, (*path, "calendar"), "calendar")
            yield from self._exists(line.issues, titles, (*path, "issues"), "link")
            for index, person in enumerate(line.people):
                yield from self._exists(person, self._settings.people, (*path, "people", index), "person")
            if line.takes is not None:
                yield from self._condition(line.takes, (*path, "takes"))
            if line.assign and not line.people:
                yield Finding((*path, "assign"), "there is nobody to assign tickets to", "Name people of the line.")

    def _agreements(self) -> Iterator[Finding]:
        for name, agreement in self._settings.agreements.items():
            path: Path = ("agreements", name)
            yield from self._exists(agreement.calendar, self._settings.calendars, (*path, "calendar"), "calendar")
            for index, number in enumerate(agreement.lines):
                yield from self._line_exists(number, (*path, "lines", index))
            if agreement.when is not None:
                yield from self._condition(agreement.when, (*path, "when"))
            for percent, actions in agreement.warnings.items():
                yield from self._actions(actions, (*path, "warnings", str(percent)))
            if agreement.on_breach is not None:
                yield from self._actions(agreement.on_breach, (*path, "on_breach"))
            for index, show in enumerate(agreement.show):
                for key in ("due", "state"):
                    yield from self._exists(
                        getattr(show, key), self._around.all_fields, (*path, "show", index, key), "custom field"
                    )
                if show.target not in agreement.targets:
                    what = f"the agreement has no target for {show.target}"
                    yield Finding((*path, "show", index, "target"), what, suggest(show.target, list(agreement.targets)))
            for measure, by_priority in agreement.targets.items():
                for priority, minutes in by_priority.items():
                    try:
                        target_of(agreement, measure, minutes, {})
                    except ValueError as error:
                        yield Finding((*path, "targets", measure, priority), str(error), "")

    def _macros(self) -> Iterator[Finding]:
        for name, macro in self._settings.macros.items():
            path: Path = ("macros", name)
            if macro.text and macro.visibility is None:
                remedy = "Write visibility: public (customers see it) or visibility: private."
                yield Finding(path, "a macro with a text must say who sees it", remedy)
            for language, text in macro.text.items():
                yield from self._text(text, (*path, "text", language) if language else (*path, "text"))
            if macro.then != Actions() or not macro.text:
                yield from self._actions(macro.then, (*path, "then"))
            way = [name]
            while (following := self._settings.macros.get(way[-1])) is not None and following.then.macro:
                if following.then.macro in way:
                    if following.then.macro == name:
                        what = f"macros run each other in a circle: {' -> '.join([*way, name])}"
                        yield Finding((*path, "then", "macro"), what, "Take one of them out.")
                    break
                way.append(following.then.macro)

    def _languages(self) -> Iterator[Finding]:
        languages = self._settings.languages
        path: Path = ("languages", "custom_field")
        yield from self._exists(languages.custom_field, self._around.all_fields, path, "custom field")
        matrix = self._settings.priority_matrix
        if matrix is not None:
            for key in ("impact", "urgency"):
                name = getattr(matrix, key)
                yield from self._exists(name, self._around.all_fields, ("priority_matrix", key), "custom field")

    def _alerts(self) -> Iterator[Finding]:
        for name, source in self._settings.alerts.items():
            for key in ("title", "description"):
                yield from self._text(getattr(source, key), ("alerts", name, key), OF_ALERTS)
            yield from self._exists(source.assignee, self._settings.people, ("alerts", name, "assignee"), "person")
            if source.tracker not in self._settings.people.get(source.assignee, {source.tracker: ""}):
                what = f"{source.assignee} has no account in {source.tracker}"
                yield Finding(("alerts", name, "assignee"), what, f"Add it under people.{source.assignee}.")
            if source.kind == "alertmanager":
                for key in ("fields", "resolved_words"):
                    if key in source.model_fields_set:
                        what = "Alertmanager's bodies have a form of their own"
                        yield Finding(("alerts", name, key), what, "Remove it, or write kind: json.")

    def _rules(self) -> Iterator[Finding]:
        rules = self._settings.rules
        seen: dict[str, int] = {}
        for index, rule in enumerate(rules):
            path: Path = ("rules", index)
            if rule.name in seen:
                yield Finding((*path, "name"), f"another rule is called {rule.name!r} as well", "Give it its own name.")
            for place, name in enumerate(rule.overrides):
                if name not in seen:
                    what = f"there is no earlier rule {name!r}"
                    yield Finding((*path, "overrides", place), what, suggest(name, list(seen)))
            seen.setdefault(rule.name, index)
            yield from self._condition(rule.when, (*path, "when"))
            yield from self._actions(rule.then, (*path, "then"))
        yield from self._fights(rules)
        yield from self._loops(rules)

    def _tests(self) -> Iterator[Finding]:
        rules = [rule.name for rule in self._settings.rules]
        clocks = [f"{name}.{target}" for name, a in self._settings.agreements.items() for target in a.targets]
        for index, test in enumerate(self._settings.rule_tests):
            path: Path = ("rule_tests", index)
            yield from self._exists(test.given.tracker, self._around.fields, (*path, "given", "tracker"), "tracker")
            for key in ("fired", "not_fired"):
                for place, name in enumerate(getattr(test.then, key)):
                    if not name.startswith("clock "):
                        yield from self._exists(name, rules, (*path, "then", key, place), "rule")
            for name in test.then.clocks:
                yield from self._exists(name, clocks, (*path, "then", "clocks", name), "clock")

    # conditions

    def _condition(self, condition: Condition, path: Path, *, is_part: bool = False) -> Iterator[Finding]:
        given = [name for name in Condition.model_fields if getattr(condition, name) is not None]
        if not given:
            what = "a condition without parts would hold for every ticket"
            yield Finding(path, what, "Say what is asked; or remove it.")
            return
        if not is_part and (part := impossible(condition, self._domain)):
            what = f"this can never hold: what is asked of its {part.replace('_', ' ')} contradicts itself"
            yield Finding(path, what, "Use any for alternatives.")
        for index, number in enumerate(condition.line or ()):
            yield from self._line_exists(number, (*path, "line", index))
        for index, tracker in enumerate(condition.tracker or ()):
            yield from self._exists(tracker, self._around.fields, (*path, "tracker", index), "tracker")
        for name in condition.custom or {}:
            yield from self._exists(name, self._around.all_fields, (*path, "custom", name), "custom field")
        for key in ("age", "idle", "with_line", "customers"):
            bounds = getattr(condition, key)
            if bounds is not None:
                if bounds.over is None and bounds.under is None:
                    yield Finding((*path, key), "this asks nothing", "Write over, under, or both.")
                elif bounds.over is not None and bounds.under is not None and bounds.over >= bounds.under:
                    yield Finding((*path, key), "this can never hold: over is not less than under", "")
        for name in condition.plugin or {}:
            yield from self._exists(name, self._around.conditions, (*path, "plugin", name), "condition of a plugin")
        yield from self._clock(condition, path)
        yield from self._changes(condition, path)
        for key in ("all", "any"):
            for index, part in enumerate(getattr(condition, key) or ()):
                yield from self._condition(part, (*path, key, index), is_part=True)
        if condition.not_ is not None:
            yield from self._condition(condition.not_, (*path, "not"), is_part=True)

    def _clock(self, condition: Condition, path: Path) -> Iterator[Finding]:
        clock, agreements = condition.clock, self._settings.agreements
        if clock is None:
            return
        yield from self._exists(clock.agreement, agreements, (*path, "clock", "agreement"), "agreement")
        chosen = [a for name, a in agreements.items() if clock.agreement in ("", name)]
        if (chosen or not clock.agreement) and not any(clock.target in a.targets for a in chosen):
            what = f"this can never hold: no agreement has a target for {clock.target}"
            known = sorted({target for a in chosen for target in a.targets})
            yield Finding((*path, "clock", "target"), what, suggest(clock.target, known))

    def _changes(self, condition: Condition, path: Path) -> Iterator[Finding]:
        for name, change in (condition.changed or {}).items():
            known = self._domain.values.get(name)
            for key, words in (("from", change.from_), ("to", change.to)):
                for word in words or ():
                    if known is not None and "*" not in word and word not in known:
                        what = f"{word!r} is no {name.replace('_', ' ')}"
                        yield Finding((*path, "changed", name, key), what, suggest(word, sorted(known - {"unknown"})))

    # actions

    def _actions(self, actions: Actions, path: Path) -> Iterator[Finding]:
        if not any(getattr(actions, name) for name in Actions.model_fields if name != "reason"):
            yield Finding(path, "nothing is done here", "Say what: set, note, reply, line, notify…")
        for name, value in actions.set.items():
            yield from self._value(name, value, (*path, "set", name))
        yield from self._exists(actions.macro, self._settings.macros, (*path, "macro"), "macro")
        if isinstance(actions.line, int):
            yield from self._line_exists(actions.line, (*path, "line"))
        elif actions.line is not None and not self._settings.lines:
            yield Finding((*path, "line"), "there are no lines", "Describe them under lines.")
        for key in ("note", "reply", "reason"):
            yield from self._text(getattr(actions, key), (*path, key))
        if actions.issue and not self._settings.links:
            yield Finding((*path, "issue"), "no issue can be made", "Pair a helpdesk with a bug tracker under links.")
        for index, notice in enumerate(actions.notify):
            for to in notice.to:
                yield from self._exists(to, self._settings.notifiers, (*path, "notify", index, "to"), "notifier")
            yield from self._text(notice.text, (*path, "notify", index, "text"))
        for index, call in enumerate(actions.run):
            yield from self._exists(call.action, self._around.actions, (*path, "run", index, "action"), "action")
            for key, text in call.with_.items():
                yield from self._text(text, (*path, "run", index, "with", key))

    def _value(self, name: str, value: object, path: Path) -> Iterator[Finding]:
        words: dict[str, type[Status] | type[Priority] | type[Category]] = {
            "status": Status, "priority": Priority, "category": Category,
        }  # fmt: skip
        if name in words:
            known = [str(word) for word in words[name] if word != "unknown"]
            if str(value) not in known:
                yield Finding(path, f"{value!r} is no {name}", suggest(str(value), known))
        elif name == "assignee":
            yield from self._exists(
                "" if value == "nobody" else str(value or ""), self._settings.people, path, "person"
            )
        else:
            yield from self._exists(name.removeprefix("custom:"), self._around.all_fields, path, "custom field")

    def _text(self, text: str, path: Path, known: Vocabulary = OF_TICKETS) -> Iterator[Finding]:
        try:
            check_text(text, known)
        except PlaceholderError as error:
            where = f"in line {error.line} of the text, " if "\n" in text.strip() else ""
            yield Finding(path, f"{where}{str(error).partition('. ')[0]}", str(error).partition(". ")[2])

    def _exists(self, name: str, known: Collection[str], path: Path, noun: str) -> Iterator[Finding]:
        if name and name not in known:
            remedy = suggest(name, sorted(known)) or f"There is no {noun} at all."
            yield Finding(path, f"there is no {noun} {name!r}", remedy)

    def _line_exists(self, number: int, path: Path) -> Iterator[Finding]:
        if self._settings.lines and number not in self._settings.lines:
            known = ", ".join(map(str, self._settings.lines))
            yield Finding(
                path, f"there is no line {number}", f"Lines are {known}." if known else "Describe them under lines."
            )

    # rules against each other

    def _effects(self, rule: Rule, open_boxes: Sequence[Box]) -> dict[str, set[str]]:
        """The values that a rule may give to fields and labels: `label x` is `on` or `off`."""
        effects: dict[str, set[str]] = {}
        for actions in self._with_macros(rule.then):
            for name, value in actions.set.items():
                effects.setdefault(name, set()).add(str(value))
            if actions.raise_priority:
                before = {p for box in open_boxes for p in box.allowed.get("priority", frozenset(map(str, PRIORITIES)))}
                at = [PRIORITIES.index(p) for p in PRIORITIES if str(p) in before]
                top = len(PRIORITIES) - 1
                raised = {str(PRIORITIES[min(i + actions.raise_priority, top)]) for i in at}
                effects.setdefault("priority", set()).update(raised)
            if isinstance(actions.line, int):
                effects.setdefault("line", set()).add(str(actions.line))
            for label in actions.add_labels:
                effects.setdefault(f"label {label.casefold()}", set()).add("on")
            for label in actions.remove_labels:
                effects.setdefault(f"label {label.casefold()}", set()).add("off")
        return effects

    def _with_macros(self, actions: Actions) -> Iterator[Actions]:
        seen: set[str] = set()
        following: Actions | None = actions
        while following is not None:
            yield following
            name = following.macro
            if not name or name in seen or name not in self._settings.macros:
                return
            seen.add(name)
            following = self._settings.macros[name].then

    def _fights(self, rules: Sequence[Rule]) -> Iterator[Finding]:
        open_boxes = [[b for b in boxes(rule.when, self._domain) if not b.conflict] for rule in rules]
        effects = [self._effects(rule, found) for rule, found in zip(rules, open_boxes, strict=True)]
        for later, rule in enumerate(rules):
            for earlier in range(later):
                if (
                    rules[earlier].name in rule.overrides
                    or rule.then.raise_priority
                    or rules[earlier].then.raise_priority
                ):
                    continue
                shared = [f for f, v in effects[later].items() if f in effects[earlier] and v != effects[earlier][f]]
                meet = any(not a.meet(b).conflict for a in open_boxes[later] for b in open_boxes[earlier])
                if shared and meet:
                    what = (
                        f"{rule.name!r} and {rules[earlier].name!r} fight over {shared[0]}: both may hold for the same "
                        f"ticket, and they want {_wants(effects[later][shared[0]])} and "
                        f"{_wants(effects[earlier][shared[0]])}"
                    )
                    remedy = f"Make their conditions exclude each other, or write overrides: [{rules[earlier].name}]."
                    yield Finding(("rules", later), what, remedy)

    def _loops(self, rules: Sequence[Rule]) -> Iterator[Finding]:
        """Two rules each of which brings about what the other waits for, having taken its own ground away."""
        open_boxes = [[b for b in boxes(rule.when, self._domain) if not b.conflict] for rule in rules]
        effects = [self._effects(rule, found) for rule, found in zip(rules, open_boxes, strict=True)]
        sets_off: dict[int, set[int]] = {
            one: {
                other for other in range(len(rules)) if other != one and _brings_about(effects[one], open_boxes[other])
            }
            for one in range(len(rules))
        }
        told: set[frozenset[int]] = set()
        for circle in _circles(sets_off):
            for_ever = all(any(_takes_away(effects[o], open_boxes[one]) for o in circle) for one in circle)
            if for_ever and frozenset(circle) not in told:
                told.add(frozenset(circle))
                names = " -> ".join(rules[i].name for i in [*circle, circle[0]])
                what = f"rules set each other off for ever: {names}"
                yield Finding(
                    ("rules", max(circle)), what, "Let one of them ask for something that the others do not set."
                )


def _wants(values: Collection[str]) -> str:
    return " or ".join(sorted(values))


def _brings_about(effects: Mapping[str, set[str]], open_boxes: Sequence[Box]) -> bool:
    """Whether what a rule sets is what one of the boxes asks for, with nobody else doing anything."""
    for box in open_boxes:
        if box.needs_event:
            continue
        for name, values in effects.items():
            if name.startswith("label "):
                label = name.removeprefix("label ")
                if (label in box.has and "on" in values) or (label in box.lacks and "off" in values):
                    return True
            elif name in box.allowed and values & box.allowed[name]:
                return True
    return False


def _takes_away(effects: Mapping[str, set[str]], open_boxes: Sequence[Box]) -> bool:
    """Whether what a rule sets makes every box impossible: it may come to hold anew afterwards."""

    def ends(box: Box) -> bool:
        for name, values in effects.items():
            if name.startswith("label "):
                label = name.removeprefix("label ")
                if (label in box.has and "off" in values) or (label in box.lacks and "on" in values):
                    return True
            elif name in box.allowed and values - box.allowed[name]:
                return True
        return False

    return bool(open_boxes) and all(ends(box) for box in open_boxes)


LONGEST_CIRCLE = 6


def _circles(sets_off: Mapping[int, set[int]]) -> Iterator[list[int]]:
    """The circles of a graph, each begun at its smallest member; longer ones than LONGEST_CIRCLE are left out."""

    def walk(way: list[int]) -> Iterator[list[int]]:
        for following in sorted(sets_off[way[-1]]):
            if following == way[0] and len(way) > 1:
                yield list(way)
            elif following > way[0] and following not in way and len(way) < LONGEST_CIRCLE:
                yield from walk([*way, following])

    for start in sets_off:
        yield from walk([start])
