"""What the crash test believes about one client's folders, and how an operation changes it.

A Tree is exact, because its client is the only writer below its prefix. A Message whose uid is None was created by
an operation that was never acknowledged: it may or may not exist, and its UID is not known yet.
"""

import copy
import dataclasses
from typing import Optional


@dataclasses.dataclass
class Message:
    uid: Optional[int]
    token: str              # in its Subject; unique among all appends
    size: int
    flags: frozenset


@dataclasses.dataclass
class Folder:
    uidvalidity: Optional[int]
    uidnext: int = 1        # no UID below this may ever be given out again
    messages: list = dataclasses.field(default_factory=list)   # in UID order; those without a UID last

    def pick(self, uids):
        return [m for m in self.messages if m.uid in uids]

    def remove(self, uids):
        self.messages = [m for m in self.messages if m.uid not in uids]

    def add(self, messages):
        self.messages += messages
        self.uidnext = max([self.uidnext] + [m.uid + 1 for m in messages if m.uid])


class Tree:
    """All folders of one client, by name."""

    def __init__(self):
        self.folders = {}

    def after(self, operation, answer=None):
        """The tree once `operation` has happened. `answer` is what the server acknowledged: new UIDs, UIDVALIDITY."""
        tree = Tree()
        tree.folders = copy.deepcopy(self.folders)
        operation.apply(tree.folders, answer)
        return tree


@dataclasses.dataclass
class Append:
    folder: str
    messages: list          # several: MULTIAPPEND, which is one or nothing

    def apply(self, folders, answer):
        uids = answer or [None] * len(self.messages)
        folders[self.folder].add([dataclasses.replace(m, uid=uid) for m, uid in zip(self.messages, uids)])


@dataclasses.dataclass
class Store:
    folder: str
    uids: set
    add: bool
    flag: str

    def apply(self, folders, answer):
        for message in folders[self.folder].pick(self.uids):
            message.flags = message.flags | {self.flag} if self.add else message.flags - {self.flag}


@dataclasses.dataclass
class Copy:
    folder: str
    uids: list              # ascending
    target: str
    move: bool

    def apply(self, folders, answer):
        # Found by UID, and a client only names UIDs that it knows, so the order is that of the target's new UIDs.
        found = folders[self.folder].pick(set(self.uids))
        new = answer or [None] * len(found)
        copies = [dataclasses.replace(m, uid=uid) for m, uid in zip(found, new)]
        if self.move:
            folders[self.folder].remove(set(self.uids))
        folders[self.target].add(copies)


@dataclasses.dataclass
class Expunge:
    folder: str

    def apply(self, folders, answer):
        folder = folders[self.folder]
        folder.remove({m.uid for m in folder.messages if '\\Deleted' in m.flags})


@dataclasses.dataclass
class Create:
    folder: str

    def apply(self, folders, answer):
        folders[self.folder] = Folder(uidvalidity=None)


@dataclasses.dataclass
class Rename:
    folder: str
    target: str

    def apply(self, folders, answer):
        folders[self.target] = folders.pop(self.folder)


@dataclasses.dataclass
class Delete:
    folder: str

    def apply(self, folders, answer):
        del folders[self.folder]


def difference(expected, actual):
    """Why `actual` (what the server holds) is not `expected`; None when it is. Both are {name: Folder}."""
    if set(expected) != set(actual):
        return f'folders: missing {sorted(set(expected) - set(actual))}, unexpected {sorted(set(actual) - set(expected))}'
    for name, folder in expected.items():
        if why := folder_difference(folder, actual[name]):
            return f'{name}: {why}'
    return None


def folder_difference(expected, actual):
    if expected.uidvalidity is not None and expected.uidvalidity != actual.uidvalidity:
        return f'UIDVALIDITY {actual.uidvalidity}, was {expected.uidvalidity}'
    if actual.uidnext < expected.uidnext:
        return f'UIDNEXT {actual.uidnext}, was {expected.uidnext}'
    if len(expected.messages) != len(actual.messages):
        known = {(m.uid, m.token) for m in expected.messages}
        there = {(m.uid, m.token) for m in actual.messages}
        return (f'{len(actual.messages)} messages instead of {len(expected.messages)}; missing {sorted(known - there, key=str)[:5]}, '
                f'unexpected {sorted(there - known, key=str)[:5]}')
    floor = expected.uidnext
    for want, have in zip(expected.messages, actual.messages):
        if want.uid is None and have.uid < floor:
            return f'UID {have.uid} of an unacknowledged {want.token} was used before (UIDNEXT was {floor})'
        if want.uid is not None and want.uid != have.uid:
            return f'UID {have.uid} ({have.token}) where UID {want.uid} ({want.token}) should be'
        if (want.token, want.size, want.flags) != (have.token, have.size, have.flags):
            return (f'UID {have.uid} is {have.token}, {have.size} octets, {sorted(have.flags)}; '
                    f'acknowledged was {want.token}, {want.size} octets, {sorted(want.flags)}')
    return None
