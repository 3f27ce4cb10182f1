#!/usr/bin/env python3
"""Builds, runs every suite and sums the test cases. Called by tools/test, which installs the packages first.

A suite is a function that yields (outcome, case, log). Outcomes: passed, failed, skipped. A suite that yields no
case at all is itself a failure: a test that is not run must not look like one that passed.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOG_TAIL = 60  # lines of a failed case's log that are printed

BUILDS = {
    'build': (),
    'build-asan': ('-Db_sanitize=address,undefined', '-Doptimization=1', '-Djemalloc=false', '-Dfuzzers=true'),
    'build-tsan': ('-Db_sanitize=thread', '-Djemalloc=false'),
}
SANITIZER_ENVIRONMENT = {
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
    # die_after_fork: a test forks a process that opens a store of its own, to kill it.
    'TSAN_OPTIONS': 'halt_on_error=1:second_deadlock_stack=1:die_after_fork=0:suppressions='
    + os.path.join(ROOT, 'tests/tsan.supp'),
    'LSAN_OPTIONS': 'suppressions=' + os.path.join(ROOT, 'tests/lsan.supp'),
}
GTEST = re.compile(r'\[\s*(RUN|OK|FAILED|SKIPPED)\s*\] (\S+?)(?:,.*)?(?: \(\d+ ms\))?$')
CASE = re.compile(r'^(PASS|FAIL|SKIP) (.*)$')
OUTCOME = {'PASS': 'passed', 'FAIL': 'failed', 'SKIP': 'skipped'}


def say(text):
    print(text, flush=True)


def seed_of(text, commit):
    """The seed of all that is random in a run. It follows from the commit, so that whoever tests a commit again sees the same, and
    a rare find does not refuse a change that has nothing to do with it. Never 0: libFuzzer takes that for a fresh one."""
    if text is None and re.match(r'[0-9a-f]{8}', commit):
        return max(1, int(commit[:8], 16) % 2**31)
    if text in (None, 'random'):
        return random.SystemRandom().randrange(1, 2**31)
    if not re.fullmatch(r'[0-9]{1,10}', text) or not 0 < int(text) < 2**31:
        sys.exit(f'--seed {text}: must be "random", or from 1 to {2**31 - 1}')
    return int(text)


def commit_here():
    """'': this is no checkout."""
    try:
        return subprocess.run(['git', 'rev-parse', 'HEAD'], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout
    except OSError:
        return ''


def hand_on(seed):
    """To the programs that take it from the environment: tests/support/random_rounds.h, and rapidcheck's properties."""
    os.environ['CMS_SEED'] = str(seed)
    os.environ['RC_PARAMS'] = f'{os.environ.get("RC_PARAMS", "")} seed={seed}'.strip()


def lib(script, *args):
    """Runs a function of tools/lib.sh; its output goes to the terminal."""
    return subprocess.run(['bash', '-c', f'. "$0/tools/lib.sh"; {script}', ROOT, *args], cwd=ROOT).returncode == 0


def built(directory):
    """Configures and builds DIRECTORY once a run; yields the build itself as a case."""
    if directory not in built.done:
        started = time.monotonic()
        say(f'-- building {directory}')
        ok = lib('meson_setup "$@" && build "$1"', directory, *BUILDS[directory])
        say(f'-- {directory}: {"built" if ok else "NOT BUILT"} in {time.monotonic() - started:.0f} s')
        built.done[directory] = ok
        yield ('passed' if ok else 'failed'), f'build of {directory}', ''


built.done = {}


def gtest_cases(test, stdout):
    """(outcome, case) for each gtest case of one program's output. One that began and never ended has failed."""
    cases = {}
    for line in stdout.splitlines():
        found = GTEST.search(line.rstrip())
        if not found:
            continue
        verb, name = found.groups()
        if verb == 'RUN':
            cases[name] = 'failed'
        elif name in cases:
            cases[name] = {'OK': 'passed', 'FAILED': 'failed', 'SKIPPED': 'skipped'}[verb]
    for name, outcome in cases.items():
        yield outcome, f'{test}: {name}'


def log_of_case(case, stdout):
    """What one gtest case printed, from its RUN to its end."""
    inside, lines = False, []
    for line in stdout.splitlines():
        found = GTEST.search(line.rstrip())
        if found and found.groups() == ('RUN', case):
            inside, lines = True, []
        if inside:
            lines.append(line)
        if inside and found and found.group(1) != 'RUN':
            break
    return '\n'.join(lines)


def meson_cases(entry):
    """The cases of one row of meson's testlog.json, each with what is to be read when it failed."""
    name, stdout = entry['name'], entry.get('stdout', '')
    log = stdout + entry.get('stderr', '')
    cases = list(gtest_cases(name, stdout))
    lines = [CASE.match(line) for line in stdout.splitlines()]
    cases += [(OUTCOME[m.group(1)], f'{name}: {m.group(2)}') for m in lines if m]
    result = entry['result']
    if result in ('OK', 'EXPECTEDFAIL'):
        cases = cases or [('passed', name)]
    elif result == 'SKIP':
        cases = cases or [('skipped', name)]
    elif not any(outcome == 'failed' for outcome, _ in cases):
        cases.append(('failed', f'{name}: {result}, exit {entry.get("returncode")}'))
    for outcome, case in cases:
        own = log_of_case(case.removeprefix(f'{name}: '), stdout) if outcome == 'failed' else ''
        yield outcome, case, f'{own}\n{entry.get("stderr", "")}' if own else log


