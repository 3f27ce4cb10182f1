"""Starts a private server for a test program: cmsd on free ports of 127.0.0.1, with its store in a temporary folder.

`--peer dovecot` starts Debian's Dovecot in its place: the tests that only speak IMAP must pass there as well, which
tells a wrong test from a wrong server.
"""

import argparse
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSWORD = 'test-password'
START_SECONDS = 60


class Account:
    """Who a test logs in as."""

    def __init__(self, number):
        self.address = f'tel:+1555010{number:04d}'
        self.alias = f'sip:user{number}@example.com'
        self.user = f'user{number}@example.com'
        self.password = PASSWORD


def free_ports(count):
    """Ports nobody listens on just now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(('127.0.0.1', 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def make_certificate(directory):
    certificate, key = os.path.join(directory, 'cert.pem'), os.path.join(directory, 'key.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return certificate, key


def toml(tables):
    """{'section': {'key': value}} as TOML; a list of dicts becomes an array of tables."""
    def value(v):
        if isinstance(v, list):
            return f'[{", ".join(value(one) for one in v)}]'
        return str(v).lower() if isinstance(v, bool) else str(v) if isinstance(v, int) else f'"{v}"'
    lines = []
    for name, content in tables.items():
        for header, keys in ([(f'[{name}]', content)] if isinstance(content, dict) else
                             [(f'[[{name}]]', entry) for entry in content]):
            lines += [header] + [f'{key} = {value(v)}' for key, v in keys.items()] + ['']
    return '\n'.join(lines)


def look_until(condition, what, seconds=START_SECONDS):
    """Files and ports have no way to tell: they are looked at until it is so."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(f'not so after {seconds} s: {what}')
        time.sleep(0.01)
    return found


class Process:
    """A server process that this test started, and nothing else."""

    host = '127.0.0.1'

    def __init__(self):
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def look_until(self, condition, what, seconds=START_SECONDS):
        """The same of a server, which must not end meanwhile."""
        def look():
            if self.process.poll() is not None:
                raise RuntimeError(f'the server ended with {self.process.returncode}')
            return condition()
        try:
            return look_until(look, what, seconds)
        except RuntimeError as error:
            raise RuntimeError(f'{error}\n{self.log_tail()}') from None

    def wait_for_port(self, port):
        def listens():
            try:
                socket.create_connection((self.host, port), timeout=5).close()
                return True
            except OSError:
                return False
        self.look_until(listens, f'it listens on port {port}')

    def kill(self):
        """kill -9, and waits until the process is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def stop(self):
        """SIGTERM; returns the exit status."""
        if not self.running():
            return None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def log_tail(self, lines=40):
        try:
            with open(self.log_path, encoding='utf-8', errors='replace') as log:
                return ''.join(log.readlines()[-lines:])
        except OSError:
            return ''

    def log_count(self, text):
        return self.log_tail(10000).count(text)

    def wait_for_log(self, text, times=1):
        """Until the log holds `text` that many times."""
        look_until(lambda: self.log_count(text) >= times, f'in the log: {text}')

    def wait_for_file(self, path):
        look_until(lambda: os.path.exists(path), f'made: {path}')

    def pids(self):
        """This process and its descendants."""
        children = {}
        for entry in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{entry}/stat', encoding='utf-8', errors='replace') as stat:
                    parent = int(stat.read().rsplit(')', 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry))
            except OSError:
                pass  # it ended while we looked
        found = [self.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def memory(self):
        """Proportional set size of the process tree, in octets."""
        total = 0
        for pid in self.pids():
            try:
                with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as rollup:
                    total += next(int(line.split()[1]) for line in rollup if line.startswith('Pss:')) * 1024
            except (OSError, StopIteration):
                pass
        return total


class Cmsd(Process):
    """cmsd and cms-admin of a build folder. `limits` overrides keys of the configuration's [limits]."""

    name = 'cmsd'

    def __init__(self, build, directory, limits=None, tables=None):
        super().__init__()
        build = os.path.abspath(build)
        self.cmsd = os.path.join(build, 'server', 'cmsd')
        self.admin = os.path.join(build, 'tools', 'cms-admin')
        for program in (self.cmsd, self.admin):
            if not os.access(program, os.X_OK):
                raise RuntimeError(f'{program} is not built')
        self.directory, self.log_path = directory, os.path.join(directory, 'cmsd.log')
        self.log_before = 0  # octets of the log before the last start
        self.environment = {}  # besides this process's own
        self.config = os.path.join(directory, 'cmsd.toml')
        self.port, self.tls_port = free_ports(2)
        certificate, key = make_certificate(directory)
        configuration = {
            'store': {'path': os.path.join(directory, 'store')},
            'imap': {'allow_plaintext_login': 'loopback'},
            'imap.listen': [{'address': self.host, 'port': self.port, 'tls': 'starttls'},
                            {'address': self.host, 'port': self.tls_port, 'tls': 'implicit'}],
            'tls': {'certificate': certificate, 'key': key},
            'http': {'operator_socket': os.path.join(directory, 'operator.sock')},
            'limits': limits or {},
        }
        for name, keys in (tables or {}).items():
            configuration[name] = {**configuration.get(name, {}), **keys} if isinstance(keys, dict) else keys
        with open(self.config, 'w', encoding='utf-8') as out:
            out.write(toml(configuration))

    def launch(self):
        """Starts it and waits for nothing."""
        with open(self.log_path, 'ab') as log:
            self.log_before = log.tell()  # earlier starts are told there, too
            self.process = subprocess.Popen([self.cmsd, '--config', self.config], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=dict(os.environ, **self.environment))

    def start(self):
        """Until it says so: its ports and the operator's socket come one after the other before."""
        self.launch()
        self.look_until(self.has_started, 'it has started')
        return self

    def has_started(self):
        with open(self.log_path, 'rb') as log:
            log.seek(self.log_before)
            return b' event=started ' in log.read()

    def run_admin(self, *arguments, stdin='', check=True):
        done = subprocess.run([self.admin, '--config', self.config, *arguments], input=stdin, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600)
        if check and done.returncode != 0:
            raise RuntimeError(f'cms-admin {" ".join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}')
        return done

    def add_account(self, number):
        account = Account(number)
        self.run_admin('account', 'add', account.address, '--alias', account.alias, '--password-stdin',
                       stdin=account.password + '\n')
        return account

    def add_pf(self, address, password):
        """An account of role pf; who it may act for is said by the configuration's pf.act_for."""
        self.run_admin('account', 'add', address, '--role', 'pf', '--password-stdin', stdin=password + '\n')

    def check_store(self):
        """Of a stopped store: raises with what the checker found."""
        self.run_admin('store', 'check')


