#!/usr/bin/env python3
"""Real mail clients: curl, mbsync (two-way sync of 1,000 messages, then nothing to do), neomutt in batch mode, and a
cache kept by Python's imaplib with QRESYNC."""

import imaplib
import os
import re
import shutil
import subprocess
import sys
import tempfile

import cmsd_fixture as fixture
import imap_wire as wire

MESSAGES = 1000


def message(i):
    return (f'From: tel:+15550100222\r\nTo: tel:+15550100111\r\nSubject: number {i}\r\n'
            f'Date: Wed, 02 Mar 2016 10:{i // 60 % 60:02d}:{i % 60:02d} +0100\r\nMessage-ID: <{i}@clients.example>\r\n'
            f'Content-Type: text/plain; charset=utf-8\r\n\r\nText {i} Καλημέρα\r\n').encode()


def run(command, folder, **options):
    """Runs a client with HOME in `folder`; its output is in the error when it fails."""
    if not shutil.which(command[0]):
        raise fixture.Skip(f'{command[0]} is not installed')
    environment = dict(os.environ, HOME=folder, TERM='xterm', LC_ALL='C.UTF-8')
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, timeout=300, **options)
    assert done.returncode == 0, f'{command[0]}: exit {done.returncode}: {(done.stdout + done.stderr)[-2000:]!r}'
    return done.stdout


def fill(server, account, box, count):
    """Makes `box` afresh with `count` messages; appends are pipelined where the server takes LITERAL+."""
    with wire.Client(server.host, server.port).login(account.user, account.password) as client:
        client.command(f'DELETE {box}')
        client.ok(f'CREATE {box}')
        tags = []
        for i in range(count):
            octets = message(i)
            tags.append(client.tag())
            client.send(b'%s APPEND %s {%d+}\r\n%s\r\n' % (tags[-1].encode(), box.encode(), len(octets), octets))
            if len(tags) >= 32:
                assert client.finish(tags.pop(0)).status == 'OK'
        assert all(client.finish(tag).status == 'OK' for tag in tags)


def messages_in(server, account, box):
    with wire.Client(server.host, server.port).login(account.user, account.password) as client:
        return int(client.ok(f'EXAMINE {box}').all(rb'\* (\d+) EXISTS')[0].group(1))


