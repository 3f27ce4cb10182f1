#!/usr/bin/env python3
"""Recording: what the network tells through the operator's API and `cms-admin record`, as an IMAP client finds it.

The examples of server/http/README.md are run as they stand there.
"""

import base64
import imaplib
import json
import os
import re
import shlex
import subprocess
import sys
import threading

import cmsd_fixture as fixture
from operator_api import Operator

PEER = 'tel:+15550100222'
GROUP, SESSION = '6c2d1f40-0d7e-4a39-9c55-2b8a4e0f9d11', '0b7de2c11f6e4a5f8f0a6cbb1d5e7a90'
README = os.path.join(fixture.ROOT, 'server', 'http', 'README.md')


def chat(number, text, **more):
    return {'event': 'chat', 'direction': 'received', 'from': PEER, 'date': f'2016-03-02T09:15:{number % 60:02}Z',
            'conversation_id': GROUP, 'contribution_id': SESSION, 'imdn_message_id': f'm{number}', 'text': text, **more}


def start(**more):
    return {'event': 'session-start', 'group': True, 'direction': 'received', 'from': PEER, 'date': '2016-03-02T09:14:50Z',
            'conversation_id': GROUP, 'contribution_id': SESSION, 'participants': ['tel:+15550100111', 'tel:+15550100333'],
            **more}


def end(**more):
    return {'event': 'session-end', 'group': True, 'direction': 'received', 'from': 'sip:anonymous@anonymous.invalid',
            'conversation_id': GROUP, 'contribution_id': SESSION, 'imdn_message_id': 'gs1',
            'group_state': {'timestamp': '2016-03-02T10:05:30Z', 'last_focus_session_id': 'sip:f3a9c1@focus.example.net',
                            'participants': [{'name': 'Ana', 'address': 'tel:+15550100111'},
                                             {'name': 'Bea', 'address': PEER}]}, **more}


def jsonl(server, name, lines):
    path = os.path.join(server.directory, name)
    with open(path, 'w', encoding='utf-8') as out:
        for line in lines:
            out.write((line if isinstance(line, str) else json.dumps(line)) + '\n')
    return path


def imap(server, account):
    client = imaplib.IMAP4(server.host, server.port)
    client.login(account.user, account.password)
    return client


def subjects(client, folder, what='BODY.PEEK[TEXT]'):
    status, _ = client.select(f'"{folder}"', readonly=True)
    assert status == 'OK', folder
    _, rows = client.fetch('1:*', f'(UID {what})')
    return [row[1] for row in rows if isinstance(row, tuple)]


def conversation(server, account):
    """A conversation and a group session are recorded; imaplib browses both."""
    who = {'account': account.address}
    picture = os.path.join(server.directory, 'pictures')
    os.makedirs(picture, exist_ok=True)
    with open(os.path.join(picture, 'quay.jpg'), 'wb') as out:
        out.write(bytes(range(256)) * 4096)
    lines = [dict(chat(n, f'text {n}'), **who) for n in range(1, 11)]
    lines.append(dict(who, event='file-transfer', direction='sent', to=PEER, conversation_id=GROUP, contribution_id='ft-1',
                      participants=[PEER], contents=[{'type': 'image/jpeg', 'name': 'quay.jpg', 'file': 'pictures/quay.jpg'}]))
    lines += [dict(start(), **who)] + [dict(chat(n, f'text {n}', group=True), **who) for n in range(20, 25)] + [dict(end(), **who)]
    path = jsonl(server, 'conversation.jsonl', lines)
    done = server.run_admin('record', path)
    assert done.stdout == '18 recorded, 0 known before, 0 refused\n', done.stdout
    again = json.loads(server.run_admin('--json', 'record', '-', stdin=open(path, encoding='utf-8').read(),
                                        check=False).stdout)
    # From standard input the picture's path is not relative to the file: that line is refused, the others are known.
    assert again == {'recorded': 0, 'known': 17, 'refused': 1}, again

    client = imap(server, account)
    texts = subjects(client, 'Default/' + PEER)
    assert len(texts) == 11 and b'text 1\r\n' in texts[0] + b'\r\n', texts[:1]
    header = subjects(client, 'Default/' + PEER, 'BODY.PEEK[HEADER]')[10].decode()
    assert f'From: {account.address}\r\n' in header and 'Message-Direction: sent' in header, header
    _, parts = client.fetch('11', '(BODY.PEEK[2])')
    assert base64.b64decode(parts[0][1]) == bytes(range(256)) * 4096
    folder = f'Default/{GROUP}/{SESSION}'
    assert len(subjects(client, folder)) == 7
    _, found = client.uid('SEARCH', 'HEADER', 'IMDN-Message-ID', 'm21')
    assert found == [b'3'], found
    entries = server.run_admin('metadata', 'list', account.address, '--folder', folder).stdout
    for name, value in (('SessionInfo', '1'), ('GroupState', '7'), ('Participants', 'tel:+15550100111;' + PEER)):
        assert re.search(rf'{name} +server +{re.escape(value)}\n', entries), entries
    # A moved conversation is recorded into where it is.
    client.create('Kept')
    assert client.rename(f'"Default/{GROUP}"', '"Kept/Trip"')[0] == 'OK'
    status, answer = Operator(server).record(account.address, chat(30, 'late', group=True))
    assert (status, answer['folder']) == (201, f'Kept/Trip/{SESSION}'), answer
    client.logout()


