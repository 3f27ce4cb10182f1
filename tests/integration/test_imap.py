#!/usr/bin/env python3
"""Python's imaplib walks through IMAP4rev1: every command a library user has, with the answers checked."""

import imaplib
import json
import os
import re
import ssl
import sys
import zlib

import cmsd_fixture as fixture
import imap_wire as wire

DEMO = os.path.join(fixture.ROOT, 'etc', 'demo')
MAIL = (b'From: a@example.com\r\nTo: b@example.com\r\nSubject: =?utf-8?b?zprOsc67zrfOvM6tz4HOsQ==?=\r\n'
        b'Date: Wed, 02 Mar 2016 10:15:01 +0100\r\nMessage-ID: <%d@test.example>\r\nContribution-ID: c-%d\r\n\r\n'
        b'word%d and \xc3\xa9\r\n')


def ok(answer):
    status, data = answer
    assert status == 'OK', answer
    return data


def instant(octets):
    """The first INTERNALDATE in a FETCH answer; servers may answer in another zone."""
    return imaplib.Internaldate2tuple(re.search(rb'INTERNALDATE "[^"]*"', octets).group())


def connect(server, account):
    session = imaplib.IMAP4(server.host, server.port, timeout=120)
    ok(session.login(account.user, account.password))
    return session


def fresh(session, name, count=0):
    """A new folder, selected, with `count` messages."""
    session.delete(name)
    ok(session.create(name))
    for i in range(1, count + 1):
        ok(session.append(name, r'(\Seen)' if i % 2 else '', '"02-Mar-2016 10:15:0%d +0100"' % (i % 10), MAIL % (i, i, i)))
    ok(session.select(name))
    return session


def logins(server, account):
    names = [account.user] + ([account.address, account.address[4:], account.alias] if server.name == 'cmsd' else [])
    for name in names:
        session = imaplib.IMAP4(server.host, server.port, timeout=60)
        ok(session.login(name, account.password))
        session.logout()
    session = imaplib.IMAP4(server.host, server.port, timeout=60)
    ok(session.authenticate('PLAIN', lambda _: f'\0{account.user}\0{account.password}'.encode()))
    session.logout()


def wrong_password(server, account):
    session = imaplib.IMAP4(server.host, server.port, timeout=60)
    for user in (account.user, 'nobody@example.com'):
        try:
            session.login(user, 'wrong')
        except imaplib.IMAP4.error as error:
            assert 'AUTHENTICATIONFAILED' in str(error), error
        else:
            raise AssertionError('a wrong password was accepted')
    ok(session.login(account.user, account.password))
    session.logout()


def encrypted(server, account):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    implicit = imaplib.IMAP4_SSL(server.host, server.tls_port, ssl_context=context, timeout=60)
    ok(implicit.login(account.user, account.password))
    implicit.logout()
    session = imaplib.IMAP4(server.host, server.port, timeout=60)
    ok(session.starttls(context))
    assert 'STARTTLS' not in session.capabilities and 'LOGINDISABLED' not in session.capabilities, session.capabilities
    ok(session.login(account.user, account.password))
    session.logout()


def folders(server, account):
    session = connect(server, account)
    for name in ('walk', 'walk/one', 'walk/one/two', '"walk/with space"', '"walk/&A7EDsgOz-"'):
        ok(session.create(name))
    listed = b'\n'.join(ok(session.list('""', 'walk*')))
    assert b'"/"' in listed and b'&A7EDsgOz-' in listed and listed.count(b'walk') == 5, listed
    assert len(ok(session.list('walk/', '%'))) == 3
    ok(session.subscribe('walk/one'))
    assert b'walk/one' in ok(session.lsub('""', 'walk*'))[0]
    ok(session.unsubscribe('walk/one'))
    assert ok(session.lsub('""', 'walk*')) == [None]
    ok(session.rename('walk/one', 'walk/uno'))
    assert b'walk/uno/two' in b'\n'.join(ok(session.list('""', 'walk*')))
    assert session.create('walk/uno')[0] == 'NO' and session.delete('walk/none')[0] == 'NO'
    assert session.delete('INBOX')[0] == 'NO'
    status = ok(session.status('walk', '(UIDNEXT MESSAGES UIDVALIDITY UNSEEN RECENT)'))[0]
    assert re.search(rb'UIDNEXT 1 MESSAGES 0 UIDVALIDITY \d+ UNSEEN 0 RECENT 0', status) or server.name != 'cmsd', status
    for name in ('walk/uno/two', 'walk/uno', '"walk/with space"', '"walk/&A7EDsgOz-"', 'walk'):
        ok(session.delete(name))
    assert ok(session.list('""', 'walk*')) == [None]
    session.logout()


