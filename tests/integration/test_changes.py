#!/usr/bin/env python3
"""GET .../changes at once, after a wait and as a WebSocket (by cms-admin watch); who is connected, and ending that.

Every wait here is for an answer or a line, never for time to pass.
"""

import json
import os
import queue
import re
import select
import socket
import subprocess
import sys
import threading

import cmsd_fixture as fixture
from imap_wire import Client, Closed
from operator_api import Operator

LINE_SECONDS = 60


def encoded(account):
    return account.address.replace('+', '%2B')


class Api(Operator):
    def call(self, method, target):
        """(status, the answer's JSON)"""
        self.begin(method, target)
        return self.end()

    def begin(self, method, target):
        self.request(method, target)

    def end(self):
        answer = self.getresponse()
        return answer.status, json.loads(answer.read())

    def changes(self, account, **query):
        query = '&'.join(f'{key}={value}' for key, value in query.items())
        return self.call('GET', f'/v1/accounts/{encoded(account)}/changes?{query}')


class Watch:
    """cms-admin watch, line by line."""

    def __init__(self, server, *arguments):
        self.process = subprocess.Popen([server.admin, '--config', server.config, 'watch', *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip('\n'))
        self.lines.put(None)

    def line(self):
        return self.lines.get(timeout=LINE_SECONDS)

    def end(self):
        """(exit status, standard error)"""
        status = self.process.wait(LINE_SECONDS)
        return status, self.process.stderr.read()

    def kill(self):
        self.process.kill()
        self.process.wait(LINE_SECONDS)


def login(server, account, tls=False):
    client = Client(server.host, server.tls_port if tls else server.port, tls=tls)
    client.ok(f'LOGIN {account.user} {account.password}')
    return client


def put(server, account, folder, count=1):
    with login(server, account) as client:
        for i in range(count):
            answer = client.append(folder, f'Subject: {i}\r\n\r\nx\r\n'.encode())
            assert answer.status == 'OK', answer


def modseq(api, account):
    return api.changes(account)[1]['modseq']


def at_once(server, account):
    api = Api(server)
    status, start = api.changes(account)
    assert status == 200 and start['folders'] == [] and not start['names'] and not start['reset'], start
    put(server, account, 'INBOX', 3)
    with login(server, account) as client:
        client.ok('SELECT INBOX')
        client.ok('STORE 1:2 +FLAGS (\\Seen)')
        client.ok('STORE 3 +FLAGS (\\Deleted)')
        client.ok('EXPUNGE')
    _, told = api.changes(account, since=start['modseq'])
    inbox, = told['folders']
    assert (inbox['folder'], inbox['kind'], inbox['messages'], inbox['unseen']) == ('INBOX', 'inbox', 2, 0), inbox
    assert (inbox['changed'], inbox['vanished'], inbox['uidnext']) == ('1:2', '3', 4), inbox
    assert told['modseq'] == inbox['highestmodseq'] > start['modseq'] and not told['names'], told
    _, again = api.changes(account, since=told['modseq'])
    assert again == {'modseq': told['modseq'], 'reset': False, 'names': False, 'annotations': False,
                     'folders': []}, again
    with login(server, account) as client:
        client.ok('CREATE Loft')
        client.ok('SETMETADATA Loft (/private/comment "x")')
    _, named = api.changes(account, since=told['modseq'])
    assert named['names'] and named['annotations'], named
    assert [folder['folder'] for folder in named['folders']] == ['Loft'], named
    _, after = api.changes(account, since=named['modseq'])
    assert not after['names'] and not after['annotations'], after
    for command in ('RENAME Loft Attic', 'SUBSCRIBE Attic', 'DELETE Attic'):
        before = modseq(api, account)
        with login(server, account) as client:
            client.ok(command)
        _, told = api.changes(account, since=before)
        assert told['names'] and not told['annotations'] and told['modseq'] > before, (command, told)


def from_another_store(server, account):
    api = Api(server)
    now = modseq(api, account)
    _, told = api.changes(account, since=now + 1000)
    _, everything = api.changes(account, since=0)
    assert told['reset'] and told['modseq'] == now, told
    assert told['folders'] == everything['folders'] and len(told['folders']) > 1, told


def refusals(server, account):
    api = Api(server)
    for query in ({'since': 'x'}, {'since': -1}, {'since': 2 ** 63}, {'wait': 301}, {'wait': 'x'}):
        status, told = api.changes(account, **query)
        assert status == 400 and 'since' in told['error']['message'], (query, told)
    nobody = fixture.Account(999)
    status, told = api.changes(nobody, wait=300)
    assert (status, told['error']['code']) == (404, 'no_such_account'), told
    done = server.run_admin('watch', nobody.address, check=False)
    assert done.returncode == 1 and 'No such account' in done.stderr, done


def after_a_wait(server, account):
    api, now = Api(server), modseq(Api(server), account)
    assert api.changes(account, since=now, wait=1)[1]['folders'] == []
    api.begin('GET', f'/v1/accounts/{encoded(account)}/changes?since={now}&wait=300')
    put(server, account, 'INBOX')
    status, told = api.end()
    assert status == 200 and [folder['changed'] for folder in told['folders']] == ['4'], told
    assert api.changes(account, since=told['modseq'])[0] == 200  # the connection goes on


def many_wait(server, account):
    now = modseq(Api(server), account)
    target = f'/v1/accounts/{encoded(account)}/changes?since={now}&wait='
    waiting = [Api(server) for _ in range(129)]
    for api in waiting:
        api.begin('GET', target + '300')
    refused, _, _ = select.select([api.sock for api in waiting], [], [], LINE_SECONDS)
    too_many, = (api for api in waiting if api.sock in refused)  # one, whichever came last
    waiting.remove(too_many)
    status, told = too_many.end()
    assert (status, told['error']['code']) == (503, 'too_many_waiting'), told

    for api in waiting[:64]:
        api.close()
    while Api(server).call('GET', target + '1')[0] != 200:
        pass  # until they have been seen to go
    put(server, account, 'INBOX')
    for api in waiting[64:]:
        status, told = api.end()
        assert status == 200 and len(told['folders']) == 1, told


def watched_by_scripts(server, account):
    api = Api(server)
    now = modseq(api, account)
    put(server, account, 'INBOX')
    watch = Watch(server, account.user, '--json', '--since', str(now))
    first = json.loads(watch.line())
    assert [folder['folder'] for folder in first['folders']] == ['INBOX'], first
    seen, uids = first['modseq'], 0
    for _ in range(20):
        put(server, account, 'Sent')
        told = json.loads(watch.line())
        assert told['modseq'] > seen, told
        uids, seen = told['folders'][0]['uidnext'], told['modseq']
    assert uids == 21, uids
    watch.kill()


def watched_by_people(server, account):
    watch = Watch(server, account.user, '--since', str(modseq(Api(server), account)))
    # It has looked at the folders when it tells of the first change; that one may be in what it saw.
    put(server, account, 'INBOX')
    assert re.fullmatch(r'\d\d:\d\d:\d\d  INBOX: (new|changed) \d+ \(\d+ messages, \d+ unseen\)', watch.line())
    put(server, account, 'Sent')
    assert watch.line()[10:] == 'Sent: new 21 (21 messages, 21 unseen)'
    with login(server, account) as client:
        client.ok('SELECT Sent')
        client.ok('STORE 21 +FLAGS (\\Seen \\Deleted)')
        assert watch.line()[10:] == 'Sent: changed 21 (21 messages, 20 unseen)'
        client.ok('EXPUNGE')
        assert watch.line()[10:] == 'Sent: gone 21 (20 messages, 20 unseen)'
        client.ok('CREATE Nice')
        assert watch.line()[10:] == 'Nice: made'
        client.ok('RENAME Nice Nicer')
        assert watch.line()[10:] == 'Nice: is now Nicer'
        client.ok('SUBSCRIBE Nicer')
        assert watch.line()[10:] == 'subscriptions changed'
        client.ok('SETMETADATA Nicer (/private/comment "x")')
        assert watch.line()[10:] == 'METADATA entries changed'
        client.ok('DELETE Nicer')
        assert watch.line()[10:] == 'Nicer: deleted'
    watch.kill()


def deleted_while_watched(server, _):
    account = server.add_account(42)
    api, now = Api(server), modseq(Api(server), account)
    api.begin('GET', f'/v1/accounts/{encoded(account)}/changes?since={now}&wait=300')
    watch = Watch(server, account.user, '--json', '--since', '0')
    assert json.loads(watch.line())['modseq'] == now
    server.run_admin('account', 'delete', account.address, '--yes')
    status, told = api.end()
    assert (status, told['error']['code']) == (404, 'no_such_account'), told
    assert watch.end() == (1, 'cms-admin: The account was deleted\n')


def socket_of_a_stranger(server, account):
    """Whoever says nonsense on the WebSocket, or goes, leaves nothing behind."""
    request = (f'GET /v1/accounts/{encoded(account)}/changes?since=0 HTTP/1.1\r\nHost: cmsd\r\nUpgrade: websocket\r\n'
               'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
    for octets in (b'', b'nonsense' * 1000, b'\x81\xff' + b'\xff' * 12):  # 2^64 octets are announced
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(os.path.join(server.directory, 'operator.sock'))
            stranger.sendall(request.encode())
            stranger.settimeout(LINE_SECONDS)
            got = b''
            while b'"modseq"' not in got:
                got += stranger.recv(65536)
            assert got.startswith(b'HTTP/1.1 101'), got
            if not octets:
                continue
            stranger.sendall(octets)
            try:
                while stranger.recv(65536):
                    pass
            except ConnectionResetError:
                pass  # it was closed with octets unread
    assert Api(server).changes(account)[0] == 200


def sessions(server, account):
    api = Api(server)
    idle, plain = login(server, account, tls=True), login(server, account)
    stranger = Client(server.host, server.port)
    idle.ok('SELECT INBOX')
    idle.send(b'i IDLE\r\n')
    assert idle.line().startswith(b'+')
    listed = api.call('GET', f'/v1/sessions?account={encoded(account)}')[1]['sessions']
    first, second = listed
    assert first['doing'] == 'IDLE' and first['folder'] == 'INBOX' and first['tls'].startswith('TLSv1.3'), first
    assert second['doing'] == '' and second['folder'] == '' and second['tls'] == '', second
    assert first['account'] == account.address and first['octets_in'] > 30 and first['octets_out'] > 300, first
    everyone = api.call('GET', '/v1/sessions?limit=1')[1]
    ids = [everyone['sessions'][0]['id']]
    while 'next' in everyone:
        everyone = api.call('GET', f'/v1/sessions?limit=1&after={everyone["next"]}')[1]
        ids += [one['id'] for one in everyone['sessions']]
    assert len(ids) == 3 and ids == sorted(ids), ids
    text = server.run_admin('sessions', 'list').stdout.splitlines()
    assert len(text) == 4 and 'IDLE' in text[1] and 'INBOX' in text[1] and '(not logged in)' in text[3], text

    assert server.run_admin('sessions', 'kick', str(first['id'])).stdout == '1 session told to end\n'
    assert idle.line() == b'* BYE An administrator has ended this session\r\n'
    plain.ok('NOOP')
    stranger.ok('NOOP')
    told = json.loads(server.run_admin('sessions', 'kick', '--account', account.user, '--json').stdout)
    assert told == {'kicked': 1}, told
    assert plain.line() == b'* BYE An administrator has ended this session\r\n'
    stranger.ok('NOOP')
    stranger.ok('LOGOUT')
    for connection in (idle, plain, stranger):
        try:
            while connection.line():
                pass
        except Closed:
            pass
        connection.close()
    assert 'reason=kicked' in server.log_tail(), server.log_tail()
    for arguments in (['kick'], ['kick', '1', '--account', account.user], ['kick', 'x']):
        assert server.run_admin('sessions', *arguments, check=False).returncode == 2, arguments
    gone = server.run_admin('sessions', 'kick', str(first['id']), check=False)
    assert gone.returncode == 1 and 'no session with this id' in gone.stderr, gone
    assert api.call('DELETE', '/v1/sessions')[0] == 400
    assert api.call('GET', '/v1/sessions?limit=0')[0] == 400


def help_has_examples(server, _):
    for command in (['watch'], ['sessions'], ['sessions', 'list'], ['sessions', 'kick']):
        text = server.run_admin(*command, '--help').stdout
        assert 'Example' in text and 'cms-admin ' + command[0] in text, text


def shutdown_while_they_wait(server, account):
    """A stop does not wait for those who wait, and they are told."""
    api, now = Api(server), modseq(Api(server), account)
    api.begin('GET', f'/v1/accounts/{encoded(account)}/changes?since={now}&wait=300')
    watch = Watch(server, account.user, '--json', '--since', '0')
    watch.line()
    fixture.check_stop(server)
    assert api.end() == (200, {'modseq': now, 'reset': False, 'names': False, 'annotations': False, 'folders': []})
    assert watch.end() == (3, 'cms-admin: cmsd is shutting down\n')
    server.start()


CASES = [('what has changed', at_once), ('a mod-sequence of another store', from_another_store),
         ('what cannot be asked', refusals), ('waiting for changes', after_a_wait), ('so many wait and no more', many_wait),
         ('watch --json', watched_by_scripts), ('watch', watched_by_people),
         ('an account is deleted while it is watched', deleted_while_watched),
         ('a WebSocket that is misused', socket_of_a_stranger), ('sessions', sessions), ('help', help_has_examples),
         ('a stop while they wait', shutdown_while_they_wait)]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES))
