"""A YAML document with its entries, and the edits that twins make of them: items, keys and blocks taken out or put in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from jumar.port.document import Document
from jumar.port.reading import yaml_entries
from jumar.port.reading.entries import Entry
from jumar.port.reading.scripts import script_commands
from jumar.port.twins import wording
from jumar.port.twins.base import Draft

GO_WHEN_EMPTY = frozenset(("env", "environment", "tolerations", "nodeSelector"))


def _stays(entry: Entry) -> bool:
    """A key of the root stays, even with nothing in it, unless nothing is what it means then."""
    return len(entry.path) == 1 and entry.key not in GO_WHEN_EMPTY


class YamlDraft(Draft):
    """Paths lead from the root of one document of the stream."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.entries = yaml_entries.entries(document)
        self.by_path: dict[tuple[int, tuple[str, ...]], Entry] = {}
        for entry in self.entries:
            self.by_path.setdefault((entry.part, entry.path), entry)

    def at(self, part: int, path: Sequence[str]) -> Entry | None:
        return self.by_path.get((part, tuple(path)))

    def beside(self, entry: Entry, key: str) -> Entry | None:
        """Another key of the same mapping."""
        return self.at(entry.part, (*entry.path[:-1], key))

    @cached_property
    def _below(self) -> dict[tuple[int, tuple[str, ...]], list[Entry]]:
        found: dict[tuple[int, tuple[str, ...]], list[Entry]] = {}
        for entry in self.entries:
            found.setdefault((entry.part, entry.path[:-1]), []).append(entry)
        return found

    def children(self, entry: Entry) -> list[Entry]:
        return [one for one in self._below.get((entry.part, entry.path), []) if one.path]

    def leaves(self, entry: Entry) -> list[Entry]:
        """The entry itself, and every scalar below it."""
        found, waiting = [entry], self.children(entry)
        while waiting:
            one = waiting.pop()
            if one.value is not None:
                found.append(one)
            waiting += self.children(one)
        return found

    def last(self, entry: Entry) -> int:
        """Where the last word of an entry ends: its own end may be the beginning of the next."""
        return max((one.end for one in self.leaves(entry) if one.value is not None), default=entry.end)

    def is_block(self, entry: Entry) -> bool:
        """Whether the key, or the dash of the item, begins a line of its own."""
        before = self.document.text[self.line_start(entry.key_start) : entry.key_start]
        return not before.replace("-", " ").strip()

    def drop(self, entry: Entry) -> bool:
        """Takes out the lines of a key or item, and of what holds nothing else."""
        while len(entry.path) > 1:
            above = self.at(entry.part, entry.path[:-1])
            if above is None or len(self.children(above)) > 1 or _stays(above):
                break
            entry = above
        if not self.is_block(entry):
            return False
        start = self.line_start(entry.key_start)
        if not entry.is_item and self.document.text[start : entry.key_start].strip().startswith("-"):
            return False  # the first key of an item: the dash would go with it
        end = self.last(entry)
        while end > start and self.document.text[end - 1] in "\r\n \t":
            end -= 1
        return self.drop_lines(start, end)

    def put_before(self, entry: Entry, lines: Sequence[str]) -> bool:
        """New lines above a key, indented as it is."""
        start = self.line_start(entry.key_start)
        before = self.document.text[start : entry.key_start]
        if before.strip(" -"):
            return False
        indent, new = " " * len(before), self.document.newline
        if before.strip():  # the first key of an item stays behind its dash
            self.insert(entry.key_start, "".join(f"{line}{new}{indent}" for line in lines))
        else:
            self.insert(start, "".join(f"{indent}{line}{new}" for line in lines))
        return True

    def put_item_before(self, item: Entry, lines: Sequence[str]) -> None:
        """New lines above an item of a list, indented as its dash is."""
        start = self.line_start(item.start)
        line = self.document.text[start : item.start]
        indent = line[: len(line) - len(line.lstrip())]
        self.insert(start, "".join(f"{indent}{text}{self.document.newline}" for text in lines))

    def set_value(self, entry: Entry, text: str) -> None:
        start, end = entry.inner(self.document.text)
        self.replace(start, end, text)

    def fit_images(self) -> None:
        for entry in self.entries:
            if entry.key == "repository" and entry.value:
                self._repository(entry, entry.value)
            elif entry.value and "image" in entry.named.lower() and "\n" not in entry.value:
                new = wording.fit_image(entry.value)
                if new:
                    self.set_value(entry, new)

    def _repository(self, entry: Entry, image: str) -> None:
        """Helm has an image's name and tag apart."""
        new, tag = wording.fit_image(image), self.beside(entry, "tag")
        if new:
            name, _, version = new.partition(":")
            self.set_value(entry, name)
            if tag is not None and version:
                self.set_value(tag, version if tag.quoted else f'"{version}"')

    def fit_variables(self, drop: frozenset[str] = frozenset()) -> None:
        """Variables in `env:` (a list of names and values) and `environment:` (a mapping, or a list of `A=b`)."""
        for entry in self.entries:
            under = [key for key in entry.path[:-1] if not key.isdigit()]
            if not any(key in ("env", "environment", "extraEnv", "envs") for key in under):
                continue
            if entry.key == "name" and entry.value:
                self._variable(entry, entry.value, entry, self.beside(entry, "value"), drop)
            elif entry.is_item and entry.value and "=" in entry.value:
                self._assignment(entry, drop)
            elif not entry.is_item and entry.parent in ("env", "environment", "envs"):
                self._variable(entry, entry.key, None, entry if entry.value else None, drop)

    def _variable(
        self, entry: Entry, name: str, named: Entry | None, value: Entry | None, drop: frozenset[str]
    ) -> None:
        row = wording.variable(name)
        if row is None:
            return
        new = wording.counterpart(name)
        if new is None or name in drop or new == "ASCEND_TOOLKIT_HOME":
            item = self.at(entry.part, entry.path[:-1]) if named else entry
            if item is not None:
                self.drop(item)
            return
        if named is not None:
            self.set_value(named, new)
        else:
            self.replace(entry.key_start, entry.key_end, new)
        if value is not None and value.value:
            fitted = wording.fit_variable_value(name, value.value)
            if fitted != value.value:
                self.set_value(value, fitted if value.quoted else f'"{fitted}"')

    def _assignment(self, entry: Entry, drop: frozenset[str]) -> None:
        name, _, value = (entry.value or "").partition("=")
        if wording.variable(name) is None:
            return
        new = wording.counterpart(name)
        if new is None or name in drop or new == "ASCEND_TOOLKIT_HOME":
            self.drop(entry)
        else:
            self.set_value(entry, f"{new}={wording.fit_variable_value(name, value)}")

    def fit_scripts(self) -> None:
        for command in script_commands(self.document):
            wording.fit_command(self, command)
            wording.fit_container(self, command)
            wording.fit_install(self, command)
            wording.fit_options(self, command.start, command.end)
            wording.fit_paths(self, command.start, command.end)

    def is_sound(self, text: str) -> bool:
        """Whether a text is YAML wherever the original is."""
        if not yaml_entries.is_well_formed(self.document):
            return True
        return yaml_entries.is_well_formed(Document(self.document.path, text, "yaml"))
