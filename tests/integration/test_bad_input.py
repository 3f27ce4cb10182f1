#!/usr/bin/env python3
"""Bad input over real sockets: whatever a client sends gets an answer, and a client that stalls is dropped.

The deadlines of the configuration are set to a few seconds for this test; idle_timeout may not be below the half hour
of RFC 3501, so nothing here waits for it.
"""

import base64
import re
import select
import socket
import sys
import threading
import time
import zlib

import cmsd_fixture as fixture
import imap_wire as wire

LIMITS = {'login_timeout': 3, 'command_timeout': 3, 'literal_stall': 3, 'write_stall': 3}
PATIENCE = 40            # a deadline of 3 s must have acted by then, on any machine
MAIL = b'Subject: x\r\n\r\nbody\r\n'


def strict(function):
    """A case about cmsd's own limits: another server has others."""
    def case(server, account):
        if server.name != 'cmsd':
            raise fixture.Skip('about cmsd only')
        function(server, account)
    return case


def client_of(server, account=None, **options):
    client = wire.Client(server.host, server.port, timeout=PATIENCE, **options)
    return client.login(account.user, account.password) if account else client


def expect_end(client):
    """The server must end the connection; what it said last is returned."""
    said = b''
    try:
        while True:
            said += client.receive()
    except wire.Closed:
        return said
    except TimeoutError:
        raise AssertionError(f'still open after {PATIENCE} s; it said {said[-200:]!r}') from None


def malformed(server, account):
    lines = [b'', b' ', b'a', b'a ', b'a NOSUCH', b'* NOOP', b'a+b NOOP', b'a LOGIN', b'a LOGIN x', b'a LOGIN "x', b'a NOOP extra',
             b'a \x00NOOP', b'a NOOP\x00', b'\xff\xfe\xfd', b'a SELECT', b'a SELECT "IN\x00BOX"', b'a STORE 0 FLAGS ()', b'a FETCH 1 (',
             b'a SEARCH (', b'a APPEND INBOX', b'a UID', b'a UID NOOP', b'a FETCH 4294967296 FLAGS', b'a LIST "" "\\']
    for octets in lines:
        with client_of(server) as client:
            client.send(octets + b'\r\nz NOOP\r\n')
            answer = client.finish('z') if server.name == 'cmsd' else None
            if answer:
                assert answer.status == 'OK', (octets, answer)
                before = b''.join(answer.untagged)
                assert b'BAD' in before or b'NO ' in before, (octets, before)
                assert b'\x00' not in before, before


def every_octet_in_a_command(server, account):
    octets = [octet for octet in range(256) if octet not in b'\r\n{']
    for start in range(0, len(octets), 8):     # few a connection: too many bad commands would end it
        with client_of(server, account) as client:
            client.ok('SELECT INBOX')
            for octet in octets[start:start + 8]:
                client.send(b'a SEARCH SUBJECT %c\r\n' % octet)
                answer = client.finish('a')
                assert answer.status in ('OK', 'BAD', 'NO'), answer


def bad_says_what_and_where(server, account):
    with client_of(server, account) as client:
        client.ok('SELECT INBOX')
        answer = client.command('STORE 1 FLAGS \\Seen)')
        assert answer.status == 'BAD' and len(answer.text) > 10, answer


def too_many_bad_commands(server, account):
    with client_of(server) as client:
        try:
            for _ in range(10_000):
                client.send(b'a NOSUCH\r\n')
        except wire.Closed:
            pass
        said = expect_end(client)
        assert b'* BYE' in said or said.count(b'a BAD') > 0, said[-300:]


def long_lines(server, account):
    for size in (10_000, 1_000_000, 20_000_000):
        with client_of(server, account) as client:
            try:
                client.send(b'a SEARCH TEXT ' + b'x' * size + b'\r\n')
                line = client.line()
                assert re.match(rb'(a (BAD|NO|OK)|\* (BAD|BYE|SEARCH))', line), line
            except wire.Closed:
                assert size > 1_000_000, f'dropped without a word at {size} octets'


def long_literal_before_login(server, account):
    with client_of(server) as client:
        client.send(b'a LOGIN {1000000000}\r\n')
        line = client.line()
        assert not line.startswith(b'+'), line


@strict
def large_append_is_refused_before_it_is_sent(server, account):
    with client_of(server, account) as client:
        client.send(b'a APPEND INBOX {4294967295}\r\n')
        answer = client.finish('a')
        assert answer.status in ('NO', 'BAD') and ('TOOBIG' in answer.text or server.name != 'cmsd'), answer
        assert client.ok('NOOP')