class Dovecot(Process):
    """Debian's Dovecot as a peer. Any name logs in with PASSWORD. Root only: it switches users."""

    name = 'dovecot'

    def __init__(self, directory):
        super().__init__()
        os.chmod(directory, 0o755)
        self.directory, self.log_path = directory, os.path.join(directory, 'dovecot.log')
        self.config = os.path.join(directory, 'dovecot.conf')
        self.port, self.tls_port = free_ports(2)
        certificate, key = make_certificate(directory)
        mail = os.path.join(directory, 'mail')
        os.makedirs(mail, exist_ok=True)
        owner = pwd.getpwnam('nobody')
        os.chown(mail, owner.pw_uid, owner.pw_gid)
        with open(self.config, 'w', encoding='utf-8') as out:
            out.write(DOVECOT.format(directory=directory, mail=mail, uid=owner.pw_uid, gid=owner.pw_gid, port=self.port,
                                     tls_port=self.tls_port, certificate=certificate, key=key, password=PASSWORD,
                                     argon2id=argon2id(PASSWORD), log=self.log_path,
                                     host=socket.gethostname()))

    def start(self):
        raise_inotify_limit()
        self.process = subprocess.Popen(['/usr/sbin/dovecot', '-F', '-c', self.config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for_port(self.port)
        return self

    def kill(self):
        """kill -9 of the master and all its children; stopped first, lest it starts new ones meanwhile."""
        self.process.send_signal(signal.SIGSTOP)
        for pid in reversed(self.pids()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(60)

    def add_account(self, number):
        return Account(number)

    def check_store(self):
        pass


def argon2id(password):
    """A hash with the parameters that cmsd uses (19 MiB, 2 passes), for a fair LOGIN on the peer: users argonN."""
    sodium = ctypes.CDLL('libsodium.so.23')
    out = ctypes.create_string_buffer(128)
    octets = password.encode()
    assert sodium.sodium_init() >= 0
    assert sodium.crypto_pwhash_str(out, octets, ctypes.c_ulonglong(len(octets)), ctypes.c_ulonglong(2),
                                    ctypes.c_size_t(19 << 20)) == 0
    return '{ARGON2ID}' + out.value.decode()


def raise_inotify_limit():
    """A thousand imap processes of one uid each want an inotify instance; the kernel's default is 128."""
    path = '/proc/sys/fs/inotify/max_user_instances'
    try:
        with open(path, 'r+', encoding='ascii') as limit:
            if int(limit.read()) < 16384:
                limit.seek(0)
                limit.write('16384')
    except OSError:
        pass


# Durable (mail_fsync=always), without what would only cost time: a fair peer for tools/bench.
DOVECOT = """
base_dir = {directory}/run
state_dir = {directory}/state
instance_name = peer-{port}
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 0
log_path = {log}
info_log_path = /dev/null
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {uid}
mail_gid = {gid}
mail_home = {mail}/%Ld/%Ln
mail_location = sdbox:~/sdbox
mail_fsync = always
mail_max_userip_connections = 20000
mailbox_list_index = yes
default_process_limit = 5000
default_client_limit = 15000
default_vsz_limit = 4G
stats_writer_socket_path =
shutdown_clients = yes
imap_max_line_length = 1M
mail_attribute_dict = file:{mail}/%Ld/%Ln/attributes
imap_urlauth_host = {host}
passdb {{
  driver = static
  username_filter = argon*
  args = password={argon2id}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%Ld/%Ln
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \\Drafts
    auto = create
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = create
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = create
  }}
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
  service_count = 0
  process_min_avail = 2
  process_limit = 2
  client_limit = 10000
}}
service imap {{
  process_limit = 5000
  process_min_avail = 2
}}
service auth {{
  client_limit = 19000
}}
service anvil {{
  client_limit = 19000
}}
"""


class Skip(Exception):
    """Raised by a case that cannot run here; its text says why."""


def parser(description):
    """The options that every test program takes."""
    result = argparse.ArgumentParser(description=description.split('\n\n')[0])
    result.add_argument('--build', default=os.path.join(ROOT, 'build'), help='build folder with cmsd and cms-admin')
    result.add_argument('--peer', choices=['cmsd', 'dovecot'], default='cmsd')
    result.add_argument('--only', help='run the cases whose name contains this')
    result.add_argument('--slow-machine', action='store_true', help='smaller sizes: for sanitizer builds')
    result.add_argument('--keep', action='store_true', help='keep the temporary folder')
    return result


def run_cases(options, cases, limits=None, accounts=1, tables=None):
    """Starts a server, runs each case as case(server, account), prints a PASS, FAIL or SKIP line for each, and
    checks the stopped store in the end. `cases`: list of (name, function). `tables`: makes more of the configuration,
    given the test's folder. Returns the exit status."""
    directory = tempfile.mkdtemp(prefix='cmsd-test-', dir='/tmp')
    bad, server = 0, None
    try:
        server = Dovecot(directory) if options.peer == 'dovecot' else Cmsd(options.build, directory, limits, tables and tables(directory))
        server.options = options
        server.start()
        people = [server.add_account(number) for number in range(1, accounts + 1)]
        for name, function in cases:
            if options.only and options.only not in name:
                continue
            bad += run_case(name, lambda f=function: f(server, *people))
            if not server.running():
                print(f'FAIL the server is gone after {name}: exit {server.process.returncode}', flush=True)
                print(server.log_tail())
                return 1
        bad += run_case('clean shutdown on SIGTERM', lambda: check_stop(server))
        bad += run_case('store check afterwards', server.check_store)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print('FAIL the server could not be started', flush=True)
        bad += 1
    finally:
        if server is not None and server.running():
            server.kill()
        if options.keep:
            print(f'kept {directory}')
        else:
            shutil.rmtree(directory, ignore_errors=True)
    return 1 if bad else 0


def check_stop(server):
    status = server.stop()
    assert status == 0, f'exit {status}\n{server.log_tail()}'


def run_case(name, function):
    """Runs one case and prints its line; 1 if it failed."""
    started = time.monotonic()
    try:
        function()
    except Skip as reason:
        print(f'SKIP {name}: {reason}', flush=True)
        return 0
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        text = str(error).splitlines()
        print(f'FAIL {name}: {type(error).__name__} {text[0][:200] if text else ""}', flush=True)
        return 1
    print(f'PASS {name} ({time.monotonic() - started:.1f} s)', flush=True)
    return 0