def uidvalidity_never_comes_back(server, account):
    session, seen = connect(server, account), []
    for _ in range(3):
        fresh(session, 'validity')
        seen.append(int(session.response('UIDVALIDITY')[1][0]))
        session.close()
    assert seen == sorted(set(seen)) or server.name != 'cmsd', seen
    session.logout()


def fetches(server, account):
    session = fresh(connect(server, account), 'fetches', 5)
    rows = ok(session.fetch('1:*', '(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)'))
    text = b' '.join(r if isinstance(r, bytes) else r[0] for r in rows)
    assert text.count(b'ENVELOPE') == 5 and instant(text) == instant(b'INTERNALDATE "02-Mar-2016 10:15:01 +0100"'), rows
    whole = ok(session.uid('FETCH', '2', '(BODY.PEEK[])'))[0]
    assert whole[1] == MAIL % (2, 2, 2) and b'UID 2' in whole[0], whole
    assert b'UID' in whole[0].split(b'BODY')[0] or server.name != 'cmsd', 'UID comes first'
    assert ok(session.fetch('2', '(BODY.PEEK[TEXT]<4.3>)'))[0][1] == b'2 a'
    head = ok(session.fetch('3', '(BODY.PEEK[HEADER.FIELDS (CONTRIBUTION-ID)])'))[0][1]
    assert head == b'Contribution-ID: c-3\r\n\r\n', head
    assert b'Contribution-ID' not in ok(session.fetch('3', '(BODY.PEEK[HEADER.FIELDS.NOT (CONTRIBUTION-ID)])'))[0][1]
    assert rb'\Seen' not in ok(session.fetch('2', '(FLAGS)'))[0]
    ok(session.fetch('2', '(BODY[1])'))
    assert rb'\Seen' in ok(session.fetch('2', '(FLAGS)'))[0]
    assert ok(session.fetch('2', '(RFC822.HEADER)'))[0][1].endswith(b'\r\n\r\n')
    session.logout()


def long_literals(server, account):
    """Messages of about the store's chunk of 256 KiB and more, in one answer: plain, over TLS, compressed, and in pieces."""
    chunk = 256 << 10
    octets = os.urandom(4 * chunk).replace(b'\0', b'x')
    mails = [b'Subject: %d\r\n\r\n' % size + octets[:size] for size in (chunk - 100, 3, chunk, 3 * chunk + 7, 40_000, 2 * chunk - 14)]
    fresh(connect(server, account), 'long').logout()
    with wire.Client(server.host, server.port).login(account.user, account.password) as client:
        for mail in mails:
            assert client.append('long', mail).status == 'OK'

    def whole(client):
        rows = client.ok('FETCH 1:* (UID BODY.PEEK[])').untagged
        assert [wire.literal(row) for row in rows if b' FETCH ' in row] == mails

    for tls in (False, True):
        with wire.Client(server.host, server.tls_port if tls else server.port, tls=tls).login(account.user, account.password) as client:
            client.ok('EXAMINE long')
            whole(client)
            for begin, count in ((0, chunk), (10, chunk), (chunk - 1, 2), (chunk, 2 * chunk), (3 * chunk, chunk), (1, 4 * chunk)):
                row = client.ok(f'FETCH 4 BODY.PEEK[]<{begin}.{count}>').untagged[0]
                assert wire.literal(row) == mails[3][begin:begin + count], (begin, count)
                row = client.ok(f'FETCH 4 (BODY.PEEK[HEADER] BODY.PEEK[TEXT]<{begin}.{count}> BODY.PEEK[1]<5.3>)').untagged[0]
                assert octets[:3 * chunk + 7][begin:begin + count] in row and octets[5:8] in row, (begin, count)
            if 'COMPRESS=DEFLATE' in client.capabilities():
                client.ok('COMPRESS DEFLATE')
                client.send(squeezed(b'a FETCH 1:* (UID BODY.PEEK[])\r\n'))
                unpacker, text = zlib.decompressobj(-15), b''
                while b'\r\na OK' not in text[-200:]:
                    text += unpacker.decompress(client.receive())
                assert all(mail in text for mail in mails)