def once(server, account):
    """The same event twice, and by two network elements at once: one object."""
    operator = Operator(server)
    status, first = operator.record(account.address, chat(100, 'once'))
    assert status == 201 and first['created'], first
    status, second = operator.record(account.address, chat(100, 'once'))
    assert status == 200 and not second['created'] and second['uid'] == first['uid'], second
    seen = []

    def network():
        mine = Operator(server)
        for number in range(200, 250):
            seen.append(mine.record(account.address, chat(number, 'twice')))

    threads = [threading.Thread(target=network) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in seen) == [200] * 150 + [201] * 50
    assert len({answer['emailid'] for _, answer in seen}) == 50
    for contribution in ('s-twice', 's-twice'):
        status, answer = operator.record(account.address, start(contribution_id=contribution))
    assert status == 200, answer


def bad_lines(server, account):
    who = {'account': account.address}
    good = dict(chat(300, 'good'), **who)
    cases = [
        ('no JSON', 'is no JSON object'),
        ('[1]', 'is no JSON object'),
        (chat(301, 'x'), 'account is missing'),
        (dict(good, account='+15550199999'), 'No such account'),
        (dict(good, account='nobody'), 'address'),
        (dict(good, imdn_message_id=''), 'imdn_message_id is missing'),
        (dict(good, direction='up'), 'direction must be'),
        (dict(good, imdn_message_id='x' * 10_000), 'imdn_message_id has 10000 octets'),
        (dict(good, imdn_message_id='a\r\nBcc: x'), 'control character'),
        (dict(good, group=True, conversation_id=PEER), 'conversation_id is an address'),
        (dict(good, imdn_message_id='e0', group=True, conversation_id='y' * 300), 'folder name'),
        (dict(good, imdn_message_id='e1', expires='2001-01-01T00:00:00Z'), 'expire'),
        (dict(good, imdn_message_id='e2', expires='9999-12-31T23:59:59Z'), 'expire'),
        (dict(end(), group=False, **who), 'no group state'),
        (dict(good, event='standalone', text=None), 'text must be'),
        ({**who, 'event': 'media', 'direction': 'sent', 'to': PEER, 'imdn_message_id': 'f',
          'contents': [{'type': 'image/png', 'file': 'none.png'}]}, 'none.png is no file'),
        ('{"account":"' + account.address + '","text":"' + 'x' * (1 << 20) + '"}', 'has more than'),
    ]
    path = jsonl(server, 'bad.jsonl', ['', good] + [line for line, _ in cases] + [dict(chat(399, 'last'), **who)])
    done = server.run_admin('record', path, check=False)
    assert done.returncode == 1, done
    assert done.stdout == f'2 recorded, 0 known before, {len(cases)} refused\n', done.stdout + done.stderr
    said = dict(re.findall(r'^line (\d+): (.*)$', done.stderr, re.M))
    for number, (_, why) in enumerate(cases, start=3):
        assert re.search(why, said[str(number)], re.I), f'line {number}: {said.get(str(number))}, not {why}'
    assert server.run_admin('record', os.path.join(server.directory, 'none.jsonl'), check=False).returncode == 2
    assert server.run_admin('record', server.directory, check=False).returncode == 2
    assert server.run_admin('record', check=False).returncode == 2
    forged = [dict(start(conversation_id=f'a{c}b', contribution_id=f'{c}{c}'), **who) for c in '/%*"\\&']
    server.run_admin('record', jsonl(server, 'forged.jsonl', forged))
    client = imap(server, account)
    listed = b'\n'.join(client.list('Default/', '*')[1]).decode()
    for name in ('a%2Fb/%2F%2F', 'a%25b/%25%25', 'a%2Ab/%2A%2A', 'a%22b/%22%22', 'a%5Cb/%5C%5C', 'a%26b/%26%26'):
        assert f'Default/{name}' in listed, listed
    client.logout()


