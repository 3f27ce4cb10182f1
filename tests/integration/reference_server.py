"""What the tests of the reference service share: a server with its PF, its users and their photos."""

import base64
import email
import email.policy
import hashlib
import os
import re
import ssl
import time

import authority
import cmsd_fixture as fixture
import imap_wire as wire
from pf import SEEN, Caller, Pf

PF = 'sip:pf@example.com'
PF_PASSWORD = 'pf-password'
SUBMIT = 'sip:submit@example.com'

PHOTO = bytes(range(256)) * 400
CHAT = '"Default/tel:+15550100222"'
FOLDER = 'Default/tel:+15550100222'
NOTHING = b'{"error":{"code":"not_found","message":"There is nothing to be had here"}}\n'


def with_photo(photo=PHOTO, name='photo.jpg', kind='image/jpeg', text='Look at this.'):
    lines = base64.encodebytes(photo).replace(b'\n', b'\r\n')
    return (f'From: tel:+15550100222\r\nTo: tel:+15550100001\r\nDate: Wed, 02 Mar 2016 10:20:00 +0100\r\n'
            f'Subject: Photo\r\nIMDN-Message-ID: {hashlib.sha256(lines + name.encode()).hexdigest()[:12]}\r\n'
            f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="p7"\r\n\r\n'
            f'--p7\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n'
            f'--p7\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <photo@example.net>\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n').encode() + lines + b'--p7--\r\n'


def store(server, account, message=None, folder=CHAT):
    """Client A's message in its store; the UID."""
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.command(f'CREATE {folder}')
        answer = client.append(folder, message or with_photo())
        return int(answer.code('APPENDUID').split()[1])


def expunge(server, account, uid, folder=CHAT):
    with wire.Client(server.host, server.port) as client:
        client.login(account.user, account.password)
        client.ok(f'SELECT {folder}')
        client.ok(f'UID STORE {uid} +FLAGS.SILENT (\\Deleted)')
        client.ok(f'UID EXPUNGE {uid}')


def referring(snippets, extra=''):
    """A message that client A sends, with references."""
    parts = ''.join(f'--x1\r\n{one}\r\n' for one in snippets)
    return (f'From: tel:+15550100001\r\nTo: tel:+15550100333\r\nContent-Type: multipart/mixed; boundary="x1"\r\n{extra}\r\n'
            f'--x1\r\nContent-Type: text/plain\r\n\r\nForwarded.\r\n{parts}--x1--\r\n').encode()


def parse(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)


def nothing_here(reply):
    assert reply.status == 404, (reply.status, reply.body)
    assert reply.body == NOTHING, reply.body
    assert 'ETag' not in reply.headers and 'Content-Disposition' not in reply.headers, reply.headers


def until(condition, what):
    """Asks until it is so: each time is a request, and its answer is what there is to wait for."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f'still not so: {what}'


def over(server, issuer, asked, fetch, **terms):
    """A reference that was good and whose time has come. On a busy machine seconds pass between two requests, and it may be
    over before it was seen: then the next one is given more time."""
    lifetime = 2
    while True:
        expires = server.now() + lifetime
        reply = issuer.ask('POST', '/v1/references', {'references': [asked], 'expires': expires, **terms})
        if reply.status == 201:
            [one] = reply.json()['references']
            if fetch(one).status == 200:
                break
        assert server.now() >= expires, (reply.status, reply.body, 'before its time')
        lifetime *= 2
        assert lifetime < 120, 'what is issued is over at once'
    until(lambda: fetch(one).status != 200, 'its time comes')
    assert server.now() >= expires, 'it was over before its time'
    return one


def context_of(certificate=None):
    """TLS of one who takes whatever certificate the server has. `certificate`: (file, key file)."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(*certificate)
    return context


#: Header fields that any answer may have.
COMMON = {'Server', 'Content-Type', 'Content-Length', 'Connection'}


