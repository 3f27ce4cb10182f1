#!/usr/bin/env python3
"""The dialogue of a desktop mail client, as Thunderbird speaks it: two connections, over STARTTLS and over TLS.

One connection idles in INBOX while the other one reads, files into Sent, moves to Trash, copies and undoes.
"""

import base64
import re
import sys

import cmsd_fixture as fixture
import imap_wire as wire

MAIL = (b'From: zoe@example.org\r\nTo: user1@example.com\r\nSubject: trace %d\r\nMessage-ID: <trace-%d@example.org>\r\n'
        b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n'
        b'--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--b--\r\n')


def open_session(server, account, how):
    """Greeting, encryption, login and the questions that follow."""
    client = wire.Client(server.host, server.tls_port if how == 'tls' else server.port, tls=how == 'tls')
    assert client.greeting.startswith(b'* OK'), client.greeting
    before = client.capabilities()
    if how == 'starttls':
        assert 'STARTTLS' in before, before
        client.ok('STARTTLS')
        client.start_tls()
        assert 'STARTTLS' not in client.capabilities()
    token = base64.b64encode(f'\0{account.user}\0{account.password}'.encode()).decode()
    if 'SASL-IR' in before:
        client.ok(f'AUTHENTICATE PLAIN {token}')
    else:
        tag = client.start('AUTHENTICATE PLAIN')
        assert client.line().startswith(b'+')
        client.send(token.encode() + b'\r\n')
        assert client.finish(tag).status == 'OK'
    after = client.capabilities()
    if 'ID' in after:
        client.ok('ID ("name" "Thunderbird" "version" "128.0")')
    if 'NAMESPACE' in after:
        assert client.ok('NAMESPACE').all(rb'\* NAMESPACE \(\("" "/"\)\)')
    client.after = after
    return client


def ensure(client, name):
    if client.command(f'SELECT {name}').status != 'OK':
        client.ok(f'CREATE {name}')
        client.ok(f'SUBSCRIBE {name}')


def dialogue(how, server, account):
    reader, idler = open_session(server, account, how), open_session(server, account, how)
    for name in ('Sent', 'Trash', 'Archive'):
        ensure(reader, name)
    assert reader.ok('LIST "" "*"').all(rb'\* LIST \([^)]*\) "/" "?INBOX"?')
    reader.ok('LSUB "" "*"')
    if 'SPECIAL-USE' in reader.after:
        assert reader.ok('LIST (SPECIAL-USE) "" "*"').all(rb'\* LIST \([^)]*\\Sent')
    reader.ok('STATUS "Sent" (UIDNEXT MESSAGES UNSEEN RECENT)')

    selected = idler.ok('SELECT "INBOX"')
    assert selected.all(rb'\* FLAGS \(.*\\Seen') and selected.all(rb'\* OK \[PERMANENTFLAGS \([^)]*\\\*\)\]')
    assert selected.all(rb'\* OK \[UIDVALIDITY \d+\]') and selected.all(rb'\* OK \[UIDNEXT \d+\]')
    exists = int(selected.all(rb'\* (\d+) EXISTS')[0].group(1))
    idle = idler.start('IDLE')
    assert idler.line().startswith(b'+')

    # Delivery elsewhere wakes the idling connection, which then fetches what is new by UID.
    appended = reader.append('INBOX', MAIL % (exists, exists), date='"05-Mar-2026 16:40:00 +0100"')
    assert appended.status == 'OK', appended
    uid = int(appended.code('APPENDUID').split()[1])
    line = idler.line()
    while not line.startswith(b'* %d EXISTS' % (exists + 1)):
        line = idler.line()
    idler.send(b'DONE\r\n')
    assert idler.finish(idle).status == 'OK'
    new = idler.ok(f'UID FETCH {uid}:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID '
                   'Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)])')
    row = wire.fetched(new)[exists + 1]
    assert b'UID %d' % uid in row and b'Subject: trace' in wire.literal(row), row
    assert wire.literal(wire.fetched(idler.ok(f'UID FETCH {uid} (UID RFC822.SIZE BODY[])'))[exists + 1]) == MAIL % (exists, exists)
    structure = wire.fetched(idler.ok(f'UID FETCH {uid} (BODYSTRUCTURE)'))[exists + 1].lower()
    assert b'"html"' in structure and b'"alternative"' in structure, structure
    assert rb'\Seen' in wire.fetched(idler.ok(f'UID FETCH {uid} (FLAGS)'))[exists + 1]

    # Flags set on one connection appear on the other.
    reader.ok('SELECT "INBOX"')
    reader.ok(f'UID STORE {uid} +FLAGS (\\Answered $label1)')
    seen = idler.ok('NOOP')
    assert any(b'$label1' in line and b'\\Answered' in line for line in seen.untagged), seen

    # A copy to Sent, then MOVE to Trash, and the same by COPY, STORE \Deleted, UID EXPUNGE.
    sent = reader.append('"Sent"', MAIL % (0, exists), flags='(\\Seen)')
    assert sent.status == 'OK' and sent.code('APPENDUID'), sent
    copied = reader.ok(f'UID COPY {uid} "Archive"')
    assert copied.code('COPYUID'), copied
    moved = reader.ok(f'UID MOVE {uid} "Trash"')
    assert moved.all(rb'\* OK \[COPYUID \d+ %d \d+\]' % uid) and moved.all(rb'\* %d EXPUNGE' % (exists + 1)), moved
    gone = idler.ok('NOOP')
    assert gone.all(rb'\* %d EXPUNGE' % (exists + 1)), gone
    trash = int(re.search(rb'COPYUID \d+ \d+ (\d+)', b''.join(moved.untagged)).group(1))
    reader.ok('SELECT "Trash"')
    reader.ok(f'UID STORE {trash} +FLAGS (\\Deleted)')
    expunged = reader.ok(f'UID EXPUNGE {trash}')
    assert expunged.all(rb'\* \d+ EXPUNGE'), expunged
    assert not reader.ok(f'UID FETCH {trash} (FLAGS)').untagged

    reader.ok('CLOSE')
    assert reader.command('LOGOUT').all(rb'\* BYE')
    reader.close()
    idler.ok('LOGOUT')
    idler.close()