def in_folder(function):
    """A case that gets an own temporary folder."""
    def case(server, account):
        folder = tempfile.mkdtemp(prefix='client-')
        try:
            function(server, account, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return case


@in_folder
def curl(server, account, folder):
    def get(path, *more, port=server.port, scheme='imap'):
        return run(['curl', '-sS', '-k', '--max-time', '60', '--user', f'{account.user}:{account.password}', *more,
                    f'{scheme}://{server.host}:{port}/{path}'], folder)
    fill(server, account, 'curl', 3)
    assert b'curl' in get('')
    with open(os.path.join(folder, 'new.eml'), 'wb') as out:
        out.write(message(99))
    get('curl', '-T', 'new.eml')
    assert get('curl;MAILINDEX=4') == message(99)
    assert b'Subject: number 0' in get('curl;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)')
    assert b'* SEARCH 2\r\n' in get('curl?SUBJECT%20%22number%201%22')
    assert b'FLAGS (' in get('curl', '-X', 'STORE 1 +FLAGS (\\Deleted)')
    assert b'* 1 EXPUNGE' in get('curl', '-X', 'EXPUNGE')
    assert messages_in(server, account, 'curl') == 3
    assert get('curl;MAILINDEX=3', port=server.tls_port, scheme='imaps') == message(99)
    assert get('curl;MAILINDEX=3', '--ssl-reqd') == message(99)


MBSYNC = '''
IMAPAccount a
Host {host}
Port {port}
User {user}
Pass {password}
SSLType None
AuthMechs {mechanism}

IMAPStore far
Account a

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns sync
Create Both
Expunge Both
SyncState *
CopyArrivalDate yes
'''


@in_folder
def mbsync(server, account, folder):
    fill(server, account, 'sync', MESSAGES)
    os.mkdir(os.path.join(folder, 'mail'))
    with open(os.path.join(folder, 'rc'), 'w', encoding='utf-8') as out:
        out.write(MBSYNC.format(host=server.host, port=server.port, user=account.user, password=account.password,
                                folder=folder, mechanism='PLAIN LOGIN'))
    box = os.path.join(folder, 'mail', 'sync')

    def sync():
        return run(['mbsync', '-c', 'rc', 'c'], folder)

    def uid(path):
        return int(re.search(r',U=(\d+)', path).group(1))

    # By UID: mbsync's names begin with the second they were made in, so their own order depends on the clock.
    def near():
        return sorted((os.path.join(d, f) for d in (f'{box}/cur', f'{box}/new') for f in os.listdir(d)), key=uid)

    sync()
    assert len(near()) == MESSAGES, len(near())
    # Both sides change: 5 new here, 5 trashed here, 5 seen here; 5 new there, 5 expunged there.
    for path in near()[:5]:
        base = os.path.basename(path).split(':')[0]
        os.rename(path, f'{box}/cur/{base}:2,T')
    for path in near()[10:15]:
        base = os.path.basename(path).split(':')[0]
        os.rename(path, f'{box}/cur/{base}:2,S')
    for i in range(5):
        with open(f'{box}/new/{i}.near.example', 'wb') as out:
            out.write(message(5000 + i).replace(b'\r\n', b'\n'))
    with wire.Client(server.host, server.port).login(account.user, account.password) as client:
        client.ok('SELECT sync')
        client.ok(f'STORE {MESSAGES - 4}:{MESSAGES} +FLAGS.SILENT (\\Deleted)')
        client.ok('EXPUNGE')
        for i in range(5):
            assert client.append('sync', message(6000 + i)).status == 'OK'
    said = sync()
    here, there = len(near()), messages_in(server, account, 'sync')
    assert here == there == MESSAGES, f'after the second sync {here} here, {there} there: {said}'
    # 1 to 5 were trashed here, 996 to 1,000 expunged there, the last ten are the new ones of both sides.
    assert [uid(path) for path in near()] == list(range(6, MESSAGES - 4)) + list(range(MESSAGES + 1, MESSAGES + 11))
    assert [uid(path) for path in near() if path.endswith('S')] == list(range(11, 16))
    before = near()
    with wire.Client(server.host, server.port).login(account.user, account.password) as client:
        state = client.ok('STATUS sync (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)').untagged
        sync()
        assert near() == before, 'a sync with nothing to do changed the local folder'
        assert client.ok('STATUS sync (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)').untagged == state, 'it changed the server'


NEOMUTT = '''
set imap_user="{user}"
set imap_pass="{password}"
set imap_authenticators="plain:login"
set ssl_starttls=no
set ssl_force_tls=no
set folder="imap://{host}:{port}/"
set spoolfile="+mutt"
set record=""
set move=no
set delete=yes
set quit=yes
set confirmappend=no
set confirmcreate=no
set sort=threads
set header_cache="{folder}/cache"
set mbox_type=mbox
set wait_key=no
'''


@in_folder
def neomutt(server, account, folder):
    fill(server, account, 'mutt', 5)
    os.mkdir(os.path.join(folder, 'cache'))
    with open(os.path.join(folder, 'rc'), 'w', encoding='utf-8') as out:
        out.write(NEOMUTT.format(host=server.host, port=server.port, user=account.user, password=account.password, folder=folder))
    keys = (f'<first-entry><copy-message><kill-line>{folder}/out.mbox<enter><flag-message><last-entry><delete-message>'
            '<sync-mailbox><quit>')
    # It is a full-screen program: script(1) gives it a terminal, the keys are pushed.
    run(['script', '-qec', f"neomutt -n -F rc -f 'imap://{server.host}:{server.port}/mutt' -e 'push \"{keys}\"'", 'tty'], folder)
    with open(os.path.join(folder, 'out.mbox'), 'rb') as box:
        assert b'Subject: number 0' in box.read()
    assert messages_in(server, account, 'mutt') == 4
    with wire.Client(server.host, server.port).login(account.user, account.password) as client:
        client.ok('EXAMINE mutt')
        assert client.ok('SEARCH FLAGGED').all(rb'\* SEARCH 1\r\n')


class Cache:
    """What a client of imaplib knows of a folder: flags by UID, as of a mod-sequence (RFC 7162 §3.2.5)."""

    def __init__(self, server, account, box):
        self.server, self.account, self.box = server, account, box
        self.validity = self.modseq = None
        self.flags = {}

    def resync(self):
        """One SELECT; how many messages it told of."""
        with imaplib.IMAP4(self.server.host, self.server.port) as session:
            session.login(self.account.user, self.account.password)
            assert session.enable('QRESYNC')[0] == 'OK'
            known = f' (QRESYNC ({self.validity} {self.modseq}))' if self.modseq else ''
            assert session.select(self.box + known)[0] == 'OK'
            told = self.take(session.response('FETCH')[1], session.response('VANISHED')[1])
            validity, modseq = (int(session.response(code)[1][0]) for code in ('UIDVALIDITY', 'HIGHESTMODSEQ'))
            assert self.validity in (None, validity)
            if not known:
                told += self.take(session.fetch('1:*', '(UID FLAGS)')[1], [])
            self.validity, self.modseq = validity, modseq
            return told

    def take(self, fetched, vanished):
        told = 0
        for line in filter(None, vanished):
            for part in line.rpartition(b' ')[2].split(b','):
                first, _, last = part.partition(b':')
                for uid in range(int(first), int(last or first) + 1):
                    told += self.flags.pop(uid, None) is not None
        for line in filter(None, fetched):
            uid = int(re.search(rb'UID (\d+)', line).group(1))
            self.flags[uid] = {f.lower() for f in imaplib.ParseFlags(line)} - {rb'\recent'}
            told += 1
        return told


def imaplib_qresync(server, account):
    fill(server, account, 'cached', 200)
    cache = Cache(server, account, 'cached')
    cache.resync()
    assert cache.resync() == 0
    with imaplib.IMAP4(server.host, server.port) as other:
        other.login(account.user, account.password)
        other.select('cached')
        other.store('10:19', '+FLAGS', r'(\Flagged $Forwarded)')
        other.store('30:34,200', '+FLAGS', r'\Deleted')
        other.expunge()
        other.append('cached', None, None, message(1000))
    assert cache.resync() == 10 + 6 + 1
    assert cache.resync() == 0
    whole = Cache(server, account, 'cached')
    whole.resync()
    assert whole.flags == cache.flags and len(whole.flags) == 195


CASES = [
    ('curl: list, append, fetch, search, store, expunge, TLS', curl),
    ('mbsync: two-way sync of 1,000 messages, then nothing to do', mbsync),
    ('neomutt: open, copy, flag, delete, sync', neomutt),
    ('imaplib: a cache that QRESYNC keeps', imaplib_qresync),
]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES))