def meson_tests(directory, suite=None, timeouts=1):
    yield from built(directory)
    if not built.done[directory]:
        yield 'failed', f'{suite or directory}: not run, the build failed', ''
        return
    log = os.path.join(ROOT, directory, 'meson-logs', f'tools-test-{suite or "all"}')
    if os.path.exists(log + '.json'):
        os.remove(log + '.json')
    command = ['meson', 'test', '-C', directory, '--no-rebuild', '--quiet', '-t', str(timeouts), '--logbase',
               os.path.basename(log)]
    if suite:
        command += ['--suite', suite]
    if directory != 'build':
        command += ['--no-suite', 'lint']
    environment = dict(os.environ, **(SANITIZER_ENVIRONMENT if directory != 'build' else {}))
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if not os.path.exists(log + '.json'):
        if 'No suitable tests' not in done.stdout:
            yield 'failed', f'{suite or directory}: meson test ran nothing', done.stdout
        return
    with open(log + '.json', encoding='utf-8', errors='replace') as rows:
        for row in rows:
            yield from meson_cases(json.loads(row))


def program(command, name, timeout, environment=None):
    """Runs a test program that prints PASS, FAIL and SKIP lines; the lines appear as they come."""
    started = time.monotonic()
    log, failed, any_case = [], False, False
    process = subprocess.Popen(['timeout', '--kill-after=30', str(timeout), *command], cwd=ROOT, text=True,
                               env=dict(os.environ, **(environment or {})), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, errors='replace')
    for line in process.stdout:
        log.append(line)
        case = CASE.match(line)
        if not case:
            continue
        any_case = True
        failed |= case.group(1) == 'FAIL'
        say(f'   {line.rstrip()}')
        yield OUTCOME[case.group(1)], f'{name}: {case.group(2)}', ''.join(log)
    status = process.wait()
    if status != 0 and not failed:
        yield 'failed', f'{name}: exit {status} after {time.monotonic() - started:.0f} s', ''.join(log)
    elif not any_case:
        yield 'failed', f'{name}: printed no case', ''.join(log)


def integration(scripts, directory='build', timeout=900, arguments=()):
    yield from built(directory)
    if not built.done[directory]:
        yield 'failed', 'integration tests not run, the build failed', ''
        return
    environment = SANITIZER_ENVIRONMENT if directory != 'build' else None
    for script in scripts:
        path = os.path.join('tests', 'integration', script)
        yield from program(['python3', path, '--build', directory, *arguments], script, timeout, environment)


def fuzz(options):
    yield from built('build-asan')
    if not built.done['build-asan']:
        yield 'failed', 'fuzz targets not run, the build failed', ''
        return
    yield from program(['python3', 'tests/fuzz/run.py', '--build', 'build-asan', '--seconds', str(options.fuzz_seconds),
                        '--seed', str(options.seed)], 'fuzz', 3600)


def sanitized(directory):
    yield from meson_tests(directory, timeouts=5)
    yield from integration(['test_imap.py', 'test_bad_input.py'], directory, arguments=('--slow-machine',))


def lint(_):
    yield from meson_tests('build', 'lint')


SUITES = {
    'lint': lint,
    'unit': lambda o: meson_tests('build', 'unit'),
    'transcripts': lambda o: meson_tests('build', 'transcripts'),
    'property': lambda o: meson_tests('build', 'property'),
    'fault': lambda o: meson_tests('build', 'fault'),
    'integration': lambda o: integration(['test_imap.py', 'test_auth.py', 'test_verifier.py', 'test_guessing.py', 'test_trace.py', 'test_bad_input.py', 'test_large.py',
                                          'test_up.py', 'test_admin.py', 'test_damage.py',
                                          'test_record.py', 'test_changes.py', 'test_conversation.py', 'test_references.py',
                                          'test_references_refused.py']),
    'clients': lambda o: integration(['test_clients.py']),
    'crash': lambda o: integration(['crash_test.py'], timeout=1800, arguments=('--rounds', str(o.rounds), '--seed', str(o.seed))),
    'asan': lambda o: sanitized('build-asan'),
    'fuzz': fuzz,
    'tsan': lambda o: sanitized('build-tsan'),
}