@strict
def greedy_metadata(server, account):
    """10,000 entries, entries over the limit of a command, a value of 10 MiB: each is refused, and nothing is stored."""
    with client_of(server, account) as client:
        many = b' '.join(b'/private/%d ""' % number for number in range(10_000))
        client.send(b'a SETMETADATA INBOX (' + many + b')\r\n')
        assert client.finish('a').status == 'BAD'
        client.send(b'b GETMETADATA INBOX (' + b' '.join([b'/private/a'] * 1000) + b')\r\n')
        assert client.finish('b').status == 'BAD'
        client.send(b'c SETMETADATA INBOX (/private/a "x" /private/b {%d+}\r\n' % (10 << 20))
        client.send(b'v' * (10 << 20) + b')\r\n')
        answer = client.finish('c')
        assert answer.status == 'NO' and 'METADATA MAXSIZE 65536' in answer.text, answer
        few = b' '.join(b'/private/%d ""' % number for number in range(101))
        client.send(b'd SETMETADATA INBOX (' + few + b')\r\n')
        answer = client.finish('d')
        assert answer.status == 'NO' and 'METADATA TOOMANY' in answer.text, answer
        client.send(b'e GETMETADATA (DEPTH infinity) INBOX /private\r\n')
        answer = client.finish('e')
        assert answer.status == 'OK' and not answer.all(rb'\* METADATA'), answer


@strict
def greedy_quota(server, account):
    """10,000 resources, limits of 64 bits and more, negative ones, unknown resources and roots: each is refused."""
    with client_of(server, account) as client:
        many = b' '.join(b'X-%d 1' % number for number in range(10_000))
        client.send(b'a SETQUOTA "" (' + many + b')\r\n')
        assert client.finish('a').status == 'BAD'
        for limit in (b'9223372036854775808', b'18446744073709551616', b'9' * 500, b'-1', b'+1', b'1.5', b'0x10', b'""', b'NIL'):
            client.send(b'b SETQUOTA "" (STORAGE ' + limit + b')\r\n')
            assert client.finish('b').status == 'BAD', limit
            client.send(b'c NOOP\r\n')       # bad commands in a row end the connection
            assert client.finish('c').status == 'OK'
        client.send(b'd SETQUOTA "" (FROGS 1)\r\n')
        assert client.finish('d').status == 'NO'
        for root in (b'""', b'nobody', b'{500+}\r\n' + b'r' * 500, b'"sip:nobody@example.com"', b'{3+}\r\n\xff\xfe\x80'):
            client.send(b'e GETQUOTA ' + root + b'\r\n')
            assert client.finish('e').status == 'NO', root
        client.send(b'f GETQUOTA {5000+}\r\n' + b'r' * 5000 + b'\r\n')
        assert client.finish('f').status in ('NO', 'BAD')