def terminal(server, account):
    """At a terminal a bar goes on, refused lines stand by themselves, and nothing in them steers it."""
    path = jsonl(server, 'terminal.jsonl', [dict(chat(n, 'x'), account=account.address) for n in range(400, 410)] + [
        {'account': account.address, 'event': 'media', 'direction': 'sent', 'to': PEER, 'imdn_message_id': 'f',
         'contents': [{'type': 'image/png', 'file': '\x1b[2Jnone.png'}]}])

    def shown(*arguments, stdin=None):
        ours, theirs = os.openpty()
        done = subprocess.run([server.admin, '--config', server.config, *arguments], stdin=stdin, stdout=theirs, stderr=theirs,
                              timeout=60, check=False)
        os.close(theirs)
        text = b''
        while chunk := read_all(ours):
            text += chunk
        os.close(ours)
        return done.returncode, text.decode()

    def read_all(descriptor):
        try:
            return os.read(descriptor, 65536)
        except OSError:     # the other side is closed
            return b''

    status, text = shown('record', path)
    assert status == 1, text
    assert text.startswith('\revents [........................................]   0%\r'), text
    line = re.search(r'\r\x1b\[Kline 11: .*none\.png is no file that can be read\r\n', text)
    assert line and '\x1b[2J' not in text and '\\x1b[2J' in line.group(), text
    assert text.endswith('[########################################] 100%\r\n10 recorded, 0 known before, 1 refused\r\n'
                         'cms-admin: 1 line was refused\r\n'), text
    with open(path, encoding='utf-8') as lines:     # how long it is nobody knows
        _, text = shown('record', '-', stdin=lines)
    assert text.startswith('\revents 0 KiB\revents 1 KiB\r') and '%' not in text, text


def readme(server, _):
    """Each curl example answers as the text says: what is recorded is created, and nothing is an error."""
    server.add_account(111)     # whose the examples are
    with open(README, encoding='utf-8') as text:
        blocks = re.findall(r'```sh\n(.*?)```', text.read(), re.S)
    commands = [line for block in blocks for line in block.replace('\\\n', ' ').splitlines() if line.startswith('curl')]
    assert len(commands) >= 10, commands
    with open(os.path.join(server.directory, 'quay.jpg'), 'wb') as out:
        out.write(b'\xff\xd8\xff\xe0 not really')
    for command in commands:
        words = [os.path.join(server.directory, 'operator.sock') if word.endswith('operator.sock') else word
                 for word in shlex.split(command)]
        done = subprocess.run(words, cwd=server.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        answer = json.loads(done.stdout)
        good = answer.get('created') is True if '/record' in command else 'error' not in answer
        assert good, f'{command}\n{done.stdout}{done.stderr}'


CASES = [('the examples of the API, as they stand in its README', readme),
         ('a conversation is recorded and browsed', conversation), ('an event is recorded once', once),
         ('lines that cannot be recorded are named', bad_lines), ('recording at a terminal', terminal)]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES))
