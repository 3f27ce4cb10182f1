#!/usr/bin/env python3
"""cms-admin against a running cmsd: accounts, import and export in every format, the store's commands, exit codes.

Every round trip must give back octets, flags and dates.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import cmsd_fixture as fixture
import imap_wire as wire

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
    done = json.loads(server.run_admin('import', account.address, DEMO, '--json').stdout)
    with open(os.path.join(DEMO, 'manifest.jsonl'), encoding='utf-8') as rows:
        assert done['messages'] == len(rows.readlines()), done
    one = os.path.join(server.directory, 'one')
    server.run_admin('export', account.address, one, '--folder', 'INBOX', '--format', 'mbox')
    assert list(tree(one)) == ['INBOX.mbox'], tree(one).keys()
    shutil.rmtree(one)
    done = refused(server, 1, 'import', account.address, DEMO, '--folder', 'Demo')
    assert 'A group state object lies in a session folder only' in done.stderr, done.stderr
    refused(server, 1, 'export', account.address, one, '--folder', 'None')
    refused(server, 2, 'import', account.address, '/nonexistent')
    refused(server, 1, 'import', '+19990000000', DEMO)


def metadata(server, account):
    of = (account.address, '--folder', 'INBOX')
    server.run_admin('metadata', 'set', *of, '/private/comment', 'two\nlines')
    assert server.run_admin('metadata', 'get', *of, '/PRIVATE/comment').stdout == 'two\nlines\n'
    listed = server.run_admin('metadata', 'list', *of).stdout
    assert 'two\\nlines' in listed and 'cpm/FolderKind' in listed and 'inbox' in listed, listed
    server.run_admin('metadata', 'set', *of, '/private/vendor/x/steers', 'a\u009b2J\u202eb\x1b[2J')
    listed = server.run_admin('metadata', 'list', *of).stdout
    assert '/private/vendor/x/steers' in listed and not re.search('[\u009b\u202e\x1b]', listed), listed
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


def acl(server, account):
    of = (account.address, 'INBOX')
    shown = server.run_admin('acl', 'set', *of, '+1 555 010 0222', 'lrs').stdout
    assert re.search(r'^tel:\+15550100222 +lrs$', shown, re.M), shown
    server.run_admin('acl', 'set', *of, '+15550100222', '+w')
    listed = json.loads(server.run_admin('--json', 'acl', 'get', *of).stdout)
    assert listed[0] == {'identifier': account.address, 'rights': 'lrswipkxteancd'}, listed
    assert listed[1] == {'identifier': 'tel:+15550100222', 'rights': 'lrsw'}, listed
    shown = server.run_admin('acl', 'set', *of, '--', '+15550100222', '-sw').stdout
    assert re.search(r'^tel:\+15550100222 +lr$', shown, re.M), shown
    assert server.run_admin('acl', 'rights', *of).stdout == 'lrswipkxteancd\n'
    server.run_admin('acl', 'delete', *of, '+15550100222')
    assert '+15550100222' not in server.run_admin('acl', 'get', *of).stdout
    refused(server, 1, 'acl', 'rights', *of, '--user', '+15550100222')
    refused(server, 1, 'acl', 'set', *of, 'anyone', 'lr')
    refused(server, 1, 'acl', 'set', *of, '+15550100222', 'q')
    refused(server, 1, 'acl', 'get', account.address, 'None')
    refused(server, 2, 'acl', 'get', account.address)


def quota(server, _):
    account = server.add_account(300)
    plain = server.run_admin('quota', 'get', account.address).stdout
    assert re.search(r'octets +0 +none +none', plain) and re.search(r'folders +\d+ +none +20000', plain), plain
    server.run_admin('quota', 'set', account.user, 'octets=1000', 'messages=1')
    done = json.loads(server.run_admin('--json', 'quota', 'set', account.address, 'octets=none', 'folders=0').stdout)
    assert done['octets'] == {'used': 0, 'limit': None, 'limit_in_force': None}, done
    assert done['messages'] == {'used': 0, 'limit': 1, 'limit_in_force': 1} and done['folders']['limit_in_force'] == 0, done
    with wire.Client(server.host, server.port).login(account.user, account.password) as client:
        assert client.append('INBOX', b'Subject: x\r\n\r\n').status == 'OK'
        assert client.append('INBOX', b'Subject: x\r\n\r\n').code('OVERQUOTA') is not None
        assert client.command('CREATE more').code('OVERQUOTA') is not None
        # The running server hears of it.
        server.run_admin('quota', 'set', account.address, 'messages=2', 'folders=none')
        assert client.append('INBOX', b'Subject: x\r\n\r\n').status == 'OK'
        client.ok('CREATE more')
        event = {'account': account.address, 'event': 'chat', 'direction': 'received', 'from': 'tel:+15550100222', 'text': 'hello', 'conversation_id': 'c',
                 'contribution_id': 'd', 'imdn_message_id': 'quota-1', 'date': '2016-03-02T09:15:01Z'}
        path = os.path.join(server.directory, 'event.json')
        with open(path, 'w', encoding='utf-8') as out:
            json.dump(event, out)
        done = server.run_admin('record', path, check=False)
        assert done.returncode == 1 and 'uota' in done.stderr, done
    for bad in ('octets', 'octets=', 'octets=-1', 'frogs=1', f'octets={2**63}', 'octets=1k', 'messages=99999999999999999999999'):
        refused(server, 2, 'quota', 'set', account.address, bad)
    refused(server, 1, 'quota', 'get', '+19990000000')
    shown = json.loads(server.run_admin('--json', 'account', 'show', account.address).stdout)
    assert shown['quota_messages'] == 2 and shown['quota_octets'] is None and shown['used_messages'] == 2, shown


def pf(server, _):
    user, other = server.add_account(301), server.add_account(302)
    server.run_admin('pf', 'add', 'sip:pf7@example.com', '--allow', user.address[:-1] + '*', '--password-stdin', stdin='secret\n')

    def acts_for(account):
        client = wire.Client(server.host, server.port)
        try:
            client.login_for(account.user, 'sip:pf7@example.com', 'secret')
            return True
        except Exception:
            return False
        finally:
            client.close()
    # The addresses of both begin alike, so one pattern lets the PF act for both.
    assert acts_for(user) and acts_for(other)
    refused(server, 1, 'pf', 'revoke', 'sip:pf7@example.com', 'tel:+1*')
    pattern = user.address[:-1] + '*'
    server.run_admin('pf', 'allow', 'sip:pf7@example.com', other.address)
    with wire.Client(server.host, server.port) as acting, wire.Client(server.host, server.port) as kept, \
            wire.Client(server.host, server.port) as itself, wire.Client(server.host, server.port) as owner:
        acting.login_for(user.user, 'sip:pf7@example.com', 'secret')
        kept.login_for(other.user, 'sip:pf7@example.com', 'secret')
        itself.login('sip:pf7@example.com', 'secret')
        owner.login(user.user, user.password)
        server.run_admin('pf', 'revoke', 'sip:pf7@example.com', pattern)
        assert not acts_for(user), 'revoked'
        assert acting.line().startswith(b'* BYE'), 'what it may do no more has ended'
        for client in (kept, itself, owner):
            client.ok('NOOP')
        server.run_admin('account', 'disable', 'sip:pf7@example.com')
        assert kept.line().startswith(b'* BYE') and itself.line().startswith(b'* BYE')
        owner.ok('NOOP')
        server.run_admin('account', 'enable', 'sip:pf7@example.com')
    server.run_admin('pf', 'revoke', 'sip:pf7@example.com', other.address)
    server.run_admin('pf', 'allow', 'pf7@example.com', user.address, 'sip:*@nowhere.example')
    assert acts_for(user) and not acts_for(other)
    server.run_admin('psk', 'add', 'pf-7', 'sip:pf7@example.com')
    shown = json.loads(server.run_admin('--json', 'pf', 'show', 'sip:pf7@example.com').stdout)
    assert shown['act_for'] == [user.address, 'sip:*@nowhere.example'] and shown['psks'] == ['pf-7'], shown
    assert 'pf-7' in server.run_admin('pf', 'show', 'sip:pf7@example.com').stdout
    listed = json.loads(server.run_admin('--json', 'pf', 'list').stdout)
    assert [one['address'] for one in listed['pfs']] == ['sip:pf7@example.com'] and listed['act_for_of_all'] == [], listed
    assert user.address in server.run_admin('pf', 'list').stdout
    for bad in ('*', 'tel:+1 2', 'tel:' + 'x' * 255, ''):
        refused(server, 1, 'pf', 'allow', 'sip:pf7@example.com', bad)
    refused(server, 1, 'pf', 'allow', user.address, 'tel:*')
    refused(server, 1, 'pf', 'show', user.address)
    refused(server, 1, 'pf', 'add', 'sip:pf8@example.com', '--allow', '*', '--no-password')
    refused(server, 1, 'account', 'show', 'sip:pf8@example.com')
    refused(server, 1, 'pf', 'allow', 'sip:pf7@example.com', *[f'tel:+{i}*' for i in range(1000, 1200)])


def references(server, _):
    account = server.add_account(303)
    folder = 'Tr\u009b2Jips'
    letter = os.path.join(server.directory, 'letter.eml')
    with open(letter, 'wb') as out:
        out.write(b'Subject: x\r\n\r\nhello\r\n')
    server.run_admin('object', 'put', account.address, folder, letter)
    # A folder may have a name that would clear the screen.
    for form in ((), ('--json',)):
        made = server.run_admin('reference', 'create', account.address, folder, '1', '--part', 'HEADER', *form).stdout
        shown = [made] + [server.run_admin('reference', *what, *form).stdout
                          for what in (('list', account.address), ('show', account.address, '1'))]
        for text in shown:
            assert '2J' in text and not re.search('[\u0080-\u009f\x1b\x07]', text), (form, text)
    assert json.loads(shown[2])['folder'] == folder, 'it means what it did'
    # A part may not: no URL could name it.
    part = 'HEADER.FIELDS ("\x1b[2J\x1b]0;owned\x07")'
    done = refused(server, 1, 'reference', 'create', account.address, folder, '1', '--part', part)
    assert 'no URL can say' in done.stderr and '\x1b' not in done.stderr, done


def references_as_text(server, _):
    account = server.add_account(305)
    letter = os.path.join(server.directory, 'letter.eml')
    with open(letter, 'wb') as out:
        out.write(b'Subject: x\r\n\r\nhello\r\n')
    server.run_admin('object', 'put', account.address, 'INBOX', letter)
    admin = lambda *arguments: server.run_admin('reference', *arguments)
    assert admin('list', account.address).stdout == 'no references\n'
    assert 'no attachments' in admin('create', account.address, 'INBOX', '1', '--attachments').stdout
    made = admin('create', account.address, 'INBOX', '1', '--part', '1', '--one-time', '--hash').stdout
    digest = hashlib.sha256(b'hello\r\n').hexdigest()
    assert f'\nsha256    {digest}\n' in made and re.search(r'^expires   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$', made, re.M), made
    long = 'sip:' + 'x' * 50 + '@example.com'
    admin('create', account.address, 'INBOX', '1', '--audience', long)
    header, first, second = admin('list', account.address).stdout.splitlines()
    assert header.index('FOLDER') == first.index('INBOX 1 part 1') == second.index('INBOX 1'), (header, first, second)
    assert '  0 of 1  ' in first and '…' in second and f'audience  {long}\n' in admin('show', account.address, '2').stdout
    for arguments, status, why in ((('Nowhere', '1'), 1, 'No such folder\n'), (('INBOX', '0'), 2, 'UID'),
                                   (('INBOX', '1', '--part', 'x'), 1, 'cms-admin: part must be'),
                                   (('INBOX', '1', '--part', '1', '--attachments'), 2, 'excludes')):
        done = refused(server, status, 'reference', 'create', account.address, *arguments)
        assert why in done.stdout + done.stderr, done


def a_fetched_file_is_whole(server, _):
    account = server.add_account(304)
    letter = os.path.join(server.directory, 'letter.eml')
    octets = b'Subject: x\r\n\r\n' + bytes(range(256)) * 400
    with open(letter, 'wb') as out:
        out.write(octets)
    server.run_admin('object', 'put', account.address, 'INBOX', letter)
    [one] = json.loads(server.run_admin('reference', 'create', account.address, 'INBOX', '1', '--json').stdout)
    home = os.path.join(server.directory, 'fetched-files')
    os.mkdir(home)
    file, link = os.path.join(home, 'file'), os.path.join(home, 'link')

    def content():
        with open(file, 'rb') as there:
            return there.read()

    def fetch(output, status=0, id=one['id'], admin=('--config', server.config)):
        done = subprocess.run([server.admin, *admin, 'reference', 'fetch', account.address, str(id), *output],
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == status, done
        return done
    fetch(('-o', file))
    stored = content()
    assert octets in stored and os.stat(file).st_mode & 0o777 == 0o600
    assert fetch(()).stdout == fetch(('-o', '-')).stdout == stored
    with open(file, 'wb') as out:
        out.write(b'precious')
    fetch(('-o', file), 1, id=999)
    # A cmsd that breaks off half way.
    with socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(home, 'half.sock')
        listener.bind(path)
        listener.listen()

        def answer():
            with listener.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' + b'x' * 70000)
        thread = threading.Thread(target=answer)
        thread.start()
        fetch(('-o', file), 3, admin=('--socket', path))
        thread.join()
        os.unlink(path)
    assert content() == b'precious' and os.listdir(home) == ['file'], os.listdir(home)
    os.symlink('file', link)
    fetch(('-o', link))
    assert os.path.islink(link) and content() == stored
    fetch(('-o', '/dev/null'))
    assert not os.path.isfile('/dev/null')
    assert b'is a directory' in fetch(('-o', home), 2).stderr
    assert b'No such file' in fetch(('-o', os.path.join(home, 'none', 'file')), 2).stderr


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
         ('METADATA entries', metadata), ('access control lists', acl),
         ('quotas', quota), ('Participating Functions', pf),
         ('references', references), ('references as text', references_as_text), ('a fetched file is there once it is whole', a_fetched_file_is_whole),
         ('store commands while cmsd runs', store_commands), ('SIGHUP', reload_keeps_serving),
         ('what cannot be reached', unreachable)]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES))