SAMPLE = '''[==========] Running 5 tests from 2 test suites.
[ RUN      ] Key.OrderIsUidOrder
noise without a line end[       OK ] Key.OrderIsUidOrder (0 ms)
[ RUN      ] Key/Rejects.Case/zero
[  FAILED  ] Key/Rejects.Case/zero, where GetParam() = "x" (1 ms)
[ RUN      ] Key.NeedsRoot
[  SKIPPED ] Key.NeedsRoot (0 ms)
[ RUN      ] Key.Plain
[  FAILED  ] Key.Plain (12 ms)
[  FAILED  ] 2 tests, listed below:
[  FAILED  ] Key.Plain
[ RUN      ] Key.Crashes
'''


def self_test():
    """The counting itself: what each kind of output adds up to."""
    def counted(**entry):
        return sorted((outcome, case) for outcome, case, _ in meson_cases({'name': 't', 'stdout': '', 'result': 'OK', **entry}))
    table = (
        (counted(stdout=SAMPLE, result='FAIL'),
         [('failed', 't: Key.Crashes'), ('failed', 't: Key.Plain'), ('failed', 't: Key/Rejects.Case/zero'),
          ('passed', 't: Key.OrderIsUidOrder'), ('skipped', 't: Key.NeedsRoot')]),
        (counted(), [('passed', 't')]),
        (counted(result='SKIP'), [('skipped', 't')]),
        (counted(stdout='PASS one\nFAIL two: why\n', result='FAIL'), [('failed', 't: two: why'), ('passed', 't: one')]),
        (counted(stdout='PASS one\n', result='TIMEOUT', returncode=-15), [('failed', 't: TIMEOUT, exit -15'), ('passed', 't: one')]),
    )
    bad = [f'log of {case}: {found!r}' for case, found, expected in (
        ('Key.Plain', log_of_case('Key.Plain', SAMPLE), '[ RUN      ] Key.Plain\n[  FAILED  ] Key.Plain (12 ms)'),
        ('Key.Crashes', log_of_case('Key.Crashes', SAMPLE), '[ RUN      ] Key.Crashes'),
        ('t', log_of_case('t', SAMPLE), '')) if found != expected]
    bad += [f'counted {found}, expected {expected}' for found, expected in table if found != expected]
    bad += [f'seed {found}, expected {expected}' for found, expected in (
        (seed_of('7', '3d7b9e8f00'), 7), (seed_of(None, '3d7b9e8f00'), 0x3d7b9e8f), (seed_of(None, 'ffffffff00'), 2**31 - 1),
        (seed_of(None, '0000000000'), 1), (0 < seed_of('random', '3d7b9e8f00') < 2**31, True), (0 < seed_of(None, '') < 2**31, True)
    ) if found != expected]
    print('\n'.join(bad) or f'self-test: {len(table)} outputs counted as expected')
    return 1 if bad else 0


def chosen(options):
    if options.only:
        names = options.only.split(',')
        unknown = [name for name in names if name not in SUITES]
        if unknown:
            sys.exit(f'no such suite: {", ".join(unknown)} (there are {", ".join(SUITES)})')
        return names
    if options.tsan:
        return ['tsan']
    left_out = {'tsan'} | ({'asan', 'fuzz'} if options.quick else set())
    return [name for name in SUITES if name not in left_out]


def run(name, options, totals):
    say(f'== {name}')
    started, counts = time.monotonic(), {'passed': 0, 'failed': 0, 'skipped': 0}
    try:
        for outcome, case, log in SUITES[name](options):
            counts[outcome] += 1
            if outcome == 'failed':
                say(f'   FAILED {case}')
                for line in log.rstrip().splitlines()[-LOG_TAIL:]:
                    say(f'   | {line}')
            elif outcome == 'skipped':
                say(f'   skipped {case}')
    except Exception as error:  # a broken suite is a failure of that suite, and the others still run
        counts['failed'] += 1
        say(f'   FAILED {name}: {error!r}')
    if not any(counts.values()):
        counts['failed'] += 1
        say(f'   FAILED {name}: the suite has no test case')
    summary = ', '.join(f'{count} {outcome}' for outcome, count in counts.items())
    say(f'== {name}: {summary} ({time.monotonic() - started:.0f} s)')
    for outcome, count in counts.items():
        totals[outcome] += count
    return counts['failed']


def main():
    parser = argparse.ArgumentParser(prog='tools/test')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--tsan', action='store_true')
    parser.add_argument('--only')
    parser.add_argument('--rounds', type=int, default=50)
    parser.add_argument('--fuzz-seconds', type=int, default=30)
    parser.add_argument('--seed')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--self-test', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    if options.list:
        print('\n'.join(SUITES))
        return 0
    options.seed = seed_of(options.seed, commit_here())
    hand_on(options.seed)
    say(f'seed {options.seed}')
    started, totals = time.monotonic(), {'passed': 0, 'failed': 0, 'skipped': 0}
    broken = [name for name in chosen(options) if run(name, options, totals)]
    say(f'\n{time.monotonic() - started:.0f} s in all, seed {options.seed}' + (f'; failures in: {", ".join(broken)}' if broken else ''))
    say(f'{totals["passed"]} passed, {totals["failed"]} failed, {totals["skipped"]} skipped')
    return 1 if totals['failed'] or not totals['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
