#!/usr/bin/env python3
"""cms-admin against a running cmsd: accounts, import and export in every format, the store's commands, exit codes.

Every round trip must give back octets, flags and dates.
"""

import json
import os
import shutil
import signal
import sys

import cmsd_fixture as fixture

DEMO = os.path.join(fixture.ROOT, 'etc', 'demo')
# What a format could spoil: "From " lines, no line end, bare LF, NUL, no octets at all, lines of our own kind.
TRICKY = [
    b'Subject: from\r\n\r\nFrom me to you\r\n>From quoted\r\n\r\nFrom after an empty line\r\n',
    b'Subject: no end',
    b'Subject: bare\n\nline\nends\n',
    b'Subject: octets\r\n\r\n\x00\xff\x80 8-bit\r\n',
    b'',
    b'X-Cmsd-Octets: 3\nX-Cmsd-Flags: \\Seen\n\nbody\n\n',
    b'Subject: empty lines at the end\r\n\r\n\r\n\r\n',
]
FOLDERS = ['INBOX', 'Default/tel:+15550100222', 'cur', '.hidden', 'a%b', 'Größe/日本', 'x.mbox', 'x.eml']


def expect(done, status):
    assert done.returncode == status, f'exit {done.returncode}: {done.stdout}{done.stderr}'
    return done


def refused(server, status, *arguments, stdin=''):
    return expect(server.run_admin(*arguments, stdin=stdin, check=False), status)


def tree(folder):
    found = {}
    for at, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(at, name)
            with open(path, 'rb') as octets:
                found[os.path.relpath(path, folder)] = octets.read()
    return found


def accounts(server, _):
    made = json.loads(server.run_admin('--json', 'account', 'add', '+1-555-0100-777', '--password-stdin', '--alias',
                                       'seven@example.com', stdin='secret\n').stdout)
    assert made['address'] == 'tel:+15550100777' and made['has_password'], made
    refused(server, 1, 'account', 'add', '+15550100777', '--no-password')
    refused(server, 2, 'account', 'add')
    refused(server, 2, 'account', 'add', '+15550100778', '--password-stdin', stdin='')
    server.run_admin('account', 'disable', 'seven@example.com')
    shown = json.loads(server.run_admin('account', 'show', '+15550100777', '--json').stdout)
    assert shown['status'] == 'disabled', shown
    server.run_admin('account', 'enable', '+15550100777')
    server.run_admin('account', 'passwd', '+15550100777', '--password-stdin', stdin='other\n')
    refused(server, 2, 'account', 'delete', '+15550100777')
    server.run_admin('account', 'delete', '+15550100777', '--yes')
    refused(server, 1, 'account', 'show', '+15550100777')
    listed = json.loads(server.run_admin('account', 'list', '--json').stdout)
    assert 'tel:+15550100777' not in [one['address'] for one in listed], listed


def load(server, _):
    path = os.path.join(server.directory, 'load.jsonl')
    with open(path, 'w', encoding='utf-8') as out:
        for i in range(500):
            out.write('nonsense\n' if i == 321 else json.dumps({'address': f'tel:+1555020{i:04d}'}) + '\n')
    done = refused(server, 1, 'account', 'load', path)
    assert '499 loaded, 1 refused' in done.stdout, done.stdout
    assert 'line 322:' in done.stderr, done.stderr
    refused(server, 2, 'account', 'load', '/nonexistent')


def make_tree(server):
    root = os.path.join(server.directory, 'original')
    os.makedirs(root)
    with open(os.path.join(root, 'manifest.jsonl'), 'w', encoding='utf-8') as manifest:
        for number, folder in enumerate(FOLDERS):
            for index, octets in enumerate(TRICKY):
                name = f'{number}-{index}.eml'
                with open(os.path.join(root, name), 'wb') as out:
                    out.write(octets)
                flags = ['\\Seen', '\\Flagged', '\\read-report-sent', 'work'][:index % 5]
                manifest.write(json.dumps({'file': name, 'folder': folder, 'flags': flags,
                                           'internal_date': f'1{index}-Feb-2019 23:4{index}:00 +0{index}30'}) + '\n')
        manifest.write(json.dumps({'folder': 'Nothing/in it'}) + '\n')
    return root


