#!/usr/bin/env python3
"""cms-admin's conversations: the demo store as list, threads, pages and JSON; hostile text in every field.

What is printed is compared with tests/data/conversation/*.txt (--update writes them anew: read the difference). The
pages are opened in headless Chromium: no script of a message runs, nothing is fetched. Screenshots are kept in
BUILD/artefacts.
"""

import difflib
import fcntl
import json
import os
import pty
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import urllib.parse

import cmsd_fixture as fixture
import operator_api

GOLDEN = os.path.join(fixture.ROOT, 'tests', 'data', 'conversation')
GROUP = 'Default/3fae0f14-43d5-4ffb-88f7-02393fd08dfb'
SHOWN = {'one_to_one': '+15550100222', 'greek': '+15550100444', 'arabic': 'tel:+15550100555',
         'hindi': 'Default/tel:+15550100666', 'japanese': '+15550100777', 'group': GROUP}


def load(server, _):
    """Into an account with the demo owner's address."""
    account = server.demo = server.add_account(111)
    password = os.path.join(server.directory, 'password')
    with open(password, 'w', encoding='ascii') as out:
        out.write(account.password + '\n')
    subprocess.run([sys.executable, os.path.join(fixture.ROOT, 'tools', 'load_demo.py'), '--port', str(server.port),
                    '--user', account.user, '--password-file', password], check=True, stderr=subprocess.DEVNULL)


def golden(server, name, text):
    path = os.path.join(GOLDEN, name + '.txt')
    if server.options.update:
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
    with open(path, encoding='utf-8') as known:
        expected = known.read()
    assert text == expected, '\n'.join(['differs from ' + path, *difflib.unified_diff(
        expected.splitlines(), text.splitlines(), 'expected', 'printed', lineterm='')])


def refused(server, status, *arguments):
    done = server.run_admin(*arguments, check=False)
    assert done.returncode == status and done.stderr, f'exit {done.returncode}: {done.stdout}{done.stderr}'
    return done.stderr


def listed(server, _):
    account = server.demo
    golden(server, 'list', server.run_admin('conversation', 'list', account.user).stdout)
    rows = json.loads(server.run_admin('--json', 'conversation', 'list', account.user).stdout)
    group = next(row for row in rows if row['folder'] == GROUP)
    assert group['kind'] == 'group' and len(group['sessions']) == 2, group
    refused(server, 1, 'conversation', 'list', '+19990000000')


def shown(server, _):
    account = server.demo
    for name, folder in SHOWN.items():
        golden(server, name, server.run_admin('conversation', 'show', account.user, folder).stdout)
    by_subject = server.run_admin('conversation', 'show', account.user, 'Saturday trip, again').stdout
    assert by_subject == server.run_admin('conversation', 'show', account.user, GROUP).stdout
    answer = json.loads(server.run_admin('conversation', 'show', account.user, '+15550100222', '--json').stdout)
    states = {one['uid']: one.get('state') for one in answer['objects']}
    assert states[6] == 'read' and states[2] == 'received', states
    refused(server, 1, 'conversation', 'show', account.user, '+15550109999')
    refused(server, 2, 'conversation', 'show', account.user)