@strict
def greedy_urls(server, account):
    """10,000 URLs, a URL of 1 MB, and as many of a large message as one command may name to a client that reads none of it."""
    rump = f'imap://{account.user.replace("@", "%40")}@localhost/INBOX/;uid=1;urlauth=anonymous'
    url = f'"{rump}:INTERNAL:{"0" * 66}"'.encode()
    with client_of(server, account) as client:
        for command in (b'URLFETCH', b'GENURLAUTH'):
            one = url if command == b'URLFETCH' else b'"' + rump.encode() + b'" INTERNAL'
            client.send(b'a ' + command + b' ' + b' '.join([one] * 10_000) + b'\r\n')
            assert client.finish('a').status == 'BAD'
            client.send(b'b ' + command + b' ' + b' '.join([one] * 257) + b'\r\n')
            assert client.finish('b').status == 'BAD'
        client.send(b'c URLFETCH {1000000+}\r\n' + b'imap://' + b'x' * 999_993 + b'\r\n')
        assert client.finish('c').status in ('BAD', 'NO')
        client.send(b'd URLFETCH ' + b' '.join([url] * 256) + b'\r\n')
        answer = client.finish('d')
        assert answer.status == 'OK' and sum(line.count(b' NIL') for line in answer.untagged) == 256, answer.tagged
        client.ok('CREATE Large')
        assert client.append('Large', b'Subject: large\r\n\r\n' + b'x' * (256 << 10)).status == 'OK'
        who = account.user.replace('@', '%40')
        rump = f'imap://{who}@{socket.gethostname()}/Large/;uid=1;urlauth=user+{who}'
        made = client.ok(f'GENURLAUTH "{rump}" INTERNAL').all(rb'\* GENURLAUTH "([^"]+)"')[0].group(1)
        # One octet of a long part and its structure, as often as a command may: 6 GiB to decode, were they not remembered.
        encoded = base64.encodebytes(bytes(8 << 20)).replace(b'\n', b'\r\n')
        assert client.append('Large', b'Content-Transfer-Encoding: base64\r\n\r\n' + encoded).status == 'OK'
        rump = f'imap://{who}@{socket.gethostname()}/Large/;uid=2/;section=1/;partial=0.1;urlauth=user+{who}'
        one = client.ok(f'GENURLAUTH "{rump}" INTERNAL').all(rb'\* GENURLAUTH "([^"]+)"')[0].group(1)
        fetch = b' URLFETCH ' + b' '.join([b'("' + one + b'" BINARY BODYPARTSTRUCTURE)'] * 256) + b'\r\n'
        client.send(b'f' + fetch)
        answer = client.finish('f')
        assert answer.status == 'OK' and sum(line.count(b'BODYPARTSTRUCTURE') for line in answer.untagged) == 256
    before = server.memory()
    with client_of(server, account, receive_buffer=4096) as client, client_of(server, account) as other:
        client.send(b'e URLFETCH ' + b' '.join([b'"' + made + b'"'] * 200) + b'\r\n')
        assert client.line().startswith(b'* URLFETCH')
        other.ok('SELECT Large')  # 50 MiB wait in the store for who does not read
        grown = server.memory() - before
        # Far from the 50 MiB, and not too near to what the appends above may leave with the allocator.
        assert grown < 32 << 20 or server.options.slow_machine, f'{grown >> 20} MiB more'


@strict
def greedy_acl(server, account):
    """10,000 identifiers for one list, in a pipeline: it holds 128, the others are refused, and cost no memory."""
    bound, tries = 128, 10_000
    with client_of(server, account) as client:
        client.ok('CREATE Shared')
        before = server.memory()
        for start in range(0, tries, 500):      # as many as the buffers of both sides hold
            client.send(b''.join(b'n%d SETACL Shared friend%d@example.com lr\r\n' % (n, n) for n in range(start, start + 500)))
            for number in range(start, start + 500):
                answer = client.finish(f'n{number}')
                if number < bound:
                    assert answer.status == 'OK', answer
                else:
                    assert answer.status == 'NO' and answer.code('LIMIT') is not None, answer
        grown = server.memory() - before
        assert grown < 32 << 20 or server.options.slow_machine, f'{grown >> 20} MiB more'
        entries = client.ok('GETACL Shared').all(rb'\* ACL "?Shared"? (.*)\r\n')[0].group(1)
        assert entries.count(b' lr ') + entries.endswith(b' lr') == bound, entries[-200:]
        # What is there is still changed, and one that goes makes room for one.
        client.ok('SETACL Shared friend0@example.com lrs')
        client.ok('DELETEACL Shared friend1@example.com')
        client.ok('SETACL Shared friend9999@example.com lr')
        assert client.command('SETACL Shared friend9998@example.com lr').code('LIMIT') is not None
    with client_of(server, account) as client:
        client.ok('DELETE Shared')


@strict
def pipelined(server, account):
    with client_of(server, account) as client:
        client.command('CREATE pipelined')
        body = b'{%d+}\r\n%s' % (len(MAIL), MAIL)
        commands = [b'p1 SELECT pipelined', *[b'p%d APPEND pipelined %s' % (i, body) for i in range(2, 22)], b'p22 NOOP',
                    b'p23 STORE 1:* +FLAGS.SILENT (\\Deleted)', b'p24 EXPUNGE', b'p25 SEARCH ALL', b'p26 LOGOUT']
        client.send(b''.join(c + b'\r\n' for c in commands))
        answers = [client.finish(f'p{i}') for i in range(1, 27)]
        assert all(a.status == 'OK' for a in answers), answers
        assert len(answers[23].all(rb'\* \d+ EXPUNGE')) == 20, answers[23]
        assert answers[24].untagged in ([b'* SEARCH\r\n'], [b'* SEARCH \r\n']), answers[24]
        assert expect_end(client) == b''