def round_trips(server, account):
    server.run_admin('import', account.address, make_tree(server))
    first = os.path.join(server.directory, 'first')
    server.run_admin('export', account.address, first, '--format', 'eml')
    assert b'{"folder":"Nothing/in it"}' in tree(first)['manifest.jsonl'], 'the empty folder is lost'
    for number, form in enumerate(['eml', 'maildir', 'mbox']):
        there = os.path.join(server.directory, form)
        server.run_admin('export', account.address, there, '--format', form)
        other = server.add_account(100 + number)
        server.run_admin('import', other.address, there)
        again = os.path.join(server.directory, form + '-again')
        server.run_admin('export', other.user, again, '--format', 'eml')
        assert tree(again) == tree(first), form
        refused(server, 2, 'export', account.address, there)
        nobody_elses(there)


def nobody_elses(folder):
    """Whatever the operator's umask is, an export is for its owner only."""
    for at, folders, files in os.walk(folder):
        for path in [at] + [os.path.join(at, name) for name in folders + files]:
            assert os.stat(path).st_mode & 0o077 == 0, f'{path}: mode {os.stat(path).st_mode:o}'


def demo(server, account):
    done = json.loads(server.run_admin('import', account.address, DEMO, '--folder', 'Demo', '--json').stdout)
    with open(os.path.join(DEMO, 'manifest.jsonl'), encoding='utf-8') as rows:
        assert done['messages'] == len(rows.readlines()), done
    one = os.path.join(server.directory, 'one')
    server.run_admin('export', account.address, one, '--folder', 'Demo/INBOX', '--format', 'mbox')
    assert list(tree(one)) == ['Demo/INBOX.mbox'], tree(one).keys()
    shutil.rmtree(one)
    refused(server, 1, 'export', account.address, one, '--folder', 'None')
    refused(server, 2, 'import', account.address, '/nonexistent')
    refused(server, 1, 'import', '+19990000000', DEMO)


def metadata(server, account):
    of = (account.address, '--folder', 'INBOX')
    server.run_admin('metadata', 'set', *of, '/private/comment', 'two\nlines')
    assert server.run_admin('metadata', 'get', *of, '/PRIVATE/comment').stdout == 'two\nlines\n'
    listed = server.run_admin('metadata', 'list', *of).stdout
    assert 'two\\nlines' in listed and 'cpm/FolderKind' in listed and 'inbox' in listed, listed
    server.run_admin('metadata', 'set', *of, '/shared/vendor/x/y', '--stdin', stdin='piped')
    shown = json.loads(server.run_admin('--json', 'metadata', 'get', *of, '/shared/vendor/x/y').stdout)
    assert shown == [{'entry': '/shared/vendor/x/y', 'value': 'piped', 'kept_by_server': False}], shown
    server.run_admin('metadata', 'set', *of, '/private/comment', '--remove')
    done = refused(server, 1, 'metadata', 'get', *of, '/private/comment')
    assert '/private/comment has no value' in done.stderr, done.stderr
    location = '/shared/vendor/vendor.oma/cpm/DefaultFolderLocation'
    assert server.run_admin('metadata', 'get', account.address, location).stdout == 'Default\n'
    done = refused(server, 1, 'metadata', 'set', account.address, location, 'Elsewhere')
    assert 'kept by the server' in done.stderr, done.stderr
    server.run_admin('metadata', 'set', account.address, '/shared/comment', 'Down on Sunday')
    refused(server, 1, 'metadata', 'list', account.address, '--folder', 'None')
    refused(server, 1, 'metadata', 'set', account.address, 'comment', 'x')
    refused(server, 2, 'metadata', 'set', account.address, '/shared/comment')
    refused(server, 2, 'metadata', 'set', account.address, '/shared/comment', 'x', '--remove')


def store_commands(server, _):
    stats = json.loads(server.run_admin('store', 'stats', '--json').stdout)
    assert stats['accounts'] > 0 and stats['messages'] > 0, stats
    done = refused(server, 3, 'store', 'check')
    assert 'stop it first' in done.stderr, done.stderr


def reload_keeps_serving(server, _):
    os.kill(server.pid, signal.SIGHUP)
    server.run_admin('account', 'list')
    assert server.running()


def unreachable(server, _):
    refused(server, 3, '--socket', os.path.join(server.directory, 'none.sock'), 'account', 'list')
    refused(server, 2, '--config', '/nonexistent', 'account', 'list')
    refused(server, 2, 'no-such-command')


CASES = [('accounts are made, changed and deleted', accounts), ('many accounts are loaded', load),
         ('import and export in every format', round_trips), ('the demo store', demo),
         ('METADATA entries', metadata), ('store commands while cmsd runs', store_commands), ('SIGHUP', reload_keeps_serving),
         ('what cannot be reached', unreachable)]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES))