def on_a_terminal(server, columns, *arguments):
    """What cms-admin writes to a terminal of that width."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    process = subprocess.Popen([server.admin, '--config', server.config, *arguments], stdin=slave, stdout=slave,
                               stderr=slave, env=dict(os.environ, TERM='xterm-256color'))
    os.close(slave)
    written = b''
    try:
        while piece := os.read(master, 65536):
            written += piece
    except OSError:
        pass  # Linux ends a terminal that nobody holds any more with EIO
    os.close(master)
    assert process.wait(60) == 0, written
    return written.decode()


def terminals(server, _):
    account = server.demo
    for columns in (60, 80, 200):
        text = on_a_terminal(server, columns, 'conversation', 'show', account.user, '+15550100222')
        assert '\x1b[' in text, 'no colour on a terminal'
        plain = re.sub('\x1b\\[[0-9;]*m', '', text)
        assert '\x1b' not in plain
        assert max(map(len, plain.splitlines())) <= min(columns, 120), plain
    assert '\x1b' not in server.run_admin('conversation', 'show', account.user, '+15550100222').stdout
    os.environ['NO_COLOR'] = '1'
    try:
        assert '\x1b' not in on_a_terminal(server, 80, 'conversation', 'list', account.user)
    finally:
        del os.environ['NO_COLOR']


def chromium(page, *arguments):
    program = shutil.which('chromium')
    if program is None:
        raise fixture.Skip('there is no chromium')
    with tempfile.TemporaryDirectory(prefix='cmsd-chromium-') as profile:
        done = subprocess.run(
            [program, '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
             '--disable-dev-shm-usage',  # 64 MiB in a container
             '--disable-background-networking', '--disable-component-update', '--disable-sync',
             f'--user-data-dir={profile}', '--hide-scrollbars', *arguments, 'file://' + page],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Listener:
    """Counts who connects: the address that hostile pages point to."""

    def __init__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        try:
            while True:
                self.socket.accept()[0].close()
                self.connections += 1
        except OSError:
            pass  # closed

    def close(self):
        self.socket.close()


def check_dom(dom):
    """Nothing ran, nothing points out of the page."""
    assert '</main>' in dom and 'Content-Security-Policy' in dom, dom[:2000]
    assert '<title>owned</title>' not in dom, 'a script of a message ran'
    tags = re.findall(r'<[a-zA-Z][^>]*>', dom)
    assert not any('id="owned"' in tag for tag in tags), 'a handler of a message ran'
    for tag in tags:
        assert not re.match(r'<(script|iframe|object|embed|link|base|form|svg|video|audio)\b', tag, re.I), tag
        assert not re.search(r'\son[a-z]+\s*=', re.sub(r'"[^"]*"', '""', tag), re.I), tag
        for value in re.findall(r'\b(?:href|src|action|srcset|poster)="([^"]*)"', tag):
            assert value.startswith(('#', 'data:image/')), tag


def artefacts(server):
    path = os.path.join(os.path.abspath(server.options.build), 'artefacts')
    os.makedirs(path, exist_ok=True)
    return path


def pages(server, _):
    account = server.demo
    directory = os.path.join(server.directory, 'html')
    done = server.run_admin('conversation', 'export', account.user, '--html', '-o', directory)
    names = sorted(os.listdir(directory))
    count = len(json.loads(server.run_admin('conversation', 'list', account.user, '--json').stdout))
    assert len(names) == count and done.stdout.startswith(f'{count} conversations'), (names, done.stdout)
    for name in names:
        page = os.path.join(directory, name)
        check_dom(chromium(page, '--dump-dom'))
        if name.startswith(('Default.tel.+15550100222', 'Default.3fae0f14', 'Default.tel.+15550100555')):
            chromium(page, '--window-size=900,2200', '--screenshot=' + os.path.join(artefacts(server), name[:-5] + '.png'))
    with open(os.path.join(directory, 'Default.tel.+15550100222.html'), encoding='utf-8') as page:
        text = page.read()
    assert text.count('src="data:image/jpeg;base64,') >= 2, 'the pictures are not in the page'
    refused(server, 2, 'conversation', 'export', account.user, '--html', '-o', directory)  # not empty
    refused(server, 2, 'conversation', 'export', account.user, '-o', directory + '2')  # neither --html nor --json
    refused(server, 1, 'conversation', 'export', account.user, '--folder', 'None', '--html', '-o', directory + '3')
    assert not os.path.exists(directory + '3')


def exported_json(server, _):
    account = server.demo
    directory = os.path.join(server.directory, 'json')
    server.run_admin('conversation', 'export', account.user, '--folder', '+15550100222', '--json', '-o', directory)
    assert os.listdir(directory) == ['Default.tel.+15550100222.json']
    with open(os.path.join(directory, 'Default.tel.+15550100222.json'), encoding='utf-8') as source:
        answer = json.load(source)
    assert answer['objects'] and answer['threads'], answer.keys()


def word(text):
    """An RFC 2047 word: any octets reach the header's value."""
    return '=?utf-8?q?' + ''.join(f'={octet:02X}' for octet in text.encode()) + '?='


