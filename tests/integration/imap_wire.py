"""A small IMAP client for tests: it sends exactly what it is told and keeps every octet of the answer.

imaplib hides what these tests are about (pipelining, odd octets, literals, what came before the tagged line).
"""

import base64
import re
import socket
import ssl

LITERAL = re.compile(rb'\{(\d+)\}\r\n$')


class Closed(Exception):
    """The server ended the connection, or it broke."""


class Answer:
    """The tagged line of a command and the untagged ones before it, each with its literals in place."""

    def __init__(self, tagged, untagged):
        self.tagged, self.untagged = tagged, untagged
        self.status = tagged.split(b' ', 2)[1].decode()
        self.text = tagged.split(b' ', 2)[2].decode(errors='replace').strip() if tagged.count(b' ') > 1 else ''

    def code(self, name):
        """The arguments of [NAME ...] in the tagged line, or None."""
        found = re.search(rf'\[{name}(?: ([^\]]*))?\]', self.text)
        return (found.group(1) or '') if found else None

    def all(self, pattern):
        """The matches of a pattern among the untagged lines."""
        return [m for m in (re.match(pattern, line, re.DOTALL) for line in self.untagged) if m]

    def __repr__(self):
        return f'{self.untagged!r} {self.tagged!r}'


class Client:
    """One connection. `tls`: wrap the socket at once, in this SSL context if it is one. `receive_buffer`: SO_RCVBUF, for slow readers. `source`: an
    address of this machine's to come from."""

    def __init__(self, host, port, tls=False, timeout=60, receive_buffer=None, source=None):
        self.socket = socket.socket()
        if source:
            self.socket.bind((source, 0))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.number, self.buffer = host, 0, bytearray()
        try:
            self.socket.connect((host, port))
            if tls:
                self.start_tls(tls if isinstance(tls, ssl.SSLContext) else None)
            self.greeting = self.line()
        except OSError as error:
            raise Closed(str(error)) from error

    def start_tls(self, context=None):
        if context is None:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket, server_hostname=self.host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise Closed(str(error)) from error

    def receive(self):
        """What has arrived, at least one octet."""
        if self.buffer:
            octets, self.buffer = bytes(self.buffer), bytearray()
            return octets
        try:
            octets = self.socket.recv(1 << 18)
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(str(error)) from error
        if not octets:
            raise Closed('end of stream')
        return octets

    def _need(self, size):
        while len(self.buffer) < size:
            more = self.socket_receive()
            self.buffer += more

    def socket_receive(self):
        try:
            octets = self.socket.recv(1 << 18)
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed(str(error)) from error
        if not octets:
            raise Closed('end of stream')
        return octets

    def line(self):
        """One response with its literals, CRLF at the end."""
        whole, start = bytearray(), 0
        while True:
            end = self.buffer.find(b'\n', start)
            if end < 0:
                start = len(self.buffer)
                self.buffer += self.socket_receive()
                continue
            whole += self.buffer[:end + 1]
            del self.buffer[:end + 1]
            start = 0
            literal = LITERAL.search(whole[-32:])
            if not literal:
                return bytes(whole)
            size = int(literal.group(1))
            self._need(size)
            whole += self.buffer[:size]
            del self.buffer[:size]

    def tag(self):
        self.number += 1
        return f't{self.number}'

    def start(self, command):
        """Sends a command without waiting; returns its tag."""
        tag = self.tag()
        self.send(f'{tag} '.encode() + (command if isinstance(command, bytes) else command.encode()) + b'\r\n')
        return tag

    def finish(self, tag):
        """Reads to the tagged line of `tag`."""
        untagged, prefix = [], tag.encode() + b' '
        while True:
            try:
                line = self.line()
            except Closed as error:
                raise Closed(f'{error}, after {untagged[-1:]}') from error
            if line.startswith(prefix):
                return Answer(line, untagged)
            untagged.append(line)

    def command(self, command):
        return self.finish(self.start(command))

    def ok(self, command):
        """A command that must succeed."""
        answer = self.command(command)
        if answer.status != 'OK':
            raise AssertionError(f'{command!r}: {answer.tagged!r}')
        return answer

    def append(self, mailbox, octets, flags='', date=''):
        """APPEND with a synchronising literal."""
        head = f'APPEND {mailbox} {flags + " " if flags else ""}{date + " " if date else ""}{{{len(octets)}}}'
        tag = self.start(head)
        line = self.line()
        if not line.startswith(b'+'):
            if line.startswith(tag.encode() + b' '):
                return Answer(line, [])
            raise AssertionError(f'{head}: {line!r}')
        self.send(octets + b'\r\n')
        return self.finish(tag)

    def login(self, user, password):
        quoted = password.replace('\\', '\\\\').replace('"', '\\"')
        self.ok(f'LOGIN "{user}" "{quoted}"')
        return self

    def login_for(self, user, pf, password):
        """As a Participating Function that acts for the user (RFC 4616 authzid)."""
        octets = '\0'.join((user, pf, password)).encode()
        self.ok(f'AUTHENTICATE PLAIN {base64.b64encode(octets).decode()}')
        return self

    def capabilities(self):
        answer = self.ok('CAPABILITY')
        return set(answer.all(rb'\* CAPABILITY (.*)\r\n')[0].group(1).decode().upper().split())


def fetched(answer):
    """{sequence number: octets of the FETCH item list} of an answer."""
    return {int(m.group(1)): m.group(2) for m in answer.all(rb'\* (\d+) FETCH \((.*)\)\r\n$')}


def literal(octets):
    """The first literal in a FETCH item list, or the quoted string there."""
    found = re.search(rb'\{(\d+)\}\r\n', octets)
    if found:
        return octets[found.end():found.end() + int(found.group(1))]
    quoted = re.search(rb'\](?:<\d+>)? "((?:[^"\\]|\\.)*)"', octets)
    return re.sub(rb'\\(.)', rb'\1', quoted.group(1)) if quoted else None
