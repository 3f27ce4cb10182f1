#!/usr/bin/env python3
"""Runs cms-load against cmsd and Dovecot in turns and prints a table of ratios. Called by tools/bench.

Each round starts with the other server, so that a noisy minute of the machine hits both; the best of the rounds
counts. A ratio above 1 means that cmsd is better, whichever way the figure counts.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'integration'))
import cmsd_fixture as fixture  # noqa: E402  (found through the line above)
import bench_references  # noqa: E402

ACCOUNTS = 64
SLOW = {'slow-append-1', 'slow-append-64'}   # not of cms-load: append-1 and append-64 on a slow disk, cmsd alone
SLOW_SYNC_US = 2000
IDLE = {'cmsd': 10_000, 'dovecot': 1_000}        # connections; the peer has a process for most of them
MEMORY = {'memory', 'memory-notify', 'memory-notify-tls'}
ONCE = MEMORY | {'folders'}                  # long, and not noisy: one round
# figure: (what, ratio to reach (design.md 9 and issue 2), the peer's figure it is measured against)
TARGETS = {
    'append-1': ('APPEND 2 KiB, durable, 1 connection', 3, 'append-1'),
    'append-16': ('  16 connections', 8, 'append-16'),
    'append-64': ('  64 connections, of the peer\'s 16', 10, 'append-16'),
    'append-16-one-folder': ('  16 connections into one folder', 5, 'append-16-one-folder'),
    'multiappend-4': ('MULTIAPPEND of 100, 4 connections', 3, 'multiappend-4'),
    'append-1M': ('APPEND of 1 MiB', 1.5, 'append-1M'),
    'append-10M': ('APPEND of 10 MiB', 1.5, 'append-10M'),
    'append-in-100': ('APPEND into a folder of 100', None, 'append-in-100'),
    'append-in-large': ('  of 100,000', None, 'append-in-large'),
    'login': ('LOGIN, same password scheme', 10, 'login'),
    'select-large-first': ('SELECT of 100,000, first time', 10, 'select-large-first'),
    'select-large': ('  again', 3, 'select-large'),
    'fetch-flags-large': ('FETCH 1:* FLAGS of 100,000', 3, 'fetch-flags-large'),
    'fetch-envelope-first': ('FETCH 1:* ENVELOPE of 10,000 right after append', 4, 'fetch-envelope-first'),
    'fetch-envelope': ('  warm', 4, 'fetch-envelope'),
    'fetch-flags': ('FETCH 1:* FLAGS', 3, 'fetch-flags'),
    'fetch-header-fields': ('FETCH 1:* header fields', 2, 'fetch-header-fields'),
    'fetch-bodystructure': ('FETCH 1:* BODYSTRUCTURE', 2, 'fetch-bodystructure'),
    'fetch-bodies': ('FETCH 1:* BODY.PEEK[] 2 KiB', 3, 'fetch-bodies'),
    'fetch-one': ('FETCH of one body, one after the other', 1.3, 'fetch-one'),
    'fetch-one-p50': ('  median', 1.3, 'fetch-one-p50'),
    'search-id': ('SEARCH HEADER Contribution-ID in 10,000', 100, 'search-id'),
    'search-id-large': ('  in 100,000', 100, 'search-id-large'),
    'search-id-large-absent': ('  in 100,000, of none', 100, 'search-id-large-absent'),
    'search-body': ('SEARCH BODY word', 20, 'search-body'),
    'search-text': ('SEARCH TEXT word', 20, 'search-text'),
    'search-since': ('SEARCH SINCE', 20, 'search-since'),
    'search-unseen': ('SEARCH UNSEEN', None, 'search-unseen'),
    'sort-date': ('SORT (DATE) of 10,000', None, 'sort-date'),
    'sort-subject': ('SORT (SUBJECT)', None, 'sort-subject'),
    'thread-references': ('THREAD REFERENCES', None, 'thread-references'),
    'store-all': ('STORE 1:* of 10,000', 3, 'store-all'),
    'store-one': ('STORE of one, durable', 2, 'store-one'),
    'copy': ('COPY of 10,000', 4, 'copy'),
    'move': ('MOVE of 10,000', 6, 'move'),
    'expunge': ('EXPUNGE of 10,000', 3, 'expunge'),
    'resync-first': ('QRESYNC of 10,000, 100 flags and 100 expunges, first', 3, 'resync-first'),
    'resync': ('  again', 3, 'resync'),
    'resync-large-first': ('  of 100,000, first', 3, 'resync-large-first'),
    'resync-large': ('  of 100,000, again', 3, 'resync-large'),
    'create': ('CREATE folders', 20, 'create'),
    'list': ('LIST of 5,000 folders', 6, 'list'),
    'list-status': ('LIST-STATUS of them', 6, 'list-status'),
    'fetch-part': ('FETCH of a part of 1 MiB', None, 'fetch-part'),
    'urlfetch': ('GENURLAUTH and URLFETCH of it', 3, 'urlfetch'),
    'http-get': ('HTTP GET of 100 MiB by reference; nginx, a file', 0.6, 'http-get'),
    'http-get-memory': ('  memory of a transfer', None, 'http-get-memory'),
    'http-fetch': ('1,000 fetches of 64 KiB by reference at once', None, 'http-fetch'),
    'http-fetch-p99': ('  99 of 100 within', None, 'http-fetch-p99'),
    'http-fetch-lost': ('  failed', None, 'http-fetch-lost'),
    'memory-idle': ('memory of an idle connection', None, 'memory-idle'),
    'memory-in-idle': ('  in IDLE', None, 'memory-in-idle'),
    'memory-notify': ('  with NOTIFY SET on all mailboxes', None, 'memory-notify'),
    'memory-notify-tls': ('  the same over TLS 1.3', None, 'memory-notify-tls'),
    'idle-notice-p50': ('a new message reaches 1,000 IDLE sessions, median', None, 'idle-notice-p50'),
    'idle-notice-p99': ('  99 of 100', None, 'idle-notice-p99'),
    'idle-notice-lost': ('  lost', None, 'idle-notice-lost'),
}
# Of cmsd alone: figure / figure must reach, or figure must not exceed.
OWN_RATIOS = (('append-in-large', 'append-in-100', 0.9, 'the cost of an APPEND does not grow with the folder'),
              ('urlfetch', 'fetch-part', 0.8, 'GENURLAUTH and URLFETCH cost hardly more than FETCH'),
              ('slow-append-64', 'slow-append-1', 8, '64 clients append so many times as fast as one, a sync 2 ms slower'))
OWN_LIMITS = (('search-id-large', 1, 'ms, SEARCH by id in 100,000'), ('memory-idle', 40, 'KiB an idle connection'),
              ('memory-notify', 6, 'KiB a connection with NOTIFY'),
              ('memory-notify-tls', 20, 'KiB a connection with NOTIFY over TLS'),
              ('http-get-memory', 8, 'MiB a transfer over HTTP'), ('http-fetch-lost', 0, 'fetches by reference failed'),
              ('idle-notice-p99', 50, 'ms, 99 of 100 notices'), ('idle-notice-lost', 0, 'notices lost'))


def up_is_better(unit):
    return unit.endswith('/s')


def measure(load, server, workload, options):
    """{figure: (value, unit)} of one workload; what failed is printed and left out."""
    user = 'argon%d@example.com' if server.name == 'dovecot' and workload == 'login' else 'user%d@example.com'
    command = [load, '--port', str(server.port), '--user', user, '--password', fixture.PASSWORD, '--pid', str(server.pid), '--tls-port', str(server.tls_port),
               '--only', workload]
    if options.quick:
        command += ['--seconds', '1', '--messages', '1000', '--large', '5000', '--idle', '100', '--watchers', '50',
                    '--folders', '200']
    else:
        command += ['--idle', str(IDLE[server.name])]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=options.timeout)
    except subprocess.TimeoutExpired:
        print(f'# {server.name}: {workload} took over {options.timeout} s', flush=True)
        return {}
    for line in done.stderr.splitlines():
        print(f'# {server.name}: {line}', flush=True)
    rows = [line.split('\t') for line in done.stdout.splitlines()]
    return {name: (float(value), unit) for name, value, unit in rows}


def keep_best(best, figures):
    for name, (value, unit) in figures.items():
        known = best.get(name)
        if known is None or (value > known[0]) == up_is_better(unit):
            best[name] = (value, unit)


def ratio_of(name, ours, theirs):
    """How many times better ours is; None where one of them is missing."""
    reference = TARGETS[name][2]
    if name not in ours or reference not in theirs:
        return None
    mine, unit = ours[name]
    peer = theirs[reference][0]
    if up_is_better(unit):
        return mine / peer if peer else None
    return peer / mine if mine else None


def number(value):
    return '-' if value is None else f'{value:,.0f}' if value >= 100 else f'{value:.3g}'


def print_table(ours, theirs):
    print(f'\n{"":52}{"cmsd":>12}{"Dovecot":>12}  {"":15}{"ratio":>8}{"target":>8}')
    for name, (what, target, reference) in TARGETS.items():
        if name not in ours and name not in theirs:
            continue
        ratio = ratio_of(name, ours, theirs)
        mine, peer = ours.get(name, (None, ''))[0], theirs.get(reference, (None, ''))[0]
        unit = (ours.get(name) or theirs.get(name))[1]
        verdict = '' if target is None or ratio is None else 'reached' if ratio >= target else 'below'
        print(f'{what:52}{number(mine):>12}{number(peer):>12}  {unit:15}{number(ratio):>8}{number(target):>8}  {verdict}')
    print()
    for one, other, target, what in OWN_RATIOS:
        if one in ours and other in ours:
            ratio = ours[one][0] / ours[other][0]
            print(f'{what}: {ratio:.2f}, target {target}: {"reached" if ratio >= target else "below"}')
    for name, limit, what in OWN_LIMITS:
        if name in ours:
            print(f'{number(ours[name][0])} {what}, limit {limit}: {"reached" if ours[name][0] <= limit else "above"}')


def measure_slow(load, workloads, options, directory):
    """append-1 and append-64 with a disk whose syncs take longer: how many writers share one sync."""
    os.mkdir(os.path.join(directory, 'slow'))
    server = fixture.Cmsd(options.build, os.path.join(directory, 'slow'))
    server.environment = {'LD_PRELOAD': os.path.join(options.build, 'tests', 'bench', 'libslow-sync.so'),
                          'SLOW_SYNC_US': str(SLOW_SYNC_US)}
    server.start()
    best = {}
    try:
        for account in range(1, ACCOUNTS + 1):
            server.add_account(account)
        for workload in workloads:
            figures = measure(load, server, workload.removeprefix('slow-'), options)
            best.update({'slow-' + name: figure for name, figure in figures.items()})
    finally:
        server.kill()
    print('slow disk         ' + ', '.join(f'{n} {number(v)} {u}' for n, (v, u) in best.items()), flush=True)
    return best


def start_servers(options, directory):
    servers = []
    if not options.peer_only:
        os.mkdir(os.path.join(directory, 'cmsd'))
        servers.append(fixture.Cmsd(options.build, os.path.join(directory, 'cmsd'),
                                    {'connections_per_address': 12000, 'connections': 12000, 'connections_per_account': 0}))
    if not options.no_peer:
        os.mkdir(os.path.join(directory, 'dovecot'))
        servers.append(fixture.Dovecot(os.path.join(directory, 'dovecot')))
    for server in servers:
        server.start()
        for account in range(1, ACCOUNTS + 1):
            server.add_account(account)
    return servers


def run(options, workloads, load, directory):
    best = {'cmsd': {}, 'dovecot': {}}
    servers = start_servers(options, directory)
    try:
        for turn in range(1 if options.quick else options.rounds):
            for workload in [name for name in workloads if name not in SLOW]:
                if turn > 0 and workload in ONCE:
                    continue
                if workload in bench_references.WORKLOADS:
                    continue
                for server in servers if turn % 2 == 0 else reversed(servers):
                    if workload in MEMORY:  # what earlier connections gave back may still be the process's
                        server.kill()
                        server.start()
                    figures = measure(load, server, workload, options)
                    keep_best(best[server.name], figures)
                    text = ', '.join(f'{n} {number(v)} {u}' for n, (v, u) in figures.items())
                    print(f'round {turn + 1}  {server.name:8} {text}', flush=True)
    finally:
        for server in servers:
            if server.running():
                server.kill()
    references = [name for name in workloads if name in bench_references.WORKLOADS]
    if references and not options.peer_only:
        ours, nginx = bench_references.measure(options, directory, references)
        best['cmsd'].update(ours)
        best['dovecot'].update(nginx)      # the peer's column
    slow = [name for name in workloads if name in SLOW]
    if slow and not options.peer_only:
        best['cmsd'].update(measure_slow(load, slow, options, directory))
    return best


def main():
    parser = argparse.ArgumentParser(prog='tools/bench')
    parser.add_argument('--build', default=os.path.join(ROOT, 'build-release'))
    parser.add_argument('--only', help='workloads, separated by commas')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--timeout', type=int, default=600, help='seconds for one workload on one server')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--json', help='write the figures there, too')
    parser.add_argument('--no-peer', action='store_true')
    parser.add_argument('--peer-only', action='store_true')
    options = parser.parse_args()
    load = os.path.join(options.build, 'tests', 'bench', 'cms-load')
    listed = subprocess.run([load, '--list'], stdout=subprocess.PIPE, text=True, check=True).stdout
    if options.list:
        print(listed, end='')
        for name, what in bench_references.WORKLOADS.items():
            print(f'{name:24} {what}')
        print(f'{"slow-append-1, -64":24} append-1 and append-64 of cmsd, each sync {SLOW_SYNC_US / 1000:.0f} ms slower')
        return 0
    names = [line.split()[0] for line in listed.splitlines()] + sorted(SLOW) + sorted(bench_references.WORKLOADS)
    workloads = options.only.split(',') if options.only else names
    # First of all: a server that has worked gives memory back while it is measured.
    workloads.sort(key=lambda name: name != 'memory')
    unknown = set(workloads) - set(names)
    if unknown:
        sys.exit(f'no such workload: {", ".join(sorted(unknown))}; there are {", ".join(names)}')
    # On the disk of the checkout, not on a /tmp that may live in memory: what is measured is durable.
    directory = tempfile.mkdtemp(prefix='cms-bench-', dir='/var/tmp')
    os.chmod(directory, 0o755)  # Dovecot's mail processes are nobody's
    try:
        best = run(options, workloads, load, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print_table(best['cmsd'], best['dovecot'])
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as out:
            json.dump(best, out, indent=1)
    return 0


if __name__ == '__main__':
    sys.exit(main())
