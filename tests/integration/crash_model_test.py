#!/usr/bin/env python3
"""The crash test can fail: each kind of loss or repetition is a difference, and no difference is none."""

import copy
import sys

import crash_model as model


def tree():
    """Two folders, three messages."""
    result = model.Tree()
    result.folders = {'a': model.Folder(10), 'b': model.Folder(11)}
    result.folders['a'].add([model.Message(n, f't{n}', 100, frozenset()) for n in (1, 2, 3)])
    return result


def server(change):
    """What a server holds after `change` to the expected state."""
    folders = copy.deepcopy(tree().folders)
    change(folders)
    return folders


def after(operation, uids=None):
    """The state a server shows when the operation happened; new messages get `uids`."""
    return tree().after(operation, uids).folders


NEW = model.Message(None, 'new', 50, frozenset())
LOSSES = {
    'a lost message': lambda f: f['a'].messages.pop(),
    'a message twice': lambda f: f['a'].add([model.Message(4, 't3', 100, frozenset())]),
    'another UID': lambda f: setattr(f['a'].messages[1], 'uid', 9),
    'another size': lambda f: setattr(f['a'].messages[1], 'size', 99),
    'a lost flag change': lambda f: setattr(f['a'].messages[1], 'flags', frozenset(['\\Seen'])),
    'a lost folder': lambda f: f.pop('b'),
    'a folder that came back': lambda f: f.update(c=model.Folder(12)),
    'another UIDVALIDITY': lambda f: setattr(f['b'], 'uidvalidity', 12),
    'UIDNEXT went back': lambda f: setattr(f['a'], 'uidnext', 3),
}


def check():
    base = tree().folders
    assert model.difference(base, server(lambda f: None)) is None
    for name, change in LOSSES.items():
        assert model.difference(base, server(change)), f'{name} is not noticed'
        print(f'PASS notices {name}')
    # An operation under way: before and after are both right, half of it is not.
    move = model.Copy('a', [1, 2], 'b', move=True)
    expected = tree().after(move).folders
    assert model.difference(expected, after(move, [1, 2])) is None
    half = server(lambda f: f['b'].add([model.Message(1, 't1', 100, frozenset())]))
    assert model.difference(expected, half) and model.difference(base, half)
    print('PASS notices half a MOVE')
    append = model.Append('a', [NEW, NEW])
    expected = tree().after(append).folders
    assert model.difference(expected, after(append, [4, 7])) is None
    assert model.difference(expected, after(append, [2, 7])), 'a UID that was used before'
    assert model.difference(expected, after(model.Append('a', [NEW]), [4])), 'half a MULTIAPPEND'
    print('PASS notices half a MULTIAPPEND and a UID used again')
    expunge = model.Expunge('a')
    flagged = tree().after(model.Store('a', {2, 3}, True, '\\Deleted'))
    assert model.difference(flagged.after(expunge).folders, server(lambda f: f['a'].remove({2, 3}))) is None
    print('PASS EXPUNGE removes what is \\Deleted')
    rename = tree().after(model.Rename('a', 'c')).folders
    assert set(rename) == {'b', 'c'} and rename['c'].uidvalidity == 10
    print('PASS RENAME keeps UIDVALIDITY')


if __name__ == '__main__':
    sys.exit(check())
