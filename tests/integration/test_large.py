#!/usr/bin/env python3
"""Large messages stream: 16 appends of 100 MiB at once, then 16 slow readers of them, keep the server's memory small.

Memory is the proportional set size of the server, looked at all the while; the limit is 300 MiB above idle.
"""

import hashlib
import re
import sys
import threading

import cmsd_fixture as fixture
import imap_wire as wire

CLIENTS = 16
ALLOWED = 300 << 20
BLOCK = bytes(range(32, 127)) * 10 + b'\r\n'


class Watch:
    """The largest memory of the server between entering and leaving."""

    def __init__(self, server):
        self.server, self.peak, self.stop = server, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while True:
            self.peak = max(self.peak, self.server.memory())
            if self.stop.wait(0.05):
                return

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


def blocks(size, number):
    """A message of exactly `size` octets, in pieces, different for each number."""
    head = f'Subject: large {number}\r\nContent-Type: application/octet-stream\r\n\r\n'.encode()
    yield head
    left, piece = size - len(head), BLOCK * 64
    while left > 0:
        yield piece[:left] if left > 2 else b'\r\n'[:left]
        left -= min(left, len(piece))


def in_parallel(function, count):
    """function(0) to function(count - 1) on own threads; the first error is raised here."""
    errors = []

    def guarded(number):
        try:
            function(number)
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def size_of(server):
    return (10 << 20) if server.options.slow_machine else (100 << 20)


def open_all(server, people):
    """One logged-in connection for each client, spread over the accounts."""
    return [wire.Client(server.host, server.port, timeout=600, receive_buffer=65536).login(a.user, a.password)
            for a in (people * CLIENTS)[:CLIENTS]]


def appends(server, *people):
    size, clients = size_of(server), open_all(server, people)
    for number, account in enumerate(people):
        clients[number].ok('CREATE large')

    def append(number):
        client = clients[number]
        client.send(f'a APPEND large {{{size}}}\r\n'.encode())
        assert client.line().startswith(b'+')
        for piece in blocks(size, number):
            client.send(piece)
        client.send(b'\r\n')
        answer = client.finish('a')
        assert answer.status == 'OK', answer
    idle = server.memory()
    with Watch(server) as watch:
        in_parallel(append, CLIENTS)
    for client in clients:
        client.close()
    server.idle = idle
    report(server, 'appending', watch.peak - idle)


def catenations(server, *people):
    """Messages made of one that is stored and a literal, whose octets are nowhere held together."""
    size, clients = size_of(server), open_all(server, people)[:len(people)]
    for client in clients:
        client.ok('CREATE made')
    idle = server.memory()
    with Watch(server) as watch:
        in_parallel(lambda n: clients[n].ok('APPEND made CATENATE (URL "/large/;UID=1" TEXT {4+}\r\ntail)'), len(clients))
    for client in clients:
        assert client.ok('STATUS made (SIZE)').all(rb'\* STATUS made \(SIZE %d\)' % (size + 4))
        client.close()
    report(server, 'catenating', watch.peak - idle, len(people))


def slow_fetches(server, *people):
    """All readers take a little and stop; only when each has are the rest read and compared."""
    size, clients = size_of(server), open_all(server, people)
    expected = {}
    for number in range(CLIENTS):
        digest = hashlib.sha256()
        for piece in blocks(size, number):
            digest.update(piece)
        expected[digest.hexdigest()] = number
    all_started = threading.Barrier(CLIENTS)
    seen, lock = [], threading.Lock()

    def fetch(number):
        client = clients[number]
        client.ok('SELECT large')
        # The messages of an account are in any order; each client takes another one.
        client.send(b'a FETCH %d (BODY.PEEK[])\r\n' % (number // len(people) + 1))
        head = bytearray()
        while not re.search(rb'\{\d+\}\r\n', head):
            head += client.receive()
        found = re.search(rb'\{(\d+)\}\r\n', head)
        assert int(found.group(1)) == size, found.group()
        digest, left = hashlib.sha256(head[found.end():]), size - (len(head) - found.end())
        while left > size - (1 << 20):
            octets = client.receive()[:left]
            digest.update(octets)
            left -= len(octets)
        all_started.wait(120)     # nobody reads on before everybody's transfer is under way
        while left > 0:
            octets = client.receive()
            if len(octets) > left:
                client.buffer += octets[left:]
                octets = octets[:left]
            digest.update(octets)
            left -= len(octets)
        assert client.finish('a').status == 'OK'
        with lock:
            seen.append(expected[digest.hexdigest()])
    idle = getattr(server, 'idle', None) or server.memory()
    with Watch(server) as watch:
        in_parallel(fetch, CLIENTS)
    assert sorted(seen) == list(range(CLIENTS)), f'other messages came back: {sorted(seen)}'
    for client in clients:
        client.close()
    report(server, 'fetching', watch.peak - idle)


def report(server, doing, grown, clients=CLIENTS):
    print(f'# {doing} {clients} x {size_of(server) >> 20} MiB: {grown / (1 << 20):.0f} MiB above idle', flush=True)
    assert grown < ALLOWED or server.options.slow_machine, f'{grown >> 20} MiB above idle while {doing}'


def partials(server, *people):
    with wire.Client(server.host, server.port, timeout=600).login(people[0].user, people[0].password) as client:
        client.ok('SELECT large')
        size = size_of(server)
        for start in (0, 262_140, size // 2, size - 10, size, size + 1000):
            octets = wire.literal(wire.fetched(client.ok(f'FETCH 1 (BODY.PEEK[]<{start}.20>)'))[1])
            whole = b''.join(blocks(size, 0))
            # Which of the account's messages is the first is not known, but they differ in the head only.
            assert len(octets) == max(0, min(20, size - start)), (start, octets)
            if start > 1000 and start < size - 1000:
                assert octets == whole[start:start + 20] or octets in whole[start - 2:start + 22], (start, octets)


def expunged_while_fetched(server, *people):
    """Whoever has begun to receive a message receives all of it."""
    with wire.Client(server.host, server.port, timeout=600).login(people[0].user, people[0].password) as reader, \
            wire.Client(server.host, server.port, timeout=600).login(people[0].user, people[0].password) as other:
        size = size_of(server)
        reader.ok('SELECT large')
        reader.send(b'a FETCH 1 (BODY.PEEK[])\r\n')
        head = bytearray()
        while not (found := re.search(rb'\{(\d+)\}\r\n', head)):
            head += reader.receive()
        got = len(head) - found.end()
        other.ok('SELECT large')
        other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
        other.ok('EXPUNGE')
        while got < size:
            octets = reader.receive()
            got += len(octets)
            if got > size:
                reader.buffer += octets[len(octets) - (got - size):]
        assert reader.finish('a').status == 'OK'
        assert reader.ok('NOOP').all(rb'\* 1 EXPUNGE')


CASES = [
    ('16 appends of 100 MiB at once', appends),
    ('CATENATE of 100 MiB, four at once', catenations),
    ('16 slow fetches of 100 MiB at once', slow_fetches),
    ('partial fetches of 100 MiB', partials),
    ('a message that is expunged while it is fetched', expunged_while_fetched),
]

if __name__ == '__main__':
    sys.exit(fixture.run_cases(fixture.parser(__doc__).parse_args(), CASES, accounts=4))