def squeezed(octets):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(octets) + packer.flush(zlib.Z_SYNC_FLUSH)


def searches(server, account):
    session = fresh(connect(server, account), 'searches', 6)
    ok(session.store('4', '+FLAGS', r'(\Flagged $Work)'))
    table = {
        ('ALL',): b'1 2 3 4 5 6', ('SEEN',): b'1 3 5', ('UNSEEN',): b'2 4 6', ('FLAGGED',): b'4', ('KEYWORD', '$Work'): b'4',
        ('HEADER', 'Contribution-ID', 'c-5'): b'5', ('BODY', 'word3'): b'3', ('TEXT', 'c-2'): b'2', ('FROM', 'a@example'): b'1 2 3 4 5 6',
        ('NOT', 'SEEN', 'UNFLAGGED'): b'2 6', ('OR', 'FLAGGED', 'BODY', 'word1'): b'1 4', ('2:3',): b'2 3', ('UID', '5:*'): b'5 6',
        ('LARGER', '10', 'SMALLER', '5'): b'', ('SENTON', '2-Mar-2016'): b'1 2 3 4 5 6', ('ON', '2-Mar-2016', '1'): b'1',
        ('SINCE', '3-Mar-2016'): b'', ('SUBJECT', 'xyz'): b'',
    }
    for keys, expected in table.items():
        found = ok(session.search(None, *keys))[0] or b''
        assert found == expected, (keys, found)
    session.literal = 'Καλημ'.encode()
    assert ok(session.search('UTF-8', 'SUBJECT'))[0] == b'1 2 3 4 5 6'
    assert ok(session.uid('SEARCH', 'UNSEEN'))[0] == b'2 4 6'
    session.logout()


def sorts_and_threads(server, account):
    session = fresh(connect(server, account), 'sorts', 4)
    assert ok(session.sort('(SUBJECT)', 'UTF-8', 'NOT 2')) == [b'1 3 4']
    assert ok(session.sort('(REVERSE SIZE FROM)', 'US-ASCII', 'BODY word9')) in ([b''], [None])
    assert ok(session.uid('SORT', '(DATE)', 'UTF-8', 'UID 2:3')) == [b'2 3']
    # All have one subject.
    assert ok(session.thread('ORDEREDSUBJECT', 'UTF-8', '1:3')) == [b'(1 (2)(3))']
    assert ok(session.thread('REFERENCES', 'UTF-8', '4')) == [b'(4)']
    session.logout()


def stores_copies_expunges(server, account):
    session = fresh(connect(server, account), 'changes', 6)
    session.delete('changes-2')
    ok(session.create('changes-2'))
    ok(session.store('1:2', '+FLAGS', r'(\Flagged $One)'))
    ok(session.store('2', '-FLAGS', r'(\Flagged)'))
    ok(session.store('3', 'FLAGS', r'(\Draft)'))
    rows = ok(session.fetch('1:3', '(FLAGS)'))
    assert rb'\Flagged' in rows[0] and b'$One' in rows[1] and rb'\Flagged' not in rows[1] and rb'\Draft' in rows[2], rows
    if server.name == 'cmsd':
        ok(session.store('3', '+FLAGS', r'(\read-report-sent)'))
        assert rb'\read-report-sent' in ok(session.fetch('3', '(FLAGS)'))[0]
    ok(session.copy('2:3', 'changes-2'))
    assert b'MESSAGES 2' in ok(session.status('changes-2', '(MESSAGES)'))[0]
    assert session.copy('1', 'nowhere')[0] == 'NO'
    ok(session.uid('MOVE', '4:5', 'changes-2'))
    assert b'MESSAGES 4' in ok(session.status('changes-2', '(MESSAGES)'))[0]
    ok(session.store('1', '+FLAGS', r'(\Deleted)'))
    session.response('EXPUNGE')  # those of MOVE
    assert ok(session.expunge()) == [b'1']
    ok(session.store('1:*', '+FLAGS', r'(\Deleted)'))
    ok(session.close())
    assert b'MESSAGES 0' in ok(session.status('changes', '(MESSAGES)'))[0]
    session.logout()