def hostile_objects(evil):
    """(folder, octets): a 1-1 conversation and a group, with `evil` wherever a field takes it."""
    xml = evil.replace('&', '&amp;').replace('<', '&lt;').replace('"', '&quot;').replace('\x1b', '').replace('\x07', '')
    quoted = evil.replace('"', '').replace('\n', ' ')
    head = (f'From: {word(evil)} <tel:+15550100666>\r\nTo: tel:+15550100111\r\nDate: Wed, 02 Mar 2016 10:15:01 +0100\r\n'
            f'Subject: {word(evil)}\r\nMessage-ID: <{quoted}>\r\nConversation-ID: {quoted}\r\n'
            f'Contribution-ID: {quoted}\r\nInReplyTo-Contribution-ID: {quoted}\r\nIMDN-Message-ID: {quoted}\r\n'
            'Message-Direction: received\r\n')
    cpim = f'From: "{quoted}" <tel:+15550100666>\r\n\r\n'
    peer, group, session = 'Default/tel:+15550100666', 'Default/evil', 'Default/evil/session'
    state = (f'<groupstate timestamp="{xml}" lastfocussessionid="{xml}" group-type="{xml}">'
             f'<participant name="{xml}" comm-addr="{xml}" role="{xml}"/></groupstate>')
    link = ('<file><file-info type="file"><file-size>1</file-size><file-name>' + xml + '</file-name><content-type>' + xml +
            '</content-type><data url="javascript:' + xml + '" until="' + xml + '"/></file-info></file>')
    notice = ('<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>' + xml + '</message-id><datetime>' + xml +
              '</datetime><recipient-uri>' + xml + '</recipient-uri><display-notification><status><displayed/></status>'
              '</display-notification></imdn>')
    info = f'<session><session-type>{xml}</session-type><invited-participants>{xml};{xml}</invited-participants></session>'
    file_name = 'x' * 2000 + quoted
    return [
        (peer, head + 'Content-Type: message/cpim\r\n\r\n' + cpim + 'Content-Type: text/plain; charset=utf-8\r\n\r\n' + evil),
        (peer, head + 'Content-Type: message/cpim\r\n\r\n' + cpim +
         'Content-Type: application/vnd.gsma.rcs-ft-http+xml\r\n\r\n' + link),
        (peer, head.replace('received', 'sent') + 'Content-Type: message/cpim\r\n\r\n' + cpim +
         'Content-Type: message/imdn+xml\r\n\r\n' + notice),
        (peer, head + 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n' + evil +
         f'\r\n--b\r\nContent-Type: image/svg+xml; name="{quoted}"\r\n\r\n<svg onload="{quoted}"/>\r\n--b\r\n'
         f'Content-Type: image/png; name="{file_name}"\r\nContent-Description: {word(evil)}\r\n\r\n{evil}\r\n--b--\r\n'),
        (group, head + 'Content-Type: text/plain; charset=utf-8\r\n\r\n' + evil),
        (session, head + 'Content-Type: application/x-cpm-session\r\n\r\n' + info),
        (session, head + 'Content-Type: application/group-state-object+xml\r\n\r\n' + state),
        (session, head + 'Content-Type: application/group-state-object+xml\r\n\r\n<' + evil),
    ]


def hostile(server, _):
    listener = Listener()
    victim = server.add_account(2)
    url = f'http://127.0.0.1:{listener.port}/'
    evil = (f'<script>document.title="owned"</script>"\'><img src="{url}x.png" onerror="document.body.id=\'owned\'">'
            f'<link rel=stylesheet href="{url}x.css"><meta http-equiv="refresh" content="0;url={url}">'
            f'<a href="javascript:owned()">x</a></p></article></main></style>\x1b]0;owned\x07\x1b[2J\u202egpj')
    for number, (folder, octets) in enumerate(hostile_objects(evil)):
        path = os.path.join(server.directory, f'evil-{number}.eml')
        with open(path, 'w', encoding='utf-8', newline='') as out:
            out.write(octets)
        server.run_admin('object', 'put', victim.address, folder, path)
    for folder in ('Default/tel:+15550100666', 'Default/evil'):
        for text in (server.run_admin('conversation', 'show', victim.address, folder).stdout,
                     server.run_admin('object', 'list', victim.address, folder).stdout):
            assert not re.search('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]', text), repr(text)
    text = on_a_terminal(server, 80, 'object', 'show', victim.address, 'Default/tel:+15550100666', '1')
    assert '\x1b' not in text and '\u202e' not in text, repr(text)
    directory = os.path.join(server.directory, 'hostile')
    server.run_admin('conversation', 'export', victim.address, '--html', '-o', directory)
    for name in sorted(os.listdir(directory)):
        page = os.path.join(directory, name)
        check_dom(chromium(page, '--dump-dom'))
        chromium(page, '--window-size=900,1600', '--screenshot=' + os.path.join(artefacts(server), f'hostile-{name[:-5]}.png'))
    listener.close()
    assert listener.connections == 0, 'a page fetched something'