def byte_by_byte(server, account):
    with client_of(server, account) as client:
        for octet in b'a1 STATUS "INBOX" (MESSAGES)\r\na2 CREATE {5}\r\n':
            client.send(bytes([octet]))
        assert client.finish('a1').status == 'OK'
        assert client.line().startswith(b'+')
        for octet in b'bytes\r\n':
            client.send(bytes([octet]))
        assert client.finish('a2').status == 'OK'
        client.ok('DELETE bytes')


@strict
def silent_before_login(server, account):
    with client_of(server) as client:
        expect_end(client)


@strict
def half_a_command(server, account):
    with client_of(server, account) as client:
        client.send(b'a NO')
        said = expect_end(client)
        assert b'BYE' in said, said


@strict
def slow_octets_do_not_extend_the_deadline(server, account):
    """A byte now and then must not keep a command alive: the deadline is from its first octet to its last."""
    with client_of(server, account) as client:
        client.socket.settimeout(0.5)
        started = time.monotonic()
        try:
            while time.monotonic() - started < PATIENCE:
                client.send(b'x')
                try:
                    client.receive()
                except TimeoutError:
                    pass  # half a second between two octets
        except wire.Closed:
            return
        raise AssertionError('the server is still listening to it')


@strict
def literal_that_never_comes(server, account):
    with client_of(server, account) as client:
        client.send(b'a APPEND INBOX {100}\r\n')
        assert client.line().startswith(b'+')
        client.send(b'part')
        expect_end(client)
    with client_of(server, account) as client:
        assert client.ok('STATUS INBOX (MESSAGES)').all(rb'\* STATUS "?INBOX"? \(MESSAGES 0\)'), 'half a message was stored'


@strict
def never_reading(server, account):
    """Asks for far more than the socket buffers hold and reads nothing: it must be dropped, and cost little meanwhile."""
    with client_of(server, account) as client:
        client.command('CREATE big')
        assert client.append('big', b'Subject: big\r\n\r\n' + b'x' * 998 + b'\r\n' + (b'y' * 98 + b'\r\n') * 100_000).status == 'OK'
    with client_of(server, account, receive_buffer=4096) as client:
        client.ok('SELECT big')
        before = server.memory()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.send(b''.join(b'f%d FETCH 1 (BODY.PEEK[])\r\n' % i for i in range(50)))
        # Not reading is the point, so the end is awaited with POLLHUP/POLLERR, which reading is not needed for.
        poller = select.poll()
        poller.register(client.socket, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        assert poller.poll(PATIENCE * 1000), f'still connected after {PATIENCE} s without reading'
        grown = server.memory() - before
        assert grown < 64 << 20 or server.options.slow_machine, f'it cost {grown >> 20} MiB'


def broken_messages(server, account):
    """Broken, deep and wide MIME is stored and fetched octet for octet, and has some body structure."""
    deep = b''.join(b'Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n' % (i, i) for i in range(200)) + b'\r\nend\r\n'
    parts = 2_000 if server.options.slow_machine or server.name != 'cmsd' else 100_000
    wide = b'Content-Type: multipart/mixed; boundary=b\r\n\r\n' + b'--b\r\n\r\nx\r\n' * parts + b'--b--\r\n'
    messages = [deep, wide, b'', b'\r\n', b'no header at all', b': \r\n\r\n', b'Content-Type: ;;;;\r\n\r\n', b'From: ' + b'<' * 10_000 + b'\r\n\r\n',
                b'Content-Type: multipart/mixed\r\n\r\n--\r\n', b'Subject: \xff\xfe\r\n\r\n\x80\r\n', b'A:' + b'a' * 300_000 + b'\r\n\r\n',
                b'Content-Type: message/rfc822\r\n\r\n' * 200 + b'\r\n', b'\r\n\r\n\r\n--\r\n', b'To: ' + b'a@b,' * 5000 + b'\r\n\r\nx']
    with client_of(server, account) as client:
        client.command('CREATE broken')
        number = 0
        for octets in messages:
            answer = client.append('broken', octets)
            if answer.status != 'OK':
                assert octets == b'', (octets[:80], answer)   # an empty message may be refused
                continue
            number += 1
            client.ok('SELECT broken')
            row = wire.fetched(client.ok(f'FETCH {number} (RFC822.SIZE BODY.PEEK[])'))[number]
            if server.name == 'cmsd':
                assert b'RFC822.SIZE %d ' % len(octets) in row, row[:200]
                assert wire.literal(row) == octets, (octets[:80], row[:200])
            for item in ('BODYSTRUCTURE', 'BODY', 'ENVELOPE', 'BODY.PEEK[1]', 'BODY.PEEK[1.1.1.1.1]', 'BODY.PEEK[HEADER]'):
                client.ok(f'FETCH {number} ({item})')
            client.ok('SEARCH TEXT zzz')


def squeeze(packer, octets):
    return packer.compress(octets) + packer.flush(zlib.Z_SYNC_FLUSH)


@strict
def compression_bombs(server, account):
    """RFC 4978: a few octets that stand for very many."""
    before = server.memory()
    for octets, said in ((b'a' * (256 << 20), b'BYE'),                  # one line without an end
                         (b'a APPEND INBOX {999999999999}\r\n', b'NO '),  # of what would be a literal
                         (b'a NOOP\r\n' * 200_000, b'OK')):            # many answers to few octets
        with client_of(server, account) as client:
            client.ok('COMPRESS DEFLATE')
            packer, unpacker = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)
            bomb = squeeze(packer, octets + b'z LOGOUT\r\n')
            sender = threading.Thread(target=lambda c=client, b=bomb: send_all(c, b), daemon=True)
            sender.start()
            answer = unpacker.decompress(expect_end(client))
            assert said in answer, answer[-200:]
            sender.join(PATIENCE)
            assert not sender.is_alive()
    if not server.options.slow_machine:
        grown = server.memory() - before
        assert grown < 64 << 20, f'{grown >> 20} MiB more than before'


