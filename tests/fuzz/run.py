#!/usr/bin/env python3
"""Runs every fuzz target (build/tests/fuzz/fuzz_NAME) for a while on its seeds, two at a time.

usage: run.py --build DIR [--seconds 30] [--only NAME] [--jobs 2] [--seed N]

Prints PASS or FAIL and the target's name. A target needs seeds in tests/fuzz/seeds/NAME: one without any fails,
because it would only ever look at noise. An input that failed is kept in DIR/fuzz-failures.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def targets(build):
    folder = os.path.join(build, 'tests', 'fuzz')
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(n[len('fuzz_'):] for n in names if n.startswith('fuzz_') and os.access(os.path.join(folder, n), os.X_OK)
                  and os.path.isfile(os.path.join(folder, n)))


def run(build, name, seconds, seed):
    seeds = os.path.join(HERE, 'seeds', name)
    if not os.path.isdir(seeds) or not os.listdir(seeds):
        return f'FAIL {name}: no seeds in tests/fuzz/seeds/{name}', ''
    failures = os.path.join(build, 'fuzz-failures')
    os.makedirs(failures, exist_ok=True)
    corpus = tempfile.mkdtemp(prefix=f'fuzz-{name}-')
    try:
        command = [os.path.join(build, 'tests', 'fuzz', f'fuzz_{name}'), f'-max_total_time={seconds}', '-rss_limit_mb=2048',
                   f'-seed={seed}', '-max_len=65536', '-print_final_stats=1', '-verbosity=1',
                   '-timeout=60',   # by the wall clock, and the machine may be busy
                   f'-artifact_prefix={failures}/{name}-', corpus, seeds]
        dictionary = os.path.join(HERE, f'{name}.dict')
        if os.path.exists(dictionary):
            command.insert(1, f'-dict={dictionary}')
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                              timeout=seconds + 300)
    except subprocess.TimeoutExpired:
        return f'FAIL {name}: did not end', ''
    finally:
        shutil.rmtree(corpus, ignore_errors=True)
    units = re.search(r'stat::number_of_executed_units:\s*(\d+)', done.stdout)
    if done.returncode != 0 or not units or int(units.group(1)) == 0:
        return f'FAIL {name}: exit {done.returncode}', done.stdout
    return f'PASS {name} ({units.group(1)} inputs, {len(os.listdir(seeds))} seeds)', ''


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--build', required=True)
    parser.add_argument('--seconds', type=int, default=30)
    parser.add_argument('--only')
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0, help="libFuzzer's; 0: a fresh one")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    names = [n for n in targets(build) if options.only in (None, n)]
    if not names:
        print(f'FAIL fuzz: no fuzz target in {build} (configure it with -Dfuzzers=true)')
        return 1
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for line, log in pool.map(lambda name: run(build, name, options.seconds, options.seed), names):
            if log:
                print('\n'.join(log.splitlines()[-80:]))
            print(line, flush=True)
            bad += line.startswith('FAIL')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
