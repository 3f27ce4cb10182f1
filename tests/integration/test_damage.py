#!/usr/bin/env python3
"""Damaged stores, as an operator meets them: cmsd refuses to start and says what is damaged and what to do, `cms-admin
store check` says more, and neither changes a file. A first start that was interrupted is no damage.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import cmsd_fixture as fixture
import imap_wire as wire

MESSAGES = 40


class Template:
    """A killed server's store with rows in table files and in its log; each case damages a copy."""

    def __init__(self, options, directory):
        self.cmsd = fixture.Cmsd(options.build, directory)
        self.store = os.path.join(directory, 'store')
        self.whole = os.path.join(directory, 'whole')
        self.at_rest = os.path.join(directory, 'at-rest')
        self.cmsd.start()
        self.account = self.cmsd.add_account(1)
        self.append(MESSAGES // 2)
        assert self.cmsd.stop() == 0
        shutil.copytree(self.store, self.at_rest)
        first = self.table_files()
        self.cmsd.start()        # what was written so far is in table files
        self.append(MESSAGES // 2)
        self.let_it_settle(first)
        self.cmsd.kill()         # and this in the log
        shutil.copytree(self.store, self.whole)

    def client(self):
        return wire.Client(self.cmsd.host, self.cmsd.port, timeout=60).login(self.account.user, self.account.password)

    def append(self, count):
        with self.client() as client:
            for number in range(count):
                body = os.urandom(3000).hex().encode()     # nothing that a table file could compress away
                assert client.append('INBOX', b'Subject: %d\r\n\r\n%s\r\n' % (number, body)).status == 'OK'

    def table_files(self):
        return {name for name in os.listdir(self.store) if name.endswith('.sst')}

    def let_it_settle(self, first):
        """Behind a start RocksDB writes the files of the `first` run once more. A kill meanwhile would leave files that nobody
        reads, and the next start would go on, and meet the damage before a client does."""
        fixture.look_until(lambda: not first & self.table_files(), 'the files of the first run are gone')

    def fresh(self, origin=None):
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(origin or self.whole, self.store)

    def messages(self):
        with self.client() as client:
            found = client.ok('STATUS INBOX (MESSAGES)').all(rb'\* STATUS "?INBOX"? \(MESSAGES (\d+)\)')
        return int(found[0].group(1))

    def file(self, pattern):
        """The largest file whose name is like this."""
        names = [name for name in os.listdir(self.store) if re.fullmatch(pattern, name)]
        assert names, (pattern, os.listdir(self.store))
        return os.path.join(self.store, max(names, key=lambda name: os.path.getsize(os.path.join(self.store, name))))

    def digests(self):
        """Of every file but RocksDB's own diary."""
        found = {}
        for name in os.listdir(self.store):
            if not name.startswith('LOG'):
                with open(os.path.join(self.store, name), 'rb') as octets:
                    found[name] = hashlib.sha256(octets.read()).hexdigest()
        return found

    def start_and_fail(self):
        done = subprocess.run([self.cmsd.cmsd, '--config', self.cmsd.config], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        assert done.returncode == 1, f'exit {done.returncode}: {done.stdout}'
        return done.stdout

    def check(self, *arguments):
        return self.cmsd.run_admin('store', 'check', *arguments, check=False)


def flip(path, offset):
    """One octet; from the end if the offset is negative."""
    with open(path, 'r+b') as file:
        file.seek(offset, os.SEEK_SET if offset >= 0 else os.SEEK_END)
        octet = file.read(1)[0] ^ 0x55
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([octet]))


def middle(path):
    return os.path.getsize(path) // 2


def expect_refusal(template, name):
    """cmsd refuses, names the file and the way out; so does store check; nothing is changed."""
    before = template.digests()
    said = template.start_and_fail()
    assert name in said, f'{name} is not named: {said}'
    assert 'restore a backup' in said and 'cms-admin store check' in said, said
    checked = template.check()
    assert checked.returncode == 1, checked
    told = checked.stdout + checked.stderr
    assert 'does not open: ' in told and name in told and 'restore a backup' in told, told
    out = json.loads(template.check('--json').stdout)
    assert out['opens'] is False and name in out['error'] + ''.join(out['damaged_files']), out
    assert template.digests() == before, 'the damaged store was changed'


def table_file_is_short(template):
    path = template.file(r'\d+\.sst')
    os.truncate(path, middle(path))
    expect_refusal(template, os.path.basename(path))


def table_file_is_missing(template):
    path = template.file(r'\d+\.sst')
    os.remove(path)
    expect_refusal(template, os.path.basename(path))


def octet_in_a_table_file(template):
    """Found when it is read: cmsd may start, and the checker names the file and its table."""
    path = template.file(r'\d+\.sst')
    flip(path, middle(path))
    checked = template.check()
    told = checked.stdout + checked.stderr
    assert checked.returncode == 1 and os.path.basename(path) in told and 'restore a backup' in told, told
    template.cmsd.start()
    with template.client() as client:
        client.ok('SELECT INBOX')
        answer = client.command(f'FETCH 1:{MESSAGES} (BODY.PEEK[])')
        assert answer.status == 'NO' and answer.code('CORRUPTION') is not None, answer.tagged
        client.ok('NOOP')
    assert template.cmsd.stop() == 0


def octet_in_the_log(template):
    path = template.file(r'\d+\.log')
    flip(path, middle(path))
    expect_refusal(template, os.path.basename(path))


def log_is_cut_short(template):
    """Looks like a power loss (storage/kv/README.md): what is left must be whole, and in order."""
    path = template.file(r'\d+\.log')
    os.truncate(path, middle(path))
    template.cmsd.start()
    assert MESSAGES // 2 <= template.messages() < MESSAGES
    assert template.cmsd.stop() == 0
    template.cmsd.check_store()


def log_at_rest_is_cut_short(template):
    """A clean stop leaves nothing in it that could be missed."""
    template.fresh(template.at_rest)
    os.truncate(template.file(r'\d+\.log'), 0)
    template.cmsd.start()
    assert template.messages() == MESSAGES // 2
    assert template.cmsd.stop() == 0
    template.cmsd.check_store()


def log_is_missing(template):
    for name in os.listdir(template.store):
        if name.endswith('.log'):
            os.remove(os.path.join(template.store, name))
    expect_refusal(template, '*.log')


def current_is_missing(template):
    os.remove(os.path.join(template.store, 'CURRENT'))
    expect_refusal(template, 'CURRENT')


def manifest_is_missing(template):
    path = template.file(r'MANIFEST-\d+')
    os.remove(path)
    expect_refusal(template, os.path.basename(path))


def octet_in_the_manifest(template):
    path = template.file(r'MANIFEST-\d+')
    flip(path, middle(path))
    expect_refusal(template, 'MANIFEST')


def first_start_interrupted(template):
    """What a kill leaves before there is a store: the next start makes it."""
    shutil.rmtree(template.store)
    os.makedirs(template.store)
    for name in ('LOCK', 'LOG', 'IDENTITY', 'MANIFEST-000001', '000001.dbtmp'):
        with open(os.path.join(template.store, name), 'wb'):
            pass
    template.cmsd.start()
    assert template.cmsd.stop() == 0
    template.cmsd.check_store()


def not_a_store(template):
    shutil.rmtree(template.store)
    os.makedirs(template.store)
    with open(os.path.join(template.store, 'letter.txt'), 'wb') as out:
        out.write(b'x')
    said = template.start_and_fail()
    assert 'letter.txt' in said and 'empty folder' in said, said
    assert os.listdir(template.store) == ['letter.txt'], os.listdir(template.store)
    shutil.rmtree(template.store)
    checked = template.check()
    assert checked.returncode == 1 and 'cmsd makes it when it first starts' in checked.stderr, checked
    assert not os.path.exists(template.store)


CASES = [('a table file is short', table_file_is_short), ('a table file is missing', table_file_is_missing),
         ('an octet of a table file is wrong', octet_in_a_table_file), ('an octet of the log is wrong', octet_in_the_log),
         ('the log is cut short', log_is_cut_short), ('the log of a store at rest is cut short', log_at_rest_is_cut_short),
         ('the log is missing', log_is_missing),
         ('CURRENT is missing', current_is_missing), ('the manifest is missing', manifest_is_missing),
         ('an octet of the manifest is wrong', octet_in_the_manifest),
         ('a first start that was interrupted', first_start_interrupted), ('a folder that is no store', not_a_store)]


def main(options):
    directory = tempfile.mkdtemp(prefix='cmsd-test-', dir='/tmp')
    bad, template = 0, None
    try:
        template = Template(options, directory)
        for name, function in CASES:
            if options.only and options.only not in name:
                continue
            template.fresh()
            bad += fixture.run_case(name, lambda f=function: f(template))
            if template.cmsd.running():
                template.cmsd.kill()
    finally:
        if template and template.cmsd.running():
            template.cmsd.kill()
        if options.keep:
            print(f'kept {directory}')
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(fixture.parser(__doc__).parse_args()))