def kinds_are_found(server, account):
    """Each object of the account is listed by its kind, and by no other."""
    kinds = ('chat', 'standalone', 'imdn', 'sms', 'mms', 'file-link', 'file-transfer', 'session-info', 'group-state', 'media')
    by_kind = []
    for kind in kinds:
        found = json.loads(server.run_admin('object', 'list', account.user, '--kind', kind, '--json').stdout)
        assert all(one['kind'] == kind for one in found), found
        by_kind += [(one['folder'], one['uid'], kind) for one in found]
    folders = json.loads(server.run_admin('folder', 'list', account.user, '--json').stdout)
    in_folders = []
    for folder in folders:
        for one in json.loads(server.run_admin('object', 'list', account.user, folder['path'], '--json').stdout):
            in_folders.append((folder['path'], one['uid'], one['kind']))
    assert sorted(by_kind) == sorted(in_folders) and len({kind for _, _, kind in by_kind}) > 3, by_kind
    archive = server.run_admin('object', 'list', account.user, 'Archive/2026', '--kind', 'media').stdout
    assert archive.startswith('Archive/2026\n     1  media'), archive
    # Page by page, from the operator's API.
    api, pages, start = operator_api.Operator(server), [], ''
    while start is not None:
        page = api.get(f'/v1/accounts/{urllib.parse.quote(account.user)}/objects?kind=chat&limit=2{start}')
        pages += [(one['folder'], one['uid'], 'chat') for one in page['objects']]
        start = '&from=' + page['next'] if 'next' in page else None
    assert pages == [one for one in by_kind if one[2] == 'chat'], pages
    refused(server, 1, 'object', 'list', account.user, '--kind', 'nonsense')
    refused(server, 2, 'object', 'list', account.user)


def objects_and_folders(server, _):
    account = server.demo
    letter = os.path.join(server.directory, 'letter.eml')
    octets = b'Subject: letter\r\nFrom: a@example.com\r\n\r\n\x00\xffbody\r\n'
    with open(letter, 'wb') as out:
        out.write(octets)
    server.run_admin('folder', 'create', account.user, 'Archive/2026')
    server.run_admin('object', 'put', account.user, 'Archive/2026', letter, '--flag', '\\Seen')
    shown_octets = subprocess.run([server.admin, '--config', server.config, 'object', 'show', account.user, 'Archive/2026',
                                   '1'], stdout=subprocess.PIPE, check=True).stdout
    assert shown_octets == octets, shown_octets
    one = json.loads(server.run_admin('object', 'show', account.user, 'Archive/2026', '1', '--json').stdout)
    assert one['subject'] == 'letter' and one['flags'] == ['\\Seen'], one
    picture = subprocess.run([server.admin, '--config', server.config, 'object', 'show', account.user,
                              'Default/tel:+15550100222', '9', '--file', '0'], stdout=subprocess.PIPE, check=True).stdout
    assert len(picture) == 3278 and picture.startswith(b'\xff\xd8\xff'), len(picture)
    kinds_are_found(server, account)
    server.run_admin('folder', 'move', account.user, 'Archive/2026', 'Archive/2027')
    listing = server.run_admin('folder', 'list', account.user).stdout
    assert 'Archive/2027' in listing and 'Archive/2026' not in listing, listing
    refused(server, 1, 'folder', 'move', account.user, 'Archive/2027', 'Default/x')  # not into the default folder
    refused(server, 1, 'object', 'show', account.user, 'Archive/2027', '7')
    refused(server, 2, 'object', 'show', account.user, 'Archive/2027', '0')
    refused(server, 2, 'object', 'delete', account.user, 'Archive/2027', '1')  # nobody to ask
    server.run_admin('object', 'delete', account.user, 'Archive/2027', '1', '--yes')
    refused(server, 1, 'object', 'delete', account.user, 'Archive/2027', '1', '--yes')
    assert json.loads(server.run_admin('object', 'list', account.user, 'Archive/2027', '--json').stdout) == []
    refused(server, 2, 'folder', 'delete', account.user, 'Archive/2027')
    server.run_admin('folder', 'delete', account.user, 'Archive/2027', '--yes')
    refused(server, 1, 'folder', 'delete', account.user, 'Archive/2027', '--yes')
    refused(server, 1, 'folder', 'delete', account.user, 'INBOX', '--yes')


def help_has_examples(server, _):
    for command in (['conversation'], ['conversation', 'list'], ['conversation', 'show'], ['conversation', 'export'],
                    ['folder'], ['folder', 'list'], ['folder', 'create'], ['folder', 'move'], ['folder', 'delete'],
                    ['object'], ['object', 'list'], ['object', 'show'], ['object', 'put'], ['object', 'delete']):
        text = server.run_admin(*command, '--help').stdout
        assert 'Example' in text and 'cms-admin ' + command[0] in text, text


CASES = [('the demo store is loaded', load), ('conversation list', listed), ('conversation show', shown),
         ('width and colour of terminals', terminals), ('exported pages in Chromium', pages),
         ('exported JSON', exported_json), ('hostile text in every field', hostile),
         ('objects and folders', objects_and_folders), ('help', help_has_examples)]

if __name__ == '__main__':
    os.environ['TZ'] = 'UTC'
    arguments = fixture.parser(__doc__)
    arguments.add_argument('--update', action='store_true', help='write the texts that are compared with anew')
    sys.exit(fixture.run_cases(arguments.parse_args(), CASES))
