#!/usr/bin/env python3
"""tools/up as a new user calls it: first start with the demo store, second start with the same data."""

import base64
import email
import email.policy
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile

import cmsd_fixture as fixture
import imap_wire as wire

DEMO = os.path.join(fixture.ROOT, 'etc', 'demo')


class Up(fixture.Process):
    """tools/up in a folder of its own, with the programs of an already built folder."""

    def __init__(self, build, directory):
        super().__init__()
        self.build, self.directory = os.path.abspath(build), directory
        self.log_path = os.path.join(directory, 'up.log')
        self.port, self.tls_port, self.http_port, self.references_port = fixture.free_ports(4)

    def start(self):
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(
                [os.path.join(fixture.ROOT, 'tools', 'up'), '--dir', os.path.join(self.directory, 'var'), '--imap-port', str(self.port),
                 '--imaps-port', str(self.tls_port), '--http-port', str(self.http_port),
                 '--references-port', str(self.references_port)],
                env=dict(os.environ, CMS_BUILD_DIR=self.build), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def started(self):
        """Waits until it has printed the account and listens; what it printed."""
        def printed():
            with open(self.log_path, encoding='utf-8') as log:
                text = log.read()
            return 'password' in text and 'Operator' in text and text
        text = self.look_until(printed, 'tools/up has printed the account', 120)
        self.wait_for_port(self.tls_port)
        return text


def contents(up, text):
    """{folder: (messages, UIDVALIDITY)} after logging in with what tools/up printed."""
    password = re.search(r'^  password\s+(\S+)$', text, re.MULTILINE).group(1)
    found = {}
    with wire.Client(up.host, up.tls_port, tls=True).login('user1@example.com', password) as client:
        for match in client.ok('LIST "" "*"').all(rb'\* LIST \(([^)]*)\) "/" "?([^"\r]*)"?\r\n'):
            if b'noselect' not in match.group(1).lower():
                status = client.ok(b'STATUS "%s" (MESSAGES UIDVALIDITY)' % match.group(2)).untagged[0]
                numbers = re.search(rb'MESSAGES (\d+) UIDVALIDITY (\d+)', status)
                found[match.group(2).decode()] = tuple(map(int, numbers.groups()))
    with wire.Client(up.host, up.port).login('+15550100111', password) as client:
        client.ok('SELECT INBOX')
    return found


def main():
    options = fixture.parser(__doc__).parse_args()
    directory, state, bad = tempfile.mkdtemp(prefix='cmsd-up-', dir='/tmp'), {}, 0
    up = Up(options.build, directory)

    def first():
        state['text'] = up.start().started()
        state['folders'] = contents(up, state['text'])
        assert 'Thunderbird' in state['text'] and 'from this machine only' in state['text']
        with open(os.path.join(DEMO, 'manifest.jsonl'), encoding='utf-8') as rows:
            expected = [json.loads(row)['folder'] for row in rows]
        for folder in set(expected):
            assert state['folders'][folder][0] == expected.count(folder), (folder, state['folders'].get(folder))

    def conversations():
        """Each folder of the demo that stands for a peer or a group, also the one that the user keeps, in the table that tools/up names."""
        with open(os.path.join(DEMO, 'manifest.jsonl'), encoding='utf-8') as rows:
            folders = {json.loads(row)['folder'] for row in rows}
        peers = {folder.rsplit('/', 1)[-1] for folder in folders if re.search(r'/(tel|sip):', folder)}
        groups = {folder.split('/')[1] for folder in folders if re.match(r'Default/[0-9a-f]', folder)}
        command = re.search(r'^  operator:  (.*)$', state['text'], re.MULTILINE).group(1).split()
        listed = json.loads(subprocess.run([*command, '--json'], stdout=subprocess.PIPE, check=True, timeout=60).stdout)
        assert len(peers) == 7 and len(groups) == 1
        assert {one['folder'].rsplit('/', 1)[-1] for one in listed} == peers | groups, listed

    def references():
        """The commands of the README's section, as they stand there: the PF gets the photo into the message, alone, and over IMAP."""
        with open(os.path.join(fixture.ROOT, 'README.md'), encoding='utf-8') as text:
            section = text.read().split('## Sharing a folder, and a link to a message')[1].split('\n## ')[0]
        commands = ''.join(re.findall(r'```sh\n(.*?)```', section, re.S)).replace(':8443', f':{up.references_port}')
        admin = f'cms-admin() {{ {up.build}/tools/cms-admin --config var/cmsd.toml "$@"; }}\n'
        done = subprocess.run(['bash', '-euc', admin + commands], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=60)
        assert done.returncode == 0 and not done.stdout, done.stdout
        read = lambda name: open(os.path.join(directory, name), 'rb').read()
        photo = read('harbour.jpg')
        [one] = json.loads(read('reference.json'))['references']
        assert len(photo) == one['size'] and photo.startswith(b'\xff\xd8\xff'), one
        resolved = email.message_from_bytes(read('resolved.eml'), policy=email.policy.default)
        assert resolved.get_content() == photo and resolved['Subject'] == 'Harbour'
        pf = ssl.create_default_context(cafile=os.path.join(directory, 'var', 'cert.pem'))
        pf.load_cert_chain(os.path.join(directory, 'var', 'pf.pem'), os.path.join(directory, 'var', 'pf.key'))
        with wire.Client(up.host, up.tls_port, tls=pf) as client:
            client.ok('AUTHENTICATE EXTERNAL ' + base64.b64encode(b'tel:+15550100111').decode())
            fetched = client.ok(f'URLFETCH ("{one["imap_url"]}" BINARY)')
            assert photo in fetched.untagged[0], fetched.untagged

    def second():
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(60) == 0, up.log_tail()
        text = up.start().started()
        assert contents(up, text) == state['folders'], 'the second start has other data'
        assert 'loading' not in text and 'certificate:' not in text, 'the second start made something anew'

    def taken():
        other = subprocess.run([os.path.join(fixture.ROOT, 'tools', 'up'), '--dir', os.path.join(directory, 'var')],
                               env=dict(os.environ, CMS_BUILD_DIR=up.build), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               timeout=60)
        assert other.returncode != 0 and 'taken' in other.stderr, other

    try:
        for name, case in (('first start: account, demo store, TLS', first), ('every conversation of the demo is listed', conversations),
                            ('a photo by reference, as the README has it', references),
                            ('second start keeps everything', second),
                           ('a port that is taken is named', taken)):
            bad += fixture.run_case(name, case)
    finally:
        if up.running():
            up.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