def send_all(client, octets):
    try:
        client.send(octets)
    except wire.Closed:
        pass  # what ends the connection was said before this


@strict
def greedy_resynchronisation(server, account):
    """QRESYNC and NOTIFY with more than anyone means (RFC 7162, RFC 5465)."""
    with client_of(server, account) as client:
        client.ok('CREATE Resync')
        client.append('Resync', MAIL)
        client.ok('ENABLE QRESYNC')
        text = b''.join(client.ok('SELECT Resync').untagged)
        uidvalidity = int(re.search(rb'UIDVALIDITY (\d+)', text).group(1))
        some = ','.join(str(uid) for uid in range(1, 4000, 2))
        answer = client.ok(f'SELECT Resync (QRESYNC ({uidvalidity} 1 {some}))')
        assert answer.code('READ-WRITE') is not None, answer
        for modseq in (2 ** 63 - 1, 1):
            client.ok(f'SELECT Resync (QRESYNC ({uidvalidity} {modseq} 1:4294967295))')
        many = ','.join(str(uid) for uid in range(1, 2_000_000, 2))
        answer = client.command(f'SELECT Resync (QRESYNC ({uidvalidity} 1 {many}))')
        assert answer.status == 'BAD', answer.tagged
        client.ok('NOOP')
        names = ' '.join(f'folder{i}' for i in range(10_000))
        answer = client.command(f'NOTIFY SET (mailboxes ({names}) (MessageNew MessageExpunge))')
        assert answer.status in ('BAD', 'NO'), answer.tagged
        client.ok('NOOP')


CASES = [
    ('malformed commands get BAD and the next one works', malformed),
    ('each octet in a command is answered', every_octet_in_a_command),
    ('BAD says what was expected', bad_says_what_and_where),
    ('too many bad commands end with BYE', too_many_bad_commands),
    ('lines over the limit', long_lines),
    ('a long literal before login is refused', long_literal_before_login),
    ('an APPEND over the limit is refused before it is sent', large_append_is_refused_before_it_is_sent),
    ('METADATA without measure', greedy_metadata), ('greedy and impossible quotas', greedy_quota),
    ('URLFETCH and GENURLAUTH without measure', greedy_urls),
    ('10,000 identifiers on one mailbox', greedy_acl),
    ('octets that grow when they are unpacked', compression_bombs),
    ('QRESYNC and NOTIFY without measure', greedy_resynchronisation),
    ('pipelined commands', pipelined),
    ('a command octet by octet', byte_by_byte),
    ('silence before login ends by a deadline', silent_before_login),
    ('half a command ends by a deadline', half_a_command),
    ('slow octets do not extend the deadline', slow_octets_do_not_extend_the_deadline),
    ('a literal that never comes ends by a deadline and stores nothing', literal_that_never_comes),
    ('a client that never reads is dropped', never_reading),
    ('broken, deep and wide messages come back octet for octet', broken_messages),
]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES, limits=LIMITS))