def two_sessions_agree(server, account):
    one = fresh(connect(server, account), 'shared', 3)
    two = connect(server, account)
    ok(two.select('shared'))
    ok(one.append('shared', '', None, MAIL % (4, 4, 4)))
    ok(one.noop())
    ok(two.noop())
    assert two.response('EXISTS')[1][-1] == b'4'
    ok(one.store('1', '+FLAGS', r'(\Deleted)'))
    ok(one.expunge())
    ok(two.noop())
    assert two.response('EXPUNGE')[1] == [b'1']
    assert ok(one.uid('SEARCH', 'ALL')) == ok(two.uid('SEARCH', 'ALL')) == [b'2 3 4']
    one.logout()
    two.logout()


def states(server, account):
    session = connect(server, account)
    assert 'SELECTED' != session.state
    fresh(session, 'states', 1)
    ok(session.select('states', readonly=True))
    assert session.response('READ-ONLY')[1] or session.is_readonly
    try:
        assert session.store('1', '+FLAGS', r'(\Seen)')[0] == 'NO' or server.name != 'cmsd'
    except imaplib.IMAP4.readonly:
        pass
    ok(session.unselect())
    ok(session.check() if session.state == 'SELECTED' else session.noop())
    assert session.logout()[0] == 'BYE'


def demo_store(server, account):
    session = connect(server, account)
    with open(os.path.join(DEMO, 'manifest.jsonl'), encoding='utf-8') as rows:
        rows = [json.loads(row) for row in rows]
    counts = {}
    for row in rows:
        # A conversation's objects belong below the default folder; Dovecot has none, and no objection.
        name = row['folder'] if row['folder'].startswith('Default/') else 'demo-' + row['folder']
        if name not in counts and session.status(f'"{name}"', '(MESSAGES)')[0] != 'OK':
            ok(session.create(f'"{name}"'))  # a superior may have been made with its inferior
        counts[name] = counts.get(name, 0) + 1
        with open(os.path.join(DEMO, row['file']), 'rb') as source:
            octets = source.read()
        # Dovecot refuses unknown system flags; a CMS must keep this one.
        flags = [f for f in row['flags'] if server.name == 'cmsd' or f != r'\read-report-sent']
        ok(session.append(f'"{name}"', f'({" ".join(flags)})', f'"{row["internal_date"]}"', octets))
        ok(session.select(f'"{name}"'))
        fetched = ok(session.fetch(str(counts[name]), '(FLAGS INTERNALDATE BODYSTRUCTURE BODY.PEEK[])'))
        text = b' '.join(b' '.join(p) if isinstance(p, tuple) else p for p in fetched)
        assert any(isinstance(p, tuple) and p[1] == octets for p in fetched), row
        assert instant(text) == instant(b'INTERNALDATE "%s"' % row['internal_date'].encode()), text[:300]
        assert all(flag.encode() in text for flag in flags), text[:300]
    session.logout()


def stopped_at_once(server, account):
    """Who sees the port open may stop the server: the end is orderly, not that of an unknown signal."""
    if server.name != 'cmsd':
        raise fixture.Skip('of our own server')
    fixture.check_stop(server)
    for _ in range(5):
        server.launch()
        server.wait_for_port(server.port)
        fixture.check_stop(server)
    server.start()


CASES = [
    ('LOGIN and AUTHENTICATE with every name', logins),
    ('a wrong password is refused and tells nothing', wrong_password),
    ('STARTTLS and implicit TLS', encrypted),
    ('CREATE, LIST, LSUB, RENAME, STATUS, DELETE', folders),
    ('a new folder of an old name has a larger UIDVALIDITY', uidvalidity_never_comes_back),
    ('FETCH items and partials', fetches),
    ('long literals come whole', long_literals),
    ('SEARCH keys', searches),
    ('SORT and THREAD', sorts_and_threads),
    ('STORE, COPY, MOVE, EXPUNGE, CLOSE', stores_copies_expunges),
    ('two sessions see the same after NOOP', two_sessions_agree),
    ('EXAMINE, UNSELECT, LOGOUT', states),
    ('the demo store comes back octet for octet', demo_store),
    ('a stop as soon as the port is open', stopped_at_once),
]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES))