def description():
    """By (path, verb): by status the names of the header fields described for it, and of these the ones that are always
    there. By its indentation: no more of YAML is needed."""
    responses, headers, operations, path, verb, status, component, section = {}, {}, {}, None, None, None, None, None
    with open(os.path.join(fixture.ROOT, 'server/http/openapi.yaml'), encoding='utf-8') as lines:
        for line in lines:
            if found := re.match('  (/[^ ]*):$', line):
                path = re.compile(re.sub('{[^}]*}', '[^/]+', found.group(1)))
            elif found := re.match('    (get|head|post|delete):$', line):
                verb = found.group(1).upper()
            elif found := re.match("        '([0-9]{3})': *(?:{ [$]ref: '#/components/responses/([A-Za-z]+)')?", line):
                status = operations.setdefault((path, verb), {}).setdefault(int(found.group(1)), found.group(2) or {})
            elif found := re.match('            ([A-Z][A-Za-z-]+):', line):
                status[found.group(1)] = line
            elif found := re.match('  ([a-z][A-Za-z]+):$', line):
                section = found.group(1)
            elif section == 'responses' and (found := re.match('    ([A-Za-z]+):$', line)):
                component = responses.setdefault(found.group(1), {})
            elif section == 'responses' and (found := re.match('        ([A-Z][A-Za-z-]+):', line)):
                component[found.group(1)] = line
            elif section == 'headers' and (found := re.match('    ([A-Za-z-]+):', line)):
                component = found.group(1)
                headers[component] = 'required: true' in line
            elif section == 'headers' and 'required: true' in line:
                headers[component] = True

    def fields(of):
        of = responses[of] if isinstance(of, str) else of
        always = {name for name, line in of.items() if 'required: true' in line or ('$ref' in line and headers[name])}
        return set(of), always
    return {operation: {status: fields(of) for status, of in statuses.items()} for operation, statuses in operations.items()}


def answers_are_described(_server, _account):
    """Each status that came is in the description of its route, with the header fields that it had. Where no route is described
    there is nothing, and what is done to one in no described way is told so."""
    described = description()
    if not SEEN:
        raise fixture.Skip('nothing was asked')
    for method, target, status, names in SEEN:
        routes = {verb: known for (path, verb), known in described.items() if path.fullmatch(target)}
        what = f'{method} {target}: {status}'
        if method in routes:
            assert status in routes[method], what
            may, must = routes[method][status]
        else:
            assert status == (405 if routes else 404), f'{what}, where nothing is described'
            may = must = {'Allow'} if routes else set()
        assert names <= may | COMMON and must <= names, (what, sorted(names), sorted(may), sorted(must))


def described_queries():
    """By (path, verb): the names that the query may have."""
    out, path, verb, name = {}, None, None, None
    with open(os.path.join(fixture.ROOT, 'server/http/openapi.yaml'), encoding='utf-8') as lines:
        for line in lines:
            if line == 'components:\n':
                return out
            if found := re.match('  (/[^ ]*):$', line):
                path = found.group(1)
            elif found := re.match('    (get|head|put|post|delete|patch):$', line):
                verb = found.group(1).upper()
                out[path, verb] = set()
            elif found := re.match('        - (?:{ )?name: ([A-Za-z_-]+)', line):
                name = found.group(1)
            if re.search('\\bin: query\\b', line):
                out[path, verb].add(name)


def configuration(folder):
    ours = authority.Authority.make(os.path.join(folder, 'ours'))
    jwks = authority.make_token_key(folder)
    configuration.port = fixture.free_ports(1)[0]
    return {'tls': {'client_ca': ours.ca, 'client_crl': ours.crl, 'psk': True}, 'pf': {'act_for': ['tel:+1555*']},
            'oauth': {'jwks': jwks, 'issuer': 'https://issuer.example', 'audience': 'imap'},
            'audit': {'file': os.path.join(folder, 'audit.jsonl')},
            'references': {'message_mib': 1, 'resolve_mib': 3},
            'references.listen': [{'address': '127.0.0.1', 'port': configuration.port, 'tls': 'implicit'}]}


def prepared(cases):
    """(name, function of server and account) with what the server needs once, as fixture.run_cases takes them."""
    def with_callers(function):
        def case(server, account):
            if not hasattr(server, 'pf'):
                server.now = lambda: int(time.time())
                server.references_port = configuration.port
                server.authority = authority.Authority(os.path.join(server.directory, 'ours'))
                server.add_pf(PF, PF_PASSWORD)
                server.run_admin('account', 'add', SUBMIT, '--role', 'submit', '--password-stdin', stdin='x\n')
                server.token = lambda address: server.run_admin(
                    'token', os.path.join(server.directory, 'token.pem'), address).stdout.strip()
                server.caller = lambda address: Caller(server, token=server.token(address))
                server.pf = Pf(server, server.authority.issue('pf', [PF]), PF, PF_PASSWORD)
                server.user = server.caller(account.address)
                server.submit = server.caller(SUBMIT)
                server.key = lambda identity, address: server.run_admin('psk', 'add', identity, address).stdout.strip()
            function(server, account)
        return case
    return [(name, with_callers(function)) for name, function in cases]
