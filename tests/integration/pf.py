"""A Participating Function in a few lines: what a network element says to the reference service, over TLS with its
client certificate, and what it says over IMAP."""

import http.client
import io
import json
import os
import ssl
import subprocess
import urllib.parse

import imap_wire as wire


#: (method, path, status, names of header fields) of all answers so far.
SEEN = set()


class Reply:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def code(self):
        return self.json()['error']['code']


class Caller:
    """Whoever calls the reference service. `certificate`: (file, key file); `token`: a bearer token."""

    def __init__(self, server, certificate=None, token=None):
        self.server, self.token, self.certificate = server, token, certificate
        # It checks the server as the server checks it.
        self.context = ssl.create_default_context(cafile=os.path.join(server.directory, 'cert.pem'))
        if certificate:
            self.context.load_cert_chain(*certificate)

    def connect(self, address=None):
        """`address`: of ours, from which it is."""
        return http.client.HTTPSConnection(self.server.host, self.server.references_port, context=self.context, timeout=60,
                                           source_address=(address, 0) if address else None)

    def ask(self, method, target, body=None, headers=None, connection=None):
        fields = dict(headers or {})
        if self.token:
            fields['Authorization'] = f'Bearer {self.token}'
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        reply = self.exchange(method, target, body, fields, connection)
        SEEN.add((method, urllib.parse.urlsplit(target).path, reply.status, frozenset(reply.headers.keys())))
        return reply

    def exchange(self, method, target, body, fields, connection):
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request(method, target, body=body, headers=fields)
            return Reply(connection.getresponse())
        finally:
            if own:
                connection.close()

    def refer(self, *references, **terms):
        reply = self.ask('POST', '/v1/references', {'references': list(references), **terms})
        assert reply.status == 201, (reply.status, reply.body)
        return reply.json()['references']

    def fetch(self, url, method='GET', query='', **headers):
        """What an https:// URL leads to."""
        return self.ask(method, urllib.parse.urlsplit(url).path + query,
                        headers={name.replace('_', '-'): value for name, value in headers.items()})

    def originate(self, sender, message, kind='message/rfc822'):
        """B.3.1.3, steps 3 to 5: the sender's message with the data in place of its references."""
        return self.ask('POST', '/v1/messages/resolve?account=' + urllib.parse.quote(sender), message,
                        {'Content-Type': kind})


class KeyCaller(Caller):
    """Whoever proves who it is by a pre-shared key of TLS, of which Python knows nothing: openssl carries it."""

    def __init__(self, server, identity, key, *more, token=None):
        super().__init__(server, token=token)
        self.handshake = ['-psk_identity', identity, '-psk', key, *(more or ('-tls1_3',))]

    def exchange(self, method, target, body, fields, connection):
        octets = body.encode() if isinstance(body, str) else body or b''
        fields = {'Host': 'x', 'Connection': 'close', 'Content-Length': str(len(octets)), **fields}
        head = ''.join([f'{method} {target} HTTP/1.1\r\n', *(f'{name}: {value}\r\n' for name, value in fields.items()), '\r\n'])
        done = subprocess.run(['openssl', 's_client', '-quiet', '-ign_eof', '-connect', f'{self.server.host}:{self.server.references_port}',
                               *self.handshake], input=head.encode() + octets, capture_output=True, timeout=60)
        if not done.stdout:
            raise ConnectionError(done.stderr.decode(errors='replace'))
        stream = io.BytesIO(done.stdout)
        stream.makefile = lambda *_: stream
        response = http.client.HTTPResponse(stream, method=method)
        response.begin()
        return Reply(response)


class Pf(Caller):
    """One that acts for users."""

    def __init__(self, server, certificate, address, password):
        super().__init__(server, certificate)
        self.address, self.password = address, password

    def terminate(self, recipient, folder, message, **terms):
        """B.3.1.4, steps 2 to 4: stored for the recipient, and what is routed on."""
        query = urllib.parse.urlencode({'account': recipient, 'folder': folder, **terms})
        return self.ask('POST', '/v1/messages/externalize?' + query, message, {'Content-Type': 'message/rfc822'})

    def urlfetch(self, user, url, how=''):
        """Over IMAP, logged in for the user: the octets, or None for NIL."""
        with wire.Client(self.server.host, self.server.tls_port, tls=True) as client:
            client.login_for(user, self.address, self.password)
            return urlfetch(client, url, how)


def urlfetch(client, url, how=''):
    answer = client.ok(f'URLFETCH ("{url}" {how})' if how else f'URLFETCH "{url}"')
    line = answer.all(rb'\* URLFETCH ')[0].string
    return wire.literal(line)
