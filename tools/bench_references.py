"""The reference service beside nginx: what tools/bench measures over HTTP. Called by run_bench.py."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'integration'))
import authority  # noqa: E402  (found through the line above)
import cmsd_fixture as fixture  # noqa: E402
import imap_wire as wire  # noqa: E402

WORKLOADS = {'http-get': 'HTTP GET of 100 MiB by reference; nginx, the same octets in a file',
             'http-fetch': '1,000 fetches of 64 KiB by reference at once'}
SMALL = 64 * 1024
NGINX = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


class Nginx(fixture.Process):
    name = 'nginx'

    def __init__(self, folder):
        super().__init__()
        self.folder, self.log_path = folder, os.path.join(folder, 'error.log')
        os.makedirs(os.path.join(folder, 'files'))
        self.port, = fixture.free_ports(1)
        self.config = os.path.join(folder, 'nginx.conf')
        with open(self.config, 'w', encoding='ascii') as out:
            out.write(NGINX.format(folder=folder, port=self.port, workers=os.cpu_count()))

    def start(self):
        os.chmod(self.folder, 0o755)
        self.process = subprocess.Popen(['nginx', '-c', self.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.wait_for_port(self.port)
        return self


class Service:
    """cmsd with the reference service, plain on this machine as behind a proxy, and one user with a token."""

    def __init__(self, build, folder):
        os.makedirs(folder)
        key, jwks = os.path.join(folder, 'token.pem'), os.path.join(folder, 'jwks.json')
        authority.openssl('genpkey', '-algorithm', 'ED25519', '-out', key)
        public = subprocess.run(['openssl', 'pkey', '-in', key, '-pubout', '-outform', 'DER'], stdout=subprocess.PIPE,
                                check=True).stdout
        with open(jwks, 'w', encoding='ascii') as out:
            x = base64.urlsafe_b64encode(public[-32:]).decode().rstrip('=')
            json.dump({'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'x': x}]}, out)
        self.port, = fixture.free_ports(1)
        self.server = fixture.Cmsd(build, folder, tables={
            'oauth': {'jwks': jwks, 'issuer': 'https://issuer.example', 'audience': 'imap'},
            'references.listen': [{'address': '127.0.0.1', 'port': self.port, 'tls': 'none'}]}).start()
        self.account = self.server.add_account(1)
        self.token = self.server.run_admin('token', key, self.account.address).stdout.strip()

    def refer(self, octets):
        """The path of a reference to them, as a part that is stored as it is."""
        message = b'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n' + octets
        with wire.Client(self.server.host, self.server.port, timeout=600).login(self.account.user, self.account.password) as client:
            uid = client.append('INBOX', message).code('APPENDUID').split()[1]
        made = self.server.run_admin('--json', 'reference', 'create', self.account.address, 'INBOX', uid, '--part', '1',
                                     '--audience', self.account.address)
        return urllib.parse.urlsplit(json.loads(made.stdout)[0]['url']).path


def curl(url, token=None, *more):
    command = ['curl', '-sf', '-o', '/dev/null', '-w', '%{speed_download} %{size_download}', *more, url]
    return command + (['-H', f'Authorization: Bearer {token}'] if token else [])


def speeds(commands, size):
    """MB a second of each, the best of ten; they take turns, so that a noisy second hits all."""
    best = [0] * len(commands)
    for _ in range(10):
        for i, command in enumerate(commands):
            got, octets = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
            assert int(octets) == size, f'{octets} octets of {size}'
            best[i] = max(best[i], float(got) / 1e6)
    return best


def memory_of_transfers(service, url, size):
    """MiB that the server grows by while each of eight readers is half through."""
    before = service.server.memory()
    readers = [subprocess.Popen(curl(url, service.token, '--limit-rate', str(size // 4)), stdout=subprocess.DEVNULL)
               for _ in range(8)]
    most, end = 0, time.monotonic() + 3
    while time.monotonic() < end:
        most = max(most, service.server.memory() - before)
        time.sleep(0.1)     # sampled, not waited for
    for reader in readers:
        reader.kill()
        reader.wait()
    return most / len(readers) / 2**20


async def fetch(host, port, request, size, go):
    reader, writer = await asyncio.open_connection(host, port)
    await go.wait()
    started = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b'\r\n\r\n')
    body = await reader.readexactly(size) if b' 200 ' in head.split(b'\r\n')[0] else b''
    writer.close()
    return time.perf_counter() - started if len(body) == size else None


async def fetch_all(host, port, path, token, count):
    request = f'GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n'.encode()
    go = asyncio.Event()
    tasks = [asyncio.create_task(fetch(host, port, request, SMALL, go)) for _ in range(count)]
    await asyncio.sleep(1)      # all have connected
    go.set()
    started = time.perf_counter()
    times = await asyncio.gather(*tasks, return_exceptions=True)
    good = sorted(t for t in times if isinstance(t, float))
    return good, len(times) - len(good), time.perf_counter() - started


def measure(options, directory, workloads):
    """({figure: (value, unit)} of cmsd, the same of nginx)."""
    ours, peer = {}, {}
    service = Service(options.build, os.path.join(directory, 'references'))
    nginx = None
    try:
        base = f'http://127.0.0.1:{service.port}'
        if 'http-get' in workloads:
            octets = os.urandom(1 << 20).replace(b'\0', b'x') * (10 if options.quick else 100)
            path = service.refer(octets)
            commands = [curl(base + path, service.token)]
            if shutil.which('nginx') and not options.no_peer:
                nginx = Nginx(os.path.join(directory, 'nginx'))
                with open(os.path.join(nginx.folder, 'files', 'file'), 'wb') as out:
                    out.write(octets)
                nginx.start()
                commands.append(curl(f'http://127.0.0.1:{nginx.port}/file'))
            mine, *others = speeds(commands, len(octets))
            ours['http-get'] = (mine, 'MB/s')
            if others:
                peer['http-get'] = (others[0], 'MB/s')
            ours['http-get-memory'] = (memory_of_transfers(service, base + path, len(octets)), 'MiB')
        if 'http-fetch' in workloads:
            path = service.refer(os.urandom(SMALL).replace(b'\0', b'x'))
            count = 100 if options.quick else 1000
            times, lost, seconds = asyncio.run(fetch_all('127.0.0.1', service.port, path, service.token, count))
            ours['http-fetch'] = (len(times) / seconds, 'fetches/s')
            ours['http-fetch-p99'] = (times[len(times) * 99 // 100] * 1000, 'ms')
            ours['http-fetch-lost'] = (lost, 'fetches')
    finally:
        service.server.kill()
        if nginx is not None and nginx.running():
            nginx.stop()
    for name, figures in (('cmsd', ours), ('nginx', peer)):
        text = ', '.join(f'{n} {v:,.1f} {u}' for n, (v, u) in figures.items())
        print(f'references  {name:8} {text}', flush=True)
    return ours, peer