def capability_only_what_works(server, account):
    """Every advertised capability that has a command or an item is used once."""
    client = wire.Client(server.host, server.port).login(account.user, account.password)
    have = client.capabilities()
    ensure(client, 'caps')
    client.ok('SELECT caps')
    uses = {
        'IDLE': None, 'UNSELECT': None, 'ID': 'ID NIL', 'NAMESPACE': 'NAMESPACE', 'ENABLE': 'ENABLE X-NOTHING',
        'ESEARCH': 'SEARCH RETURN (MIN MAX COUNT ALL) ALL', 'SEARCHRES': 'SEARCH RETURN (SAVE) ALL',
        'PARTIAL': 'UID SEARCH RETURN (PARTIAL -1:-10) ALL',
        'WITHIN': 'SEARCH YOUNGER 100 OLDER 1', 'NOTIFY': 'NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange MailboxName))',
        'STATUS=SIZE': 'STATUS caps (SIZE)', 'OBJECTID': 'STATUS caps (MAILBOXID)',
        'CONDSTORE': 'STATUS caps (HIGHESTMODSEQ)', 'QRESYNC': 'ENABLE QRESYNC',
        'UIDONLY': 'UID FETCH 1 (FLAGS)',
        'SAVEDATE': 'SEARCH SAVEDBEFORE 1-Jan-2014', 'BINARY': 'FETCH 1 (BINARY.SIZE[1])', 'PREVIEW': 'FETCH 1 (PREVIEW PREVIEW (LAZY))',
        'METADATA': 'GETMETADATA "" /shared/comment', 'LIST-METADATA': 'LIST "" % RETURN (METADATA (/shared/comment))',
        'ACL': 'GETACL caps', 'RIGHTS=texkn': 'SETACL caps texkn@example.com texkn', 'LIST-MYRIGHTS': 'LIST "" % RETURN (MYRIGHTS)',
        'SORT': 'SORT (REVERSE SUBJECT DATE) UTF-8 ALL', 'SORT=DISPLAY': 'SORT (DISPLAYFROM DISPLAYTO) UTF-8 ALL',
        'ESORT': 'UID SORT RETURN (MIN MAX COUNT ALL) (SIZE) UTF-8 ALL',
        'CONTEXT=SEARCH': 'SEARCH RETURN (CONTEXT UPDATE COUNT) SEEN', 'CONTEXT=SORT': 'CANCELUPDATE "none"',
        'THREAD=ORDEREDSUBJECT': 'THREAD ORDEREDSUBJECT UTF-8 ALL', 'THREAD=REFERENCES': 'UID THREAD REFERENCES UTF-8 ALL',
        'THREAD=X-CPM-CONTRIBUTION': 'THREAD X-CPM-CONTRIBUTION UTF-8 ALL',
        'UIDPLUS': 'UID EXPUNGE 999999', 'MOVE': 'UID MOVE 999999 caps', 'CHILDREN': 'LIST "" "caps"',
    }
    client.append('caps', MAIL % (1, 1))
    for capability, command in uses.items():
        if capability in have and command:
            answer = client.command(command)
            assert answer.status == 'OK', (capability, answer)
    if 'LITERAL+' in have:
        client.send(b'x SEARCH TEXT {5+}\r\nplain\r\n')
        assert client.finish('x').all(rb'\* SEARCH \d')
    if 'MULTIAPPEND' in have:
        body = b'Subject: a\r\n\r\nb\r\n'
        client.send(b'y APPEND caps {%d+}\r\n%s {%d+}\r\n%s\r\n' % (len(body), body, len(body), body))
        assert client.finish('y').status == 'OK'
    client.ok('UNSELECT' if 'UNSELECT' in have else 'CLOSE')
    client.close()


CASES = [
    ('mail client dialogue over STARTTLS', lambda s, a: dialogue('starttls', s, a)),
    ('mail client dialogue over TLS', lambda s, a: dialogue('tls', s, a)),
    ('mail client dialogue without encryption, on loopback', lambda s, a: dialogue('plain', s, a)),
    ('each advertised capability works', capability_only_what_works),
]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES))
